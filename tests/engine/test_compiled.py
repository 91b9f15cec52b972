"""Which steps are taken, what the user is told of it, and what C is told of a model."""

import hashlib
import importlib.util
import re
import sys
import threading
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from skgroupnet import GroupSparseMLPClassifier, config_context, engine, show_versions
from skgroupnet.config import VARIABLE, chosen_step
from skgroupnet.engine import (
    LOSSES,
    RMDA,
    SGD,
    Adam,
    AdaMax,
    Problem,
    RMSprop,
    Settings,
    compiled,
    descent,
    initial_network,
    plan,
    train,
)
from skgroupnet.penalties import (
    AdaptiveGroupLasso,
    GroupHoyerSquare,
    GroupLasso,
    GroupLog,
    HoyerSquare,
    L1MinusL2,
    NoPenalty,
    PathNorm,
    Penalty,
)
from skgroupnet.penalties.base import NormPenalty

needs_step = pytest.mark.skipif(
    compiled._step is None, reason="the compiled step is not built"
)
HEADER = Path(compiled.__file__).parent / "step" / "plan.h"


@dataclass(frozen=True)
class MyAdam(Adam):
    """Not the Adam that C knows."""


@dataclass(frozen=True)
class Hard(GroupLasso):
    """A group lasso whose prox keeps what it does not remove."""

    def shrink(self, norms, step, lam):
        return norms.where(norms > step * lam, 0.0)


@dataclass(frozen=True)
class Huber(NormPenalty):
    """Quadratic up to the norm one, then linear; every weight for itself."""

    groups_of = "weights"

    def profile(self, norms, lam):
        return lam * (norms**2 / 2).where(norms < 1, norms - 0.5)

    def shrink(self, norms, step, lam):
        strength = step * lam
        inside = norms / (1 + strength)
        return inside.where(inside < 1, norms - strength)

    def slope(self, norms, lam):
        return lam * norms.clamp_max(1.0)


@dataclass(frozen=True)
class Proportional(Penalty):
    """Ridge of groups, that asks for one step in a layer."""

    one_step_per = "layer"

    def value(self, W, groups, lam):
        return lam / 2 * groups.sum(W * W).mul(groups.penalised).sum(-1)

    def prox(self, W, groups, step, lam, out=None):
        strength = lam[:, None] * groups.penalised
        return groups.scale(W, 1 / (1 + step * strength), out)

    def subgradient_distance(self, W, grad, groups, lam):
        strength = lam[:, None] * groups.penalised
        return groups.norm(grad + groups.scale(W, strength))


@pytest.fixture
def auto(monkeypatch):
    """No choice but the default."""
    monkeypatch.delenv(VARIABLE, raising=False)


@pytest.fixture
def reported(problem, model):
    """What a watch is told of the steps of a problem."""

    def reported(update=None, **changes):
        reports = []

        def watch(epoch):
            reports.append(epoch.report)
            return False

        settings = Settings(update or Adam(), max_iter=1)
        train(replace(problem, **changes), [model()], settings, watch)
        return reports[0]

    return reported


@needs_step
def test_the_best_instruction_set_is_the_default(auto, reported):
    best = compiled._step.instruction_sets[-1]
    assert reported() == f"Steps compiled for {best}."
    assert compiled.default_report() == f"compiled for {best}"


def test_an_empty_variable_chooses_nothing(monkeypatch):
    monkeypatch.setenv(VARIABLE, "")
    assert chosen_step() == "auto"
    monkeypatch.setenv(VARIABLE, "words")
    with pytest.raises(ValueError, match=f"{VARIABLE} must be one of .* got 'words'"):
        chosen_step()


def test_torch_on_demand(reported):
    with config_context(step="torch"):
        why = f"config_context or {VARIABLE} asks for it"
        assert reported() == f"Steps in torch: {why}."
        assert compiled.default_report() == f"torch: {why}"


