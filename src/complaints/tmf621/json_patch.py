"""JSON Patch (RFC 6902) on an object as it is shown, and JSON Patch Query in the shape of the official examples. Pure.

Three habits of TMF621 go beyond the RFC. `add` of an object at a list appends it. `/list?id=5` names the element with
that id. There `replace` merges the given members into the element.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from complaints.domain.complaint.members import merge_attributes
from complaints.domain.errors import Conflict, InvalidContent, clip
from complaints.domain.json_reading import MAX_DEPTH

MOST_OPERATIONS = 100
_MOST_COPIED = 10_000  # values, because copies of copies grow like powers of two
_MOST_COPIED_TEXT = 1_048_576  # characters, as many as a body has at most
_MOST_MOVED = 1_000_000  # values, which a body of numbers could otherwise move to and fro for seconds
_NAMES = ("add", "remove", "replace", "move", "copy", "test")
_WITH_VALUE = ("add", "replace", "test")
_WITH_SOURCE = ("move", "copy")
_POINTER = re.compile(r"(/([^~/]|~[01])*)*", re.DOTALL)
_INDEX = re.compile(r"0|[1-9][0-9]{0,8}", re.ASCII)
_QUERY = re.compile(r"/([A-Za-z]+)\?id=([^&=]+)", re.ASCII)
_QUERY_NAMES = ("replace", "remove")
Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. `path` and `source` are the names of a JSON Pointer, from the outside inwards.

    `id` names the element with that id of the list at `path`; None: the path says it all. `pointer` is the path as it
    was sent, for refusals.
    """

    name: str
    path: Path
    pointer: str
    value: Any = None
    source: Path = ()
    id: str | None = None


def read_operations(content: Any, *, with_queries: bool = False) -> tuple[Operation, ...]:
    """The operations of a body. `with_queries`: paths may name an element by its id.

    Raises InvalidContent for a body that is no JSON Patch, and for other queries than `/list?id=value`.
    """
    if not isinstance(content, list):
        raise InvalidContent.at("", "The body must be a list of operations.")
    if len(content) > MOST_OPERATIONS:
        raise InvalidContent.at("", f"A patch may have {MOST_OPERATIONS} operations at most.")
    return tuple(_read(one, f"/{place}", with_queries=with_queries) for place, one in enumerate(content))


def apply_operations(
    shown: Mapping[str, Any], operations: Sequence[Operation], *, lists: Collection[str] = ()
) -> dict[str, Any]:
    """The object after all operations, in their order. `shown` stays as it is.

    `lists` are the members of the object that are lists: `add` of an object at such a member appends, and makes the
    list if it is absent. Raises Conflict if an operation does not fit, or leaves no object. Raises InvalidContent if
    the result is too deep or too large.
    """
    patching = _Patching(deepcopy(dict(shown)), lists)
    for operation in operations:
        patching.apply(operation)
    if not isinstance(patching.document, dict):
        raise Conflict("The patch must leave a JSON object.")
    return patching.document


def _read(given: Any, at: str, *, with_queries: bool) -> Operation:
    if not isinstance(given, dict):
        raise InvalidContent.at(at, "An operation must be a JSON object.")
    name, pointer = given.get("op"), given.get("path")
    if name not in _NAMES:
        raise InvalidContent.at(f"{at}/op", f"op must be one of {', '.join(_NAMES)}.")
    if not isinstance(pointer, str):
        raise InvalidContent.at(f"{at}/path", "path must be a JSON Pointer.")
    if name in _WITH_VALUE and "value" not in given:
        raise InvalidContent.at(f"{at}/value", f"The operation {name} needs a value.")
    value = given.get("value")
    source = _read_pointer(given.get("from"), f"{at}/from") if name in _WITH_SOURCE else ()
    if with_queries and "?" in pointer:
        path, wanted = _read_query(name, pointer, value, at)
        return Operation(name, path, pointer, value, id=wanted)
    return Operation(name, _read_pointer(pointer, f"{at}/path"), pointer, value, source)


def _read_query(name: str, pointer: str, value: Any, at: str) -> tuple[Path, str]:
    found = _QUERY.fullmatch(pointer)
    if found is None or name not in _QUERY_NAMES:
        raise InvalidContent.at(
            f"{at}/path", "A query in a path must be /list?id=value, with the operation replace or remove."
        )
    if name == "replace" and not isinstance(value, dict):
        raise InvalidContent.at(f"{at}/value", "The value for an element must be a JSON object.")
    return (found[1],), found[2]


def _read_pointer(pointer: Any, at: str) -> Path:
    if not isinstance(pointer, str) or not _POINTER.fullmatch(pointer):
        raise InvalidContent.at(at, "This is not a JSON Pointer, such as /note/0/text.")
    path = tuple(part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:])
    if len(path) > MAX_DEPTH:
        raise InvalidContent.at(at, f"A JSON Pointer may have {MAX_DEPTH} names at most.")
    return path


class _Misfit(Exception):
    """The operation does not fit the object."""


