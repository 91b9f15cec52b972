"""The rows to train on, to choose by and to test on, the same for every table.

SDD and COVER: 30 % of the rows, stratified, are the test set; MNIST and the digits of
scikit-learn: MNIST's own test set, and 30 %. One sixth of the other rows, stratified,
is the validation set. The seed makes both splits.

Inputs: SDD standardised; COVER its ten numeric columns standardised, the one-hot ones
as they are; images in [0, 1].
"""

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skgroupnet.datasets import fetch_covertype, fetch_mnist, fetch_sensorless

N_TRAIN_MNIST = 60_000
# What is measured on each data set, and how often.
SEEDS = {"sdd": range(5), "cover": range(3), "mnist": range(3), "digits": range(2)}
HIDDEN = (32, 32)
N_NUMERIC_COVER = 10


class Training(NamedTuple):
    """How networks are trained: by Adam, a cosine from ``rate`` to 0."""

    epochs: int
    batch_size: int
    rate: float


TRAINING = {
    "sdd": Training(300, 32, 1e-2),
    "cover": Training(40, 256, 1e-2),
    "mnist": Training(20, 256, 1e-2),
    "digits": Training(5, 64, 1e-2),
}
# Networks from different random starts, among which validation chooses.
STARTS = {"sdd": 2, "cover": 1, "mnist": 1, "digits": 1}


class Rows(NamedTuple):
    """X of shape (n, n_features), float32, and y of shape (n,)."""

    X: np.ndarray
    y: np.ndarray


@dataclass(frozen=True)
class Split:
    """A data set, cut in three; the scaler was fitted on the rows to train on."""

    name: str
    seed: int
    train: Rows
    validation: Rows
    test: Rows

    def n_parameters(self, hidden=HIDDEN):
        """Weights and biases of the dense network."""
        widths = [self.train.X.shape[1], *hidden, len(np.unique(self.train.y))]
        return sum((a + 1) * b for a, b in zip(widths[:-1], widths[1:], strict=True))


def load(name, seed, scaler=None, home=None):
    """Split a data set; ``scaler`` None is the one that the top of this file names.

    ``home`` is the ``data_home`` of the fetchers.
    """
    X, y = _read(name, home)
    if name == "mnist":
        rest, test = slice(None, N_TRAIN_MNIST), slice(N_TRAIN_MNIST, None)
        X, X_test, y, y_test = X[rest], X[test], y[rest], y[test]
    else:
        X, X_test, y, y_test = train_test_split(
            X, y, test_size=0.3, stratify=y, random_state=seed
        )
    X, X_val, y, y_val = train_test_split(
        X, y, test_size=1 / 6, stratify=y, random_state=seed
    )
    scaler = (_SCALERS[name]() if scaler is None else scaler).fit(X)
    parts = [scaler.transform(part).astype(np.float32) for part in (X, X_val, X_test)]
    return Split(name, seed, *map(Rows, parts, [y, y_val, y_test]))


def noisy(rows, noise, n_copies, seed):
    """Copies of the rows, one below the other, each with Gaussian noise of its own.

    It regularises a network as dropout does, and a penalty does not.
    """
    generator = np.random.default_rng(seed)
    X = np.tile(rows.X, (n_copies, 1))
    X += np.float32(noise) * generator.standard_normal(X.shape, dtype=np.float32)
    return Rows(X, np.tile(rows.y, n_copies))


def _numeric_columns():
    numeric = ("numeric", StandardScaler(), slice(0, N_NUMERIC_COVER))
    return ColumnTransformer([numeric], remainder="passthrough")


_SCALERS = {
    "sdd": StandardScaler,
    "cover": _numeric_columns,
    "mnist": partial(FunctionTransformer, partial(np.multiply, np.float32(1 / 255))),
    "digits": partial(FunctionTransformer, partial(np.multiply, 1 / 16)),
}


def _read(name, home):
    """X, float64 or float32, and y."""
    if name == "digits":
        return load_digits(return_X_y=True)
    fetch = {"sdd": fetch_sensorless, "cover": fetch_covertype, "mnist": fetch_mnist}
    X, y = fetch[name](data_home=home, return_X_y=True)
    return X.astype(np.float32 if name == "mnist" else float, copy=False), y
