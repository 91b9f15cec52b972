"""Searches under joblib's backends: training may leave the process, not scoring."""

import os

import joblib
import numpy as np
import pytest
from joblib import parallel_config
from numpy.testing import assert_array_equal
from sklearn.datasets import make_classification
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skgroupnet import GroupSparseMLPClassifier
from skgroupnet.model_selection import BatchedGridSearchCV, models, together
from skgroupnet.model_selection.together import fit_together

X, y = make_classification(n_samples=80, n_features=5, class_sep=1.5, random_state=0)
MLP = GroupSparseMLPClassifier(
    (4,), learning_rate_init=0.05, max_iter=4, tol=1e6, n_iter_no_change=2,
    random_state=0,
)  # fmt: skip
GRID = {"groupsparsemlpclassifier__lam": [1e-3, 1e-2, 3e-2]}


def accuracy_here(estimator, X, y):
    """Score, and tell in which process."""
    return {"accuracy": estimator.score(X, y), "process": os.getpid()}


def search(n_jobs=None, **settings):
    pipeline = make_pipeline(StandardScaler(), MLP)
    settings = {"scoring": accuracy_here, "refit": "accuracy", "cv": 2, **settings}
    return BatchedGridSearchCV(pipeline, GRID, n_jobs=n_jobs, **settings).fit(X, y)


def assert_scored_here(found, expected):
    assert set(found.cv_results_["mean_test_process"]) == {os.getpid()}
    assert_array_equal(
        found.cv_results_["mean_test_accuracy"],
        expected.cv_results_["mean_test_accuracy"],
    )
    assert_array_equal(found.predict_proba(X), expected.predict_proba(X))


@pytest.fixture
def elsewhere(monkeypatch):
    """Let nothing be trained in this process but what is refitted."""

    def here(*arguments, **settings):
        raise AssertionError("training takes place in this process")

    monkeypatch.setattr(together, "carry_out", here)


@pytest.mark.parametrize("name", ["loky", "threading", "sequential"])
def test_scores_in_this_process(monkeypatch, name):
    seen = []

    def note(fittings, **settings):
        seen.append(joblib.parallel.get_active_backend())
        return fit_together(fittings, **settings)

    alone = search()
    monkeypatch.setattr(models, "fit_together", note)
    with parallel_config(backend=name, n_jobs=2):
        assert_scored_here(search(), alone)
        # What the user set is set while networks train, and afterwards.
        assert seen == [joblib.parallel.get_active_backend()]
    assert type(seen[0][0]).__name__.lower() == f"{name}backend"


def test_n_jobs_does_not_send_models_away():
    assert_scored_here(search(n_jobs=2, pre_dispatch=3), search())


def test_no_jobs():
    with pytest.raises(ValueError, match="n_jobs == 0"):
        search(n_jobs=0)


def test_what_the_user_set_is_set_again_after_an_error():
    with parallel_config(backend="threading", n_jobs=2):
        with pytest.raises(ValueError, match="Invalid parameter"):
            BatchedGridSearchCV(MLP, {"spam": [1]}).fit(X, y)
        backend, n_jobs = joblib.parallel.get_active_backend()
    assert type(backend).__name__ == "ThreadingBackend"
    assert n_jobs == 2


def test_trains_in_processes(elsewhere):
    with pytest.raises(AssertionError, match="in this process"):
        search(error_score="raise")
    with parallel_config(backend="loky", n_jobs=2):
        found = search()
    assert np.isfinite(found.cv_results_["mean_test_accuracy"]).all()


@pytest.mark.filterwarnings("ignore")
def test_dask(request):
    distributed = pytest.importorskip("distributed")
    alone = search()
    cluster = distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    )
    with cluster, distributed.Client(cluster) as client:
        assert len(set(client.run(os.getpid).values())) == 2
        request.getfixturevalue("elsewhere")
        with parallel_config(backend="dask"):
            assert_scored_here(search(), alone)
