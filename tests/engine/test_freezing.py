"""Units that stay zero leave the tensors, and the outcome is the same."""

import gc
import weakref
from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse
import torch

from skgroupnet import config_context
from skgroupnet.engine import (
    RMDA,
    SGD,
    Adam,
    AdaMax,
    FullBatch,
    Job,
    Problem,
    RMSprop,
    Settings,
    compiled,
    freezing,
    group_norms,
    solve,
    stochastic,
)
from skgroupnet.engine.freezing import PATIENCE, RETEST, Freezing, shrinks
from skgroupnet.engine.stochastic import train_together
from skgroupnet.network import Network
from skgroupnet.penalties import (
    L1,
    L2,
    AdaptiveGroupLasso,
    GroupHoyerSquare,
    GroupLasso,
    GroupLog,
    HoyerSquare,
    L1MinusL2,
    NoPenalty,
    PathNorm,
    SparseGroupLasso,
)
from skgroupnet.pruning import prune

steps = pytest.mark.parametrize(
    "step",
    [
        pytest.param(
            "compiled",
            marks=pytest.mark.skipif(compiled._step is None, reason="not built"),
        ),
        "torch",
    ],
)
SETTINGS = Settings(
    Adam(), batch_size=20, max_iter=40, tol=0.0, n_iter_no_change=np.inf
)


@pytest.fixture(autouse=True)
def worth_it(monkeypatch):
    """Let the smallest network shrink."""
    monkeypatch.setattr(freezing, "WORTH_SHRINKING", 1)


@pytest.fixture
def without(monkeypatch):
    """Train jobs without shrinking."""

    def without(jobs):
        with monkeypatch.context() as patch:
            patch.setattr(freezing, "WORTH_SHRINKING", np.inf)
            return train_together(jobs)

    return without


@pytest.fixture
def epochs(monkeypatch):
    """Record, for each epoch of each model, how many inputs and neurons took part."""
    seen, run, tasks = [], Freezing._run, Freezing.tasks

    def recorded_run(self, kept, *arguments):
        seen[-1] = [int(mask.sum()) for mask in kept]
        return run(self, kept, *arguments)

    def recorded_tasks(self, *arguments):
        seen.append("all")
        return tasks(self, *arguments)

    monkeypatch.setattr(Freezing, "_run", recorded_run)
    monkeypatch.setattr(Freezing, "tasks", recorded_tasks)
    return seen


@pytest.fixture
def noisy(make_model, random_network):
    """Build a job: three of twelve features tell something, eight neurons."""

    def noisy(
        penalty=None, dtype=np.float64, sparse=False, lam=0.04, empty=False, **changes
    ):
        rng = np.random.RandomState(0)
        X = rng.randn(200, 12).astype(dtype)
        X[:, 4:] *= not empty
        y = np.maximum(X[:, :1], 0) + X[:, 1:2] * 2 - np.maximum(X[:, 2:3], 0)
        start = random_network("squared_error", (12, 8, 5, 1), "relu", dtype=dtype)
        X = scipy.sparse.csr_array(X) if sparse else X
        fields = {k: changes.pop(k) for k in ("labels",) if k in changes}
        problem = Problem(X, y, "squared_error", penalty or GroupLasso(), **fields)
        model = make_model(start, lam, 0.01)
        return Job(problem, model, replace(SETTINGS, **changes))

    return noisy


@steps
@pytest.mark.parametrize(
    "penalty",
    [GroupLasso(), L1(), SparseGroupLasso(), GroupLog(1.0), AdaptiveGroupLasso()],
    ids=repr,
)
def test_the_same_optimum(step, penalty, noisy, without, epochs):
    settings = {"lam": 0.03, "max_iter": 2000, "batch_size": 200}
    settings["learning_rate"] = "cosine"
    jobs = [noisy(penalty, **settings) for _ in range(2)]
    if isinstance(penalty, AdaptiveGroupLasso):
        n_groups = len(group_norms(jobs[0].problem, jobs[0].model.start))
        factors = np.linspace(0.5, 1.5, n_groups)
        jobs = [replace(job, model=replace(job.model, factors=factors)) for job in jobs]
    with config_context(step=step):
        (fit,) = train_together(jobs[:1])
        (other,) = without(jobs[1:])
    assert fit.loss_curve[-1] == pytest.approx(other.loss_curve[-1], rel=1e-3)
    assert sum(epoch != "all" for epoch in epochs) > 100
    kept, expected = (prune(f.network).network.widths for f in (fit, other))
    assert kept == expected
    assert kept[0] < 12 and kept[1] < 8


