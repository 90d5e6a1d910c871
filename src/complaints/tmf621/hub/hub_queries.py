"""The query of a hub: the events and members that its receiver wants. Pure.

TMF630 gives a query the form `eventType=A,B&fields=c,d`. A text without `=`, such as `data` in the example of TMF621,
is data of the client: it is kept, shown again, and asks nothing.
"""

import re
from dataclasses import dataclass
from urllib.parse import unquote

from complaints.domain.errors import InvalidContent
from complaints.tmf621.hub.ticket_events import TicketEvent

_BY_NAME = {one.casefold(): one for one in TicketEvent}
_FIELD = re.compile(r"@?[A-Za-z]{1,100}", re.ASCII)
_MEMBER = "query"
_NAMES = ("eventType", "fields", "ownChanges")


@dataclass(frozen=True, slots=True)
class HubQuery:
    """The events and the members of the ticket to send; None: all. `own_changes`: also those of the owner."""

    events: tuple[TicketEvent, ...] = tuple(TicketEvent)
    fields: tuple[str, ...] | None = None
    own_changes: bool = False


def read_query(text: str | None) -> HubQuery:
    """What a query asks for. Raises InvalidContent for a filter that would not be applied."""
    if text is None or "=" not in text:
        return HubQuery()
    given: dict[str, str] = {}
    for part in text.split("&"):
        name, _, value = (piece.strip() for piece in part.partition("="))
        if name not in _NAMES:
            raise _invalid(
                f"A query has eventType, fields and ownChanges, with & between them, not {name[:50]!r}."
            )
        if name in given:
            raise _invalid(f"The query has {name} twice: write its values with commas between them.")
        given[name] = unquote(value)
    return HubQuery(
        events=_events(given["eventType"]) if "eventType" in given else tuple(TicketEvent),
        fields=_fields(given["fields"]) if "fields" in given else None,
        own_changes=_own_changes(given.get("ownChanges", "false")),
    )


def _events(text: str) -> tuple[TicketEvent, ...]:
    found = []
    for name in _words(text):
        event = _BY_NAME.get(name.casefold())
        if event is None:
            raise _invalid(f"There is no event {name[:60]!r}. Events are: {', '.join(TicketEvent)}.")
        found.append(event)
    return tuple(dict.fromkeys(found))


def _fields(text: str) -> tuple[str, ...]:
    names = _words(text)
    for name in names:
        if not _FIELD.fullmatch(name):
            raise _invalid(f"fields has names of members of a ticket, not {name[:50]!r}.")
    return tuple(dict.fromkeys(names))


def _own_changes(text: str) -> bool:
    if text not in ("true", "false"):
        raise _invalid("ownChanges is true or false.")
    return text == "true"


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",")]


def _invalid(message: str) -> InvalidContent:
    return InvalidContent.at(f"/{_MEMBER}", message)