@needs_step
@pytest.mark.parametrize(
    ("changes", "update", "flops", "reason"),
    [
        ({"device": "cuda:1"}, Adam(), 1.0, "the device is 'cuda:1'"),
        ({}, MyAdam(), 1.0, "there is no compiled MyAdam(beta_1=0.9, "),
        ({}, RMDA(), 1.0, "there is no compiled RMDA(momentum=0.9)"),
        ({"loss": "huber"}, Adam(), 1.0, "there is no compiled loss 'huber'"),
        ({}, Adam(), 1e12, "products as large as these use several threads there"),
    ],
)
def test_what_is_not_compiled(changes, update, flops, reason, auto):
    usual = {"device": "cpu", "loss": "poisson", "penalty": GroupLasso()}
    problem = SimpleNamespace(**(usual | {"keep_zeros": False} | changes))
    possible, told = compiled.report(problem, update, flops)
    assert not possible
    assert told.startswith(f"Steps in torch: {reason}")
    with config_context(step="compiled"):
        with pytest.raises(RuntimeError, match="are asked for, but") as caught:
            compiled.report(problem, update, flops)
    assert reason in str(caught.value)


def test_a_loss_that_is_not_compiled(auto, draw, make_model, monkeypatch):
    # It trains in torch as what it is, and not as the loss that has its number in C.
    squared = LOSSES["squared_error"]
    halved = replace(squared, value=lambda raw, y: squared.value(raw, y) / 2)
    monkeypatch.setitem(LOSSES, "halved", halved)
    X, y = draw("squared_error")
    settings, curves = Settings(Adam(), max_iter=3, tol=0), []
    for loss in ("squared_error", "halved"):
        start = initial_network(
            (5, 6, 3), "relu", "identity", np.random.RandomState(0), X.dtype
        )
        problem = Problem(X, y, loss, NoPenalty())
        (fit,) = train(problem, [make_model(start)], settings)
        curves.append(fit.loss_curve)
    np.testing.assert_allclose(curves[1], np.array(curves[0]) / 2, rtol=1e-9)


def test_an_update_that_is_not_compiled(auto, problem, model, reported, flat):
    settings = Settings(MyAdam(), max_iter=3, tol=0)
    (fit,) = train(problem, [model()], settings)
    with config_context(step="torch"):
        (expected,) = train(problem, [model()], settings)
    np.testing.assert_array_equal(flat(fit.network), flat(expected.network))
    with config_context(step="compiled"), pytest.raises(RuntimeError):
        train(problem, [model()], settings)


@pytest.mark.parametrize("step", [None, SimpleNamespace(plan_bytes=8)])
def test_without_the_extension(
    step, auto, problem, model, monkeypatch, reported, capsys
):
    monkeypatch.setattr(compiled, "_step", step)
    told = (
        "this installation has no compiled steps, or outdated ones; to get them, "
        "install a C compiler"
    )
    assert reported().startswith(f"Steps in torch: {told}")
    show_versions()
    steps = capsys.readouterr().out.splitlines()[-1]
    assert re.fullmatch(f"steps +torch: {told} and reinstall skgroupnet", steps)
    with config_context(step="compiled"):
        with pytest.raises(RuntimeError, match="no compiled steps"):
            train(problem, [model()], Settings(Adam()))


def test_import_without_the_extension(monkeypatch):
    monkeypatch.delattr(engine, "_step", raising=False)
    monkeypatch.setitem(sys.modules, "skgroupnet.engine._step", None)
    spec = importlib.util.spec_from_file_location("a_copy", compiled.__file__)
    copy = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(copy)
    assert copy._step is None
    assert "no compiled steps" in copy.NOT_BUILT


def test_an_extension_of_other_sources_is_refused(tmp_path):
    """Of as many bytes in every struct as they may have: what they contain counts."""
    digest = hashlib.sha256(b"int a;int b;").hexdigest()
    assert compiled.is_of(tmp_path, "any: a wheel has no sources")
    (tmp_path / "a.h").write_text("int a;")
    (tmp_path / "b.c").write_text("int b;")
    assert compiled.is_of(tmp_path, digest)
    assert not compiled.is_of(tmp_path, "")
    (tmp_path / "a.h").write_text("int c;")
    assert not compiled.is_of(tmp_path, digest)


