"""The schemas of a working calendar in the OpenAPI document, for requests and for answers."""

from typing import Annotated, Any

from pydantic import WithJsonSchema

_TIME = {"type": "string", "pattern": r"^(([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?|24:00(:00)?)$"}
_SPAN = {"type": "array", "items": _TIME, "minItems": 2, "maxItems": 2}
_SPANS = {"type": "array", "maxItems": 96, "items": _SPAN}
_DATE = {"type": "string", "format": "date"}
_WEEKDAY = {"enum": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]}

MEMBERS: dict[str, Any] = {
    "timezone": {"type": "string", "description": "An IANA zone."},
    "hours": {
        "type": ["object", "null"],
        "description": "Spans by weekday, in order and apart; null: always open.",
        "propertyNames": _WEEKDAY,
        "additionalProperties": _SPANS,
    },
    "holidays": {
        "description": "Local dates, or local dates with names.",
        "anyOf": [
            {"type": "array", "items": _DATE},
            {
                "type": "object",
                "propertyNames": {"format": "date"},
                "additionalProperties": {"type": ["string", "null"]},
            },
            {"type": "null"},
        ],
    },
    "overrides": {
        "type": ["object", "null"],
        "description": "Spans by local date; they win over holidays.",
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
