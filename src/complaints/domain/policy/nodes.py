"""Reading a written document member by member, so that everything wrong with it is told at once, each with
its line.

A reader is a function from a node to a value. It raises `Wrong` for a fault of its own, which whoever called
`Findings.read` records; a reader made of others uses their `Field.value`, which raises `Told` where one of
them failed.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from complaints.domain.errors import Fault, InvalidContent, find_nearest

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
D = TypeVar("D")
E = TypeVar("E", bound=StrEnum)

_INTEGER = re.compile(r"-?[0-9]{1,9}")
_MOST_TOLD = 100
_MOST_UNKNOWN = 20  # of one mapping: looking for the nearest name costs time


@dataclass(frozen=True, slots=True)
class Node:
    """One value of a document: text, a list, a mapping by name, or None for null.

    `line` counts from 1 and is where its name stands, if it has one; `plain` text was written without quotes.
    """

    pointer: str
    line: int
    value: "str | tuple[Node, ...] | Mapping[str, Node] | None"
    plain: bool = False


class Wrong(Exception):
    """The node cannot be read: `message` says why and what to do."""

    def __init__(self, node: Node, message: str) -> None:
        super().__init__(message)
        self.node = node
        self.message = message


class Told(Exception):
    """A part of what is being read is at fault, and that is already recorded."""


class Field(Generic[T_co]):
    """What became of reading one node."""

    __slots__ = ("_read",)

    def __init__(self, *read: T_co) -> None:
        self._read = read

    @property
    def value(self) -> T_co:
        """What was read. Raises `Told` when it could not be."""
        if not self._read:
            raise Told
        return self._read[0]

    def value_or(self, default: D) -> T_co | D:
        """What was read, or `default` when it could not be."""
        return self._read[0] if self._read else default


class Findings:
    """The faults and warnings of one document."""

    def __init__(self, lines: Mapping[str, int]) -> None:
        self._lines = lines
        self.faults: list[Fault] = []
        self.warnings: list[Fault] = []

    def blame(self, pointer: str, message: str) -> None:
        """Record a fault at `pointer`, or at the nearest thing around it that is in the document."""
        self.faults.append(self._told(pointer, message))

    def warn(self, pointer: str, message: str) -> None:
        """Record what is allowed but deserves a look."""
        self.warnings.append(self._told(pointer, message))

    def read(self, node: Node, reader: Callable[[Node], T]) -> Field[T]:
        """Read `node`; what is wrong with it, or with a document inside it, is recorded."""
        try:
            return Field(reader(node))
        except Wrong as wrong:
            self.blame(wrong.node.pointer, wrong.message)
        except InvalidContent as refused:
            for fault in refused.faults or [Fault(node.pointer, refused.detail)]:
                self.blame(fault.pointer, fault.message)
        except Told:
            return Field()
        return Field()

    def read_items(self, node: Node, reader: Callable[[Node], T], *, least: int, most: int) -> tuple[T, ...]:
        """Every item of a list. Raises `Told` when one could not be read."""
        items = node.value
        if not isinstance(items, tuple):
            raise Wrong(node, "must be a list")
        if not least <= len(items) <= most:
            raise Wrong(node, f"must have {least} to {most} items")
        return tuple(field.value for field in [self.read(item, reader) for item in items])

    def read_members(
        self, node: Node, reader: Callable[[Node], T], *, names: Collection[str] | None = None
    ) -> dict[str, T]:
        """Every member of a mapping, exactly those in `names` where given. Raises `Told` when one could not
        be read.
        """
        members = members_of(node)
        unwanted = [name for name in members if names is not None and name not in names]
        missing = [name for name in names or () if name not in members]
        for name in unwanted[:_MOST_UNKNOWN]:
            self.blame(members[name].pointer, unknown("member", name, names or ()))
        if missing:
            self.blame(node.pointer, f"lacks {listed(missing)}")
        fields = {name: self.read(member, reader) for name, member in members.items() if name not in unwanted}
        if unwanted or missing:
            raise Told
        return {name: field.value for name, field in fields.items()}

    def raise_faults(self, subject: str) -> None:
        """Raise InvalidContent with the faults, by line, if there is one: all, or the first hundred."""
        if self.faults:
            faults = sorted(self.faults, key=lambda fault: self._line(fault.pointer))[:_MOST_TOLD]
            many = f"{len(self.faults)} faults; the first: " if len(faults) > 1 else ""
            raise InvalidContent(
                f"the {subject} cannot be accepted: {many}{faults[0].message}", faults=faults
            )

    def _told(self, pointer: str, message: str) -> Fault:
        return Fault(pointer, f"line {self._line(pointer)}: {message}")

    def _line(self, pointer: str) -> int:
        while pointer and pointer not in self._lines:
            pointer = pointer.rpartition("/")[0]
        return self._lines.get(pointer, 1)


class Members:
    """The members of one mapping whose names are fixed; a null one counts as absent."""

    def __init__(self, node: Node, findings: Findings, *, names: Collection[str]) -> None:
        self._node = node
        self._findings = findings
        given = members_of(node)
        for name in [name for name in given if name not in names][:_MOST_UNKNOWN]:
            findings.blame(given[name].pointer, unknown("member", name, names))
        self._given = {name: member for name, member in given.items() if member.value is not None}

    def __contains__(self, name: str) -> bool:
        return name in self._given

    def node(self, name: str) -> Node:
        """The member itself, or the mapping where it is absent: what a fault about it points at."""
        return self._given.get(name, self._node)

    def need(self, name: str, reader: Callable[[Node], T]) -> Field[T]:
        """The member `name`, which must be there."""
        if name not in self._given:
            self._findings.blame(self._node.pointer, f"lacks '{name}'")
            return Field()
        return self._findings.read(self._given[name], reader)

    def may(self, name: str, reader: Callable[[Node], T], *, default: D) -> Field[T | D]:
        """The member `name`, or `default` when it is absent."""
        if name not in self._given:
            return Field(default)
        return self._findings.read(self._given[name], reader)


def members_of(node: Node) -> Mapping[str, Node]:
    """The members of a mapping. Raises `Wrong` for anything else."""
    if not isinstance(node.value, Mapping):
        raise Wrong(node, "must be a mapping of names to values")
    return node.value


def text_of(node: Node, *, longest: int = 200) -> str:
    """One to `longest` characters, at least one of them visible. Raises `Wrong`."""
    if not isinstance(node.value, str):
        raise Wrong(node, "must be text")
    if not node.value.strip() or len(node.value) > longest:
        raise Wrong(node, f"must be 1 to {longest} characters, not all of them blank")
    return node.value


def integer_of(node: Node, *, least: int, most: int) -> int:
    """A whole number from `least` to `most`. Raises `Wrong`."""
    text = node.value
    if not isinstance(text, str) or not node.plain or not _INTEGER.fullmatch(text):
        raise Wrong(node, f"must be a whole number from {least} to {most}")
    if not least <= int(text) <= most:
        raise Wrong(node, f"{text} is out of range: from {least} to {most}")
    return int(text)


def boolean_of(node: Node) -> bool:
    """`true` or `false`; other words for it (yes, on) are refused. Raises `Wrong`."""
    if not node.plain or node.value not in ("true", "false"):
        raise Wrong(node, "must be true or false")
    return node.value == "true"


def word_of(node: Node, *, kind: str, known: Collection[str]) -> str:
    """One of the words in `known`. Raises `Wrong` with the nearest."""
    if not isinstance(node.value, str):
        raise Wrong(node, f"must be the name of a {kind}")
    if node.value not in known:
        raise Wrong(node, unknown(kind, node.value, known))
    return node.value


def choice_of(node: Node, words: type[E]) -> E:
    """A member of the closed set `words`. Raises `Wrong` with the nearest."""
    kind = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", words.__name__).lower()
    return words(word_of(node, kind=kind, known=[word.value for word in words]))


def plain_data(node: Node) -> object:
    """The node as lists, dicts, None and text; numbers too stay the text they were written as."""
    if isinstance(node.value, tuple):
        return [plain_data(item) for item in node.value]
    if isinstance(node.value, Mapping):
        return {name: plain_data(item) for name, item in node.value.items()}
    return node.value


def unknown(kind: str, name: str, known: Collection[str]) -> str:
    """That there is no `kind` called `name`, with the nearest that there is, or all of them when they are
    few.
    """
    shown = name if len(name) <= 60 else name[:57] + "..."
    if near := find_nearest(name, known):
        hint = f"did you mean '{near}'?"
    elif 0 < len(known) <= 12:
        hint = f"there are {listed(known)}"
    else:
        hint = "remove it or correct it"
    return f"unknown {kind} '{shown}'; {hint}"


def listed(names: Collection[str]) -> str:
    """The names quoted, in the order given."""
    return ", ".join(f"'{name}'" for name in names)
