"""The form of a new complaint: its fields, and the post that they tell."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from complaints.console.forms import FormFields
from complaints.console.locale import Locale
from complaints.console.views.category_choices import CategoryChoice, find_choice
from complaints.domain.errors import Fault, InvalidContent
from complaints.domain.time.zones import zone_of
from complaints.domain.vocabulary import Channel, Severity
from complaints.use_cases.commands.complaints import CreateComplaint
from complaints.use_cases.commands.messages import read_command

CHANNELS = tuple(one for one in Channel if one not in (Channel.API, Channel.IMPORT))
FIRST = {"channel": Channel.PHONE, "severity": Severity.NORMAL}
"""The values of an empty form."""

CONTACT_TO, RECURRENCE_OF = "contact_to", "recurrence_of"
"""Fields that name an earlier complaint: the call is about it, or its problem came again."""

MARKS = ("account_no", "phone", "email")
"""The members by which earlier complaints of a person are found."""

_PERSONS = ("complainant", "reporter")
_OF_COMPLAINANT = ("name", *MARKS, "vulnerable", "preferred_contact", "language")
FIELDS = frozenset(
    {"channel", "subject", "description", "severity", "category", "region", "tags", "received_at"}
    | {"service.type", "service.id"}
    | {f"complainant.{name}" for name in _OF_COMPLAINANT}
    | {f"reporter.{name}" for name in ("name", "phone", "email")}
)
_NO_SUBJECT_YET = "-"


def read_post(form: FormFields, choices: Sequence[CategoryChoice], locale: Locale) -> CreateComplaint:
    """The complaint that the form tells. Raises InvalidContent with all faults."""
    members, faults = _members_of(form, choices, locale)
    try:
        command = read_command(CreateComplaint, members)
    except InvalidContent as refusal:
        raise InvalidContent(refusal.detail, faults=[*faults, *refusal.faults]) from refusal
    if faults:
        raise InvalidContent(faults[0].message, faults=faults)
    return command


def _members_of(
    form: FormFields, choices: Sequence[CategoryChoice], locale: Locale
) -> tuple[dict[str, Any], list[Fault]]:
    """The members of a post, without a category and a time that cannot be read, and the faults of these two."""
    known = FormFields({name: values for name, values in form.values.items() if name in FIELDS}, b"")
    members = known.members()
    faults = []
    for role in _PERSONS:
        if members.get(role, {}).get("vulnerable"):
            members[role]["vulnerable"] = True
    if tags := members.pop("tags", ""):
        members["tags"] = [tag.strip() for tag in tags.replace("，", ",").split(",") if tag.strip()]
    if typed := members.pop("category", ""):
        if choice := find_choice(choices, typed):
            members["category"] = choice.code
        else:
            faults.append(Fault("/category", "There is no category of this name: choose one of the list."))
    if received := members.pop("received_at", ""):
        if instant := _write_instant(received, locale):
            members["received_at"] = instant
        else:
            faults.append(Fault("/received_at", "must be a date and a time"))
    return members, faults


def _write_instant(text: str, locale: Locale) -> str | None:
    """A time in the zone of the reader, with its offset. None for another text."""
    try:
        local = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (local if local.tzinfo else local.replace(tzinfo=zone_of(locale.zone).info)).isoformat()


def read_so_far(form: FormFields, choices: Sequence[CategoryChoice], locale: Locale) -> CreateComplaint:
    """The complaint of a form that is still typed. Half a phone number is left out, and so is any such member."""
    typed, _ = _members_of(form, choices, locale)
    typed.pop("tags", None)
    members = {**FIRST, "subject": _NO_SUBJECT_YET, **typed}
    try:
        return read_command(CreateComplaint, members)
    except InvalidContent as refusal:
        return read_command(CreateComplaint, _without(members, refusal.faults))


def _without(members: Mapping[str, Any], faults: Iterable[Fault]) -> dict[str, Any]:
    wrong = {fault.pointer.removeprefix("/").replace("/", ".") for fault in faults}
    kept = {name: value for name, value in members.items() if name not in wrong}
    for role in _PERSONS:
        if role in kept:
            kept[role] = {name: value for name, value in kept[role].items() if f"{role}.{name}" not in wrong}
    return {**FIRST, "subject": _NO_SUBJECT_YET, **kept}