def test_when_all_units_take_part(noisy, epochs):
    (fit,) = train_together([noisy(lam=0.1)])
    first = next(i for i, epoch in enumerate(epochs) if epoch != "all")
    assert first >= PATIENCE
    later = ["all" if epoch == "all" else "some" for epoch in epochs[first:-1]]
    for place, epoch in enumerate(later):
        assert epoch == ("all" if place % RETEST == RETEST - 1 else "some")
    assert epochs[-1] == "all" and fit.n_iter == len(epochs)


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("update", [Adam(), AdaMax(), RMSprop(), SGD()], ids=repr)
@pytest.mark.parametrize("labels", [None, np.arange(1, 13) // 2])
@steps
def test_an_epoch_is_that_of_the_full_network(
    step, labels, update, dtype, sparse, noisy, without, epochs
):
    """Where frozen units would stay zero: same groups, strengths and moments."""
    rate = 1e-3 if isinstance(update, SGD | RMSprop) else 1e-2
    job = noisy(dtype=dtype, sparse=sparse, lam=0.01, labels=labels, empty=True)
    weights = [weight.copy() for weight in job.model.start.weights]
    biases = [bias.copy() for bias in job.model.start.biases]
    weights[0][4:] = weights[0][:, [1, 2]] = weights[1][[1, 2]] = 0
    biases[0][[1, 2]] = -1
    start = Network(tuple(weights), tuple(biases), "relu", "identity")

    def begin():
        settings = replace(job.settings, update=update, max_iter=PATIENCE + 2)
        model = replace(
            job.model,
            start=start,
            rate=rate,
            random_state=np.random.RandomState(1),
        )
        return [replace(job, model=model, settings=settings)]

    with config_context(step=step):
        (fit,) = train_together(begin())
        (other,) = without(begin())
    assert epochs == ["all"] * PATIENCE + [[4, 6, 5], "all"]
    for weight, expected in zip(
        fit.network.weights, other.network.weights, strict=True
    ):
        tol = 1e-4 if dtype == np.float32 else 1e-11
        np.testing.assert_allclose(weight, expected, tol, tol)
    np.testing.assert_allclose(fit.loss_curve, other.loss_curve, 1e-5)


@steps
def test_a_frozen_unit_can_come_back(
    step, zeros, make_model, draw, monkeypatch, epochs
):
    """A convex problem is solved, though all that matters is frozen at first."""
    X, y = draw("squared_error", n=100, d=8)
    problem = Problem(X, y, "squared_error", GroupLasso())
    model = make_model(zeros("squared_error", (8, 3)), 0.02, 0.05)
    (optimum,) = solve([Job(problem, model, FullBatch(5000, 1e-9))])
    init = Freezing.__init__

    def frozen(self, *arguments):
        init(self, *arguments)
        self._dead[0][1:] = PATIENCE

    monkeypatch.setattr(Freezing, "__init__", frozen)
    settings = replace(SETTINGS, batch_size=100, max_iter=400)
    with config_context(step=step):
        (fit,) = train_together([Job(problem, model, settings)])
    assert epochs[:RETEST] == [[1]] * (RETEST - 1) + ["all"]
    assert fit.loss_curve[-1] == pytest.approx(optimum.loss_curve[-1], rel=1e-6)
    assert (fit.network.weights[0][1:] != 0).any()


def test_no_model_ends_on_some_of_its_units(noisy, epochs):
    job = noisy(lam=0.1, max_iter=200, tol=1e-3, n_iter_no_change=2)
    (fit,) = train_together([job])
    assert fit.outcome == "converged" and fit.n_iter < 200
    assert epochs[-1] == "all" and epochs[-2] != "all"


def test_incoming_weights_of_frozen_neurons_are_zero(noisy):
    watched = []

    def watch(epoch):
        watched.append(epoch.network(0))
        return False

    train_together([noisy(lam=0.1)], watch)
    dead = ~watched[-2].weights[1].any(axis=1)
    assert dead.any()
    assert not watched[-2].weights[0][:, dead].any()


@steps
def test_whatever_the_neighbours(step, noisy, flat):
    lams = (0.02, 0.1, 0.3)
    with config_context(step=step):
        together = train_together([noisy(lam=lam) for lam in lams], n_threads=2)
        alone = [train_together([noisy(lam=lam)])[0] for lam in lams]
    for fit, other in zip(together, alone, strict=True):
        np.testing.assert_array_equal(flat(fit.network), flat(other.network))


def test_an_empty_model_stays_whole(noisy, epochs):
    (fit,) = train_together([noisy(lam=50.0)])
    assert not fit.network.weights[0].any()
    assert set(epochs) == {"all"}


def test_which_models_shrink(noisy, monkeypatch):
    assert shrinks(noisy())
    assert shrinks(noisy(L1()))
    for job in (noisy(NoPenalty()), noisy(L2()), noisy(lam=0.0), noisy(max_iter=1)):
        assert not shrinks(job)
    for penalty in (HoyerSquare(), GroupHoyerSquare(), L1MinusL2(), PathNorm()):
        assert not shrinks(noisy(penalty))
    job = noisy()
    assert not shrinks(replace(job, problem=replace(job.problem, keep_zeros=True)))
    # What a unit misses would be missing in its average for ever.
    assert not shrinks(replace(job, settings=replace(job.settings, update=RMDA())))
    monkeypatch.setattr(freezing, "WORTH_SHRINKING", 12 * 8 + 8 * 5 + 5 + 1)
    assert not shrinks(noisy())


def test_a_stack_is_freed_with_its_last_name(noisy):
    """A cycle would keep its memory until the garbage collector comes by."""
    gc.disable()
    try:
        with torch.inference_mode():
            run = stochastic._Run([noisy()], 1, False)
            run.train(None)
        (stack,) = run.stacks
        freed = weakref.ref(stack)
        del run, stack
        assert freed() is None
    finally:
        gc.enable()
