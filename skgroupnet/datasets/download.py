"""One file from the web: all of it or nothing, with progress on standard error."""

import sys
import time
import warnings
from hashlib import sha256
from http.client import HTTPException
from pathlib import Path
from typing import NamedTuple
from urllib.error import ContentTooShortError, HTTPError
from urllib.request import urlopen

TIMEOUT = 60.0
CHUNK = 2**18


class Remote(NamedTuple):
    """A file on the web.

    Attributes
    ----------
    url : str
        Where it is.
    checksum : str or None
        Its SHA-256. None where none is known, and the content is verified instead.
    """

    url: str
    checksum: str | None = None


def download(remote: Remote, path: Path, n_retries: int, delay: float) -> None:
    """Write a file to ``path``; raise an OSError or an HTTPException if it is not it.

    What is on ``path`` after an error is not the file: pass one in a temporary folder.
    """
    while True:
        try:
            _transfer(remote.url, path)
            break
        except (OSError, HTTPException) as error:
            if isinstance(error, HTTPError):
                # It is also the answer of the server.
                error.close()
            if not n_retries:
                raise
            warnings.warn(
                f"{remote.url} is tried again after: {error!r}",
                RuntimeWarning,
                stacklevel=2,
            )
            n_retries -= 1
            time.sleep(delay)
    if remote.checksum is not None:
        found = sha256(path.read_bytes()).hexdigest()
        if found != remote.checksum:
            raise OSError(
                f"the SHA-256 of the file is {found}; {remote.checksum} was expected"
            )


def _transfer(url: str, path: Path) -> None:
    """Copy a file, and see that its end is there."""
    with urlopen(url, timeout=TIMEOUT) as response, path.open("wb") as file:
        # Not every server says how long the file is.
        size = int(response.headers.get("Content-Length") or 0)
        n_read = 0
        try:
            while chunk := response.read(CHUNK):
                n_read += file.write(chunk)
                _show(f"\r{url}: {_megabytes(n_read)} of {_megabytes(size)} MB")
        finally:
            _show("\n")
    if n_read < size:
        raise ContentTooShortError(
            f"the file ended after {n_read} of {size} bytes",
            (str(path), response.headers),
        )


def _megabytes(n_bytes: int) -> str:
    return f"{n_bytes / 1e6:.1f}" if n_bytes else "?"


def _show(text: str) -> None:
    print(text, end="", file=sys.stderr, flush=True)
