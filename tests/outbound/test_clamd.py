"""The client of clamd, against a server that speaks its protocol."""

import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from complaints.outbound import clamd
from complaints.outbound.clamd import Clamd
from complaints.settings import Settings
from complaints.use_cases.attachments.scanning import ScanFailed
from complaints.wiring import NotReady, open_attachment_store

VIRUS = b"a virus, as far as this server knows"
MOST = 600_000  # bytes that the server takes


class _Session(socketserver.StreamRequestHandler):
    """One INSTREAM call. A file with `hang` in it gets no answer."""

    def handle(self) -> None:
        assert self.rfile.read(10) == b"zINSTREAM\0"
        content = b""
        while size := int.from_bytes(self.rfile.read(4), "big"):
            content += self.rfile.read(size)
            if len(content) > MOST:
                self.wfile.write(b"INSTREAM size limit exceeded. ERROR\0")
                return
        if b"hang" not in content:
            found = b"Test-Signature FOUND" if VIRUS in content else b"OK"
            self.wfile.write(b"stream: " + found + b"\0")


class _UnixServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


class _TcpServer(socketserver.ThreadingMixIn, socketserver.TCPServer):
    daemon_threads = True


@pytest.fixture(params=["tcp", "unix"])
def clamd_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a server that knows one virus."""
    path = tmp_path / "clamd"
    if request.param == "unix":
        server: Any = _UnixServer(str(path), _Session)
        url = f"unix://{path}"
    else:
        server = _TcpServer(("127.0.0.1", 0), _Session)
        url = f"tcp://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield url
    server.shutdown()
    server.server_close()
    thread.join()


def test_one_call_says_what_is_in_a_file(clamd_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    scanner = Clamd(clamd_url)
    assert scanner.scan([b"a", b"harmless", b"file"]) is None
    assert scanner.scan([VIRUS[:9], VIRUS[9:]]) == "Test-Signature"
    with pytest.raises(ScanFailed, match="size limit exceeded"):
        scanner.scan([b"x" * 200_000] * 20)
    with pytest.raises(ScanFailed, match="answers: ''"):
        scanner.scan([b"hang"])
    monkeypatch.setattr(clamd, "LONGEST_SECONDS", -1)
    with pytest.raises(ScanFailed, match="too slow"):
        scanner.scan([b"x"])


def test_a_scanner_that_is_not_there_gives_no_answer(tmp_path: Path) -> None:
    for url in ("tcp://127.0.0.1:1", f"unix://{tmp_path}/none"):
        with pytest.raises(ScanFailed, match="does not answer"):
            Clamd(url).scan([b"x"])


@pytest.mark.parametrize("url", ["127.0.0.1:3310", "http://x:1", "tcp://x", "unix://x/y", "tcp://x:1/y", ""])
def test_an_address_of_another_form_is_refused(url: str) -> None:
    with pytest.raises(NotReady, match="COMPLAINTS_CLAMD_URL must be tcp://host:port or unix:///path"):
        open_attachment_store(Settings(clamd_url=url))
