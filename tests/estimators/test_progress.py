"""Callbacks: one subcontext per epoch, for any callback of scikit-learn."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.callback import ProgressBar, ScoringMonitor
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skgroupnet import (
    GroupSparseLogisticRegression,
    GroupSparseMLPClassifier,
    GroupSparseMLPRegressor,
)
from skgroupnet.estimators.sample import Sample


class Recorder:
    """A callback that notes all it is told, and can end a fit after some epochs."""

    def __init__(self, stop_after=None, error=None):
        self.stop_after, self.error = stop_after, error
        self.begun, self.ended, self.fitted = [], [], []
        self.n_setups = self.n_teardowns = 0

    def setup(self, estimator, context):
        self.n_setups += 1

    def teardown(self, estimator, context):
        self.n_teardowns += 1

    def on_fit_task_begin(self, estimator, context, *, X=None, y=None, metadata=None):
        self.begun.append((context.task_name, context.task_id))
        self.X, self.y, self.metadata = X, y, metadata

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        self.ended.append((context.task_name, context.task_id))
        self.fitted.append(fitted_estimator)
        done = context.task_name == "epoch" and len(self.epochs) == self.stop_after
        if done and self.error is not None:
            raise self.error
        return done

    @property
    def epochs(self):
        return [number for name, number in self.ended if name == "epoch"]


@pytest.fixture
def mlp(epochs):
    return GroupSparseMLPClassifier((6,), random_state=0, **epochs(5))


def test_every_epoch_begins_and_ends_once(mlp, three_classes):
    X, y = three_classes
    recorder = Recorder()
    mlp.set_callbacks(recorder).fit(X, y)
    assert recorder.begun == [("fit", 0), *(("epoch", i) for i in range(5))]
    assert recorder.ended == [*(("epoch", i) for i in range(5)), ("fit", 0)]
    assert recorder.n_setups == recorder.n_teardowns == 1
    assert recorder.X is X
    assert recorder.y is y
    assert recorder.metadata is None


def test_max_iter_begins_no_epoch_too_many(mlp, three_classes):
    recorder = Recorder()
    with pytest.warns(ConvergenceWarning):
        mlp.set_params(max_iter=4).set_callbacks(recorder).fit(*three_classes)
    assert len(recorder.epochs) == len(recorder.begun) - 1 == 4


def test_epochs_of_finetuning_go_on(mlp, three_classes):
    X, y = three_classes
    recorder = Recorder()
    mlp.set_params(finetune_iter=2, lam=0.05, learning_rate_init=0.05)
    mlp.set_callbacks(recorder).fit(X, y)
    assert 0 < mlp.n_active_features_ < 8
    assert recorder.epochs == list(range(7))
    # Also while the compact network is trained, all columns are taken.
    assert [est.coefs_[0].shape for est in recorder.fitted] == [(8, 6)] * 8
    last = recorder.fitted[-2]
    np.testing.assert_array_equal(last.predict_proba(X), mlp.predict_proba(X))


@pytest.mark.parametrize("solver", ["fista", "adam"])
def test_linear_models(three_classes, solver):
    X, y = three_classes
    recorder = Recorder()
    model = GroupSparseLogisticRegression(
        lam=0.1, solver=solver, tol=0.01, learning_rate_init=0.05
    )
    model.set_callbacks(recorder).fit(X, y)
    assert len(recorder.epochs) == len(recorder.begun) - 1 == model.n_iter_
    np.testing.assert_array_equal(recorder.fitted[-2].coef_, model.coef_)


def test_the_estimator_of_an_epoch_answers_all_questions(mlp, three_classes):
    X, y = three_classes
    recorder = Recorder()
    mlp.set_callbacks(recorder).fit(X, y, sample_weight=np.ones(len(X)))
    early = recorder.fitted[0]
    assert early.predict(X).shape == y.shape
    assert early.n_active_neurons_ == 6
    assert early.prune().summary(X).difference < 1e-12
    assert not np.array_equal(early.coefs_[0], mlp.coefs_[0])
    np.testing.assert_array_equal(recorder.metadata["sample_weight"], 1)
    np.testing.assert_array_equal(recorder.fitted[-2].coefs_[0], mlp.coefs_[0])


@pytest.mark.parametrize("solver", ["mlp", "fista", "adam"])
def test_a_callback_can_end_the_fit(mlp, three_classes, solver):
    model = (
        mlp.set_params(finetune_iter=3)
        if solver == "mlp"
        else GroupSparseLogisticRegression(solver=solver)
    )
    recorder = Recorder(stop_after=3)
    model.set_callbacks(recorder).fit(*three_classes)
    assert model.n_iter_ == len(recorder.epochs) == 3
    assert len(recorder.begun) == 4


def test_an_interrupt_keeps_the_last_whole_epoch(mlp, three_classes):
    X, y = three_classes
    recorder = Recorder(stop_after=3, error=KeyboardInterrupt())
    mlp.set_params(finetune_iter=3).set_callbacks(recorder)
    with pytest.warns(UserWarning, match="interrupted by the user after 3 iterations"):
        mlp.fit(X, y)
    assert mlp.n_iter_ == 3
    np.testing.assert_array_equal(recorder.fitted[2].coefs_[0], mlp.coefs_[0])
    assert recorder.ended[-1] == ("fit", 0)


def test_an_interrupt_in_finetuning(mlp, three_classes):
    recorder = Recorder(stop_after=7, error=KeyboardInterrupt())
    mlp.set_params(finetune_iter=4).set_callbacks(recorder)
    with pytest.warns(UserWarning, match="interrupted by the user after 7 iterations"):
        mlp.fit(*three_classes)
    assert mlp.n_iter_ == len(mlp.loss_curve_) == 7


def test_an_interrupt_under_early_stopping_keeps_the_best_epoch(mlp, three_classes):
    X, y = three_classes
    recorder = Recorder(stop_after=4, error=KeyboardInterrupt())
    mlp.set_params(early_stopping=True).set_callbacks(recorder)
    with pytest.warns(UserWarning, match="interrupted"):
        mlp.fit(X, y, X_val=X[:99], y_val=y[:99])
    assert len(mlp.validation_scores_) == 4
    assert mlp.score(X[:99], y[:99]) == max(mlp.validation_scores_)


def test_an_epoch_that_is_interrupted_ends_too(mlp, three_classes, monkeypatch):
    recorder = Recorder()
    scores = iter([0.5, 0.6])

    def interrupted(sample, network):
        try:
            return next(scores)
        except StopIteration:
            raise KeyboardInterrupt from None

    monkeypatch.setattr(Sample, "score", interrupted)
    mlp.set_params(early_stopping=True).set_callbacks(recorder)
    with pytest.warns(UserWarning, match="interrupted by the user"):
        mlp.fit(*three_classes)
    assert sorted(recorder.begun) == sorted(recorder.ended)
    assert recorder.epochs == [0, 1, 2]
    assert recorder.fitted[2] is None
    np.testing.assert_array_equal(recorder.fitted[1].coefs_[0], mlp.coefs_[0])


def test_an_error_in_a_callback_leaves_nothing_half_written(mlp, three_classes):
    X, y = three_classes
    recorder = Recorder(stop_after=2, error=RuntimeError("no more"))
    with pytest.raises(RuntimeError, match="no more"):
        mlp.set_callbacks(recorder).fit(X, y)
    assert recorder.n_teardowns == 1
    assert not [name for name in vars(mlp) if name.endswith("_")]


@pytest.mark.parametrize(
    "model",
    [GroupSparseMLPClassifier((6,)), GroupSparseLogisticRegression(lam=0.1)],
    ids=["mlp", "logistic"],
)
def test_scoring_monitor(model, three_classes, epochs):
    X, y = three_classes
    settings = epochs(4) if "MLP" in repr(model) else {}
    monitor = ScoringMonitor(scoring="accuracy")
    model = clone(model).set_params(random_state=0, **settings)
    model.set_callbacks(monitor).fit(X, y)
    log = monitor.get_logs().data_as_pandas
    scores = log.loc[log["task_name"] == "epoch", "accuracy"]
    assert len(scores) == model.n_iter_
    assert scores.iloc[-1] == model.score(X, y)


def test_scoring_monitor_takes_frames_and_numbers(numbers, epochs):
    import pandas as pd

    X, y = numbers
    monitor = ScoringMonitor(scoring=["r2", "neg_mean_squared_error"])
    model = GroupSparseMLPRegressor((6,), random_state=0, **epochs(3))
    model.set_callbacks(monitor).fit(pd.DataFrame(X).add_prefix("c"), y)
    log = monitor.get_logs().data_as_pandas
    assert (log["task_name"] == "epoch").sum() == 3


def test_progress_bar(mlp, three_classes, capsys):
    mlp.set_callbacks(ProgressBar()).fit(*three_classes)
    assert "GroupSparseMLPClassifier - fit" in capsys.readouterr().out


def test_callbacks_inside_a_search_of_pipelines(mlp, three_classes, capsys):
    X, y = three_classes
    pipeline = make_pipeline(StandardScaler(), mlp)
    search = GridSearchCV(
        pipeline, {"groupsparsemlpclassifier__lam": [1e-3, 1e-2]}, cv=2
    )
    monitor = ScoringMonitor(scoring="accuracy")
    mlp.set_callbacks(monitor)
    search.set_callbacks(ProgressBar(max_propagation_depth=None)).fit(X, y)
    assert "GroupSparseMLPClassifier" in capsys.readouterr().out
    logs = monitor.get_logs(select="all")
    epochs = sum((log.data_as_pandas["task_name"] == "epoch").sum() for log in logs)
    assert epochs == 5 * (2 * 2 + 1)


def test_partial_fit_calls_nobody(mlp, three_classes):
    X, y = three_classes
    recorder = Recorder()
    mlp.set_callbacks(recorder).partial_fit(X, y, classes=[0, 1, 2])
    assert recorder.n_setups == len(recorder.ended) == 0
