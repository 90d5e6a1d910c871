"""The types of the client are those of the API: the same members, always present or not, of the same types."""

import json
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, NotRequired, get_args, get_origin, get_type_hints

import pytest

from complaints_client import shapes

ROOT = Path(__file__).resolve().parents[2]
SCHEMAS: dict[str, Any] = json.loads((ROOT / "openapi/complaints.json").read_text(encoding="utf-8"))[
    "components"
]["schemas"]
TYPES = {
    "Complaint": "ComplaintShown",
    "CreatedComplaint": "CreatedComplaintShown",
    "RelatedComplaint": "RelatedShown",
    "Deadline": "DeadlineShown",
    "Person": "PersonShown",
    "ServiceObject": "ServiceShown",
    "PolicyVersion": "PolicyRef",
    "Link": "LinkShown",
    "Result": "ResultShown",
    "Compensation": "CompensationShown",
    "Satisfaction": "SatisfactionShown",
    "Subject": "SubjectOut",
    "Event": "EventOut",
    "FeedEvent": "ChangePicked",
    "Problem": "Problem",
    "ProblemError": "ProblemError",
}
PLAIN = {str: "string", int: "integer", bool: "boolean", NoneType: "null"}
ONLY_NEW = {"related", "acknowledgement"}  # a contact and a retry are answered without them


def kinds_of(hint: Any) -> set[str]:
    """The types that a hint allows, in words that `kinds_in` uses too."""
    if get_origin(hint) is NotRequired:
        return kinds_of(get_args(hint)[0])
    if isinstance(hint, UnionType):
        return {kind for part in get_args(hint) for kind in kinds_of(part)}
    if get_origin(hint) is Literal:
        return {"one of " + ", ".join(sorted(get_args(hint)))}
    if get_origin(hint) is list:
        return {f"list of {kind}" for kind in kinds_of(get_args(hint)[0])}
    if get_origin(hint) is dict or hint is Any:
        return {"object"}
    return {PLAIN.get(hint) or TYPES[hint.__name__]}


def kinds_in(schema: dict[str, Any], hint: Any) -> set[str]:
    """The types that a schema allows. A list of words counts as text where the hint is plain text."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return kinds_in(SCHEMAS[name], hint) if "enum" in SCHEMAS[name] else {name}
    if "anyOf" in schema:
        return {kind for part in schema["anyOf"] for kind in kinds_in(part, hint)}
    if "enum" in schema:
        return {"one of " + ", ".join(sorted(schema["enum"]))} if "Literal" in str(hint) else {"string"}
    if schema["type"] == "array":
        return {f"list of {kind}" for kind in kinds_in(schema["items"], hint)}
    return {schema["type"]}


@pytest.mark.parametrize("name", TYPES)
def test_a_type_of_the_client_is_that_of_the_api(name: str) -> None:
    shape, schema = getattr(shapes, name), SCHEMAS[TYPES[name]]
    hints = get_type_hints(shape, include_extras=True)
    assert hints.keys() == schema["properties"].keys()
    required = set(schema.get("required") or schema["properties"])  # a list may leave members out
    assert shape.__required_keys__ | (ONLY_NEW & hints.keys()) == required
    different = {
        member: (kinds_of(hint), kinds_in(schema["properties"][member], hint))
        for member, hint in hints.items()
        if kinds_of(hint) != kinds_in(schema["properties"][member], hint)
    }
    assert not different
