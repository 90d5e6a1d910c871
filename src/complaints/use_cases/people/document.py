"""Reads and writes files of people: departments, teams and users in YAML (docs/people.md).

A file is read with all its faults at once, each with its line, its column and its member.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ValidationError

from complaints.domain.errors import Fault, InvalidContent, ask_if_meant
from complaints.domain.instants import write_instant
from complaints.domain.staff import Department, Directory, Team, User
from complaints.storage.configuration import Configuration
from complaints.use_cases.commands.configuration import (
    CreateDepartment,
    CreateTeam,
    CreateUser,
    Identifier,
    PatchDepartment,
    PatchTeam,
    PatchUser,
)
from complaints.use_cases.commands.messages import find_faults
from complaints.use_cases.configuration.reference_data import ReferenceKind
from complaints.use_cases.configuration.staff import DEPARTMENTS, TEAMS, USERS
from complaints.use_cases.policy_document.yaml_document import (
    UnquotedText,
    YamlDocument,
    read_yaml,
    write_yaml,
)

_MOST_FAULTS = 100
_LONG_AGO = "1900-01-01T00:00:00Z"  # an absence that ended is no absence
Item = Department | Team | User


class DepartmentEntry(PatchDepartment):
    """A department of a file."""

    code: Identifier


class TeamEntry(PatchTeam):
    """A team of a file."""

    code: Identifier


class UserEntry(PatchUser):
    """A user of a file."""

    login: Identifier


@dataclass(frozen=True, slots=True)
class Section:
    """One list of a file: its kind of reference data, the type of an item, and the forms of an entry."""

    kind: ReferenceKind[Any, Any, Any]
    shape: type[Item]
    entry: type[BaseModel]
    new: type[BaseModel]

    @property
    def name(self) -> str:
        """The name of the list in the file."""
        return self.kind.plural

    def items(self, configuration: Configuration) -> Mapping[str, Item]:
        """The stored items of this kind, by key."""
        items: Mapping[str, Item] = self.kind.items(configuration)
        return items


SECTIONS = (
    Section(DEPARTMENTS, Department, DepartmentEntry, CreateDepartment),
    Section(TEAMS, Team, TeamEntry, CreateTeam),
    Section(USERS, User, UserEntry, CreateUser),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A department, team or user as a file has it. A member that the file leaves out keeps its value.

    `members` are as the API takes them. `change` is the command for an item that exists.
    """

    section: Section
    pointer: str
    key: str
    members: Mapping[str, Any]
    change: Any

    def read_new(self) -> Any:
        """The command for an item that does not exist yet. Raises InvalidContent with pointers into the entry."""
        given = {name: value for name, value in self.members.items() if value not in ("", _LONG_AGO)}
        given.pop("successor", None)
        try:
            return self.section.new.model_validate(given)
        except ValidationError as error:
            faults = find_faults(error, given, self.section.new)
            raise InvalidContent(faults[0].message, faults=faults) from error


@dataclass(frozen=True, slots=True)
class PeopleFile:
    """The entries of a file, in its order, and their places in it."""

    document: YamlDocument
    entries: tuple[Entry, ...]

    def refuse(self, faults: Sequence[Fault]) -> None:
        """Raise InvalidContent with the faults by place, the first 100 of them. Without faults do nothing."""
        if faults:
            raise _refusal(self.document, faults)


def read_people(text: str) -> PeopleFile:
    """Read a file. Raises InvalidContent with all faults that need no database."""
    try:
        document = read_yaml(text)
    except InvalidContent as refusal:
        message = f"the file of people cannot be read: {refusal.faults[0].message}"
        raise InvalidContent(message, faults=refusal.faults) from refusal
    faults = list(document.duplicates)
    entries = tuple(_entries(document.data, faults))
    faults += _repeated(entries)
    if faults:
        raise _refusal(document, faults)
    return PeopleFile(document, entries)


def format_people(directory: Directory, now: datetime) -> str:
    """The file of everybody, as text. `read_people` reads it. Applied to the same database it changes nothing."""
    lists: dict[str, list[dict[str, object]]] = {
        "departments": [_written(one) for one in directory.departments.values()],
        "teams": [_written(one) for one in directory.teams.values()],
        "users": [_written_user(one, now) for one in directory.users.values()],
    }
    return write_yaml({name: items for name, items in lists.items() if items})


