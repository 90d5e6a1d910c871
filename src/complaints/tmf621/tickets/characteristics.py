"""Characteristics: the attributes of a complaint, each with the type of TMF621 that its value has. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from complaints.domain.complaint.numbers import number_of
from complaints.tmf621.characteristic_names import CARRIED, NUMBER, OUTCOME, READ_ONLY, ROOT_CAUSE, STATE
from complaints.tmf621.editions import Members
from complaints.tmf621.tickets.kept_members import ATTRIBUTE, to_members
from complaints.tmf621.tickets.schemas import GivenCharacteristic

MOST_ATTRIBUTES = 99
"""The attribute with the kept members is one more."""
_LONGEST_NAME = 200
_ANY = "Characteristic"


@dataclass(frozen=True, slots=True)
class Characteristics:
    """The attributes that characteristics give, the arguments of actions, and the characteristics to keep.

    A kept characteristic without `value` has the value of its attribute.
    """

    attributes: Mapping[str, Any]
    carried: Mapping[str, Any]
    kept: Sequence[Members]


def read_characteristics(given: Sequence[GivenCharacteristic]) -> Characteristics:
    """The attributes that characteristics give. A name that comes twice has the last value, as in a JSON object.

    Characteristics without a value, and with names that no attribute can have, are only kept.
    """
    attributes: dict[str, Any] = {}
    carried: dict[str, Any] = {}
    kept: dict[str, Members] = {}
    for one in given:
        members = {**to_members(one), "value": one.value}
        kept.pop(one.name, None)
        if one.name in READ_ONLY:
            continue
        if one.name in CARRIED:
            carried[one.name] = one.value
            continue
        if one.value is not None and _can_be_attribute(one.name, attributes):
            attributes[one.name] = members.pop("value")
            if members == {"@type": _type_of(one.value)[0], "name": one.name}:
                continue
        kept[one.name] = members
    return Characteristics(attributes, carried, list(kept.values()))


def _can_be_attribute(name: str, known: Mapping[str, Any]) -> bool:
    is_free = name != ATTRIBUTE and (name in known or len(known) < MOST_ATTRIBUTES)
    return is_free and 1 <= len(name) <= _LONGEST_NAME


def show_characteristics(members: Mapping[str, Any], kept: Sequence[Mapping[str, Any]]) -> list[Members]:
    """The characteristics of a ticket: those of the complaint, then its attributes, then others that are only kept."""
    own = {
        STATE: members["status"],
        NUMBER: number_of(members["sequence"]),
        OUTCOME: members["outcome"],
        ROOT_CAUSE: members["root_cause"],
    }
    told = {str(one.get("name")): one for one in kept}
    attributes = {
        name: value
        for name, value in members["attributes"].items()
        if name != ATTRIBUTE and name not in (*READ_ONLY, *CARRIED)
    }
    return [
        *(_show(name, str(value), {}) for name, value in own.items() if value is not None),
        *(_show(name, value, told.get(name, {})) for name, value in attributes.items()),
        *(_show_kept(one) for one in kept if "value" in one and one.get("name") not in attributes),
    ]


def _show(name: str, value: Any, kept: Mapping[str, Any]) -> Members:
    """A value with its type. The kept type and the kept name of the type stand only if they fit the value."""
    type_name, value_type = _type_of(value)
    shown: Members = {"@type": type_name, "name": name, "valueType": value_type}
    if kept and _fits(str(kept.get("@type")), value):
        shown = {"valueType": value_type, **kept}
    elif kept:
        shown = {**kept, **shown}
    return shown if value is None else {**shown, "value": value}


def _show_kept(kept: Mapping[str, Any]) -> Members:
    if kept["value"] is None:
        return {name: value for name, value in kept.items() if name != "value"}
    return _show(str(kept.get("name")), kept["value"], {n: v for n, v in kept.items() if n != "value"})


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_integer(value: Any) -> bool:
    return _is_number(value) and value == value // 1


_SINGLE: Mapping[str, Callable[[Any], bool]] = {
    "String": lambda value: isinstance(value, str),
    "Boolean": lambda value: isinstance(value, bool),
    "Integer": _is_integer,
    "Number": _is_number,
    "Object": lambda value: isinstance(value, dict),
}


def _array_of(fits: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and all(map(fits, value))


_TYPES: Mapping[str, Callable[[Any], bool]] = {
    **{f"{name}{_ANY}": fits for name, fits in _SINGLE.items()},
    f"Float{_ANY}": _is_number,
    **{f"{name}Array{_ANY}": _array_of(fits) for name, fits in _SINGLE.items()},
}
_VALUE_TYPES = {
    **{f"{name}{_ANY}": name.lower() for name in _SINGLE},
    **{f"{name}Array{_ANY}": "array" for name in _SINGLE},
}


def _type_of(value: Any) -> tuple[str, str]:
    """The type of TMF621 for a value of JSON, and the word for the type of the value."""
    if isinstance(value, float):
        return f"Number{_ANY}", "number"
    for name, value_type in _VALUE_TYPES.items():
        if _TYPES[name](value):
            return name, value_type
    return _ANY, "array" if isinstance(value, list) else "null"


def _fits(type_name: str, value: Any) -> bool:
    """True if a characteristic of this type may have the value. TMF621 has no rule for types of others."""
    return type_name not in _TYPES or _TYPES[type_name](value)
