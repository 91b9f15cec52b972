"""config_context around many fits at once: it reaches all threads and processes."""

import numpy as np
import pytest
from joblib import parallel_config
from sklearn.datasets import make_regression
from sklearn.preprocessing import scale

from skgroupnet import (
    GroupSparseLinearRegression,
    GroupSparseMLPRegressor,
    config_context,
)
from skgroupnet.config import VARIABLE, chosen_step
from skgroupnet.engine import compiled
from skgroupnet.engine.threads import Threads
from skgroupnet.model_selection import (
    BatchedGridSearchCV,
    GroupSparseLinearRegressionCV,
    GroupSparseMLPRegressorCV,
    regularization_path,
)

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.skipif(compiled._step is None, reason="needs the compiled steps"),
]

X, Y = make_regression(80, 6, n_informative=3, noise=5, random_state=0)
X, Y = scale(X), scale(Y)
LAMS = [0.1, 0.01]
SETTINGS = {"max_iter": 2, "random_state": 0}


def linear_cv(n_jobs):
    return GroupSparseLinearRegressionCV(lams=LAMS, cv=3, n_jobs=n_jobs).fit(X, Y)


def linear_path(n_jobs):
    return regularization_path(
        GroupSparseLinearRegression(), X, Y, lams=LAMS, n_jobs=n_jobs
    )


def linear_search(n_jobs):
    return BatchedGridSearchCV(
        GroupSparseLinearRegression(), {"lam": LAMS}, cv=3, n_jobs=n_jobs
    ).fit(X, Y)


def network_cv(n_jobs):
    return GroupSparseMLPRegressorCV(
        (4,), lams=LAMS, cv=3, n_jobs=n_jobs, **SETTINGS
    ).fit(X, Y)


def network_search(n_jobs):
    return BatchedGridSearchCV(
        GroupSparseMLPRegressor((4,), **SETTINGS), {"lam": LAMS}, cv=3, n_jobs=n_jobs
    ).fit(X, Y)


@pytest.fixture
def compiled_calls(monkeypatch):
    """Names of the compiled functions that were called in this process."""
    calls = []
    for name in ("steps", "descend"):
        function = getattr(compiled._step, name)

        def counted(*args, name=name, function=function):
            calls.append(name)
            return function(*args)

        monkeypatch.setattr(compiled._step, name, counted)
    return calls


USES = [linear_cv, linear_path, linear_search, network_cv, network_search]


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("n_jobs", [None, 2])
def test_the_context_reaches_every_thread(use, n_jobs, compiled_calls, monkeypatch):
    monkeypatch.setenv(VARIABLE, "compiled")
    with config_context(step="torch"):
        use(n_jobs)
    assert not compiled_calls
    monkeypatch.setenv(VARIABLE, "torch")
    with config_context(step="compiled"):
        use(n_jobs)
    assert compiled_calls


def test_the_context_reaches_every_process(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    with config_context(step="torch"):
        here = linear_cv(None)
        with parallel_config("loky"):
            there = linear_cv(2)
    np.testing.assert_array_equal(there.scores_, here.scores_)
    assert (linear_cv(None).scores_ != here.scores_).any()


def test_a_thread_sees_the_context_of_its_task():
    with Threads(1) as pool:
        with config_context(step="torch"):
            within = pool.submit(chosen_step)
        with config_context(step="compiled"):
            later = pool.submit(chosen_step)
        assert (within.result(), later.result()) == ("torch", "compiled")
