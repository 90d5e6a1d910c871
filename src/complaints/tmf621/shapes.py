"""What all shapes of TMF621 have in common: the form of an object, of its type, of a list and of an instant."""

import re
from datetime import date
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    AliasGenerator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
)
from pydantic.alias_generators import to_camel

Item = TypeVar("Item")
Many = Annotated[tuple[Item, ...], Field(strict=False)]
"""A list of JSON. Without `strict=False` only a tuple of Python would be one; the items stay strict."""
_DATE_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt]([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)",
    re.ASCII,
)
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(?:[!#$&-;=?-Z\[\]_a-z~]|%[0-9A-Fa-f]{2})*", re.ASCII)
_LEAP_YEAR = 2000  # RFC 3339 knows the leap year 0, and Python does not
_MAY_BE_NULL = frozenset({"value"})


def _check_date_time(text: str) -> str:
    found = _DATE_TIME.fullmatch(text)
    try:
        year, month, day = map(int, found.groups()[:3] if found else ())
        date(year or _LEAP_YEAR, month, day)
    except ValueError:
        raise ValueError("must be an instant as in RFC 3339, such as 2026-01-05T09:00:00Z") from None
    return text


def is_uri(text: str) -> bool:
    """True if the text is an absolute URI as in RFC 3986, as far as its characters say."""
    return _URI.fullmatch(text) is not None


def _check_uri(text: str) -> str:
    if not is_uri(text):
        raise ValueError("must be a URI, such as https://example.com/ticket.json")
    return text


def _refuse_null(value: Any, info: ValidationInfo) -> Any:
    """TMF621 knows no null. An absent member is left out, and only the value of a characteristic may be null."""
    if value is None and info.field_name not in _MAY_BE_NULL:
        raise ValueError("must not be null")
    return value


DateTime = Annotated[str, AfterValidator(_check_date_time)]
"""An instant as the caller wrote it. It is a request, or a fact that the product knows better."""
Uri = Annotated[str, AfterValidator(_check_uri)]
"""An absolute URI."""


class TmfContent(BaseModel):
    """A JSON object of TMF621. It may have members that nobody knows; they are dropped, and never shown again."""

    model_config = ConfigDict(
        extra="ignore", strict=True, frozen=True, alias_generator=AliasGenerator(alias=to_camel)
    )


class NullFreeObject(TmfContent):
    """An object whose members are left out where there is no value: null is refused."""

    _no_nulls = field_validator("*", mode="before")(_refuse_null)


class TypedObject(NullFreeObject):
    """An object that names its type: `@type` must be there."""

    type_: Annotated[str, Field(alias="@type")]
    base_type: Annotated[str | None, Field(alias="@baseType")] = None
    schema_location: Annotated[str | None, Field(alias="@schemaLocation")] = None
