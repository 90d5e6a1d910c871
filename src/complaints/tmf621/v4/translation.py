"""A ticket of version 4 as one of version 5, and back."""

from collections.abc import Mapping
from typing import Any

from complaints.domain.errors import InvalidContent
from complaints.tmf621.editions import Members


def read_new(content: Any) -> Members:
    """A new ticket in the words of version 5. Raises InvalidContent for a body that version 4 does not allow."""
    return read_change(content)


def read_change(content: Any) -> Members:
    """A change in the words of version 5. Raises InvalidContent for a body that version 4 does not allow."""
    if not isinstance(content, dict):
        raise InvalidContent.at("", "The body must be a JSON object.")
    return {"@type": "TroubleTicket", **content}


def show(ticket: Mapping[str, Any]) -> Members:
    """A ticket in the words of version 4."""
    return dict(ticket)
