"""Plans how the stored people become as a file has them. Nothing is written here."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, cast

from complaints.domain.errors import ComplaintError, Conflict, Fault, InvalidContent
from complaints.domain.staff import Department, Directory, User
from complaints.storage.configuration import Configuration
from complaints.storage.database.transactions import Transaction
from complaints.use_cases.complaints.leaving import check_leaving
from complaints.use_cases.configuration.changing import merge_names
from complaints.use_cases.people.document import SECTIONS, Entry, Item, PeopleFile, Section


@dataclass(frozen=True, slots=True)
class PeopleStep:
    """A department, team or user that is created (`old` is None) or changed to `new`.

    `successor` takes over what belongs to a user who leaves.
    """

    section: Section
    key: str
    old: Item | None
    new: Item
    successor: str | None = None

    @property
    def leaves(self) -> bool:
        """True if the step deactivates a user."""
        return isinstance(self.old, User) and self.old.active and not cast(User, self.new).active

    @property
    def changes(self) -> dict[str, tuple[Any, Any]]:
        """The old and the new value of each member that changes, by its name."""
        names = [one.name for one in fields(self.new)]
        pairs = {name: (getattr(self.old, name, None), getattr(self.new, name)) for name in names}
        return {name: (old, new) for name, (old, new) in pairs.items() if old != new}


@dataclass(frozen=True, slots=True)
class PeoplePlan:
    """The steps to take. `same` counts the entries that change nothing.

    `untouched` are the keys of the stored items that the file does not name. Both are by the name of the section.
    """

    steps: tuple[PeopleStep, ...]
    same: Mapping[str, int]
    untouched: Mapping[str, Sequence[str]]


def plan_people(tx: Transaction, configuration: Configuration, people: PeopleFile) -> PeoplePlan:
    """The plan for `people`, judged by the people as they are afterwards: entries may refer to each other.

    Raises InvalidContent with every fault of the first check that finds one, each with its place in the file. The
    checks are: members that are missing, departments in a ring, names that do not exist, and users who leave.
    """
    commands = _read_commands(configuration, people)
    drafts = {
        entry.pointer: _draft(_stored(configuration, entry), commands[entry.pointer], entry)
        for entry in people.entries
    }
    after = _with_items(configuration, people, drafts)
    people.refuse(list(_rings(after.directory, people)))
    faults: list[Fault] = []
    planned = {
        entry.pointer: item
        for entry in people.entries
        if (item := _plan(tx, after, _stored(configuration, entry), commands[entry.pointer], entry, faults))
    }
    people.refuse(faults)
    steps = [_step(configuration, entry, planned[entry.pointer]) for entry in people.entries]
    people.refuse(list(_leaving_faults(_with_items(configuration, people, planned), people, steps)))
    return PeoplePlan(
        tuple(step for step in steps if step.old != step.new),
        {
            section.name: sum(step.section is section and step.old == step.new for step in steps)
            for section in SECTIONS
        },
        {section.name: _unnamed(configuration, people, section) for section in SECTIONS},
    )


def _stored(configuration: Configuration, entry: Entry) -> Item | None:
    return entry.section.items(configuration).get(entry.key)


def _unnamed(configuration: Configuration, people: PeopleFile, section: Section) -> tuple[str, ...]:
    named = {entry.key for entry in people.entries if entry.section is section}
    return tuple(sorted(section.items(configuration).keys() - named))


def _read_commands(configuration: Configuration, people: PeopleFile) -> dict[str, Any]:
    """The command for each entry, by its pointer: to create, or to change."""
    commands, faults = {}, []
    for entry in people.entries:
        try:
            is_new = _stored(configuration, entry) is None
            commands[entry.pointer] = entry.read_new() if is_new else entry.change
        except InvalidContent as refusal:
            faults += _placed(entry, refusal)
    people.refuse(faults)
    return commands


def _draft(old: Item | None, command: Any, entry: Entry) -> Item:
    """The item after the command, unchecked: other entries may refer to it."""
    names = [one.name for one in fields(entry.section.shape)]
    given = {name: value for name in names if (value := getattr(command, name, None)) is not None}
    given = {name: value or None if isinstance(value, str) else value for name, value in given.items()}
    if "names" in given:
        given["names"] = merge_names(getattr(old, "names", {}), given["names"])
    return replace(old, **given) if old is not None else entry.section.shape(**given)


def _with_items(configuration: Configuration, people: PeopleFile, items: Mapping[str, Item]) -> Configuration:
    """The configuration with `items`, which are by the pointers of their entries."""
    held: dict[str, dict[str, Any]] = {
        section.name: dict(section.items(configuration)) for section in SECTIONS
    }
    for entry in people.entries:
        held[entry.section.name][entry.key] = items[entry.pointer]
    return replace(configuration, directory=Directory(**held))


def _rings(directory: Directory, people: PeopleFile) -> Iterator[Fault]:
    """A fault for each department of the file that would be below itself."""
    for entry in people.entries:
        if entry.section.shape is Department and _is_below_itself(directory, entry.key):
            yield Fault(
                f"{entry.pointer}/parent", "A department cannot be below itself: choose another parent."
            )


def _is_below_itself(directory: Directory, code: str) -> bool:
    seen: set[str] = set()
    at = directory.departments.get(code)
    while at is not None and at.code not in seen:
        seen.add(at.code)
        at = directory.departments.get(at.parent or "")
    return at is not None


def _plan(
    tx: Transaction, after: Configuration, old: Item | None, command: Any, entry: Entry, faults: list[Fault]
) -> Item | None:
    kind = entry.section.kind
    try:
        if old is None:
            return cast(Item, kind.plan_new(tx, after, command))
        return cast(Item, kind.plan_change(tx, after, old, command))
    except (InvalidContent, Conflict) as refusal:
        faults += _placed(entry, refusal)
        return None


def _step(configuration: Configuration, entry: Entry, item: Item) -> PeopleStep:
    return PeopleStep(
        entry.section,
        entry.key,
        _stored(configuration, entry),
        item,
        getattr(entry.change, "successor", None),
    )


def _leaving_faults(after: Configuration, people: PeopleFile, steps: Sequence[PeopleStep]) -> Iterator[Fault]:
    for entry, step in zip(people.entries, steps, strict=True):
        if step.leaves:
            try:
                check_leaving(after, step.key, entry.change)
            except (InvalidContent, Conflict) as refusal:
                yield from _placed(entry, refusal, otherwise="/active")


def _placed(entry: Entry, refusal: ComplaintError, *, otherwise: str = "") -> list[Fault]:
    """The faults of a refusal with pointers into the file."""
    faults = refusal.faults or [Fault(otherwise, refusal.detail)]
    return [Fault(entry.pointer + fault.pointer, fault.message) for fault in faults]
