"""The controls of a form for a command, from the JSON schema of its members, and the members from a sent form."""

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from complaints.console.locale import Locale
from complaints.domain.errors import InvalidContent
from complaints.domain.time.zones import zone_of
from complaints.use_cases.complaints.available_actions import Requirement

ZONE = "zone"
"""The field with the time zone in which the times of a form were typed."""
WAS = "was."
"""The prefix of the fields with a digest of the value that the reader saw."""
NOBODY = " "
"""The value of the choice that takes an assignment back. No login has it, because a login has a visible character."""
_SHORT_TEXT = 500
_FEW_NUMBERS = 12
_SEPARATORS = str.maketrans("，、;；\n", ",,,,,")
_WORDS = {
    "contact_channel": "channel",
    "preferred_contact": "channel",
    "outcome": "outcome",
    "cause": "cause",
    "role": "recipient_role",
    "severity": "severity",
    "priority": "priority",
    "visibility": "visibility",
    "type": "link_type",
    "hold.reason": "hold_reason",
    "record_contact.outcome": "contact_outcome",
}
"""The words for the values of a member, by its name, or by action and name."""


class ControlKind(StrEnum):
    """The kind of a control. `suggest` is a line with suggestions, for more choices than a list should have."""

    TEXT = "text"
    LINE = "line"
    SELECT = "select"
    SUGGEST = "suggest"
    NUMBER = "number"
    DECIMAL = "decimal"
    INSTANT = "instant"
    SWITCH = "switch"
    TAGS = "tags"


