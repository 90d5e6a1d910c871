"""Cursors: the place in a list at which the next page begins. Callers send them back unchanged."""

import base64
import binascii
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from complaints.api.problems.refusals import BadRequest
from complaints.use_cases.commands.field_types import parse_instant
from complaints.use_cases.complaints.feed_cursor import encode as encode

_LONGEST = 2_000


def decode(text: str, kind: str) -> dict[str, Any]:
    """Decode a cursor of the list `kind` to its position. Raises BadRequest for any other text."""
    try:
        if len(text) > _LONGEST or not text.isascii():
            raise bad_cursor()
        written = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        position = json.loads(written)
    except (binascii.Error, ValueError, RecursionError):
        raise bad_cursor() from None
    if not isinstance(position, dict) or position.get("kind") != kind:
        raise bad_cursor()
    return position


def instant_in(position: Mapping[str, Any], name: str) -> datetime:
    """The instant in the member `name` of a position. Raises BadRequest if there is none."""
    try:
        return parse_instant(position.get(name))
    except ValueError:
        raise bad_cursor() from None


def id_in(position: Mapping[str, Any], name: str) -> UUID:
    """The identifier in the member `name` of a position. Raises BadRequest if there is none."""
    try:
        return UUID(position[name])
    except (KeyError, TypeError, ValueError, AttributeError):
        raise bad_cursor() from None


def integer_in(position: Mapping[str, Any], name: str, *, most: int = 2**63 - 1) -> int:
    """The integer from 0 to `most` in the member `name` of a position. Raises BadRequest if there is none."""
    found = position.get(name)
    if type(found) is not int or not 0 <= found <= most:
        raise bad_cursor()
    return found


def bad_cursor() -> BadRequest:
    """The error for a cursor that this list did not give."""
    return BadRequest.in_query(
        "cursor",
        "cursor is not one that this list gave: send next_cursor of the page before as it was, or none.",
    )