class _Patching:
    """An object on its way through the operations of a patch."""

    def __init__(self, document: Any, lists: Collection[str]) -> None:
        self.document = document
        self._lists = lists
        self._copied = self._copied_text = self._moved = 0

    def apply(self, operation: Operation) -> None:
        work: Callable[[Operation], None] = getattr(self, f"_{operation.name}")
        if operation.id is not None:
            operation = self._resolve(operation)
        try:
            work(operation)
        except _Misfit as misfit:
            raise _refuse(operation) from misfit

    def _resolve(self, operation: Operation) -> Operation:
        """The operation on the element that its query names, with the whole new element as its value."""
        [name] = operation.path
        elements = self.document.get(name) if isinstance(self.document, dict) else None
        for place, element in enumerate(elements if isinstance(elements, list) else ()):
            if isinstance(element, dict) and element.get("id") == operation.id:
                merged = merge_attributes(element, operation.value)
                return Operation(operation.name, (name, str(place)), operation.pointer, merged)
        raise _refuse(operation)

    def _add(self, operation: Operation) -> None:
        self._put(operation.path, deepcopy(operation.value), appends=True)

    def _replace(self, operation: Operation) -> None:
        _find(self.document, operation.path)
        if operation.path:
            self._take(operation.path)
        self._put(operation.path, deepcopy(operation.value))

    def _remove(self, operation: Operation) -> None:
        self._take(operation.path)

    def _move(self, operation: Operation) -> None:
        if operation.path == operation.source:
            _find(self.document, operation.path)
            return
        if operation.path[: len(operation.source)] == operation.source:
            raise _Misfit
        value = self._take(operation.source)
        self._moved += _measure(value)[0]
        if self._moved > _MOST_MOVED:
            raise InvalidContent.at("", "The patch moves too much.")
        self._put(operation.path, value)

    def _copy(self, operation: Operation) -> None:
        value = _find(self.document, operation.source)
        self._copied += _measure(value)[0]
        self._copied_text += _text_length(value)
        if self._copied > _MOST_COPIED or self._copied_text > _MOST_COPIED_TEXT:
            raise InvalidContent.at("", "The patch copies too much.")
        self._put(operation.path, deepcopy(value))

    def _test(self, operation: Operation) -> None:
        if not _is_equal(_find(self.document, operation.path), operation.value):
            raise _Misfit

    def _put(self, path: Path, value: Any, *, appends: bool = False) -> None:
        """Add a value at a place (RFC 6902, section 4.1). `appends`: an object at a list becomes its last element."""
        if len(path) + _measure(value)[1] > MAX_DEPTH:
            raise InvalidContent.at("", f"The patch nests deeper than {MAX_DEPTH} objects and arrays.")
        if not path:
            self.document = value
            return
        holder, last = _find(self.document, path[:-1]), path[-1]
        if isinstance(holder, list):
            holder.insert(len(holder) if last == "-" else _index(last, len(holder)), value)
        elif isinstance(holder, dict):
            is_list = isinstance(holder.get(last), list) or (path[0] in self._lists and len(path) == 1)
            if appends and is_list and isinstance(value, dict):
                holder[last] = [*(holder.get(last) or ()), value]
            else:
                holder[last] = value
        else:
            raise _Misfit

    def _take(self, path: Path) -> Any:
        """Remove the value at a place, and return it."""
        value = _find(self.document, path)
        if not path:
            raise _Misfit
        holder = _find(self.document, path[:-1])
        if isinstance(holder, list):
            return holder.pop(_index(path[-1], len(holder) - 1))
        del holder[path[-1]]
        return value


def _refuse(operation: Operation) -> Conflict:
    place = clip(operation.pointer, 100)
    if operation.name == "test":
        return Conflict(
            f"The operation test at {place!r} failed: the value there is another one, or there is none."
        )
    return Conflict(f"The operation {operation.name} at {place!r} does not fit: there is no such place.")


def _find(document: Any, path: Path) -> Any:
    """The value at a place. Raises _Misfit if there is none."""
    here = document
    for name in path:
        if isinstance(here, list):
            here = here[_index(name, len(here) - 1)]
        elif isinstance(here, dict) and name in here:
            here = here[name]
        else:
            raise _Misfit
    return here


def _index(name: str, last: int) -> int:
    if not _INDEX.fullmatch(name) or int(name) > last:
        raise _Misfit
    return int(name)


def _measure(value: Any) -> tuple[int, int]:
    """The number of values in a value, itself among them, and the depth of its objects and arrays."""
    size, depth, level = 0, 0, [value]
    while level:
        size += len(level)
        containers = [one for one in level if isinstance(one, dict | list)]
        depth += bool(containers)
        level = [inner for one in containers for inner in (one.values() if isinstance(one, dict) else one)]
    return size, depth


def _text_length(value: Any) -> int:
    """The number of characters of the texts and the names of members in a value. The value is not too deep."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, list):
        return sum(map(_text_length, value))
    if isinstance(value, dict):
        return sum(len(name) + _text_length(inner) for name, inner in value.items())
    return 0


def _is_equal(one: Any, other: Any) -> bool:
    """Equality of JSON: unlike in Python, true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_is_equal(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_is_equal, one, other))
    return bool(one == other)
