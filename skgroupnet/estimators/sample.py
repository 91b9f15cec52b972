"""Rows with their encoded target, all of them or some held out to score on."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.model_selection import train_test_split

from skgroupnet.estimators.tasks import Task
from skgroupnet.network import Network


@dataclass(frozen=True, eq=False)
class Sample:
    """Validated rows of positive weight with their encoded target.

    Parameters
    ----------
    X : {ndarray, sparse CSR} of shape (n_samples, n_features)
        The rows.
    target : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        The target as the loss takes it.
    task : Task
        What the target means.
    weight : ndarray of shape (n_samples,) or None
        The user's weights.
    training_weight : ndarray of shape (n_samples,) or None
        The weights of training, class weights included.
    """

    X: np.ndarray
    target: np.ndarray
    task: Task
    weight: np.ndarray | None = None
    training_weight: np.ndarray | None = None

    def score(self, network: Network) -> float:
        """Score of a network on these rows, larger is better.

        Parameters
        ----------
        network : Network
            The network to score.

        Returns
        -------
        float
        """
        return self.task.score(network, self.X, self.target, self.weight)

    def rows(self, index: np.ndarray) -> "Sample":
        """Take some of the rows.

        Parameters
        ----------
        index : ndarray of int
            Row numbers.

        Returns
        -------
        Sample
        """
        return Sample(
            self.X[index],
            self.target[index],
            self.task,
            None if self.weight is None else self.weight[index],
            None if self.training_weight is None else self.training_weight[index],
        )

    def columns(self, index: np.ndarray) -> "Sample":
        """Take some of the columns of X.

        Parameters
        ----------
        index : ndarray of int
            Column numbers.

        Returns
        -------
        Sample
        """
        return replace(self, X=take_columns(self.X, index))


def take_columns(X: Any, index: np.ndarray) -> Any:
    """Take some columns of dense or sparse rows.

    Parameters
    ----------
    X : {ndarray, sparse CSR} of shape (n_samples, n_features)
        The rows.
    index : ndarray of int
        Column numbers.

    Returns
    -------
    {ndarray, sparse CSR} of shape (n_samples, len(index))
    """
    # Indexing would give a dense array in Fortran order, at five times the cost.
    return X[:, index] if issparse(X) else X.take(index, axis=1)


def split(
    sample: Sample, fraction: float, random_state: np.random.RandomState
) -> tuple[np.ndarray, Sample]:
    """Hold some rows out, class by class where each row has one class.

    Parameters
    ----------
    sample : Sample
        All rows.
    fraction : float
        Share of the rows to hold out.
    random_state : RandomState
        Decides which.

    Returns
    -------
    rows : ndarray of int
        Numbers of the rows that are left to train on.
    held_out : Sample
        The other rows.
    """
    numbers = np.arange(sample.X.shape[0])
    rows, others = train_test_split(
        numbers,
        test_size=fraction,
        random_state=random_state,
        stratify=sample.target if sample.task.stratified else None,
    )
    if len(others) < 2:
        raise ValueError(
            f"validation_fraction={fraction} of {len(numbers)} rows holds out "
            f"{len(others)} row, but at least 2 are needed."
        )
    return rows, sample.rows(np.sort(others))
