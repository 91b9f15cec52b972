r"""
All penalties: values, shrinkage, unit balls, patterns
======================================================

A penalty is a function of the norm r of a group, or of the size of a single weight.
What it does to the network is decided by its proximal operator, which every step of
training ends with: :math:`s(r) = \arg\min_{s \geq 0} (s - r)^2 / (2t) + p(s)` with the
step t. Where s is flat at zero, groups vanish; where it meets the diagonal, they are
left as they are.

:doc:`The page on penalties </penalties>` has the formulas and says when to use which.
"""

# %%
# Values and shrinkage
# --------------------
# Every scalar penalty with its default settings, ``lam`` 1 and the step 1/2. Those of
# the first row are convex, and shrink large weights as much as small ones, or more.
# Those of the second row shrink large weights less and less, and those of the third
# leave weights above some size alone.
import warnings

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LightSource, Normalize
from sklearn.datasets import make_classification
from sklearn.preprocessing import scale

from skgroupnet import GroupSparseMLPClassifier
from skgroupnet.penalties import SparseGroupLasso, get_penalty
from skgroupnet.penalties.groups import Block, Groups

BLUE, VERMILION = "#0072B2", "#D55E00"
ROWS = [
    ["l2", "elastic_net", "l1"],
    ["transformed_l1", "log", "l23", "l12"],
    ["scad", "mcp", "capped_l1", "l0"],
]

# Each r is the only weight of one network of a stack.
r = torch.linspace(0, 4, 2001, dtype=torch.float64)[:, None]
one_weight = Groups([Block(1, 1, penalised=True)], like=r)
lam, step = torch.ones(len(r), dtype=r.dtype), torch.full_like(r, 0.5)


def draw(ax, curve, color):
    """Draw a curve (2001,), with a gap wherever it jumps."""
    curve = curve.numpy().copy()
    curve[1:][np.diff(curve) > 0.05] = np.nan
    ax.plot(r, curve, color=color, lw=2)


fig, axes = plt.subplots(
    3, 4, figsize=(10, 7.8), sharex=True, sharey=True, layout="constrained"
)
for names, row in zip(ROWS, axes, strict=True):
    for name, ax in zip(names, row, strict=False):
        penalty = get_penalty(name)
        ax.plot(r, r, color="0.75", lw=1, ls="--")
        draw(ax, penalty.value(r, one_weight, lam), BLUE)
        draw(ax, penalty.prox(r, one_weight, step, lam)[:, 0], VERMILION)
        ax.set(title=name, xlim=(0, 4), ylim=(-0.1, 4))
        ax.spines[["top", "right"]].set_visible(False)
for ax in axes[-1]:
    ax.set_xlabel("r")
key = axes[0, -1]
key.set_axis_off()
key.plot([], [], color=BLUE, lw=2, label="value p(r)")
key.plot([], [], color=VERMILION, lw=2, label="shrinkage s(r)")
key.plot([], [], color="0.75", ls="--", label="unchanged")
key.legend(loc="center", frameon=False, fontsize=12)
plt.show()

# %%
# Unit balls
# ----------
# Where the penalty of three weights is as large as that of (0, 0, 1), if the first two
# are a group and the third is one of its own. A minimum on such a surface is most
# often at a sharp edge or at a tip, where weights or groups are zero. Lasso: every
# weight by itself. Group lasso: round in the plane of the group, so that it goes or
# stays as a whole. Sparse group lasso: both. The tips and edges of the nonconvex
# penalties are hollow, which makes them sharper.


def groups_of(penalty, W):
    """Return the groups {0, 1} and {2} of three weights, or each weight by itself."""
    merged = None if penalty.groups_of == "weights" else np.array([0, 0, 1])
    return Groups([Block(3, 1, penalised=True)], W, merged=merged)


def unit_ball(penalty, lam=1.0):
    """Return the points (n, m, 3) of the surface, on rays from the origin."""
    longitude, latitude = np.meshgrid(
        np.linspace(0, 2 * np.pi, 121), np.linspace(-np.pi / 2, np.pi / 2, 81)
    )
    rays = np.stack(
        [
            np.cos(latitude) * np.cos(longitude),
            np.cos(latitude) * np.sin(longitude),
            np.sin(latitude),
        ],
        axis=-1,
    ).reshape(-1, 3)
    W = torch.as_tensor(rays)
    strength = torch.full((len(W),), lam, dtype=W.dtype)
    groups = groups_of(penalty, W)
    level = penalty.value(W.new_tensor([[0, 0, 1]]), groups, strength[:1])
    low, high = W.new_zeros(len(W)), W.new_ones(len(W))
    for _ in range(40):
        middle = (low + high) / 2
        outside = penalty.value(middle[:, None] * W, groups, strength) > level
        low, high = low.where(outside, middle), middle.where(outside, high)
    return (low[:, None] * W).numpy().reshape(*longitude.shape, 3)


