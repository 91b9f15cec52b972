"""Cross-validation of lam: the same as a loop of fits, the choice, and the refit."""

import pickle
import warnings

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import make_classification, make_regression
from sklearn.exceptions import NotFittedError
from sklearn.metrics import get_scorer, make_scorer, recall_score
from sklearn.model_selection import GroupKFold, KFold, ShuffleSplit, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale

from skgroupnet import (
    GroupSparseLogisticRegression,
    GroupSparseMLPClassifier,
    GroupSparseMLPRegressor,
)
from skgroupnet.model_selection import (
    GroupSparseLogisticRegressionCV,
    GroupSparseMLPClassifierCV,
    GroupSparseMLPRegressorCV,
)
from skgroupnet.model_selection.lam_search import choose

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, Y = make_classification(
    n_samples=150, n_features=6, n_informative=3, n_redundant=0, random_state=0
)
X = scale(X)
LABELS = np.column_stack([Y, X[:, 0] > 0, X[:, 1] > 0]).astype(int)
X_NUMBERS, NUMBERS = make_regression(
    n_samples=120, n_features=5, n_informative=2, n_targets=2, noise=5, random_state=0
)
X_NUMBERS, NUMBERS = scale(X_NUMBERS), scale(NUMBERS)
WEIGHT = np.linspace(0, 2, len(X))
LAMS = [0.01, 0.1, 0.03]
NETWORK = {
    "hidden_layer_sizes": (6,),
    "learning_rate_init": 0.03,
    "batch_size": 25,
    "max_iter": 5,
    "random_state": 0,
}
PAIRS = [
    (GroupSparseLogisticRegression, GroupSparseLogisticRegressionCV),
    (GroupSparseMLPClassifier, GroupSparseMLPClassifierCV),
    (GroupSparseMLPRegressor, GroupSparseMLPRegressorCV),
]
NAMES = ["logistic", "classifier", "regressor"]


@pytest.fixture
def logistic():
    return GroupSparseLogisticRegressionCV(lams=LAMS, cv=3)


@pytest.fixture
def classifier():
    return GroupSparseMLPClassifierCV(lams=LAMS, cv=3, **NETWORK)


def by_hand(plain, X, y, lams, cv, scoring, weight=None):
    """Fit and score one model at a time; scores and counts (n_lams, n_folds)."""
    scores, counts = [], []
    X = X.tocsr() if hasattr(X, "tocsr") else np.asarray(X)
    for lam in sorted(lams, reverse=True):
        for train, test in cv.split(X, y):
            part = {} if weight is None else {"sample_weight": weight[train]}
            rest = {} if weight is None else {"sample_weight": weight[test]}
            model = clone(plain).set_params(lam=lam).fit(X[train], y[train], **part)
            scores.append(get_scorer(scoring)(model, X[test], y[test], **rest))
            counts.append(
                (
                    model.n_active_neurons_,
                    model.n_active_features_,
                    model.n_active_parameters_,
                )
            )
    shape = len(lams), cv.get_n_splits()
    return np.reshape(scores, shape), np.reshape(counts, (*shape, 3))


def check_against_loop(search, plain, X, y, cv, scoring, weight=None, rtol=0):
    """Compare a fitted search with a loop and with one more fit."""
    scores, counts = by_hand(plain, X, y, LAMS, cv, scoring, weight)
    np.testing.assert_array_equal(search.lams_, [0.1, 0.03, 0.01])
    np.testing.assert_allclose(search.scores_, scores, rtol=rtol)
    np.testing.assert_array_equal(search.n_active_neurons_path_, counts[..., 0])
    np.testing.assert_array_equal(search.n_active_features_path_, counts[..., 1])
    np.testing.assert_array_equal(search.n_active_parameters_path_, counts[..., 2])
    best = search.lams_[scores.mean(axis=1).argmax()]
    assert search.lam_ == best
    refit = clone(plain).set_params(lam=best).fit(X, y, weight)
    np.testing.assert_array_equal(search.predict(X), refit.predict(X))
    np.testing.assert_array_equal(search.coefs_[0], refit.coefs_[0])
    assert search.n_active_parameters_ == refit.n_active_parameters_
    assert search.loss_curve_ == refit.loss_curve_


