"""Takes a mail apart without trust: headers, parts and bytes, each with a limit. Time grows with the size alone.

The parser of the standard library calls itself for each nested part and looks at each line once for each level. A mail
of 10,000 parts or levels would stop it or hold it for minutes.
"""

import binascii
import quopri
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email.message import Message
from itertools import islice

from complaints.features.notifications.mailbox.texts import decode_header

MOST_PARTS = 200
MOST_DEPTH = 10
_MOST_HEAD_BYTES = 64 * 1024
_MOST_HEADERS = 500
_MOST_VALUE_BYTES = 8 * 1024
_LONGEST_BOUNDARY = 200
_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
_HEADER = re.compile(rb"^([!-9;-~]{1,76})[ \t]*:[ \t]*([^\n]*(?:\n[ \t][^\n]*)*)", re.MULTILINE)
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]+")


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a mail that has no parts. `headers` are decoded, by name in lower case; `content` are its bytes."""

    headers: Mapping[str, tuple[str, ...]]
    media_type: str
    content: bytes
    charset: str | None = None
    file_name: str | None = None
    is_attached: bool = False


@dataclass(slots=True)
class TakenApart:
    """A mail in parts. `is_cut`: it has more parts or deeper ones, or longer or more headers, than are looked at."""

    headers: Mapping[str, tuple[str, ...]]
    media_type: str
    parts: list[Part] = field(default_factory=list)
    is_cut: bool = False


def take_apart(content: bytes) -> TakenApart:
    """The headers of a mail, and its parts that have no parts, in order."""
    head, _ = _split_head(content)
    headers = _read_headers(head)
    is_cut = len(head) > _MOST_HEAD_BYTES or sum(map(len, headers.values())) == _MOST_HEADERS
    mail = TakenApart(headers, _described(headers).get_content_type(), is_cut=is_cut)
    waiting = [(content, 0)]
    while waiting:
        raw, depth = waiting.pop()
        if len(mail.parts) + len(waiting) > MOST_PARTS or depth > MOST_DEPTH:
            mail.is_cut = True
            continue
        inner = _open(mail, raw)
        waiting += [(part, depth + 1) for part in reversed(inner)]
    return mail


def _open(mail: TakenApart, raw: bytes) -> list[bytes]:
    """The parts inside `raw`. Raw bytes without parts become a part of the mail."""
    head, body = _split_head(raw)
    headers = _read_headers(head)
    described = _described(headers)
    if boundary := _boundary(described):
        found = list(islice(_split_body(body, boundary), MOST_PARTS + 1))
        mail.is_cut |= len(found) > MOST_PARTS
        if found:
            return found[:MOST_PARTS]
    mail.parts.append(_leaf(headers, described, body))
    return []


def _leaf(headers: Mapping[str, tuple[str, ...]], described: Message, body: bytes) -> Part:
    encoding = first_of(headers, "content-transfer-encoding").strip().lower()
    return Part(
        headers=headers,
        media_type=described.get_content_type(),
        content=_decode(body, encoding),
        charset=_charset(described),
        file_name=_file_name(described),
        is_attached=described.get_content_disposition() == "attachment",
    )


def _split_head(content: bytes) -> tuple[bytes, bytes]:
    if content.startswith((b"\n", b"\r\n")):
        return b"", content.partition(b"\n")[2]
    end = _END_OF_HEAD.search(content)
    return (content[: end.start()], content[end.end() :]) if end else (content, b"")


def _read_headers(head: bytes) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    matches = _HEADER.finditer(head[:_MOST_HEAD_BYTES].replace(b"\r", b""))
    for match in islice(matches, _MOST_HEADERS):
        value = decode_header(match[2][:_MOST_VALUE_BYTES])
        found.setdefault(match[1].decode("ascii").lower(), []).append(value)
    return {name: tuple(values) for name, values in found.items()}


def _split_body(body: bytes, boundary: bytes) -> Iterator[bytes]:
    """The parts between the boundary lines. A closing line that is missing is the end of the body."""
    line = re.compile(rb"(?:\A|\n)--" + re.escape(boundary) + rb"(--)?[ \t]*\r?(?=\n|\Z)")
    begin: int | None = None
    for match in line.finditer(body):
        if begin is not None:
            yield body[begin : match.start()].removesuffix(b"\r")
        begin = match.end() + 1
        if match[1]:
            return
    if begin is not None:
        yield body[begin:]


def _described(headers: Mapping[str, tuple[str, ...]]) -> Message:
    """The headers that describe the content, in the form that knows their parameters."""
    message = Message()
    for name in ("content-type", "content-disposition"):
        if value := first_of(headers, name):
            message[name] = value.replace("\n", " ").replace("\r", " ")
    return message


def first_of(headers: Mapping[str, tuple[str, ...]], name: str) -> str:
    """The first header with this name; empty if there is none."""
    return headers.get(name, ("",))[0]


def _boundary(described: Message) -> bytes:
    try:
        boundary = described.get_boundary("") if described.get_content_maintype() == "multipart" else ""
        return boundary.encode("utf-8", "replace") if len(boundary) <= _LONGEST_BOUNDARY else b""
    except (LookupError, ValueError, TypeError):  # parameters in a form that the library does not expect
        return b""


def _file_name(described: Message) -> str | None:
    try:
        return described.get_filename() or None
    except (LookupError, ValueError, TypeError):
        return "?"


def _charset(described: Message) -> str | None:
    try:
        return described.get_content_charset()
    except (LookupError, ValueError, TypeError):
        return None


def _decode(body: bytes, encoding: str) -> bytes:
    """The bytes behind a transfer encoding. Characters that do not belong there are left out."""
    if encoding == "base64":
        symbols = _NOT_BASE64.sub(b"", body)
        return binascii.a2b_base64(symbols[: len(symbols) // 4 * 4] + _padded_rest(symbols))
    if encoding == "quoted-printable":
        return quopri.decodestring(body)
    return body


def _padded_rest(symbols: bytes) -> bytes:
    rest = symbols[len(symbols) // 4 * 4 :]
    return rest + b"=" * (4 - len(rest)) if len(rest) > 1 else b""
