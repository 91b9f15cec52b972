"""Network: what it accepts, that it cannot be changed, and what it predicts."""

import copy
import dataclasses
import pickle
import tracemalloc

import joblib
import numpy as np
import pytest
import scipy.sparse
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor

from skgroupnet import network as network_module
from skgroupnet.network import ACTIVATIONS, OUTPUTS, Network

TOLERANCE = {"float32": 1e-5, "float64": 1e-12}
DTYPES = sorted(TOLERANCE)


def random_network(
    widths=(5, 4, 3), activation="relu", output="softmax", dtype="float64", seed=0
):
    random = np.random.default_rng(seed)
    return Network(
        tuple(
            random.normal(size=shape).astype(dtype)
            for shape in zip(widths, widths[1:], strict=False)
        ),
        tuple(random.normal(size=width).astype(dtype) for width in widths[1:]),
        activation,
        output,
    )


def random_rows(n_rows, n_columns, seed=1):
    return np.random.default_rng(seed).normal(size=(n_rows, n_columns))


def plain_raw(network, X):
    """The raw prediction, written as the formula."""
    formulas = {
        "relu": lambda z: np.where(z > 0, z, 0),
        "relu2": lambda z: np.where(z > 0, z**2, 0),
        "tanh": np.tanh,
        "logistic": lambda z: 1 / (1 + np.exp(-z)),
        "identity": lambda z: z,
    }
    values = np.asarray(X, dtype=network.dtype)
    for weight, bias in zip(network.weights[:-1], network.biases[:-1], strict=True):
        values = formulas[network.activation](values @ weight + bias)
    return values @ network.weights[-1] + network.biases[-1]


# Shape and counts


def test_widths_dtype_and_parameters():
    weights = np.array([[1.0, 0.0], [-0.0, 2.0], [0.0, 0.0]]), np.array([[3.0], [0.0]])
    biases = np.array([0.0, 1.0]), np.array([-0.0])
    network = Network(weights, biases, "relu", "identity")
    assert network.widths == (3, 2, 1)
    assert network.n_parameters == 4
    assert isinstance(network.n_parameters, int)
    assert random_network((7, 2)).widths == (7, 2)
    assert network.dtype == np.float64


# Read-only


def arrays_of(network):
    return *network.weights, *network.biases


def test_a_network_cannot_be_changed():
    network = random_network()
    with pytest.raises(dataclasses.FrozenInstanceError):
        network.activation = "tanh"
    for array in arrays_of(network):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0


def test_writeable_arrays_are_copied_and_left_writeable():
    weight, bias = np.ones((2, 1)), np.ones(1)
    network = Network((weight,), (bias,), "relu", "identity")
    weight[:] = 5
    bias[:] = 5
    assert_array_equal(network.predict(np.ones((1, 2))), [[3.0]])


def test_read_only_arrays_are_shared():
    network = random_network()
    again = Network(network.weights, network.biases, "tanh", "identity")
    for array, other in zip(arrays_of(network), arrays_of(again), strict=True):
        assert array is other


def test_lists_of_arrays_become_tuples():
    network = Network([np.ones((2, 1))], [np.ones(1)], "relu", "identity")
    assert isinstance(network.weights, tuple)
    assert isinstance(network.biases, tuple)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_unpickled_networks_are_read_only(protocol):
    network = random_network()
    assert_same_and_read_only(pickle.loads(pickle.dumps(network, protocol)), network)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_copies_are_read_only(copied):
    network = random_network()
    assert_same_and_read_only(copied(network), network)


@pytest.mark.parametrize("mmap_mode", [None, "r", "c"])
def test_joblib_networks_are_read_only(tmp_path, mmap_mode):
    network = random_network()
    joblib.dump(network, tmp_path / "network")
    loaded = joblib.load(tmp_path / "network", mmap_mode=mmap_mode)
    assert_same_and_read_only(loaded, network)


