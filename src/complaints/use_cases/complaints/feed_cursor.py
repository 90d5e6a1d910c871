"""The cursor of the feed, as callers get it, and the form of every cursor."""

import base64
import json
from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID

FEED = "changes"


class FeedPlace(NamedTuple):
    """A place in the feed: the number of the last event before it, and the id of that event, if it is known."""

    number: int
    mark: UUID | None


def encode(position: Mapping[str, Any]) -> str:
    """Encode a position as a cursor: JSON in base64. Its member `kind` names the list it belongs to."""
    written = json.dumps(position, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(written).rstrip(b"=").decode()


def cursor_at(place: FeedPlace) -> str:
    """The cursor that names a place."""
    mark = {"id": str(place.mark)} if place.mark else {}
    return encode({"kind": FEED, "after": place.number} | mark)
