"""A client that calls an application in this process, without a network."""

import sys
from collections.abc import Mapping
from contextlib import ExitStack
from functools import cache, lru_cache
from typing import Any

from anyio.from_thread import BlockingPortal, start_blocking_portal
from httpx2 import URL, ASGITransport, BaseTransport, ByteStream, Client, Request, Response
from starlette.types import ASGIApp

# httpx asks for this module at each request. Where it is not installed, each time all of `sys.path` is searched.
sys.modules.setdefault("sniffio", None)  # type: ignore[arg-type]

_CLEAN_UP = ExitStack()
_BASE = URL("http://testserver/")


@cache
def _portal() -> BlockingPortal:
    """The way to the event loop that all clients of this process share."""
    return _CLEAN_UP.enter_context(start_blocking_portal())


def stop_event_loop() -> None:
    """Stop the event loop of the clients. The next request starts a new one."""
    _CLEAN_UP.close()
    _portal.cache_clear()


class _AppTransport(BaseTransport):
    """Gives each request to the application, on the shared event loop, and waits for the whole answer."""

    def __init__(self, app: ASGIApp, *, raise_app_exceptions: bool) -> None:
        self._inner = ASGITransport(app, raise_app_exceptions, client=("testclient", 50000))

    def handle_request(self, request: Request) -> Response:
        request.read()
        return _portal().call(self._answer, request)

    async def _answer(self, request: Request) -> Response:
        answer = await self._inner.handle_async_request(request)
        body = b"".join([part async for part in answer.stream])  # as it was sent: the client decodes it
        return Response(answer.status_code, headers=answer.headers, stream=ByteStream(body))


class ApiClient(Client):
    """A client of `app`. It follows redirects, and raises what the application raises unless that is switched off.

    The client of Starlette starts an event loop for each test, and calls into it eight times for each request. That
    takes a quarter of the time of a request.
    """

    def __init__(
        self, app: ASGIApp, *, headers: Mapping[str, str] | None = None, raise_server_exceptions: bool = True
    ) -> None:
        self.app = app
        super().__init__(
            transport=_AppTransport(app, raise_app_exceptions=raise_server_exceptions),
            base_url=_BASE,
            headers={"user-agent": "testclient", **(headers or {})},
            follow_redirects=True,
        )

    def build_request(self, method: str, url: URL | str, **members: Any) -> Request:
        """As every client. A relative address is read once, not three times for each request."""
        return super().build_request(method, _complete(url) if isinstance(url, str) else url, **members)


@lru_cache(maxsize=1000)
def _complete(url: str) -> URL:
    """The URL of an address, at the application if the address is relative."""
    read = URL(url)
    return _BASE.copy_with(raw_path=b"/" + read.raw_path.lstrip(b"/")) if read.is_relative_url else read