@dataclass(frozen=True, slots=True)
class Choice:
    """A value that a reader may choose, and its words."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Control:
    """One control. `name` is that of the member; a dot stands before a member of an object. `value` is the first value.

    `longest` is the number of characters that fit; None: not limited. `blank` are the words for no choice. `section`
    is the heading of the object, "" outside. `is_whole`: the value is a whole number.
    """

    name: str
    kind: ControlKind
    label: str
    required: bool
    choices: tuple[Choice, ...] = ()
    longest: int | None = None
    hint: str = ""
    blank: str = ""
    value: str = ""
    section: str = ""
    is_whole: bool = False


@dataclass(frozen=True, slots=True)
class FormSection:
    """Controls under one heading; "" for those of no object. `is_filled`: one of them has a value or a fault."""

    title: str
    controls: Sequence[Control]
    is_filled: bool


@dataclass(frozen=True, slots=True)
class FormPlan:
    """What the controls of a form need beside the schema, by the name of the member.

    `choices` are the values of members that name something, such as a team. `blanks` are the words for no choice.
    `values` are the first values. Members of `left_out` have no control. Those of `kept` have a value that cannot be
    taken away.
    """

    action: str
    choices: Mapping[str, Sequence[Choice]] = field(default_factory=dict)
    blanks: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)
    left_out: frozenset[str] = frozenset()
    kept: frozenset[str] = frozenset()
    most_choices: int = 300


def make_controls(requirements: Iterable[Requirement], plan: FormPlan, locale: Locale) -> list[Control]:
    """The controls of a form, in the order of the members. The members of an object follow each other."""
    return [
        control
        for requirement in requirements
        if requirement.name not in plan.left_out
        for control in _controls_of(requirement, plan, locale)
    ]


def _controls_of(requirement: Requirement, plan: FormPlan, locale: Locale) -> list[Control]:
    name, schema = requirement.name, requirement.schema
    if name in plan.choices or "properties" not in schema:
        return [_control(name, schema, requirement.required, plan, locale)]
    section = _label(name, plan.action, locale)
    return [
        _control(f"{name}.{member}", inner, False, plan, locale, section=section)
        for member, inner in schema["properties"].items()
    ]


def _control(
    name: str, schema: Mapping[str, Any], required: bool, plan: FormPlan, locale: Locale, section: str = ""
) -> Control:
    required = required or name in plan.kept
    choices = tuple(plan.choices.get(name) or _choices_in(name, schema, plan.action, locale))
    hints = locale.texts.actions.hints
    key = _key_of(name, plan.action, hints)
    return Control(
        name=name,
        kind=_kind_of(schema, choices, plan.most_choices),
        label=_label(name, plan.action, locale),
        required=required,
        choices=choices[: plan.most_choices],
        longest=schema.get("maxLength"),
        hint=str(hints[key]) if key else "",
        blank=plan.blanks.get(name, locale.texts.actions.choose if required else locale.texts.actions.none),
        value=plan.values.get(name, ""),
        section=section,
        is_whole=schema.get("type") == "integer",
    )


def _kind_of(schema: Mapping[str, Any], choices: Sequence[Choice], most: int) -> ControlKind:
    if choices:
        return ControlKind.SELECT if len(choices) <= most else ControlKind.SUGGEST
    match schema.get("type"), schema.get("format"):
        case "boolean", _:
            return ControlKind.SWITCH
        case "integer", _:
            return ControlKind.NUMBER
        case "array", _:
            return ControlKind.TAGS
        case _, "date-time":
            return ControlKind.INSTANT
        case None, _ if "anyOf" in schema:
            return ControlKind.DECIMAL
    return ControlKind.TEXT if schema.get("maxLength", 0) > _SHORT_TEXT else ControlKind.LINE


def _choices_in(name: str, schema: Mapping[str, Any], action: str, locale: Locale) -> list[Choice]:
    """The values of an enumeration, or those of a short range of whole numbers."""
    if "enum" in schema:
        member = name.rpartition(".")[2]
        group = _WORDS.get(f"{action}.{member}") or _WORDS[member]
        return [Choice(str(value), locale.word(group, value)) for value in schema["enum"]]
    low, high = schema.get("minimum"), schema.get("maximum")
    if schema.get("type") == "integer" and low is not None and high is not None and high - low < _FEW_NUMBERS:
        return [Choice(str(number), str(number)) for number in range(low, high + 1)]
    return []


def _label(name: str, action: str, locale: Locale) -> str:
    """The label of the form of an action, else that of the member of a complaint."""
    labels, members = locale.texts.actions.labels, locale.texts.members
    flat, last = name.replace(".", "_"), name.rpartition(".")[2]
    places = ((labels, f"{action}_{flat}"), (labels, flat), (members, name), (members, last), (labels, last))
    return next((str(texts[key]) for texts, key in places if key in texts), name)


def _key_of(name: str, action: str, texts: Any) -> str | None:
    """The key of the text for a member: of the action, of the object, or of the name alone."""
    flat = name.replace(".", "_")
    keys = (f"{action}_{flat}", flat, name.rpartition(".")[2])
    return next((key for key in keys if key in texts), None)


def sections_of(controls: Sequence[Control], filled: Collection[str]) -> list[FormSection]:
    """The controls by their sections; those of no object come first. `filled` has the names of fields."""
    titles = sorted(dict.fromkeys(one.section for one in controls), key=bool)
    found = [(title, [one for one in controls if one.section == title]) for title in titles]
    return [FormSection(title, own, any(one.name in filled for one in own)) for title, own in found]


# From a sent form to members ------------------------------------------------------------------------------------------

ReadText = Callable[[str], str]
"""Gives the text of a field by its name; "" if it was not sent."""


def read_members(controls: Iterable[Control], text: ReadText) -> dict[str, Any]:
    """The members of a command. An empty field is absent; so is an object without a value.

    Raises InvalidContent for a time that cannot be read.
    """
    found = ((control, text(control.name)) for control in controls)
    return nest({one.name: _value_of(one, typed, text(ZONE)) for one, typed in found if typed})


def read_changed_members(controls: Iterable[Control], text: ReadText) -> dict[str, Any]:
    """The members that differ from what the reader saw, by the digests of the form. None clears a member.

    A member without a digest was not in the form. Raises like `read_members`.
    """
    changed = {}
    for control in controls:
        typed, was = text(control.name), text(WAS + control.name)
        if not was or digest_of(typed) == was:
            continue
        if typed:
            changed[control.name] = _value_of(control, typed, text(ZONE))
        else:
            changed[control.name] = _EMPTY.get(control.kind)
    return nest(changed)


_EMPTY: Mapping[ControlKind, Any] = {ControlKind.SWITCH: False, ControlKind.TAGS: []}


def digest_of(value: str) -> str:
    """A short digest of the value of a field."""
    return hashlib.sha256(value.encode("utf-8", "replace")).hexdigest()[:16]


def nest(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values by names with dots as members of objects."""
    members: dict[str, Any] = {}
    for name, value in values.items():
        *path, last = name.split(".")
        place = members
        for part in path:
            place = place.setdefault(part, {})
        place[last] = value
    return members


def _value_of(control: Control, typed: str, zone: str) -> Any:
    match control.kind:
        case ControlKind.INSTANT:
            return read_local(control.name, typed, zone).isoformat()
        case ControlKind.SWITCH:
            return True
        case ControlKind.TAGS:
            return [tag for part in typed.translate(_SEPARATORS).split(",") if (tag := part.strip())]
    if control.is_whole and typed.isascii() and typed.isdigit() and len(typed) < 10:
        return int(typed)
    return None if typed == NOBODY else typed


def read_local(name: str, typed: str, zone: str) -> datetime:
    """The instant of a local time such as `2026-11-22T09:15` in a zone, in UTC.

    Raises InvalidContent at the field if the time cannot be read, or if the clocks skip it. Of a time that comes twice
    it is the first.
    """
    pointer = "/" + name.replace(".", "/")
    info = zone_of(zone).info
    try:
        local = datetime.fromisoformat(typed)
        instant = local.replace(tzinfo=info).astimezone(UTC)
        back = instant.astimezone(info).replace(tzinfo=None)
    except (ValueError, OverflowError):
        raise InvalidContent.at(pointer, "must be a date and a time") from None
    if local.tzinfo is not None:
        raise InvalidContent.at(pointer, "must be a date and a time")
    if back != local:
        raise InvalidContent.at(pointer, "names a time that does not exist")
    return instant
