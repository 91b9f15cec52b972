"""LassoNet as a peer: it leaves inputs out, all else of the network stays."""

import time
import warnings

import numpy as np

from skgroupnet.network import Network
from skgroupnet.pruning import prune
from tests.benchmarks.evidence.splits import HIDDEN, TRAINING

# It takes minutes: not all rows, a short path, and one seed of the large data sets.
N_ROWS = 5_000
N_SEEDS = {"sdd": 3, "cover": 1, "mnist": 1, "digits": 1}
# The first leaves all inputs, the last a few.
LAMS = {
    "sdd": np.geomspace(30, 400, 12),
    "cover": np.geomspace(20, 300, 12),
    "mnist": np.geomspace(20, 400, 12),
    "digits": np.geomspace(20, 400, 12),
}
# At most; it stops early, with the patience that is its default, on validation rows.
N_EPOCHS = (200, 30)


def lassonet(split, settings, epochs=None):
    """A path of `LassoNetClassifier` with the hidden layers of all others.

    `epochs` is not used: it stops early.
    """
    if split.seed >= N_SEEDS[split.name]:
        return []
    from lassonet import LassoNetClassifier

    start = time.perf_counter()
    n_rows = min(len(split.train.y), N_ROWS)
    rows = np.random.RandomState(split.seed).permutation(len(split.train.y))[:n_rows]
    classes, codes = np.unique(split.train.y, return_inverse=True)
    model = LassoNetClassifier(
        hidden_dims=HIDDEN,
        batch_size=TRAINING[split.name].batch_size,
        n_iters=(2, 1) if settings.quick else N_EPOCHS,
        random_state=split.seed,
        torch_seed=split.seed,
        verbose=0,
    )
    with warnings.catch_warnings():
        # That the path begins where features disappear.
        warnings.simplefilter("ignore")
        path = model.path(
            split.train.X[rows],
            codes[rows],
            X_val=split.validation.X,
            y_val=np.searchsorted(classes, split.validation.y),
            lambda_seq=LAMS[split.name][:: 6 if settings.quick else 1].tolist(),
            return_state_dicts=True,
        )
    seconds = (time.perf_counter() - start) / len(path)
    return [
        {**_row(split, classes, model.load(item), n_rows, item), "seconds": seconds}
        for item in path
    ]


def _row(split, classes, model, n_rows, item):
    arrays = {name: value.numpy() for name, value in item.state_dict.items()}
    depth = len(HIDDEN) + 1
    weights = [arrays[f"layers.{layer}.weight"].T for layer in range(depth)]
    biases = [arrays[f"layers.{layer}.bias"] for layer in range(depth)]
    pruned = prune(Network(tuple(weights), tuple(biases), "relu", "softmax"))
    # The weights from the inputs straight to the outputs are part of its network.
    n_parameters = pruned.network.n_parameters + np.count_nonzero(arrays["skip.weight"])
    return {
        "data": split.name,
        "seed": split.seed,
        "method": "LassoNet",
        "setting": f"{n_rows} rows, lambda={item.lambda_:.3g}",
        "validation": _accuracy(model, classes, split.validation),
        "test": _accuracy(model, classes, split.test),
        "features": int(item.selected.sum()),
        "neurons": int(sum(mask.sum() for mask in pruned.kept[1:])),
        "parameters": int(n_parameters),
        "share": n_parameters / split.n_parameters(),
    }


def _accuracy(model, classes, rows):
    return float(np.mean(classes[model.predict(rows.X)] == rows.y))
