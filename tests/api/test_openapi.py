"""The committed OpenAPI document is the one that the code makes. It is valid and complete; its examples fit."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.generate import GENERATED, ROOT

# The committed document. The first test compares it with the document that the code makes.
DOCUMENT: dict[str, Any] = json.loads((ROOT / "openapi/complaints.json").read_text(encoding="utf-8"))
METHODS = ("get", "post", "put", "patch", "delete")


@pytest.mark.parametrize("name", GENERATED)
def test_generated_files_are_up_to_date(name: str) -> None:
    assert (ROOT / name).read_text(encoding="utf-8") == GENERATED[name](), "run: python -m tests.generate"


def test_it_is_valid_openapi_3_1() -> None:
    assert DOCUMENT["openapi"].startswith("3.1.")
    assert list(OpenAPIV31SpecValidator(DOCUMENT).iter_errors()) == []


def _operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in DOCUMENT["paths"].items():
        for method in METHODS:
            if method in item:
                yield f"{method.upper()} {path}", item[method]


@pytest.mark.parametrize(("name", "operation"), [pytest.param(n, o, id=n) for n, o in _operations()])
def test_every_operation_is_described(name: str, operation: dict[str, Any]) -> None:
    assert operation.get("summary")
    assert operation.get("description") or name.startswith("GET ")
    success = [status for status in operation["responses"] if status.startswith("2")]
    assert success
    if "/v1/" in name:
        assert operation["security"], "keys"
        assert "401" in operation["responses"]


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


@pytest.mark.parametrize(("name", "content"), [pytest.param(n, c, id=n) for n, c in _media()])
def test_examples_validate(name: str, content: dict[str, Any]) -> None:
    schema = {**content.get("schema", {}), "components": DOCUMENT["components"]}
    for example in _examples(content):
        Draft202012Validator(schema).validate(example)


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
