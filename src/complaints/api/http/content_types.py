"""The headers Content-Type and Accept (RFC 9110), read in one place. Routes decide which types they take and give."""

import re
from typing import NamedTuple

JSON = "application/json"

_QUALITY = re.compile(r"[01](\.[0-9]{0,3})?")
_UTF8 = frozenset({"utf-8", "utf8", "us-ascii"})


class ContentType(NamedTuple):
    """A media type in lower case, "" for none, and the values of its `charset` parameters as they were sent."""

    media_type: str
    charsets: tuple[str, ...]

    @property
    def is_utf8(self) -> bool:
        """True if no charset but UTF-8 is named. ASCII is a part of UTF-8."""
        return all(charset.lower() in _UTF8 for charset in self.charsets)


def read_content_type(header: str) -> ContentType:
    """The parts of the value of a Content-Type header."""
    media_type, *parameters = header.split(";")
    named = (parameter.partition("=")[::2] for parameter in parameters)
    charsets = tuple(value.strip().strip('" ') for name, value in named if name.strip().lower() == "charset")
    return ContentType(media_type.strip().lower(), charsets)


def accepts_rather(header: str, media_type: str, *, than: str) -> bool:
    """True if an Accept header names `media_type`, and does not prefer the type `than` to it.

    Only the type itself counts: `*/*` and `text/*` ask for nothing in particular.
    """
    wanted = find_quality(header, media_type)
    return wanted > 0 and wanted >= find_quality(header, than)


def find_quality(header: str, media_type: str) -> float:
    """How much an Accept header wants a type that it names, from 0 to 1. 0 also for a type that it does not name."""
    for part in header.lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        if name == media_type:
            return next((_read_quality(text) for text in parameters if text.startswith("q=")), 1.0)
    return 0.0


def _read_quality(text: str) -> float:
    digits = text.removeprefix("q=")
    return min(float(digits), 1.0) if _QUALITY.fullmatch(digits) else 0.0
