"""External ids: the names of complaints in other systems. A name of a system has one complaint (rule 1.15)."""

from collections.abc import Collection, Mapping
from uuid import UUID

from complaints.domain.complaint.change import Change
from complaints.domain.complaint.numbers import number_of
from complaints.domain.errors import Conflict, Fault, Forbidden, InvalidContent, NotFound, escape_pointer
from complaints.domain.rules.intake import NewComplaint
from complaints.domain.scope import Scope
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows.external_id import find_holders
from complaints.use_cases.access import Caller
from complaints.use_cases.complaints.known import load_known_complaint


def read_external_ids(
    source: str, external_id: str | None, given: Mapping[str, str], scope: Scope
) -> tuple[str | None, dict[str, str]]:
    """The external id in the system `source`, and the external ids in other systems.

    Raises InvalidContent for two ids of one system. Raises Forbidden if a caller of one source names others.
    """
    others = dict(given)
    own = others.pop(source, external_id)
    if external_id is not None and own != external_id:
        pointer = f"/external_ids/{escape_pointer(source)}"
        raise InvalidContent.at(pointer, "external_id has another id of the same system.")
    if foreign := [system for system in others if not scope.admits_source(system)]:
        raise Forbidden(f"This key gives external ids of {source!r} only, not of {foreign[0]!r}.")
    return own, others


def refuse_taken_ids(
    tx: Transaction,
    posts: Mapping[int, NewComplaint],
    holders: Mapping[tuple[str, str], UUID],
    own: Mapping[int, Collection[UUID]],
    callers: Mapping[int, Caller],
) -> dict[int, Conflict]:
    """Refusals of new complaints with an external id that another complaint has, by place.

    `holders` are the complaints that have these ids. `own` are the complaints whose ids the new one takes over, by
    place.
    """
    return {
        place: _taken(tx, callers[place], pair, holders[pair])
        for place, new in posts.items()
        for pair in new.external_ids.items()
        if pair in holders and holders[pair] not in own.get(place, ())
    }


def patch_external_ids(
    tx: Transaction, caller: Caller, change: Change, given: Mapping[str, str | None]
) -> None:
    """Change external ids by system; None takes one away. Raises Conflict if another complaint has it."""
    complaint = change.complaint
    ids = {**complaint.ids_by_system, **given}
    wanted = {system: name for system, name in ids.items() if name is not None}
    for pair, holder_id in find_holders(tx, wanted.items() - complaint.ids_by_system.items()).items():
        if holder_id != complaint.id:
            raise _taken(tx, caller, pair, holder_id)
    change.set(external_id=wanted.pop(complaint.source, None), external_ids=wanted)


def _taken(tx: Transaction, caller: Caller, pair: tuple[str, str], holder_id: UUID) -> Conflict:
    """The refusal. It has the number of the other complaint only if the caller may know of it."""
    system, name = pair
    try:
        which = f"complaint {number_of(load_known_complaint(tx, caller, holder_id).complaint.sequence)}"
    except NotFound:
        which = "another complaint, which you may not see"
    message = f"The external id {name!r} of system {system!r} names {which}."
    return Conflict(message, faults=[Fault(f"/external_ids/{escape_pointer(system)}", message)])
