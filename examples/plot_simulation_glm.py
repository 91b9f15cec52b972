r"""
Group lasso, SCAD and MCP next to the oracle
============================================

The group lasso finds the groups that matter, but it shrinks them, and to make up for
that it takes too many. SCAD [1]_ and MCP [2]_ stop shrinking a group whose norm is
large. How much this gains is measured here in a simulation with the three linear
estimators:

- 200 columns in 40 groups of 5, all standard normal. Some groups are active: their
  coefficients are standard normal, those of all others are zero;
- linear regression: 200 rows and normal noise; logistic and Poisson regression: 1000
  rows, and coefficients scaled so that :math:`X\beta` has standard deviation 1. Their
  noise is that of the response itself;
- for each penalty a path of 30 ``lam`` from the largest down, each fit from the one
  before. The model with the best score on as many further rows is chosen;
- the oracle is a fit without a penalty to the active groups alone.

This page shows linear regression with 4 levels of noise; given a number of repeats, the
script also varies the number of active groups, for all three responses. The error
is :math:`\|\hat\beta - \beta\| / \|\beta\|`; as the columns are uncorrelated, its
square is the part of the signal that is not predicted. The support is found if the
groups of the chosen model are the active ones, all of them and no others.

.. [1] J. Fan, R. Li, "Variable selection via nonconcave penalized likelihood and its
   oracle properties", JASA 96, 2001.
.. [2] C.-H. Zhang, "Nearly unbiased variable selection under minimax concave penalty",
   Annals of Statistics 38(2), 2010.
"""

# %%
# The three responses: the estimator, the rows, the values of ``lam``, how y is drawn
# from the signal, and how a model is scored.
import sys
import warnings

import matplotlib.pyplot as plt
import numpy as np
from scipy.special import expit
from sklearn.metrics import get_scorer

from skgroupnet import (
    GroupSparseLinearRegression,
    GroupSparseLogisticRegression,
    GroupSparsePoissonRegressor,
)

N_REPEATS = int(sys.argv[1]) if len(sys.argv) > 1 else 3
GROUPS = np.repeat(np.arange(40), 5)
PENALTIES = ("group_lasso", "group_scad", "group_mcp")
RESPONSES = {
    "linear": (
        GroupSparseLinearRegression,
        200,
        np.geomspace(15, 1e-5, 30),
        lambda rng, signal, noise: signal + noise * rng.normal(size=len(signal)),
        get_scorer("r2"),
    ),
    "logistic": (
        GroupSparseLogisticRegression,
        1000,
        np.geomspace(0.2, 2e-4, 30),
        lambda rng, signal, noise: rng.random(len(signal)) < expit(signal),
        get_scorer("neg_log_loss"),
    ),
    "Poisson": (
        GroupSparsePoissonRegressor,
        1000,
        np.geomspace(1, 1e-3, 30),
        lambda rng, signal, noise: rng.poisson(np.exp(signal)),
        get_scorer("neg_mean_poisson_deviance"),
    ),
}
# What varies on which axis: response, standard deviation of the noise, active groups.
NOISES = [("linear", noise, 7) for noise in (0.5, 1.0, 2.0, 4.0)]
PANELS = {("linear", "standard deviation of the noise"): NOISES}
if len(sys.argv) > 1:
    for name in RESPONSES:
        PANELS[name, "active groups of 40"] = [(name, 1.0, n) for n in (3, 7, 14)]
warnings.filterwarnings("ignore", "Nothing is left")  # at the largest lam


# %%
# One repeat of a setting. A fit from the last one reaches the same objective as a fit
# from the group lasso of the same ``lam``, for half the time.
def groups_of(beta):
    """Return which groups have a coefficient that is not zero."""
    return np.bincount(GROUPS, weights=beta != 0) > 0


def chosen_by_validation(penalty, response, X, y):
    """Return the coefficients of the best model of a path."""
    estimator, n_rows, lams, _, score = response
    train, validation = slice(None, n_rows), slice(n_rows, None)
    model = estimator(penalty=penalty, groups=GROUPS, tol=1e-3, warm_start=True)
    best, coef = -np.inf, None
    for lam in lams:
        model.set_params(lam=lam).fit(X[train], y[train])
        value = score(model, X[validation], y[validation])
        if value > best:
            best, coef = value, model.coef_.ravel()
    return coef


