"""The cookie of a session. It is Secure, except where a browser speaks plain HTTP to a server on its own machine."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.requests import cookie_parser
from starlette.types import Scope

from complaints.api.http.request_heads import find_header

SECURE_COOKIE = "__Host-complaints-session"
"""Browsers take a cookie with this prefix only with Secure, with `Path=/`, and from the very host."""

LOOPBACK_COOKIE = "complaints-session"


def read_session_token(scope: Scope) -> str:
    """The token in the cookie of the session; "" if there is none."""
    sent = "; ".join(value.decode("latin-1") for name, value in scope["headers"] if name == b"cookie")
    return cookie_parser(sent).get(_cookie_name(scope), "") if sent else ""


def session_cookie(scope: Scope, token: str, *, seconds: int) -> str:
    """The value of `Set-Cookie` that gives a browser its session. With 0 seconds it takes the cookie away.

    No script can read the cookie, and requests that other sites start do not carry it, except for plain links.
    """
    name = _cookie_name(scope)
    secure = "; Secure" if name == SECURE_COOKIE else ""
    return f"{name}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"


def _cookie_name(scope: Scope) -> str:
    """The name of the cookie. A proxy may hide the host that the browser asked; then `Origin` still has https."""
    plain = scope["scheme"] == "http" and not find_header(scope, b"origin").startswith("https:")
    return LOOPBACK_COOKIE if plain and _is_loopback(find_header(scope, b"host")) else SECURE_COOKIE


def _is_loopback(host: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False
