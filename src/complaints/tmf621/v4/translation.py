"""A ticket of version 4 as one of version 5, and back. Pure.

Version 4 has no characteristics and no specification. The ticket has them under the names of version 5, as extensions.
Characteristics that an action carries or the product writes stand at the top level: `EXTENSIONS`.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

from complaints.tmf621.bodies import check_shape
from complaints.tmf621.characteristic_names import CARRIED, READ_ONLY
from complaints.tmf621.editions import Members
from complaints.tmf621.shapes import is_uri
from complaints.tmf621.v4.shapes import NewTicketV4, TicketChangeV4

EXTENSIONS = (*READ_ONLY, *CARRIED)
"""Characteristics that an answer of version 4 has at the top level. A request has those of `CARRIED` there."""

_DROPPED = ("creationDate", "lastUpdate", "statusChangeDate", "statusChange")
_CHARACTERISTIC = "troubleTicketCharacteristic"
_IDENTIFIERS = "externalIdentifier"
_PARTY = ("RelatedParty", "RelatedPartyRefOrPartyRoleRef")
_OF_VALUES = ("attachmentType", "mimeType", "content", "size", "validFor")
_OF_REFERENCES = ("id", "href", "name", "@referredType")
_OF_TYPES = ("@type", "@baseType", "@schemaLocation")
_ENTITY = "EntityRef"
_OF_BYTES = "application/octet-stream"


def read_new(content: Any) -> Members:
    """A new ticket in the words of version 5. Raises InvalidContent for a body that version 4 does not allow."""
    return _to_v5(check_shape(NewTicketV4, content))


def read_change(content: Any) -> Members:
    """A change in the words of version 5, where null clears. Raises InvalidContent as `read_new` does."""
    return _to_v5(check_shape(TicketChangeV4, content))


def fit_change(change: Mapping[str, Any], ticket: Mapping[str, Any], source: str) -> Members:
    """A change from `read_change`, fitted to the present ticket of version 5: what version 4 cannot say stays.

    A member, and an item of a list, that version 4 shows in the same way is left as it is. `externalId` is the
    identifier of `source` alone.
    """
    return {name: _fit(name, value, ticket.get(name), source) for name, value in change.items()}


def show(ticket: Mapping[str, Any], source: str | None = None) -> Members:
    """A ticket in the words of version 4. The ticket may be without some of its members.

    Its `externalId` is that of the system `source`, else the first one.
    """
    shown: Members = {}
    if identifiers := ticket.get(_IDENTIFIERS):
        own = [one for one in identifiers if one.get("owner") == source]
        ticket = {**ticket, _IDENTIFIERS: own or identifiers}
    for name, value in ticket.items():
        if name in _SHOW:
            shown.update(_SHOW[name](value))
        else:
            shown[name] = value
    ticket_v4: Members = _with_uris(shown)
    return ticket_v4


# From version 4 to version 5 ------------------------------------------------------------------------------------------


def _to_v5(ticket: TicketChangeV4) -> Members:
    """The members that were sent. A null stays, because it clears in a change."""
    sent = ticket.model_dump(by_alias=True, exclude_unset=True)
    read: Members = {"@type": "TroubleTicket"}
    for name, value in sent.items():
        if name in _DROPPED or name in CARRIED or (name == "@type" and value is None):
            continue
        if name in _READ and value is not None:
            read.update(_READ[name](value))
        else:
            read[_READ_NAMES.get(name, name)] = value
    return read | _carried(sent, read.get(_CHARACTERISTIC))


def _carried(sent: Members, others: Sequence[Members] | None) -> Members:
    """The characteristics, with the extensions of the top level among them. A null clears the characteristic."""
    carried = {name: _characteristic(name, sent[name]) for name in CARRIED if name in sent}
    if not carried:
        return {}
    rest = [one for one in others or () if one["name"] not in carried]
    return {_CHARACTERISTIC: [*rest, *carried.values()]}


def _characteristic(name: str, value: Any) -> Members:
    return {"@type": "StringCharacteristic", "name": name, "valueType": "string", "value": value}


def _typed(kind: str) -> Callable[[Members], Members]:
    """The reader of a member that needs a type in version 5: the type that was sent, else `kind`."""
    return lambda value: {"@type": kind, **value}


def _each(name: str, read: Callable[[Members], Members]) -> Callable[[Sequence[Members]], Members]:
    return lambda values: {name: [read(one) for one in values]}


def _read_attachment(value: Members) -> Members:
    """An attachment with a value, or a reference if it has an id and nothing of a value."""
    if "id" in value and not any(name in value for name in _OF_VALUES):
        return {"@type": "AttachmentRef", **value}
    media_type = _OF_BYTES if value.get("content") else ""
    return {"@type": "Attachment", "attachmentType": "", "mimeType": media_type, **value}


def _read_entity(value: Members) -> Members:
    return {
        "@type": "RelatedEntity",
        **_some(value, "role", *_OF_TYPES),
        "entity": {"@type": _ENTITY, **_some(value, *_OF_REFERENCES)},
    }


def _read_party(value: Members) -> Members:
    outer = {"@type": _PARTY[0], "role": "", **_some(value, "role", *_OF_TYPES)}
    if outer["@type"] == _PARTY[0]:
        outer["@type"] = _PARTY[1]
    inner = "PartyRoleRef" if value["@referredType"] == "PartyRole" else "PartyRef"
    return outer | {"partyOrPartyRole": {"@type": inner, **_some(value, *_OF_REFERENCES)}}


def _read_relationships(sent: Sequence[Members]) -> Members:
    """The relations that name a ticket. Version 5 needs their type too."""
    named = [one for one in sent if one.get("id")]
    return {
        "troubleTicketRelationship": [
            {"@type": "TroubleTicketRelationship", "relationshipType": "", **one} for one in named
        ]
    }


_READ_NAMES = {"externalId": _IDENTIFIERS}
_READ: Mapping[str, Callable[[Any], Members]] = {
    "externalId": lambda sent: {_IDENTIFIERS: [{"@type": "ExternalIdentifier", "id": sent}]},
    "attachment": _each("attachment", _read_attachment),
    "channel": lambda sent: {"channel": _typed("ChannelRef")(sent)},
    "note": _each("note", _typed("Note")),
    "relatedEntity": _each("relatedEntity", _read_entity),
    "relatedParty": _each("relatedParty", _read_party),
    "troubleTicketRelationship": _read_relationships,
    _CHARACTERISTIC: _each(_CHARACTERISTIC, _typed("StringCharacteristic")),
    "troubleTicketSpecification": lambda sent: {
        "troubleTicketSpecification": _typed("TroubleTicketSpecificationRef")(sent)
    },
}


# A change and the present ticket --------------------------------------------------------------------------------------


def _fit(name: str, value: Any, present: Any, source: str) -> Any:
    if name == _IDENTIFIERS:
        return _fit_identifiers(value or [], present or [], source)
    if isinstance(value, list) and isinstance(present, list):
        return _fit_items(name, value, present)
    if (
        isinstance(value, Mapping)
        and isinstance(present, Mapping)
        and show({name: value}) == show({name: present})
    ):
        return present
    return value


def _fit_items(name: str, given: Sequence[Any], present: Sequence[Any]) -> list[Any]:
    """Each given item, or the first present item that version 4 shows in the same way.

    The items are looked up, because a comparison of each with each takes minutes for long lists.
    """
    by_form: dict[Hashable, Any] = {}
    for one in present:
        by_form.setdefault(_frozen(show({name: [one]})), one)
    return [by_form.get(_frozen(show({name: [one]})), one) for one in given]


def _frozen(value: Any) -> Hashable:
    """A value of JSON that can be looked up. Equal values have equal forms."""
    if isinstance(value, Mapping):
        return frozenset((name, _frozen(one)) for name, one in value.items())
    if isinstance(value, list):
        return tuple(map(_frozen, value))
    found: Hashable = value
    return found


def _fit_identifiers(
    given: Sequence[Members], present: Sequence[Mapping[str, Any]], source: str
) -> Sequence[Mapping[str, Any]] | None:
    """The identifiers with that of `source` replaced by the given one, or without it. None: none is left."""
    if given and show({_IDENTIFIERS: given}) == show({_IDENTIFIERS: present}, source):
        return present
    others = [one for one in present if one.get("owner", source) != source]
    own = next((one for one in present if one.get("owner", source) == source), {"owner": source})
    return [*({**own, **one} for one in given), *others] or None


# From version 5 to version 4 ------------------------------------------------------------------------------------------


def _show_identifiers(values: Sequence[Mapping[str, Any]]) -> Members:
    return {"externalId": values[0]["id"]} if values else {}


def _show_attachment(value: Mapping[str, Any]) -> Members:
    """The attachment without the empty members that version 5 needed."""
    return {name: one for name, one in value.items() if one or name not in ("attachmentType", "mimeType")}


def _show_entity(value: Mapping[str, Any]) -> Members:
    entity = value["entity"]
    kind = "Entity" if entity["@type"] == _ENTITY else entity["@type"]
    return {"@referredType": kind, **_some(entity, *_OF_REFERENCES), **_some(value, "role", *_OF_TYPES)}


def _show_parties(values: Sequence[Mapping[str, Any]]) -> Members:
    """The related parties that name a party. Version 4 needs its id and its type."""
    return {"relatedParty": [_show_party(one) for one in values if one.get("partyOrPartyRole")]}


def _show_party(value: Mapping[str, Any]) -> Members:
    party = value["partyOrPartyRole"]
    outer = _some(value, "role", *_OF_TYPES)
    if outer.get("@type") == _PARTY[1]:
        outer["@type"] = _PARTY[0]
    if not outer.get("role"):
        outer.pop("role", None)
    kind = "PartyRole" if party.get("@type") == "PartyRoleRef" else "Party"
    named = {"name": party["partyName"]} if "partyName" in party else {}
    return {"@referredType": kind, **named, **_some(party, *_OF_REFERENCES), **outer}


def _show_history(values: Sequence[Mapping[str, Any]]) -> Members:
    names = {"statusChangeDate": "changeDate", "statusChangeReason": "changeReason"}
    return {"statusChange": [{names.get(name, name): value for name, value in one.items()} for one in values]}


def _show_characteristics(values: Sequence[Mapping[str, Any]]) -> Members:
    top = {one["name"]: one["value"] for one in values if one["name"] in EXTENSIONS}
    rest = [one for one in values if one["name"] not in EXTENSIONS]
    return top | ({_CHARACTERISTIC: rest} if rest else {})


def _show_specification(value: Mapping[str, Any]) -> Members:
    """The specification without its address: version 4 has no path for it."""
    return {"troubleTicketSpecification": {name: one for name, one in value.items() if name != "href"}}


_SHOW: Mapping[str, Callable[[Any], Members]] = {
    _IDENTIFIERS: _show_identifiers,
    "attachment": _each("attachment", _show_attachment),
    "relatedEntity": _each("relatedEntity", _show_entity),
    "relatedParty": _show_parties,
    "statusChangeHistory": _show_history,
    _CHARACTERISTIC: _show_characteristics,
    "troubleTicketSpecification": _show_specification,
}


# Both ways ------------------------------------------------------------------------------------------------------------


def _some(value: Mapping[str, Any], *names: str) -> Members:
    return {name: value[name] for name in names if name in value}


def _with_uris(value: Any) -> Any:
    """JSON without a `@schemaLocation` that is no URI: version 5 allows any text there."""
    if isinstance(value, list):
        return [_with_uris(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        name: one if name == "value" else _with_uris(one)
        for name, one in value.items()
        if name != "@schemaLocation" or (isinstance(one, str) and is_uri(one))
    }