def repeat(setting, seed):
    """Return error, groups missed and groups too many of each model, (4, 3)."""
    name, noise, n_active = setting
    estimator, n_rows, _, draw_response, _ = response = RESPONSES[name]
    rng = np.random.default_rng(seed)
    active = rng.choice(40, n_active, replace=False)
    beta = rng.normal(size=200) * np.isin(GROUPS, active)
    if name != "linear":
        beta /= np.linalg.norm(beta)
    X = rng.normal(size=(2 * n_rows, 200))
    y = draw_response(rng, X @ beta, noise)

    coefs = [chosen_by_validation(penalty, response, X, y) for penalty in PENALTIES]
    oracle = estimator(penalty=None, tol=1e-6).fit(X[:n_rows, beta != 0], y[:n_rows])
    coefs.append(np.zeros(200))
    coefs[-1][beta != 0] = oracle.coef_.ravel()
    true = groups_of(beta)
    return [
        (
            np.linalg.norm(coef - beta) / np.linalg.norm(beta),
            np.sum(true & ~groups_of(coef)),
            np.sum(~true & groups_of(coef)),
        )
        for coef in coefs
    ]


results = {
    setting: np.array([repeat(setting, seed) for seed in range(N_REPEATS)])
    for setting in dict.fromkeys(sum(PANELS.values(), []))
}


# %%
# Means over the repeats with their standard errors.
def mean_and_error(values):
    """Return the mean over the repeats, and its standard error."""
    return values.mean(axis=0), values.std(axis=0, ddof=1) / np.sqrt(len(values))


def exact(result):
    """Return whether each model has found the support, (n_repeats, 4)."""
    return (result[:, :, 1:].sum(axis=2) == 0).astype(float)


MODELS = (*PENALTIES, "oracle")
print(f"{N_REPEATS} repeats\nresponse  noise  active  model", end="")
print("              error     support found    missed  too many")
for (name, noise, n_active), result in results.items():
    shown = f"{noise:.1f}" if name == "linear" else "-"
    for j, model in enumerate(MODELS):
        columns = [result[:, j, 0], exact(result)[:, j], *result[:, j, 1:].T]
        (error, e), (found, f), (missed, _), (extra, _) = map(mean_and_error, columns)
        print(
            f"{name:<9}{shown:>6}{n_active:>8}  {model:<12}{error:.3f} +- {e:.3f}"
            f"   {found:.2f} +- {f:.2f}{missed:>10.1f}{extra:>10.1f}"
        )

# %%
# SCAD and MCP come close to the oracle as long as the noise is not too strong, and take
# far fewer wrong groups at any noise.
STYLES = {
    "group lasso": ("#0072B2", "o-"),
    "group SCAD": ("#009E73", "s-"),
    "group MCP": ("#D55E00", "D-"),
    "oracle": ("0.4", "--"),
}


def draw(ax, at, values):
    """Draw one line for each model: values has shape (n_settings, n_repeats, 4)."""
    for j, (label, (colour, line)) in enumerate(STYLES.items()):
        means, bars = np.transpose([mean_and_error(v[:, j]) for v in values])
        style = {"color": colour, "label": label, "ms": 5, "capsize": 3}
        ax.errorbar(at, means, bars, fmt=line, **style)
    ax.spines[["top", "right"]].set_visible(False)


fig, axes = plt.subplots(
    len(PANELS),
    3,
    figsize=(11, 0.6 + 2.9 * len(PANELS)),
    layout="constrained",
    squeeze=False,
)
for ((name, xlabel), settings), row in zip(PANELS.items(), axes, strict=True):
    at = [noise if settings is NOISES else n for _, noise, n in settings]
    shown = [results[setting] for setting in settings]
    draw(row[0], at, [result[:, :, 0] for result in shown])
    draw(row[1], at, [exact(result) for result in shown])
    draw(row[2], at, [result[:, :, 1:].sum(axis=2) for result in shown])
    row[0].set(title=f"{name}: error", ylim=(0, None))
    row[1].set(title="support found", ylim=(-0.05, 1.05))
    row[2].set(title="groups missed or too many", ylim=(-1, None))
    for ax in row:
        ax.set_xlabel(xlabel)
        ax.set_xscale("log" if settings is NOISES else "linear")
        ax.set_xticks(at, [f"{value:g}" for value in at])
        ax.minorticks_off()
axes[0, 0].legend(frameon=False)
plt.show()
