"""The same numbers in other dtypes, orders and containers: the same model, bit by bit.

What the user passes is never changed.
"""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse

from skgroupnet import (
    GroupSparseLinearRegression,
    GroupSparseLogisticRegression,
    GroupSparseMLPClassifier,
    GroupSparseMLPRegressor,
)
from skgroupnet.model_selection import (
    BatchedGridSearchCV,
    GroupSparseLogisticRegressionCV,
    GroupSparseMLPClassifierCV,
    regularization_path,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
X = RNG.integers(-4, 5, (60, 5)) / 4
NUMBERS = X @ [1.0, -2.0, 0.0, 0.5, 0.0] + RNG.normal(size=60)
CLASSES = (NUMBERS > 0).astype(int)
WEIGHT = RNG.integers(0, 4, 60) / 2


def network(**params):
    return GroupSparseMLPRegressor((6,), max_iter=4, random_state=0, **params)


def linear(**params):
    return GroupSparseLinearRegression(lam=0.01, **params)


MODELS = pytest.mark.parametrize("make", [network, linear])


def assert_same_model(a, b):
    for one, other in zip(a.coefs_, b.coefs_, strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)


@MODELS
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16, np.int64])
def test_byte_order_does_not_matter(make, dtype):
    rows = (4 * X).astype(dtype)
    swapped = rows.astype(rows.dtype.newbyteorder(">"))
    model = make().fit(rows, NUMBERS, WEIGHT)
    for y, weight in ((NUMBERS, WEIGHT), (NUMBERS.astype(">f8"), WEIGHT.astype(">f8"))):
        assert_same_model(model, make().fit(swapped, y, weight))
    np.testing.assert_array_equal(model.predict(rows), model.predict(swapped))
    assert model.predict(swapped).dtype.isnative


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("make", [network, linear])
def test_byte_order_of_sparse_rows_does_not_matter(make, dtype):
    native, swapped = (scipy.sparse.csr_array(X.astype(dtype)) for _ in range(2))
    swapped.data = swapped.data.astype(">" + dtype)
    assert_same_model(make().fit(native, NUMBERS), make().fit(swapped, NUMBERS))


@pytest.mark.parametrize(
    ("dtype", "of_network", "of_linear"),
    [
        (">f8", np.float64, np.float64),
        (">f4", np.float32, np.float32),
        ("f2", np.float32, np.float64),
        (np.longdouble, np.float64, np.float64),
        ("i8", np.float32, np.float64),
        ("?", np.float32, np.float64),
        ("O", np.float64, np.float64),
    ],
)
def test_dtype_of_training(dtype, of_network, of_linear):
    rows = X.astype(dtype)
    expected = rows.astype(of_network), rows.astype(of_linear)
    for make, dtype, same in zip(
        (network, linear), (of_network, of_linear), expected, strict=True
    ):
        model = make().fit(rows, NUMBERS)
        assert model.coefs_[0].dtype == dtype
        assert_same_model(model, make().fit(same, NUMBERS))


@MODELS
def test_frames_are_trained_in_the_dtype_of_their_numbers(make):
    frame = pd.DataFrame(X, columns=list("abcde"))
    model = make().fit(frame, NUMBERS)
    for other in (
        frame.convert_dtypes(),
        frame.astype("Float64"),
        frame.astype({"a": "Float64", "b": object}),
        frame.astype({"a": np.float32}),
        # scikit-learn converts nullable columns to float64.
        frame.astype("Float32"),
    ):
        assert_same_model(model, make().fit(other, NUMBERS))
    narrow = make().fit(frame.astype(np.float32), NUMBERS)
    assert_same_model(narrow, make().fit(X.astype(np.float32), NUMBERS))


@MODELS
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_memory_layout_does_not_matter(make, dtype):
    rows = X.astype(dtype)
    read_only = rows.copy()
    read_only.flags.writeable = False
    wide = np.zeros((60, 10), dtype)
    wide[:, ::2] = rows
    model = make().fit(rows, NUMBERS)
    for other in (
        np.asfortranarray(rows),
        rows[::-1].copy()[::-1],
        rows[:, ::-1].copy()[:, ::-1],
        read_only,
        wide[:, ::2],
    ):
        assert_same_model(model, make().fit(other, NUMBERS[::-1].copy()[::-1]))


@MODELS
def test_a_broadcast_array_is_what_it_shows(make):
    shown = np.broadcast_to(X[:, :1], X.shape)
    assert_same_model(make().fit(shown, NUMBERS), make().fit(shown.copy(), NUMBERS))


