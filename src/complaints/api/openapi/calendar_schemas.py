"""The schemas of a working calendar in the OpenAPI document, for requests and for answers."""

from typing import Annotated, Any

from pydantic import WithJsonSchema

_TIME = {"type": "string", "pattern": r"^(([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?|24:00(:00)?)$"}
_SPAN = {"type": "array", "items": _TIME, "minItems": 2, "maxItems": 2}
_SPANS = {"type": "array", "maxItems": 96, "items": _SPAN}
_DATE = {"type": "string", "format": "date"}
_WEEKDAY = {"enum": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]}

MEMBERS: dict[str, Any] = {
    "timezone": {"type": "string"},
    "hours": {
        "title": "Hours",
        "type": ["object", "null"],
        "propertyNames": _WEEKDAY,
        "additionalProperties": _SPANS,
    },
    "holidays": {
        "title": "Holidays",
        # Not `anyOf`: generators of clients cannot name a class for a list or a map of texts.
        "type": ["object", "array", "null"],
        "items": _DATE,
        "propertyNames": {"format": "date"},
        "additionalProperties": {"type": ["string", "null"]},
    },
    "overrides": {
        "title": "Overrides",
        "type": ["object", "null"],
        "propertyNames": {"format": "date"},
        "additionalProperties": _SPANS,
    },
}
"""The members of a calendar in a request."""

ShownSpans = Annotated[list[tuple[str, str]], WithJsonSchema(_SPANS)]


def calendar_schema(example: dict[str, Any], **members: dict[str, Any]) -> dict[str, Any]:
    """The schema of a calendar in a request body. `members` are added to it."""
    return {
        "title": "Calendar",
        "description": "As in `POST /v1/deadlines/preview`. `hours` null or absent: always open.",
        "type": "object",
        "required": ["timezone"],
        "additionalProperties": False,
        "properties": {**members, **MEMBERS},
        "examples": [example],
    }
