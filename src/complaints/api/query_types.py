"""Types of query parameters that several lists share."""

import re
from datetime import date
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from complaints.domain.complaint.numbers import parse_reference
from complaints.use_cases.commands.field_types import FilterText as FilterText
from complaints.use_cases.commands.field_types import Flag as Flag

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


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


Reference = Annotated[
    Any, BeforeValidator(parse_reference), WithJsonSchema({"type": "string", "examples": ["C000000427"]})
]
