r"""The objective of a linear model and its stationarity, in numpy from the formulas.

Nothing of the package is used. With weights s_i of mean 1, the raw prediction
f = X W + b and the output map h, the objective is

    mean_i s_i loss(f_i, y_i) + R(W; lam)

and W, b are stationary if, for every group g, the negative gradient of the mean loss is
in the subdifferential of R. What is measured is the distance from it, relative to

    sqrt(sum over the columns of g of their weighted variance) * rms(h(f_0) - y),

the largest gradient that the group can have at the null model f_0, the intercept alone,
by the inequality of Cauchy and Schwarz. Without a free intercept f_0 is zero; then,
and for a column of one value, the second moment takes the place of the variance. With a
free intercept the gradient is taken about the means of the columns, and that of the
intercept is measured for itself: both vanish together or not at all, but only the
former is not swamped by means that are far from zero.

Numbers are long doubles: 64 bits of mantissa on x86, those of a double elsewhere.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import issparse

REAL = np.longdouble
# Settings of the penalties, their defaults in the package.
L1_RATIO, L1_WEIGHT, GAMMA, A, TRANSFORMED_A, LOG_EPS = 0.5, 1.0, 3.0, 3.7, 1.0, 0.1

# Numbers are given rounded to the dtype: a column whose deviations are no more than so
# many roundings of its mean has one value, as far as can be known.
CONSTANT = 4


@dataclass(frozen=True)
class Rows:
    """Rows, targets and weights as the formulas have them.

    Parameters
    ----------
    X : ndarray of shape (n, p)
        The rows.
    Y : ndarray of shape (n, k)
        Targets, one column per output.
    s : ndarray of shape (n,)
        Weights of sum 1.
    loss : str
        Name of the loss.
    eps : float
        Rounding of the dtype of the fit.
    """

    X: np.ndarray
    Y: np.ndarray
    s: np.ndarray
    loss: str
    eps: float

    def predicted(self, f):
        """Output map h of the raw prediction."""
        if self.loss == "linear":
            return f
        if self.loss == "poisson":
            return np.exp(f)
        if self.loss == "multinomial":
            e = np.exp(f - f.max(axis=1, keepdims=True))
            return e / e.sum(axis=1, keepdims=True)
        return np.exp(-np.logaddexp(0, -f))

    def value(self, f):
        """Mean loss; that of Poisson is zero at best."""
        Y = self.Y
        if self.loss == "linear":
            each = (f - Y) ** 2 / 2
        elif self.loss == "poisson":
            each = np.exp(f) - Y * f + Y * np.log(np.where(Y > 0, Y, 1)) - Y
        elif self.loss == "multinomial":
            top = f.max(axis=1, keepdims=True)
            each = np.log(np.exp(f - top).sum(axis=1, keepdims=True)) + top
            each = each - (f * Y).sum(axis=1, keepdims=True)
        else:
            each = np.logaddexp(0, f) - f * Y
        return (self.s @ each).sum()

    def shaken(self, f, size):
        """Change of h for changes of the raw prediction of this size, at most."""
        h = self.predicted(f)
        if self.loss == "linear":
            return size
        if self.loss == "poisson":
            return h * size
        if self.loss == "multinomial":
            return h * (size + (h * size).sum(axis=1, keepdims=True))
        return h * (1 - h) * size

    def mean(self, a):
        """Weighted mean over the rows."""
        return self.s @ a

    def centred(self):
        """The rows about their mean; columns of one value are zero to the bit."""
        mean = self.mean(self.X)
        X = self.X - mean
        constant = self.mean(X * X) <= (CONSTANT * self.eps * mean) ** 2
        return np.where(constant, 0, X)

    def spread(self, centred):
        """Size of each column: about its mean, unless it has but one value."""
        X = self.centred() if centred else self.X
        variance = self.mean(X * X)
        return np.sqrt(np.where(variance > 0, variance, self.mean(self.X**2)))

    def error_size(self, intercept):
        """Size of the errors of the null model, which are known to half the digits."""
        null = self.predicted(self.null_raw(intercept)) - self.Y
        floor = np.finfo(float).eps * self.mean(self.Y**2).sum()
        return np.sqrt(self.mean(null * null).sum() + floor)

    def null_raw(self, intercept):
        """Raw prediction of the model of an intercept alone, or of nothing."""
        if not intercept:
            return np.zeros_like(self.Y)
        mean = np.maximum(self.mean(self.Y), np.finfo(float).tiny)
        if self.loss == "linear":
            mean = self.mean(self.Y)
        elif self.loss in ("poisson", "multinomial"):
            mean = np.log(mean)
        else:
            mean = np.log(mean) - np.log(np.maximum(1 - mean, np.finfo(float).tiny))
        return np.broadcast_to(mean, self.Y.shape)


def rows_of(loss, X, y, weight) -> Rows:
    """Rows of a problem; classes become columns of 0 and 1."""
    eps = float(np.finfo(X.dtype).eps)
    X = (X.toarray() if issparse(X) else X).astype(REAL)
    n = len(y)
    if loss == "multinomial":
        classes, codes = np.unique(y, return_inverse=True)
        y = np.eye(len(classes))[codes]
    s = np.ones(n) if weight is None else weight
    s = s.astype(REAL)
    return Rows(X, y.reshape(n, -1).astype(REAL), s / s.sum(), loss, eps)


@dataclass(frozen=True)
class Regularizer:
    """A penalty, its strength and its groups.

    Parameters
    ----------
    name : str
        Name of the penalty.
    lam : float
        Its strength.
    labels : ndarray of int of shape (p,) or None
        Groups of the columns; -1 is unpenalised.
    """

    name: str
    lam: float
    labels: np.ndarray | None

    @property
    def by_weight(self):
        """Whether each weight is a group."""
        return not (self.name.startswith("group_") or self.name == "sparse_group_lasso")

    def groups(self, shape):
        """Index arrays of the penalised groups of a matrix; then the free weights."""
        p, k = shape
        numbers = np.arange(p * k).reshape(p, k)
        labels = np.arange(p) if self.labels is None else self.labels
        penalised = labels >= 0 if self.name != "none" else np.zeros(p, dtype=bool)
        if self.by_weight:
            groups = [np.array([i]) for i in numbers[penalised].ravel()]
        else:
            found = np.unique(labels[penalised])
            groups = [numbers[labels == g].ravel() for g in found]
        return groups, numbers[~penalised].ravel()

    def slope(self, r, lam):
        """Derivative of the scalar function of the norm, from the right at zero."""
        name = self.name.removeprefix("group_")
        if name in ("l1", "lasso", "sparse_group_lasso"):
            return lam
        if name == "l2":
            return lam * r
        if name == "elastic_net":
            # The ridge part of the group form is not weighted by the size.
            return L1_RATIO * lam + (1 - L1_RATIO) * self.lam * r
        if name == "mcp":
            return max(lam - r / GAMMA, 0)
        if name == "scad":
            return min(lam, max(A * lam - r, 0) / (A - 1))
        if name == "transformed_l1":
            return lam * TRANSFORMED_A * (TRANSFORMED_A + 1) / (TRANSFORMED_A + r) ** 2
        assert name == "log", self.name
        return lam / (r + LOG_EPS)

    def distance(self, w, g):
        """Distance of -g from the subdifferential at the weights w of one group."""
        lam = REAL(self.lam)
        if self.name == "sparse_group_lasso":
            soft = np.sign(g) * np.maximum(abs(g) - L1_WEIGHT * lam, 0)
            g = np.where(w == 0, soft, g + L1_WEIGHT * lam * np.sign(w))
        r = np.sqrt((w * w).sum())
        slope = self.slope(r, lam * np.sqrt(REAL(len(w))))
        if r == 0:
            return max(np.sqrt((g * g).sum()) - slope, REAL(0))
        return np.sqrt(((g + slope * w / r) ** 2).sum())


@dataclass(frozen=True)
class Violation:
    """How far a point is from stationarity.

    Parameters
    ----------
    largest : float
        Largest violation of a group, relative to its scale.
    rounding : float
        Violation, in the same units, by coefficients, raw predictions and targets that
        are rounded to the dtype of the fit.
    where : str
        Which group it is.
    """

    largest: float
    rounding: float
    where: str


def violation(rows: Rows, regularizer: Regularizer, W, b, intercept) -> Violation:
    """Violation of the conditions of stationarity by W (p, k) and b (k,).

    Parameters
    ----------
    rows : Rows
        The rows.
    regularizer : Regularizer
        The penalty.
    W, b : ndarray of shape (p, k) and (k,)
        Coefficients and intercept.
    intercept : {"none", "free", "penalised"}
        What the intercept is.

    Returns
    -------
    Violation
    """
    W, b = W.astype(REAL), b.astype(REAL)
    f = rows.X @ W + b
    errors = rows.predicted(f) - rows.Y
    scale = rows.error_size(intercept == "free")
    X = rows.centred() if intercept == "free" else rows.X
    spread = rows.spread(intercept == "free")
    G = (X * rows.s[:, None]).T @ errors
    wide = np.repeat(spread[:, None], W.shape[1], axis=1).ravel()
    found = []
    groups, free = regularizer.groups(W.shape)
    for group in groups:
        d = regularizer.distance(W.ravel()[group], G.ravel()[group])
        size = np.sqrt((spread[np.unique(group // W.shape[1])] ** 2).sum())
        found.append((d, size, f"group {group.tolist()}"))
    found += [(abs(G.ravel()[i]), wide[i], f"free weight {i}") for i in free]
    found += _of_intercept(regularizer, b, rows.mean(errors), intercept)
    size = abs(rows.X) @ abs(W) + abs(b)
    shaken = rows.eps * (abs(rows.Y) + rows.shaken(f, size))
    rounding = np.sqrt(rows.mean((shaken * shaken).sum(axis=1)))
    return _worst(found, scale, rounding)


def _of_intercept(regularizer, b, gradient, intercept):
    """Distances of the intercepts, each a group of one."""
    if intercept == "none":
        return []
    if intercept == "free" or regularizer.name == "none":
        return [(abs(g), 1, f"intercept {k}") for k, g in enumerate(gradient)]
    return [
        (regularizer.distance(b[k : k + 1], gradient[k : k + 1]), 1, f"intercept {k}")
        for k in range(len(b))
    ]


def _worst(found, scale, rounding):
    """Largest distance by scale; where both are zero there is none."""
    tiny = np.finfo(float).tiny
    worst = max(found, key=lambda entry: entry[0] / max(entry[1], tiny), default=None)
    if worst is None:
        return Violation(0.0, 0.0, "")
    scale = max(scale, tiny)
    largest = worst[0] / max(worst[1], tiny) / scale
    return Violation(float(largest), float(rounding / scale), worst[2])
