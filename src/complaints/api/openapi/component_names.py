"""Names the request bodies that are parts of others: `Person` for the class `PersonIn`, as clients know it."""

from typing import Any

_REFERENCE = "#/components/schemas/"


def drop_suffixes(document: dict[str, Any]) -> None:
    """Take the suffix `In` off the names of components, unless another one has the short name; changed in place."""
    schemas = document["components"]["schemas"]
    names = {name: name if (short := name.removesuffix("In")) in schemas else short for name in schemas}
    document["components"]["schemas"] = {names[name]: schema for name, schema in schemas.items()}
    for name, schema in schemas.items():
        if schema.get("title") == name:
            schema["title"] = names[name]
    _rename_references(document, {_REFERENCE + old: _REFERENCE + new for old, new in names.items()})


def _rename_references(part: Any, names: dict[str, str]) -> None:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            part["$ref"] = names.get(part["$ref"], part["$ref"])
        for inner in part.values():
            _rename_references(inner, names)
    elif isinstance(part, list):
        for inner in part:
            _rename_references(inner, names)
