"""Classification and regression: encode y, name the loss, score a network."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from scipy.sparse import issparse
from sklearn.metrics import r2_score
from sklearn.utils.multiclass import type_of_target

from skgroupnet.network import Network


class Task(Protocol):
    """What an estimator asks of its kind of target."""

    @property
    def loss(self) -> str:
        """Name of the loss."""

    @property
    def n_outputs(self) -> int:
        """Number of outputs of the network."""

    @property
    def stratified(self) -> bool:
        """Whether rows are held out class by class."""

    @property
    def attributes(self) -> dict[str, np.ndarray]:
        """What a fitted estimator shows of its task."""

    @property
    def meaning(self) -> tuple[Any, ...]:
        """What two tasks that encode alike have in common; hashable."""

    def known(self, y: np.ndarray) -> np.ndarray:
        """Which rows have a target that can be encoded."""

    def encode(self, y: np.ndarray, dtype: np.dtype) -> np.ndarray:
        """Turn the user's target into the target of the loss."""

    def score(
        self,
        network: Network,
        X: np.ndarray,
        target: np.ndarray,
        weight: np.ndarray | None,
    ) -> float:
        """Score of a network on held-out rows, larger is better."""


@dataclass(frozen=True, eq=False)
class Classification:
    """Binary, multiclass or multilabel classification.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        The class labels in their order; for multilabel targets the numbers of the
        columns of y.
    multilabel : bool
        Whether the classes are labels that a row may have at the same time.
    """

    classes: np.ndarray
    multilabel: bool = False

    @classmethod
    def of(cls, y: np.ndarray) -> "Classification":
        """Find the classes of a target.

        Parameters
        ----------
        y : ndarray of shape (n_samples,) or (n_samples, n_labels)
            The target as the user gave it.

        Returns
        -------
        Classification
        """
        if is_multilabel(y):
            return cls(np.arange(y.shape[1]), multilabel=True)
        return cls.declared(np.unique(y))

    @classmethod
    def declared(cls, classes: np.ndarray) -> "Classification":
        """Take the classes of a single-label target as given.

        Parameters
        ----------
        classes : array-like of shape (n_classes,)
            All class labels, in any order.

        Returns
        -------
        Classification
        """
        classes = np.unique(classes)
        if len(classes) < 2:
            raise ValueError(
                "A classifier needs at least 2 classes in y, in rows of positive "
                f"weight, but got {len(classes)} class: {classes.tolist()}."
            )
        return cls(classes)

    @property
    def loss(self) -> str:
        """Cross-entropy of many exclusive classes, else one log loss per output."""
        exclusive = len(self.classes) > 2 and not self.multilabel
        return "cross_entropy" if exclusive else "log_loss"

    @property
    def n_outputs(self) -> int:
        """One per class or label, one for two exclusive classes."""
        binary = len(self.classes) == 2 and not self.multilabel
        return 1 if binary else len(self.classes)

    @property
    def stratified(self) -> bool:
        """Held-out rows are drawn class by class, unless a row has many labels."""
        return not self.multilabel

    @property
    def attributes(self) -> dict[str, np.ndarray]:
        """The class labels."""
        return {"classes_": self.classes}

    @property
    def meaning(self) -> tuple[Any, ...]:
        """The classes."""
        return self.multilabel, *self.classes.tolist()

    def known(self, y: np.ndarray) -> np.ndarray:
        """Find the rows whose target can be encoded.

        Parameters
        ----------
        y : ndarray of shape (n_samples,) or (n_samples, n_labels)
            The target as the user gave it.

        Returns
        -------
        ndarray of bool of shape (n_samples,)
            False for rows of a class that is not one of the classes.
        """
        if self.multilabel or y.ndim != 1:
            return np.ones(y.shape[0], dtype=bool)
        return np.isin(y, self.classes)

    def encode(self, y: np.ndarray, dtype: np.dtype) -> np.ndarray:
        """Turn labels into class codes, or into zeros and ones.

        Parameters
        ----------
        y : ndarray of shape (n_samples,) or (n_samples, n_labels)
            The target as the user gave it.
        dtype : dtype
            The dtype of zeros and ones.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Class codes for cross-entropy, else zeros and ones.
        """
        if self.multilabel:
            return self._encode_labels(y, dtype)
        if y.ndim != 1:
            raise ValueError(
                f"y must have one class label per row, as when training started, but "
                f"has shape {y.shape}."
            )
        codes = np.searchsorted(self.classes, y)
        if not np.array_equal(self.classes.take(codes, mode="clip"), y):
            unknown = np.setdiff1d(y, self.classes)
            if len(unknown):
                raise ValueError(
                    f"y has classes {unknown.tolist()} that are not among the classes "
                    f"{self.classes.tolist()} of the model."
                )
        if self.loss == "cross_entropy":
            return codes
        return codes[:, np.newaxis].astype(dtype)

    def _encode_labels(self, y: np.ndarray, dtype: np.dtype) -> np.ndarray:
        y = _dense(y)
        if y.ndim != 2 or y.shape[1] != len(self.classes):
            raise ValueError(
                f"y must have {len(self.classes)} columns, one per label, but has "
                f"shape {y.shape}."
            )
        if not np.isin(y, (0, 1)).all():
            raise ValueError(
                "A multilabel y must hold only 0 and 1, but has the values "
                f"{np.unique(y).tolist()}."
            )
        return y.astype(dtype)

    def score(
        self,
        network: Network,
        X: np.ndarray,
        target: np.ndarray,
        weight: np.ndarray | None,
    ) -> float:
        """Accuracy; for multilabel targets the share of rows with all labels right.

        Parameters
        ----------
        network : Network
            The network to score.
        X : {ndarray, sparse CSR} of shape (n_samples, n_features)
            Held-out rows.
        target : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Their encoded targets.
        weight : ndarray of shape (n_samples,) or None
            Their weights.

        Returns
        -------
        float
            The weighted mean accuracy.
        """
        raw = network.raw(X)
        if self.loss == "cross_entropy":
            right = raw.argmax(axis=1) == target
        else:
            right = ((raw > 0) == target).all(axis=1)
        return float(np.average(right, weights=weight))


