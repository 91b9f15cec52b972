"""Plain proximal gradient method for the convex penalties, in numpy."""

import numpy as np

from tests.fuzz.conditions import L1_RATIO, L1_WEIGHT, Regularizer, Rows

ITERATIONS = 300


def lower_objective(rows: Rows, regularizer: Regularizer, W, b, intercept) -> float:
    """By how much the method gets below the objective of a fit.

    Parameters
    ----------
    rows : Rows
        The rows.
    regularizer : Regularizer
        A convex penalty.
    W, b : ndarray of shape (p, k) and (k,)
        Coefficients and intercept of the fit.
    intercept : {"none", "free", "penalised"}
        What the intercept is.

    Returns
    -------
    float
        The difference, in units of the objective of the null model; at most zero where
        the fit is better.
    """
    groups = _Prox(regularizer, W.shape, intercept)
    with np.errstate(all="ignore"):
        best = _descend(rows, groups, intercept)
        flat = np.concatenate([W.ravel(), b]).astype(np.longdouble)
        raw = rows.X @ flat[: W.size].reshape(W.shape) + flat[W.size :]
        ours = rows.value(raw) + groups.value(flat)
        lower = float((ours - best) / _unit(rows, rows.null_raw(intercept == "free")))
    return lower if np.isfinite(lower) else 0.0


def _unit(rows: Rows, null_raw) -> float:
    """Objective of the null model, and no less than what rounding makes of it.

    Targets of one value leave nothing else: the terms of a sum in double precision are
    known to so many digits, and targets of squared error to half of theirs.
    """
    terms = 1 + abs(null_raw) if rows.loss == "poisson" else abs(rows.Y - null_raw)
    of_terms = 1e-9 * rows.mean(abs(rows.Y) * terms).sum()
    of_targets = np.finfo(float).eps * rows.mean(rows.Y**2).sum()
    return rows.value(null_raw) + of_terms + of_targets


class _Prox:
    """A convex penalty of the flat vector of all weights and intercepts."""

    def __init__(self, regularizer: Regularizer, shape, intercept) -> None:
        p, k = shape
        self.name, self.lam = regularizer.name, float(regularizer.lam)
        groups, free = regularizer.groups(shape)
        n_free = 0 if intercept == "penalised" and self.name != "none" else k
        groups += [np.array([p * k + i]) for i in range(k - n_free)]
        self.group = np.full(p * k + k, len(groups))
        for number, group in enumerate(groups):
            self.group[group] = number
        self.size = np.bincount(self.group, minlength=len(groups) + 1)
        name = self.name
        lasso = name in ("group_lasso", "sparse_group_lasso", "l1")
        ratio = L1_RATIO if name.endswith("elastic_net") else float(lasso)
        strength = 0.0 if name == "none" else self.lam
        penalised = np.arange(len(groups) + 1) < len(groups)
        self.norm = strength * ratio * np.sqrt(self.size) * penalised
        self.square = strength * (1 - ratio) * penalised
        each = L1_WEIGHT * strength * (name == "sparse_group_lasso")
        self.each = (each * penalised)[self.group]

    def norms(self, w):
        """Norm of each group."""
        return np.sqrt(np.bincount(self.group, w * w, len(self.size)))

    def value(self, w):
        """Penalty."""
        r = self.norms(w.astype(float))
        return (self.each * abs(w)).sum() + (
            self.norm * r + self.square * r * r / 2
        ).sum()

    def __call__(self, w, step):
        """Proximal point."""
        w = np.sign(w) * np.maximum(abs(w) - step * self.each, 0)
        r = self.norms(w)
        factor = np.maximum(1 - step * self.norm / np.where(r > 0, r, 1), 0)
        return w * (factor / (1 + step * self.square))[self.group]


def _descend(rows, prox, intercept):
    """Objective after steps of 1 / eta, which doubles until its bound holds."""
    n, k = rows.Y.shape
    columns = rows.centred() if intercept == "free" else rows.X
    X = np.hstack([columns, np.full((n, 1), float(intercept != "none"))])
    X, s, Y = X.astype(float), rows.s.astype(float), rows.Y.astype(float)
    fit = Rows(X, Y, s, rows.loss, rows.eps)
    w = np.zeros((X.shape[1], k))
    w[-1] = rows.null_raw(intercept == "free")[0]
    w, z, t = w.ravel(), w.ravel(), 1.0
    # Without a column that is not empty there is nothing to descend.
    eta = 1e-3 * float((s @ (X * X)).sum()) or 1.0
    for _ in range(ITERATIONS):
        f = X @ z.reshape(-1, k)
        value = fit.value(f)
        g = ((X * s[:, None]).T @ (fit.predicted(f) - Y)).ravel()
        for _ in range(200):
            x = prox(z - g / eta, 1 / eta)
            move = x - z
            bound = value + g @ move + eta * (move @ move) / 2
            if fit.value(X @ x.reshape(-1, k)) <= bound + 1e-13 * abs(value):
                break
            eta *= 2
        t = 1.0 if (z - x) @ (x - w) > 0 else t
        t, beta = (1 + np.sqrt(1 + 4 * t * t)) / 2, t - 1
        w, z = x, x + beta / t * (x - w)
    return fit.value(X @ w.reshape(-1, k)) + prox.value(w)
