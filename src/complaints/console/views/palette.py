"""What the palette finds: pages, teams, categories, people and help, by a few letters. All of it is in memory."""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from heapq import nsmallest

from complaints.console.views.pinyin_initials import has_initials

MOST_OF_KIND = 6
LONGEST_QUERY = 100


class HitKind(StrEnum):
    """The kinds of hits, in the order in which the palette shows them."""

    COMPLAINT = "complaint"
    PAGE = "page"
    VIEW = "view"
    PERSON = "person"
    TEAM = "team"
    CATEGORY = "category"


_IN_ORDER = (HitKind.PAGE, HitKind.VIEW)
"""The kinds whose places come in the order of the menu; those of the others by name."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place to go to: its name, other names by which it is found, and its address. `hint` stands beside the name."""

    kind: HitKind
    name: str
    address: str
    hint: str = ""
    others: tuple[str, ...] = ()


def find_places(query: str, places: Iterable[Place]) -> list[Place]:
    """The places that fit, by kind, in each kind the best first. An empty query finds the pages and views."""
    wanted = _normalise(query)
    ranked: dict[HitKind, list[tuple[int, str, Place]]] = {kind: [] for kind in HitKind}
    for place in places:
        if (rank := _rank(wanted, place)) is not None:
            ranked[place.kind].append((rank, "" if place.kind in _IN_ORDER else place.name, place))
    return [
        place
        for found in ranked.values()
        for _, _, place in nsmallest(MOST_OF_KIND, found, key=lambda one: one[:2])
    ]


def _normalise(query: str) -> str:
    """The query as it is compared: without spaces around it, full width and case."""
    return unicodedata.normalize("NFKC", query[:LONGEST_QUERY]).strip().casefold()


def _rank(wanted: str, place: Place) -> int | None:
    """0 fits best. None: it does not fit."""
    if not wanted:
        return 0 if place.kind in _IN_ORDER else None
    names = [name.casefold() for name in (place.name, *place.others)]
    if any(name.startswith(wanted) for name in names):
        return 0
    if any(f" {wanted}" in name or f".{wanted}" in name for name in names):
        return 1
    if wanted.isascii() and wanted.isalnum() and has_initials(place.name, wanted):
        return 2
    return 3 if len(wanted) > 1 and any(wanted in name for name in names) else None


def groups_of(places: Sequence[Place]) -> list[tuple[HitKind, list[Place]]]:
    """The places by kind, without the kinds that have none."""
    return [(kind, found) for kind in HitKind if (found := [one for one in places if one.kind is kind])]
