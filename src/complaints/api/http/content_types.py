"""The Content-Type header (RFC 9110, section 8.3), read in one place. Routes decide which types they take."""

from typing import NamedTuple

JSON = "application/json"

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
