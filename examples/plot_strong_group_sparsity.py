r"""
How right must the groups be?
=============================

A group penalty helps if the coefficients that are not zero come in groups, and if the
groups given are those groups. How much of the help is left when only a share of the
coordinates is in its right group? This is figure 3 of [1]_, whose authors do not say
how they drew it. The design here:

- linear regression, 128 rows, 256 columns, :math:`y = X \beta + \varepsilon`, with
  standard normal :math:`X` and :math:`\varepsilon`;
- 64 groups of 4 coordinates; in 8 of them, drawn at random, :math:`\beta` is standard
  normal, in the others zero. So 32 coordinates carry the signal, whose standard
  deviation is 5.7 times that of the noise;
- the model is given other groups: a share of the coordinates, drawn at random, keeps
  its right label, and the labels of the others are permuted among them. Sizes and
  number of the groups stay the same, and a coordinate that is wrong at one share is
  wrong at all smaller ones;
- the error is :math:`\|\hat\beta - \beta\| / \|\beta\|`, for 18 values of ``lam``.

A signal is strongly group-sparse [2]_ if few groups, of k coordinates in all, cover its
support. [1]_ measures how right groups are by :math:`\|\beta\|_0 / k`, which is printed
for each share, too.

.. [1] K. Chen, Z. Dai, H. Pan, Y. Sheng, "Benefit of group sparsity in deep learning",
   report, 2020.
.. [2] J. Huang, T. Zhang, "The benefit of group sparsity", Annals of Statistics 38(4),
   2010.
"""

# %%
# One draw: the same data for all groupings, and a path of warm starts for each. The
# script takes the number of draws as an argument; more than 10 change little.
import sys
import warnings

import matplotlib.pyplot as plt
import numpy as np

from skgroupnet import GroupSparseLinearRegression

N_DRAWS = int(sys.argv[1]) if len(sys.argv) > 1 else 10
N_ROWS, N_FEATURES, GROUP_SIZE, N_ACTIVE = 128, 256, 4, 8
warnings.filterwarnings("ignore", "Nothing is left")  # at the largest lam
SHARES = (1.0, 0.75, 0.5, 0.25, 0.0)
LAMS = np.geomspace(1.5, 0.015, 18)


def errors(X, y, beta, penalty, groups):
    """Return the relative error of the coefficients for every lam, (n_lams,)."""
    model = GroupSparseLinearRegression(
        penalty=penalty, groups=groups, fit_intercept=False, tol=1e-4, warm_start=True
    )
    fits = (model.set_params(lam=lam).fit(X, y).coef_ for lam in LAMS)
    return [np.linalg.norm(fit - beta) / np.linalg.norm(beta) for fit in fits]


def draw(seed):
    """Return the errors of one draw, (n_curves, n_lams), and norm0 / k, (n_shares,)."""
    rng = np.random.default_rng(seed)
    right = np.repeat(np.arange(N_FEATURES // GROUP_SIZE), GROUP_SIZE)
    active = rng.choice(right.max() + 1, N_ACTIVE, replace=False)
    beta = rng.normal(size=N_FEATURES) * np.isin(right, active)
    X = rng.normal(size=(N_ROWS, N_FEATURES))
    y = X @ beta + rng.normal(size=N_ROWS)

    order = rng.permutation(N_FEATURES)
    curves, correctness = [], []
    for share in SHARES:
        wrong = order[round(share * N_FEATURES) :]
        groups = right.copy()
        groups[wrong] = rng.permutation(groups[wrong])
        curves.append(errors(X, y, beta, "group_lasso", groups))
        covered = np.isin(groups, groups[beta != 0])
        correctness.append(np.count_nonzero(beta) / np.count_nonzero(covered))
    curves.append(errors(X, y, beta, "l1", None))
    return curves, correctness


drawn = [draw(seed) for seed in range(N_DRAWS)]
error = np.array([curves for curves, _ in drawn])
correctness = np.mean([share for _, share in drawn], axis=0)

# %%
# The smallest error of every draw, on average: it falls with every quarter of the
# coordinates that is right. The gaps are paired, as every draw has all curves.
minima = error.min(axis=2)


def mean(values):
    """Write a mean over the draws with its standard error."""
    spread = np.std(values, ddof=1) / np.sqrt(len(values))
    return f"{np.mean(values):.3f} +- {spread:.3f}"


print(f"{N_DRAWS} draws\nright groups  norm0/k  smallest error    gap to the next")
for j, share in enumerate(SHARES):
    gap = mean(minima[:, j + 1] - minima[:, j]) if j + 1 < len(SHARES) else ""
    print(f"{share:>12.0%}  {correctness[j]:>7.2f}  {mean(minima[:, j])}  {gap:>17}")
print(f"{'lasso':>12}  {'':>7}  {mean(minima[:, -1])}")

# %%
# Right groups save a quarter of the error of the lasso, which knows of no groups. With
# a quarter of the coordinates in wrong ones nothing is gained any more, and with more
# of them groups do harm: they drag in coordinates that are zero.
fig, ax = plt.subplots(figsize=(7, 4.5), layout="constrained")
colours = plt.colormaps["viridis"](np.linspace(0, 0.85, len(SHARES)))
average = error.mean(axis=0)
for share, colour, curve in zip(SHARES, colours, average, strict=False):
    ax.plot(LAMS, curve, color=colour, lw=2)
    best = curve.argmin()
    ax.plot(LAMS[best], curve[best], "o", color=colour, markersize=7)
    end = (0.95 * LAMS[-1], curve[-1])
    ax.annotate(f"{share:.0%}", end, color=colour, ha="right", va="center")
lowest = average[-1].min()
ax.hlines(lowest, LAMS[-1], LAMS[0], color="0.4", ls="--", lw=1.2)
ax.text(1.5, lowest, "lasso at its best", color="0.4", ha="right", va="bottom")
ax.text(LAMS[-1], 0.55, "in the right group:", ha="center", color="0.2")
ax.set(xscale="log", xlim=(0.0085, 1.7), ylim=(0, 1.05), xlabel="lam")
ax.set_ylabel(r"error $\|\hat\beta - \beta\| \,/\, \|\beta\|$")
ax.set_title("Group lasso with right and wrong groups")
ax.spines[["top", "right"]].set_visible(False)
plt.show()
