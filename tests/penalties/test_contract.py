"""Every penalty: its prox minimises its own objective, in the metric of the step.

The penalties are found in PENALTIES; a new one needs one line in VALUES and no more.
"""

from dataclasses import asdict, dataclass

import numpy as np
import pytest
import torch

from skgroupnet.penalties import L1, PENALTIES, GroupLasso

LAM = [0.0, 0.05, 0.6, 3.0]
TOLERANCE = {torch.float64: 1e-12, torch.float32: 1e-6}


def _sum(p):
    """Sum of p(w, lam) over all groups w of all layers."""
    return lambda layers, lam, **settings: sum(
        p(w, lam, **settings) for parts in layers for w in parts
    )


def _of_norms(p):
    """Sum of p(norm(w), lam sqrt(size))."""
    return _sum(
        lambda w, lam, **settings: p(
            np.linalg.norm(w), lam * np.sqrt(w.size), **settings
        )
    )


def _elastic(w, lam, l1_ratio):
    lasso = np.sqrt(w.size) * np.linalg.norm(w)
    return lam * (l1_ratio * lasso + (1 - l1_ratio) / 2 * (w**2).sum())


def _lasso(r, lam):
    return lam * r


def _mcp(r, lam, gamma):
    bent = lam * r - r**2 / (2 * gamma)
    return bent if r <= gamma * lam else gamma * lam**2 / 2


def _scad(r, lam, a):
    if r <= lam:
        return lam * r
    bent = (2 * a * lam * r - r**2 - lam**2) / (2 * (a - 1))
    return bent if r <= a * lam else lam**2 * (a + 1) / 2


def _hoyer(layers, lam):
    lengths = [[np.linalg.norm(w) for w in parts] for parts in layers]
    return lam * sum(sum(r) ** 2 / sum(x**2 for x in r) for r in lengths if np.any(r))


def _l1_minus_l2(layers, lam, alpha):
    rows = [np.concatenate([*parts, np.zeros(1)]) for parts in layers]
    return lam * sum(np.abs(r).sum() - alpha * np.linalg.norm(r) for r in rows)


def _path_norm(layers, lam):
    *matrices, biases = layers
    firsts, seconds = matrices[0 : len(matrices) - 1 : 2], matrices[1::2]
    alone = [*matrices[2 * len(seconds) :], biases]
    paths = [
        np.linalg.norm(w) * np.linalg.norm(v)
        for pair in zip(firsts, seconds, strict=True)
        for w, v in zip(*pair, strict=True)
    ]
    return lam * (sum(paths) + sum((w**2).sum() for parts in alone for w in parts) / 2)


# The penalty of one network from its penalised groups, layer by layer, as the
# documentation says it.
VALUES = {
    "none": lambda layers, lam: 0.0,
    "l1": _of_norms(_lasso),
    "l2": _sum(lambda w, lam: lam / 2 * (w**2).sum()),
    "elastic_net": _sum(_elastic),
    "mcp": _of_norms(_mcp),
    "scad": _of_norms(_scad),
    "capped_l1": _of_norms(lambda r, lam, theta: lam * min(r, theta)),
    "transformed_l1": _of_norms(lambda r, lam, a: lam * (a + 1) * r / (a + r)),
    "log": _of_norms(lambda r, lam, eps: lam * np.log(1 + r / eps)),
    "l12": _of_norms(lambda r, lam: lam * r**0.5),
    "l23": _of_norms(lambda r, lam: lam * r ** (2 / 3)),
    "l0": _of_norms(lambda r, lam: lam * (r > 0)),
    "l1_minus_l2": _l1_minus_l2,
    "hoyer_square": _hoyer,
    "group_lasso": _of_norms(_lasso),
    "adaptive_group_lasso": _of_norms(lambda r, lam, gamma: lam * r),
    "sparse_group_lasso": _sum(
        lambda w, lam, l1_weight: (
            lam * np.sqrt(w.size) * np.linalg.norm(w)
            + lam * l1_weight * np.abs(w).sum()
        )
    ),
    "path_norm": _path_norm,
}
# The group form of a penalty is the same formula on other groups.
VALUES |= {
    name: VALUES[name.removeprefix("group_")]
    for name in PENALTIES
    if name.removeprefix("group_") in VALUES
}
# Settings besides the default ones.
SETTINGS = {
    "elastic_net": {"l1_ratio": 0.9},
    "mcp": {"gamma": 1.2},
    "scad": {"a": 2.1},
    "capped_l1": {"theta": 0.2},
    "transformed_l1": {"a": 4.0},
    "log": {"eps": 2.0},
    "l1_minus_l2": {"alpha": 0.5},
    "sparse_group_lasso": {"l1_weight": 0.3},
}
ALL = [cls() for cls in PENALTIES.values()] + [
    cls(**SETTINGS[name.removeprefix("group_")])
    for name, cls in PENALTIES.items()
    if name.removeprefix("group_") in SETTINGS
]
NAMES = {cls: name for name, cls in PENALTIES.items()}

