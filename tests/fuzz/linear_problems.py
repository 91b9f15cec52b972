"""Problems for linear models, each drawn from its seed alone."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.sparse import csc_array, csr_array

CONVEX = (
    "none",
    "l1",
    "l2",
    "elastic_net",
    "group_lasso",
    "group_elastic_net",
    "sparse_group_lasso",
)
CONCAVE = ("mcp", "scad", "group_mcp", "group_scad", "transformed_l1", "group_log")
LOSSES = ("linear", "logistic", "multinomial", "multilabel", "poisson")


@dataclass
class LinearProblem:
    """What a linear model is fitted to.

    Parameters
    ----------
    seed : int
        Number of the problem.
    traits : set of str
        What is particular about it.
    loss : str
        One of `LOSSES`.
    X : {ndarray, sparse array} of shape (n, p)
        The rows.
    y : ndarray of shape (n,) or (n, k)
        The targets.
    weight : ndarray of shape (n,) or None
        The row weights.
    labels : ndarray of int of shape (p,) or None
        Groups of the columns; -1 is unpenalised.
    parameters : dict
        Parameters of the estimator, but for its groups.
    """

    seed: int
    traits: set[str]
    loss: str
    X: Any
    y: np.ndarray
    weight: np.ndarray | None
    labels: np.ndarray | None
    parameters: dict = field(default_factory=dict)


def draw(seed: int) -> LinearProblem:
    """Draw a problem.

    Parameters
    ----------
    seed : int
        Its number.

    Returns
    -------
    LinearProblem
    """
    rng = np.random.default_rng([14, seed])
    traits: set[str] = set()
    n, p = _size(rng, 3, 80), _size(rng, 1, 40)
    loss = str(rng.choice(LOSSES))
    sparse = rng.random() < 0.3
    Z = _columns(rng, n, p, sparse, traits)
    y = _targets(rng, loss, Z, traits)
    weight = _weights(rng, loss, y, traits)
    dtype = np.dtype(np.float32 if rng.random() < 0.3 else np.float64)
    X = _layout(rng, _scaled(rng, Z, traits).astype(dtype), sparse, traits)
    labels = _groups(rng, p, traits)
    parameters = _parameters(rng, loss, traits)
    if n < p:
        traits.add("n < p")
    traits |= {loss, dtype.name}
    problem = LinearProblem(seed, traits, loss, X, y, weight, labels, parameters)
    parameters["relative_lam"] = _relative_lam(rng, traits)
    return problem


def _size(rng, low, high):
    """Number between two others, of any order of magnitude alike."""
    return int(round(np.exp(rng.uniform(np.log(low), np.log(high)))))


def _columns(rng, n, p, sparse, traits):
    """Columns of spread 1, some of them degenerate."""
    Z = rng.normal(size=(n, p))
    if rng.random() < 0.2:
        Z = (Z > rng.uniform(-1, 1, size=p)).astype(float)
        traits.add("0/1 columns")
    if sparse:
        Z *= rng.random((n, p)) < rng.choice([0.05, 0.2, 0.6])
    if rng.random() < 0.15:
        Z[:, rng.integers(p)] = rng.choice([1.0, 7.7])
        traits.add("constant column")
    if p > 1 and rng.random() < 0.2:
        from_, to = rng.choice(p, 2, replace=False)
        Z[:, to] = Z[:, from_]
        traits.add("duplicated column")
    if p > 2 and rng.random() < 0.15:
        a, b, c = rng.choice(p, 3, replace=False)
        Z[:, c] = Z[:, a] + Z[:, b]
        traits.add("collinear columns")
    if rng.random() < 0.15:
        Z[:, rng.integers(p)] = 0
        traits.add("empty column")
    return Z


def _scaled(rng, Z, traits):
    """The columns in other units and far from zero."""
    Z = Z.copy()
    if rng.random() < 0.3:
        offset = float(rng.choice([1.0, 1e3, 1e6]))
        columns = rng.random(Z.shape[1]) < rng.choice([0.3, 1.0])
        Z[:, columns] += offset
        traits.add(f"offset {offset:g}")
    kind = rng.choice(
        ["one", "common", "columns", "columns apart"], p=[0.5, 0.2, 0.2, 0.1]
    )
    if kind == "common":
        Z *= 10 ** rng.uniform(-8, 8)
    elif kind != "one":
        reach = 2 if kind == "columns" else 8
        Z *= 10 ** rng.uniform(-reach, reach, size=Z.shape[1])
    if kind != "one":
        traits.add(f"X scale: {kind}")
    return Z


def _layout(rng, X, sparse, traits):
    """Dense in one of two orders, or sparse."""
    if not sparse:
        order = str(rng.choice(["C", "F"]))
        traits.add(f"dense {order}")
        return np.asarray(X, order=order)
    kind = str(rng.choice(["csr", "csc"], p=[0.8, 0.2]))
    traits.add(kind)
    return csr_array(X) if kind == "csr" else csc_array(X)


def _targets(rng, loss, Z, traits):
    """Targets that a few of the columns explain."""
    n, p = Z.shape
    k = {"linear": rng.choice([1, 1, 2, 3]), "poisson": rng.choice([1, 1, 2, 3])}.get(
        loss, rng.integers(3, 6) if loss == "multinomial" else rng.integers(2, 5)
    )
    k = 1 if loss == "logistic" else int(k)
    beta = rng.normal(size=(p, k)) * (rng.random((p, 1)) < max(3 / p, 0.2))
    signal = Z @ beta
    signal /= max(1.0, signal.std() / 1.5)
    exact = rng.random() < 0.1
    noise = 0.0 if exact else 1.0
    if exact:
        traits.add("no noise")
    if loss == "linear":
        return _numbers(rng, signal + noise * rng.normal(size=(n, k)), traits)
    if loss == "poisson":
        return _counts(rng, rng.poisson(np.exp(np.minimum(signal, 6))), traits)
    raw = signal + noise * rng.logistic(size=(n, k))
    return _classes(rng, loss, raw, traits)


def _numbers(rng, y, traits):
    if rng.random() < 0.05:
        y = np.full_like(y, rng.normal())
        traits.add("constant y")
    if rng.random() < 0.2:
        offset = float(rng.choice([1.0, 1e3, 1e6]))
        y = y + offset
        traits.add(f"y offset {offset:g}")
    return _in_units(rng, y, traits)


def _counts(rng, y, traits):
    if rng.random() < 0.05:
        y = np.ones_like(y)
        traits.add("constant y")
    if not y.any():
        y[0] = 1
    return _in_units(rng, y.astype(float), traits)


def _in_units(rng, y, traits):
    if rng.random() < 0.3:
        y = y * 10 ** rng.uniform(-8, 8)
        traits.add("y scale")
    return y[:, 0] if y.shape[1] == 1 else y


def _classes(rng, loss, raw, traits):
    n, k = raw.shape
    if loss == "multilabel":
        y = (raw > 0).astype(int)
        y[0], y[1] = 1, 0
        return y
    y = (raw[:, 0] > 0).astype(int) if loss == "logistic" else raw.argmax(axis=1)
    rare = rng.random() < 0.15
    if rare:
        y[:] = 0
        traits.add("classes of one row")
    n_classes = 2 if loss == "logistic" else 3
    # As many classes as the loss is for, of one row at least.
    y[rng.choice(n, n_classes, replace=False)] = np.arange(n_classes)
    return y


def _weights(rng, loss, y, traits):
    n = len(y)
    kind = rng.choice(
        ["none", "random", "zeros", "scaled", "exposures"],
        p=[0.5, 0.1, 0.15, 0.15, 0.1],
    )
    if kind == "none":
        return None
    traits.add(f"weights: {kind}")
    weight = rng.uniform(0.1, 2, size=n)
    if kind == "zeros":
        weight = weight * (rng.random(n) < 0.7)
        # Each class, and each kind of count, keeps a row.
        weight[np.unique(y, axis=0, return_index=True)[1][:12]] = 1.0
    elif kind == "scaled":
        weight = weight * 10 ** rng.uniform(-6, 6)
    elif kind == "exposures":
        weight = rng.lognormal(0, 2, size=n)
    return weight


def _groups(rng, p, traits):
    kind = rng.choice(["none", "blocks", "unpenalised"], p=[0.4, 0.4, 0.2])
    if kind == "none":
        return None
    traits.add(f"groups: {kind}")
    labels = np.repeat(np.arange(p), rng.integers(1, 6, size=p))[:p]
    if kind == "unpenalised":
        labels[rng.random(p) < rng.choice([0.1, 0.5])] = -1
    return rng.permutation(labels)


def _parameters(rng, loss, traits):
    penalty = str(rng.choice(CONVEX if rng.random() < 0.8 else CONCAVE))
    solver = str(rng.choice(["auto", "fista", "admm"], p=[0.6, 0.2, 0.2]))
    fit_intercept = bool(rng.random() < 0.75)
    penalize_bias = bool(fit_intercept and rng.random() < 0.1)
    if penalize_bias:
        traits.add("penalize_bias")
    elif not fit_intercept:
        traits.add("no intercept")
    traits |= {penalty, f"solver {solver}"}
    return {
        "penalty": penalty,
        "solver": solver,
        # Some hundred iterations of ADMM solve most problems; a thousand take seconds.
        "max_iter": 200 if solver == "admm" else 1000,
        "fit_intercept": fit_intercept,
        "penalize_bias": penalize_bias,
    }


def _relative_lam(rng, traits):
    """Strength of the penalty, in units of the one that leaves nothing."""
    if rng.random() < 0.1:
        traits.add("lam = 0")
        return 0.0
    relative = 10 ** rng.uniform(-4, np.log10(2))
    if relative >= 1:
        traits.add("lam >= lam_max")
    return relative
