"""Turns the faults that pydantic found into messages for callers: the member, and the reason.

The exception handlers of the API and the importing of rows call it.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from complaints.domain.errors import Fault, InvalidContent, ask_if_meant, clip, escape_pointer
from complaints.use_cases.commands.member_names import find_known_names

MAX_ERRORS = 50
Command = TypeVar("Command", bound=BaseModel)

_SUBJECT = re.compile(r"^.*?(?= should\b)")
_LABEL_FAULTS = ("union_tag_invalid", "union_tag_not_found")
_PREFIX = re.compile(r"^(Value|Assertion) error, ")
_CHANGED_BY_ACTIONS = ("status", "assignee", "team")


def as_errors(
    found: Sequence[Mapping[str, Any]], *, body: Any, shape: Any = None, query: Any = None
) -> list[dict[str, str]]:
    """The faults of pydantic as `errors[]`, at most 50.

    `body` is the parsed body: it shows which parts of a location are members and which are labels of unions.
    `shape` is the type of the body and `query` the type of the query: they know the right names for a misspelt one.
    Messages repeat no values, because they may be personal data. Names of members are cut.
    """
    return [
        _in_body(error, body, shape) if error["loc"][0] == "body" else _outside(error, query)
        for error in found[:MAX_ERRORS]
    ]


def read_command(model: type[Command], members: Mapping[str, Any]) -> Command:
    """The command with these members, by the rules of the API. Raises InvalidContent with all faults."""
    try:
        return model.model_validate(members)
    except ValidationError as error:
        faults = find_faults(error, members, model)
        raise InvalidContent(faults[0].message, faults=faults) from error


def find_faults(error: ValidationError, members: Mapping[str, Any], model: type[BaseModel]) -> list[Fault]:
    """The faults that pydantic found in the members of a command of the type `model`."""
    found = [{**one, "loc": ("body", *one["loc"])} for one in error.errors(include_input=False)]
    listed = as_errors(found, body=members, shape=model)
    return [Fault(one["pointer"], one["message"]) for one in listed]


def _outside(error: Mapping[str, Any], query: Any) -> dict[str, str]:
    where, *names = error["loc"]
    name = clip(".".join(part for part in names if isinstance(part, str)), 100)
    return {
        "pointer": "",
        "in": str(where),
        "parameter": name,
        "message": _message(error, name or str(where), query),
    }


def _in_body(error: Mapping[str, Any], body: Any, shape: Any) -> dict[str, str]:
    path = _path(error, body)
    pointer = "".join(f"/{escape_pointer(str(part))}" for part in path)
    return {"pointer": clip(pointer), "message": _message(error, _spoken(path), shape)}


def _path(error: Mapping[str, Any], body: Any) -> list[str | int]:
    """The members and indexes that lead to the fault. The labels of unions and `[key]` in `loc` are left out."""
    _, *parts = error["loc"]
    if not isinstance(body, dict | list):
        return parts if error["type"] == "missing" else []
    path: list[str | int] = []
    here = body
    for place, part in enumerate(parts):
        if _is_in(part, here):
            here = here[part]
            path.append(part)
        elif error["type"] == "missing" and place == len(parts) - 1:
            path.append(part)
    return [*path, _label(error)] if error["type"] in _LABEL_FAULTS else path


def _label(error: Mapping[str, Any]) -> str:
    """The member that decides between several forms of a body, such as `action`."""
    return str(error["ctx"]["discriminator"]).strip("'")


def _is_in(part: str | int, container: Any) -> bool:
    if isinstance(container, list):
        return isinstance(part, int) and 0 <= part < len(container)
    return isinstance(container, dict) and part in container


def _spoken(path: Sequence[str | int]) -> str:
    """The path in words: `complainant.phone`, `tags[3]`, or "the body" for the whole body."""
    spoken = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return clip(spoken.removeprefix("."), 100) or "the body"


def _message(error: Mapping[str, Any], name: str, shape: Any) -> str:
    said: str = error["msg"]
    if error["type"] == "union_tag_invalid":
        forms = re.findall(r": ('\w+')>", error["ctx"]["expected_tags"])
        return clip(f"{name} should be one of {', '.join(forms) or error['ctx']['expected_tags']}.")
    if error["type"] in ("missing", "union_tag_not_found"):
        return f"{name} is required."
    if error["type"] in ("model_type", "model_attributes_type", "dict_type"):
        return f"{name} should be a JSON object."
    if error["type"] in ("tuple_type", "list_type", "set_type", "frozen_set_type"):
        return f"{name} should be a list."
    if error["type"] == "extra_forbidden":
        return _unknown(error, name, shape)
    if _PREFIX.match(said):
        return clip(f"{name}: {_PREFIX.sub('', said)}")
    if _SUBJECT.match(said):
        return clip(_SUBJECT.sub(lambda _: name, said, count=1) + ".")
    return clip(f"{name}: {said}.")


def _unknown(error: Mapping[str, Any], name: str, shape: Any) -> str:
    _, *place, member = error["loc"]
    known = find_known_names(shape, place)
    if name in _CHANGED_BY_ACTIONS and "subject" in known:
        return f"{name} is unknown here; actions change it: POST one to the transitions of the complaint."
    asked = ask_if_meant(str(member), known)
    return f"{name} is unknown here; {asked or 'check its spelling, or leave it out.'}"