every_penalty = pytest.mark.parametrize("penalty", ALL, ids=repr)
every_dtype = pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
every_step = pytest.mark.parametrize("steps", ["group", "model"])


def convex():
    return [p for p in ALL if type(p).__module__.endswith(".convex")]


def separable():
    return [p for p in ALL if p.one_step_per == "group"]


def value_of(penalty, partition, row, lam):
    """Value of one network by the formula of the documentation."""
    formula = VALUES[NAMES[type(penalty)]]
    settings = asdict(penalty)
    return float(formula(partition.parts(row), lam, **settings))


class Case:
    """A penalty on a partition: weights, steps and strengths of four networks."""

    def __init__(self, penalty, partition, steps="group", dtype=torch.float64, seed=0):
        rng = np.random.RandomState(seed)
        self.penalty = penalty
        self.partition = partition.of(penalty.groups_of)
        self.index = torch.from_numpy(self.partition.index)
        n_groups = len(self.partition.penalised)
        self.lam = torch.tensor(LAM, dtype=dtype)
        if steps == "group":
            step = np.exp(rng.uniform(np.log(0.01), np.log(80), (len(LAM), n_groups)))
            for together in self.sharing_a_step():
                step[:, together] = step[:, together[:1]]
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

    def project(self, W=None):
        """Fulfil the constraints of the penalty, if it has any: a step of no length."""
        W = self.W if W is None else W
        lam = self.lam.repeat(len(W) // len(LAM))
        step = W.new_zeros((1, 1)).expand(len(W), self.step.shape[1])
        groups = self.partition.groups(W.dtype)
        return self.penalty.prox(W, groups, step, lam.to(W.dtype))

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

    def sharing_a_step(self):
        """Numbers of the groups that share a step."""
        partition = self.partition
        if self.penalty.one_step_per == "group":
            return [[group] for group in range(len(partition.layer))]
        layers = [
            np.flatnonzero((partition.layer == layer) & partition.penalised)
            for layer in range(partition.layer.max() + 1)
        ]
        alone = [[group] for group in np.flatnonzero(~partition.penalised)]
        return [layer for layer in layers if len(layer)] + alone

    def length(self, W):
        """Norm of every layer: (M, P) -> (M, n_layers)."""
        layer = self.partition.layer[self.partition.index]
        square = W.double().square()
        layers = range(layer.max() + 1)
        return torch.stack([square[:, layer == n].sum(1) for n in layers], 1).sqrt()

    def slopes_at(self, W):
        """Slope of the documented value along every group, (M, G)."""
        move, slopes = 1e-11, np.zeros(self.step.shape)
        for (m, group), _ in np.ndenumerate(slopes):
            inside = self.partition.index == group
            ahead = W[m] + move * inside / np.sqrt(inside.sum())
            there, here = (
                value_of(self.penalty, self.partition, row, LAM[m])
                for row in (ahead, W[m])
            )
            slopes[m, group] = (there - here) / move
        return slopes

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
        together = torch.cat(moves)
        allowed = self.project(together.flatten(0, 1))
        # Nothing leads from zero to a sphere.
        bound = torch.from_numpy(self.partition.bound)
        lost = ((self.norms(allowed) < 0.5) & bound)[:, self.index]
        return U.repeat(len(together), 1).where(lost, allowed).view(together.shape)

    def excess(self):
        """How much the best candidate beats the prox, relative to the objective."""
        U = self.prox().double()
        found = self.objective(U[None])[0]
        best = self.objective(self.candidates(U)).amin(0)
        return float(((found - best) / (1 + found.abs())).amax())


@pytest.mark.parametrize("penalty", separable(), ids=repr)
@every_dtype
def test_prox_of_one_group_is_the_best_of_its_ray(penalty, dtype, make_partition):
    """Thousands of norms, steps and strengths, so that no knot is missed."""
    rng, n = np.random.RandomState(0), 20_000
    width = 1 if penalty.groups_of == "weights" else 2
    groups = make_partition([(1, width, True)], None).groups(dtype)
    ranges = [(0.01, 30.0), (0.01, 80.0), (0.02, 4.0)]
    r, step, lam = (
        torch.from_numpy(np.exp(rng.uniform(*np.log(ends), (n, 1)))).to(dtype)
        for ends in ranges
    )
    way = torch.tensor([[0.6, -0.8]], dtype=dtype)[:, :width]
    U = penalty.prox(r * way, groups, step, lam[:, 0]).double()
    exact = make_partition([(1, width, True)], None).groups()
    r, step, lam, way = r.double(), step.double(), lam[:, 0].double(), way.double()

    def objective(V):
        distance = (V - r * way).square().sum(1) / (2 * step[:, 0])
        return distance + penalty.value(V, exact, lam)

    found = objective(U)
    for share in np.linspace(0, 1, 41):
        better = found - objective(share * r * way)
        assert float((better / (1 + found)).amax()) <= TOLERANCE[dtype]


@every_penalty
@every_step
@every_dtype
def test_prox_minimises_its_objective(penalty, partition, steps, dtype):
    for seed in range(2):
        case = Case(penalty, partition, steps, dtype, seed)
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
def test_value_is_the_documented_formula(penalty, partition):
    case = Case(penalty, partition)
    values = case.penalty.value(case.W, case.groups, case.lam)
    assert values.shape == (len(LAM),)
    for row, lam, value in zip(case.W.numpy(), LAM, values, strict=True):
        expected = value_of(penalty, case.partition, row, lam)
        assert float(value) == pytest.approx(expected, rel=1e-12)


def test_every_penalty_has_a_test_value():
    assert VALUES.keys() == PENALTIES.keys()


@every_penalty
@every_step
def test_certificate_is_zero_at_a_proximal_point(penalty, partition, steps):
    case = Case(penalty, partition, steps)
    U = case.prox()
    grad = (U - case.W) / case.step[:, case.index]
    distance = case.penalty.subgradient_distance(U, grad, case.groups, case.lam)
    assert distance.shape == case.step.shape
    assert float(distance.amax()) <= 1e-11 * float(1 + grad.abs().amax())


@every_penalty
def test_certificate_is_the_limit_of_small_proximal_steps(penalty, partition):
    case = Case(penalty, partition)
    rng, t = np.random.RandomState(3), 1e-8
    W = case.prox()
    W = case.project(W * torch.from_numpy(rng.rand(*W.shape) > 0.2))
    grad = case.point(rng) / 3
    distance = case.penalty.subgradient_distance(W, grad, case.groups, case.lam)
    step = torch.full_like(case.step, t)
    moved = case.penalty.prox(W - t * grad, case.groups, step, case.lam)
    expected = case.norms((W - moved) / t)
    torch.testing.assert_close(distance, expected, rtol=1e-5, atol=1e-5)
    assert float(distance.amax()) > 0.1


@every_penalty
@every_dtype
def test_small_groups_become_exact_zeros_where_zero_attracts(penalty, partition, dtype):
    case = Case(penalty, partition, dtype=dtype)
    bound = torch.from_numpy(case.partition.bound)
    zero = case.project() * bound[case.index]
    small = 1e-3 * case.W / case.norms(case.W).amax()
    held = penalty.subgradient_distance(zero, small, case.groups, case.lam) == 0
    U = case.prox(zero + small * case.step[:, case.index] * ~bound[case.index])
    assert not U[(held & ~bound)[:, case.index]].any()
    slope = torch.tensor(case.slopes_at(zero.double().numpy()))
    expected = slope > case.norms(small).double()
    for together in case.sharing_a_step():
        if not bound[together].any():
            assert torch.equal(held[:, together].all(1), expected[:, together].all(1))
    assert not held[0].any()


@pytest.mark.parametrize("penalty", convex(), ids=repr)
def test_convex_prox_is_firmly_nonexpansive(penalty, partition):
    case = Case(penalty, partition)
    for seed in range(50):
        other = case.point(np.random.RandomState(100 + seed))
        if seed % 2:
            other = case.W + 0.1 * other
        ahead = (case.prox() - case.prox(other)) / case.step[:, case.index].sqrt()
        apart = (case.W - other) / case.step[:, case.index].sqrt()
        slack = 1e-12 * apart.square().sum(-1)
        assert (ahead.square().sum(-1) <= (ahead * apart).sum(-1) + slack).all()


@every_penalty
def test_prox_of_group_norms_commutes_with_rotations(penalty, partition):
    case = Case(penalty, partition)
    rng = np.random.RandomState(4)
    n_parameters = len(case.index)
    Q = torch.zeros((n_parameters, n_parameters), dtype=torch.float64)
    for group in range(len(case.partition.penalised)):
        at = np.flatnonzero(case.partition.index == group)
        rotation = np.linalg.qr(rng.randn(len(at), len(at)))[0]
        Q[np.ix_(at, at)] = torch.from_numpy(rotation)
    turned, groups = case.W @ Q, case.groups
    pairs = [
        (penalty.value(W, groups, case.lam) for W in (turned, case.W)),
        (case.prox(turned), case.prox() @ Q),
    ]
    same = [torch.allclose(a, b, rtol=1e-11, atol=1e-11) for a, b in pairs]
    assert same in ([True, True], [False, False])
    assert all(same) or NAMES[type(penalty)] == "sparse_group_lasso"


@every_penalty
@every_dtype
def test_prox_writes_over_its_input_or_leaves_it_alone(penalty, partition, dtype):
    case = Case(penalty, partition, dtype=dtype)
    before = case.W.clone()
    expected = case.prox().clone()
    assert torch.equal(case.W, before)
    assert torch.equal(case.prox(out=torch.empty_like(before)), expected)
    assert torch.equal(case.W, before)
    assert case.prox(out=case.W) is case.W
    assert torch.equal(case.W, expected)


@every_penalty
@every_dtype
def test_no_step_or_no_strength_is_the_identity(penalty, partition, dtype):
    case = Case(penalty, partition, dtype=dtype)
    assert torch.equal(case.prox()[0], case.W[0])
    case.step = torch.zeros_like(case.step)
    U, bound = case.prox(), case.partition.bound
    free = ~bound[case.partition.index]
    assert torch.equal(U[:, free], case.W[:, free])
    lengths = case.norms(U.double())[1:, bound]
    torch.testing.assert_close(lengths, torch.ones_like(lengths), rtol=1e-6, atol=0)


@every_penalty
def test_prox_of_extreme_numbers(penalty, partition):
    case = Case(penalty, partition, dtype=torch.float32)
    scales = torch.tensor([0.0, 1e-25, 1e-38, 1e30, 1e37])
    for shift in range(len(scales)):
        scale = scales.roll(shift)[torch.arange(len(case.index)) % len(scales)]
        by_group = scales.roll(shift)[case.index % len(scales)]
        for W in (case.W.sign() * scale, case.W.sign() * by_group):
            U = case.prox(W)
            assert U.isfinite().all()
            assert (case.length(U) <= (1 + 1e-6) * case.length(case.project(W))).all()
            assert torch.equal(U[0], W[0])
            assert (U * W >= 0).all()
            grad = case.W
            distance = case.penalty.subgradient_distance(
                W.clamp(-1e15, 1e15), grad, case.groups, case.lam
            )
            assert distance.isfinite().all()


@every_penalty
def test_one_model_does_not_know_the_others(penalty, partition):
    case = Case(penalty, partition)
    together = case.prox()
    for m in range(len(LAM)):
        row = slice(m, m + 1)
        alone = case.penalty.prox(
            case.W[row], case.groups, case.step[row], case.lam[row]
        )
        assert torch.equal(alone, together[row])


def test_unpenalised_parameters_stay(make_partition):
    partition = make_partition([(2, 3, True), (3, 1, False)], None)
    for penalty in ALL:
        case = Case(penalty, partition)
        assert torch.equal(case.prox()[:, 6:], case.W[:, 6:])


def test_l1_is_the_group_lasso_of_single_weights(partition):
    lasso, group = Case(L1(), partition), Case(GroupLasso(), partition.elements())
    assert torch.equal(lasso.prox(), group.prox())
