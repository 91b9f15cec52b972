"""Next to LassoNet on MNIST: a path of 50 models, and its best one of 50 features.

10,000 images: 8,500 to train on, 1,500 to choose by (LassoNet stops on them, too). The
test set is MNIST's own. Both have two threads.

LassoNet runs on its own terms: its optimisers, epochs, patience and dense start, and
batches of 256 as in its authors' experiments. Two things spare it work: it is given 50
values, as its own would be more than 300, and where to begin, which it would look for
for minutes.

Each is debiased in its own way: our models by `finetune_iter`, in the time of the path;
LassoNet's, as in its authors' experiments, by training a dense one anew on the features
of the one that was chosen, in extra time. The same is done with ours to compare.

The data are read from ``mnist.npz`` in the folder that SKGROUPNET_DATA names::

    SKGROUPNET_DATA=folder python -m pytest tests/benchmarks/test_lassonet.py -s
"""

import os
import time

import numpy as np
import pytest

from skgroupnet import GroupSparseMLPClassifier
from skgroupnet.model_selection import regularization_path
from tests.benchmarks.test_speed_fit import NEVER
from tests.benchmarks.timing import at_most

pytestmark = [pytest.mark.benchmark, pytest.mark.filterwarnings("ignore")]

HIDDEN = (100,)
N_LAMS = 50
N_FEATURES = 50
N_JOBS = 2
FASTER = 20
# The first values leave all features, the last one none.
LASSONET_LAMS = np.geomspace(1, 700, N_LAMS)
OUR_LAMS = np.geomspace(5e-3, 7e-3, N_LAMS)


@pytest.fixture
def images(real_data):
    """Rows and classes to train on, to choose by and to test on."""
    data = real_data("mnist")
    X, y = data["X"].astype(np.float32) / 255, data["y"].astype(np.int64)
    order = np.random.RandomState(0).permutation(60_000)
    parts = order[:8_500], order[8_500:10_000], slice(60_000, None)
    return [(X[part], y[part]) for part in parts]


def our_path(training, validation, test):
    """Seconds, numbers of features, and the accuracy of the chosen model."""
    estimator = GroupSparseMLPClassifier(
        HIDDEN,
        learning_rate_init=3e-3,
        batch_size=128,
        max_iter=1,
        finetune_iter=40,
        random_state=0,
        **NEVER,
    )
    start = time.perf_counter()
    path = regularization_path(
        estimator,
        *training,
        lams=OUR_LAMS,
        X_val=validation[0],
        y_val=validation[1],
        n_jobs=N_JOBS,
    )
    seconds = time.perf_counter() - start
    chosen = path.select(max_features=N_FEATURES)
    return (
        seconds,
        path.n_active_features,
        chosen.n_active_features_,
        {"fine-tuned": chosen.score(*test)},
    )


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
    seconds = time.perf_counter() - start
    # The first one is the dense one that the path begins with.
    path = path[1:]
    n_features = np.array([int(item.selected.sum()) for item in path])
    small = [item for item, n in zip(path, n_features, strict=True) if n <= N_FEATURES]
    chosen = max(small, key=lambda item: model.load(item).score(X_val, y_val))
    accuracy = model.load(chosen).score(X_test, y_test)
    columns = chosen.selected.numpy()
    dense = lassonet().fit(
        X[:, columns], y, X_val=X_val[:, columns], y_val=y_val, dense_only=True
    )
    return (
        seconds,
        n_features,
        columns.sum(),
        {
            "as it is": accuracy,
            "trained anew": dense.score(X_test[:, columns], y_test),
        },
    )


def test_lassonet(images):
    pytest.importorskip("lassonet", reason="LassoNet, to compare with, is missing")
    with at_most(N_JOBS):
        ours, theirs = our_path(*images), lassonet_path(*images)
    # LassoNet's path ends when no feature is left.
    seconds = {"skgroupnet": ours[0], "LassoNet": theirs[0] * N_LAMS / len(theirs[1])}
    ratio = seconds["LassoNet"] / seconds["skgroupnet"]
    print(
        f"\n\nMNIST, 8,500 rows, 784-100-10, path of {N_LAMS} models, two threads, "
        f"load {os.getloadavg()[0]:.1f}"
        f"\n{'':<12}{'path, s':>9}{'features':>12}   at most {N_FEATURES} features"
    )
    for name, (_, n_features, n_chosen, scores) in zip(
        seconds, (ours, theirs), strict=True
    ):
        told = ", ".join(f"{how} {score:.4f}" for how, score in scores.items())
        print(
            f"{name:<12}{seconds[name]:>9.1f}"
            f"{f'{n_features.min()} to {n_features.max()}':>12}"
            f"   {n_chosen} features, test accuracy {told}"
        )
    print(f"ratio {ratio:.1f}, target {FASTER}", flush=True)
    assert ratio >= FASTER
    assert max(ours[3].values()) >= max(theirs[3].values())
