"""Servers that do not behave, on this machine: a sentence, and nothing left behind."""

import threading
import time
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from skgroupnet.datasets import download as module
from skgroupnet.datasets import fetch_sensorless, sensorless
from skgroupnet.datasets.download import Remote, download

# No server of a test sends for longer, or more.
MOST_SECONDS, MOST_BYTES = 20.0, 2**24


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.n_asked += 1
        try:
            self.server.answer(self)
        except OSError:
            # The other side has closed.
            pass

    def log_message(self, *_):
        pass


@pytest.fixture
def served(monkeypatch):
    """Give the address of a server that answers with a function of its handler."""
    monkeypatch.setenv("no_proxy", "*")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.n_asked = 0
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()

    def by(answer):
        server.answer = answer
        return f"http://127.0.0.1:{server.server_port}/a.zip"

    by.server = server
    yield by
    server.shutdown()
    thread.join()
    server.server_close()


def head(handler, **headers):
    handler.send_response(headers.pop("status", 200))
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()


def endless(handler):
    head(handler)
    for _ in range(MOST_BYTES // 2**14):
        handler.wfile.write(bytes(2**14))


def dripping(handler):
    head(handler, Content_Length="1000000")
    end = time.monotonic() + MOST_SECONDS
    while time.monotonic() < end:
        handler.wfile.write(b"x")
        time.sleep(0.02)


def silent(handler):
    head(handler, Content_Length="10")
    time.sleep(1.5)


def short(handler):
    head(handler, Content_Length="10")
    handler.wfile.write(b"four")


def chunked(handler):
    head(handler, Transfer_Encoding="chunked")
    handler.wfile.write(b"a\r\nfour")


def refuses(url, path, words, error=OSError):
    begin = time.monotonic()
    with pytest.raises(error, match=words):
        download(Remote(url), path, 0, 0.001)
    assert time.monotonic() - begin < MOST_SECONDS / 2


def test_a_file(served, tmp_path):
    def answer(handler):
        head(handler, Content_Length="4")
        handler.wfile.write(b"four")

    right = Remote(served(answer), sha256(b"four").hexdigest())
    download(right, tmp_path / "file", 0, 0.001)
    assert (tmp_path / "file").read_bytes() == b"four"


def test_no_end(served, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MAX_BYTES", 2**20)
    path = tmp_path / "file"
    refuses(served(endless), path, "longer than 1048576 bytes, the most expected")
    assert path.stat().st_size < 2**21
    # It is not asked again for what will not change.
    with pytest.raises(OSError, match="longer than"):
        download(Remote(served(endless)), path, 3, 0.001)
    assert served.server.n_asked == 2


def test_a_length_beyond_the_limit(served, tmp_path):
    url = served(lambda handler: head(handler, Content_Length=str(2**40)))
    refuses(url, tmp_path / "file", "longer than 134217728 bytes")


def test_a_byte_at_a_time(served, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MAX_SECONDS", 0.3)
    refuses(served(dripping), tmp_path / "file", "took longer than 0.3 seconds")


def test_silence(served, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "TIMEOUT", 0.2)
    refuses(served(silent), tmp_path / "file", "timed out")


@pytest.mark.parametrize("length", ["ten", "-10", "1e3", "10, 20", "\xb2"])
def test_a_length_that_is_none(served, tmp_path, length):
    url = served(lambda handler: head(handler, Content_Length=length))
    refuses(url, tmp_path / "file", f"Content-Length is .*{length}', and not a number")


def test_an_end_too_early(served, tmp_path):
    refuses(served(short), tmp_path / "file", "ended after 4 of 10 bytes")
    incomplete = Exception
    refuses(served(chunked), tmp_path / "file", "IncompleteRead", incomplete)


@pytest.mark.parametrize("target", ["file:///etc/hostname", "data:,four", "ftp://x/y"])
def test_a_redirection_to_no_web_page(served, tmp_path, target, monkeypatch):
    # Nobody is asked by FTP: what it would give is.
    answer = served(lambda handler: head(handler, status=302, Location=target))
    if target.startswith("ftp"):
        by_ftp = module.urlopen(served(lambda handler: head(handler)))
        by_ftp.url = target
        monkeypatch.setattr(module, "urlopen", lambda *_, **__: by_ftp)
        refuses(answer, tmp_path / "file", "leads to ftp://x/y, and not to a web page")
    else:
        refuses(answer, tmp_path / "file", f"edirection to url '{target}' is not")
    assert not (tmp_path / "file").exists() or not (tmp_path / "file").stat().st_size


@pytest.mark.parametrize("answer", [endless, short, silent], ids=lambda a: a.__name__)
@pytest.mark.filterwarnings("ignore:.* is tried again:RuntimeWarning")
def test_what_a_fetcher_says(served, tmp_path, monkeypatch, answer):
    monkeypatch.setattr(module, "MAX_BYTES", 2**20)
    monkeypatch.setattr(module, "TIMEOUT", 0.2)
    url = served(answer)
    monkeypatch.setattr(sensorless, "REMOTES", [Remote(url)])
    words = rf"could not be downloaded. Tried: {url} \(.*(longer|ended|timed).*put sdd"
    with pytest.raises(OSError, match=words):
        fetch_sensorless(data_home=tmp_path, n_retries=1, delay=1e-3)
    assert list(tmp_path.iterdir()) == []
