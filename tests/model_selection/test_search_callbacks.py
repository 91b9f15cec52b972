"""Callbacks that follow a search."""

from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.callback import ProgressBar, ScoringMonitor
from sklearn.datasets import make_classification
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

import skgroupnet.model_selection.models as models
from skgroupnet import GroupSparseMLPClassifier
from skgroupnet.model_selection import BatchedGridSearchCV, BatchedRandomizedSearchCV
from skgroupnet.model_selection.together import fit_together

X, y = make_classification(n_samples=80, n_features=5, class_sep=1.5, random_state=0)
MLP = GroupSparseMLPClassifier(
    (4,), learning_rate_init=0.05, max_iter=4, tol=1e6, n_iter_no_change=2,
    random_state=0,
)  # fmt: skip
LAMS = {"lam": [1e-3, 3e-2]}


class Recording:
    """Keeps what its hooks are told."""

    def __init__(self, stop_after=None):
        self.record = []
        self.stop_after = stop_after

    def setup(self, estimator, context):
        self.record.append(("setup", estimator, context.task_name, {}))

    def teardown(self, estimator, context):
        self.record.append(("teardown", estimator, context.task_name, {}))

    def on_fit_task_begin(self, estimator, context, *, X=None, y=None, metadata=None):
        told = {"X": X, "y": y, "metadata": metadata, "context": context}
        self.record.append(("begin", estimator, context.task_name, told))

    def on_fit_task_end(self, estimator, context, *, X=None, y=None, metadata=None):
        told = {"X": X, "y": y, "metadata": metadata, "context": context}
        self.record.append(("end", estimator, context.task_name, told))
        n_epochs = len(self.tasks("end", "epoch"))
        return n_epochs == self.stop_after

    def tasks(self, hook, name=None):
        return [
            told
            for kind, _, task, told in self.record
            if kind == hook and name in (None, task)
        ]


class Propagated(Recording):
    """The same, passed on to estimators within."""

    max_propagation_depth = None


def watched(n_epochs, n_calls):
    """Make a fit_together of n_epochs epochs that counts what is told of."""

    def fit(fittings, *, watch, **settings):
        for fitting in fittings:
            # A cosine plans to end there.
            fitting.estimator.set_params(
                max_iter=n_epochs, tol=0.0, learning_rate="cosine", n_iter_no_change=99
            )

        def counted(epoch):
            n_calls.append(epoch.n_iter - 1)
            return watch(epoch)

        return fit_together(
            fittings, watch=None if watch is None else counted, **settings
        )

    return fit


@pytest.mark.parametrize("refit", [True, False])
@pytest.mark.parametrize("callback_class", [Recording, Propagated])
def test_tasks(monkeypatch, refit, callback_class):
    monkeypatch.setattr(models, "fit_together", watched(3, []))
    callback = callback_class()
    search = BatchedGridSearchCV(MLP, LAMS, cv=2, refit=refit).set_callbacks(callback)
    search.fit(X, y)

    begun, ended = callback.tasks("begin"), callback.tasks("end")
    assert len(begun) == len(ended)
    for name, n in {"search": 1, "train": 1, "refit-with-best-params": refit}.items():
        expected = 0 if name.startswith("refit") and callback_class is Propagated else n
        assert len(callback.tasks("end", name)) == expected
    # Three of training; those of the refit follow a callback that is passed on.
    n_of_refit = 4 if refit and callback_class is Propagated else 0
    epochs = callback.tasks("end", "epoch")
    assert len(epochs) == 3 + n_of_refit
    assert [told["context"].task_id for told in epochs[:3]] == [0, 1, 2]
    assert {told["context"].parent.task_name for told in epochs[:3]} == {"train"}
    evaluations = [
        told
        for told in ended
        if "candidate-split-evaluation"
        in (told["context"].task_name, told["context"].source_task_name)
    ]
    assert len(evaluations) == 4
    assert len([hook for hook in callback.record if hook[0] == "setup"]) == 1
    assert callback.record[-1][0] == "teardown"
    assert not hasattr(search, "_callback_fit_ctx")
    assert search._skl_callbacks == [callback]


