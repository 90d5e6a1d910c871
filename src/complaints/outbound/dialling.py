"""How a connection is opened: the name is resolved, every address is checked, and a checked address is dialled.

No time passes between the check and the dial in which a name could get another address (DNS rebinding).
"""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from ipaddress import ip_address
from typing import Any

import httpcore2

from complaints.outbound.allow_list import Address, AllowList

Resolve = Callable[[str, int], Sequence[str]]
_SHORTEST_DIAL_SECONDS = 2.0  # the system sends a lost packet again after one second
_NO_TIME_LEFT = "no time was left for the answer"


class AddressRefused(Exception):
    """The name of the receiver has an address that may not be dialled."""


def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses of a host, in the order in which they should be tried. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


def check_addresses(host: str, addresses: Iterable[str], allowed: AllowList) -> Sequence[Address]:
    """The addresses of `host`, all of them checked. Raises AddressRefused if a single one is not permitted."""
    checked = []
    for text in addresses:
        address = ip_address(text.partition("%")[0])
        if not allowed.permits(host, address):
            raise AddressRefused("the name of the receiver has an address that is not public")
        checked.append(address)
    return checked


class TimeLimit:
    """The end of the exchange that the present thread is in. Nothing asks for it outside `within`."""

    def __init__(self) -> None:
        self._of_thread = threading.local()

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Let the exchange in this block last at most `seconds` in all."""
        self._of_thread.end = time.monotonic() + seconds
        try:
            yield
        finally:
            del self._of_thread.end

    def left(self) -> float:
        """The seconds that are left. Raises httpcore2.ReadTimeout if there are none."""
        seconds = float(self._of_thread.end - time.monotonic())
        if seconds <= 0:
            raise httpcore2.ReadTimeout(_NO_TIME_LEFT)
        return seconds

    def share(self, parts: int) -> float:
        """The seconds for the first of `parts` addresses: at most half of them if others follow.

        Raises httpcore2.ReadTimeout if there are none.
        """
        left = self.left()
        return left if parts == 1 else max(left / parts, min(left / 2, _SHORTEST_DIAL_SECONDS))


class GuardedBackend(httpcore2.NetworkBackend):
    """Opens connections to checked addresses only. `resolver` gives the addresses of a host."""

    def __init__(self, allowed: AllowList, limit: TimeLimit, resolver: Resolve = resolve) -> None:
        self._allowed, self._limit, self._resolver = allowed, limit, resolver
        self._inner = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore2.NetworkStream:
        """Connect to the first checked address that answers. A silent one takes its share of the time only."""
        del timeout  # the limit of the whole exchange counts
        failure: Exception = httpcore2.ConnectError("the name of the receiver has no address")
        addresses = check_addresses(host, self._resolve(host, port), self._allowed)
        for number, address in enumerate(addresses):
            seconds = self._limit.share(len(addresses) - number)
            try:
                stream = self._inner.connect_tcp(str(address), port, seconds, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
                continue
            return _LimitedStream(stream, self._limit)
        raise failure

    def _resolve(self, host: str, port: int) -> Sequence[str]:
        """Resolve in a thread of its own, because the system's resolver has no time limit."""
        found: list[Sequence[str]] = []
        failures: list[OSError] = []

        def look_up() -> None:
            try:
                found.append(self._resolver(host, port))
            except OSError as error:
                failures.append(error)
            except UnicodeError:  # a label that is too long for the resolver
                failures.append(OSError("the name of the receiver is not valid"))

        thread = threading.Thread(target=look_up, name="resolver", daemon=True)
        thread.start()
        thread.join(self._limit.left())
        if failures:
            raise httpcore2.ConnectError("the name of the receiver is not known") from failures[0]
        if not found:
            raise httpcore2.ConnectTimeout("the name of the receiver was not resolved in time")
        return found[0]


class _LimitedStream(httpcore2.NetworkStream):
    """A connection whose reads and writes end when the time of the exchange ends."""

    def __init__(self, inner: httpcore2.NetworkStream, limit: TimeLimit) -> None:
        self._inner, self._limit = inner, limit

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        del timeout
        return self._inner.read(max_bytes, self._limit.left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        del timeout
        self._inner.write(buffer, self._limit.left())

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        del timeout
        return _LimitedStream(
            self._inner.start_tls(ssl_context, server_hostname, self._limit.left()), self._limit
        )

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
