"""One file from the web: all of it or nothing, with progress on standard error."""

import sys
import time
import warnings
from hashlib import sha256
from http.client import HTTPException
from math import inf
from pathlib import Path
from typing import Any, NamedTuple
from urllib.error import ContentTooShortError, HTTPError
from urllib.parse import urlsplit
from urllib.request import urlopen

# Seconds to wait for a connection, and for each part of a file.
TIMEOUT = 60.0
# The largest of the originals has 34 MB, also uncompressed. It may take 19 kB a second,
# and have four times the size.
MAX_SECONDS = 1800.0
MAX_BYTES = 2**27
CHUNK = 2**18


class Refused(OSError):
    """What a server sends is not to be asked for again."""


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
    end = time.monotonic() + MAX_SECONDS
    while True:
        try:
            _transfer(remote.url, path, end)
            break
        except (OSError, HTTPException) as error:
            if isinstance(error, HTTPError):
                # It is also the answer of the server.
                error.close()
            if isinstance(error, Refused) or not n_retries:
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


def _transfer(url: str, path: Path, end: float) -> None:
    """Copy a file, and see that its end is there."""
    with urlopen(url, timeout=TIMEOUT) as response, path.open("wb") as file:
        size = _announced(response)
        n_read, text = 0, ""
        try:
            # Not `read`, which returns when the whole chunk has come, however slowly.
            while chunk := response.read1(CHUNK):
                n_read += file.write(chunk)
                _check_limits(n_read, end)
                before = text
                text = f"\r{url}: {_megabytes(n_read)} of {_megabytes(size)} MB"
                if text != before:
                    _show(text)
        finally:
            _show("\n")
    if n_read < size:
        raise ContentTooShortError(
            f"the file ended after {n_read} of {size} bytes",
            (str(path), response.headers),
        )


def _announced(response: Any) -> int:
    """Return how long the server says the file is; 0: it does not."""
    scheme = urlsplit(response.url).scheme
    if scheme not in ("http", "https"):
        raise Refused(f"it leads to {response.url}, and not to a web page")
    length = response.headers.get("Content-Length", "0")
    if not (length.isascii() and length.isdigit()):
        raise Refused(f"its Content-Length is {length!r}, and not a number of bytes")
    _check_limits(int(length), inf)
    return int(length)


def _check_limits(n_bytes: int, end: float) -> None:
    if n_bytes > MAX_BYTES:
        raise Refused(f"the file is longer than {MAX_BYTES} bytes, the most expected")
    if time.monotonic() > end:
        raise Refused(f"the file took longer than {MAX_SECONDS:g} seconds")


def _megabytes(n_bytes: int) -> str:
    return f"{n_bytes / 1e6:.1f}" if n_bytes else "?"


def _show(text: str) -> None:
    print(text, end="", file=sys.stderr, flush=True)
