"""Measures of a whole layer against all supports, and what they do not depend on."""

from itertools import combinations

import numpy as np
import pytest
import torch

from skgroupnet.penalties import GroupHoyerSquare, HoyerSquare, L1MinusL2

HOYER = [HoyerSquare(), GroupHoyerSquare()]


def _prox(penalty, y, tau, partition, dtype=torch.float64):
    groups = partition.groups(dtype)
    W = torch.tensor(y, dtype=dtype)[None]
    step = torch.full((1, groups.n_groups), tau / 0.5, dtype=dtype)
    lam = torch.tensor([0.5], dtype=dtype)
    return penalty.prox(W, groups, step, lam)[0].numpy()


def _vectors(n):
    """Vectors of n entries with ties, zeros and very different sizes."""
    rng = np.random.RandomState(n)
    for _ in range(15):
        yield rng.randn(n)
        yield rng.randint(-2, 3, n).astype(float)
        yield rng.randn(n) * 10 ** rng.uniform(-2, 2, n)
        yield 1 + 1e-6 * rng.randn(n)


def _hoyer(x):
    return np.abs(x).sum() ** 2 / (x**2).sum() if x.any() else 0.0


def _supports(n):
    return [list(s) for k in range(1, n + 1) for s in combinations(range(n), k)]


def _hoyer_minimum(y, tau):
    """Least (x - y)^2 / 2 + tau HS(x), over all supports.

    With x = c u, norm(u) = 1, the best c is u y: on a support the problem is the
    smallest eigenvalue of tau 11' - yy'/2, as long as its vector has one sign.
    """
    r = np.abs(y)
    best = 0.0
    for support in _supports(len(y)):
        v = r[support]
        A = tau - np.outer(v, v) / 2
        value, vectors = np.linalg.eigh(A)
        u = vectors[:, 0] * np.sign(vectors[:, 0].sum())
        if (u > 0).all():
            best = min(best, value[0])
    return best + (r**2).sum() / 2


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_hoyer_square_is_the_best_of_all_supports(n, make_partition):
    partition = make_partition([(n, 1, True)], None)
    kept = set()
    for y in _vectors(n):
        for tau in (0.01, 0.1, 0.5, 3.0, 50.0):
            x = _prox(HoyerSquare(), y, tau, partition)
            found = ((x - y) ** 2).sum() / 2 + tau * _hoyer(x)
            assert found <= _hoyer_minimum(y, tau) + 1e-13 * (1 + (y**2).sum())
            assert (x * y >= 0).all()
            kept.add((x != 0).sum())
    assert kept == {*range(n + 1)}


def test_group_hoyer_square_is_hoyer_square_of_the_norms(make_partition):
    rows = make_partition([(5, 3, True)], None)
    single = make_partition([(5, 1, True)], None)
    W = np.random.RandomState(0).randn(15) * np.repeat([1, 0.1, 3, 1, 0.4], 3)
    norms = np.linalg.norm(W.reshape(5, 3), axis=1)
    for tau in (0.01, 0.1, 0.5, 3.0):
        x = _prox(GroupHoyerSquare(), W, tau, rows).reshape(5, 3)
        shrunk = _prox(HoyerSquare(), norms, tau, single)
        expected = (W.reshape(5, 3).T * (shrunk / norms)).T
        np.testing.assert_allclose(x, expected, rtol=1e-13, atol=0)


@pytest.mark.parametrize("penalty", HOYER, ids=repr)
def test_hoyer_square_counts_and_has_no_scale(penalty, partition):
    partition = partition.of(penalty.groups_of)
    groups, lam = partition.groups(), torch.tensor([0.5], dtype=torch.float64)
    rng = np.random.RandomState(0)
    W = torch.from_numpy(rng.randn(1, len(partition.index)))
    value = penalty.value(W, groups, lam)
    for scale in (1e-9, 0.3, 1e9):
        torch.testing.assert_close(penalty.value(scale * W, groups, lam), value)
    same = groups.scale(W, 1 / groups.norm(W))
    n_penalised = partition.penalised.sum()
    assert float(penalty.value(same, groups, lam)) == pytest.approx(n_penalised / 2)
    # Moving along itself changes nothing, so that a step does not leave the sphere
    # through the origin and x.
    step = torch.ones((1, groups.n_groups), dtype=torch.float64)
    U = penalty.prox(W, groups, step, lam)
    assert float((U * (U - W)).sum().abs()) < 1e-12
    assert U.any()


def test_hoyer_square_of_many_float32_numbers(make_partition):
    n = 3000
    partition = make_partition([(n, 1, True)], None)
    y = (1 + 0.01 * np.random.RandomState(0).randn(n)).astype(np.float32)
    for tau in (1e-4, 1e-2, 0.4):
        single = _prox(HoyerSquare(), y, tau, partition, torch.float32)
        double = _prox(HoyerSquare(), y.astype(float), tau, partition)
        np.testing.assert_allclose(single, double, rtol=1e-6)
        # Of a thousand equal weights none goes before the others.
        assert single.all()


def _l1_minus_l2_minimum(y, tau, alpha):
    """Least (x - y)^2 / 2 + tau (l1 - alpha l2), over all supports.

    There x is along y - tau: shorter by alpha tau against it, or longer with it.
    """
    r = np.abs(y)
    best = (r**2).sum() / 2
    for support in _supports(len(y)):
        v = r[support] - tau
        length = np.linalg.norm(v)
        for stretched in (length + alpha * tau, length - alpha * tau):
            x = np.zeros(len(y))
            x[support] = v * (stretched / length if length else 0)
            if (x[support] > 0).all():
                value = tau * (x.sum() - alpha * np.linalg.norm(x))
                best = min(best, ((x - r) ** 2).sum() / 2 + value)
    return best


@pytest.mark.parametrize("alpha", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("n", [1, 2, 4])
def test_l1_minus_l2_is_the_best_of_all_supports(alpha, n, make_partition):
    partition = make_partition([(n, 1, True)], None)
    for y in _vectors(n):
        for tau in (0.01, 0.1, 0.77, 3.0, 50.0):
            x = _prox(L1MinusL2(alpha), y, tau, partition)
            value = np.abs(x).sum() - alpha * np.linalg.norm(x)
            found = ((x - y) ** 2).sum() / 2 + tau * value
            minimum = _l1_minus_l2_minimum(y, tau, alpha)
            assert found <= minimum + 1e-13 * (1 + (y**2).sum())
            if alpha == 1 and y.any():
                assert x.any()


def test_layers_do_not_know_each_other(make_partition):
    both = make_partition([(4, 1, True, 0), (3, 1, True, 1), (2, 1, False, 2)], None)
    first, second = (make_partition([(n, 1, True)], None) for n in (4, 3))
    y = np.random.RandomState(0).randn(9)
    for penalty in (HoyerSquare(), L1MinusL2()):
        x = _prox(penalty, y, 0.2, both)
        parts = _prox(penalty, y[:4], 0.2, first), _prox(penalty, y[4:7], 0.2, second)
        np.testing.assert_array_equal(x, np.concatenate([*parts, y[7:]]))
