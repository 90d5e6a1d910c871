"""Patches of tickets: the ticket as the caller sees it, after a merge patch or a JSON Patch. Pure.

A change is the difference between the ticket that the caller sees and the patched one. So a value that the caller sends
back as it was shown is no change, also if it is a mask.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from complaints.domain.complaint.members import merge_attributes
from complaints.domain.errors import Conflict, InvalidContent
from complaints.domain.json_text import encode
from complaints.tmf621.bodies import check_shape
from complaints.tmf621.editions import Members
from complaints.tmf621.tickets.files import TicketFile, read_files
from complaints.tmf621.tickets.intake import TYPE
from complaints.tmf621.tickets.schemas import TicketChange

READ_ONLY = (
    "id",
    "href",
    "@type",
    "creationDate",
    "lastUpdate",
    "resolutionDate",
    "expectedResolutionDate",
    "statusChangeDate",
    "statusChangeHistory",
)
"""The members that the product alone decides on. A merge patch may repeat them in any form; it changes none."""
NOTES = "note"
CHARACTERISTICS = "troubleTicketCharacteristic"
_KEYS = {NOTES: "id", CHARACTERISTICS: "name"}
_OBJECTS = ("channel", "troubleTicketSpecification")
_MANDATORY = ("description", "severity", "ticketType", "status")


@dataclass(frozen=True, slots=True)
class PatchResult:
    """The ticket after a patch, and its members that changed, with their new values. None: the member is gone."""

    ticket: Members
    changes: Members


@dataclass(frozen=True, slots=True)
class TicketPatch:
    """A patch of one of the media types. `apply` returns the patched ticket and leaves the given one as it is.

    `named` are the members that the patch names, also if it leaves them as they are. With `is_strict` a change of a
    member that is only for reading is refused, and otherwise ignored. `files` are the attachments with content.
    """

    apply: Callable[[Members], Members]
    named: frozenset[str]
    is_strict: bool = False
    files: Sequence[TicketFile] = ()

    def apply_to(self, shown: Members) -> PatchResult:
        """The result of the patch for a ticket as the caller sees it.

        Raises Conflict for a patch that does not fit the ticket, and InvalidContent for a mandatory member that goes.
        """
        patched = self.apply(shown)
        names = dict.fromkeys((*shown, *patched))
        changes = {
            name: patched.get(name) for name in names if not is_same(patched.get(name), shown.get(name))
        }
        fixed = [name for name in READ_ONLY if name in changes]
        if fixed and self.is_strict:
            raise Conflict(f"The member {fixed[0]} is read-only.")
        check_mandatory(changes)
        return PatchResult(patched, {name: value for name, value in changes.items() if name not in fixed})


def is_same(one: Any, other: Any) -> bool:
    """True if two values are the same JSON. Python takes 1 and true for equal; JSON does not."""
    return encode(one, sort_keys=True) == encode(other, sort_keys=True)


def check_mandatory(changes: Mapping[str, Any]) -> None:
    """Raise InvalidContent if a change takes away a member that every ticket has."""
    for name in _MANDATORY:
        if name in changes and changes[name] is None:
            raise InvalidContent.at(f"/{name}", f"{name} cannot be removed: every ticket has one.")


def merge_patch(body: Any, fit: Callable[[Members], Members] | None = None) -> TicketPatch:
    """A merge patch (RFC 7396). Characteristics merge by their names and notes by their ids; other arrays replace.

    `fit` returns the members to change in the ticket that is shown, if an older version cannot say them all.

    Raises InvalidContent for members of a wrong type, and for null where a ticket must have a member.
    """
    change = check_shape(
        TicketChange, {"@type": TYPE, **_whole_values(body)} if isinstance(body, dict) else body
    )
    given: Members = body
    check_mandatory(given)

    def apply(shown: Members) -> Members:
        patched = dict(shown)
        for name, value in (given if fit is None else fit(shown)).items():
            if value is None:
                patched.pop(name, None)
            elif name in _KEYS and isinstance(value, list):
                patched[name] = _merge_by_key(shown.get(name) or (), value, _KEYS[name])
            else:
                patched[name] = merge_attributes(shown.get(name), value)
        return patched

    return TicketPatch(apply, frozenset(given), files=read_files(change.attachment or ()))


def _whole_values(body: Members) -> Members:
    """The members without objects. A patch may name some members of an object, so it is checked when it is whole."""
    return {
        name: value for name, value in body.items() if not isinstance(value, dict) or name not in _OBJECTS
    }


def _merge_by_key(shown: Sequence[Any], given: Sequence[Any], key: str) -> list[Any]:
    """The list with each given object in place of the object with the same key. The others follow at the end."""
    places = {one[key]: place for place, one in enumerate(shown) if one.get(key) is not None}
    merged = list(shown)
    for one in given:
        place = places.get(one.get(key))
        if place is None:
            merged.append(one)
        else:
            merged[place] = {**merged[place], **one}
    return merged
