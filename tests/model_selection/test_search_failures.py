"""Searches in which a fit fails or that Ctrl-C interrupts."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.datasets import make_classification
from sklearn.exceptions import ConvergenceWarning, FitFailedWarning
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

import skgroupnet.model_selection.models as models
from skgroupnet import GroupSparseLogisticRegression, GroupSparseMLPClassifier
from skgroupnet.model_selection import BatchedGridSearchCV, regularization_path
from skgroupnet.model_selection.together import Fitted, fit_together
from skgroupnet.penalties import GroupLasso

X, y = make_classification(n_samples=80, n_features=5, class_sep=1.5, random_state=0)
MLP = GroupSparseMLPClassifier(
    (4,), learning_rate_init=0.05, max_iter=4, tol=1e6, n_iter_no_change=2,
    random_state=0,
)  # fmt: skip
FAILING = {"lam": [1e-3, -1.0, 3e-2]}


@pytest.fixture
def recorded():
    """Record all warnings, none of them an error."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield caught


def told(recorded, category):
    return [str(w.message) for w in recorded if issubclass(w.category, category)]


# Fits that fail


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"error_score": 0.1},
        {"scoring": ["accuracy", "f1"], "refit": "f1", "return_train_score": True},
        {"scoring": lambda *_: {"acc": 1.0}, "refit": "acc", "error_score": 0.1},
    ],
    ids=lambda params: ", ".join(params) or "nothing",
)
def test_a_candidate_that_fails_gets_the_error_score(recorded, settings):
    ours, theirs = (
        cls(MLP, FAILING, cv=3, **settings).fit(X, y)
        for cls in (BatchedGridSearchCV, GridSearchCV)
    )
    assert list(ours.cv_results_) == list(theirs.cv_results_)
    for name, values in theirs.cv_results_.items():
        if not name.endswith("_time"):
            assert_array_equal(ours.cv_results_[name], values, err_msg=name)
    assert ours.best_params_ == theirs.best_params_
    first, second = told(recorded, FitFailedWarning)
    assert "3 fits failed out of a total of 9" in first
    assert "3 fits failed with the following error" in first
    assert "The 'lam' parameter of GroupSparseMLPClassifier must be a float" in first
    assert first.splitlines()[:4] == second.splitlines()[:4]


def test_all_candidates_fail():
    search = BatchedGridSearchCV(MLP, {"lam": [-1.0, -2.0]}, cv=3)
    with pytest.raises(ValueError, match="(?s)All the 6 fits failed.*'lam' parameter"):
        search.fit(X, y)
    assert not hasattr(search, "cv_results_")


def test_errors_can_be_raised():
    with pytest.raises(ValueError, match="The 'lam' parameter"):
        BatchedGridSearchCV(MLP, FAILING, cv=3, error_score="raise").fit(X, y)


def test_the_refit_raises(recorded):
    search = BatchedGridSearchCV(MLP, FAILING, cv=3, refit=lambda results: 1)
    with pytest.raises(ValueError, match="The 'lam' parameter"):
        search.fit(X, y)


def test_a_candidate_that_diverges_leaves_its_neighbours_alone(recorded):
    grid = [{"lam": [1e-3]}, {"learning_rate_init": [1e300]}, {"lam": [3e-2]}]
    whole = BatchedGridSearchCV(MLP, [grid[0], grid[2]], cv=3).fit(X, y).cv_results_
    assert not recorded
    results = BatchedGridSearchCV(MLP, grid, cv=3).fit(X, y).cv_results_
    message = told(recorded, FitFailedWarning)[0]
    assert "FloatingPointError: The loss stopped being finite in iteration" in message
    assert np.isnan(results["mean_test_score"][1])
    assert results["rank_test_score"][1] == 3
    assert_array_equal(results["mean_test_score"][[0, 2]], whole["mean_test_score"])


class Broken(GroupLasso):
    """A user's penalty with a mistake."""

    def prox(self, *args, **kwargs):
        raise MemoryError("no room for the prox")


@pytest.mark.parametrize(
    "estimator",
    [
        MLP,
        GroupSparseLogisticRegression(),
        Pipeline([("scale", StandardScaler()), ("model", MLP)]),
    ],
    ids=["network", "linear", "pipeline"],
)
@pytest.mark.parametrize("n_jobs", [None, 2])
def test_an_error_in_training_leaves_the_neighbours_alone(recorded, estimator, n_jobs):
    prefix = "model__" if isinstance(estimator, Pipeline) else ""
    grid = {
        f"{prefix}lam": [1e-3, 3e-2, 0.1],
        f"{prefix}penalty": ["group_lasso", Broken(), "l1"],
    }
    theirs = GridSearchCV(estimator, grid, cv=3).fit(X, y)
    ours = BatchedGridSearchCV(estimator, grid, cv=3, n_jobs=n_jobs).fit(X, y)
    for fold in range(3):
        name = f"split{fold}_test_score"
        assert_array_equal(ours.cv_results_[name], theirs.cv_results_[name])
    assert np.isnan(ours.cv_results_["mean_test_score"]).sum() == 3
    assert ours.best_params_ == theirs.best_params_
    first, second = told(recorded, FitFailedWarning)
    assert "9 fits failed with the following error" in first
    assert "MemoryError: no room for the prox" in first
    assert first.splitlines()[:4] == second.splitlines()[:4]


