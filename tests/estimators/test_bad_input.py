"""Input that cannot be used: a clear sentence, and an estimator as it was before."""

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from sklearn.base import clone

from skgroupnet import (
    GroupSparseLogisticRegression,
    GroupSparseMLPClassifier,
    GroupSparseMLPRegressor,
)
from skgroupnet.penalties import GroupLasso

CLASSIFIER = GroupSparseMLPClassifier((4,), max_iter=3, tol=1e6, n_iter_no_change=1)
REGRESSOR = GroupSparseMLPRegressor((4,), max_iter=3, tol=1e6, n_iter_no_change=1)
LOGISTIC = GroupSparseLogisticRegression(lam=0.05)
ALL = pytest.mark.parametrize(
    "estimator", [CLASSIFIER, REGRESSOR, LOGISTIC], ids=lambda e: type(e).__name__
)
MLPS = pytest.mark.parametrize(
    "estimator", [CLASSIFIER, REGRESSOR], ids=lambda e: type(e).__name__
)

rng = np.random.RandomState(0)
X = rng.normal(size=(40, 3))
y = (X[:, 0] > 0).astype(int)


def put(value, container=np.asarray):
    """X with one bad value."""
    bad = X.copy()
    bad[3, 1] = value
    return container(bad)


def refuses(estimator, *data, match, error=ValueError, **keywords):
    """Check that fit raises, and that a fresh and a fitted estimator do not change."""
    fresh = clone(estimator)
    with pytest.raises(error, match=match):
        fresh.fit(*data, **keywords)
    assert not [name for name in vars(fresh) if name.endswith("_")]
    assert set(vars(fresh)) == set(fresh.get_params())

    fitted = clone(estimator).set_params(**good(estimator)).fit(X, y)
    predicted = fitted.predict(X)
    fitted.set_params(**estimator.get_params())
    before = dict(vars(fitted))
    with pytest.raises(error, match=match):
        fitted.fit(*data, **keywords)
    assert vars(fitted).keys() == before.keys()
    assert all(vars(fitted)[name] is value for name, value in before.items())
    np.testing.assert_array_equal(fitted.predict(X), predicted)


def good(estimator):
    """Parameters that an estimator of this class can be fitted with."""
    templates = {type(e): e.get_params() for e in (CLASSIFIER, REGRESSOR, LOGISTIC)}
    return templates[type(estimator)]


@ALL
@pytest.mark.parametrize(
    ("data", "match"),
    [
        ((put(np.nan), y), "contains NaN"),
        ((put(np.inf), y), "contains infinity"),
        ((put(np.nan, csr_array), y), "contains NaN"),
        ((put(np.nan, pd.DataFrame), y), "contains NaN"),
        ((X, np.where(y, np.nan, 0.0)), "y contains NaN"),
        ((X[:, 0], y), "Expected 2D array, got 1D array"),
        ((X[None], y), "dim 3"),
        ((X, y[:-1]), "inconsistent numbers of samples"),
        ((X[:0], y[:0]), "0 sample"),
        ((X[:, :0], y), r"0 feature\(s\)"),
        ((X, None), "requires y to be passed"),
        ((X, np.stack([[y, y]])), "dim 3"),
        (([["a", "b"]] * 40, y), "could not convert string|dtype='numeric'"),
    ],
)
def test_data(estimator, data, match):
    refuses(estimator, *data, match=match)


