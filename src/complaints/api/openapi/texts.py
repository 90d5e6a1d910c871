"""The texts of the OpenAPI document that several places share, from `texts.toml`: each stands there once.

A member or parameter with a description of its own keeps it. Any other one gets the text for its name.
"""

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any

from complaints.api.openapi.schemas import list_members


@cache
def read_texts() -> Mapping[str, Any]:
    """The tables of `texts.toml`: `document`, `tags`, `parameters` and `members`."""
    text = resources.files("complaints.api.openapi").joinpath("texts.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def document_settings() -> dict[str, Any]:
    """The arguments of `FastAPI` that describe the document as a whole. The tags stand in their order."""
    texts = read_texts()
    tags = [{"name": name, "description": text} for name, text in texts["tags"].items()]
    return {**texts["document"], "openapi_tags": tags}


def describe_members(document: dict[str, Any]) -> None:
    """Give every member and parameter without a description the text for its name, in place."""
    texts = read_texts()
    for name, member in list_members(document):
        _describe(member, texts["members"].get(name))
    for parameter in list_parameters(document):
        _describe(parameter, texts["parameters"].get(parameter["name"]))


def _describe(part: dict[str, Any], text: str | None) -> None:
    if text is not None:
        part.setdefault("description", text)


def list_parameters(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every parameter, also the shared ones."""
    yield from document["components"].get("parameters", {}).values()
    for operations in document["paths"].values():
        for operation in operations.values():
            yield from (found for found in operation.get("parameters", ()) if "$ref" not in found)
