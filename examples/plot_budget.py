"""
The best network within a budget
================================

Sometimes it is not the score that decides, but what a network may cost: so many
sensors, so many parameters. `regularization_path` trains a network for each of many
values of ``lam``, all at once, and returns them in a table. `RegularizationPath.select`
picks the best one within a budget, fitted and pruned.

Here the inputs are the 64 pixels of handwritten digits. Of the 7510 parameters of the
network at most 1000 are allowed, or of the pixels at most half.
"""

# %%
# Train on one part, score on a second one; a third is for the network that is picked.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skgroupnet import GroupSparseMLPClassifier
from skgroupnet.model_selection import regularization_path
from skgroupnet.plotting import RegularizationPathDisplay

X, y = load_digits(return_X_y=True, as_frame=True)
X, X_test, y, y_test = train_test_split(X / 16, y, stratify=y, random_state=0)
X_train, X_val, y_train, y_val = train_test_split(X, y, stratify=y, random_state=0)
path = regularization_path(
    GroupSparseMLPClassifier(
        (100,),
        learning_rate="cosine",
        learning_rate_init=0.02,
        batch_size=32,
        max_iter=60,
        finetune_iter=20,
        tol=0.0,
        random_state=0,
    ),
    X_train,
    y_train,
    lams=np.geomspace(3e-4, 8e-3, 30),
    X_val=X_val,
    y_val=y_val,
)
print(path)

# %%
# The best of all, and the best within each budget.
for budget in ({}, {"max_parameters": 1000}, {"max_features": 32}):
    model = path.select(**budget)
    print(
        f"{budget or 'no budget'}\n    lam {model.lam:.2g}, "
        f"{model.n_active_features_} pixels, {model.n_active_neurons_} neurons, "
        f"{model.n_active_parameters_} parameters, "
        f"accuracy on the test part {model.score(X_test, y_test):.3f}"
    )

# %%
# A path also tells in which order the features enter as ``lam`` falls. The brighter a
# pixel, the earlier it enters, and a white one never does. Those of the last network
# are framed.
fig, axes = plt.subplots(
    1, 2, figsize=(10, 4.6), width_ratios=(1.4, 1), layout="constrained"
)
RegularizationPathDisplay.from_path(
    path, lam=model.lam, score_name="validation accuracy", ax=axes[0]
)
place = {name: number for number, name in enumerate(path.order_of_entry(), 1)}
order = np.array([place.get(name, np.nan) for name in X]).reshape(8, 8)
image = axes[1].imshow(order, cmap="viridis_r")
for row, column in np.argwhere(model.get_support().reshape(8, 8)):
    frame = plt.Rectangle((column - 0.5, row - 0.5), 1, 1, fill=False, color="k", lw=2)
    axes[1].add_patch(frame)
axes[1].set(title="order of entry of the pixels", xticks=[], yticks=[])
fig.colorbar(image, ax=axes[1], shrink=0.7)
plt.show()
