"""Names of components without what serves the code alone: `Person` for `PersonIn`, `TeamPage` for `Page[TeamShown]`."""

from typing import Any

_REFERENCE = "#/components/schemas/"


def shorten_names(document: dict[str, Any]) -> None:
    """Give the components their names for clients, and change the references to them; in place.

    A generic model gets its title as its name. Any other name loses its suffix `In`, unless another component has
    the short name.
    """
    schemas = document["components"]["schemas"]
    names = {name: _short(name, schemas) for name in schemas}
    document["components"]["schemas"] = {names[name]: schema for name, schema in schemas.items()}
    for name, schema in schemas.items():
        if schema.get("title") == name:
            schema["title"] = names[name]
    _rename_references(document, {_REFERENCE + old: _REFERENCE + new for old, new in names.items()})


def _short(name: str, schemas: dict[str, Any]) -> str:
    if name.endswith("_"):  # FastAPI writes the brackets of a generic model as underscores
        title: str = schemas[name]["title"]
        return title
    short = name.removesuffix("In")
    return name if short in schemas else short


def _rename_references(part: Any, names: dict[str, str]) -> None:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            part["$ref"] = names.get(part["$ref"], part["$ref"])
        for inner in part.values():
            _rename_references(inner, names)
    elif isinstance(part, list):
        for inner in part:
            _rename_references(inner, names)