def test_unpickling_keeps_arrays_shared():
    network = random_network()
    pair = {"network": network, "coefs_": list(network.weights)}
    pair = pickle.loads(pickle.dumps(pair))
    assert pair["coefs_"][0] is pair["network"].weights[0]


def assert_same_and_read_only(network, expected):
    assert (network.activation, network.output) == ("relu", "softmax")
    for array, other in zip(arrays_of(network), arrays_of(expected), strict=True):
        assert not array.flags.writeable
        assert array.dtype == other.dtype
        assert_array_equal(array, other)
    X = random_rows(3, 5)
    assert_array_equal(network.predict(X), expected.predict(X))


# What is refused


ONE = np.ones(1)
COLUMN = np.ones((2, 1))
WIDE = np.ones((4, 3))


@pytest.mark.parametrize(
    ("weights", "biases", "message"),
    [
        ([], [], "at least one layer, but got 0 weights and 0 biases."),
        ([COLUMN], [ONE, ONE], "per layer and at least one layer, but got 1 weights"),
        (
            [COLUMN.astype(int)],
            [ONE.astype(int)],
            "All weights and biases must be float32, or all float64, but got int64.",
        ),
        ([COLUMN.astype("f4")], [ONE], "or all float64, but got float32, float64."),
        ([ONE], [ONE], "weights[0] must have shape (n_features, n_units), but has"),
        (
            [WIDE, COLUMN],
            [np.ones(3), ONE],
            "weights[1] must have shape (3, n_units), but has shape (2, 1).",
        ),
        ([WIDE, np.ones(3)], [np.ones(3), ONE], "(3, n_units), but has shape (3,)."),
        (
            [WIDE, np.ones((3, 1))],
            [np.ones(3), COLUMN],
            "biases[1] must have shape (1,), one number for each column of weights[1], "
            "but has shape (2, 1).",
        ),
        ([WIDE[:, :0]], [ONE[:0]], "The last layer must have at least one output"),
    ],
)
def test_refused_layers(weights, biases, message):
    with pytest.raises(ValueError) as error:
        Network(weights, biases, "relu", "identity")
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("maps", "message"),
    [
        (
            ("selu", "identity"),
            "activation must be one of 'relu', 'relu2', 'tanh', 'logistic', "
            "'identity', but got 'selu'.",
        ),
        (
            ("relu", "tanh"),
            "output must be one of 'softmax', 'logistic', 'identity', 'exp', but got "
            "'tanh'.",
        ),
    ],
)
def test_refused_maps(maps, message):
    with pytest.raises(ValueError) as error:
        Network([COLUMN], [ONE], *maps)
    assert str(error.value) == message


@pytest.mark.parametrize(
    "X",
    [np.ones((3, 4)), np.ones(5), np.ones((1, 5, 1)), scipy.sparse.csr_array((3, 4))],
    ids=lambda X: str(X.shape),
)
def test_refused_rows(X):
    with pytest.raises(ValueError) as error:
        random_network().predict(X)
    assert str(error.value) == (
        f"X has shape {X.shape}, but the network expects a 2-d array with 5 columns."
    )


# Prediction


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("hidden", [(), (6,), (6, 4), (3, 6, 4, 5)], ids=str)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_raw_is_the_formula(activation, hidden, dtype):
    network = random_network((5, *hidden, 3), activation, "softmax", dtype)
    X = random_rows(20, 5)
    raw = network.raw(X)
    assert raw.dtype == dtype
    assert_allclose(raw, plain_raw(network, X), rtol=0, atol=20 * TOLERANCE[dtype])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("output", OUTPUTS)
def test_predict_is_the_mapped_raw_prediction(output, dtype):
    network = random_network((5, 4, 3), "tanh", output, dtype)
    X = random_rows(20, 5)
    z = network.raw(X).astype(float)
    expected = {
        "softmax": np.exp(z) / np.exp(z).sum(axis=1, keepdims=True),
        "logistic": 1 / (1 + np.exp(-z)),
        "identity": z,
        "exp": np.exp(z),
    }[output]
    prediction = network.predict(X)
    assert prediction.dtype == dtype
    assert_allclose(prediction, expected, rtol=TOLERANCE[dtype])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("hidden", [(8,), (8, 6, 7)], ids=str)
