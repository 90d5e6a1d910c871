"""Types of query parameters that several lists share."""

import re
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from complaints.domain.complaint.numbers import sequence_of

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _plain_text(text: str) -> str:
    if "\0" in text:
        raise ValueError("must have no NUL character")
    return text


def _reference(text: str) -> UUID | int:
    sequence = sequence_of(text)
    try:
        return UUID(text) if sequence is None else sequence
    except ValueError:
        raise ValueError("must be the id or the number of a complaint") from None


def _flag(value: object) -> object:
    if value not in (True, False, "true", "false"):
        raise ValueError("must be true or false")
    return value


def parse_day(value: object) -> date:
    """Read a date from text such as 2026-02-05. Raises ValueError.

    It is strict: the validation library would accept seconds since 1970 as a date too.
    """
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise ValueError("must be a date, as YYYY-MM-DD")
    try:
        day = date.fromisoformat(value)
    except ValueError:
        raise ValueError("names a day that does not exist") from None
    if not 1900 <= day.year < 3000:
        raise ValueError("must lie between the years 1900 and 2999")
    return day


FilterText = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_plain_text)]
Flag = Annotated[bool, BeforeValidator(_flag), WithJsonSchema({"type": "boolean"})]
Reference = Annotated[
    Any, BeforeValidator(_reference), WithJsonSchema({"type": "string", "examples": ["C000000427"]})
]
