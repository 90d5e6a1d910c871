"""The types of the values that callers send, with their limits. `use_cases.commands` builds its models of them."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from complaints.domain.instants import MalformedInstant, read_instant

_PHONE_PATTERN = r"^[ +()\-]*[0-9][0-9 +()\-]*$"
_PHONE = re.compile(_PHONE_PATTERN)
_EMAIL = re.compile(r"[^@\s,;<>()\[\]\"\\]+@[^@\s,;<>()\[\]\"\\]+")
_EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
_LATEST = datetime(2999, 12, 31, tzinfo=UTC)


class Content(BaseModel):
    """The base of all models that callers send. Unknown members are refused; null counts as absent."""

    model_config = ConfigDict(extra="forbid", frozen=True)


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
    if not any(ch.isprintable() and not ch.isspace() for ch in text):
        raise ValueError("must have a visible character")
    return text


def _phone(text: str) -> str:
    if not 5 <= len(text) <= 32 or not _PHONE.fullmatch(text):
        raise ValueError("must be 5 to 32 digits, spaces and + - ( )")
    return text


def _email(text: str) -> str:
    if not _EMAIL.fullmatch(text):
        raise ValueError("must be one e-mail address")
    return text


def _email_or_nothing(text: str) -> str:
    return _email(text) if text else text


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
    if len(attributes) > 100:
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
    Field(json_schema_extra={"pattern": _PHONE_PATTERN, "minLength": 5, "maxLength": 32}),
    AfterValidator(_phone),
]
Email = Annotated[str, Field(max_length=254, json_schema_extra={"format": "email"}), AfterValidator(_email)]
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
    AfterValidator(_email_or_nothing),
]
Tag = Annotated[str, Field(min_length=1, max_length=64, json_schema_extra=_VISIBLE), AfterValidator(_visible)]
Tags = Annotated[tuple[Tag, ...], Field(max_length=50), AfterValidator(_distinct)]
SearchText = Annotated[str, AfterValidator(_without_nul)]
FilterText = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_without_nul)]
"""The text of a filter in a query."""
Flag = Annotated[bool, BeforeValidator(_true_or_false), WithJsonSchema({"type": "boolean"})]
"""True or false in a query: as text, unlike `Switch`."""
Attributes = Annotated[
    dict[str, Any],
    AfterValidator(_few_keys),
    Field(json_schema_extra={"maxProperties": 100, "propertyNames": {"minLength": 1, "maxLength": 200}}),
]