# The same as a loop


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["equal", "weighted"])
@pytest.mark.parametrize(
    "params",
    [
        {},
        {"class_weight": "balanced"},
        {"class_weight": {0: 3.0}, "penalty": "sparse_group_lasso"},
        {"early_stopping": True, "n_iter_no_change": 2, "validation_fraction": 0.2},
        {"finetune_iter": 2, "groups": [0, 0, 1, 1, -1, 2]},
    ],
    ids=["plain", "balanced", "class_weight", "early_stopping", "finetune"],
)
def test_networks(classifier, params, weight):
    cv = StratifiedKFold(3)
    search = classifier.set_params(**params).fit(X, Y, sample_weight=weight)
    plain = GroupSparseMLPClassifier(**NETWORK, **params)
    check_against_loop(search, plain, X, Y, cv, "accuracy", weight)


@pytest.mark.parametrize("scoring", ["accuracy", "neg_log_loss", "roc_auc"])
@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["equal", "weighted"])
def test_logistic_regressions(scoring, weight):
    cv = KFold(4, shuffle=True, random_state=1)
    search = GroupSparseLogisticRegressionCV(
        lams=LAMS, cv=cv, scoring=scoring, class_weight={1: 2}, tol=1e-9
    ).fit(X, Y, weight)
    plain = GroupSparseLogisticRegression(class_weight={1: 2}, tol=1e-9)
    # Each model starts from the one before, not from zero.
    check_against_loop(search, plain, X, Y, cv, scoring, weight, rtol=1e-7)
    expected = {} if weight is None else {"sample_weight": weight}
    assert search.score(X, Y, weight) == get_scorer(scoring)(search, X, Y, **expected)


@pytest.mark.parametrize("container", [np.asarray, csr_array])
def test_several_outputs_and_sparse_rows(container):
    rows, cv = container(X_NUMBERS), KFold(5)
    search = GroupSparseMLPRegressorCV(lams=LAMS, **NETWORK).fit(rows, NUMBERS)
    plain = GroupSparseMLPRegressor(**NETWORK)
    check_against_loop(search, plain, rows, NUMBERS, cv, "r2")
    assert search.predict(rows).shape == NUMBERS.shape
    assert search.score(rows, NUMBERS) == get_scorer("r2")(search, rows, NUMBERS)


def test_labels(classifier):
    cv = KFold(3)
    search = classifier.fit(X, LABELS)
    check_against_loop(
        search, GroupSparseMLPClassifier(**NETWORK), X, LABELS, cv, "accuracy"
    )
    assert search.predict_proba(X).shape == LABELS.shape


def test_poisson_counts():
    counts = np.random.RandomState(0).poisson(np.exp(NUMBERS[:, 0]))
    search = GroupSparseMLPRegressorCV(
        loss="poisson", scoring="neg_mean_poisson_deviance", lams=LAMS, cv=3, **NETWORK
    ).fit(X_NUMBERS, counts)
    plain = GroupSparseMLPRegressor(loss="poisson", **NETWORK)
    check_against_loop(
        search, plain, X_NUMBERS, counts, KFold(3), "neg_mean_poisson_deviance"
    )
    assert (search.predict(X_NUMBERS) > 0).all()


def test_frames_with_names(logistic):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=list("abcdef"))
    target = pandas.Series(np.array(["no", "yes"])[Y], index=np.arange(150)[::-1])
    weight = pandas.Series(WEIGHT)
    logistic.set_params(groups=[["a", "b"], ["c"]], penalize_bias=True)
    search = clone(logistic).fit(frame, target, weight)
    other = logistic.set_params(groups=[[0, 1], [2]]).fit(X, Y, WEIGHT)
    np.testing.assert_array_equal(search.scores_, other.scores_)
    np.testing.assert_array_equal(search.coef_, other.coef_)
    assert search.feature_names_in_.tolist() == list("abcdef")
    assert set(search.predict(frame)) == {"no", "yes"}
    assert set(search.summary(frame).features) <= set("abcdef")


def test_results_do_not_depend_on_resources(classifier):
    usual = clone(classifier).fit(X, Y)
    other = classifier.set_params(n_jobs=2, stack_memory=1.0).fit(X, Y)
    np.testing.assert_array_equal(other.scores_, usual.scores_)
    np.testing.assert_array_equal(other.coefs_[0], usual.coefs_[0])


def test_one_random_state_for_all_models(classifier):
    usual = clone(classifier).fit(X, Y)
    instance = np.random.RandomState(0)
    other = classifier.set_params(random_state=instance).fit(X, Y)
    np.testing.assert_array_equal(other.scores_, usual.scores_)
    np.testing.assert_array_equal(other.coefs_[0], usual.coefs_[0])


