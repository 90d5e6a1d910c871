"""What the framework cannot say of query parameters: never null, and what `fields` takes."""

from typing import Any


def describe_queries(document: dict[str, Any]) -> None:
    """Make the query parameters of an OpenAPI document exact; changed in place."""
    for operations in document.get("paths", {}).values():
        for operation in operations.values():
            for parameter in operation.get("parameters", []):
                if parameter["in"] == "query":
                    _never_null(parameter["schema"])
                    if parameter["name"] == "fields":
                        _describe_fields(parameter, _picked_item(operation, document))


def _never_null(schema: dict[str, Any]) -> None:
    kinds = [kind for kind in schema.get("anyOf", []) if kind != {"type": "null"}]
    if len(kinds) == 1:
        del schema["anyOf"]
        schema.update({**kinds[0], **schema})


def _describe_fields(parameter: dict[str, Any], item: dict[str, Any]) -> None:
    """With commas between, as OpenAPI calls it: style form, not exploded."""
    parameter |= {"style": "form", "explode": False}
    parameter["schema"] = {
        "title": "Fields",
        "type": "array",
        "items": {"type": "string", "enum": [*item["properties"]]},
        "minItems": 1,
    }


def _picked_item(operation: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    """The schema of what the list shows of an item: where `fields` picks, no member is sure to be there."""
    page = _resolved(operation["responses"]["200"]["content"]["application/json"]["schema"], document)
    items = page["properties"]["items"]["items"]
    item = _resolved(items, document)
    if "required" not in item:
        return item
    name = f"{items['$ref'].rpartition('/')[2]}InList"
    picked = {key: value for key, value in item.items() if key != "required"}
    document["components"]["schemas"][name] = picked | {"title": name}
    items["$ref"] = f"#/components/schemas/{name}"
    return item


def _resolved(schema: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema
