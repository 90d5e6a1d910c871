"""The HTTP client for addresses that users name.

It dials checked addresses only, follows no redirect, uses no proxy of the environment, and bounds time and size.
"""

import ssl
from collections.abc import Mapping
from functools import cache
from types import TracebackType

import httpcore2

from complaints.outbound.allow_list import AllowList
from complaints.outbound.dialling import AddressRefused, GuardedBackend, Resolve, TimeLimit, resolve
from complaints.outbound.reply import ReceiverReply, SendingFailed
from complaints.outbound.urls import UnsafeUrl, check_url

LONGEST_EXCHANGE_SECONDS = 15.0
LARGEST_ANSWER_BYTES = 64 * 1024
_KEPT_CONNECTIONS = 200
_KEPT_SECONDS = 20.0


@cache
def trusted_authorities() -> ssl.SSLContext:
    """The authorities whose certificates are trusted. A process reads them once, which takes 20 ms."""
    import httpx2  # to load it takes long, and many processes send nothing

    return httpx2.create_ssl_context()


class GuardedClient:
    """Sends POST requests, from any number of threads. Connections are kept open for the next request.

    `resolver` gives the addresses of a host; only tests need another one than the system's.
    """

    def __init__(
        self,
        allowed: AllowList,
        *,
        seconds: float = LONGEST_EXCHANGE_SECONDS,
        resolver: Resolve = resolve,
    ) -> None:
        self._allowed, self._seconds = allowed, seconds
        self._limit = TimeLimit()
        self._pool = httpcore2.ConnectionPool(
            ssl_context=trusted_authorities(),
            max_connections=None,  # the callers' threads are the bound
            max_keepalive_connections=_KEPT_CONNECTIONS,
            keepalive_expiry=_KEPT_SECONDS,
            network_backend=GuardedBackend(allowed, self._limit, resolver),
        )

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> ReceiverReply:
        """Send `body` to `url` and return the answer, whatever its status. Raises SendingFailed."""
        try:
            target = check_url(url, self._allowed)
            with self._limit.within(self._seconds):
                return self._exchange(
                    httpcore2.URL(
                        scheme=target.scheme.encode(),
                        host=target.host.encode(),
                        port=target.port,
                        target=target.path.encode(),
                    ),
                    body,
                    {"Host": _host_header(url), "Accept-Encoding": "identity", **headers},
                )
        except UnsafeUrl as error:
            raise SendingFailed("refused-url", f"The URL {error}.") from error
        except AddressRefused as error:
            raise SendingFailed("refused-address", str(error)) from error
        except httpcore2.TimeoutException as error:
            raise SendingFailed("timeout", "The receiver did not answer in time.") from error
        except (httpcore2.NetworkError, httpcore2.ProtocolError) as error:
            raise SendingFailed("connection", "The connection to the receiver failed.") from error

    def _exchange(self, url: httpcore2.URL, body: bytes, headers: Mapping[str, str]) -> ReceiverReply:
        with self._pool.stream("POST", url, headers=list(headers.items()), content=body) as response:
            received = bytearray()
            for part in response.iter_stream():
                received += part
                if len(received) >= LARGEST_ANSWER_BYTES:
                    break
            named = {
                name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers
            }
            return ReceiverReply(response.status, named, bytes(received[:LARGEST_ANSWER_BYTES]))

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()

    def __enter__(self) -> "GuardedClient":
        """Close the connections at the end of the block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        self.close()


def _host_header(url: str) -> str:
    """The host and port of a checked URL as they stand in it."""
    return url.split("/", 3)[2].partition("?")[0]
