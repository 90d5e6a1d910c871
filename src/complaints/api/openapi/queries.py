"""Corrects the parameters of routes in the OpenAPI document: they are never null, and `fields` is a list."""

from typing import Any


def describe_queries(document: dict[str, Any]) -> None:
    """Correct the parameters of an OpenAPI document, in place."""
    for operations in document.get("paths", {}).values():
        for operation in operations.values():
            for parameter in operation.get("parameters", []):
                _never_null(parameter["schema"])
                if parameter["name"] == "fields":
                    _describe_fields(parameter, _picked_item(operation, document))


def _never_null(schema: dict[str, Any]) -> None:
    kinds = [kind for kind in schema.get("anyOf", []) if kind != {"type": "null"}]
    if len(kinds) == 1:
        del schema["anyOf"]
        schema.update({**kinds[0], **schema})


def _describe_fields(parameter: dict[str, Any], item: dict[str, Any]) -> None:
    """Describe `fields` as a list of member names with commas between them."""
    parameter |= {"style": "form", "explode": False}
    parameter["schema"] = {
        "title": "Fields",
        "type": "array",
        "items": {"type": "string", "enum": [*item["properties"]]},
        "minItems": 1,
    }


def _picked_item(operation: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    """The schema of an item of the list, or of a line. With `fields`, no member of the item is required."""
    content = operation["responses"]["200"]["content"]
    if "application/json" not in content:
        return resolve_schema(content["application/x-ndjson"]["schema"], document)
    page = resolve_schema(content["application/json"]["schema"], document)
    items = page["properties"]["items"]["items"]
    item = resolve_schema(items, document)
    if "required" not in item:
        return item
    name = f"{items['$ref'].rpartition('/')[2]}InList"
    picked = {key: value for key, value in item.items() if key != "required"}
    document["components"]["schemas"][name] = picked | {"title": name}
    items["$ref"] = f"#/components/schemas/{name}"
    return item


def resolve_schema(schema: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    """The schema itself, or the component that it refers to."""
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema
