"""The example files: references are replaced, and every file is valid and complete in itself."""

import json
from importlib import resources
from types import MappingProxyType
from typing import Any

import pytest

from complaints.api.openapi import example_files
from complaints.api.openapi.example_files import read_examples

PACKAGES = tuple(
    f"complaints.api.{room}" for room in ("complaints", "deadlines", "configuration", "accounts")
)


def references(value: Any) -> list[str]:
    """The names that an example refers to, at any depth."""
    if isinstance(value, str):
        return [value] if value.startswith("$") else []
    if isinstance(value, list):
        return [name for item in value for name in references(item)]
    if not isinstance(value, dict):
        return []
    return [*(name for name in value if name == "$like"), *references(list(value.values()))]


@pytest.mark.parametrize("package", ["complaints.api", *PACKAGES])
def test_no_reference_is_left(package: str) -> None:
    assert references(dict(read_examples(package))) == []


def test_a_reference_stands_for_an_example_of_its_file_or_of_the_shared_file() -> None:
    known = {"number": "C1", "deadline": {"id": "$number", "level": 0, "met_at": None}}
    resolve = example_files._resolve
    assert resolve(["$number", "$deadline"], known) == ["C1", {"id": "C1", "level": 0, "met_at": None}]
    changed = resolve({"kind": "promise", "$like": "deadline", "level": 1}, MappingProxyType(known))
    assert json.dumps(changed) == '{"kind": "promise", "id": "C1", "level": 1, "met_at": null}'
    with pytest.raises(KeyError, match="absent"):
        resolve("$absent", known)


@pytest.mark.parametrize("package", PACKAGES)
def test_no_room_repeats_a_name_of_the_shared_file(package: str) -> None:
    written = json.loads(resources.files(package).joinpath("examples.json").read_text(encoding="utf-8"))
    assert not written.keys() & read_examples("complaints.api").keys()
