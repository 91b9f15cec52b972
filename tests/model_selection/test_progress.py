"""Who follows a search: callbacks are told of epochs and of the refit."""

from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.callback import ProgressBar, ScoringMonitor
from sklearn.datasets import make_classification
from sklearn.preprocessing import scale

from skgroupnet.model_selection import (
    GroupSparseLogisticRegressionCV,
    GroupSparseMLPClassifierCV,
    lam_search,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, Y = make_classification(
    n_samples=150, n_features=6, n_informative=3, n_redundant=0, random_state=0
)
X = scale(X)
WEIGHT = np.linspace(0, 2, len(X))
LAMS = [0.01, 0.1, 0.03]


@pytest.fixture
def logistic():
    return GroupSparseLogisticRegressionCV(lams=LAMS, cv=3)


@pytest.fixture
def classifier():
    return GroupSparseMLPClassifierCV(
        (6,), lams=LAMS, cv=3, max_iter=5, batch_size=25, random_state=0
    )


class Recorder:
    """A callback that notes the names of the tasks that begin and end."""

    def __init__(self):
        self.begun, self.ended = [], []

    def setup(self, estimator, context):
        self.begun.append("setup")

    def teardown(self, estimator, context):
        self.ended.append("teardown")

    def on_fit_task_begin(self, estimator, context, *, X=None, metadata=None):
        self.begun.append(context.task_name)
        self.X, self.metadata = X, metadata

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        self.ended.append(context.task_name)
        self.fitted = fitted_estimator
        return context.task_name == "epoch" and self.ended.count("epoch") == 2


def with_epochs(monkeypatch, n_epochs):
    """Report epochs of a stack; returns what the watchers answered."""
    together, answers = lam_search.fit_together, []

    def fit_together(fittings, watch=None, **resources):
        for number in range(n_epochs if watch is not None else 0):
            running = np.arange(len(fittings)) > number
            epoch = SimpleNamespace(n_iter=number + 1, running=running, losses=None)
            answers.append(watch(epoch))
        return together(fittings, **resources)

    monkeypatch.setattr(lam_search, "fit_together", fit_together)
    return answers


def test_callbacks(logistic, monkeypatch):
    answers = with_epochs(monkeypatch, 3)
    recorder = Recorder()
    logistic.set_callbacks(recorder).fit(X, Y, WEIGHT)
    assert recorder.begun == ["setup", "fit", "train-folds", *["epoch"] * 3, "refit"]
    assert recorder.ended == [*["epoch"] * 3, "train-folds", "refit", "fit", "teardown"]
    assert answers == [False, True, False]
    assert recorder.X is X
    np.testing.assert_array_equal(recorder.metadata["sample_weight"], WEIGHT)
    np.testing.assert_array_equal(recorder.fitted.predict(X), logistic.predict(X))
    recorder = Recorder()
    logistic.set_callbacks(recorder).set_params(refit=False).fit(X, Y)
    assert "refit" not in recorder.begun
    assert recorder.fitted is None


def test_a_progress_bar_follows_the_refit(classifier, monkeypatch, capsys):
    pytest.importorskip("rich")
    with_epochs(monkeypatch, 2)
    classifier.set_callbacks(ProgressBar(max_propagation_depth=None)).fit(X, Y)
    printed = capsys.readouterr().out
    for text in ("GroupSparseMLPClassifierCV - fit", "train-folds", "refit"):
        assert text in printed
    assert not hasattr(classifier, "_parent_callback_ctx")
    assert clone(classifier).set_callbacks().fit(X, Y).lam_ == classifier.lam_


def test_a_scoring_monitor_scores_the_end(logistic):
    pytest.importorskip("pandas")
    monitor = ScoringMonitor(scoring="accuracy")
    logistic.set_callbacks(monitor).fit(X, Y)
    log = monitor.get_logs().data_as_pandas
    assert log["task_name"].tolist() == ["fit"]
    assert log["accuracy"].tolist() == [logistic.score(X, Y)]


def test_verbose(classifier, monkeypatch, capsys):
    with_epochs(monkeypatch, 2)
    classifier.set_params(verbose=True).fit(X, Y)
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == [
        "Epoch 1, 8 of 9 models go on",
        "Epoch 2, 7 of 9 models go on",
    ]
    assert len([line for line in lines if line.startswith("Iteration")]) == 5
    classifier.set_params(verbose=False).fit(X, Y)
    assert capsys.readouterr().out == ""