@pytest.mark.parametrize("activation", sorted({*ACTIVATIONS} - {"relu2"}))
@pytest.mark.parametrize("task", ["binary", "multiclass", "regression", "poisson"])
def test_predict_is_that_of_scikit_learn(task, activation, hidden, dtype):
    random = np.random.default_rng(0)
    X = random.normal(size=(60, 5)).astype(dtype)
    settings = {
        "hidden_layer_sizes": hidden,
        "activation": activation,
        "random_state": 0,
        "batch_size": 60,
    }
    model, y, output = {
        "binary": (MLPClassifier(**settings), np.arange(60) % 2, "logistic"),
        "multiclass": (MLPClassifier(**settings), np.arange(60) % 4, "softmax"),
        "regression": (MLPRegressor(**settings), X[:, :2], "identity"),
        "poisson": (
            MLPRegressor(loss="poisson", **settings),
            random.poisson(3, size=60),
            "exp",
        ),
    }[task]
    with pytest.warns(ConvergenceWarning):
        model.set_params(max_iter=5).fit(X, y)
    network = Network(model.coefs_, model.intercepts_, activation, output)
    prediction = network.predict(X)
    if task == "binary":
        expected = model.predict_proba(X)[:, 1:]
    elif task == "multiclass":
        expected = model.predict_proba(X)
    else:
        expected = model.predict(X).reshape(60, -1)
    assert prediction.dtype == expected.dtype == dtype
    assert_allclose(prediction, expected, rtol=0, atol=TOLERANCE[dtype])


@pytest.mark.parametrize("dtype", DTYPES)
def test_extreme_raw_predictions_stay_finite(dtype):
    rows = np.array([[0.0, -1e4, 1e4], [-1e4, -1e4, -1e4]], dtype=dtype)
    for output, expected in [
        ("softmax", [[0, 0, 1], [1 / 3] * 3]),
        ("logistic", [[0.5, 0, 1], [0, 0, 0]]),
    ]:
        values = rows.copy()
        OUTPUTS[output](values)
        assert_allclose(values, expected, atol=1e-7)


@pytest.mark.parametrize("sign", [1, -1])
def test_relu_of_any_shape(sign):
    for shape in [(), (3,), (2, 3), (2, 3, 4)]:
        values = np.full(shape, 2.0 * sign)
        ACTIVATIONS["relu"](values)
        assert_array_equal(values, np.full(shape, 2.0 if sign > 0 else 0.0))


def test_rows_are_not_changed():
    X = random_rows(10, 5)
    before = X.copy()
    random_network((5, 3)).predict(X)
    random_network((5, 4, 3)).predict(X)
    assert_array_equal(X, before)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "given",
    [
        np.asfortranarray,
        lambda X: np.repeat(X, 2, axis=1)[:, ::2],
        lambda X: X.astype("f4" if X.dtype == "f8" else "f8"),
        lambda X: X.astype(X.dtype.newbyteorder()),
        lambda X: X.tolist(),
    ],
    ids=["fortran", "strided", "other dtype", "other byte order", "list"],
)
def test_rows_of_any_layout(given, dtype):
    network = random_network(dtype=dtype)
    X = np.round(random_rows(30, 5), 1).astype(dtype)
    atol = TOLERANCE["float32"]
    assert_allclose(network.predict(given(X)), network.predict(X), rtol=0, atol=atol)


def test_no_rows():
    for X in (np.ones((0, 5)), scipy.sparse.csr_array((0, 5))):
        assert random_network().predict(X).shape == (0, 3)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_network_without_inputs_predicts_its_bias(dtype):
    bias = np.array([1.0, -2.0], dtype=dtype)
    network = Network((np.ones((0, 2), dtype=dtype),), (bias,), "relu", "identity")
    assert network.widths == (0, 2)
    for X in (np.ones((300, 0)), scipy.sparse.csr_array((300, 0))):
        prediction = network.predict(X)
        assert prediction.dtype == dtype
        assert_array_equal(prediction, np.tile(bias, (300, 1)))