@needs_step
def test_a_stale_extension_is_not_used(monkeypatch):
    monkeypatch.setattr(compiled._step, "digest", "that of other sources")
    spec = importlib.util.spec_from_file_location("a_copy", compiled.__file__)
    copy = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(copy)
    assert (copy._step is None) == HEADER.is_file()


def test_environment(auto, monkeypatch, reported, problem, model):
    assert chosen_step() == "auto"
    monkeypatch.setenv(VARIABLE, "torch")
    assert VARIABLE in reported()
    with config_context(step="auto"):
        assert chosen_step() == "auto"
    monkeypatch.setenv(VARIABLE, "c")
    with pytest.raises(ValueError, match=f"{VARIABLE} must be one of .* got 'c'"):
        train(problem, [model()], Settings(Adam()))


def test_contexts_nest(auto, monkeypatch):
    with config_context(step="torch"):
        with config_context(step="auto"):
            assert chosen_step() == "auto"
        assert chosen_step() == "torch"
        with pytest.raises(KeyError), config_context(step="compiled"):
            assert chosen_step() == "compiled"
            raise KeyError
        assert chosen_step() == "torch"
        with pytest.raises(ValueError, match="step must be one of"):
            with config_context(step="fast"):
                pass
        assert chosen_step() == "torch"
        thread = threading.Thread(target=lambda: seen.append(chosen_step()))
        seen = []
        thread.start()
        thread.join()
    assert chosen_step() == "auto"
    # A context belongs to its thread.
    assert seen == ["auto"]


@pytest.mark.parametrize("step", ["torch", pytest.param("compiled", marks=needs_step)])
def test_the_user_is_told(step, draw, capsys):
    X, y = draw("cross_entropy")
    clf = GroupSparseMLPClassifier(lam=0.001, max_iter=20, tol=1e3, verbose=1)
    with config_context(step=step):
        clf.fit(X, y)
        lines = capsys.readouterr().out.splitlines()
        show_versions()
    told = "Steps in torch: " if step == "torch" else "Steps compiled for "
    assert lines[0].startswith(told)
    assert [line for line in lines if "Steps" in line] == lines[:1]
    steps = capsys.readouterr().out.splitlines()[-1]
    assert steps.split()[:2] == ["steps", "torch:" if step == "torch" else "compiled"]


@needs_step
@pytest.mark.parametrize("update", [Adam(), RMSprop(), SGD(0.0)], ids=repr)
@pytest.mark.parametrize(
    ("penalty", "other"),
    [
        (Hard(), GroupLasso()),
        (Huber(), NoPenalty()),
        (Proportional(), NoPenalty()),
    ],
    ids=repr,
)
def test_other_penalties_are_shrunk_in_torch(
    penalty, other, update, problem, model, compare, auto, reported, flat
):
    mine = replace(problem, penalty=penalty, labels=np.array([0, 1, 0, -1, 1]))
    models = [model(lam=0.02 + 0.02 * m, rate=0.05, seed=m) for m in range(3)]
    fits = compare(mine, models, update)
    assert reported(penalty=penalty).endswith(f", the prox of {penalty!r} in torch.")
    # With zeros to keep there is no penalty.
    assert "torch" not in reported(penalty=penalty, keep_zeros=True)
    plain = compare(replace(mine, penalty=other), models, update)
    for fit, without in zip(fits, plain, strict=True):
        assert np.abs(flat(fit.network) - flat(without.network)).max() > 1e-3


@needs_step
@pytest.mark.parametrize("update", [Adam(), AdaMax(), RMSprop(), SGD()], ids=repr)
@pytest.mark.parametrize(
    "penalty", [HoyerSquare(), GroupHoyerSquare(), L1MinusL2(), PathNorm()], ids=repr
)
def test_one_step_for_a_layer_and_groups_in_two(
    penalty, update, problem, model, compare, flat
):
    models = [model(lam=0.002 + 0.002 * m, seed=m) for m in range(3)]
    compare(replace(problem, penalty=penalty), models, update, 1e-10)


