"""
Smaller networks at the same accuracy
=====================================

How many neurons, inputs and parameters does a network for handwritten digits need?  A
pipeline of a scaler and a group-sparse network is trained on scikit-learn's digits
(1797 images of 8 x 8 pixels) over a range of penalty strengths ``lam``, with the group
lasso and with the sparse group lasso, next to two references: the same network without
a penalty, and logistic regression.

For every model the table shows what is left of the 64-100-10 network after pruning,
how long the compact network takes to predict the 540 test rows (one thread, median of
20), and by how much its raw predictions differ from those of the network it was cut
from.
"""

# %%
# The data, split once; the test part is looked at for the table only.
import time

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from skgroupnet import GroupSparseLogisticRegression, GroupSparseMLPClassifier

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=0.3, stratify=y, random_state=0
)


# %%
# Train one model, prune it and measure what is left.
def row(name, lam, classifier):
    """Return one line of the table."""
    pipeline = make_pipeline(StandardScaler(), classifier).fit(X_train, y_train)
    trained = pipeline[-1]
    compact = trained.prune()
    scaled = pipeline[:-1].transform(X_test)
    seconds = []
    with threadpool_limits(1):
        for _ in range(20):
            start = time.perf_counter()
            compact.predict(scaled)
            seconds.append(time.perf_counter() - start)
    return {
        "penalty": name,
        "lam": lam,
        "test accuracy": pipeline.score(X_test, y_test),
        "neurons": trained.n_active_neurons_,
        "features": trained.n_active_features_,
        "parameters": trained.n_active_parameters_,
        "predict [us]": 1e6 * np.median(seconds),
        "pruned - unpruned": trained.summary(scaled).difference,
    }


def network(penalty, lam):
    """Return a network that is fine-tuned without the penalty once it is pruned."""
    return GroupSparseMLPClassifier(
        (100,),
        penalty=penalty,
        lam=lam,
        learning_rate="cosine",
        learning_rate_init=5e-3,
        batch_size=64,
        max_iter=60,
        tol=0.0,
        finetune_iter=15,
        random_state=0,
    )


table = [
    row("none (dense)", 0.0, network(None, 0.0)),
    row("logistic, l2", 1e-3, GroupSparseLogisticRegression(penalty="l2", lam=1e-3)),
]
for penalty in ("group_lasso", "sparse_group_lasso"):
    for lam in np.geomspace(3e-4, 6e-3, 10):
        table.append(row(penalty, lam, network(penalty, lam)))

# %%
# Every network predicts the same after pruning, up to the rounding of float32.
columns = list(table[0])
formats = ["{:<19}", "{:>8.1e}", "{:>14.4f}", "{:>8}", "{:>9}", "{:>11}"]
formats += ["{:>13.0f}", "{:>18.1e}"]
widths = [19, 8, 14, 8, 9, 11, 13, 18]
print(" ".join(f"{c:>{w}}" for c, w in zip(columns, widths, strict=True)))
for line in table:
    cells = zip(formats, line.values(), strict=True)
    print(" ".join(form.format(value) for form, value in cells))

# %%
# Accuracy against size: up and to the left is better.
fig, ax = plt.subplots(figsize=(7, 4.5), layout="constrained")
styles = {"group_lasso": ("o", "C0"), "sparse_group_lasso": ("s", "C1")}
for penalty, (marker, colour) in styles.items():
    lines = [line for line in table if line["penalty"] == penalty]
    size = [line["parameters"] for line in lines]
    score = [line["test accuracy"] for line in lines]
    ax.plot(size, score, marker=marker, color=colour, label=penalty.replace("_", " "))
for line, marker, colour in ((table[0], "*", "k"), (table[1], "D", "C2")):
    ax.plot(
        line["parameters"],
        line["test accuracy"],
        marker,
        color=colour,
        markersize=11,
        label=f"{line['penalty']}: {line['test accuracy']:.3f}",
    )
ax.set_xscale("log")
sizes = [500, 1000, 2000, 4000, 8000]
ax.set_xticks(sizes, labels=[f"{size:,}" for size in sizes])
ax.minorticks_off()
ax.set_ylim(0.94, 1.0)
ax.set_xlabel("parameters of the compact network")
ax.set_ylabel("test accuracy")
ax.set_title("Handwritten digits, 64-100-10 network")
ax.grid(alpha=0.3)
ax.legend(loc="lower right")
fig.savefig("accuracy_against_size.png", dpi=120)
plt.show()