def test_an_empty_hidden_layer_predicts_the_last_bias():
    network = random_network((5, 0, 3), output="identity")
    for X in (np.ones((4, 5)), scipy.sparse.csr_array(np.ones((4, 5)))):
        assert_array_equal(network.predict(X), np.tile(network.biases[-1], (4, 1)))


@pytest.mark.parametrize("n_hidden", [0, 1, 3])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "sparse",
    [
        scipy.sparse.csr_array,
        scipy.sparse.csr_matrix,
        scipy.sparse.csc_array,
        scipy.sparse.coo_matrix,
    ],
)
def test_sparse_rows(sparse, dtype, n_hidden, monkeypatch):
    monkeypatch.setattr(network_module, "MIN_BLOCK_ROWS", 7)
    monkeypatch.setattr(network_module, "BLOCK_BYTES", 1)
    network = random_network((30, *[6] * n_hidden, 3), dtype=dtype)
    X = random_rows(50, 30)
    X[np.random.default_rng(0).random(X.shape) < 0.8] = 0
    prediction = network.predict(sparse(X))
    assert type(prediction) is np.ndarray
    assert prediction.dtype == dtype
    assert_allclose(prediction, network.predict(X), rtol=0, atol=TOLERANCE[dtype])


@pytest.mark.parametrize("n_rows", [1, 6, 7, 8, 13, 14, 15])
@pytest.mark.parametrize("n_hidden", [0, 1, 2])
def test_block_boundaries(n_rows, n_hidden, monkeypatch):
    network = random_network((5, *[4] * n_hidden, 3))
    X = random_rows(n_rows, 5)
    whole = network.predict(X)
    monkeypatch.setattr(network_module, "MIN_BLOCK_ROWS", 7)
    monkeypatch.setattr(network_module, "BLOCK_BYTES", 1)
    assert_allclose(network.predict(X), whole, rtol=1e-13)


def test_memory_of_a_prediction_is_bounded():
    network = random_network((20, 400, 300, 2), dtype="float32")
    n_rows = 60_000  # the activations of all rows at once would take 168 MB
    dense = np.ones((n_rows, 20))
    for X in (dense, scipy.sparse.csr_array(dense)):
        tracemalloc.start()
        prediction = network.predict(X)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak - prediction.nbytes < 2.5 * network_module.BLOCK_BYTES


@pytest.mark.parametrize(
    "order",
    [np.ascontiguousarray, np.asfortranarray, scipy.sparse.csr_array],
)
@pytest.mark.parametrize("columns", [[5, 0, 3], [], [2]])
def test_columns_are_picked_block_by_block(order, columns, monkeypatch):
    monkeypatch.setattr(network_module, "MIN_BLOCK_ROWS", 3)
    monkeypatch.setattr(network_module, "BLOCK_BYTES", 1)
    network = random_network((len(columns), 4, 2))
    X = random_rows(10, 6)
    index = np.array(columns, dtype=int)
    assert_allclose(
        network.predict(order(X), index), network.predict(X[:, index]), rtol=1e-12
    )


def test_columns_that_do_not_fit_are_refused():
    network = random_network((3, 4, 2))
    with pytest.raises(ValueError, match="expects a 2-d array with 3 columns"):
        network.raw(random_rows(10, 6), np.arange(2))
    with pytest.raises(IndexError):
        network.raw(random_rows(10, 6), np.array([0, 1, 6]))
    # A mask is not a list of numbers, though True could count as 1.
    for columns, name in ((np.ones(3, dtype=bool), "bool"), (np.ones(3), "float64")):
        with pytest.raises(ValueError, match=f"numbers of columns .* they are {name}"):
            network.raw(random_rows(10, 3), columns)