def test_what_hooks_are_told(monkeypatch):
    monkeypatch.setattr(models, "fit_together", watched(2, []))
    callback = Recording()
    search = BatchedGridSearchCV(MLP, LAMS, cv=2).set_callbacks(callback)
    weight = np.arange(1.0, 81)
    search.fit(X, y, sample_weight=weight)
    for told in (*callback.tasks("end", "epoch"), *callback.tasks("begin", "train")):
        assert told["X"] is X
        assert told["y"] is y
        assert told["metadata"] == {"sample_weight": weight}
    for told in callback.tasks("begin", "candidate-split-evaluation"):
        assert told["X"].shape == (40, 5)
        assert len(told["metadata"]["sample_weight"]) == 40
    (root,) = callback.tasks("begin", "fit")
    assert root["context"].max_subtasks == 3
    assert root["context"].estimator_name == "BatchedGridSearchCV"
    estimators = [estimator for _, estimator, _, _ in callback.record]
    assert all(isinstance(estimator, BatchedGridSearchCV) for estimator in estimators)
    # Always the same one, so that a callback can keep notes on it.
    assert len(set(map(id, estimators))) == 1


def test_a_callback_can_end_the_training(monkeypatch):
    n_calls = []
    monkeypatch.setattr(models, "fit_together", watched(10, n_calls))
    callback = Recording(stop_after=2)
    BatchedGridSearchCV(MLP, LAMS, cv=2).set_callbacks(callback).fit(X, y)
    assert len(n_calls) == 2
    assert len(callback.tasks("begin", "epoch")) == 2
    assert len(callback.tasks("end", "refit-with-best-params")) == 1


def test_epochs_of_several_stacks(monkeypatch):
    def fit(fittings, *, watch, **settings):
        for running in (True, False, True, True, False):
            watch(SimpleNamespace(running=np.array([False, running])))
        return fit_together(fittings, **settings)

    monkeypatch.setattr(models, "fit_together", fit)
    callback = Recording()
    BatchedGridSearchCV(MLP, LAMS, cv=2).set_callbacks(callback).fit(X, y)
    assert len(callback.tasks("begin", "epoch")) == 5
    assert len(callback.tasks("end", "epoch")) == 5


def test_an_epoch_that_is_interrupted_ends(monkeypatch):
    def fit(fittings, *, watch, **settings):
        watch(SimpleNamespace(running=np.array([True])))
        return fit_together(fittings, **settings)

    monkeypatch.setattr(models, "fit_together", fit)
    callback = Recording()
    BatchedGridSearchCV(MLP, LAMS, cv=2).set_callbacks(callback).fit(X, y)
    assert len(callback.tasks("begin", "epoch")) == 2
    assert len(callback.tasks("end", "epoch")) == 2


def test_nobody_watches_without_callbacks(monkeypatch):
    seen = []

    def fit(fittings, *, watch, **settings):
        seen.append(watch)
        return fit_together(fittings, **settings)

    monkeypatch.setattr(models, "fit_together", fit)
    BatchedGridSearchCV(MLP, LAMS, cv=2).fit(X, y)
    assert seen == [None]


@pytest.mark.parametrize("depth", [0, 1, None])
@pytest.mark.parametrize(
    ("cls", "settings"),
    [(BatchedGridSearchCV, {}), (BatchedRandomizedSearchCV, {"n_iter": 2})],
)
def test_progress_bar(monkeypatch, capsys, cls, settings, depth):
    pytest.importorskip("rich")
    monkeypatch.setattr(models, "fit_together", watched(3, []))
    bar = ProgressBar(max_propagation_depth=depth)
    cls(MLP, LAMS, cv=2, **settings).set_callbacks(bar).fit(X, y)
    printed = capsys.readouterr().out
    assert f"{cls.__name__} - fit" in printed
    assert f"{cls.__name__} - search #0" in printed
    assert f"{cls.__name__} - train #1" in printed
    assert ("candidate-split" in printed) == (depth != 0)
    assert "LookUp" not in printed


