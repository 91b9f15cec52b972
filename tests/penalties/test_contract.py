"""Every penalty: its prox minimises its own objective, in the metric of the step.

The penalties are found in PENALTIES; a new one needs one line in VALUES and no more.
"""

from dataclasses import dataclass

import numpy as np
import pytest
import torch

from skgroupnet.penalties import L1, PENALTIES, GroupLasso
from skgroupnet.penalties.base import NormPenalty

LAM = [0.0, 0.05, 0.6, 3.0]
TOLERANCE = {torch.float64: 1e-12, torch.float32: 1e-6}


def _group_lasso(parts, lam):
    return lam * sum(np.sqrt(w.size) * np.linalg.norm(w) for w in parts)


def _scad(r, lam, a=3.7):
    if r <= lam:
        return lam * r
    bent = (2 * a * lam * r - r**2 - lam**2) / (2 * (a - 1))
    return bent if r <= a * lam else lam**2 * (a + 1) / 2


# Functions of one norm (or of one absolute value), and their names.
SCALARS = {
    "mcp": lambda r, lam: lam * r - r**2 / 6 if r <= 3 * lam else 3 * lam**2 / 2,
    "scad": _scad,
    "capped_l1": lambda r, lam: lam * min(r, 1.0),
    "transformed_l1": lambda r, lam: lam * 2 * r / (1 + r),
    "log": lambda r, lam: lam * np.log(1 + r / 0.1),
    "l12": lambda r, lam: lam * r**0.5,
    "l23": lambda r, lam: lam * r ** (2 / 3),
    "l0": lambda r, lam: lam * (r > 0),
}


def _of_norms(p):
    return lambda parts, lam: sum(
        p(np.linalg.norm(w), lam * np.sqrt(w.size)) for w in parts
    )


# The penalty of one network from its penalised groups, as the documentation says it.
VALUES = {
    "none": lambda parts, lam: 0.0,
    "l1": lambda parts, lam: lam * sum(np.abs(w).sum() for w in parts),
    "l2": lambda parts, lam: lam / 2 * sum((w**2).sum() for w in parts),
    "group_lasso": _group_lasso,
    "sparse_group_lasso": lambda parts, lam: (
        _group_lasso(parts, lam) + lam * sum(np.abs(w).sum() for w in parts)
    ),
    "elastic_net": lambda parts, lam: (
        lam / 2 * sum(np.abs(w).sum() + (w**2).sum() / 2 for w in parts)
    ),
    "group_elastic_net": lambda parts, lam: (
        (_group_lasso(parts, lam) + lam / 2 * sum((w**2).sum() for w in parts)) / 2
    ),
}
VALUES |= {name: _of_norms(p) for name, p in SCALARS.items()}
VALUES |= {f"group_{name}": _of_norms(p) for name, p in SCALARS.items()}

every_penalty = pytest.mark.parametrize("name", PENALTIES)
every_dtype = pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
every_step = pytest.mark.parametrize("steps", ["group", "model"])


def convex_names():
    return [n for n, c in PENALTIES.items() if c.__module__.endswith(".convex")]


def rotation_names():
    return [
        name
        for name, cls in PENALTIES.items()
        if issubclass(cls, NormPenalty) and cls.groups_of == "units"
    ]


