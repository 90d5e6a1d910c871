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
    return read_cookie(scope, LOOPBACK_COOKIE)


def session_cookie(scope: Scope, token: str, *, seconds: int) -> str:
    """The value of `Set-Cookie` that gives a browser its session. With 0 seconds it takes the cookie away."""
    return make_cookie(scope, LOOPBACK_COOKIE, token, seconds=seconds)


def read_cookie(scope: Scope, name: str) -> str:
    """The value of a cookie that `make_cookie` made; "" if there is none."""
    sent = "; ".join(value.decode("latin-1") for header, value in scope["headers"] if header == b"cookie")
    return cookie_parser(sent).get(_full_name(scope, name), "") if sent else ""


def make_cookie(scope: Scope, name: str, value: str, *, seconds: int) -> str:
    """The value of `Set-Cookie` for a secret that only this host may see. With 0 seconds it takes the cookie away.

    No script can read the cookie, and requests that other sites start do not carry it, except for plain links.
    """
    full_name = _full_name(scope, name)
    secure = "; Secure" if full_name != name else ""
    return f"{full_name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"


def _full_name(scope: Scope, name: str) -> str:
    """The name with its prefix. A proxy may hide the host that the browser asked; then `Origin` still has https."""
    plain = scope["scheme"] == "http" and not find_header(scope, b"origin").startswith("https:")
    return name if plain and is_loopback(find_header(scope, b"host")) else f"__Host-{name}"


def is_loopback(host: str) -> bool:
    """True if a host, with or without its port, is the machine itself."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False