# The grid and the folds


@pytest.mark.parametrize(("plain", "search"), PAIRS, ids=NAMES)
def test_an_automatic_grid(plain, search):
    settings = NETWORK if "MLP" in search.__name__ else {}
    y = NUMBERS[:, 0] if "Regressor" in search.__name__ else Y[:120]
    rows = X_NUMBERS if "Regressor" in search.__name__ else X[:120]
    # The empty models that a path begins with are no reason to warn.
    with warnings.catch_warnings(record=True) as record:
        warnings.simplefilter("always")
        model = search(lams=4, cv=2, **settings).fit(rows, y)
    assert not [w for w in record if "Nothing is left" in str(w.message)]
    assert len(model.lams_) == len(model.scores_) == 4
    assert model.lams_[-1] == pytest.approx(model.lams_[0] / 1000)


def test_one_value_and_one_fold(logistic):
    cv = [(np.arange(100), np.arange(100, 150))]
    logistic.set_params(lams=[0.03], cv=cv, selection="1se").fit(X, Y)
    assert logistic.lam_ == 0.03
    assert logistic.scores_.shape == (1, 1)


def test_random_splits_are_drawn_once(logistic):
    cv = ShuffleSplit(3, random_state=np.random.RandomState(0))
    search = logistic.set_params(cv=cv).fit(X, Y)
    # A second draw from the instance would give other folds.
    plain, cv = GroupSparseLogisticRegression(), ShuffleSplit(3, random_state=0)
    scores, _ = by_hand(plain, X, Y, LAMS, cv, "accuracy")
    np.testing.assert_array_equal(search.scores_, scores)
    once = (split for split in KFold(3).split(X))
    assert logistic.set_params(cv=once).fit(X, Y).scores_.shape == (3, 3)


def test_folds_given_as_masks(logistic):
    folds = list(StratifiedKFold(3).split(X, Y))
    masks = [tuple(np.isin(np.arange(150), rows) for rows in fold) for fold in folds]
    usual = clone(logistic).fit(X, Y)
    masked = logistic.set_params(cv=masks).fit(X, Y)
    np.testing.assert_array_equal(masked.scores_, usual.scores_)


def test_groups_of_rows(logistic):
    groups = np.arange(150) % 4
    search = logistic.set_params(cv=GroupKFold(4)).fit(X, Y, groups=groups)
    assert search.scores_.shape == (3, 4)
    with pytest.raises(ValueError, match="'groups' parameter should not be None"):
        logistic.fit(X, Y)
    with pytest.raises(ValueError, match="enable_metadata_routing=True"):
        logistic.fit(X, Y, price=groups)


# The choice


@pytest.mark.parametrize(
    ("scores", "n_parameters", "best", "one_se"),
    [
        # Means 1, 4, 3; standard error of the best 1.
        ([[1, 1], [3, 5], [3, 3]], [[1, 1], [2, 2], [1, 2]], 1, 2),
        ([[3, 3], [3, 5], [1, 1]], [[1, 1], [2, 2], [9, 9]], 1, 0),
        ([[2.9, 2.9], [3, 5], [3, 3]], [[1, 1], [2, 2], [3, 3]], 1, 1),
        # Ties: the larger lam.
        ([[2, 2], [4, 4], [4, 4]], [[1, 1], [2, 2], [2, 2]], 1, 1),
        ([[3, 3], [3, 5], [3, 4]], [[1, 2], [2, 2], [2, 1]], 1, 0),
        # A fold without a score.
        ([[9, np.nan], [4, 4], [1, 1]], [[1, 1], [2, 2], [1, 1]], 1, 1),
        ([[-np.inf, 1], [4, 4], [1, 1]], [[1, 1], [2, 2], [1, 1]], 1, 1),
        ([[1], [3], [2]], [[1], [2], [1]], 1, 1),
    ],
)
def test_choose(scores, n_parameters, best, one_se):
    scores, n_parameters = np.array(scores, dtype=float), np.array(n_parameters)
    assert choose(scores, n_parameters, "best") == best
    assert choose(scores, n_parameters, "1se") == one_se


def test_one_standard_error_is_sparser(logistic):
    logistic.set_params(lams=10, cv=5)
    best = clone(logistic).fit(X, Y)
    sparse = logistic.set_params(selection="1se").fit(X, Y)
    assert sparse.lam_ > best.lam_
    assert sparse.n_active_parameters_ < best.n_active_parameters_
    means = best.scores_.mean(axis=1)
    top = best.scores_[means.argmax()]
    chosen = means[sparse.lams_ == sparse.lam_]
    assert chosen >= top.mean() - top.std(ddof=1) / np.sqrt(5)


