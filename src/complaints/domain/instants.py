"""Instants as text (RFC 3339), and the resolution of stored instants. All other modules use these functions.

`orjson` and the log write instants on their own, because they are faster; both use the same form.
"""

import re
from datetime import UTC, datetime, timedelta

MOMENT = timedelta(microseconds=1)
"""The resolution of stored instants: the first instant after `t` is `t + MOMENT`."""

_FORM = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[Tt]|(?P<space> ))[0-9]{2}:[0-9]{2}"
    r"(?P<seconds>:[0-9]{2}(?:\.[0-9]+)?)?(?P<offset>[Zz]|[+-][0-9]{2}:[0-9]{2})?"
)


class MalformedInstant(ValueError):
    """The text does not have the form of an instant."""


def read_instant(
    text: str, *, allow_space: bool = False, allow_minutes: bool = False, allow_local: bool = False
) -> datetime:
    """The instant in an RFC 3339 text, in its own offset. Digits after the microseconds are dropped.

    `allow_space` accepts a space instead of the T. `allow_minutes` accepts a time without seconds.
    `allow_local` accepts a text without offset and then returns a naive time. Raises MalformedInstant if the
    form is wrong, and ValueError if there is no such date, time or offset.
    """
    found = _FORM.fullmatch(text)
    if (
        found is None
        or not (allow_space or found["space"] is None)
        or not (allow_minutes or found["seconds"])
        or not (allow_local or found["offset"])
    ):
        raise MalformedInstant("it is no RFC 3339 time")
    return datetime.fromisoformat(text.upper())


def write_instant(instant: datetime) -> str:
    """The instant as RFC 3339 in UTC, with "Z". Raises ValueError for a naive time."""
    text = instant.isoformat()
    if text.endswith("+00:00"):
        return text[:-6] + "Z"
    if instant.tzinfo is None:
        raise ValueError(f"an instant needs a zone: {text}")
    return write_instant(instant.astimezone(UTC))
