"""Looks at the head of a request: a header, and the site whose page started the request."""

from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.types import Scope

from complaints.api.problems.refusals import CrossSiteRequest

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_OWN_SITES = frozenset({"same-origin", "none"})  # none: a person, not a page, started the request
_DEFAULT_PORTS = {"http": 80, "https": 443}


def find_header(scope: Scope, name: bytes) -> str:
    """The value of a header; "" if it is not there or there are several."""
    sent = [value for header, value in scope["headers"] if header == name]
    return sent[0].decode("latin-1") if len(sent) == 1 else ""


def address_of(request: Request) -> str:
    """The address of the peer; "" if the server does not know it."""
    return request.client.host if request.client else ""


def refuse_other_sites(scope: Scope, *, silent_too: bool = True) -> None:
    """Refuse a request that changes something, unless a page of this host started it.

    `Sec-Fetch-Site` decides, and without it `Origin`. A request with neither is refused if `silent_too`: browsers
    send at least one of them. Raises CrossSiteRequest.
    """
    if scope["method"] in _SAFE_METHODS:
        return
    names = {name for name, _ in scope["headers"]}
    if b"sec-fetch-site" in names:
        own = find_header(scope, b"sec-fetch-site") in _OWN_SITES
    elif b"origin" in names:
        own = _is_own_origin(scope)
    else:
        own = not silent_too
    if not own:
        raise CrossSiteRequest("A page of another site started this request, or nothing says which page did.")


def _is_own_origin(scope: Scope) -> bool:
    """True if `Origin` names the host that was asked. A proxy may have ended TLS, so the schemes may differ."""
    try:
        origin = urlsplit(find_header(scope, b"origin"))
        asked = urlsplit(f"//{find_header(scope, b'host')}")
        default = _DEFAULT_PORTS.get(origin.scheme)
        ports = (origin.port or default, asked.port or default)
    except ValueError:
        return False
    return origin.hostname is not None and origin.hostname == asked.hostname and ports[0] == ports[1]
