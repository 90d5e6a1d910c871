"""The form of an address to which something is sent: what can be refused before anybody dials."""

import re
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from urllib.parse import SplitResult, urlsplit

from complaints.domain.errors import InvalidContent
from complaints.outbound.allow_list import Address, AllowList, parse_allow_list

LONGEST_URL = 2000
_PORTS = {"https": 443, "http": 80}
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_VISIBLE = re.compile(r"[\x21-\x7e]+")


class UnsafeUrl(ValueError):
    """Nothing is sent to this URL. The message says why, and does not repeat the URL."""


@dataclass(frozen=True, slots=True)
class SafeUrl:
    """A checked URL in its parts. `host` is in small letters, an address of version 6 without brackets."""

    scheme: str
    host: str
    port: int
    path: str


def refuse_unsafe_url(url: str, allowed: str) -> None:
    """Raise InvalidContent for the member `url` of a body if nothing may be sent there.

    `allowed` is the text of an allow-list.
    """
    try:
        check_url(url, parse_allow_list(allowed))
    except UnsafeUrl as error:
        raise InvalidContent.at("/url", f"The URL {error}.") from error


def check_url(url: str, allowed: AllowList) -> SafeUrl:
    """The parts of a URL to which something may be sent. Raises UnsafeUrl.

    Hosts with an address that is not public are refused here if they are written as an address. The addresses of
    a name are checked when it is dialled.
    """
    parts = _split(url)
    host = _check_host(parts.hostname or "")
    if "[" in parts.netloc and ":" not in host:
        raise UnsafeUrl("has brackets, in which only an address of version 6 may stand")
    if parts.scheme not in _PORTS or (parts.scheme == "http" and not allowed.has_host(host)):
        raise UnsafeUrl("must begin with https://; http is for hosts in COMPLAINTS_WEBHOOK_ALLOW")
    address = _address_of(host)
    if address is not None and not allowed.permits(host, address):
        raise UnsafeUrl(
            "names an address that is not public; the operator can allow it in COMPLAINTS_WEBHOOK_ALLOW"
        )
    if _is_localhost(host) and not allowed.has_host(host):
        raise UnsafeUrl("names this machine; the operator can allow it in COMPLAINTS_WEBHOOK_ALLOW")
    path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
    return SafeUrl(parts.scheme, host, parts.port or _PORTS[parts.scheme], path)


def _is_localhost(host: str) -> bool:
    """True for the names of this machine itself (RFC 6761, section 6.3)."""
    return host == "localhost" or host.endswith(".localhost")


def _split(url: str) -> SplitResult:
    if len(url) > LONGEST_URL:
        raise UnsafeUrl(f"must have at most {LONGEST_URL} characters")
    if not _VISIBLE.fullmatch(url) or "\\" in url:
        raise UnsafeUrl("must be ASCII without blanks and backslashes; write other names as xn--…")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise UnsafeUrl("is not a URL") from error
    if "@" in parts.netloc:
        raise UnsafeUrl("must not contain a user name or password")
    if parts.fragment or url.endswith("#"):
        raise UnsafeUrl("must not contain a fragment (#…)")
    if port == 0 or parts.netloc.endswith(":"):
        raise UnsafeUrl("names no port after the colon")
    return parts


def _check_host(host: str) -> str:
    """The host, if it is a name or an address in its plain form. Raises UnsafeUrl.

    Other forms of an address, such as 2130706433, 0x7f.1 or 0177.0.0.1, are read differently by different programs.
    """
    if not host:
        raise UnsafeUrl("names no host")
    if _address_of(host) is not None:
        return host
    labels = host.split(".")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise UnsafeUrl("has a host that is not a name of the form example.com")
    if _NUMBER.fullmatch(labels[-1]):
        raise UnsafeUrl("has a number as host; write an address in its usual form, such as 192.0.2.1")
    return host


def _address_of(host: str) -> Address | None:
    try:
        address = ip_address(host)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.scope_id is not None:
        raise UnsafeUrl("must not name a network card (%…)")
    return address