class Case:
    """A penalty on a partition: weights, steps and strengths of four networks."""

    def __init__(self, penalty, partition, steps="group", dtype=torch.float64, seed=0):
        rng = np.random.RandomState(seed)
        self.penalty = penalty
        self.partition = (
            partition.elements() if penalty.groups_of == "weights" else partition
        )
        self.index = torch.from_numpy(self.partition.index)
        n_groups = len(self.partition.penalised)
        self.lam = torch.tensor(LAM, dtype=dtype)
        if steps == "group":
            step = np.exp(rng.uniform(np.log(0.01), np.log(50), (len(LAM), n_groups)))
            self.step = torch.from_numpy(step).to(dtype)
        else:
            step = torch.tensor([50.0, 5.0, 0.5, 0.01], dtype=dtype)[:, None]
            self.step = step.expand(-1, n_groups)
        self.W = self.point(rng).to(dtype)
        self.groups = self.partition.groups(dtype)

    def point(self, rng):
        """Weights whose groups have norms of very different size."""
        shape = (len(LAM), len(self.partition.penalised))
        scale = torch.from_numpy(10 ** rng.uniform(-1.5, 1.5, shape))
        noise = torch.from_numpy(rng.randn(len(LAM), len(self.index)))
        return noise * scale[:, self.index]

    def prox(self, W=None, **kwargs):
        W = self.W if W is None else W
        return self.penalty.prox(W, self.groups, self.step, self.lam, **kwargs)

    def objective(self, V):
        """Objective of the prox in float64: (K, M, P) -> (K, M)."""
        lam, W, step = self.lam.double(), self.W.double(), self.step.double()
        distance = ((V - W).square() / (2 * step[:, self.index])).sum(-1)
        value = self.penalty.value(
            V.flatten(0, 1), self.partition.groups(), lam.repeat(len(V))
        )
        return distance + value.view(len(V), -1)

    def norms(self, T):
        """Norm of every group: (M, P) -> (M, G)."""
        total = T.new_zeros((len(T), len(self.partition.penalised)))
        return total.index_add_(1, self.index, T.square()).sqrt()

    def candidates(self, U, seed=1):
        """Zero, the input, 1000 random moves and a radial grid of every group."""
        rng, W = np.random.RandomState(seed), self.W.double()
        n_groups = len(self.partition.penalised)
        size = torch.from_numpy(10 ** rng.uniform(-4, 0.5, (1000, 1, 1)))
        chosen = torch.from_numpy(rng.rand(1000, 1, n_groups) < 0.4)[..., self.index]
        noise = torch.from_numpy(rng.randn(1000, *W.shape)) * self.norms(W)[
            :, self.index
        ].clamp_min(1e-3)
        moves = [torch.zeros_like(W)[None], W[None], U + noise * size * chosen]
        for group in range(n_groups):
            inside = self.index == group
            for way in (W, U):
                ray = way * inside
                length = ray.norm(dim=-1, keepdim=True).clamp_min(1e-300)
                grid = torch.linspace(0, 1.2, 49, dtype=torch.float64)[:, None, None]
                radius = self.norms(W)[:, group, None]
                moves.append(U * ~inside + grid * radius * (ray / length))
        return torch.cat(moves)

    def excess(self):
        """How much the best candidate beats the prox, relative to the objective."""
        U = self.prox().double()
        found = self.objective(U[None])[0]
        best = self.objective(self.candidates(U)).amin(0)
        return float(((found - best) / (1 + found.abs())).amax())


@every_penalty
@every_step
@every_dtype
def test_prox_minimises_its_objective(name, partition, steps, dtype):
    for seed in range(2):
        case = Case(PENALTIES[name](), partition, steps, dtype, seed)
        assert case.prox().dtype == dtype
        assert case.excess() <= TOLERANCE[dtype]


def test_contract_rejects_a_wrong_prox(make_partition):
    @dataclass(frozen=True)
    class Wrong(GroupLasso):
        factor: float = 0.9

        def shrink(self, norms, step, lam):
            return super().shrink(norms, step * self.factor, lam)

    rows = make_partition([(5, 3, True)], None)
    assert Case(Wrong(1.0), rows).excess() <= 1e-12
    assert Case(Wrong(0.99), rows).excess() > 1e-9


@every_penalty
def test_value_is_the_documented_formula(name, partition):
    case = Case(PENALTIES[name](), partition)
    values = case.penalty.value(case.W, case.groups, case.lam)
    assert values.shape == (len(LAM),)
    for row, lam, value in zip(case.W.numpy(), LAM, values, strict=True):
        parts = [
            row[case.partition.index == group]
            for group in np.flatnonzero(case.partition.penalised)
        ]
        assert float(value) == pytest.approx(VALUES[name](parts, lam), rel=1e-13)


def test_every_penalty_has_a_test_value():
    assert VALUES.keys() == PENALTIES.keys()


@every_penalty
@every_step
def test_certificate_is_zero_at_a_proximal_point(name, partition, steps):
    case = Case(PENALTIES[name](), partition, steps)
    U = case.prox()
    grad = (U - case.W) / case.step[:, case.index]
    distance = case.penalty.subgradient_distance(U, grad, case.groups, case.lam)
    assert distance.shape == case.step.shape
    assert float(distance.amax()) <= 1e-11 * float(1 + grad.abs().amax())


@every_penalty
def test_certificate_is_the_limit_of_small_proximal_steps(name, partition):
    case = Case(PENALTIES[name](), partition)
    rng, t = np.random.RandomState(3), 1e-8
    W = case.prox()
    W = W * torch.from_numpy(rng.rand(*W.shape) > 0.2)
    grad = case.point(rng) / 3
    distance = case.penalty.subgradient_distance(W, grad, case.groups, case.lam)
    step = torch.full_like(case.step, t)
    moved = case.penalty.prox(W - t * grad, case.groups, step, case.lam)
    expected = case.norms((W - moved) / t)
    torch.testing.assert_close(distance, expected, rtol=1e-5, atol=1e-5)
    assert float(distance.amax()) > 0.1


