"""Says of query parameters what the framework cannot: they are never null, and which members `fields` takes."""

from typing import Any


def describe_queries(document: dict[str, Any]) -> None:
    """Make the query parameters of an OpenAPI document exact; changed in place."""
    for operations in document.get("paths", {}).values():
        for operation in operations.values():
            for parameter in operation.get("parameters", []):
                if parameter["in"] == "query":
                    _never_null(parameter["schema"])
                    if parameter["name"] == "fields":
                        _describe_fields(parameter, _item_members(operation, document))


def _never_null(schema: dict[str, Any]) -> None:
    kinds = [kind for kind in schema.get("anyOf", []) if kind != {"type": "null"}]
    if len(kinds) == 1:
        del schema["anyOf"]
        schema.update({**kinds[0], **schema})


def _describe_fields(parameter: dict[str, Any], members: list[str]) -> None:
    """With commas between, as OpenAPI calls it: style form, not exploded."""
    parameter |= {"style": "form", "explode": False}
    parameter["schema"] = {
        "title": "Fields",
        "type": "array",
        "items": {"type": "string", "enum": members},
        "minItems": 1,
    }


def _item_members(operation: dict[str, Any], document: dict[str, Any]) -> list[str]:
    page = _resolved(operation["responses"]["200"]["content"]["application/json"]["schema"], document)
    return [*_resolved(page["properties"]["items"]["items"], document)["properties"]]


def _resolved(schema: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema
