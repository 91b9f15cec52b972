"""What is known of a data set, wherever its rows come from, and the Bunch of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from lzma import LZMAError
from pathlib import Path
from struct import error as StructError
from zipfile import BadZipFile, ZipFile
from zlib import error as ZlibError

import numpy as np
from sklearn.utils import Bunch
from sklearn.utils._optional_dependencies import check_pandas_support

# How a broken archive shows.
BROKEN = (BadZipFile, EOFError, LZMAError, StructError, ZlibError)


@dataclass(frozen=True)
class Original:
    """A published data set.

    Attributes
    ----------
    title : str
        Its name in full.
    archive : str
        The name of an npz file of its rows.
    n_rows : int
        How many rows the original has.
    feature_names : list of str
        The names of the columns of X.
    target_name : str
        The name of y.
    labels : sequence of int
        The classes, as the original writes them.
    dtype : type
        The type of X. y is uint8.
    text : str
        Where it comes from, and what it holds.
    """

    title: str
    archive: str
    n_rows: int
    feature_names: list[str]
    target_name: str
    labels: Sequence[int]
    dtype: type
    text: str

    def read(self, path: Path) -> tuple[np.ndarray, np.ndarray]:
        """Read X and y from an npz file."""
        try:
            with ZipFile(path) as archive:
                self._check_size(archive)
            with np.load(path, allow_pickle=False) as arrays:
                if not {"X", "y"} <= set(arrays):
                    raise ValueError(
                        f"it holds the arrays {sorted(arrays)}; X and y were expected"
                    )
                X, y = arrays["X"], arrays["y"]
        # Arrays of objects, an encrypted archive (RuntimeError), a broken one.
        except (ValueError, RuntimeError, *BROKEN) as error:
            raise ValueError(
                f"{path} is not an npz file of {self.title}: {error}."
            ) from error
        return self.typed(X, y, path)

    def _check_size(self, archive: ZipFile) -> None:
        """Verify that the arrays have a likely size before they fill the memory."""
        n_bytes = sum(member.file_size for member in archive.infolist())
        # Room for four times the rows of the original, in double precision.
        limit = 4 * 8 * self.n_rows * (len(self.feature_names) + 1) + 2**20
        if n_bytes > limit:
            raise ValueError(
                f"its arrays have {n_bytes} bytes when unpacked, and at most {limit} "
                "are expected"
            )

    def typed(
        self, X: np.ndarray, y: np.ndarray, source: object
    ) -> tuple[np.ndarray, np.ndarray]:
        """Check X and y and give them their types; no value may change by that."""
        n_features = len(self.feature_names)
        if X.ndim != 2 or X.shape[1] != n_features or y.shape != X.shape[:1]:
            raise ValueError(
                f"{self.title} has X of shape (n, {n_features}) and y of shape (n,); "
                f"those from {source} have the shapes {X.shape} and {y.shape}."
            )
        X, y = (
            _exactly(X, self.dtype, f"X of {source}"),
            _exactly(y, np.uint8, f"y of {source}"),
        )
        unknown = np.setdiff1d(y, self.labels)
        if unknown.size:
            raise ValueError(
                f"The labels of {self.title} are {self.labels[0]} to "
                f"{self.labels[-1]}; y of {source} has also {unknown.tolist()}."
            )
        return X, y

    def bunch(
        self,
        X: np.ndarray,
        y: np.ndarray,
        source: str,
        *,
        return_X_y: bool,
        as_frame: bool,
    ) -> Bunch | tuple:
        """Put X and y into what a fetcher returns; ``source`` ends a sentence."""
        description = f"{self.text}\n{self._rows(y, source)}\n"
        frame, data, target = None, X, y
        if as_frame:
            pandas = check_pandas_support("`as_frame=True`")
            frame = pandas.DataFrame(X, columns=self.feature_names)
            frame[self.target_name] = y
            data, target = frame[self.feature_names], frame[self.target_name]
        if return_X_y:
            return data, target
        return Bunch(
            data=data,
            target=target,
            frame=frame,
            feature_names=list(self.feature_names),
            target_names=[self.target_name],
            DESCR=description,
        )

    def _rows(self, y: np.ndarray, source: str) -> str:
        """Say how many rows there are, of how many."""
        if len(y) < self.n_rows:
            what = f"a sample of the {self.n_rows} of the original"
        elif len(y) == self.n_rows:
            what = "as many as the original has"
        else:
            what = f"more than the {self.n_rows} of the original"
        counts = ", ".join(str(np.sum(y == label)) for label in self.labels)
        return (
            f"Rows: {len(y)}, {what}, {source}.\n"
            f"Rows of class {self.labels[0]} to {self.labels[-1]}: {counts}."
        )


def _exactly(values: np.ndarray, dtype: type, what: str) -> np.ndarray:
    """Convert, and check that the values are the same as before."""
    with np.errstate(invalid="ignore"):
        converted: np.ndarray = values.astype(dtype)
    before = values if values.dtype.kind in "biuf" else values.astype(float)
    if not (np.isfinite(converted).all() and np.array_equal(converted, before)):
        raise ValueError(
            f"{what}, {values.dtype}, holds values that are not finite or that "
            f"{np.dtype(dtype)} cannot hold."
        )
    return converted
