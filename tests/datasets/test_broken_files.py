"""Archives and folders that are broken, hostile or closed: the path, and a sentence."""

import io
import struct
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
import pytest

from skgroupnet.datasets import fetch_mnist, fetch_sensorless, home, sensorless
from skgroupnet.datasets.sensorless import FILE


def npz(**arrays):
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def encrypted(content):
    """Mark the members of a zip file as encrypted: what they hold is not looked at."""
    content = bytearray(content)
    for signature, flags in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        at = content.find(signature)
        while at >= 0:
            content[at + flags] |= 1
            at = content.find(signature, at + 1)
    return bytes(content)


def of_unknown_method(content):
    content = bytearray(content)
    for signature, method in ((b"PK\3\4", 8), (b"PK\1\2", 10)):
        at = content.find(signature)
        while at >= 0:
            content[at + method : at + method + 2] = struct.pack("<H", 97)
            at = content.find(signature, at + 1)
    return bytes(content)


def bomb():
    """A small file that says to hold an array of 4 GB."""
    file = io.BytesIO()
    with ZipFile(file, "w", ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr("y.npy", b"")
        archive.writestr("X.npy", b"")
    content = bytearray(file.getvalue())
    at = content.rfind(b"PK\1\2")
    content[at + 24 : at + 28] = struct.pack("<I", 2**32 - 2)
    return bytes(content)


def saved(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


FILES = {
    "empty": (lambda X, y: b"", "not a zip file"),
    "text": (lambda X, y: b"X,y\n1,2\n", "not a zip file"),
    "no arrays": (lambda X, y: npz(), r"holds the arrays \[\]; X and y were expected"),
    "an array": (lambda X, y: saved(X), "not a zip file"),
    "cut": (lambda X, y: npz(X=X, y=y)[:-30], "not a zip file"),
    "objects": (lambda X, y: npz(X=X.astype(object), y=y), "allow_pickle=False"),
    "encrypted": (lambda X, y: encrypted(npz(X=X, y=y)), "is encrypted"),
    "unknown method": (lambda X, y: of_unknown_method(npz(X=X, y=y)), "method"),
    "bomb": (lambda X, y: bomb(), "have 4294967294 bytes .* at most"),
}


@pytest.mark.parametrize("name", FILES)
def test_archives(case, tmp_path, name):
    content, words = FILES[name]
    path = tmp_path / case.original.archive
    path.write_bytes(content(*case.rows()))
    match = rf"{path} is not an npz file of {case.original.title}: .*{words}"
    with pytest.raises(ValueError, match=match):
        case.fetch(data_home=tmp_path)
    assert list(tmp_path.iterdir()) == [path]


def zipped(content, name=FILE):
    file = io.BytesIO()
    with ZipFile(file, "w", ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "has X of shape"),
        (zipped(b""), "has X of shape"),
        (encrypted(zipped(b"1 2 3\n")), "is encrypted"),
        (of_unknown_method(zipped(b"1 2 3\n")), "method"),
        (zipped(b"0 " * 2**20), "2097152 bytes when unpacked, and at most 1048576"),
        (b"0 " * 2**20, "2097152 bytes when unpacked, and at most 1048576"),
        (zipped(b"1 2 3\n")[:-40], "convert|decode|not a zip"),
    ],
    ids=range(7),
)
def test_texts(tmp_path, monkeypatch, content, words):
    monkeypatch.setattr(sensorless, "MAX_BYTES", 2**20)
    path = tmp_path / FILE
    path.write_bytes(content)
    with pytest.raises(OSError, match=f"{path} is not the original: .*{words}"):
        fetch_sensorless(data_home=tmp_path)
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_a_file(case, tmp_path, monkeypatch):
    file = tmp_path / "file"
    file.touch()
    words = "given by data_home or the .* SKGROUPNET_DATA, can be neither found nor"
    for folder in (file, file / "folder"):
        with pytest.raises(OSError, match=f"{words} made: .*{file}"):
            case.fetch(data_home=folder)
    monkeypatch.setenv("SKGROUPNET_DATA", str(file))
    with pytest.raises(OSError, match=words):
        case.fetch()


def test_a_folder_that_cannot_be_written_to(tmp_path, monkeypatch):
    def closed(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(home, "TemporaryDirectory", closed)
    monkeypatch.setattr(
        "skgroupnet.datasets.mnist._from_openml",
        lambda *_: (np.zeros((1, 784)), np.zeros(1)),
    )
    path = tmp_path / "mnist.npz"
    with pytest.raises(OSError, match=f"{path}, the rows of MNIST, cannot be written"):
        fetch_mnist(data_home=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_empty_variable_is_none(case, tmp_path, monkeypatch):
    monkeypatch.setenv("SKGROUPNET_DATA", "")
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path))
    with pytest.raises(OSError, match=f"was not found in {tmp_path}"):
        case.fetch(download_if_missing=False)
