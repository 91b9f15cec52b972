"""What is left of a network: counts, masks, summary, compact estimator."""

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.feature_selection import SelectFromModel

from skgroupnet import (
    GroupSparseLogisticRegression,
    GroupSparseMLPClassifier,
    GroupSparseMLPRegressor,
)
from skgroupnet.estimators.sparsity import Summary, narrowed, sparsity_attributes
from skgroupnet.network import Network
from skgroupnet.pruning import scatter

SPARSE = {
    "lam": 0.02,
    "learning_rate_init": 0.03,
    "batch_size": 60,
    "tol": 1e-3,
    "random_state": 0,
}


@pytest.fixture(scope="module")
def sparse_mlp(three_classes):
    """A classifier with neurons and features that are gone."""
    X, y = three_classes
    return GroupSparseMLPClassifier((12, 8), **SPARSE).fit(X, y)


@pytest.fixture
def emptied(three_classes):
    X, y = three_classes
    classifier = GroupSparseMLPClassifier((4, 3), **{**SPARSE, "lam": 1.0})
    with pytest.warns(ConvergenceWarning, match="Nothing is left"):
        return classifier.fit(X, y)


def test_counts_agree_with_the_compact_network(sparse_mlp):
    compact = sparse_mlp.prune()
    inputs, *hidden = [len(matrix) for matrix in compact.coefs_]
    assert sparse_mlp.n_active_features_ == inputs < 8
    assert sparse_mlp.n_active_neurons_ == sum(hidden) < 20
    arrays = (*compact.coefs_, *compact.intercepts_)
    assert sparse_mlp.n_active_parameters_ == sum(np.count_nonzero(a) for a in arrays)
    masks = sparse_mlp.active_neurons_
    assert [len(mask) for mask in masks] == [8, 12, 8]
    assert [mask.sum() for mask in masks] == [inputs, *hidden]


def test_whole_rows_are_exactly_zero(sparse_mlp):
    for matrix, mask in zip(sparse_mlp.coefs_, sparse_mlp.active_neurons_, strict=True):
        assert (matrix[~mask] == 0).all() or (matrix != 0).any(axis=1).sum() == 0
    assert (sparse_mlp.coefs_[0][~sparse_mlp.get_support()] == 0).all()


def test_support_and_importances(sparse_mlp, three_classes):
    mask = sparse_mlp.get_support()
    np.testing.assert_array_equal(
        sparse_mlp.get_support(indices=True), np.flatnonzero(mask)
    )
    importances = sparse_mlp.feature_importances_
    np.testing.assert_array_equal(importances > 0, mask)
    norms = np.linalg.norm(sparse_mlp.coefs_[0], axis=1)
    np.testing.assert_allclose(importances, norms)
    selector = SelectFromModel(sparse_mlp, threshold=1e-10, prefit=True)
    assert selector.transform(three_classes[0]).shape[1] == mask.sum()
    mask[:] = False
    assert sparse_mlp.get_support().any()


def test_the_compact_estimator_predicts_the_same(sparse_mlp, three_classes):
    X, _ = three_classes
    compact = sparse_mlp.prune()
    for rows in (X, csr_array(X), X.astype("f4"), X.tolist(), X[:1]):
        expected = sparse_mlp.predict_proba(rows)
        np.testing.assert_allclose(compact.predict_proba(rows), expected, atol=1e-12)
    assert compact.n_features_in_ == 8
    assert compact.n_layers_ == len(compact.coefs_) + 1
    for name in ("n_active_neurons_", "n_active_features_", "n_active_parameters_"):
        assert getattr(compact, name) == getattr(sparse_mlp, name)
    np.testing.assert_array_equal(
        compact.feature_importances_, sparse_mlp.feature_importances_
    )


def test_pruning_leaves_the_estimator_alone(sparse_mlp):
    before = dict(vars(sparse_mlp))
    compact = sparse_mlp.prune()
    assert vars(sparse_mlp) == before
    assert compact.get_params() == sparse_mlp.get_params()
    assert type(compact) is type(sparse_mlp)
    again = compact.prune()
    for first, second in zip(compact.coefs_, again.coefs_, strict=True):
        np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(again.get_support(), sparse_mlp.get_support())