# After the fit


def test_it_does_what_the_plain_estimator_does(classifier):
    search = classifier.fit(X, Y)
    compact = search.prune()
    np.testing.assert_allclose(
        compact.predict_proba(X), search.predict_proba(X), atol=1e-12
    )
    assert type(compact) is GroupSparseMLPClassifierCV
    assert search.get_support().sum() == search.n_active_features_
    assert search.summary(X).difference < 1e-12
    assert not hasattr(search, "partial_fit")
    for name in ("lam", "warm_start"):
        assert name not in search.get_params()
    copy = pickle.loads(pickle.dumps(search))
    np.testing.assert_array_equal(copy.predict(X), search.predict(X))
    np.testing.assert_array_equal(compact.fit(X, Y).coefs_[0], search.coefs_[0])


def test_without_refit(logistic):
    search = logistic.fit(X, Y).set_params(refit=False).fit(X[:, :5], Y)
    assert search.lam_ in LAMS
    assert search.scores_.shape == (3, 3)
    assert search.n_features_in_ == 5
    with pytest.raises(NotFittedError):
        search.predict(X)
    assert not hasattr(search, "coef_")
    assert not hasattr(search, "feature_names_in_")


def test_a_fit_that_fails_leaves_the_last_one(logistic):
    logistic.fit(X, Y)
    before = dict(vars(logistic))
    with pytest.raises(ValueError, match="NaN"):
        logistic.fit(np.full_like(X, np.nan), Y)
    assert vars(logistic) == before


def test_inside_a_pipeline(logistic):
    pipeline = make_pipeline(StandardScaler(), clone(logistic)).fit(X * 7 + 1, Y)
    np.testing.assert_allclose(pipeline[-1].coef_, logistic.fit(X, Y).coef_)


# Scorers and weights


def test_a_callable_scorer(logistic):
    def n_features(estimator, X, y):
        return -estimator.n_active_features_

    search = logistic.set_params(scoring=n_features).fit(X, Y)
    np.testing.assert_array_equal(search.scores_, -search.n_active_features_path_)
    assert search.score(X, Y) == -search.n_active_features_
    with pytest.warns(UserWarning, match="does not take sample_weight: the fits"):
        search.fit(X, Y, WEIGHT)


def test_a_callable_that_takes_weights(logistic):
    seen = []

    def scoring(estimator, X, y, sample_weight=None):
        seen.append(sample_weight)
        return 0.0

    logistic.set_params(scoring=scoring).fit(X, Y, WEIGHT.tolist())
    folds = [test for _, test in StratifiedKFold(3).split(X, Y)]
    for fold, weight in zip(np.repeat([0, 1, 2], 3), seen, strict=True):
        np.testing.assert_array_equal(weight, WEIGHT[folds[fold]])


def test_metadata_routing(logistic):
    groups = np.arange(150) % 3
    with config_context(enable_metadata_routing=True):
        scorer = make_scorer(recall_score).set_score_request(sample_weight=True)
        search = logistic.set_params(cv=GroupKFold(3), scoring=scorer)
        search.fit(X, Y, sample_weight=WEIGHT, groups=groups)
        score = search.score(X, Y, sample_weight=WEIGHT)
        silent = make_scorer(recall_score).set_score_request(sample_weight=False)
        unweighted = clone(search).set_params(scoring=silent)
        unweighted.fit(X, Y, sample_weight=WEIGHT, groups=groups)
        with pytest.raises(TypeError, match="unexpected argument.*price"):
            search.fit(X, Y, price=groups)
    assert score == recall_score(Y, search.predict(X), sample_weight=WEIGHT)
    train, test = next(GroupKFold(3).split(X, Y, groups))
    model = GroupSparseLogisticRegression(lam=0.1).fit(
        X[train], Y[train], WEIGHT[train]
    )
    predicted = model.predict(X[test])
    assert search.scores_[0, 0] == recall_score(
        Y[test], predicted, sample_weight=WEIGHT[test]
    )
    assert unweighted.scores_[0, 0] == recall_score(Y[test], predicted)
    with pytest.raises(ValueError, match="enable_metadata_routing=True"):
        search.score(X, Y, price=groups)
