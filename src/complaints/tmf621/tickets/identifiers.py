"""External identifiers: the names of a ticket in other systems, which are the external ids of its complaint. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from complaints.tmf621.editions import Members
from complaints.tmf621.tickets.kept_members import is_code, to_members
from complaints.tmf621.tickets.schemas import GivenExternalIdentifier

_MOST_SYSTEMS = 20


@dataclass(frozen=True, slots=True)
class Identifiers:
    """The external ids of a complaint by system, and the identifiers to keep, in the order in which they came.

    A kept identifier without `id` is named by the external id of its system.
    """

    ids: Mapping[str, str]
    kept: Sequence[Members]


def read_identifiers(
    given: Sequence[GivenExternalIdentifier], source: str, admits: Callable[[str], bool]
) -> Identifiers:
    """The external ids that identifiers give. Without an owner, an identifier is that of `source`.

    Each system names a complaint once: later identifiers of the same system are only kept. The same holds for those
    that no complaint can have, and for systems that the caller may not name.
    """
    ids: dict[str, str] = {}
    kept = []
    for one in given:
        members = to_members(one)
        system = source if one.owner is None else one.owner
        is_new = system not in ids and len(ids) < _MOST_SYSTEMS
        if is_new and is_code(system) and is_code(one.id) and admits(system):
            ids[system] = members.pop("id")
        kept.append(members)
    return Identifiers(ids, kept)


def show_identifiers(
    kept: Sequence[Mapping[str, Any]], source: str, present: Mapping[str, str]
) -> list[Members]:
    """The identifiers of a ticket: kept ones in their order, then the other external ids of the complaint."""
    left = dict(present)
    shown = []
    for one in kept:
        if "id" in one:
            shown.append(dict(one))
        elif (name := left.pop(system := one.get("owner", source), None)) is not None:
            shown.append({**one, "owner": system, "id": name})
    others = [{"@type": "ExternalIdentifier", "owner": system, "id": name} for system, name in left.items()]
    return [*shown, *others]
