"""Restores the nulls in the examples of the OpenAPI document. FastAPI drops them."""

from collections.abc import Iterator
from typing import Any


def restore_nulls(document: dict[str, Any]) -> None:
    """Add to every example the missing members that its schema requires and that may be null, in place."""
    schemas = document.get("components", {}).get("schemas", {})
    for schema, example in _examples(document):
        _restore(example, schema, schemas)


def _examples(document: dict[str, Any]) -> Iterator[tuple[dict[str, Any], Any]]:
    for schema in document.get("components", {}).get("schemas", {}).values():
        yield from ((schema, example) for example in schema.get("examples", []))
    for content in _contents(document):
        schema = content.get("schema", {})
        yield from ((schema, example) for example in schema.get("examples", []) if "$ref" in schema)
        if "example" in content:
            yield schema, content["example"]
        yield from ((schema, named["value"]) for named in content.get("examples", {}).values())


def _contents(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for operations in document.get("paths", {}).values():
        for operation in operations.values():
            yield from operation.get("requestBody", {}).get("content", {}).values()
            for answer in operation["responses"].values():
                yield from answer.get("content", {}).values()


def _restore(example: Any, schema: dict[str, Any], schemas: dict[str, Any]) -> None:
    for shape in _shapes(schema, schemas):
        if isinstance(example, list):
            for item in example:
                _restore(item, shape.get("items", {}), schemas)
        elif isinstance(example, dict):
            properties = shape.get("properties", {})
            for name in shape.get("required", []):
                if name not in example and any(
                    s.get("type") == "null" for s in _shapes(properties[name], schemas)
                ):
                    example[name] = None
            for name in example.keys() & properties.keys():
                _restore(example[name], properties[name], schemas)


def _shapes(schema: dict[str, Any], schemas: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The schemas behind `schema`: references and alternatives are followed."""
    if "$ref" in schema:
        schema = schemas[schema["$ref"].rpartition("/")[2]]
    yield schema
    for alternative in schema.get("anyOf", []):
        yield from _shapes(alternative, schemas)
