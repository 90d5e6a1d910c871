"""From the columns of an import to create bodies: which column feeds which member."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from complaints.domain.complaint.members import PLAIN_MEMBERS
from complaints.domain.errors import Fault
from complaints.domain.importing.conversions import Convert, as_text, converter, expecting
from complaints.domain.importing.dates import DateReader
from complaints.domain.importing.files import Source
from complaints.domain.importing.options import (
    MAX_ATTRIBUTE_KEY,
    ImportOptions,
    Member,
    MemberKind,
    Unmapped,
    find_member,
    option_pointer,
    quote_all,
    refuse,
    shorten,
    suggest,
)
from complaints.domain.vocabulary import Priority

MAX_SUBJECT = 500
MAX_ATTRIBUTES = 100
_MAX_JOINS = 11
_REQUIRED = ("channel", "subject")
_WORDS: dict[str, type[StrEnum]] = {
    **{member.path: member.choices for member in PLAIN_MEMBERS if member.choices},
    "priority": Priority,
}


@dataclass(frozen=True, slots=True)
class Field:
    """A member fed by columns. `raw` takes their value from a row; `explicit` if an option says so."""

    member: Member
    columns: tuple[str, ...]
    raw: Callable[[Any], Any]
    explicit: bool

    def text(self, values: Any) -> str:
        """The row's text for this member, trimmed. Raises ValueError for a list or an object."""
        return as_text(self.raw(values))


class RowMapper:
    """Makes create bodies from rows."""

    def __init__(
        self,
        fields: Mapping[str, Field],
        *,
        converts: Mapping[str, Convert],
        constants: list[tuple[Member, Any]],
        keep: Callable[[Any], dict[str, Any]] | None,
    ) -> None:
        self.fields = fields
        # Objects first, so that inner members can be put into them.
        ordered = sorted(fields.values(), key=lambda field: len(field.member.path))
        self._steps = [(field.member, field.raw, converts[field.member.name]) for field in ordered]
        self._constants = constants
        self._keep = keep
        subject, description = fields.get("subject"), fields.get("description")
        self._cuts_subject = bool(subject and description and subject.columns == description.columns)

    def body(self, values: Any) -> tuple[dict[str, Any], list[Fault]]:
        """The create body of a row, and what is wrong with the row.

        A subject of more than 500 characters is cut where the description has the same text in full.
        """
        body: dict[str, Any] = {}
        faults: list[Fault] = []
        for member, raw, convert in self._steps:
            try:
                value = convert(raw(values))
            except ValueError as exc:
                faults.append(Fault(member.pointer, f"{member.name} {exc}"))
                continue
            if value is not None:
                _put(body, member.path, value)
        for member, constant in self._constants:
            _put(body, member.path, list(constant) if isinstance(constant, list) else constant)
        if self._keep:
            _merge_attributes(body, self._keep(values), faults)
        if self._cuts_subject and len(body.get("subject", "")) > MAX_SUBJECT:
            body["subject"] = body["subject"][: MAX_SUBJECT - 1] + "…"
        return body, faults


def plan_mapping(source: Source, options: ImportOptions, dates: DateReader) -> RowMapper:
    """What makes bodies of the rows of `source`. Raises InvalidContent where the options do not fit it."""
    planner = _Planner(source, options, dates)
    fields = planner.fields()
    mapper = RowMapper(
        fields,
        converts=planner.converts(fields),
        constants=planner.constants(),
        keep=planner.kept(fields),
    )
    planner.check_required(fields)
    if planner.faults:
        refuse(planner.faults)
    return mapper


