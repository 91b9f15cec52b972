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
        ({"momentum": 1.1}, "'momentum' parameter"),
        ({"validation_fraction": 0.0}, "'validation_fraction' parameter"),
        (
            {"early_stopping": True, "validation_fraction": 0.02},
            "holds out 1 row|should be greater or equal to the number of classes",
        ),
    ],
    ids=str,
)
def test_parameters_of_networks(estimator, parameters, match):
    refuses(clone(estimator).set_params(**parameters), X, y, match=match)


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
    refuses(with_weight({0: 0, 1: 0}), X, y, match="every row the weight zero")
    both = np.column_stack([y, 1 - y])
    refuses(with_weight("balanced"), X, both, match="one class per row")


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
