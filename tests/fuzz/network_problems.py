"""Problems for networks, each drawn from its seed alone."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import csc_array, csr_array, issparse

from skgroupnet import GroupSparseMLPClassifier, GroupSparseMLPRegressor
from skgroupnet.penalties import (
    MCP,
    PENALTIES,
    CappedL1,
    GroupElasticNet,
    GroupTransformedL1,
    SparseGroupLasso,
)

TASKS = ("binary", "multiclass", "multilabel", "regression", "poisson")
FORMS = ("C", "F", "strided", "read-only", "csr", "csc", "frame")
DTYPES = ("float64", "float32", "int64", "int32", ">f8", ">f4", "uint8")
ACTIVATIONS = ("relu", "relu2", "tanh", "logistic", "identity")
SOLVERS = ("adam", "adamax", "rmsprop", "sgd", "rmda")
WAYS = ("fit", "fit", "fit", "warm_start", "partial_fit")
OBJECTS = (
    SparseGroupLasso(0.3),
    GroupElasticNet(0.2),
    MCP(2.0),
    CappedL1(0.05),
    GroupTransformedL1(0.1),
)


@dataclass
class NetworkProblem:
    """What a network is trained on, and how.

    Parameters
    ----------
    seed : int
        Number of the problem.
    traits : set of str
        What is particular about it.
    way : {"fit", "warm_start", "partial_fit"}
        Which methods train it.
    estimator : object
        The estimator, not fitted.
    X : {ndarray, sparse array, DataFrame} of shape (n, p)
        The rows.
    y : ndarray of shape (n,) or (n, k)
        The targets.
    weight : ndarray of shape (n,) or None
        The row weights.
    """

    seed: int
    traits: set[str]
    way: str
    estimator: Any
    X: Any
    y: np.ndarray
    weight: np.ndarray | None

    @property
    def dense(self):
        """The rows as an array."""
        return self.X.toarray() if issparse(self.X) else np.asarray(self.X)


def draw(seed: int) -> NetworkProblem:
    """Draw a problem.

    Parameters
    ----------
    seed : int
        Its number.

    Returns
    -------
    NetworkProblem
    """
    rng = np.random.default_rng([15, seed])
    traits: set[str] = set()
    task, way = str(rng.choice(TASKS)), str(rng.choice(WAYS))
    n, p = int(rng.integers(8, 70)), _width(rng)
    form, dtype = str(rng.choice(FORMS)), np.dtype(str(rng.choice(DTYPES)))
    Z = rng.normal(size=(n, p))
    if rng.random() < 0.4 or form in ("csr", "csc"):
        Z *= rng.random((n, p)) < rng.choice([0.05, 0.3])
    whole = dtype.kind in "iu"
    X = (np.abs(Z) * 3 if whole else Z).astype(dtype)
    y = _target(rng, task, Z)
    weight = _weights(rng, y, traits)
    traits |= {task, way, form, str(dtype)}
    estimator = _estimator(rng, task, p, way, traits)
    return NetworkProblem(seed, traits, way, estimator, _formed(X, form), y, weight)


def _width(rng):
    return int(round(np.exp(rng.uniform(0, np.log(70)))))


def _target(rng, task, Z):
    k = int(rng.integers(1, 4))
    beta = rng.normal(size=(Z.shape[1], max(k, 2))) / np.sqrt(Z.shape[1])
    raw = 2 * Z @ beta + rng.normal(size=(len(Z), max(k, 2)))
    if task == "regression":
        return raw[:, 0] if k == 1 else raw[:, :k]
    if task == "poisson":
        counts = rng.poisson(np.exp(np.minimum(raw, 3))).astype(float)
        return counts[:, 0] if k == 1 else counts[:, :k]
    if task == "multilabel":
        y = (raw > 0).astype(int)
        y[0], y[1] = 1, 0
        return y
    n_classes = 2 if task == "binary" else int(rng.integers(3, 6))
    y = np.digitize(raw[:, 0], np.linspace(-1, 1, n_classes + 1)[1:-1])
    y[:n_classes] = np.arange(n_classes)
    return np.array(list("abcdef"))[y] if rng.random() < 0.3 else y


def _weights(rng, y, traits):
    kind = rng.choice(["none", "random", "zeros"], p=[0.6, 0.2, 0.2])
    if kind == "none":
        return None
    traits.add(f"weights: {kind}")
    weight = rng.uniform(0.1, 2, size=len(y))
    if kind == "zeros":
        # The first rows have all the classes.
        weight[6:] *= rng.random(len(y) - 6) < 0.7
    return weight


def _formed(X, form):
    if form == "F":
        return np.asfortranarray(X)
    if form == "strided":
        wide = np.zeros((len(X), 2 * X.shape[1] + 1), X.dtype)
        wide[:, 1::2] = X
        return wide[:, 1::2]
    if form == "read-only":
        X.setflags(write=False)
        return X
    if form in ("csr", "csc"):
        native = X.astype(X.dtype.newbyteorder("="))
        return csr_array(native) if form == "csr" else csc_array(native)
    if form == "frame":
        native = X.astype(X.dtype.newbyteorder("="))
        return pd.DataFrame(native, columns=[f"x{j}" for j in range(X.shape[1])])
    return X


def _estimator(rng, task, p, way, traits):
    n_layers = int(rng.choice([0, 1, 1, 2, 3]))
    named = rng.random() < 0.8
    penalty = (
        str(rng.choice(sorted(PENALTIES)))
        if named
        else OBJECTS[rng.integers(len(OBJECTS))]
    )
    solver = str(rng.choice(SOLVERS))
    parameters = {
        "hidden_layer_sizes": tuple(_width(rng) for _ in range(n_layers)),
        "activation": str(rng.choice(ACTIVATIONS)),
        "penalty": penalty,
        "lam": float(rng.choice([0, 1e-4, 1e-3, 1e-2, 0.1, 10])),
        "penalize_bias": bool(rng.random() < 0.2),
        "solver": solver,
        "learning_rate_init": float(rng.choice([1e-3, 1e-2])),
        # With the usual one, rounding turns the step of a gradient that cancels.
        "epsilon": float(rng.choice([1e-8, 1e-2])),
        "batch_size": "auto" if rng.random() < 0.4 else int(rng.integers(1, 40)),
        "max_iter": int(rng.integers(1, 7)),
        "shuffle": bool(rng.random() < 0.8),
        "random_state": int(rng.integers(1000)),
        "warm_start": way == "warm_start",
    }
    schedules = ["constant", "invscaling", "cosine"]
    if way == "fit":
        parameters["learning_rate"] = str(rng.choice(schedules))
        parameters["finetune_iter"] = int(rng.choice([0, 0, 2]))
        parameters["early_stopping"] = bool(rng.random() < 0.2)
    if rng.random() < 0.3:
        labels = np.repeat(np.arange(p), rng.integers(1, 6, size=p))[:p]
        parameters["groups"] = np.where(rng.random(p) < 0.1, -1, labels).tolist()
        traits.add("groups")
    traits |= {solver, parameters["activation"], f"{n_layers} hidden layers"}
    traits.add(penalty if named else type(penalty).__name__)
    traits.add(f"lam {parameters['lam']:g}")
    traits |= {t for t in ("early_stopping", "penalize_bias") if parameters.get(t)}
    traits |= {t for t in ("finetune_iter",) if parameters.get(t)}
    if task in ("regression", "poisson"):
        loss = "poisson" if task == "poisson" else "squared_error"
        return GroupSparseMLPRegressor(loss=loss, **parameters)
    return GroupSparseMLPClassifier(**parameters)
