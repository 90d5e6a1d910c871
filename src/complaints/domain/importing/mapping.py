"""Maps the columns of an import to the members of create bodies."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from complaints.domain.errors import Fault
from complaints.domain.importing.conversions import (
    Converter,
    as_text,
    check_word,
    expect_pattern,
    make_converter,
)
from complaints.domain.importing.dates import DateReader
from complaints.domain.importing.files import DataFile
from complaints.domain.importing.history import HistoryReader, KeptColumn, allow_empty, read_status
from complaints.domain.importing.options import (
    HISTORY_MEMBERS,
    MAX_ATTRIBUTE_KEY,
    NAMED_ON_PURPOSE,
    BodyMember,
    ImportOptions,
    MemberKind,
    Unmapped,
    fault_of_option,
    find_member,
    quote_all,
    refuse,
    shorten,
    suggest,
)
from complaints.domain.importing.translations import translate_words

MAX_SUBJECT = 500
MAX_KEPT = 1024 * 1024
_MAX_JOINS = 11
_REQUIRED = ("channel", "subject")


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """A member with its columns. `raw` reads their value from a row. `explicit`: an option named the columns."""

    member: BodyMember
    columns: tuple[str, ...]
    raw: Callable[[Any], Any]
    explicit: bool

    def text(self, values: Any) -> str:
        """The trimmed text of a row for this member. Raises ValueError for a list or an object."""
        return as_text(self.raw(values))


class RowMapper:
    """Makes a create body from each row."""

    def __init__(
        self,
        mappings: Mapping[str, ColumnMapping],
        *,
        converters: Mapping[str, Converter],
        constants: list[tuple[BodyMember, Any]],
        read_attributes: Callable[[Any], dict[str, Any]] | None,
        history: HistoryReader | None,
    ) -> None:
        self.mappings = mappings
        # Objects come first, so that inner members can be put into them.
        ordered = sorted(mappings.values(), key=lambda mapping: len(mapping.member.path))
        self._steps = [(mapping.member, mapping.raw, converters[mapping.member.name]) for mapping in ordered]
        self._constants = constants
        self._read_attributes = read_attributes
        self._history = history
        self._id_steps = [step for step in self._steps if step[0].name == "external_id"]
        subject, description = mappings.get("subject"), mappings.get("description")
        self._cuts_subject = bool(subject and description and subject.columns == description.columns)

    def external_id(self, values: Any) -> str:
        """The mapped external id of a row, as its body has it. Empty if it has none, or a wrong one."""
        try:
            return next((convert(raw(values)) or "" for _, raw, convert in self._id_steps), "")
        except ValueError:
            return ""

    def body(self, values: Any) -> tuple[dict[str, Any], list[Fault]]:
        """The create body of a row, and the faults of the row.

        A subject of more than 500 characters is cut if the description has the same text in full.
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
        if self._read_attributes:
            _merge_attributes(body, self._read_attributes(values), faults)
        if self._history:
            self._history.settle(body, values)
        if self._cuts_subject and len(body.get("subject", "")) > MAX_SUBJECT:
            body["subject"] = body["subject"][: MAX_SUBJECT - 1] + "…"
        return body, faults


def plan_mapping(data_file: DataFile, options: ImportOptions, dates: DateReader) -> RowMapper:
    """Make the mapper for the rows of a file. Raises InvalidContent if the options do not fit its columns."""
    builder = _MappingBuilder(data_file, options, dates)
    mappings = builder.mappings()
    mapper = RowMapper(
        mappings,
        converters=builder.converters(mappings),
        constants=builder.constants(),
        read_attributes=builder.find_attribute_reader(mappings),
        history=builder.find_history_reader(mappings),
    )
    builder.check_required(mappings)
    if builder.faults:
        refuse(builder.faults)
    return mapper


