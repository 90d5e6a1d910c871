"""Turns the faults that pydantic found into messages for callers: the member, and the reason.

The exception handlers of the API and the importing of rows call it.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from complaints.domain.errors import Fault, InvalidContent, clip, escape_pointer

MAX_ERRORS = 50
Command = TypeVar("Command", bound=BaseModel)

_SUBJECT = re.compile(r"^.*?(?= should\b)")
_LABEL_FAULTS = ("union_tag_invalid", "union_tag_not_found")
_PREFIX = re.compile(r"^(Value|Assertion) error, ")


def as_errors(found: Sequence[Mapping[str, Any]], *, body: Any) -> list[dict[str, str]]:
    """The faults of pydantic as `errors[]`, at most 50.

    `body` is the parsed body: it shows which parts of a location are members and which are labels of unions.
    Messages repeat no values, because they may be personal data. Names of members are cut.
    """
    return [
        _in_body(error, body) if error["loc"][0] == "body" else _outside(error)
        for error in found[:MAX_ERRORS]
    ]


def read_command(model: type[Command], members: Mapping[str, Any]) -> Command:
    """The command with these members, by the rules of the API. Raises InvalidContent with all faults."""
    try:
        return model.model_validate(members)
    except ValidationError as error:
        faults = find_faults(error, members)
        raise InvalidContent(faults[0].message, faults=faults) from error


def find_faults(error: ValidationError, members: Mapping[str, Any]) -> list[Fault]:
    """The faults that pydantic found in the members of a command."""
    found = [{**one, "loc": ("body", *one["loc"])} for one in error.errors(include_input=False)]
    return [Fault(one["pointer"], one["message"]) for one in as_errors(found, body=members)]


def _outside(error: Mapping[str, Any]) -> dict[str, str]:
    where, *names = error["loc"]
    name = clip(".".join(map(str, names)), 100)
    return {
        "pointer": "",
        "in": str(where),
        "parameter": name,
        "message": _message(error, name or str(where)),
    }


def _in_body(error: Mapping[str, Any], body: Any) -> dict[str, str]:
    path = _path(error, body)
    pointer = "".join(f"/{escape_pointer(str(part))}" for part in path)
    return {"pointer": clip(pointer), "message": _message(error, _spoken(path))}


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


def _message(error: Mapping[str, Any], name: str) -> str:
    said: str = error["msg"]
    if error["type"] == "union_tag_invalid":
        forms = re.findall(r": ('\w+')>", error["ctx"]["expected_tags"])
        return clip(f"{name} should be one of {', '.join(forms) or error['ctx']['expected_tags']}.")
    if error["type"] in ("missing", "union_tag_not_found"):
        return f"{name} is required."
    if error["type"] in ("model_type", "model_attributes_type", "dict_type"):
        return f"{name} should be a JSON object."
    if error["type"] == "extra_forbidden":
        return f"{name} is unknown here; check its spelling, or leave it out."
    if _PREFIX.match(said):
        return clip(f"{name}: {_PREFIX.sub('', said)}")
    if _SUBJECT.match(said):
        return clip(_SUBJECT.sub(lambda _: name, said, count=1) + ".")
    return clip(f"{name}: {said}.")
