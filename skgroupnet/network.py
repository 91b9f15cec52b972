"""A trained network as frozen numpy arrays, and its prediction in numpy alone."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse
from scipy.special import expit

from skgroupnet.sparse import as_csr

# The temporary arrays of one block of rows: small enough to stay in the cache, large
# enough that the fixed costs of a matrix product do not count.
BLOCK_BYTES = 1 << 21
MIN_BLOCK_ROWS = 128


def identity(values: np.ndarray) -> None:
    """Leave the array as it is.

    Parameters
    ----------
    values : ndarray of any shape
        The values, one column per unit.
    """


def relu(values: np.ndarray) -> None:
    """Replace every value z by max(z, 0), in place.

    Parameters
    ----------
    values : ndarray of any shape
        The values, one column per unit.
    """
    # A row of zeros: numpy's maximum is up to twice as slow with a scalar.
    np.maximum(values, np.zeros(values.shape[-1:], values.dtype), out=values)


def relu2(values: np.ndarray) -> None:
    """Replace every value z by max(z, 0)^2, in place.

    The truncated power of order 2: what ridge splines of that order are made of, as
    those of order 1 are made of `relu` (Parhi and Nowak, "Banach space representer
    theorems for neural networks and ridge splines", JMLR 22, 2021).

    Parameters
    ----------
    values : ndarray of any shape
        The values, one column per unit.
    """
    relu(values)
    np.square(values, out=values)


def tanh(values: np.ndarray) -> None:
    """Replace every value z by tanh(z), in place.

    Parameters
    ----------
    values : ndarray of any shape
        The values, one column per unit.
    """
    np.tanh(values, out=values)


def logistic(values: np.ndarray) -> None:
    """Replace every value z by 1 / (1 + exp(-z)), in place and without overflow.

    Parameters
    ----------
    values : ndarray of any shape
        The values, one column per unit.
    """
    expit(values, out=values)


# Here and wherever users come in: some packages, when they are imported, make an error
# of every underflow in the process.
@np.errstate(under="ignore")
def exp(values: np.ndarray) -> None:
    """Replace every value z by exp(z), in place.

    Parameters
    ----------
    values : ndarray of any shape
        The values, one column per unit.
    """
    np.exp(values, out=values)


@np.errstate(under="ignore")
def softmax(values: np.ndarray) -> None:
    """Replace every row z by exp(z) / sum(exp(z)), in place and without overflow.

    Parameters
    ----------
    values : ndarray of shape (n_samples, n_outputs)
        The values, one column per output.
    """
    # With a few columns, numpy's max and sum along the rows cost as much as all matrix
    # products of a small network; on a transposed copy, and in einsum, they do not.
    values -= np.ascontiguousarray(values.T).max(axis=0)[:, np.newaxis]
    np.exp(values, out=values)
    values /= np.einsum("ij->i", values)[:, np.newaxis]


ACTIVATIONS: dict[str, Callable[[np.ndarray], None]] = {
    "relu": relu,
    "relu2": relu2,
    "tanh": tanh,
    "logistic": logistic,
    "identity": identity,
}
OUTPUTS: dict[str, Callable[[np.ndarray], None]] = {
    "softmax": softmax,
    "logistic": logistic,
    "identity": identity,
    "exp": exp,
}


@dataclass(frozen=True, eq=False)
class Network:
    """A feed-forward network that cannot be changed.

    The arrays are read-only: an array that is writeable is copied first, one that is
    read-only already is shared.

    Parameters
    ----------
    weights : tuple of ndarray of shape (n_l, n_{l+1})
        One matrix per layer; row i holds the outgoing weights of unit i. All arrays
        have the same dtype, float32 or float64, which is the dtype of prediction.
    biases : tuple of ndarray of shape (n_{l+1},)
        One vector per layer.
    activation : {"relu", "relu2", "tanh", "logistic", "identity"}
        The map of the hidden layers.
    output : {"softmax", "logistic", "identity", "exp"}
        The map of the last layer.
    """

    weights: tuple[np.ndarray, ...]
    biases: tuple[np.ndarray, ...]
    activation: str
    output: str

    def __post_init__(self) -> None:
        weights = tuple(_read_only(weight) for weight in self.weights)
        biases = tuple(_read_only(bias) for bias in self.biases)
        _check_name("activation", self.activation, ACTIVATIONS)
        _check_name("output", self.output, OUTPUTS)
        _check_layers(weights, biases)
        object.__setattr__(self, "weights", weights)
        object.__setattr__(self, "biases", biases)

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        # Unpickled arrays are writeable whatever they were before.
        for array in (*self.weights, *self.biases):
            array.flags.writeable = False

    @property
    def dtype(self) -> np.dtype:
        """The dtype of the weights, the biases and the predictions."""
        return self.weights[0].dtype

    @property
    def widths(self) -> tuple[int, ...]:
        """Number of inputs, of the units of every hidden layer, and of outputs."""
        return self.weights[0].shape[0], *(bias.shape[0] for bias in self.biases)

    @property
    def n_parameters(self) -> int:
        """Number of weights and biases that are not zero."""
        return sum(int(np.count_nonzero(a)) for a in (*self.weights, *self.biases))

    def raw(self, X: Any, columns: np.ndarray | None = None) -> np.ndarray:
        """Compute the outputs before the output map.

        Parameters
        ----------
        X : {ndarray, sparse CSR} of shape (n_samples, n_features)
            Cast to the dtype of the network block by block.
        columns : ndarray of int, default=None
            The columns of X that are the inputs of the network, in their order; None:
            all of them.

        Returns
        -------
        raw_prediction : ndarray of shape (n_samples, n_outputs)
            In the dtype of the network.
        """
        return self._evaluate(X, columns, identity)

    def predict(self, X: Any, columns: np.ndarray | None = None) -> np.ndarray:
        """Compute the outputs after the output map.

        Parameters
        ----------
        X : {ndarray, sparse CSR} of shape (n_samples, n_features)
            Cast to the dtype of the network block by block.
        columns : ndarray of int, default=None
            The columns of X that are the inputs of the network, in their order; None:
            all of them.

        Returns
        -------
        prediction : ndarray of shape (n_samples, n_outputs)
            In the dtype of the network.
        """
        return self._evaluate(X, columns, OUTPUTS[self.output])

    @np.errstate(under="ignore")
    def _evaluate(
        self,
        X: Any,
        columns: np.ndarray | None,
        output_map: Callable[[np.ndarray], None],
    ) -> np.ndarray:
        X = as_csr(X) if scipy.sparse.issparse(X) else np.asarray(X)
        if columns is not None and np.asarray(columns).dtype.kind not in "iu":
            raise ValueError(
                "columns must be numbers of columns of X, but they are "
                f"{np.asarray(columns).dtype}."
            )
        n_inputs = X.shape[-1] if columns is None else len(columns)
        if X.ndim != 2 or n_inputs != self.widths[0]:
            raise ValueError(
                f"X has shape {X.shape}, but the network expects a 2-d array with "
                f"{self.widths[0]} columns."
            )
        activate = ACTIVATIONS[self.activation]
        copied = columns is not None or X.dtype != self.dtype
        n_samples, rows = X.shape[0], self._block_rows(copied)
        prediction = np.empty((n_samples, self.widths[-1]), dtype=self.dtype)
        buffers = [
            np.empty((min(rows, n_samples), width), dtype=self.dtype)
            for width in self.widths[1:-1]
        ]
        for start in range(0, n_samples, rows):
            block = slice(start, start + rows)
            out = prediction[block]
            values = _inputs(X[block], columns).astype(self.dtype, copy=False)
            for weight, bias, buffer in zip(
                self.weights, self.biases, buffers, strict=False
            ):
                values = _affine(values, weight, bias, buffer[: len(out)])
                activate(values)
            _affine(values, self.weights[-1], self.biases[-1], out)
            output_map(out)
        return prediction

    def _block_rows(self, copied: bool) -> int:
        """Rows whose temporary arrays (and copied inputs) fill one block."""
        numbers = sum(self.widths[1:]) + (self.widths[0] if copied else 0)
        return max(MIN_BLOCK_ROWS, BLOCK_BYTES // (numbers * self.dtype.itemsize))


def _inputs(rows: Any, columns: np.ndarray | None) -> Any:
    """Pick columns, in the way that is several times faster for the order of X."""
    if columns is None:
        return rows
    if scipy.sparse.issparse(rows) or rows.strides[0] < rows.strides[1]:
        return rows[:, columns]
    return rows.take(columns, axis=1)


def _affine(
    values: Any, weight: np.ndarray, bias: np.ndarray, out: np.ndarray
) -> np.ndarray:
    """Write values @ weight + bias into out, which is returned."""
    if scipy.sparse.issparse(values):
        out[:] = values @ weight
    else:
        np.matmul(values, weight, out=out)
    out += bias
    return out


def _read_only(array: Any) -> np.ndarray:
    array = np.asarray(array)
    if array.flags.writeable:
        array = array.copy()
        array.flags.writeable = False
    return array


def _check_name(parameter: str, name: str, known: dict[str, Any]) -> None:
    if name not in known:
        names = ", ".join(map(repr, known))
        raise ValueError(f"{parameter} must be one of {names}, but got {name!r}.")


def _check_layers(
    weights: tuple[np.ndarray, ...], biases: tuple[np.ndarray, ...]
) -> None:
    if not weights or len(weights) != len(biases):
        raise ValueError(
            "A network needs one weight matrix and one bias vector per layer and at "
            f"least one layer, but got {len(weights)} weights and {len(biases)} biases."
        )
    dtypes = {array.dtype for array in (*weights, *biases)}
    if len(dtypes) > 1 or dtypes.isdisjoint({np.dtype("f4"), np.dtype("f8")}):
        raise ValueError(
            "All weights and biases must be float32, or all float64, but got "
            f"{', '.join(sorted(map(str, dtypes)))}."
        )
    for layer, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        fan_in = weights[layer - 1].shape[1] if layer else "n_features"
        if weight.ndim != 2 or (layer and weight.shape[0] != fan_in):
            raise ValueError(
                f"weights[{layer}] must have shape ({fan_in}, n_units), but has "
                f"shape {weight.shape}."
            )
        if bias.shape != weight.shape[1:]:
            raise ValueError(
                f"biases[{layer}] must have shape {weight.shape[1:]}, one number for "
                f"each column of weights[{layer}], but has shape {bias.shape}."
            )
    if not biases[-1].size:
        raise ValueError("The last layer must have at least one output, but has none.")
