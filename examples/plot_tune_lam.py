"""
Tune lam in one run
===================

Nobody knows the right ``lam`` beforehand. `GroupSparseMLPClassifierCV` trains the
networks of all values and all folds side by side, in one run: here 20 values on the
handwritten digits, times 5 folds, and then one network on all rows with the value that
was chosen.

With ``selection="1se"`` it is not the value with the best score, but the one with the
smallest networks among those whose score is within one standard error of the best.
"""

# %%
# The grid of values is found from the data: from the smallest ``lam`` that leaves
# nothing of the network, down to a thousandth of it.
import time

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skgroupnet import GroupSparseMLPClassifierCV
from skgroupnet.plotting import RegularizationPathDisplay

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X / 16, y, stratify=y, random_state=0
)
model = GroupSparseMLPClassifierCV(
    (100,),
    lams=20,
    cv=5,
    selection="1se",
    learning_rate="cosine",
    learning_rate_init=0.02,
    batch_size=32,
    max_iter=40,
    tol=0.0,
    random_state=0,
)
start = time.perf_counter()
model.fit(X_train, y_train)
seconds = time.perf_counter() - start

# %%
# What was tried, and what came of it.
n_lams, n_folds = model.scores_.shape
print(f"{n_lams * n_folds + 1} networks in {seconds:.1f} s")
print(f"best mean accuracy over the folds  {model.scores_.mean(axis=1).max():.3f}")
print(f"chosen lam                         {model.lam_:.2g}")
print(f"accuracy on the test part          {model.score(X_test, y_test):.3f}")
print(model.summary())

# %%
# Above, the mean accuracy over the folds, with its standard error, and the band of one
# standard error below the best; below, what is left of the networks. The legend counts
# what is left, on average over the folds, at the value that was chosen.
display = RegularizationPathDisplay.from_estimator(model)
display.ax_.set_title("64-100-10 networks on handwritten digits")
plt.show()