def test_names_of_columns_are_kept(three_classes):
    X, y = three_classes
    X = pd.DataFrame(X, columns=[f"c{i}" for i in range(8)])
    compact = GroupSparseMLPClassifier((12, 8), **SPARSE).fit(X, y).prune()
    assert compact.feature_names_in_.tolist() == X.columns.tolist()
    with pytest.raises(ValueError, match="feature names should match"):
        compact.predict(X[X.columns[::-1]])
    assert set(compact.summary().features) < set(X.columns)


def test_fit_of_the_compact_estimator_trains_the_original_shape(
    sparse_mlp, three_classes
):
    X, y = three_classes
    for estimator in (clone(sparse_mlp.prune()), sparse_mlp.prune()):
        estimator.fit(X, y)
        for first, second in zip(estimator.coefs_, sparse_mlp.coefs_, strict=True):
            np.testing.assert_array_equal(first, second)
        np.testing.assert_array_equal(estimator.predict(X), sparse_mlp.predict(X))


@pytest.mark.parametrize("groups", [None, [0, 0, 1, 1, 2, 2, 3, -1]])
@pytest.mark.parametrize("penalty", ["group_lasso", "sparse_group_lasso"])
def test_the_compact_network_goes_on_as_the_full_one_would(
    three_classes, penalty, groups
):
    # The full network without what pruning drops: its zeros stay zero near a
    # stationary point, so that the rest must move alike, group weights included.
    X, y = three_classes
    full = GroupSparseMLPClassifier((12, 8), penalty=penalty, groups=groups, **SPARSE)
    full.fit(X, y).set_params(solver="sgd", momentum=0, batch_size=240)
    compact = full.prune()
    network = scatter(compact._network(), full.active_neurons_, (8, 12, 8, 3))
    full.coefs_, full.intercepts_ = list(network.weights), list(network.biases)
    assert compact.n_active_neurons_ < 20
    for _ in range(3):
        full.partial_fit(X, y)
        compact.partial_fit(X, y)
    assert compact.coefs_[0].shape[0] < 8
    np.testing.assert_allclose(compact.loss_curve_, full.loss_curve_, rtol=1e-9)
    np.testing.assert_allclose(compact.predict_proba(X), full.predict_proba(X))
    np.testing.assert_allclose(
        compact.feature_importances_, full.feature_importances_, atol=1e-12
    )


def test_the_compact_network_starts_new_averages(three_classes):
    X, y = three_classes
    full = GroupSparseMLPClassifier((12, 8), **SPARSE).fit(X, y).partial_fit(X, y)
    assert full.n_active_neurons_ < 20
    compact = full.prune().partial_fit(X, y)
    assert compact.n_iter_ == full.n_iter_ + 1
    # The other one goes on as if there were no compact one.
    alone = GroupSparseMLPClassifier((12, 8), **SPARSE).fit(X, y).partial_fit(X, y)
    np.testing.assert_array_equal(
        full.partial_fit(X, y).coefs_[0], alone.partial_fit(X, y).coefs_[0]
    )


def test_the_compact_network_can_lose_more(sparse_mlp, three_classes):
    X, y = three_classes
    compact = sparse_mlp.prune().set_params(lam=0.1)
    shape = compact.coefs_[0].shape
    for _ in range(200):
        compact.partial_fit(X, y)
    assert compact.coefs_[0].shape == shape
    assert compact.n_active_features_ < sparse_mlp.n_active_features_
    assert (compact.get_support() <= sparse_mlp.get_support()).all()
    assert [len(mask) for mask in compact.active_neurons_] == [8, 12, 8]
    again = compact.prune()
    assert len(again.coefs_[0]) == compact.n_active_features_
    np.testing.assert_allclose(again.predict_proba(X), compact.predict_proba(X))


def test_warm_start_goes_on_with_the_compact_network(sparse_mlp, three_classes):
    X, y = three_classes
    compact = sparse_mlp.prune()
    shapes = [matrix.shape for matrix in compact.coefs_]
    compact.set_params(warm_start=True, early_stopping=True).fit(X, y)
    assert [matrix.shape for matrix in compact.coefs_] == shapes
    compact.fit(X, y, X_val=X[:50], y_val=y[:50])
    assert compact.score(X[:50], y[:50]) == compact.best_validation_score_


