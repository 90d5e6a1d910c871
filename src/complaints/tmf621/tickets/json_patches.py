"""JSON Patch for tickets, and its form with queries, which names an object in an array by its id. Pure."""

from typing import Any

from complaints.domain.errors import Conflict
from complaints.domain.json_text import encode
from complaints.tmf621.editions import Members
from complaints.tmf621.json_patch import apply_operations, read_operations
from complaints.tmf621.tickets.ticket_patches import CHARACTERISTICS, NOTES, TicketPatch

LARGEST_TICKET = 1_048_576
"""The most bytes of a patched ticket as JSON, as for the body of a request."""
_ARRAYS = (
    NOTES,
    CHARACTERISTICS,
    "attachment",
    "externalIdentifier",
    "relatedEntity",
    "relatedParty",
    "troubleTicketRelationship",
)


def json_patch(body: Any, *, with_queries: bool = False) -> TicketPatch:
    """The patch of a body. Raises InvalidContent for a body that is no JSON Patch.

    `with_queries`: a path may name an object in an array by its id, as `/note?id=77456` does.
    """
    operations = read_operations(body, with_queries=with_queries)
    changing = [one for one in operations if one.name != "test"]
    paths = [*(one.path for one in changing), *(one.source for one in changing if one.name == "move")]

    def apply(shown: Members) -> Members:
        patched = apply_operations(shown, operations, lists=_ARRAYS)
        if len(encode(patched)) > LARGEST_TICKET:
            raise Conflict(f"The patched ticket would have more than {LARGEST_TICKET} bytes.")
        return patched

    return TicketPatch(apply, frozenset(path[0] for path in paths if path), is_strict=True)
