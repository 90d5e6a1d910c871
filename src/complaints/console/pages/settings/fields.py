"""The fields of the forms of settings: what each shows of a value, and what it sends as a member of a command."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from complaints.console.forms import FormFields, FormState
from complaints.console.locale import Locale
from complaints.domain.errors import ComplaintError
from complaints.domain.time.zones import zone_of

Options = Sequence[tuple[str, str]]
"""The values to choose from, each with its words."""


class FieldKind(StrEnum):
    """How a field looks, and what its text means."""

    TEXT = "text"
    NUMBER = "number"
    INSTANT = "instant"  # a local time in the zone of the reader
    AREA = "area"
    DOCUMENT = "document"  # a long text for programs
    WORDS = "words"  # a list, parted by commas or spaces
    CHOICE = "choice"
    CHOICES = "choices"  # several of the options
    SWITCH = "switch"


_INPUT_TYPES = {FieldKind.NUMBER: "number", FieldKind.INSTANT: "datetime-local"}
_LISTS = frozenset({FieldKind.WORDS, FieldKind.CHOICES})


@dataclass(frozen=True, slots=True, kw_only=True)
class FormField:
    """A field. `name` is the member of the command, with dots between the parts of its place.

    `removable`: in a change, the empty field takes the value away; otherwise it leaves the member out. An empty list
    always takes away what was there. A text field with options proposes them.
    """

    name: str
    label: str
    kind: FieldKind = FieldKind.TEXT
    options: Options = ()
    hint: str = ""
    required: bool = False
    removable: bool = False

    @property
    def input_type(self) -> str:
        """The `type` of the input element."""
        return _INPUT_TYPES.get(self.kind, "text")


@dataclass(frozen=True, slots=True)
class SearchForm:
    """A form above a list, which asks by the address. `label` is that of its button; "": "Find"."""

    fields: Sequence[FormField]
    form: FormState
    label: str = ""


def make_field(locale: Locale, name: str, kind: FieldKind = FieldKind.TEXT, **members: Any) -> FormField:
    """A field with the label and the hint of its name in the texts of settings."""
    words, key = locale.texts.settings, name.replace(".", "_")
    hint = words.hints[key] if key in words.hints else ""  # noqa: SIM401 - no mapping
    return FormField(**{"name": name, "label": words.fields[key], "kind": kind, "hint": hint, **members})


def write_value(value: Any, locale: Locale, kind: FieldKind = FieldKind.TEXT) -> str:
    """The text that a field shows of a value."""
    if value is None or value is False:
        return ""
    if value is True:
        return "on"
    if isinstance(value, datetime):
        return locale.local(value).strftime("%Y-%m-%dT%H:%M")
    if isinstance(value, tuple | list | frozenset):
        texts = [str(one) for one in value]
        return ("\n" if kind is FieldKind.CHOICES else ", ").join(texts)
    return str(value)


def show_values(fields: Sequence[FormField], found: Mapping[str, Any], locale: Locale) -> FormState:
    """A form with the values of `found`, by the names of the fields."""
    return FormState({one.name: write_value(found.get(one.name), locale, one.kind) for one in fields})


def read_members(
    form: FormFields, fields: Sequence[FormField], locale: Locale, *, changes: bool = False
) -> dict[str, Any]:
    """The fields as members of a command. A text that does not fit its kind stays as it is, so the command refuses it.

    `changes`: the command changes something, so an empty field that is `removable` takes its value away.
    """
    members: dict[str, Any] = {}
    for one in fields:
        value = _read(form, one, locale)
        if value in (None, []):
            value = (
                ([] if one.kind in _LISTS else "")
                if changes and (one.removable or one.kind in _LISTS)
                else None
            )
        if value is None:
            continue
        *path, last = one.name.split(".")
        place = members
        for part in path:
            place = place.setdefault(part, {})
        place[last] = value
    return members


def _read(form: FormFields, one: FormField, locale: Locale) -> Any:
    """The value of one field; None: the member is left out."""
    if one.kind is FieldKind.CHOICES:
        return form.texts(one.name)
    text = form.text(one.name).strip()
    if one.kind is FieldKind.SWITCH:
        return bool(text)
    if one.kind is FieldKind.WORDS:
        return text.replace(",", " ").replace("，", " ").split()
    if not text:
        return None
    if one.kind is FieldKind.NUMBER:
        return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else text
    return read_local_time(text, locale) if one.kind is FieldKind.INSTANT else text


def read_local_time(text: str, locale: Locale) -> str:
    """The instant of a local time of the reader, as RFC 3339. Another text stays as it is."""
    try:
        local = datetime.fromisoformat(text)
    except ValueError:
        return text
    return local.isoformat() if local.tzinfo else local.replace(tzinfo=zone_of(locale.zone).info).isoformat()


def show_again(
    form: FormFields, fields: Sequence[FormField], refusal: ComplaintError, locale: Locale
) -> FormState:
    """The form again, with everything that was typed. A fault of a part of a field stands beside the field."""
    typed = {one.name: "\n".join(form.texts(one.name)) for one in fields}
    faults: dict[str, str] = {}
    outside: list[str] = []
    for fault in refusal.faults:
        message, name = locale.refusal(fault.message), _field_of(fault.pointer, typed)
        if name is None:
            outside.append(message)
        else:
            faults[name] = f"{faults[name]} {message}" if name in faults else message
    if not refusal.faults:
        outside.append(locale.refusal(refusal.detail))
    return FormState(typed, faults, " ".join(outside))


def _field_of(pointer: str, names: Mapping[str, str]) -> str | None:
    """The field to whose place a pointer leads, or to a part of it; else the last field that is a part of the place."""
    parts = pointer.strip("/").split("/")
    places = [".".join(parts[:length]) for length in range(len(parts), 0, -1)]
    exact = next((place for place in places if place in names), None)
    return exact or next((name for name in reversed([*names]) if name.startswith(f"{places[0]}.")), None)