def test_an_emptied_network(emptied, three_classes):
    X, y = three_classes
    compact = emptied.prune()
    assert [matrix.shape for matrix in compact.coefs_] == [(0, 3)]
    assert compact.n_active_parameters_ == np.count_nonzero(compact.intercepts_[0])
    np.testing.assert_allclose(compact.predict_proba(X), emptied.predict_proba(X))
    np.testing.assert_allclose(
        compact.predict_proba(csr_array(X)), emptied.predict_proba(X)
    )
    assert not emptied.feature_importances_.any()
    before = compact.intercepts_[0]
    compact.partial_fit(X, y)
    assert not np.array_equal(compact.intercepts_[0], before)
    assert compact.prune().n_active_features_ == 0
    assert "features kept: none" in str(emptied.summary())


def test_numbers_and_linear_models_are_pruned_too(numbers, two_classes):
    X, y = numbers
    regressor = GroupSparseMLPRegressor((12,), **{**SPARSE, "lam": 0.05}).fit(X, y)
    compact = regressor.prune()
    assert len(compact.coefs_[0]) < 6
    np.testing.assert_allclose(compact.predict(X), regressor.predict(X))
    X, y = two_classes
    logistic = GroupSparseLogisticRegression(lam=0.1).fit(X, y)
    compact = logistic.prune()
    assert compact.coefs_[0].shape == (logistic.n_active_features_, 1)
    assert logistic.n_active_neurons_ == 0
    assert logistic.n_active_features_ < 8
    assert compact.coef_.shape == (1, 8)
    np.testing.assert_allclose(compact.predict_proba(X), logistic.predict_proba(X))


def test_summary(sparse_mlp, three_classes):
    summary = sparse_mlp.summary()
    counts = [mask.sum() for mask in sparse_mlp.active_neurons_]
    names = ("input", "hidden 1", "hidden 2")
    expected = tuple(zip(names, counts, (8, 12, 8), strict=True))
    assert summary.layers == expected
    assert summary.parameters == (sparse_mlp.n_active_parameters_, 239)
    assert summary.features == tuple(
        f"x{i}" for i in sparse_mlp.get_support(indices=True)
    )
    assert summary.difference is None
    assert str(summary).splitlines()[1].split() == ["input", str(counts[0]), "8"]
    assert "largest" not in str(summary)
    with_rows = sparse_mlp.summary(three_classes[0])
    assert 0 <= with_rows.difference < 1e-12
    assert "largest difference after pruning" in str(with_rows)
    # The table of a pruned estimator still tells what it came from.
    assert sparse_mlp.prune().summary().layers == expected


def test_a_summary_lists_a_few_names():
    names = tuple(f"c{i}" for i in range(14))
    text = str(Summary((("input", 14, 20),), names, (10, 300)))
    assert text.endswith("c8, c9 and 4 more")


def test_a_feature_that_feeds_nothing_has_no_importance():
    weights = np.array([[1.0, 0.0], [0.0, 2.0]]), np.array([[1.0], [0.0]])
    network = Network(weights, (np.zeros(2), np.zeros(1)), "relu", "identity")
    attributes = sparsity_attributes(network, None, 2)
    np.testing.assert_array_equal(attributes["feature_importances_"], [1, 0])
    assert attributes["n_active_neurons_"] == attributes["n_active_features_"] == 1
    assert attributes["n_active_parameters_"] == 2


def test_narrowed_masks():
    before = np.array([True, False, True]), np.array([False, True])
    after = np.array([False, True]), np.array([True])
    first, second = narrowed(before, after)
    np.testing.assert_array_equal(first, [False, False, True])
    np.testing.assert_array_equal(second, [False, True])


@pytest.mark.parametrize("method", ["prune", "summary", "get_support"])
def test_nothing_is_known_before_fit(method):
    with pytest.raises(NotFittedError):
        getattr(GroupSparseMLPClassifier(), method)()
