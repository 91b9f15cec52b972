r"""
Right and wrong groups of features in a network
===============================================

:ref:`A linear model <sphx_glr_auto_examples_plot_strong_group_sparsity.py>` errs the
less, the more coordinates are in their right group. Here is the same question for a
network with a hidden layer, which the report [1]_ behind that example left open. The
design:

- 200 rows to train on, as many to choose ``lam`` on, and 2000 to test; 128 standard
  normal features in 16 groups of 8;
- two groups matter, drawn at random. Each adds three rectified linear functions of
  its features, with standard normal directions and coefficients:
  :math:`f(x) = \sum_{g} \sum_{k=1}^{3} c_{gk} \max(0, v_{gk}^\top x_g)`. It is scaled
  to variance 1, and the noise has standard deviation 0.3;
- a network of 30 neurons with the group lasso, 60 epochs of Adam, for 8 values of
  ``lam``, which are trained side by side; of these the one with the smallest error on
  the second 200 rows is taken;
- the groups of a share of the features, drawn at random, are right, and the labels of
  the others are permuted among them. "No groups" makes every feature one of its own.

The error is that of the prediction against the noiseless :math:`f` on the test rows,
relative to the variance of :math:`f`.

.. [1] K. Chen, Z. Dai, H. Pan, Y. Sheng, "Benefit of group sparsity in deep learning",
   report, 2020.
"""

# %%
# One draw: the same data and the same initial weights for all groupings. The script
# takes the number of draws as an argument.
import sys
import warnings

import matplotlib.pyplot as plt
import numpy as np

from skgroupnet import GroupSparseMLPRegressor
from skgroupnet.model_selection import regularization_path

N_DRAWS = int(sys.argv[1]) if len(sys.argv) > 1 else 20
N_ROWS, N_TEST, N_FEATURES, GROUP_SIZE, N_ACTIVE = 200, 2000, 128, 8, 2
SHARES = (1.0, 0.75, 0.5, 0.25, 0.0)
LAMS = np.geomspace(0.03, 0.001, 8)


def make_data(rng, right):
    """Return X, f(X) and a noisy y; the groups of right are those that f knows."""
    X = rng.normal(size=(2 * N_ROWS + N_TEST, N_FEATURES))
    f = np.zeros(len(X))
    for group in rng.choice(right.max() + 1, N_ACTIVE, replace=False):
        directions = rng.normal(size=(GROUP_SIZE, 3))
        f += np.maximum(X[:, right == group] @ directions, 0) @ rng.normal(size=3)
    f = (f - f.mean()) / f.std()
    return X, f, f + 0.3 * rng.normal(size=len(X))


def errors(X, f, y, groups, seed):
    """Return the test error for every lam, (n_lams,), and that of the chosen one."""
    train, validation, test = np.split(np.arange(len(X)), [N_ROWS, 2 * N_ROWS])
    network = GroupSparseMLPRegressor(
        (30,),
        groups=groups,
        learning_rate="cosine",
        learning_rate_init=0.02,
        batch_size=20,
        max_iter=60,
        tol=0.0,
        n_iter_no_change=np.inf,
        random_state=seed,
    )
    path = regularization_path(
        network,
        X[train],
        y[train],
        lams=LAMS,
        X_val=X[validation],
        y_val=y[validation],
    )
    deviations = [model.predict(X[test]) - f[test] for model in path.estimators]
    curve = np.mean(np.square(deviations), axis=1) / np.var(f[test])
    return curve, curve[path.scores.argmax()]


def draw(seed):
    """Return the errors of one draw, (n_curves, n_lams), and of the chosen lam."""
    rng = np.random.default_rng(seed)
    right = np.repeat(np.arange(N_FEATURES // GROUP_SIZE), GROUP_SIZE)
    X, f, y = make_data(rng, right)
    order = rng.permutation(N_FEATURES)
    groupings = []
    for share in SHARES:
        wrong = order[round(share * N_FEATURES) :]
        groupings.append(right.copy())
        groupings[-1][wrong] = rng.permutation(right[wrong])
    fits = [errors(X, f, y, groups, seed) for groups in [*groupings, None]]
    return [curve for curve, _ in fits], [chosen for _, chosen in fits]


warnings.filterwarnings("ignore", "Training stopped")  # epochs are the schedule's
drawn = [draw(seed) for seed in range(N_DRAWS)]
error = np.array([curves for curves, _ in drawn])
chosen = np.array([values for _, values in drawn])


# %%
# The error at the chosen ``lam``, and by how much it grows when another quarter of the
# features gets a wrong group. The gaps are paired, as every draw has all groupings.
def mean(values):
    """Write a mean over the draws with its standard error."""
    spread = np.std(values, ddof=1) / np.sqrt(len(values))
    return f"{np.mean(values):.3f} +- {spread:.3f}"


print(f"{N_DRAWS} draws\nright groups      test error    gap to the next")
for j, share in enumerate(SHARES):
    gap = mean(chosen[:, j + 1] - chosen[:, j]) if j + 1 < len(SHARES) else ""
    print(f"{share:>12.0%}  {mean(chosen[:, j])}  {gap:>17}")
print(f"{'no groups':>12}  {mean(chosen[:, -1])}")
print(f"no groups less 100%:  {mean(chosen[:, -1] - chosen[:, 0])}")

# %%
# The order is that of the linear model. Right groups beat none; with a quarter of the
# features in a wrong one, it is better not to have any. Points are means over the
# draws, bars their standard errors, and the thin lines single draws.
fig, (left, ax) = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
colours = plt.colormaps["viridis"](np.linspace(0, 0.85, len(SHARES)))
for share, colour, curve in zip(SHARES, colours, error.mean(axis=0), strict=False):
    left.plot(LAMS, curve, "o-", ms=4, color=colour, lw=2, label=f"{share:.0%} right")
left.plot(LAMS, error[:, -1].mean(axis=0), "--", color="0.4", label="no groups")
left.set(xscale="log", xlabel="lam", ylabel="error on the test rows", ylim=(0, None))
left.set_title("Mean error for every lam")
left.legend(frameon=False)

ax.plot(SHARES, chosen[:, :-1].T, color="0.85", lw=1)
spread = chosen.std(axis=0, ddof=1) / np.sqrt(N_DRAWS)
average = chosen.mean(axis=0)
for place, colour, centre, bar in zip(SHARES, colours, average, spread, strict=False):
    ax.errorbar(place, centre, bar, fmt="o", ms=8, capsize=4, lw=2, color=colour)
ax.axhline(average[-1], color="0.4", ls="--")
ax.text(-0.03, average[-1], "no groups", color="0.4", va="top")
ax.set(xlabel="share in the right group", ylim=(0, None), xticks=SHARES)
ax.xaxis.set_major_formatter("{x:.0%}")
ax.set_title("Error at the chosen lam")
for axes in (left, ax):
    axes.spines[["top", "right"]].set_visible(False)
plt.show()
