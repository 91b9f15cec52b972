"""
The step of the update is the step of the shrinkage
===================================================

Adam divides every gradient by the root of its own second moment. A group penalty
shrinks the rows of a weight matrix by a threshold that is proportional to a step
length. If that step is the learning rate, while the gradient took a far longer one,
training does not minimise the objective: the penalty is swamped, and no row becomes
zero.

skgroupnet gives all weights of a group one common second moment, and shrinks the group
with exactly the step that its update took. Here both variants are written out in numpy
for a convex problem, multinomial logistic regression with a group lasso, whose optimum
a full-batch solver finds independently.
"""

# %%
# Three classes, twenty features, of which five carry information.

import matplotlib.pyplot as plt
import numpy as np
from scipy.special import log_softmax, softmax
from sklearn.datasets import make_classification
from sklearn.preprocessing import StandardScaler

from skgroupnet import GroupSparseLogisticRegression

X, y = make_classification(
    n_samples=600,
    n_features=20,
    n_informative=5,
    n_redundant=0,
    n_classes=3,
    random_state=0,
)
X = StandardScaler().fit_transform(X)
Y = np.eye(3)[y]
LAM = 0.03
THRESHOLD = LAM * np.sqrt(3)  # a group is a row of three weights


def objective(W):
    """Mean cross-entropy plus the group lasso of the rows of W (20, 3)."""
    loss = -np.mean(np.sum(Y * log_softmax(X @ W, axis=1), axis=1))
    return loss + THRESHOLD * np.linalg.norm(W, axis=1).sum()


# %%
# The optimum, from the estimator's accelerated proximal gradient method.

model = GroupSparseLogisticRegression(
    lam=LAM, solver="fista", fit_intercept=False, tol=1e-8, max_iter=10_000
).fit(X, y)
optimum = objective(model.coef_.T)
print(f"distance from stationarity   {model.stationarity_gap_:.1e}")
print(f"objective                    {optimum:.6f}")
print(f"features kept                {model.n_active_features_}")


# %%
# Adam with full batches and a step that decreases, in both variants. They differ in
# one line: the second moment of a weight, or the mean second moment of its row; and
# so in the step that the shrinkage uses.


def shrink(W, step):
    """Scale each row of W (20, 3) by (1 - step * threshold / norm), at least 0."""
    norms = np.linalg.norm(W, axis=1, keepdims=True)
    with np.errstate(divide="ignore"):
        return W * np.maximum(1 - step * THRESHOLD / norms, 0)


def adam(shared, n_iter=3000, rate=0.03):
    """Train from zero; return the weights and the objective of every step."""
    W = np.zeros((20, 3))
    mean, second, curve = np.zeros_like(W), np.zeros_like(W), []
    for t in range(1, n_iter + 1):
        gradient = X.T @ (softmax(X @ W, axis=1) - Y) / len(X)
        mean = 0.9 * mean + 0.1 * gradient
        square = gradient**2
        if shared:
            square = np.broadcast_to(square.mean(axis=1, keepdims=True), W.shape)
        second = 0.999 * second + 0.001 * square
        lr = rate / np.sqrt(t)
        step = lr / (np.sqrt(second / (1 - 0.999**t)) + 1e-8)
        W = W - step * mean / (1 - 0.9**t)
        W = shrink(W, step[:, :1] if shared else lr)
        curve.append(objective(W))
    return W, curve


labels = {
    False: "a second moment per weight, shrinkage by the learning rate",
    True: "a second moment per group, shrinkage by the group's step",
}
_, ax = plt.subplots(layout="constrained")
for shared, label in labels.items():
    W, curve = adam(shared)
    kept = int(np.count_nonzero(np.linalg.norm(W, axis=1)))
    print(f"{label}: objective {curve[-1]:.6f}, {kept} features kept")
    ax.plot(range(1, len(curve) + 1), curve, label=f"{label}: {kept} features")
ax.axhline(optimum, color="black", linestyle=":", label="optimum")
ax.set(xlabel="step", ylabel="objective", xscale="log", ylim=(None, 1.15))
ax.legend(fontsize="small")
plt.show()

# %%
# Only the second one solves the problem. The estimators use it for every update
# (Adam, AdaMax, RMSprop, SGD with momentum) and for networks of any depth.
