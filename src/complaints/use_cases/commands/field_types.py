"""The types of the values that callers send, with their limits. `use_cases.commands` builds its models of them."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from complaints.domain.complaint.currencies import find_currency_fault
from complaints.domain.complaint.identity import find_account_fault, find_email_fault, find_phone_fault
from complaints.domain.instants import MalformedInstant, read_instant
from complaints.domain.visibility import has_visible_character
from complaints.domain.vocabulary import DeadlineKind

_EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
_PHONE_SCHEMA: dict[str, Any] = {
    "pattern": "[0-9\uff10-\uff19]",  # the rest of the rule is beyond a schema
    "description": "One number of at most 15 digits, in full width too, perhaps with an extension (`ext 12`, `转12`).",
}
_LATEST = datetime(2999, 12, 31, tzinfo=UTC)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Content(BaseModel):
    """The base of all models that callers send. Unknown members are refused; null counts as absent."""

    model_config = ConfigDict(extra="forbid", frozen=True)


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


Day = Annotated[date, BeforeValidator(parse_day)]


def parse_instant(value: object) -> datetime:
    """An RFC 3339 instant with an offset, converted to UTC and cut to microseconds. Raises ValueError otherwise."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC)
    try:
        instant = read_instant(value if isinstance(value, str) else "").astimezone(UTC)
    except MalformedInstant:
        raise ValueError(
            "must be an RFC 3339 instant with an offset, such as 2026-11-22T09:15:00+08:00"
        ) from None
    except (ValueError, OverflowError):
        raise ValueError("names a time that does not exist") from None
    if not _EARLIEST <= instant <= _LATEST:
        raise ValueError("must lie between the years 1900 and 2999")
    return instant


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
        raise ValueError("must be a whole number")
    return int(value)


def _visible(text: str) -> str:
    if not has_visible_character(text):
        raise ValueError("must have a visible character")
    return text


def _judged_by(find_fault: Callable[[str], str | None]) -> AfterValidator:
    """Raises ValueError with the fault that `find_fault` finds in a text."""

    def judge(text: str) -> str:
        if (fault := find_fault(text)) is not None:
            raise ValueError(fault)
        return text

    return AfterValidator(judge)


def _find_fault_unless_empty(text: str) -> str | None:
    return find_email_fault(text) if text else None


def _distinct(tags: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(tags))


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("must have no NUL character")
    return text


def _true_or_false(value: object) -> object:
    if value not in (True, False, "true", "false"):
        raise ValueError("must be true or false")
    return value


def _few_keys(attributes: dict[str, Any]) -> dict[str, Any]:
    if len(attributes) > MAX_ATTRIBUTES:
        raise ValueError("must have at most 100 keys")
    if any(not 1 <= len(key) <= 200 for key in attributes):
        raise ValueError("must have keys of 1 to 200 characters")
    return attributes


Switch = Annotated[bool, Field(strict=True)]
"""True or false. 0 and 1 are refused."""
WHOLE = BeforeValidator(_whole)
"""For integers: takes the whole numbers of JSON, such as 5 and 5.0. Refuses "5" and true."""
Instant = Annotated[
    datetime,
    BeforeValidator(parse_instant),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-11-22T01:15:00Z"]}),
]
_VISIBLE: dict[str, Any] = {"pattern": r"\S"}  # a schema can demand only a character that is no white space

Subject = Annotated[
    str, Field(min_length=1, max_length=500, json_schema_extra=_VISIBLE), AfterValidator(_visible)
]
Reason = Subject
LongText = Annotated[str, Field(max_length=100_000)]
NoteText = Annotated[
    str, Field(min_length=1, max_length=100_000, json_schema_extra=_VISIBLE), AfterValidator(_visible)
]
Text = Annotated[
    str, Field(min_length=1, max_length=10_000, json_schema_extra=_VISIBLE), AfterValidator(_visible)
]
Code = Annotated[
    str, Field(min_length=1, max_length=200, json_schema_extra=_VISIBLE), AfterValidator(_visible)
]
Name = Code
Phone = Annotated[
    str,
    Field(min_length=5, max_length=32, json_schema_extra=_PHONE_SCHEMA),
    _judged_by(find_phone_fault),
]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$"), _judged_by(find_currency_fault)]
AccountNo = Annotated[Code, _judged_by(find_account_fault)]
Email = Annotated[
    str, Field(max_length=254, json_schema_extra={"format": "email"}), _judged_by(find_email_fault)
]
EmailChange = Annotated[
    str,
    Field(
        max_length=254,
        json_schema_extra={
            "description": "An address, or empty to take it away.",
            "if": {"minLength": 1},
            "then": {"format": "email"},
        },
    ),
    _judged_by(_find_fault_unless_empty),
]
Tag = Annotated[str, Field(min_length=1, max_length=64, json_schema_extra=_VISIBLE), AfterValidator(_visible)]
Tags = Annotated[tuple[Tag, ...], Field(max_length=50), AfterValidator(_distinct)]
SearchText = Annotated[str, AfterValidator(_without_nul)]
FilterText = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_without_nul)]
"""The text of a filter in a query."""
KINDS_OF_DEADLINES = f"Built in: {', '.join(DeadlineKind)}. A policy may add own kinds."
"""Describes a kind of deadlines. The configuration knows the own kinds."""
Flag = Annotated[bool, BeforeValidator(_true_or_false), WithJsonSchema({"type": "boolean"})]
"""True or false in a query: as text, unlike `Switch`."""
MAX_ATTRIBUTES = 100
ExternalIds = Annotated[dict[Code, Code], Field(max_length=20)]
"""External ids by system."""
ExternalIdChanges = Annotated[dict[Code, Code | None], Field(max_length=20)]
"""External ids by system; null takes one away."""
Attributes = Annotated[
    dict[str, Any],
    AfterValidator(_few_keys),
    Field(
        json_schema_extra={
            "maxProperties": MAX_ATTRIBUTES,
            "propertyNames": {"minLength": 1, "maxLength": 200},
        }
    ),
]
