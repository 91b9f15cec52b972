"""The original of the sensorless data: its text file, from a server or by hand."""

import threading
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from zipfile import ZipFile

import numpy as np
import pytest

from skgroupnet.datasets import fetch_sensorless, sensorless
from skgroupnet.datasets.download import Remote

N_PER_CLASS = 3


class Server(ThreadingHTTPServer):
    """Serves `files` by path: bytes, or a list of the answers to each request."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = {}
        self.asked = []
        self.missing_bytes = 0

    def url(self, path):
        return f"http://127.0.0.1:{self.server_port}/{path}"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        path = self.path.removeprefix("/")
        self.server.asked.append(path)
        content = self.server.files.get(path)
        if isinstance(content, list):
            content = content.pop(0)
        if content is None:
            self.send_error(503)
            return
        self.send_response(200)
        self.send_header(
            "Content-Length", str(len(content) + self.server.missing_bytes)
        )
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    """A server of this machine, in place of the repository's."""
    monkeypatch.setenv("no_proxy", "*")
    server = Server()
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.01}
    )
    thread.start()
    remotes = (Remote(server.url("new.zip")), Remote(server.url("old.txt")))
    monkeypatch.setattr(sensorless, "REMOTES", remotes)
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def rows(monkeypatch):
    """An original of three rows per class, 5 digits each."""
    values = np.random.RandomState(0).standard_normal((11 * N_PER_CLASS, 48))
    X = np.array([[float(f"{value:.5g}") for value in row] for row in values])
    y = np.repeat(np.arange(1, 12), N_PER_CLASS)
    first = sha256(np.unique(X[y == 1], axis=0).tobytes()).hexdigest()
    monkeypatch.setattr(sensorless, "N_PER_CLASS", N_PER_CLASS)
    monkeypatch.setattr(sensorless, "CLASS_1", first)
    return X, y


def text(X, y):
    """The rows as the original writes them."""
    lines = (
        " ".join([*(f"{value:.5g}" for value in row), str(label)])
        for row, label in zip(X, y, strict=True)
    )
    return ("\n".join(lines) + "\n").encode()


def zipped(content, name="Sensorless_drive_diagnosis.txt"):
    file = BytesIO()
    with ZipFile(file, "w") as archive:
        archive.writestr(name, content)
    return file.getvalue()


def fetch(home, **settings):
    settings = {"n_retries": 1, "delay": 1e-3, **settings}
    return fetch_sensorless(data_home=home, **settings)


def test_download(server, rows, tmp_path, capsys):
    server.files["new.zip"] = zipped(text(*rows))
    bunch = fetch(tmp_path)
    np.testing.assert_array_equal(bunch.data, rows[0])
    np.testing.assert_array_equal(bunch.target, rows[1])
    assert bunch.data.dtype == np.float64 and bunch.target.dtype == np.uint8
    # How far it is.
    size = f"{len(server.files['new.zip']) / 1e6:.1f}"
    assert f"{server.url('new.zip')}: {size} of {size} MB" in capsys.readouterr().err
    # Nothing else is left in the folder, and the next call asks nobody.
    assert [path.name for path in tmp_path.iterdir()] == ["sdd.npz"]
    again = fetch(tmp_path, download_if_missing=False)
    np.testing.assert_array_equal(again.data, bunch.data)
    np.testing.assert_array_equal(again.target, bunch.target)
    assert again.DESCR == bunch.DESCR
    assert server.asked == ["new.zip"]


def test_the_second_address(server, rows, tmp_path):
    server.files["old.txt"] = text(*rows)
    with pytest.warns(RuntimeWarning, match="new.zip is tried again after: <HTTPError"):
        X, _ = fetch(tmp_path, return_X_y=True)
    np.testing.assert_array_equal(X, rows[0])
    assert server.asked == ["new.zip", "new.zip", "old.txt"]


def test_a_third_try(server, rows, tmp_path):
    server.files["new.zip"] = [None, None, zipped(text(*rows))]
    with pytest.warns(RuntimeWarning, match="tried again"):
        X, _ = fetch(tmp_path, return_X_y=True, n_retries=2)
    np.testing.assert_array_equal(X, rows[0])
    assert server.asked == ["new.zip"] * 3


@pytest.mark.filterwarnings("ignore:.* is tried again:RuntimeWarning")
def test_offline(server, tmp_path):
    with pytest.raises(OSError) as caught:
        fetch(tmp_path)
    message = str(caught.value)
    for words in (
        "could not be downloaded",
        f"{server.url('new.zip')} (HTTP Error 503",
        f"{server.url('old.txt')} (HTTP Error 503",
        "put sdd.npz",
        "X of shape (n, 48) and y of shape (n,), labels 1 to 11",
        "or Sensorless_drive_diagnosis.txt, the original,",
        f"into {tmp_path}",
        "data_home",
        "SKGROUPNET_DATA",
    ):
        assert words in message
    assert isinstance(caught.value.__cause__, OSError)
    assert server.url("old.txt") == caught.value.__cause__.url
    assert list(tmp_path.iterdir()) == []


