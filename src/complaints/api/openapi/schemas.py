"""Puts the schemas of the OpenAPI document into a form from which programs generate clients with good names."""

from collections.abc import Iterator
from typing import Any

# What stands below these words is an example, or a condition without a schema of a member.
_NO_SCHEMAS = frozenset({"example", "examples", "default", "enum", "if", "then"})


def adapt_schemas(document: dict[str, Any]) -> None:
    """Adapt the schemas, in place.

    - An inline object with a title becomes a component: a client gets one class for it, with that name.
    - The title of a member that may be null goes to its other alternative: clients take their class names from it.
    - A constant text has itself as its default: a client need not give the only value there is.
    """
    schemas = document["components"]["schemas"]
    for part in (document["paths"], dict(schemas)):
        _name_inline_objects(part, schemas)
    for _, member in list_members(document):
        _move_title(member)
        if isinstance(member.get("const"), str):
            member.setdefault("default", member["const"])


def list_members(part: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """The name and the schema of every member of every object, at any depth."""
    for schema in _dicts(part):
        if isinstance(schema.get("properties"), dict):
            yield from schema["properties"].items()


def _dicts(part: Any) -> Iterator[dict[str, Any]]:
    if isinstance(part, list):
        for inner in part:
            yield from _dicts(inner)
    elif isinstance(part, dict):
        yield part
        for word, inner in part.items():
            if word not in _NO_SCHEMAS:
                yield from _dicts(inner)


def _name_inline_objects(part: Any, schemas: dict[str, Any]) -> None:
    """Replace the titled objects below the schemas in `part` by references to components."""
    for schema in [*_dicts(part)]:
        for word in ("schema", "anyOf"):
            inner = schema.get(word)
            if isinstance(inner, list):
                schema[word] = [_reference(one, schemas) for one in inner]
            elif isinstance(inner, dict):
                schema[word] = _reference(inner, schemas)


def _reference(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    """A reference to the component of this schema, or the schema itself if it needs no component."""
    if "title" not in schema or not ("properties" in schema or "discriminator" in schema):
        return schema
    same = schemas.setdefault(schema["title"], schema) == schema
    return {"$ref": f"#/components/schemas/{schema['title']}"} if same else schema


def _move_title(member: dict[str, Any]) -> None:
    named = [one for one in member.get("anyOf", ()) if one != {"type": "null"} and "$ref" not in one]
    if len(named) == 1 and "title" in member:
        named[0].setdefault("title", member.pop("title"))