def show_sphere_axes(ax, title):
    """Leave nothing but the surface, as large as it fits."""
    ax.set(title=title, xlim=(-1, 1), ylim=(-1, 1), zlim=(-1, 1))
    ax.set_box_aspect((1, 1, 1), zoom=1.35)
    ax.set_axis_off()
    ax.view_init(18, 35)


SURFACE = {"rstride": 1, "cstride": 1, "linewidth": 0, "antialiased": False}
SURFACE |= {"lightsource": LightSource(azdeg=120, altdeg=40)}
BALLS = {
    "l2": ("l2", 1.0),
    "lasso": ("l1", 1.0),
    "group lasso": ("group_lasso", 1.0),
    "sparse group lasso": ("sparse_group_lasso", 1.0),
    "group MCP": ("group_mcp", 0.5),
    "group log": ("group_log", 1.0),
    "group l23": ("group_l23", 1.0),
    "group l12": ("group_l12", 1.0),
}
fig, axes = plt.subplots(
    2, 4, figsize=(11, 5.8), subplot_kw={"projection": "3d"}, layout="constrained"
)
for (title, (name, lam)), ax in zip(BALLS.items(), axes.flat, strict=True):
    x, y, z = np.moveaxis(unit_ball(get_penalty(name), lam), -1, 0)
    ax.plot_surface(x, y, z, color="#56B4E9", **SURFACE)
    show_sphere_axes(ax, title)
plt.show()

# %%
# Hoyer-square has no ball: it does not change when all weights are multiplied by the
# same number. It is the effective number of weights or, in its group form, of groups,
# drawn here as a colour on the sphere: 1 at the tips, where one of them is left, and
# largest where all are equally long.
rays = unit_ball(get_penalty("l2"))
W = torch.as_tensor(rays.reshape(-1, 3))
fig, axes = plt.subplots(
    1, 2, figsize=(7.5, 3.4), subplot_kw={"projection": "3d"}, layout="constrained"
)
for name, ax in zip(["hoyer_square", "group_hoyer_square"], axes, strict=True):
    penalty = get_penalty(name)
    value = penalty.value(W, groups_of(penalty, W), torch.ones(len(W), dtype=W.dtype))
    colours = plt.colormaps["viridis"]((value.reshape(rays.shape[:2]) - 1) / 2)
    x, y, z = np.moveaxis(rays, -1, 0)
    ax.plot_surface(x, y, z, facecolors=colours, **SURFACE, shade=False)
    show_sphere_axes(ax, name)
scale_of = ScalarMappable(Normalize(1, 3), "viridis")
fig.colorbar(scale_of, ax=axes, shrink=0.7, ticks=[1, 2, 3], label="value")
plt.show()

# %%
# Weight patterns
# ---------------
# What becomes zero in a network: 12 features, of which the first 6 matter, 16 neurons
# and 3 classes. A square is a weight of the first layer; white ones are zero, or lead
# to a neuron that is gone. The lasso leaves holes everywhere. The group lasso empties
# whole rows, which removes the features, and whole rows of the second layer, which
# removes the neurons; what it leaves is dense. The sparse group lasso does so too, and
# makes holes in the other rows.
X, y = make_classification(
    n_samples=1000,
    n_features=12,
    n_informative=6,
    n_redundant=0,
    n_classes=3,
    class_sep=1.2,
    shuffle=False,
    random_state=3,
)
X = scale(X)
PATTERNS = {
    "lasso": ("l1", 0.009),
    "group lasso": ("group_lasso", 0.009),
    "sparse group lasso": (SparseGroupLasso(l1_weight=3.0), 0.003),
}
warnings.filterwarnings("ignore", "Training stopped")  # epochs are the schedule's
fig, axes = plt.subplots(1, 3, figsize=(10, 3.6), layout="constrained")
for (name, (penalty, lam)), ax in zip(PATTERNS.items(), axes, strict=True):
    network = GroupSparseMLPClassifier(
        (16,),
        penalty=penalty,
        lam=lam,
        learning_rate="cosine",
        learning_rate_init=0.02,
        batch_size=1000,
        max_iter=1500,
        tol=0.0,
        n_iter_no_change=np.inf,
        random_state=0,
    ).fit(X, y)
    weights = np.abs(network.coefs_[0]) * network.active_neurons_[1]
    shown = np.ma.masked_equal(weights, 0.0)
    ax.imshow(shown, cmap="Blues", vmin=-0.3 * shown.max(), vmax=shown.max())
    ax.set_xticks(np.arange(17) - 0.5, [])
    ax.set_yticks(np.arange(13) - 0.5, [])
    ax.grid(color="0.9", lw=0.8)
    ax.tick_params(length=0)
    ax.set(xlabel="16 neurons", ylabel="12 features")
    ax.set_title(
        f"{name}\n{np.count_nonzero(weights)} weights, "
        f"{network.n_active_features_} features, {network.n_active_neurons_} neurons\n"
        f"training accuracy {network.score(X, y):.2f}",
        fontsize=10,
    )
plt.show()