@pytest.mark.filterwarnings("ignore:.* is tried again:RuntimeWarning")
def test_no_server(tmp_path, monkeypatch):
    # Port 9 discards what it gets, where anything listens at all.
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(sensorless, "REMOTES", [Remote("http://127.0.0.1:9/a.zip")])
    with pytest.raises(OSError, match=r"Tried: http://127.0.0.1:9/a.zip \(<urlopen"):
        fetch(tmp_path)


def test_a_missing_file_is_not_downloaded_unasked(server, tmp_path):
    with pytest.raises(OSError, match="download_if_missing is False.* put sdd.npz"):
        fetch(tmp_path, download_if_missing=False)
    assert server.asked == []


def test_the_text_file_by_hand(server, rows, tmp_path):
    (tmp_path / "Sensorless_drive_diagnosis.txt").write_bytes(text(*rows))
    X, y = fetch(tmp_path, return_X_y=True, download_if_missing=False)
    np.testing.assert_array_equal(X, rows[0])
    np.testing.assert_array_equal(y, rows[1])
    assert server.asked == []


def test_a_wrong_text_file_by_hand(rows, tmp_path):
    path = tmp_path / "Sensorless_drive_diagnosis.txt"
    path.write_bytes(text(*rows)[:-10])
    with pytest.raises(OSError, match=f"{path} is not the original"):
        fetch(tmp_path)
    assert not (tmp_path / "sdd.npz").exists()


@pytest.mark.filterwarnings("ignore:.* is tried again:RuntimeWarning")
def test_a_download_that_ends_early(server, rows, tmp_path):
    server.files["new.zip"] = zipped(text(*rows))
    server.missing_bytes = 1000
    with pytest.raises(OSError, match=r"new.zip \(.*(ended after|IncompleteRead)"):
        fetch(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_checksum(server, rows, tmp_path, monkeypatch):
    content = zipped(text(*rows))
    server.files["new.zip"] = content
    right = sha256(content).hexdigest()
    wrong = right[::-1]
    monkeypatch.setattr(sensorless, "REMOTES", [Remote(server.url("new.zip"), wrong)])
    with pytest.raises(OSError, match=f"file is {right}; {wrong} was expected"):
        fetch(tmp_path)
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(sensorless, "REMOTES", [Remote(server.url("new.zip"), right)])
    X, _ = fetch(tmp_path, return_X_y=True)
    np.testing.assert_array_equal(X, rows[0])


def altered(rows, row, column, value):
    X, y = rows[0].copy(), rows[1].astype(object)
    (y if column == 48 else X).reshape(len(X), -1)[row, column % 48] = value
    return text(X, y)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (lambda rows: text(*rows)[:-10], "the number of columns changed"),
        (lambda rows: text(rows[0][1:], rows[1][1:]), r"it has \[2, 3, 3.* of each"),
        (lambda rows: text(rows[0][:, 1:], rows[1]), r"y of shape \(n,\)"),
        (lambda rows: altered(rows, 2, 48, 2), r"it has \[2, 4, 3"),
        (lambda rows: altered(rows, 2, 48, 12), r"has also \[12\]"),
        (lambda rows: altered(rows, 2, 48, 1.5), "that uint8 cannot"),
        (lambda rows: altered(rows, 9, 5, np.nan), "not finite"),
        (lambda rows: altered(rows, 9, 5, np.inf), "not finite"),
        (lambda rows: altered(rows, 2, 5, 0.25), "SHA-256 of its rows of class 1"),
        (lambda rows: b"<html>Moved</html>", "could not convert string '<html>"),
        (lambda rows: zipped(text(*rows), "readme.txt"), "no item named"),
        (lambda rows: zipped(text(*rows)).replace(b" 11\n", b" 10\n", 1), "Bad CRC"),
    ],
)
def test_wrong_content(server, rows, tmp_path, monkeypatch, content, words):
    server.files["a"] = content(rows)
    monkeypatch.setattr(sensorless, "REMOTES", [Remote(server.url("a"))])
    with pytest.raises(OSError, match=f"/a \\(the file is not the original.*{words}"):
        fetch(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_rows_of_class_1(real_data, tmp_path, monkeypatch):
    # Written and parsed as text they are those whose SHA-256 is known.
    data = real_data("sdd")
    X = np.concatenate([data["X"], data["X_extra"]])
    y = np.concatenate([data["y"], data["y_extra"]])
    path = tmp_path / "rows"
    path.write_bytes(text(X, y))
    monkeypatch.setattr(sensorless, "_check", lambda *_: None)
    X_read, y_read = sensorless._parse(path, "the file")
    np.testing.assert_array_equal(X_read, X)
    np.testing.assert_array_equal(y_read, y)
    monkeypatch.undo()
    first = y_read == 1
    assert first.sum() == sensorless.N_PER_CLASS
    with pytest.raises(OSError, match=r"it has \[5319, 612, 200"):
        sensorless._check(X_read, y_read, "the file")
    # As if every class were complete: the rows of class 1 are what is looked at.
    rest = np.repeat(np.arange(2, 12), sensorless.N_PER_CLASS)
    whole = np.concatenate([X_read[first], np.zeros((len(rest), 48))])
    sensorless._check(whole, np.concatenate([y_read[first], rest]), "the file")
