"""The client of clamd, the daemon of ClamAV: one INSTREAM call for each file, over TCP or a Unix socket.

The address is a setting of the operator and no user can change it, so it needs no guard.
"""

import re
import socket
import time
from collections.abc import Iterable
from contextlib import suppress
from urllib.parse import urlsplit

from complaints.use_cases.attachments.scanning import ScanFailed

TIMEOUT_SECONDS = 20.0
"""The longest wait for one step: to connect, to send a part, to get the answer."""

LONGEST_SECONDS = 180.0
"""The longest scan."""

_LONGEST_ANSWER = 1024
_ANSWER = re.compile(r"stream: (?:(OK)|(.+) FOUND)")


class Clamd:
    """clamd at an address such as `tcp://127.0.0.1:3310` or `unix:///run/clamav/clamd.ctl`.

    Raises ValueError for an address of another form. Nothing is sent before the first scan.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme == "tcp" and parts.hostname and parts.port and parts.path in ("", "/"):
            self._address: tuple[str, int] | str = (parts.hostname, parts.port)
        elif parts.scheme == "unix" and not parts.netloc and parts.path:
            self._address = parts.path
        else:
            raise ValueError("must be tcp://host:port or unix:///path")

    def scan(self, parts: Iterable[bytes]) -> str | None:
        """What the scanner finds in a file; None: nothing. Raises ScanFailed without an answer."""
        try:
            with self._connect() as connection:
                with suppress(
                    BrokenPipeError, ConnectionResetError
                ):  # it answers before the end of a large file
                    _send(connection, parts)
                return _read_finding(_receive(connection))
        except OSError as error:
            raise ScanFailed(f"clamd does not answer: {error}") from error

    def _connect(self) -> socket.socket:
        if isinstance(self._address, tuple):
            return socket.create_connection(self._address, timeout=TIMEOUT_SECONDS)
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(TIMEOUT_SECONDS)
        try:
            connection.connect(self._address)
        except BaseException:
            connection.close()
            raise
        return connection


def _send(connection: socket.socket, parts: Iterable[bytes]) -> None:
    """Send the command, each part after its length in four bytes, and an empty part."""
    until = time.monotonic() + LONGEST_SECONDS
    connection.sendall(b"zINSTREAM\0")
    for part in parts:
        if time.monotonic() > until:
            raise ScanFailed("clamd is too slow")
        connection.sendall(len(part).to_bytes(4, "big") + part)
    connection.sendall(bytes(4))


def _receive(connection: socket.socket) -> str:
    answer = b""
    while not answer.endswith(b"\0") and len(answer) < _LONGEST_ANSWER:
        part = connection.recv(_LONGEST_ANSWER)
        if not part:
            break
        answer += part
    return answer.rstrip(b"\0\n").decode("utf-8", "replace")


def _read_finding(answer: str) -> str | None:
    read = _ANSWER.fullmatch(answer)
    if read is None:
        raise ScanFailed(f"clamd answers: {answer[:200]!r}")
    finding: str | None = read[2]
    return finding