@needs_step
@pytest.mark.parametrize("penalty", [AdaptiveGroupLasso(), GroupLog()], ids=repr)
def test_relative_weights_of_groups(penalty, problem, model, compare, flat):
    weighed = replace(problem, penalty=penalty, labels=np.array([0, 1, 0, -1, 1]))
    # Two features' groups, the rest of the inputs' weights, six neurons, biases.
    factors = np.random.RandomState(0).rand(2 + 6 + 6 + 9) * 3
    models = [model(), model(factors=factors), model(factors=factors[::-1])]
    fits = compare(weighed, models, Adam())
    for fit in fits[1:]:
        assert np.abs(flat(fit.network) - flat(fits[0].network)).max() > 1e-3


def _declared(struct):
    """Names and types of the fields of a struct, and enumerations, in the header."""
    text = re.sub(r"/\*.*?\*/", "", HEADER.read_text(), flags=re.DOTALL)
    body = re.search(rf"typedef struct \{{([^}}]*)\}} {struct};", text)[1]
    fields = re.findall(r"(?:const )?(\w+) (\*?)(\w+);", body)
    kinds = {"int64_t": np.int64, "double": np.float64}
    enumerations = [
        [name.strip() for name in names.split(",")]
        for names in re.findall(r"enum \{(.*?)\}", text, re.DOTALL)
    ]
    return [
        (name, np.dtype(np.uintp if star else kinds[kind]))
        for kind, star, name in fields
    ], enumerations


@pytest.mark.skipif(not HEADER.is_file(), reason="the sources of C are not there")
def test_a_plan_is_the_same_in_c():
    for struct, dtype in (("Plan", plan.PLAN), ("Descent", descent.DESCENT)):
        fields, enumerations = _declared(struct)
        assert fields == [(name, dtype[name]) for name in dtype.names]
    shrinks = [name for name in enumerations[3] if name in vars(plan)]
    assert enumerations == [
        [name.upper() for name in plan.ACTIVATIONS],
        [name.upper() for name in plan.LOSSES],
        [update.__name__.upper() for update in plan.UPDATES],
        sorted(shrinks, key=vars(plan).get),
    ]


@needs_step
def test_plans_are_checked():
    assert plan.PLAN.itemsize == compiled._step.plan_bytes
    assert descent.DESCENT.itemsize == compiled._step.descent_bytes
    n_versions = len(compiled._step.instruction_sets)
    plans = np.zeros(1, dtype=plan.PLAN)
    for wrong, version in [
        (plans.tobytes()[:-1], 0), (b"12345678", 0), (plans, -1), (plans, n_versions)
    ]:  # fmt: skip
        with pytest.raises(ValueError, match="plans of .* bytes"):
            compiled._step.steps(wrong, 0, 1, 0, version)
    compiled._step.steps(plans[:0], 0, 1, 0, 0)


def test_every_model_has_a_random_state_of_its_own(problem, model):
    first = model()
    second = replace(model(), random_state=first.random_state)
    with pytest.raises(ValueError, match="random_state of its own"):
        train(problem, [first, second], Settings(Adam()))


@needs_step
@pytest.mark.parametrize("version", range(3))
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_instruction_set(
    version, dtype, draw, random_network, make_model, compare, spy
):
    if version >= len(compiled._step.instruction_sets):
        pytest.skip("this machine has fewer instruction sets")
    spy.version = version
    for width in range(1, 37):
        widths = (37 - width, width, 1 + width % 5)
        X, y = draw("squared_error", 11 + width, widths[0], widths[2], width, dtype)
        start = random_network("squared_error", widths, seed=width, dtype=dtype)
        problem = Problem(X, y, "squared_error", GroupLasso())
        compare(
            problem,
            [make_model(start, 0.02, rate=0.01)],
            SGD(),
            1e-5 if dtype == np.float32 else 1e-13,
            max_iter=2,
        )
    assert {call.version for call in spy.calls} == {version}