def _written(item: Item) -> dict[str, object]:
    """The members of an item that are not as they would be in a new item."""
    members = {name: value for name, value in asdict(item).items() if value not in (None, ())}
    if members.get("active") is True:
        del members["active"]
    return {name: _plain(value) for name, value in members.items()}


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return write_instant(value)
    if isinstance(value, tuple):
        return [str(one) for one in value]
    if isinstance(value, Mapping):
        return dict(value)
    return value if isinstance(value, bool) else str(value)


def _written_user(user: User, now: datetime) -> dict[str, object]:
    """An absence that has ended is left out: to give it again would take it away."""
    members = _written(user)
    if user.absent_until is not None and user.absent_until <= now:
        del members["absent_from"], members["absent_until"]
    if user.roles == ():
        members["roles"] = []
    return members


# From text to entries -----------------------------------------------------------------------------------------


def _entries(data: object, faults: list[Fault]) -> Iterator[Entry]:
    sections = {section.name: section for section in SECTIONS}
    if not isinstance(data, dict):
        faults.append(Fault("", "must be a mapping with departments, teams and users"))
        return
    for name, items in data.items():
        if name not in sections:
            asked = ask_if_meant(name, sections) or "there are departments, teams and users"
            faults.append(Fault(f"/{name}", f"unknown '{name[:60]}'; {asked}"))
        elif not isinstance(items, list):
            faults.append(Fault(f"/{name}", "must be a list"))
        else:
            for number, item in enumerate(items):
                yield from _entry(sections[name], f"/{name}/{number}", item, faults)


def _entry(section: Section, pointer: str, item: object, faults: list[Fault]) -> Iterator[Entry]:
    if not isinstance(item, dict):
        faults.append(Fault(pointer, f"must be a mapping with the members of a {section.kind.noun}"))
        return
    members = {name: _member(name, value) for name, value in item.items()}
    _note_absence(members, item)
    found = []
    try:
        command = section.entry.model_validate(members)
    except ValidationError as error:
        found = find_faults(error, members, section.entry)
    else:
        found = _misplaced_successor(command)
    faults += [Fault(pointer + fault.pointer, fault.message) for fault in found]
    if not found:
        yield Entry(section, pointer, str(members[section.kind.key]), members, command)


def _member(name: str, value: object) -> object:
    """A member as the API takes it. An empty value takes the stored value away, as an empty text does."""
    if value is None:
        return ""
    if name == "active" and isinstance(value, UnquotedText) and value in ("true", "false"):
        return value == "true"
    if isinstance(value, list):
        return [_member("", one) for one in value]
    if isinstance(value, dict):
        return {inner: _member("", one) for inner, one in value.items()}
    return str(value)


def _note_absence(members: dict[str, object], item: Mapping[str, object]) -> None:
    """An empty `absent_from` takes the absence away. An empty `absent_until` is an absence without an end."""
    if item.get("absent_until", "") is None:
        del members["absent_until"]
    if item.get("absent_from", "") is None:
        del members["absent_from"]
        members["absent_until"] = _LONG_AGO


def _misplaced_successor(command: BaseModel) -> list[Fault]:
    if isinstance(command, PatchUser) and command.successor is not None and command.active is not False:
        return [Fault("/successor", "A successor is for a user who leaves: set active to false.")]
    return []


def _repeated(entries: Sequence[Entry]) -> Iterator[Fault]:
    seen: set[tuple[str, str]] = set()
    for entry in entries:
        if (entry.section.name, entry.key) in seen:
            kind = entry.section.kind
            yield Fault(
                f"{entry.pointer}/{kind.key}", f"the {kind.noun} {entry.key!r} is there twice; keep one"
            )
        seen.add((entry.section.name, entry.key))


def _refusal(document: YamlDocument, faults: Sequence[Fault]) -> InvalidContent:
    def place(fault: Fault) -> tuple[int, int]:
        return document.line_of(fault.pointer), document.column_of(fault.pointer)

    located = [
        Fault(fault.pointer, _with_place(fault.message, *place(fault))) for fault in sorted(faults, key=place)
    ]
    count = f"{len(faults)} faults; the first: " if len(faults) > 1 else ""
    return InvalidContent(
        f"the file of people cannot be accepted: {count}{located[0].message}", faults=located[:_MOST_FAULTS]
    )


def _with_place(message: str, line: int, column: int) -> str:
    return f"line {line}, column {column}: {message.removeprefix(f'line {line}: ')}"