class _MappingBuilder:
    """Combines options and columns into mappings, and collects the faults."""

    def __init__(self, data_file: DataFile, options: ImportOptions, dates: DateReader) -> None:
        self._data_file = data_file
        self._options = options
        self._dates = dates
        self.faults = [*options.faults]

    def mappings(self) -> dict[str, ColumnMapping]:
        """The mappings by member name. Options come first, then columns with the name of a member."""
        mappings: dict[str, ColumnMapping] = {}
        for name, expression in self._options.mapping.items():
            if mapping := self._map_explicitly(name, expression.strip()):
                mappings[name] = mapping
        used = {column for mapping in mappings.values() for column in mapping.columns}
        for column in self._data_file.columns:
            member = None if column in used else self._find_namesake(column)
            if member is None:
                continue
            if member.name not in mappings:
                mappings[member.name] = ColumnMapping(
                    member, (column,), self._data_file.reader(column), explicit=False
                )
            elif not mappings[member.name].explicit:
                other = mappings[member.name].columns[0]
                message = f"columns {quote_all([other, column])} both mean {member.name}: map one of them"
                self._fault(f"map.{member.name}", message)
        return mappings

    def _map_explicitly(self, name: str, expression: str) -> ColumnMapping | None:
        member = find_member(name)
        if member is None:
            self._fault(f"map.{name}", "a complaint has no such member")
        elif member.kind is MemberKind.OBJECT and not self._data_file.objects:
            self._fault(f"map.{name}", "it is an object: map its members one by one")
        elif expression.count("+") > _MAX_JOINS:
            self._fault(f"map.{name}", f"at most {_MAX_JOINS + 1} columns can be joined")
        elif columns := next(_split(expression, self._data_file), None):
            return ColumnMapping(
                member, columns, _join_readers([self._data_file.reader(c) for c in columns]), explicit=True
            )
        else:
            self._fault(f"map.{name}", _explain_missing_column(expression, self._data_file))
        return None

    def _find_namesake(self, column: str) -> BodyMember | None:
        """The member with the name of the column. None if it has a constant or needs several columns."""
        member = find_member(column)
        if member is None or member.name in self._options.constants:
            return None
        if member.name in NAMED_ON_PURPOSE and not self._options.history:
            return None
        return member if self._data_file.objects or member.kind is not MemberKind.OBJECT else None

    def converters(self, mappings: Mapping[str, ColumnMapping]) -> dict[str, Converter]:
        """The converter of each mapped member. It checks the expected pattern, if there is one."""
        for name in self._options.expect:
            if name not in mappings:
                self._fault(f"expect.{name}", "the member is not mapped")
        self._check_translations(mappings)
        converters: dict[str, Converter] = {}
        for name, mapping in mappings.items():
            required = mapping.explicit or not self._data_file.objects
            convert = self._converter(mapping.member, required=required)
            if words := self._options.translations.get(name):
                convert = translate_words(words, convert)
            try:
                pattern = self._options.expect.get(name)
                converters[name] = expect_pattern(pattern, convert) if pattern is not None else convert
            except ValueError as exc:
                converters[name] = convert
                self._fault(f"expect.{name}", str(exc))
        return converters

    def constants(self) -> list[tuple[BodyMember, Any]]:
        """The members with a fixed value for every row."""
        constants = []
        for name, text in self._options.constants.items():
            member = find_member(name)
            try:
                if member is None or member.kind is MemberKind.OBJECT:
                    raise ValueError("is no member that can be set to a text")
                constants.append((member, self._check_value(member, text)))
            except ValueError as exc:
                self._fault(f"set.{name}", f"{name} {exc}")
        return constants

    def _check_translations(self, mappings: Mapping[str, ColumnMapping]) -> None:
        for name, words in self._options.translations.items():
            for word, value in words.items():
                try:
                    if name not in mappings:
                        raise ValueError("is not mapped")
                    if value:
                        self._check_value(mappings[name].member, value)
                except ValueError as exc:
                    self._fault(f"map_value.{name}:{word}", f"{name} {exc}")

    def _check_value(self, member: BodyMember, value: str) -> Any:
        """The converted value of an option. Raises ValueError if no row could have it.

        An instant stays a text if an option is faulty: that may be its format or zone.
        """
        check_word(member, value)
        if member.kind is MemberKind.INSTANT and self._options.faults:
            return value
        return self._converter(member, required=True)(value)

    def _converter(self, member: BodyMember, *, required: bool) -> Converter:
        if member.name == "status":
            return read_status
        convert = make_converter(member, self._dates, self._options.dates, required=required)
        return allow_empty(convert) if member.name in HISTORY_MEMBERS else convert

    def find_attribute_reader(
        self, mappings: Mapping[str, ColumnMapping]
    ) -> Callable[[Any], dict[str, Any]] | None:
        """The function that reads attributes from the columns without mapping. None if they are not kept.

        An object with a mapping for some of its members is kept whole.
        """
        used = {column for mapping in mappings.values() for column in mapping.columns}
        left = [column for column in self._data_file.columns if column not in used]
        if self._options.unmapped is Unmapped.ATTRIBUTES and left:
            self._check_attributes(left, mappings)
            return self._data_file.attribute_reader(left)
        if self._options.unmapped is Unmapped.REFUSE:
            touched = {column.split(".")[0] for column in used}
            touched |= self._data_file.unnamed  # without a value they need no decision
            self._check_undecided([column for column in left if column not in touched])
        return None

    def find_history_reader(self, mappings: Mapping[str, ColumnMapping]) -> HistoryReader | None:
        """The reader that tells ended complaints from open ones. None if nothing says that some have ended."""
        given = {*mappings, *self._options.constants}
        if not self._options.history and given.isdisjoint(HISTORY_MEMBERS):
            return None
        columns = {
            name: KeptColumn("+".join(mapping.columns), mapping.text)
            for name, mapping in mappings.items()
            if name in HISTORY_MEMBERS
        }
        return HistoryReader(columns, all_ended=self._options.history)

    def _check_undecided(self, columns: list[str]) -> None:
        if columns and not self._options.faults:
            noun, them = ("column", "it") if len(columns) == 1 else ("columns", "them")
            message = (
                f"nothing says what to do with the {noun} {quote_all(columns)}: map {them}, or give "
                f"unmapped=attributes to keep {them} or unmapped=ignore to leave {them} out"
            )
            self._fault("unmapped", message)

    def _check_attributes(self, kept: list[str], mappings: Mapping[str, ColumnMapping]) -> None:
        given = {*mappings, *self._options.constants}
        if doubled := [column for column in kept if f"attributes.{column}" in given]:
            self._fault(
                "unmapped", f"an attribute given and a column to keep are both called {quote_all(doubled)}"
            )
        if too_long := [column for column in kept if len(column) > MAX_ATTRIBUTE_KEY]:
            self._fault("unmapped", f"a column's name is too long for an attribute: {quote_all(too_long)}")

    def check_required(self, mappings: Mapping[str, ColumnMapping]) -> None:
        """Record a fault for each required member without column and without fixed value.

        A faulty option may be the one that gives it. Then what is missing is only said once all can be read.
        """
        if self._options.faults:
            return
        given = {*mappings, *self._options.constants, *self._options.mapping}
        for name in _REQUIRED:
            if name not in given:
                message = f"{name} is neither mapped nor set: give map.{name}=<column> or set.{name}=<value>"
                self._fault(f"map.{name}", message)

    def _fault(self, option: str, message: str) -> None:
        self.faults.append(fault_of_option(option, f"{option}: {message}"))