@every_penalty
@every_dtype
def test_small_groups_become_exact_zeros_where_zero_attracts(name, partition, dtype):
    case = Case(PENALTIES[name](), partition, dtype=dtype)
    zero, small = torch.zeros_like(case.W), 1e-3 * case.W / case.norms(case.W).amax()
    held = case.penalty.subgradient_distance(zero, small, case.groups, case.lam) == 0
    U = case.prox(small * case.step[:, case.index])
    assert not U[held[:, case.index]].any()
    attracts = name not in ("none", "l2")
    penalised = torch.from_numpy(case.partition.penalised)
    assert bool(held[1:, penalised].all()) == attracts
    assert not held[0].any() and not held[:, ~penalised].any()


@pytest.mark.parametrize("name", convex_names())
def test_convex_prox_is_firmly_nonexpansive(name, partition):
    case = Case(PENALTIES[name](), partition)
    for seed in range(50):
        other = case.point(np.random.RandomState(100 + seed))
        if seed % 2:
            other = case.W + 0.1 * other
        ahead = (case.prox() - case.prox(other)) / case.step[:, case.index].sqrt()
        apart = (case.W - other) / case.step[:, case.index].sqrt()
        slack = 1e-12 * apart.square().sum(-1)
        assert (ahead.square().sum(-1) <= (ahead * apart).sum(-1) + slack).all()


@pytest.mark.parametrize("name", rotation_names())
def test_prox_of_group_norms_commutes_with_rotations(name, partition):
    case = Case(PENALTIES[name](), partition)
    rng = np.random.RandomState(4)
    n_parameters = len(case.index)
    Q = torch.zeros((n_parameters, n_parameters), dtype=torch.float64)
    for group in range(len(case.partition.penalised)):
        at = np.flatnonzero(case.partition.index == group)
        rotation = np.linalg.qr(rng.randn(len(at), len(at)))[0]
        Q[np.ix_(at, at)] = torch.from_numpy(rotation)
    torch.testing.assert_close(
        case.prox(case.W @ Q), case.prox() @ Q, rtol=1e-12, atol=1e-12
    )


@every_penalty
@every_dtype
def test_prox_writes_over_its_input_or_leaves_it_alone(name, partition, dtype):
    case = Case(PENALTIES[name](), partition, dtype=dtype)
    before = case.W.clone()
    expected = case.prox().clone()
    assert torch.equal(case.W, before)
    assert torch.equal(case.prox(out=torch.empty_like(before)), expected)
    assert torch.equal(case.W, before)
    assert case.prox(out=case.W) is case.W
    assert torch.equal(case.W, expected)


@every_penalty
@every_dtype
def test_no_step_or_no_strength_is_the_identity(name, partition, dtype):
    case = Case(PENALTIES[name](), partition, dtype=dtype)
    assert torch.equal(case.prox()[0], case.W[0])
    case.step = torch.zeros_like(case.step)
    assert torch.equal(case.prox(), case.W)


@every_penalty
def test_prox_of_extreme_numbers(name, partition):
    case = Case(PENALTIES[name](), partition, dtype=torch.float32)
    scales = torch.tensor([0.0, 1e-25, 1e-38, 1e30, 1e37])
    for shift in range(len(scales)):
        scale = scales.roll(shift)[torch.arange(len(case.index)) % len(scales)]
        by_group = scales.roll(shift)[case.index % len(scales)]
        for W in (case.W.sign() * scale, case.W.sign() * by_group):
            U = case.prox(W)
            assert U.isfinite().all()
            assert (U.abs() <= W.abs()).all()
            assert torch.equal(U[0], W[0])
            assert (U * W >= 0).all()
            grad = case.W
            distance = case.penalty.subgradient_distance(
                W.clamp(-1e15, 1e15), grad, case.groups, case.lam
            )
            assert distance.isfinite().all()


@every_penalty
def test_one_model_does_not_know_the_others(name, partition):
    case = Case(PENALTIES[name](), partition)
    together = case.prox()
    for m in range(len(LAM)):
        row = slice(m, m + 1)
        alone = case.penalty.prox(
            case.W[row], case.groups, case.step[row], case.lam[row]
        )
        assert torch.equal(alone, together[row])


def test_unpenalised_parameters_stay(make_partition):
    partition = make_partition([(2, 3, True), (3, 1, False)], None)
    for cls in PENALTIES.values():
        case = Case(cls(), partition)
        assert torch.equal(case.prox()[:, 6:], case.W[:, 6:])


def test_l1_is_the_group_lasso_of_single_weights(partition):
    lasso, group = Case(L1(), partition), Case(GroupLasso(), partition.elements())
    assert torch.equal(lasso.prox(), group.prox())
