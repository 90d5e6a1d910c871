"""A YAML or JSON document as nodes that know their lines."""

import re
from collections.abc import Iterator

import yaml

from complaints.domain.errors import Fault, InvalidContent, escape_pointer
from complaints.domain.policy.nodes import Findings, Node

LARGEST_DOCUMENT_BYTES = 256 * 1024


_MOST_NODES = 20_000


_DEEPEST = 32


_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def compose(text: str) -> tuple[Node, Findings]:
    """The one document in `text` as nodes, and what is wrong with its form. Scalars stay text as written."""
    if len(text.encode("utf-8", "replace")) > LARGEST_DOCUMENT_BYTES:
        raise _refused(1, f"the document is larger than {LARGEST_DOCUMENT_BYTES // 1024} KiB")
    # JSON may be indented with tabs, YAML may not; inside its strings JSON has none.
    text = text.expandtabs(1) if text.lstrip("\ufeff \t\r\n").startswith("{") else text
    composer = _Composer(yaml.parse(text, Loader=yaml.SafeLoader))
    try:
        root = composer.document()
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise _refused(line, f"not YAML or JSON: {error.problem}") from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise _refused(line, "there is a character that text may not have") from error
    except (ValueError, OverflowError) as error:  # an escape or a version that no character or number has
        raise _refused(composer.line, f"not YAML or JSON: after this, {error}") from error
    findings = Findings(composer.lines)
    findings.faults.extend(composer.doubled)
    return root, findings


class _Composer:
    """Builds nodes from parser events, within limits, so that no document costs more than its size."""

    def __init__(self, events: Iterator[yaml.Event]) -> None:
        self.lines: dict[str, int] = {}
        self.line = 1
        self.doubled: list[Fault] = []
        self._events = events

    def document(self) -> Node:
        """The only document of the stream. Raises InvalidContent, or what the parser raises."""
        next(self._events)
        event = next(self._events)
        if not isinstance(event, yaml.DocumentStartEvent):
            raise _refused(1, "the document is empty")
        root = self._node(next(self._events), "", line=None, depth=0)
        next(self._events)
        after = next(self._events)
        if not isinstance(after, yaml.StreamEndEvent):
            raise _refused(_line_of(after), "there is a second document; write one")
        return root

    def _node(self, event: yaml.Event, pointer: str, *, line: int | None, depth: int) -> Node:
        line = _line_of(event) if line is None else line
        self.lines[pointer] = self.line = line
        _check_plain_yaml(event, line)
        if len(self.lines) > _MOST_NODES or depth > _DEEPEST:
            raise _refused(
                line, f"the document has more than {_MOST_NODES} values, or is more than {_DEEPEST} deep"
            )
        if isinstance(event, yaml.MappingStartEvent):
            return Node(pointer, line, self._members(pointer, depth))
        if isinstance(event, yaml.SequenceStartEvent):
            return Node(pointer, line, tuple(self._items(pointer, depth)))
        assert isinstance(event, yaml.ScalarEvent)
        plain = event.style is None
        is_null = plain and event.value in ("", "~", "null")
        return Node(pointer, line, None if is_null else _whole(event.value, line), plain)

    def _members(self, pointer: str, depth: int) -> dict[str, Node]:
        members: dict[str, Node] = {}
        while not isinstance(key := next(self._events), yaml.MappingEndEvent):
            line = _line_of(key)
            _check_plain_yaml(key, line)
            if not isinstance(key, yaml.ScalarEvent):
                raise _refused(line, "a name must be text, not a list or a mapping")
            name = _whole(key.value, line)
            inner = f"{pointer}/{escape_pointer(name)}"
            member = self._node(next(self._events), inner, line=line, depth=depth + 1)
            if name in members:
                self.doubled.append(Fault(inner, f"line {line}: '{name[:60]}' is there twice; keep one"))
            members[name] = member
        return members

    def _items(self, pointer: str, depth: int) -> Iterator[Node]:
        index = 0
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            yield self._node(event, f"{pointer}/{index}", line=None, depth=depth + 1)
            index += 1


def _check_plain_yaml(event: yaml.Event, line: int) -> None:
    if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
        raise _refused(line, "anchors and aliases (& and *) are not read here; write the value out")
    if getattr(event, "tag", None) is not None:
        raise _refused(line, "tags (!) are not read here; write the value alone")


def _whole(text: str, line: int) -> str:
    """`text` with the surrogate pairs that JSON escapes leave joined. Raises InvalidContent for a lone one
    and for control characters other than tabs and line ends.
    """
    try:
        whole = text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError as error:
        raise _refused(line, "there is half a character (a lone surrogate)") from error
    if _CONTROL.search(whole):
        raise _refused(line, "there is a control character")
    return whole


def _line_of(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


def _refused(line: int, message: str) -> InvalidContent:
    told = f"line {line}: {message}"
    return InvalidContent(f"the policy document cannot be read: {told}", faults=[Fault("", told)])
