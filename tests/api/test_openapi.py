"""The OpenAPI document is complete, and its examples fit."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator

from complaints.api.openapi.schemas import list_members
from complaints.api.openapi.texts import list_parameters, read_texts
from complaints.domain.vocabulary import Action
from complaints.use_cases.commands.complaints import TRANSITIONS
from tests.generate import ROOT

# The committed document. tests/description compares it with the document that the code makes.
DOCUMENT: dict[str, Any] = json.loads((ROOT / "openapi/complaints.json").read_text(encoding="utf-8"))
METHODS = ("get", "post", "put", "patch", "delete")
REDIRECTS = ("GET /v1/session/openid", "GET /v1/session/openid/callback")
SIGN_IN = ("POST /v1/session", "POST /v1/password-links", *REDIRECTS)  # they make the session or the password


def _operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in DOCUMENT["paths"].items():
        for method in METHODS:
            if method in item:
                yield f"{method.upper()} {path}", item[method]


def test_every_operation_is_described() -> None:
    for name, operation in _operations():
        assert operation.get("summary"), name
        assert operation.get("description") or name.startswith("GET "), name
        wanted = "3" if name in REDIRECTS else "2"
        assert any(status[0] == wanted for status in operation["responses"]), name
        if "/v1/" in name:
            assert bool(operation["security"]) is (name not in SIGN_IN), name
            assert ("401" in operation["responses"]) is (name != REDIRECTS[0]), name


def _media() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, operation in _operations():
        for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
            yield f"{name} body {media_type}", content
        for status, answer in operation["responses"].items():
            for media_type, content in answer.get("content", {}).items():
                yield f"{name} {status} {media_type}", content


def _examples(content: dict[str, Any]) -> list[Any]:
    schema = content.get("schema", {})
    named = [example["value"] for example in content.get("examples", {}).values()]
    single = [content["example"]] if "example" in content else []
    return [*named, *single, *schema.get("examples", []), *_resolved(schema).get("examples", [])]


def _resolved(schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def test_examples_validate() -> None:
    faults = []
    for name, content in _media():
        validator = Draft202012Validator({**content.get("schema", {}), "components": DOCUMENT["components"]})
        faults += [(name, fault) for one in _examples(content) for fault in validator.iter_errors(one)]
    assert faults == []


def test_json_bodies_have_examples() -> None:
    without = [
        name for name, content in _media() if " body application/json" in name and not _examples(content)
    ]
    assert without == []


def test_the_bill_of_materials_has_every_locked_library() -> None:
    components = json.loads((ROOT / "sbom.cdx.json").read_text(encoding="utf-8"))["components"]
    listed = {(component["name"], component["version"]) for component in components}
    locked = (ROOT / "requirements" / "run.txt").read_text(encoding="utf-8")
    names = [
        line.split(" ")[0].partition("==")
        for line in locked.splitlines()
        if "==" in line and line[0] not in "# "
    ]
    assert {(name, version) for name, _, version in names} == listed - {("swagger-ui-dist", "5.35.0")}
    assert len({component["purl"] for component in components}) == len(components) >= 50


# What programs that generate clients need, and what a reader needs ---------------------------------------------------


def _parameters(operation: dict[str, Any]) -> set[str]:
    shared = DOCUMENT["components"]["parameters"]
    found = operation.get("parameters", ())
    return {shared[one["$ref"].rpartition("/")[2]]["name"] if "$ref" in one else one["name"] for one in found}


def test_operation_ids_are_short_and_unique() -> None:
    ids = [operation["operationId"] for _, operation in _operations()]
    assert {name: times for name, times in Counter(ids).items() if times > 1} == {}
    assert [name for name in ids if not re.fullmatch(r"[a-z]+([A-Z][a-z]+){1,3}", name)] == []
    assert {"createComplaint", "takeAction", "listChanges", "createTeam"} <= {*ids}


def test_headers_that_an_operation_reads_are_its_parameters() -> None:
    for name, operation in _operations():
        headers = _parameters(operation) & {"Idempotency-Key", "If-Match", "Accept-Language"}
        expected = {"Accept-Language"} if " /v1/" in name else set()
        if name.startswith("POST /v1/") and name not in SIGN_IN:
            expected.add("Idempotency-Key")
        if "412" in operation["responses"]:
            expected.add("If-Match")
        assert headers == expected, name


def test_if_match_stands_where_versions_are_compared() -> None:
    honoured = {name for name, operation in _operations() if "If-Match" in _parameters(operation)}
    complaint = "/v1/complaints/{reference}"
    assert honoured >= {f"PATCH {complaint}", f"POST {complaint}/transitions", f"POST {complaint}/replan"}


def test_every_member_and_every_parameter_is_described() -> None:
    members = {name for name, member in list_members(DOCUMENT) if not member.get("description")}
    parameters = {one["name"] for one in list_parameters(DOCUMENT) if not one.get("description")}
    schemas = {name for name, one in DOCUMENT["components"]["schemas"].items() if not one.get("description")}
    assert (members, parameters, schemas) == (set(), set(), set()), "add texts to api/openapi/texts.toml"


def test_every_shared_text_is_used() -> None:
    texts = read_texts()
    members = {(name, member["description"]) for name, member in list_members(DOCUMENT)}
    assert texts["members"].items() - members == set()
    parameters = {(one["name"], one["description"]) for one in list_parameters(DOCUMENT)}
    assert texts["parameters"].items() - parameters == set()


def test_the_tags_are_described_and_used() -> None:
    described = {tag["name"]: tag["description"] for tag in DOCUMENT["tags"]}
    assert {tag for _, operation in _operations() for tag in operation["tags"]} == described.keys()
    assert next(iter(described)) == "complaints"


def test_the_document_says_how_to_call_it() -> None:
    info = DOCUMENT["info"]
    assert [server["url"] for server in DOCUMENT["servers"]] == ["/", "http://127.0.0.1:8000"]
    assert info["license"]["identifier"] == "Apache-2.0"
    for word in ("Authorization: Bearer", "Idempotency-Key", "If-Match", "Accept-Language", "notify_result"):
        assert word in info["description"]


def test_a_summary_is_the_first_sentence_and_short() -> None:
    for name, operation in _operations():
        summary = operation["summary"]
        assert " " in summary, name
        assert len(summary) <= 130, name
        assert not summary.istitle(), name


def _schemas(part: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(part, dict):
        yield path, part
        for name, inner in part.items():
            if name not in ("example", "examples"):
                yield from _schemas(inner, f"{path}/{name}")
    elif isinstance(part, list):
        for position, inner in enumerate(part):
            yield from _schemas(inner, f"{path}/{position}")


def test_null_is_never_the_only_type() -> None:
    """One such schema stops openapi-generator."""
    found = [path for path, schema in _schemas(DOCUMENT) if schema.get("type") == "null"]
    assert [path for path in found if not re.search(r"/(anyOf|oneOf)/[0-9]+$", path)] == []


def test_schemas_have_plain_names() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    assert [name for name in schemas if not re.fullmatch(r"([A-Z][a-z]+)+", name)] == []
    assert {name: one["title"] for name, one in schemas.items() if one.get("title", name) != name} == {}
    assert {"CalendarPage", "Calendar", "StoredCalendar", "Transition", "Assign", "Person"} <= schemas.keys()


def test_no_class_is_named_after_the_place_of_an_alternative() -> None:
    """Without a title in it, `anyOf` of an object or a list of values and null would become `AttributesType0`."""
    for path, schema in _schemas(DOCUMENT):
        is_class = "enum" in schema or schema.get("type") == "object"
        if is_class and re.search(r"/anyOf/[0-9]+$", path) and "/properties/" in path:
            assert "title" in schema, path
    for name, schema in DOCUMENT["components"]["schemas"].items():
        assert not {"anyOf", "allOf"} & schema.keys(), name


def test_a_constant_need_not_be_given() -> None:
    constants = [(name, one) for name, one in list_members(DOCUMENT) if isinstance(one.get("const"), str)]
    assert len(constants) >= 13
    assert [name for name, one in constants if one.get("default") != one["const"]] == []


def test_a_policy_document_is_shown_once() -> None:
    assert json.dumps(DOCUMENT).count('"repeat_window_days"') == 1


def test_each_action_has_an_example_that_says_what_it_needs() -> None:
    body = DOCUMENT["paths"]["/v1/complaints/{reference}/transitions"]["post"]["requestBody"]
    examples = body["content"]["application/json"]["examples"]
    assert {example["value"]["action"] for example in examples.values()} == {*Action}
    for example in examples.values():
        transition = TRANSITIONS[Action(example["value"]["action"])]
        for name in (*transition.required_members(), *transition.optional_members()):
            assert f"`{name}`" in example["description"]
    assert examples["assign"]["description"].endswith("Takes `team` and `assignee`, at least one of them.")
    assert examples["resume"]["description"].endswith("Takes no other member.")
    assert examples["hold"]["description"].endswith("Needs `reason` and `until`.")
