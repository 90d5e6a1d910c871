"""JSON Patch (RFC 6902) for tickets, and its form with queries, as TMF630 has it. Pure."""

import copy
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import jsonpatch

from complaints.api.http import strict_json
from complaints.domain.errors import Conflict, InvalidContent, clip
from complaints.domain.json_text import encode
from complaints.tmf621.editions import Members
from complaints.tmf621.tickets.patches import CHARACTERISTICS, NOTES, TicketPatch

MOST_OPERATIONS = 100
LARGEST_TICKET = 1_048_576
"""The most bytes of a patched ticket as JSON, as for the body of a request."""
_OPERATIONS = ("add", "remove", "replace", "move", "copy", "test")
_WITH_VALUE, _WITH_FROM = ("add", "replace", "test"), ("move", "copy")
_POINTER = re.compile(r"(?:/(?:[^~/]|~[01])*)*", re.DOTALL)
_QUERY = re.compile(r"/(?P<array>[A-Za-z]+)\?id=(?P<id>[^&?=/]+)")
_WITH_QUERY = ("replace", "remove")
_ARRAYS = (
    NOTES,
    CHARACTERISTICS,
    "attachment",
    "externalIdentifier",
    "relatedEntity",
    "relatedParty",
    "troubleTicketRelationship",
)


@dataclass(frozen=True, slots=True)
class _Query:
    """An object in an array of the ticket, by its id."""

    array: str
    id: str

    def find_place(self, ticket: Members) -> int:
        """The place of the object in its array. Raises Conflict if there is none."""
        found = ticket.get(self.array)
        for place, one in enumerate(found if isinstance(found, list) else ()):
            if isinstance(one, dict) and one.get("id") == self.id:
                return place
        raise Conflict(f"The ticket has no {self.array} with the id {clip(self.id, 100)!r}.")


def json_patch(body: Any, *, with_queries: bool = False) -> TicketPatch:
    """The patch of a body. Raises InvalidContent for a body that is no JSON Patch.

    `with_queries`: a path may name an object in an array by its id, as `/note?id=77456` does.
    """
    if not isinstance(body, list):
        raise InvalidContent.at("", "A JSON Patch must be a list of operations.")
    if len(body) > MOST_OPERATIONS:
        raise InvalidContent.at("", f"A JSON Patch has at most {MOST_OPERATIONS} operations.")
    for place, operation in enumerate(body):
        _check_operation(place, operation, with_queries=with_queries)
    changing = [one for one in body if one["op"] != "test"]
    paths = [*(one["path"] for one in changing), *(one["from"] for one in changing if one["op"] == "move")]
    return TicketPatch(lambda shown: _apply(body, shown), frozenset(map(_first_name, paths)), is_strict=True)


def _first_name(path: str) -> str:
    return path.partition("/")[2].partition("/")[0].partition("?")[0].replace("~1", "/").replace("~0", "~")


def _check_operation(place: int, operation: Any, *, with_queries: bool) -> None:
    if not isinstance(operation, Mapping):
        raise InvalidContent.at(f"/{place}", "An operation must be a JSON object.")
    name = operation.get("op")
    if name not in _OPERATIONS:
        raise InvalidContent.at(f"/{place}/op", f"op must be one of {', '.join(_OPERATIONS)}.")
    if name in _WITH_VALUE and "value" not in operation:
        raise InvalidContent.at(f"/{place}/value", f"value is missing: {name} needs one.")
    if with_queries and _find_query(operation) is not None:
        _check_query(place, operation)
        return
    for member in ("path", "from") if name in _WITH_FROM else ("path",):
        _check_pointer(place, member, operation.get(member))


def _check_pointer(place: int, member: str, pointer: Any) -> None:
    if not isinstance(pointer, str) or not _POINTER.fullmatch(pointer):
        raise InvalidContent.at(f"/{place}/{member}", f"{member} must be a JSON Pointer, such as /severity.")
    if member == "path" and "?" in pointer.partition("/")[2].partition("/")[0]:
        raise InvalidContent.at(f"/{place}/path", "A query in a path must have the form /<array>?id=<value>.")


def _check_query(place: int, operation: Mapping[str, Any]) -> None:
    if operation["op"] not in _WITH_QUERY:
        raise InvalidContent.at(f"/{place}/op", f"With a query, op must be {' or '.join(_WITH_QUERY)}.")
    if operation["op"] == "replace" and not isinstance(operation["value"], dict):
        raise InvalidContent.at(f"/{place}/value", "With a query, value must be a JSON object.")


def _find_query(operation: Mapping[str, Any]) -> _Query | None:
    path = operation.get("path")
    found = _QUERY.fullmatch(path) if isinstance(path, str) else None
    if found is None or found["array"] not in _ARRAYS:
        return None
    return _Query(found["array"], unquote(found["id"]))


def _apply(operations: Sequence[Mapping[str, Any]], shown: Members) -> Members:
    """The patched ticket. Raises Conflict for an operation that does not fit it, and for a ticket that is too large."""
    ticket: Any = copy.deepcopy(shown)
    for place, operation in enumerate(operations):
        fitted = _fit(copy.deepcopy(dict(operation)), ticket)
        try:
            ticket = jsonpatch.apply_patch(ticket, [fitted], in_place=True)
        except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException) as error:
            raise Conflict(f"Operation {place} ({operation['op']}) does not fit the ticket.") from error
        if not isinstance(ticket, dict):
            raise InvalidContent.at(f"/{place}", "A ticket must stay a JSON object.")
        if operation["op"] == "copy":
            _check_size(ticket)
    patched: Members = strict_json.loads(_check_size(ticket))
    return patched


def _check_size(ticket: Members) -> bytes:
    """The ticket as JSON. A few copies could make it very large."""
    written = encode(ticket)
    if len(written) > LARGEST_TICKET:
        raise Conflict(f"The patched ticket would have more than {LARGEST_TICKET} bytes.")
    return written


def _fit(operation: dict[str, Any], ticket: Members) -> dict[str, Any]:
    """The operation in the words of RFC 6902: an object that is added at an array is appended, and a query is a place.

    With a query, the members that the new value does not have stay.
    """
    if (query := _find_query(operation)) is not None:
        place = query.find_place(ticket)
        operation["path"] = f"/{query.array}/{place}"
        if operation["op"] == "replace":
            operation["value"] = {**ticket[query.array][place], **operation["value"]}
        return operation
    array = operation["path"][1:]
    is_object = operation["op"] == "add" and isinstance(operation["value"], dict)
    if not is_object or array not in _ARRAYS:
        return operation
    if isinstance(ticket.get(array), list):
        return {**operation, "path": f"/{array}/-"}
    return {**operation, "value": [operation["value"]]}
