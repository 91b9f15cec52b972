"""Proximal operators in compiled steps are those of the penalties, for every step."""

from itertools import product

import numpy as np
import pytest

from skgroupnet.engine import SGD, Problem, Settings, compiled, plan
from skgroupnet.network import Network
from skgroupnet.penalties import L2, PENALTIES, SparseGroupLasso, get_penalty

pytestmark = pytest.mark.skipif(
    compiled._step is None, reason="the compiled step is not built"
)

LAMS = (0.0, 1e-8, 0.01, 0.3, 10.0)
# Up to and beyond all bounds of convexity: 3, 2.7 and 4.7, 1 and 2, ...
RATES = (1e-4, 0.5, 1.99, 2.69, 2.71, 3.0, 4.71, 50.0, 1e4)
SCALES = (1e-30, 1e-3, 1.0, 100.0, 1e15)
COMPILED = [name for name, cls in PENALTIES.items() if cls in plan.SHRINKS]
# Where the root of a polynomial is small, digits are lost: on either side.
DIGITS = {np.float32: 3e-4, np.float64: 1e-11}


@pytest.fixture
def at_rest(both, make_model):
    """Shrink weights by one step without a gradient, in torch and compiled.

    One network for every strength, step and scale; returns them, and pairs of fits.
    """

    def at_rest(penalty, dtype):
        random, models = np.random.RandomState(0), []
        for lam, rate, scale in product(LAMS, RATES, SCALES):
            sizes = scale * np.exp(2 * random.randn(42, 1))
            sizes[5] = 0
            W = (sizes[:-1] * random.randn(41, 3)).astype(dtype)
            b = (sizes[-1] * random.randn(3)).astype(dtype)
            start = Network((W,), (b,), "identity", "identity")
            models.append(make_model(start, lam, rate))
        X, y = np.zeros((1, 41), dtype), np.zeros((1, 3), dtype)
        labels = np.append(np.arange(40), 3)
        labels[[0, 1, 20]] = -1
        problem = Problem(
            X, y, "squared_error", penalty, labels, penalize_bias=True,
            fit_intercept=False,
        )  # fmt: skip
        return models, both(problem, models, Settings(SGD(0.0), max_iter=1, tol=0))

    return at_rest


@pytest.mark.parametrize("dtype", DIGITS)
@pytest.mark.parametrize("name", COMPILED)
def test_every_step_length(name, dtype, at_rest, flat):
    models, pairs = at_rest(get_penalty(name), dtype)
    shrunk = zeros = 0
    for model, (reference, fit) in zip(models, pairs, strict=True):
        before = np.abs(flat(model.start).astype(float))
        expected, found = (flat(f.network).astype(float) for f in (reference, fit))
        assert fit.outcome == reference.outcome == "max_iter"
        # Not relative to itself alone: near its knots a prox is a difference.
        scale = np.maximum(np.abs(expected), 1e-3 * before)
        np.testing.assert_array_less(
            np.abs(found - expected), DIGITS[dtype] * scale + np.finfo(dtype).tiny
        )
        assert not found[before == 0].any()
        if name not in ("none", "l2"):
            np.testing.assert_array_equal(found == 0, expected == 0)
        shrunk += (np.abs(found) < before).sum()
        zeros += ((found == 0) & (before > 0)).sum()
    assert shrunk > 300 or name == "none"
    assert zeros > 300 or name in ("none", "l2")


def test_every_penalty_of_norms_is_compiled():
    others = {cls for cls in plan.SHRINKS if cls not in PENALTIES.values()}
    assert {cls.__name__ for cls in others} == {"FixedZeros"}
    assert {L2, SparseGroupLasso} <= {PENALTIES[name] for name in COMPILED}
    assert len(COMPILED) >= 23