def test_an_error_in_training_can_be_raised():
    grid = {"penalty": ["group_lasso", Broken()]}
    with pytest.raises(MemoryError, match="no room for the prox"):
        BatchedGridSearchCV(MLP, grid, cv=3, error_score="raise").fit(X, y)


def test_an_error_in_the_training_of_a_path(recorded):
    class Sometimes(GroupLasso):
        def prox(self, W, groups, step, lam, out=None):
            if (lam > 0.05).any():
                raise RuntimeError("too strong")
            return super().prox(W, groups, step, lam, out)

    lams = [0.1, 0.01, 0.001]
    broken = clone(MLP).set_params(penalty=Sometimes())
    path = regularization_path(broken, X, y, lams=lams)
    alone = regularization_path(MLP, X, y, lams=lams[1:])
    (message,) = told(recorded, FitFailedWarning)
    assert "1 of 3 fits failed" in message
    assert "RuntimeError: too strong" in message
    assert_array_equal(path.lams, alone.lams)
    for one, other in zip(path.networks, alone.networks, strict=True):
        for W, V in zip(one.weights, other.weights, strict=True):
            np.testing.assert_allclose(W, V, rtol=1e-4, atol=1e-6)


def test_a_warning_that_is_an_error_fails_its_fit_alone():
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("always")
        warnings.simplefilter("error", ConvergenceWarning)
        ours, theirs = (
            cls(MLP, {"n_iter_no_change": [2, 9]}, cv=3)
            .fit(X, y)
            .cv_results_["mean_test_score"]
            for cls in (BatchedGridSearchCV, GridSearchCV)
        )
    assert_array_equal(ours, theirs)
    assert np.isnan(ours).tolist() == [False, True]


def test_a_scorer_that_fails(recorded):
    def scorer(estimator, X, y):
        if estimator.lam == 3e-2:
            raise ValueError("no score")
        return 1.0

    grid = {"lam": [1e-3, 3e-2]}
    search = BatchedGridSearchCV(MLP, grid, cv=2, scoring=scorer).fit(X, y)
    assert_array_equal(search.cv_results_["mean_test_score"], [1.0, np.nan])
    assert "Scoring failed" in told(recorded, UserWarning)[0]


# Interrupts


def interrupted_after(n, last_unfinished=False):
    """Make a fit_together that Ctrl-C interrupts after n fits."""

    def interrupted(fittings, **settings):
        answers = fit_together(fittings[:n], **settings)
        if last_unfinished:
            answers[-1] = replace(answers[-1], interrupted=True)
        return answers + [
            Fitted(fitting.estimator, KeyboardInterrupt(), 0.0)
            for fitting in fittings[n:]
        ]

    return interrupted


GRID = {"lam": [1e-3, 1e-2, 3e-2]}


@pytest.mark.parametrize("error_score", [np.nan, -1.0])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"scoring": ["accuracy", "f1"], "refit": "f1"},
        {"refit": lambda results: 1},
        {"refit": False},
    ],
    ids=["single", "several", "callable", "no refit"],
)
def test_an_interrupt_scores_what_is_trained(
    recorded, monkeypatch, settings, error_score
):
    search = BatchedGridSearchCV(MLP, GRID, cv=3, error_score=error_score, **settings)
    whole = search.fit(X, y).cv_results_
    recorded.clear()

    monkeypatch.setattr(models, "fit_together", interrupted_after(4))
    assert search.fit(X, y) is search

    key = "split0_test_f1" if "scoring" in settings else "split0_test_score"
    scores = search.cv_results_[key]
    assert_array_equal(scores[:2], whole[key][:2])
    assert_array_equal(scores[2], error_score)
    assert_array_equal(search.cv_results_[key.replace("0", "1")][1:], [error_score] * 2)
    # The best one is told, and the model of the first fit is not taken for it.
    assert search.best_params_ == search.cv_results_["params"][search.best_index_]
    assert not {"best_estimator_", "refit_time_"} & set(vars(search))
    assert hasattr(search, "best_score_") == (not callable(settings.get("refit")))
    assert search.n_splits_ == 3
    assert (
        "The search was interrupted before this fit began"
        in told(recorded, FitFailedWarning)[0]
    )
    (message,) = [
        message
        for message in told(recorded, UserWarning)
        if message.startswith("The search was interrupted. 4 of 9 models were trained")
    ]
    assert "no best_estimator_" in message


def test_after_an_interrupt_nothing_is_refitted(recorded, monkeypatch):
    n_fits = []

    class Counted(GroupSparseMLPClassifier):
        def _progress(self, X, *args):
            n_fits.append(len(X))
            return super()._progress(X, *args)

    monkeypatch.setattr(models, "fit_together", interrupted_after(4))
    BatchedGridSearchCV(Counted(**MLP.get_params()), GRID, cv=4).fit(X, y)
    assert not n_fits