class _Planner:
    """Brings options and columns together, and collects what does not fit."""

    def __init__(self, source: Source, options: ImportOptions, dates: DateReader) -> None:
        self._source = source
        self._options = options
        self._dates = dates
        self.faults: list[Fault] = []

    def fields(self) -> dict[str, Field]:
        """The fields by member name: those the options name, then columns called like a member."""
        fields: dict[str, Field] = {}
        for name, expression in self._options.mapping.items():
            if field := self._explicit(name, expression.strip()):
                fields[name] = field
        used = {column for field in fields.values() for column in field.columns}
        for column in self._source.columns:
            member = None if column in used else self._namesake(column)
            if member is None:
                continue
            if member.name not in fields:
                fields[member.name] = Field(member, (column,), self._source.reader(column), explicit=False)
            elif not fields[member.name].explicit:
                other = fields[member.name].columns[0]
                message = f"columns {quote_all([other, column])} both mean {member.name}: map one of them"
                self._fault(f"map.{member.name}", message)
        return fields

    def _explicit(self, name: str, expression: str) -> Field | None:
        member = find_member(name)
        if member is None:
            self._fault(f"map.{name}", "a complaint has no such member")
        elif member.kind is MemberKind.OBJECT and not self._source.objects:
            self._fault(f"map.{name}", "it is an object: map its members one by one")
        elif expression.count("+") > _MAX_JOINS:
            self._fault(f"map.{name}", f"at most {_MAX_JOINS + 1} columns can be joined")
        elif columns := next(_split(expression, self._source), None):
            return Field(member, columns, _joined([self._source.reader(c) for c in columns]), explicit=True)
        else:
            self._fault(f"map.{name}", _no_column(expression, self._source))
        return None

    def _namesake(self, column: str) -> Member | None:
        """The member a column is called like, unless it has a constant or cannot stand in one column."""
        member = find_member(column)
        if member is None or member.name in self._options.constants:
            return None
        return member if self._source.objects or member.kind is not MemberKind.OBJECT else None

    def converts(self, fields: Mapping[str, Field]) -> dict[str, Convert]:
        """How each field's value is made, after the expected pattern where there is one."""
        for name in self._options.expect:
            if name not in fields:
                self._fault(f"expect.{name}", "the member is not mapped")
        converts: dict[str, Convert] = {}
        for name, field in fields.items():
            required = field.explicit or not self._source.objects
            convert = self._converter(field.member, required=required)
            try:
                pattern = self._options.expect.get(name)
                converts[name] = expecting(pattern, convert) if pattern is not None else convert
            except ValueError as exc:
                converts[name] = convert
                self._fault(f"expect.{name}", str(exc))
        return converts

    def constants(self) -> list[tuple[Member, Any]]:
        """The members that are the same in every row."""
        constants = []
        for name, text in self._options.constants.items():
            member = find_member(name)
            try:
                if member is None or member.kind is MemberKind.OBJECT:
                    raise ValueError("is no member that can be set to a text")
                _check_word(name, text.strip())
                constants.append((member, self._converter(member, required=True)(text)))
            except ValueError as exc:
                self._fault(f"set.{name}", f"{name} {exc}")
        return constants

    def _converter(self, member: Member, *, required: bool) -> Convert:
        return converter(member, self._dates, self._options.dates, required=required)

    def kept(self, fields: Mapping[str, Field]) -> Callable[[Any], dict[str, Any]] | None:
        """What takes the columns to keep as attributes from a row. One mapped in part is kept whole."""
        used = {column for field in fields.values() for column in field.columns}
        left = [column for column in self._source.columns if column not in used]
        if self._options.unmapped is Unmapped.ATTRIBUTES and left:
            self._check_attributes(left, fields)
            return self._source.keeper(left)
        if self._options.unmapped is Unmapped.REFUSE:
            touched = {column.split(".")[0] for column in used}
            self._check_undecided([column for column in left if column not in touched])
        return None

    def _check_undecided(self, columns: list[str]) -> None:
        if columns:
            plural = "s" if len(columns) > 1 else ""
            message = (
                f"nothing says what to do with the column{plural} {quote_all(columns)}: map them, or give "
                "unmapped=attributes to keep them or unmapped=ignore to leave them out"
            )
            self._fault("unmapped", message)

    def _check_attributes(self, kept: list[str], fields: Mapping[str, Field]) -> None:
        given = {*fields, *self._options.constants}
        if doubled := [column for column in kept if f"attributes.{column}" in given]:
            self._fault(
                "unmapped", f"an attribute given and a column to keep are both called {quote_all(doubled)}"
            )
        if too_long := [column for column in kept if len(column) > MAX_ATTRIBUTE_KEY]:
            self._fault("unmapped", f"a column's name is too long for an attribute: {quote_all(too_long)}")
        if not self._source.objects and len(kept) > MAX_ATTRIBUTES:
            self._fault("unmapped", f"{len(kept)} columns are too many to keep: at most {MAX_ATTRIBUTES}")

    def check_required(self, fields: Mapping[str, Field]) -> None:
        """Note the members without which no row can be taken."""
        given = {*fields, *self._options.constants, *self._options.mapping}
        for name in _REQUIRED:
            if name not in given:
                message = f"{name} is neither mapped nor set: give map.{name}=<column> or set.{name}=<value>"
                self._fault(f"map.{name}", message)

    def _fault(self, option: str, message: str) -> None:
        self.faults.append(Fault(option_pointer(option), f"{option}: {message}"))


def _check_word(name: str, text: str) -> None:
    words = [word.value for word in _WORDS.get(name, ())]
    if words and text not in words:
        raise ValueError(f"cannot be '{shorten(text)}': it is one of {', '.join(words)}")


def _split(expression: str, source: Source) -> Iterator[tuple[str, ...]]:
    """The ways to read `A+B` as columns joined, longest names first: a name may have a `+` of its own."""
    if source.has(expression):
        yield (expression,)
    for plus in reversed([found.start() for found in re.finditer(r"\+", expression)]):
        first = expression[:plus].strip()
        if source.has(first):
            for rest in _split(expression[plus + 1 :].strip(), source):
                yield (first, *rest)


def _no_column(expression: str, source: Source) -> str:
    if next(_split(expression.replace(" ", "+"), source), None):
        return f"the file has no column '{shorten(expression)}'. To join columns write +, in a URL %2B"
    parts = [part.strip() for part in expression.split("+")]
    missing = next((part for part in parts if not source.has(part)), expression)
    return f"the file has no column '{shorten(missing)}'{suggest(missing, source.columns)}"


def _joined(readers: list[Callable[[Any], Any]]) -> Callable[[Any], Any]:
    if len(readers) == 1:
        return readers[0]
    return lambda values: " ".join(filter(None, [as_text(read(values)) for read in readers]))


def _put(body: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    """Set the member, inside its object where it is an inner one."""
    if len(path) == 1:
        body[path[0]] = value
    else:
        body.setdefault(path[0], {})[path[1]] = value


def _merge_attributes(body: dict[str, Any], kept: dict[str, Any], faults: list[Fault]) -> None:
    given = body.setdefault("attributes", {})
    if doubled := sorted(kept.keys() & given.keys()):
        faults.append(
            Fault("/attributes", f"attributes has members called like columns: {quote_all(doubled)}")
        )
    given.update(kept)
