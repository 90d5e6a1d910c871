"""YAML and JSON text as plain data with line numbers. Policy documents and seed data are read here.

Every limit below holds while the text is parsed, so no document costs more than its size.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import yaml

from complaints.domain.errors import Fault, InvalidContent, escape_pointer

LARGEST_DOCUMENT_BYTES = 256 * 1024
_MOST_VALUES = 20_000
_DEEPEST_LEVEL = 32
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class UnquotedText(str):
    """A scalar that was written without quotes. Only unquoted text can be a number or a truth value."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class YamlDocument:
    """One document. `data` holds dicts, lists, text as written and None; numbers are unquoted text too.

    `lines` maps JSON pointers to line numbers from 1; a member stands on the line of its name. `columns` does the
    same with columns. `duplicates` are the names that occur twice in their mapping, with their lines.
    """

    data: object
    lines: Mapping[str, int]
    duplicates: tuple[Fault, ...] = ()
    columns: Mapping[str, int] = field(default_factory=dict)

    def line_of(self, pointer: str) -> int:
        """The line of the value at `pointer`, or of the nearest value around it that is in the document."""
        return self.lines.get(self._nearest(pointer), 1)

    def column_of(self, pointer: str) -> int:
        """The column of the value at `pointer`, as `line_of`."""
        return self.columns.get(self._nearest(pointer), 1)

    def _nearest(self, pointer: str) -> str:
        while pointer and pointer not in self.lines:
            pointer = pointer.rpartition("/")[0]
        return pointer


def read_yaml(text: str) -> YamlDocument:
    """Read the one document in `text`. Raises InvalidContent, with the line, if the text is not allowed."""
    if len(text.encode("utf-8", "replace")) > LARGEST_DOCUMENT_BYTES:
        raise _refusal(1, f"the document is larger than {LARGEST_DOCUMENT_BYTES // 1024} KiB")
    # JSON may be indented with tabs, YAML may not. Strings in JSON contain no tabs.
    text = text.expandtabs(1) if text.lstrip("\ufeff \t\r\n").startswith("{") else text
    composer = _Composer(yaml.parse(text, Loader=yaml.SafeLoader))
    try:
        data = composer.document()
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise _refusal(line, f"not YAML or JSON: {error.problem}") from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise _refusal(line, "there is a character that text may not have") from error
    except (ValueError, OverflowError) as error:  # an escape or a YAML version with an impossible number
        raise _refusal(composer.line, f"not YAML or JSON: after this, {error}") from error
    return YamlDocument(data, composer.lines, tuple(composer.duplicates), composer.columns)


def write_yaml(data: object) -> str:
    """Plain data as YAML text, with the members in their order. `read_yaml` reads the same data."""
    text: str = yaml.safe_dump(data, allow_unicode=True, sort_keys=False, default_flow_style=None, width=120)
    return text


class _Composer:
    """Builds plain data from the events of the parser. `line` is the line of the last value."""

    def __init__(self, events: Iterator[yaml.Event]) -> None:
        self.lines: dict[str, int] = {}
        self.columns: dict[str, int] = {}
        self.line = 1
        self.duplicates: list[Fault] = []
        self._events = events

    def document(self) -> object:
        """The only document of the text. Raises InvalidContent and the errors of the parser."""
        next(self._events)
        event = next(self._events)
        if not isinstance(event, yaml.DocumentStartEvent):
            raise _refusal(1, "the document is empty")
        data = self._value(next(self._events), "", place=None, level=0)
        next(self._events)
        after = next(self._events)
        if not isinstance(after, yaml.StreamEndEvent):
            raise _refusal(_line_of(after), "there is a second document; write one")
        return data

    def _value(self, event: yaml.Event, pointer: str, *, place: yaml.Event | None, level: int) -> object:
        """`place` is the name of the value, if it has one."""
        line = _line_of(place or event)
        self.lines[pointer] = self.line = line
        self.columns[pointer] = _column_of(place or event)
        _check_simple(event, line)
        if len(self.lines) > _MOST_VALUES or level > _DEEPEST_LEVEL:
            raise _refusal(
                line,
                f"the document has more than {_MOST_VALUES} values, or is more than {_DEEPEST_LEVEL} deep",
            )
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(pointer, level)
        if isinstance(event, yaml.SequenceStartEvent):
            return list(self._items(pointer, level))
        assert isinstance(event, yaml.ScalarEvent)
        if event.style is not None:
            return _checked_text(event.value, line)
        return None if event.value in ("", "~", "null") else UnquotedText(_checked_text(event.value, line))

    def _mapping(self, pointer: str, level: int) -> dict[str, object]:
        members: dict[str, object] = {}
        while not isinstance(key := next(self._events), yaml.MappingEndEvent):
            line = _line_of(key)
            _check_simple(key, line)
            if not isinstance(key, yaml.ScalarEvent):
                raise _refusal(line, "a name must be text, not a list or a mapping")
            name = _checked_text(key.value, line)
            inner = f"{pointer}/{escape_pointer(name)}"
            member = self._value(next(self._events), inner, place=key, level=level + 1)
            if name in members:
                self.duplicates.append(Fault(inner, f"line {line}: '{name[:60]}' is there twice; keep one"))
            members[name] = member
        return members

    def _items(self, pointer: str, level: int) -> Iterator[object]:
        index = 0
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            yield self._value(event, f"{pointer}/{index}", place=None, level=level + 1)
            index += 1


def _check_simple(event: yaml.Event, line: int) -> None:
    if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
        raise _refusal(line, "anchors and aliases (& and *) are not read here; write the value out")
    if getattr(event, "tag", None) is not None:
        raise _refusal(line, "tags (!) are not read here; write the value alone")


def _checked_text(text: str, line: int) -> str:
    """`text` with the surrogate pairs of JSON escapes joined.

    Raises InvalidContent for a lone surrogate and for control characters other than tabs and line ends.
    """
    try:
        joined = text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError as error:
        raise _refusal(line, "there is half a character (a lone surrogate)") from error
    if _CONTROL.search(joined):
        raise _refusal(line, "there is a control character")
    return joined


def _line_of(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


def _column_of(event: yaml.Event) -> int:
    return event.start_mark.column + 1 if event.start_mark else 1


def _refusal(line: int, message: str) -> InvalidContent:
    located = f"line {line}: {message}"
    return InvalidContent(f"the policy document cannot be read: {located}", faults=[Fault("", located)])