@pytest.mark.parametrize("container", [np.asarray, scipy.sparse.csr_array])
def test_numbers_too_large_for_the_dtype_of_training(container):
    model = network().partial_fit(X.astype(np.float32), NUMBERS)
    large = X.copy()
    large[3, 2] = 1e300
    with pytest.raises(ValueError, match="float64 that are too large for float32"):
        model.partial_fit(container(large), NUMBERS)


def test_targets_too_large_for_the_dtype_of_training():
    with pytest.raises(ValueError, match="y has values .* too large for float32"):
        network().fit(X.astype(np.float32), 1e300 * NUMBERS)


@MODELS
@pytest.mark.parametrize("name", ["X", "y", "sample_weight"])
def test_masked_values_are_no_data(make, name):
    data = {"X": X, "y": NUMBERS, "sample_weight": WEIGHT}
    expected = make().fit(**data)
    array = np.ma.array(data[name], mask=np.zeros(data[name].shape, bool))
    assert_same_model(expected, make().fit(**data | {name: array}))
    array[3] = np.ma.masked
    match = f"{name} is a masked array, of which {array.mask.sum()} values"
    with pytest.raises(ValueError, match=match):
        make().fit(**data | {name: array})
    if name == "X":
        with pytest.raises(ValueError, match=match):
            expected.predict(array)


def unsorted(with_duplicates):
    """CSR rows with their entries from right to left, some in two parts."""
    rows = scipy.sparse.csr_array(X)
    parts = [(rows.data[rows.indptr[i] : rows.indptr[i + 1]][::-1]) for i in range(60)]
    columns = [
        rows.indices[rows.indptr[i] : rows.indptr[i + 1]][::-1] for i in range(60)
    ]
    if with_duplicates:
        parts = [np.r_[part[:-1], part[-1:] / 2, part[-1:] / 2] for part in parts]
        columns = [np.r_[part, part[-1:]] for part in columns]
    indptr = np.r_[0, np.cumsum([len(part) for part in parts])]
    made = np.concatenate(parts), np.concatenate(columns), indptr
    return scipy.sparse.csr_array(made, shape=rows.shape)


def state(sparse):
    arrays = sparse.data, sparse.indices, sparse.indptr
    return [array.tobytes() for array in arrays], sparse.has_sorted_indices


USES = {
    "network": lambda X: network().fit(X, NUMBERS).predict(X),
    "early stopping": lambda X: network(early_stopping=True).fit(
        X, NUMBERS, X_val=X, y_val=NUMBERS
    ),
    "partial_fit": lambda X: (
        network().partial_fit(X, NUMBERS).partial_fit(X, NUMBERS).prune().predict(X)
    ),
    "newton": lambda X: linear().fit(X, NUMBERS).predict(X),
    "fista": lambda X: linear(solver="fista").fit(X, NUMBERS).predict(X),
    "admm": lambda X: linear(solver="admm").fit(X, NUMBERS).predict(X),
    "logistic": lambda X: (
        GroupSparseLogisticRegression(lam=0.01).fit(X, CLASSES).predict_proba(X)
    ),
    "linear CV": lambda X: GroupSparseLogisticRegressionCV(
        lams=[0.02, 0.01], cv=3, n_jobs=2
    ).fit(X, CLASSES),
    "network CV": lambda X: GroupSparseMLPClassifierCV(
        (6,), lams=[0.02, 0.01], cv=3, n_jobs=2, max_iter=3
    ).fit(X, CLASSES),
    "path": lambda X: regularization_path(
        linear(), X, NUMBERS, lams=[0.02, 0.01], X_val=X, y_val=NUMBERS
    ),
    "network path": lambda X: regularization_path(
        GroupSparseMLPClassifier((6,), max_iter=3), X, CLASSES, lams=3, n_jobs=2
    ),
    "search": lambda X: BatchedGridSearchCV(
        linear(), {"lam": [0.02, 0.01]}, cv=3, n_jobs=2
    ).fit(X, NUMBERS),
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
@pytest.mark.parametrize("with_duplicates", [False, True])
def test_sparse_rows_are_left_as_they_are(use, with_duplicates):
    rows = unsorted(with_duplicates)
    before = state(unsorted(with_duplicates))
    use(rows)
    assert state(rows) == before


@MODELS
@pytest.mark.parametrize("with_duplicates", [False, True])
def test_the_order_of_sparse_entries_does_not_matter(make, with_duplicates):
    rows = unsorted(with_duplicates)
    assert not rows.has_sorted_indices
    expected = make().fit(scipy.sparse.csr_array(X), NUMBERS)
    assert_same_model(expected, make().fit(rows, NUMBERS))