@ALL
@pytest.mark.parametrize(
    ("parameters", "match"),
    [
        ({"penalty": "lasso"}, "'penalty' parameter .*'group_lasso'"),
        ({"penalty": 3}, "'penalty' parameter .* Got 3"),
        ({"penalty": GroupLasso}, "must be None, a string or a penalty object"),
        ({"lam": -1e-9}, r"'lam' parameter .* range \[0.*, inf\). Got -1e-09"),
        ({"lam": np.inf}, "'lam' parameter .* Got inf"),
        ({"lam": np.nan}, "'lam' parameter .* Got nan"),
        ({"lam": "0.1"}, "'lam' parameter"),
        ({"groups": [[0, 1], [1, 2]]}, "overlap.* block 0 and block 1 both hold 1"),
        ({"groups": [[0, 3]]}, "between 0 and 2, but one is 3"),
        ({"groups": [["age"]]}, "X has no feature names"),
        ({"groups": [0, 1]}, "each of the 3 features"),
        ({"device": "nonsense"}, "device must name .* got 'nonsense'"),
        ({"device": "cuda:77"}, "device must name .* got 'cuda:77'"),
        ({"solver": "lbfgs"}, "'solver' parameter"),
        ({"max_iter": 0}, "'max_iter' parameter"),
        ({"batch_size": 0}, "'batch_size' parameter"),
        ({"learning_rate_init": np.inf}, "'learning_rate_init' parameter"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_parameters(estimator, parameters, match):
    error = (ValueError, TypeError)
    refuses(clone(estimator).set_params(**parameters), X, y, match=match, error=error)


@MLPS
@pytest.mark.parametrize(
    ("parameters", "match"),
    [
        ({"hidden_layer_sizes": 0}, "'hidden_layer_sizes' parameter"),
        ({"hidden_layer_sizes": (4, 0)}, r"one integer > 0 .* but is \(4, 0\)"),
        ({"hidden_layer_sizes": (4.5,)}, r"one integer > 0 .* but is \(4.5,\)"),
        ({"hidden_layer_sizes": [[4]]}, "one integer > 0"),
        ({"hidden_layer_sizes": [True]}, r"one integer > 0 .* but is \[True\]"),
        ({"momentum": 1.1}, "'momentum' parameter"),
        ({"validation_fraction": 0.0}, "'validation_fraction' parameter"),
        (
            {"early_stopping": True, "validation_fraction": 0.02},
            "validation_fraction=0.02 of 40 rows.* these are 1 and leave 39",
        ),
    ],
    ids=str,
)
def test_parameters_of_networks(estimator, parameters, match):
    refuses(clone(estimator).set_params(**parameters), X, y, match=match)


@pytest.mark.parametrize("solver", ["adam", "adamax", "rmsprop"])
@pytest.mark.parametrize(
    ("dtype", "epsilon", "match"),
    [
        (np.float32, 1e-39, "between 1.2e-38 and 3.4e.38 for .* float32, but is 1e-39"),
        (np.float32, 1e39, "between 1.2e-38 and 3.4e.38 for training in float32"),
        (np.float64, 5e-324, "between 2.2e-308 and 1.8e.308 for training in float64"),
    ],
)
def test_epsilon_beyond_the_dtype(solver, dtype, epsilon, match):
    estimator = clone(REGRESSOR).set_params(solver=solver, epsilon=epsilon)
    refuses(estimator, X.astype(dtype), y, match=f"epsilon must be {match}")
    with pytest.raises(ValueError, match=match):
        estimator.partial_fit(X.astype(dtype), y)
    assert not hasattr(estimator, "n_features_in_")


@pytest.mark.parametrize("solver", ["adam", "adamax", "rmsprop"])
@pytest.mark.parametrize(
    ("dtype", "epsilon"),
    [
        (np.float32, 2e-38),
        (np.float32, 3e38),
        (np.float64, 3e-308),
        (np.float64, 1e308),
    ],
)
def test_epsilon_within_the_dtype(solver, dtype, epsilon):
    # The last column has no gradient: nothing but epsilon is in the denominator.
    rows = np.column_stack([X, np.zeros(40)]).astype(dtype)
    estimator = clone(REGRESSOR).set_params(solver=solver, epsilon=epsilon)
    fitted = estimator.fit(rows, y)
    assert np.isfinite(fitted.loss_curve_).all() and fitted.n_iter_ == 3
    # Elsewhere it plays no part.
    clone(REGRESSOR).set_params(solver="sgd", epsilon=1e-300).fit(rows, y)


@ALL
@pytest.mark.parametrize(
    ("weight", "match"),
    [
        (np.zeros(40), "zero"),
        (np.full(40, -1.0), "Negative values in data passed to `sample_weight`"),
        (np.ones(39), r"\(39,\), expected \(40,\)"),
        (np.ones((40, 2)), "1D array or scalar"),
        (np.full(40, np.nan), "sample_weight contains NaN"),
        (np.full(40, np.inf), "sample_weight contains infinity"),
        (np.full(40, 1e307), r"sum between 2.2e-308 and 1.8e\+308, but it is inf"),
        (np.full(40, 1e-320), "sum between 2.2e-308 .*, but it is 4e-319"),
    ],
)
def test_weights_of_rows(estimator, weight, match):
    refuses(estimator, X, y, match=match, sample_weight=weight)


@pytest.mark.parametrize(
    "estimator", [CLASSIFIER, LOGISTIC], ids=lambda e: type(e).__name__
)
@pytest.mark.parametrize(
    ("target", "keywords", "match"),
    [
        (np.ones(40), {}, r"at least 2 classes .* 1 class: \[1.0\]"),
        (y, {"sample_weight": y}, r"in rows of positive weight, but got 1 class"),
        (X[:, 0], {}, "Unknown label type: continuous"),
        (X, {}, "Unknown label type: continuous-multioutput"),
        (np.column_stack([y, y + 1, y + 2]), {}, "multiclass-multioutput"),
    ],
)
def test_classes(estimator, target, keywords, match):
    refuses(estimator, X, target, match=match, **keywords)


@pytest.mark.parametrize(
    "estimator", [CLASSIFIER, LOGISTIC], ids=lambda e: type(e).__name__
)
def test_weights_of_classes(estimator):
    def with_weight(class_weight):
        return clone(estimator).set_params(class_weight=class_weight)

    refuses(with_weight("even"), X, y, match="'class_weight' parameter")
    for weight in (np.nan, np.inf, -np.inf, -1.0, -1e-300, "much", None):
        match = f"finite numbers >= 0, but the weight of class 1 is {weight!r}"
        refuses(with_weight({0: 1.0, 1: weight}), X, y, match=match)
        refuses(with_weight({1: weight}), X, y, match=match)
    unknown = r"weights for \['1', 7\], which are no classes, and none for .* \[1\]"
    refuses(with_weight({0: 2, "1": 3, 7: 1}), X, y, match=unknown)
    refuses(with_weight({0: 1e307, 1: 1e308}), X, y, match="but it is inf")
    refuses(with_weight({0: 1e-320, 1: 1e-320}), X, y, match="2.2e-308 .* but it is")
    small = {"sample_weight": np.full(40, 1e-200)}
    refuses(with_weight({0: 1e-200, 1: 0}), X, y, match="but it is 0", **small)
    large = {"sample_weight": np.full(40, 1e200)}
    refuses(with_weight({0: 1e200, 1: 0}), X, y, match="but it is inf", **large)
    refuses(with_weight({0: 0, 1: 0}), X, y, match="every row the weight zero")
    both = np.column_stack([y, 1 - y])
    refuses(with_weight("balanced"), X, both, match="one class per row")


@pytest.mark.parametrize("scale", [1e-300, 1e300])
@ALL
def test_weights_of_any_size(estimator, scale):
    weight = np.random.RandomState(1).randint(1, 4, size=40)
    estimator = clone(estimator).set_params(random_state=0)
    plain = clone(estimator).fit(X, y, sample_weight=weight)
    scaled = clone(estimator).fit(X, y, sample_weight=scale * weight)
    np.testing.assert_allclose(scaled.predict(X), plain.predict(X), rtol=1e-6)
    np.testing.assert_allclose(scaled.coefs_[0], plain.coefs_[0], rtol=1e-5, atol=1e-7)


def test_weights_of_further_classes():
    # As in scikit-learn: the rows of a fold need not have all classes.
    weighted = clone(LOGISTIC).set_params(class_weight={0: 1, 1: 3, 2: 5}).fit(X, y)
    exact = clone(LOGISTIC).set_params(class_weight={0: 1, 1: 3}).fit(X, y)
    np.testing.assert_array_equal(weighted.coef_, exact.coef_)
    assert weighted.classes_.tolist() == [0, 1]


def test_a_class_of_weight_zero():
    # As in scikit-learn: its rows do not count, and it stays one of the classes.
    three = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)
    settings = {"class_weight": {2: 0}}
    fitted = clone(LOGISTIC).set_params(**settings).fit(X, three)
    weight = (three < 2).astype(float)
    network = clone(CLASSIFIER).set_params(random_state=0)
    other = clone(network).set_params(**settings).fit(X, three)
    assert fitted.classes_.tolist() == other.classes_.tolist() == [0, 1, 2]
    assert fitted.predict_proba(X).shape == (40, 3)
    assert fitted.predict_proba(X)[:, 2].max() < 0.01
    # "balanced" gives a class without weight no weight, and no part in the others'.
    balanced = clone(LOGISTIC).set_params(class_weight="balanced")
    of_two = clone(balanced).fit(X[three < 2], three[three < 2])
    of_weight = balanced.fit(X, three, sample_weight=weight)
    np.testing.assert_allclose(of_weight.coef_, of_two.coef_, rtol=1e-9)
    assert of_weight.classes_.tolist() == [0, 1]


def test_weights_of_held_out_rows():
    early = clone(CLASSIFIER).set_params(early_stopping=True)
    data = {"X_val": X, "y_val": y, "sample_weight_val": np.full(40, 1e307)}
    refuses(early, X, y, match="sample_weight_val, .* but it is inf", **data)


def test_negative_counts():
    poisson = clone(REGRESSOR).set_params(loss="poisson")
    refuses(poisson, X, y - 1, match="needs y >= 0, but the smallest value of y is -1")


@MLPS
def test_held_out_rows(estimator):
    early = clone(estimator).set_params(early_stopping=True)
    together = "must be given together"
    refuses(early, X, y, match=f"{together}.* X_val is missing", y_val=y)
    refuses(early, X, y, match=f"{together}.* y_val is missing", X_val=X)
    refuses(
        early,
        X,
        y,
        match=f"{together}.* X_val and y_val",
        sample_weight_val=np.ones(40),
    )
    refuses(estimator, X, y, match="early_stopping is False", X_val=X, y_val=y)
    refuses(early, X, y, match="X has 2 features", X_val=X[:, :2], y_val=y)
    refuses(early, X, y, match="inconsistent numbers", X_val=X, y_val=y[1:])
    refuses(early, X, y, match="contains NaN", X_val=put(np.nan), y_val=y)
    refuses(early, X, y, match="at least 2 rows.* has 1", X_val=X[:1], y_val=y[:1])
    bad = {"X_val": X, "y_val": y, "sample_weight_val": np.zeros(40)}
    refuses(early, X, y, match="zero", **bad)


def test_held_out_rows_of_an_unknown_class():
    early = clone(CLASSIFIER).set_params(early_stopping=True)
    refuses(early, X, y, match=r"classes \[2\] that are not", X_val=X, y_val=y + 1)


@ALL
def test_columns_of_predict(estimator):
    frame = pd.DataFrame(X, columns=list("abc"))
    fitted = clone(estimator).fit(frame, y)
    with pytest.raises(ValueError, match="feature names should match"):
        fitted.predict(frame[["b", "a", "c"]])
    with pytest.raises(ValueError, match="feature names should match"):
        fitted.predict(frame[["a", "b"]])
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        fitted.predict(X)
    with pytest.raises(ValueError, match="contains NaN"):
        fitted.predict(frame.replace(frame.iloc[3, 1], np.nan))


@MLPS
def test_partial_fit(estimator):
    fitted = clone(estimator).fit(X, y)
    before = dict(vars(fitted))
    with pytest.raises(ValueError, match="X has 2 features, but"):
        fitted.partial_fit(X[:, :2], y)
    with pytest.raises(ValueError, match="contains NaN"):
        fitted.partial_fit(put(np.nan), y)
    assert vars(fitted) == before
    early = clone(estimator).set_params(early_stopping=True)
    with pytest.raises(ValueError, match="does not support early_stopping"):
        early.partial_fit(X, y, **({"classes": y} if "Class" in str(early) else {}))
    assert not hasattr(early, "n_features_in_")


def test_classes_of_partial_fit():
    classifier = clone(CLASSIFIER)
    with pytest.raises(ValueError, match="classes must be passed in the first call"):
        classifier.partial_fit(X, y)
    with pytest.raises(ValueError, match="at least 2 classes"):
        classifier.partial_fit(X, y, classes=[0])
    with pytest.raises(ValueError, match=r"classes \[1\] that are not among"):
        classifier.partial_fit(X, y, classes=[0, 2])
    assert not hasattr(classifier, "n_features_in_")
    classifier.partial_fit(X, y, classes=[0, 1])
    with pytest.raises(ValueError, match="differs from the classes of the first call"):
        classifier.partial_fit(X, y, classes=[0, 1, 2])
    with pytest.raises(ValueError, match=r"classes \[2\] that are not among"):
        classifier.partial_fit(X, y + 1)
    with pytest.raises(ValueError, match="'balanced' needs all rows"):
        classifier.set_params(class_weight="balanced").partial_fit(X, y)
    classifier.set_params(class_weight={0: 3}).partial_fit(X[y == 1], y[y == 1])


def test_targets_of_later_calls(three_classes):
    X, y = three_classes
    network = GroupSparseMLPClassifier((3,), random_state=0)
    fitted = network.partial_fit(X, y, classes=np.unique(y))
    with pytest.raises(ValueError, match="Unknown label type: continuous"):
        fitted.partial_fit(X, y + 0.5)
    with pytest.raises(ValueError, match=r"classes \[\d+\] that are not among"):
        fitted.partial_fit(X, np.where(y == y[0], y.max() + 1, y))
