"""Lists of specifications: all are in memory, so filters and orders are applied to them as they are shown. Pure."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from complaints.domain.errors import InvalidContent
from complaints.tmf621.editions import Members
from complaints.tmf621.queries.matching import fits
from complaints.tmf621.queries.query import FLAG, INSTANT, NUMBER, TEXT, Grammar, Member, Query, SortBy

_PERIOD = {"startDateTime": INSTANT, "endDateTime": INSTANT}
_TYPED = {"@type": TEXT, "@baseType": TEXT, "@schemaLocation": TEXT}
_OWN = {"id": TEXT, "href": TEXT, "name": TEXT, "description": TEXT, "lifecycleStatus": TEXT, "version": TEXT}
_CHARACTERISTIC = {
    **_TYPED,
    **dict.fromkeys(("id", "name", "valueType", "description", "regex"), TEXT),
    **dict.fromkeys(("configurable", "isUnique", "extensible"), FLAG),
    **dict.fromkeys(("minCardinality", "maxCardinality"), NUMBER),
}
_PARTY = {**_TYPED, **dict.fromkeys(("id", "href", "name", "@referredType", "partyId", "partyName"), TEXT)}


def _below(name: str, members: Mapping[str, Member]) -> dict[str, Member]:
    return {f"{name}.{inner}": member for inner, member in members.items()}


_INSTANTS = {"creationDate": INSTANT, "lastUpdate": INSTANT}
GRAMMAR = Grammar(
    {
        **_OWN,
        **_TYPED,
        **_INSTANTS,
        **_below("validFor", _PERIOD),
        **_below("specCharacteristic", _CHARACTERISTIC),
        **_below("relatedParty", {**_TYPED, "role": TEXT}),
        **_below("relatedParty.partyOrPartyRole", _PARTY),
        "attachment.size": NUMBER,  # the example of the official file; no specification has an attachment
    },
    sorts=("id", "name", "lifecycleStatus", "version", "creationDate", "lastUpdate"),
)
"""The members of a specification by which a list is filtered and sorted."""
_DEFAULT_ORDER = (SortBy("creationDate", descending=True), SortBy("id"))


@dataclass(frozen=True, slots=True)
class SpecificationPage:
    """A page of a list. `total` counts all that fit. The cursors are None at the ends of the list."""

    items: Sequence[Members]
    total: int
    before: str | None
    after: str | None


def choose_page(shown: Sequence[Members], query: Query) -> SpecificationPage:
    """The page that a query asks for. Raises InvalidContent for a cursor whose specification is not in the list."""
    found = [one for one in shown if fits(one, query.conditions)]
    for key in reversed((*query.sort, *_DEFAULT_ORDER)):
        found = _sorted(found, key)
    start, end = _span(found, query)
    items = found[start:end]
    return SpecificationPage(
        items,
        len(found),
        before=_cursor(items[0]) if items and start else None,
        after=_cursor(items[-1]) if items and end < len(found) else None,
    )


def _sorted(found: Sequence[Members], by: SortBy) -> list[Members]:
    """The list in this order. An absent member comes before all others, and equal ones keep their order."""

    def key(one: Members) -> tuple[bool, Any]:
        return by.name in one, one.get(by.name, "")

    return sorted(found, key=key, reverse=by.descending)


def _span(found: Sequence[Members], query: Query) -> tuple[int, int]:
    """The first place of the page, and the place after its last."""
    if query.before is not None:
        end = _place(found, query.before, "before")
        return max(0, end - query.limit), end
    start = query.offset or 0
    if query.after is not None:
        start = _place(found, query.after, "after") + 1
    return start, start + query.limit


def _cursor(one: Members) -> str:
    return urlsafe_b64encode(str(one["id"]).encode()).decode().rstrip("=")


def _place(found: Sequence[Members], cursor: str, parameter: str) -> int:
    try:
        code = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except ValueError:
        code = ""
    for place, one in enumerate(found):
        if one["id"] == code:
            return place
    raise InvalidContent.in_query(
        parameter, f"{parameter} must be a cursor from the header Link of an earlier page."
    )