def _split(expression: str, data_file: DataFile) -> Iterator[tuple[str, ...]]:
    """The ways to read `A+B` as joined columns, longest names first. A column name itself can have a `+`."""
    if column := data_file.find(expression):
        yield (column,)
    for plus in reversed([found.start() for found in re.finditer(r"\+", expression)]):
        first = data_file.find(expression[:plus].strip())
        if first is not None:
            for rest in _split(expression[plus + 1 :].strip(), data_file):
                yield (first, *rest)


def _explain_missing_column(expression: str, data_file: DataFile) -> str:
    if next(_split(expression.replace(" ", "+"), data_file), None):
        return f"the file has no column '{shorten(expression)}'. To join columns write +, in a URL %2B"
    parts = [part.strip() for part in expression.split("+")]
    missing = next((part for part in parts if data_file.find(part) is None), expression)
    return f"the file has no column '{shorten(missing)}'{suggest(missing, data_file.columns)}"


def _join_readers(readers: list[Callable[[Any], Any]]) -> Callable[[Any], Any]:
    if len(readers) == 1:
        return readers[0]
    return lambda values: " ".join(filter(None, [as_text(read(values)) for read in readers]))


def _put(body: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    """Set a member of the body; an inner member is set in its object."""
    if len(path) == 1:
        body[path[0]] = value
    else:
        body.setdefault(path[0], {})[path[1]] = value


def _merge_attributes(body: dict[str, Any], kept: dict[str, Any], faults: list[Fault]) -> None:
    if sum(len(value) for value in kept.values() if isinstance(value, str)) > MAX_KEPT:
        faults.append(Fault("/attributes", "the columns to keep have more than 1 MiB of text"))
        return
    given = body.setdefault("attributes", {})
    if doubled := sorted(kept.keys() & given.keys()):
        faults.append(
            Fault("/attributes", f"attributes has members called like columns: {quote_all(doubled)}")
        )
    given.update(kept)
