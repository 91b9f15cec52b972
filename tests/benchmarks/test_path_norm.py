r"""Neurons that penalties leave of one hidden layer, at the same training loss.

The target is a sum of 6 rectified linear functions of 10 normal inputs, with noise; the
network has 100 neurons and is trained with full batches.  The path norm is trained with
one lam, and the others with the lam at which their training loss is the same::

    python -m pytest tests/benchmarks/test_path_norm.py -s

Weight decay has the minima of the path norm, but makes no zeros: of its neurons only
those count whose product of norms is at least 1 % of the largest.

The path norm was expected to keep fewer neurons than the group lasso, too, and does
not.  The group lasso penalises the rows of both matrices, the incoming ones with one
norm for all neurons.  The scale of a neuron is free, and at its best value

    min_w  sqrt(H) sqrt(sum_k w_k^2) + sum_k p_k / w_k
        =  2 H^(1/4) (sum_k p_k^(2/3))^(3/4),

a concave penalty of the products p_k = norm(w_k) norm(v_k) (here for one input), where
the path norm is sum_k p_k.
"""

import numpy as np
import pytest

from skgroupnet import GroupSparseMLPRegressor

pytestmark = [pytest.mark.benchmark, pytest.mark.filterwarnings("ignore")]

N_ROWS, N_FEATURES, N_HIDDEN, N_EPOCHS = 400, 10, 100, 3000
SEEDS = (0, 1, 2)
LAM = 0.01
SAME = 0.01
# Where to search, and after how many fits to give up.
RANGES = {"group_lasso": (3e-4, 3e-3), "l2": (8e-3, 1.25e-2)}
MAX_FITS = 14
# Their training loss jumps where a neuron goes, so that it cannot be prescribed.
MEASURES = {"hoyer_square": 2e-3, "group_hoyer_square": 4e-3}


def make_data(seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(2 * N_ROWS, N_FEATURES))
    directions = rng.normal(size=(N_FEATURES, 6)) / np.sqrt(N_FEATURES)
    f = np.maximum(X @ directions, 0) @ np.array([1, -1, 1, -1, 1, -1])
    f = (f - f.mean()) / f.std()
    y = f + 0.1 * rng.normal(size=len(f))
    return X[:N_ROWS], y[:N_ROWS], X[N_ROWS:], f[N_ROWS:]


def fit(penalty, lam, X, y, seed):
    return GroupSparseMLPRegressor(
        (N_HIDDEN,),
        penalty=penalty,
        lam=lam,
        learning_rate="cosine",
        learning_rate_init=0.01,
        batch_size=N_ROWS,
        max_iter=N_EPOCHS,
        tol=0.0,
        n_iter_no_change=np.inf,
        random_state=seed,
    ).fit(X, y)


def loss(model, X, y):
    return np.mean(np.square(model.predict(X) - y)) / 2


def with_loss(target, penalty, X, y, seed):
    """Bisect for lam until the training loss is the target."""
    low, high = RANGES[penalty]
    models = []
    for _ in range(MAX_FITS):
        models.append(fit(penalty, float(np.sqrt(low * high)), X, y, seed))
        ratio = loss(models[-1], X, y) / target
        if abs(ratio - 1) <= SAME:
            break
        low, high = (low, models[-1].lam) if ratio > 1 else (models[-1].lam, high)
    return min(models, key=lambda model: abs(loss(model, X, y) - target))


def neurons(model):
    """Neurons that are left, and those of at least 1 % of the largest product."""
    incoming, outgoing = model.coefs_
    product = np.linalg.norm(incoming, axis=0) * np.linalg.norm(outgoing, axis=1)
    return np.count_nonzero(product), np.count_nonzero(product >= 0.01 * product.max())


def test_path_norm():
    print(
        f"\n\n{'seed':>4} {'penalty':<20}{'lam':>9}{'training loss':>15}"
        f"{'neurons':>9}{'above 1 %':>11}{'weights':>9}{'test error':>12}"
    )
    for seed in SEEDS:
        X, y, X_test, f_test = make_data(seed)
        reference = fit("path_norm", LAM, X, y, seed)
        target = loss(reference, X, y)
        models = {"path_norm": reference}
        for penalty in RANGES:
            models[penalty] = with_loss(target, penalty, X, y, seed)
        for penalty, lam in MEASURES.items():
            models[penalty] = fit(penalty, lam, X, y, seed)
        for penalty, model in models.items():
            left, visible = neurons(model)
            n_weights = sum(np.count_nonzero(coef) for coef in model.coefs_)
            print(
                f"{seed:>4} {penalty:<20}{model.lam:>9.2e}{loss(model, X, y):>15.5f}"
                f"{left:>9}{visible:>11}{n_weights:>9}"
                f"{2 * loss(model, X_test, f_test):>12.4f}",
                flush=True,
            )
        for penalty in RANGES:
            assert abs(loss(models[penalty], X, y) / target - 1) <= SAME
        assert neurons(reference)[0] < neurons(models["l2"])[1]
        # Exact zeros in the matrices as trained, without any threshold.
        for penalty in MEASURES:
            assert neurons(models[penalty])[0] < N_HIDDEN / 2
