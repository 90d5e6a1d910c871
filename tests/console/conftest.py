"""Readers of the console: users with roles, each with a session and a browser that runs no scripts."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from httpx2 import Response

from complaints.api.http.session_cookies import SECURE_COOKIE
from complaints.domain.vocabulary import AccessRole, SignInMethod
from complaints.use_cases.accounts.sessions import SessionLimits, Visitor, open_session
from complaints.use_cases.service import Service
from complaints.wiring import wall_now
from tests.api_client import ApiClient

FORM = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}
PARTIAL = {"HX-Request": "true"}


class Reader:
    """A user who is signed in. `get` and `post` call pages by their path below `/console`."""

    def __init__(self, client: ApiClient, login: str, token: str) -> None:
        self.client = client
        self.login = login
        self._headers = {"Cookie": f"{SECURE_COOKIE}={token}", "Authorization": ""}

    def get(self, path: str, *, language: str = "en", partial: bool = False, **query: Any) -> Response:
        """The answer to a GET. `partial`: as a script of a page asks."""
        headers = {"Accept-Language": language, **(PARTIAL if partial else {})}
        return self._send("GET", path, headers, params=query or None)

    def post(
        self, path: str, fields: Any = (), *, language: str = "en", partial: bool = False, **headers: str
    ) -> Response:
        """The answer to a form. `fields` are pairs, values by name, or the body as it is."""
        sent = {"Accept-Language": language, **FORM, **(PARTIAL if partial else {}), **headers}
        content = fields if isinstance(fields, bytes) else urlencode(fields, doseq=True)
        return self._send("POST", path, sent, content=content)

    def _send(self, method: str, path: str, headers: dict[str, str], **content: Any) -> Response:
        request = self.client.build_request(
            method, f"/console{path}", headers={**headers, **self._headers}, **content
        )
        del request.headers["Authorization"]  # the client of the API has a key
        return self.client.send(request, follow_redirects=False)


def open_reader(client: ApiClient, service: Service, login: str) -> Reader:
    """A browser in which the user has signed in."""
    visitor = Visitor("127.0.0.1", "a test")
    _, token = service.write(
        lambda tx: open_session(
            service,
            tx,
            login,
            method=SignInMethod.PASSWORD,
            visitor=visitor,
            now=wall_now(),
            limits=SessionLimits(timedelta(hours=8), timedelta(days=1)),
        )
    )
    return Reader(client, login, token)


@pytest.fixture
def sign_in(client: ApiClient, service: Service) -> Callable[..., Reader]:
    """Makes a user with roles, if there is none with the login, and opens a session."""

    def sign_in(login: str = "chen.jie", *roles: AccessRole, **members: Any) -> Reader:
        if client.get(f"/v1/users/{login}").status_code == 404:
            given = {"login": login, "name": login.title(), "roles": [*(roles or (AccessRole.ADMIN,))]}
            client.post("/v1/users", json=given | members).raise_for_status()
        return open_reader(client, service, login)

    return sign_in
