"""Next to LassoNet on MNIST: a path of 50 models, and its best one of 50 features.

10,000 images: 8,500 to train on, 1,500 to choose by (LassoNet stops on them, too). The
test set is MNIST's own.

LassoNet runs on its own terms: its optimisers, epochs, patience and dense start, on two
threads, in batches of 256 as in its authors' experiments. Two things spare it work: it
is given 50 values, as its own would be more than 300, and where to begin, which it
would look for for minutes. Our path is warm, too, one model after the other on one
thread: an epoch with the penalty and ten of fine-tuning for each.

The models are compared as they come from the path, and trained anew: as in the authors'
experiments, a dense network of the features of the chosen model, until the accuracy
(LassoNet: the loss) on the 1,500 rows gets no better. This takes extra time.

The data are read from ``mnist.npz`` in the folder that SKGROUPNET_DATA names::

    SKGROUPNET_DATA=folder python -m pytest tests/benchmarks/test_lassonet.py -s
"""

import os
import time

import numpy as np
import pytest

from skgroupnet import GroupSparseMLPClassifier
from skgroupnet.model_selection import regularization_path
from tests.benchmarks.timing import at_most

pytestmark = [pytest.mark.benchmark, pytest.mark.filterwarnings("ignore")]

HIDDEN = (100,)
N_LAMS = 50
N_FEATURES = 50
FASTER = 20
# The first values leave all features, the last one none.
LASSONET_LAMS = np.geomspace(1, 700, N_LAMS)
OUR_LAMS = np.geomspace(3e-3, 5e-2, N_LAMS)


@pytest.fixture
def images(real_data):
    """Rows and classes to train on, to choose by and to test on."""
    data = real_data("mnist")
    X, y = data["X"].astype(np.float32) / 255, data["y"].astype(np.int64)
    order = np.random.RandomState(0).permutation(60_000)
    parts = order[:8_500], order[8_500:10_000], slice(60_000, None)
    return [(X[part], y[part]) for part in parts]


def ours(**params):
    return GroupSparseMLPClassifier(HIDDEN, batch_size=128, random_state=0, **params)


def our_path(training, validation, test):
    """Seconds, numbers of features, and the accuracy of the chosen model."""
    (X, y), (X_val, y_val), (X_test, y_test) = training, validation, test
    start = time.perf_counter()
    path = regularization_path(
        ours(learning_rate_init=5e-4, max_iter=1, finetune_iter=10),
        X,
        y,
        lams=OUR_LAMS,
        X_val=X_val,
        y_val=y_val,
        warm_start=True,
    )
    seconds = time.perf_counter() - start
    chosen = path.select(max_features=N_FEATURES)
    columns = chosen.feature_importances_ > 0
    dense = ours(lam=0.0, early_stopping=True).fit(
        X[:, columns], y, X_val=X_val[:, columns], y_val=y_val
    )
    accuracies = chosen.score(X_test, y_test), dense.score(X_test[:, columns], y_test)
    return seconds, path.n_active_features, columns.sum(), accuracies


def lassonet(**params):
    from lassonet import LassoNetClassifier

    return LassoNetClassifier(
        hidden_dims=HIDDEN,
        batch_size=256,
        random_state=0,
        torch_seed=0,
        verbose=0,
        **params,
    )


def lassonet_path(training, validation, test):
    """Seconds, numbers of features, and the accuracy of the chosen model."""
    (X, y), (X_val, y_val), (X_test, y_test) = training, validation, test
    model = lassonet()
    start = time.perf_counter()
    path = model.path(
        X,
        y,
        X_val=X_val,
        y_val=y_val,
        lambda_seq=LASSONET_LAMS.tolist(),
        return_state_dicts=True,
    )
    # The first one is the dense one that the path begins with; it ends when no feature
    # is left.
    path = path[1:]
    seconds = (time.perf_counter() - start) * N_LAMS / len(path)
    n_features = np.array([int(item.selected.sum()) for item in path])
    small = [item for item, n in zip(path, n_features, strict=True) if n <= N_FEATURES]
    chosen = max(small, key=lambda item: model.load(item).score(X_val, y_val))
    accuracy = model.load(chosen).score(X_test, y_test)
    columns = chosen.selected.numpy()
    dense = lassonet().fit(
        X[:, columns], y, X_val=X_val[:, columns], y_val=y_val, dense_only=True
    )
    accuracies = accuracy, dense.score(X_test[:, columns], y_test)
    return seconds, n_features, columns.sum(), accuracies


def test_lassonet(images):
    pytest.importorskip("lassonet", reason="LassoNet, to compare with, is missing")
    with at_most(2):
        results = {"skgroupnet": our_path(*images), "LassoNet": lassonet_path(*images)}
    print(
        f"\n\nMNIST, 8,500 rows, 784-100-10, path of {N_LAMS} models, load "
        f"{os.getloadavg()[0]:.1f}; test accuracy with at most {N_FEATURES} features"
        f"\n{'':<12}{'path, s':>9}{'features':>12}{'chosen':>8}{'as it is':>10}"
        f"{'trained anew':>14}"
    )
    for name, (seconds, n_features, n_chosen, accuracies) in results.items():
        print(
            f"{name:<12}{seconds:>9.1f}{f'{n_features.max()}-{n_features.min()}':>12}"
            f"{n_chosen:>8}{accuracies[0]:>10.4f}{accuracies[1]:>14.4f}"
        )
    ratio = results["LassoNet"][0] / results["skgroupnet"][0]
    print(f"ratio {ratio:.1f}, target {FASTER}", flush=True)
    assert ratio >= FASTER
    # Each against its like, of those that have the same number of features at most.
    assert results["skgroupnet"][3][0] >= results["LassoNet"][3][0]
    assert results["skgroupnet"][3][1] >= results["LassoNet"][3][1]
