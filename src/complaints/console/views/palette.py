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
"""The kinds whose destinations come in the order of the menu; those of the others by name."""


@dataclass(frozen=True, slots=True)
class Destination:
    """Somewhere to go: its name, other names by which it is found, and its address. `hint` stands beside the name."""

    kind: HitKind
    name: str
    address: str
    hint: str = ""
    others: tuple[str, ...] = ()


def find_destinations(query: str, destinations: Iterable[Destination]) -> list[Destination]:
    """The destinations that fit, by kind, in each kind the best first. An empty query finds the pages and views."""
    wanted = _normalise(query)
    ranked: dict[HitKind, list[tuple[int, str, Destination]]] = {kind: [] for kind in HitKind}
    for destination in destinations:
        if (rank := _rank(wanted, destination)) is not None:
            ranked[destination.kind].append(
                (rank, "" if destination.kind in _IN_ORDER else destination.name, destination)
            )
    return [
        destination
        for found in ranked.values()
        for _, _, destination in nsmallest(MOST_OF_KIND, found, key=lambda one: one[:2])
    ]


def _normalise(query: str) -> str:
    """The query as it is compared: without spaces around it, full width and case."""
    return unicodedata.normalize("NFKC", query[:LONGEST_QUERY]).strip().casefold()


def _rank(wanted: str, destination: Destination) -> int | None:
    """0 fits best. None: it does not fit."""
    if not wanted:
        return 0 if destination.kind in _IN_ORDER else None
    names = [name.casefold() for name in (destination.name, *destination.others)]
    if any(name.startswith(wanted) for name in names):
        return 0
    if any(f" {wanted}" in name or f".{wanted}" in name for name in names):
        return 1
    if wanted.isascii() and wanted.isalnum() and has_initials(destination.name, wanted):
        return 2
    return 3 if len(wanted) > 1 and any(wanted in name for name in names) else None


def groups_of(destinations: Sequence[Destination]) -> list[tuple[HitKind, list[Destination]]]:
    """The destinations by kind, without the kinds that have none."""
    return [(kind, found) for kind in HitKind if (found := [one for one in destinations if one.kind is kind])]