class CtrlC:
    """A callback in which Ctrl-C is pressed, at the end of an epoch."""

    max_propagation_depth = 0

    def __init__(self, epoch):
        self.epoch = epoch

    def setup(self, estimator, context):
        pass

    teardown = on_fit_task_begin = setup

    def on_fit_task_end(self, estimator, context, **told):
        if context.task_name == "epoch" and context.task_id == self.epoch:
            raise KeyboardInterrupt


def test_an_interrupt_in_the_second_stack(recorded):
    """Three models fit into the memory: they end, the next three are cut short."""
    size = MLP._bytes_in_training(MLP._validated(X, y, None))
    search = BatchedGridSearchCV(MLP, GRID, cv=3, stack_memory=3.5 * size)
    n_epochs = search.fit(X, y).best_estimator_.n_iter_
    whole = search.cv_results_
    recorded.clear()
    search.set_callbacks(CtrlC(n_epochs + 1)).fit(X, y)
    scores = search.cv_results_["mean_test_score"]
    assert scores[0] == whole["mean_test_score"][0]
    assert np.isfinite(scores[1]) and np.isnan(scores[2])
    assert not hasattr(search, "best_estimator_")
    assert any(
        message.startswith("The search was interrupted. 6 of 9 models were trained")
        for message in told(recorded, UserWarning)
    )


def test_an_interrupt_when_all_fits_had_begun(recorded, monkeypatch):
    unfinished = interrupted_after(6, last_unfinished=True)
    monkeypatch.setattr(models, "fit_together", unfinished)
    search = BatchedGridSearchCV(MLP, {"lam": [1e-3, 1e-2]}, cv=3, error_score="raise")
    search.fit(X, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert not hasattr(search, "best_estimator_")
    (message,) = told(recorded, UserWarning)
    assert "6 of 6 models were trained" in message


@pytest.mark.parametrize(("n", "error_score"), [(0, np.nan), (4, "raise")])
def test_an_interrupt_with_nothing_to_tell_is_raised(monkeypatch, n, error_score):
    monkeypatch.setattr(models, "fit_together", interrupted_after(n))
    search = BatchedGridSearchCV(MLP, GRID, cv=3, error_score=error_score)
    with pytest.raises(KeyboardInterrupt):
        search.fit(X, y)
    assert not hasattr(search, "cv_results_")


def test_an_interrupt_of_a_pipeline(recorded, monkeypatch):
    monkeypatch.setattr(models, "fit_together", interrupted_after(4))
    pipeline = Pipeline([("scale", Interrupted(at=None)), ("clf", MLP)])
    search = BatchedGridSearchCV(pipeline, {"clf__lam": [1e-3, 1e-2]}, cv=3).fit(X, y)
    assert_array_equal(np.isnan(search.cv_results_["split2_test_score"]), [False, True])
    assert not hasattr(search, "best_estimator_")


class Interrupted(TransformerMixin, BaseEstimator):
    """A transformer that Ctrl-C interrupts in one of its fits."""

    n_fits = 0

    def __init__(self, at):
        self.at = at

    def fit(self, X, y=None):
        Interrupted.n_fits += 1
        if self.at == Interrupted.n_fits:
            raise KeyboardInterrupt
        return self

    def __sklearn_is_fitted__(self):
        return True

    def transform(self, X):
        return X


def test_an_interrupt_before_training_is_raised():
    Interrupted.n_fits = 0
    pipeline = Pipeline([("scale", Interrupted(at=2)), ("clf", MLP)])
    search = BatchedGridSearchCV(pipeline, {"clf__lam": [1e-3, 1e-2]}, cv=3)
    with pytest.raises(KeyboardInterrupt):
        search.fit(X, y)
    assert not hasattr(search, "cv_results_")


@pytest.mark.parametrize("cls", [BatchedGridSearchCV, GridSearchCV])
def test_an_interrupt_while_scoring_is_raised(cls):
    def scorer(estimator, X, y):
        raise KeyboardInterrupt

    search = cls(MLP, GRID, cv=3, scoring=scorer)
    with pytest.raises(KeyboardInterrupt):
        search.fit(X, y)
    assert not hasattr(search, "cv_results_")


def test_after_an_interrupt_nothing_more_is_trained(monkeypatch):
    class TwoRounds(BatchedGridSearchCV):
        def _run_search(self, evaluate_candidates):
            evaluate_candidates([{"lam": 1e-3}])
            evaluate_candidates([{"lam": 1e-2}])

    calls = []

    def interrupted(fittings, **settings):
        calls.append(len(fittings))
        return interrupted_after(2, last_unfinished=True)(fittings, **settings)

    monkeypatch.setattr(models, "fit_together", interrupted)
    with pytest.raises(KeyboardInterrupt):
        TwoRounds(MLP, {}, cv=2).fit(X, y)
    assert calls == [2]
