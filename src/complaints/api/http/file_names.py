"""The name of a file in the header Content-Disposition (RFC 6266, RFC 8187): read from requests, written in answers."""

import re
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from complaints.domain.errors import InvalidContent
from complaints.domain.visibility import drop_invisible

_HEADER = "Content-Disposition"
_ASK = "Send the file name as Content-Disposition: attachment; filename*=UTF-8''photo.jpg."
_TYPE = re.compile(r"[ \t]*([A-Za-z]+)[ \t]*(?=;|$)")
_PARAMETER = re.compile(
    r"""[ \t]*;[ \t]*([A-Za-z0-9!#$%&'*+.^_`|~-]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^ \t";]*))[ \t]*"""
)
_EXTENDED = re.compile(r"([A-Za-z0-9_-]+)'[A-Za-z0-9-]*'((?:[A-Za-z0-9!#$&+.^_`|~-]|%[0-9A-Fa-f]{2})*)")
_CHARSETS = {
    "utf-8": "utf-8",
    "iso-8859-1": "latin-1",
    "gb18030": "gb18030",
    "gbk": "gb18030",
    "gb2312": "gb18030",
}
_UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f\\/:*?"<>|%]')
_LONGEST_FALLBACK = 100


def read_file_name(headers: Sequence[str]) -> str:
    """The name of the file that a request brings. `headers` are the values of Content-Disposition, as Latin-1.

    `filename*` wins over `filename`, whose bytes may be UTF-8 or GB18030. Raises InvalidContent if there is no name.
    """
    if len(headers) != 1:
        raise _fault(_ASK)
    parameters = _read_parameters(headers[0])
    if "filename*" in parameters:
        return _read_extended(parameters["filename*"])
    if "filename" in parameters:
        return _read_plain(parameters["filename"])
    raise _fault(_ASK)


def _read_parameters(header: str) -> Mapping[str, str]:
    begun = _TYPE.match(header)
    if begun is None or begun[1].lower() != "attachment":
        raise _fault(_ASK)
    found: dict[str, str] = {}
    place = begun.end()
    while place < len(header.rstrip("; \t")):
        parameter = _PARAMETER.match(header, place)
        if parameter is None or parameter[1].lower() in found:
            raise _fault("Content-Disposition is not written as RFC 6266 says, or names something twice.")
        quoted, plain = parameter[2], parameter[3]
        value = plain if quoted is None else re.sub(r'\\(["\\])', r"\1", quoted)
        found[parameter[1].lower()] = value
        place = parameter.end()
    return found


def _read_extended(value: str) -> str:
    """Read `charset'language'percent-encoded bytes`."""
    parts = _EXTENDED.fullmatch(value)
    if parts is None or parts[1].lower() not in _CHARSETS:
        raise _fault("filename* must be written as UTF-8''… with percent-encoded bytes (RFC 8187).")
    encoded = re.sub("%(..)", lambda hexadecimal: chr(int(hexadecimal[1], 16)), parts[2])
    return _decode(encoded.encode("latin-1"), [_CHARSETS[parts[1].lower()]])


def _read_plain(value: str) -> str:
    return _decode(value.encode("latin-1"), ["utf-8", "gb18030"])


def _decode(written: bytes, charsets: Sequence[str]) -> str:
    for charset in charsets:
        try:
            return written.decode(charset)
        except UnicodeDecodeError:
            continue
    raise _fault("The bytes of the file name do not belong to its charset.")


def _fault(message: str) -> InvalidContent:
    return InvalidContent.in_header(_HEADER, message)


def attachment_header(name: str) -> str:
    """The value of Content-Disposition with which an answer offers a file under `name`.

    Path separators, controls and characters that show nothing are replaced, so no name leads elsewhere or hides its
    ending. Old programs get the first part of the name in ASCII.
    """
    safe = _UNSAFE.sub("_", drop_invisible(name)).strip(". ") or "attachment"
    fallback = safe.encode("ascii", "replace").decode().replace("?", "_")[-_LONGEST_FALLBACK:]
    return f"attachment; filename=\"{fallback}\"; filename*=UTF-8''{quote(safe, safe='')}"