def test_progress_bar_of_a_pipeline_and_around_the_search(capsys):
    pytest.importorskip("rich")
    search = BatchedGridSearchCV(
        make_pipeline(StandardScaler(), MLP),
        {"groupsparsemlpclassifier__lam": [1e-3, 3e-2]},
        cv=2,
    )
    bar = ProgressBar(max_propagation_depth=None)
    search.set_callbacks(bar).fit(X, y)
    assert "Pipeline - fit" in capsys.readouterr().out
    outer = Pipeline([("scale", StandardScaler()), ("search", search.set_callbacks())])
    outer.set_callbacks(bar).fit(X, y)
    assert "BatchedGridSearchCV - train" in capsys.readouterr().out
    assert not hasattr(search, "_parent_callback_ctx")


@pytest.mark.parametrize(
    "make", [lambda: ScoringMonitor(scoring="accuracy"), Propagated]
)
def test_callbacks_on_the_estimator_are_refused(make):
    inner = clone(MLP).set_callbacks(make())
    message = "cannot follow a single candidate of BatchedGridSearchCV"
    for estimator, grid in (
        (inner, {}),
        (make_pipeline(StandardScaler(), inner), {}),
        (make_pipeline(StandardScaler(), MLP).set_callbacks(make()), {}),
        (Pipeline([("clf", MLP)]), {"clf": [MLP, inner]}),
    ):
        with pytest.raises(TypeError, match=message):
            BatchedGridSearchCV(estimator, grid, cv=2).fit(X, y)


@pytest.mark.parametrize("cls", [BatchedGridSearchCV, GridSearchCV])
def test_a_scoring_monitor_on_the_search_has_nothing_to_score(cls):
    monitor = ScoringMonitor(scoring="accuracy")
    cls(MLP, LAMS, cv=2).set_callbacks(monitor).fit(X, y)
    with pytest.raises(ValueError, match="No logs to retrieve"):
        monitor.get_logs()


@pytest.mark.parametrize("at", ["fit", "search", "train", "refit-with-best-params"])
def test_teardown_after_an_error(at):
    class Failing(Recording):
        def on_fit_task_begin(self, estimator, context):
            if context.task_name == at:
                raise RuntimeError("the callback failed")

    callback = Failing()
    search = BatchedGridSearchCV(MLP, LAMS, cv=2).set_callbacks(callback)
    with pytest.raises(RuntimeError, match="the callback failed"):
        search.fit(X, y)
    assert callback.record[-1][0] == "teardown"


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.FitFailedWarning")
@pytest.mark.filterwarnings("ignore:One or more of the test scores:UserWarning")
def test_fits_that_fail_are_told_as_scikit_learn_tells_them():
    told = []
    for cls in (BatchedGridSearchCV, GridSearchCV):
        callback = Recording()
        search = cls(MLP, {"lam": [1e-3, -1.0]}, cv=2, refit=False)
        search.set_callbacks(callback).fit(X, y)
        told.append(
            [
                (hook, task)
                for hook, _, task, _ in callback.record
                if task not in ("train", "epoch")
            ]
        )
    assert told[0] == told[1]


class TwoRounds(BatchedGridSearchCV):
    """A search of two rounds that callbacks follow."""

    def _run_search(self, evaluate_candidates, *, callback_ctx):
        task = callback_ctx.subcontext(
            task_name="search", max_subtasks=None, sequential_subtasks=False
        )
        task.call_on_fit_task_begin(estimator=self)
        evaluate_candidates([{"lam": 1e-3}])
        evaluate_candidates([{"lam": 1e-2}])
        task.call_on_fit_task_end(estimator=self)


def test_a_search_of_several_rounds():
    callback = Recording()
    TwoRounds(MLP, {}, cv=2).set_callbacks(callback).fit(X, y)
    assert len(callback.tasks("end", "train")) == 2
    assert len(callback.tasks("end", "refit-with-best-params")) == 1
