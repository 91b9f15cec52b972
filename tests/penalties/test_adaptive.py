"""Weights of the adaptive group lasso, from the norms of a first fit."""

import numpy as np

from skgroupnet.penalties import AdaptiveGroupLasso


def test_factors_are_powers_of_the_norms():
    norms = np.array([0.5, 2.0, 4.0])
    np.testing.assert_allclose(AdaptiveGroupLasso().factors(norms), [2, 0.5, 0.25])
    squares = AdaptiveGroupLasso(gamma=2.0).factors(norms)
    np.testing.assert_allclose(squares, [4, 0.25, 0.0625])


def test_groups_that_were_zero_stay_zero():
    norms = np.array([0.0, 1e-300, 1e-9, 1.0], dtype=np.float64)
    factors = AdaptiveGroupLasso().factors(norms)
    np.testing.assert_allclose(factors, [1e10, 1e10, 1e9, 1])
    assert AdaptiveGroupLasso().factors(norms.astype("f")).dtype == np.float64