def _dense(y: Any) -> np.ndarray:
    return y.toarray() if issparse(y) else y


def is_multilabel(y: np.ndarray) -> bool:
    """Tell a multilabel target from a single-label one.

    Parameters
    ----------
    y : ndarray of shape (n_samples,) or (n_samples, n_labels)
        A classification target.

    Returns
    -------
    bool
    """
    if y.ndim == 1:
        return False
    kind = type_of_target(y)
    if kind != "multilabel-indicator":
        raise ValueError(
            "y must hold one class label per row, or one column of 0 and 1 per label, "
            f"but is a {kind} target of shape {y.shape}."
        )
    return True


@dataclass(frozen=True, eq=False)
class Regression:
    """Regression with one or several outputs.

    Parameters
    ----------
    loss : {"squared_error", "poisson"}
        The loss.
    n_outputs : int
        Number of columns of the target.
    """

    loss: str
    n_outputs: int

    @property
    def stratified(self) -> bool:
        """There are no classes."""
        return False

    @property
    def attributes(self) -> dict[str, np.ndarray]:
        """Nothing."""
        return {}

    @property
    def meaning(self) -> tuple[Any, ...]:
        """Loss and number of outputs."""
        return self.loss, self.n_outputs

    def known(self, y: np.ndarray) -> np.ndarray:
        """Find the rows whose target can be encoded.

        Parameters
        ----------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            The target as the user gave it.

        Returns
        -------
        ndarray of bool of shape (n_samples,)
            False for rows with a negative target where the loss allows none.
        """
        if self.loss != "poisson":
            return np.ones(y.shape[0], dtype=bool)
        target = _dense(y).reshape(y.shape[0], -1)
        return np.all(target >= 0, axis=1)

    def encode(self, y: np.ndarray, dtype: np.dtype) -> np.ndarray:
        """Give the target two dimensions, and the dtype of training.

        Parameters
        ----------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            The target as the user gave it.
        dtype : dtype
            The dtype of training.

        Returns
        -------
        ndarray of shape (n_samples, n_outputs)
        """
        y = _dense(y)
        target = y.reshape(len(y), -1)
        if target.shape[1] != self.n_outputs:
            raise ValueError(
                f"y must have {self.n_outputs} columns, as when training started, but "
                f"has shape {y.shape}."
            )
        if self.loss == "poisson" and target.min() < 0:
            raise ValueError(
                "loss='poisson' needs y >= 0, but the smallest value of y is "
                f"{target.min()}."
            )
        with np.errstate(over="ignore"):
            encoded = target.astype(dtype)
        if not np.isfinite(encoded).all():
            raise ValueError(
                f"y has values that are too large for {np.dtype(dtype)}, in which this "
                f"model is trained: the largest is {np.abs(target).max():g}. Scale y."
            )
        return encoded

    def score(
        self,
        network: Network,
        X: np.ndarray,
        target: np.ndarray,
        weight: np.ndarray | None,
    ) -> float:
        """Coefficient of determination R^2, the mean over the outputs.

        Parameters
        ----------
        network : Network
            The network to score.
        X : {ndarray, sparse CSR} of shape (n_samples, n_features)
            Held-out rows.
        target : ndarray of shape (n_samples, n_outputs)
            Their targets.
        weight : ndarray of shape (n_samples,) or None
            Their weights.

        Returns
        -------
        float
            R^2, or minus infinity if a prediction, or its square, is not finite.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            prediction = network.predict(X)
            if not np.isfinite(prediction).all():
                return -np.inf
            return float(r2_score(target, prediction, sample_weight=weight))
