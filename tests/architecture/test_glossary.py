"""Each code word of docs/glossary.md exists in src or in the OpenAPI document."""

import ast
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from complaints.cli import app
from complaints.settings import PREFIX, Settings

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src"


def code_words() -> set[str]:
    """The words in backticks in the third column. Rows of planned features are left out."""
    rows = (ROOT / "docs/glossary.md").read_text(encoding="utf-8").splitlines()
    cells = [row.split(" | ")[2] for row in rows if row.startswith("| ") and "(planned)" not in row]
    return {word for cell in cells for word in re.findall("`([^`]+)`", cell)}


def names_of(tree: ast.AST, inside: str) -> Iterator[str]:
    """The dotted names of the functions, classes and values in a module, and of the members of its classes."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            yield f"{inside}.{node.name}"
        if isinstance(node, ast.ClassDef):
            yield from names_of(node, f"{inside}.{node.name}")
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        yield from (f"{inside}.{target.id}" for target in targets if isinstance(target, ast.Name))


@cache
def known() -> frozenset[str]:
    """Modules, names and whole texts of src; members, values and calls of the API; settings and commands."""
    api = (ROOT / "openapi/complaints.json").read_text(encoding="utf-8")
    found = set(re.findall(r'"((?:[^"\\]|\\.)*)"', api))
    found |= {
        f"{method.upper()} {path}" for path, calls in json.loads(api)["paths"].items() for method in calls
    }
    found |= {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    found |= {
        f"complaints {command.callback.__name__}" for command in app.registered_commands if command.callback
    }
    for path in SRC.rglob("*.py"):
        module = path.relative_to(SRC).with_suffix("").as_posix().replace("/", ".").removesuffix(".__init__")
        tree = ast.parse(path.read_text(encoding="utf-8"))
        constants = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
        found |= {module, *names_of(tree, module), *(text for text in constants if isinstance(text, str))}
    return frozenset(found)


@cache
def ends_of_known() -> frozenset[str]:
    """What follows a dot in a known word."""
    return frozenset(word[dot.end() :] for word in known() for dot in re.finditer(r"\.", word))


def exists(word: str) -> bool:
    """True if the word, or a dotted name that ends in it, is known. The program reads headers in small letters."""
    sought = word.lower() if "-" in word else word
    return sought in known() or sought in ends_of_known()


def test_each_code_word_exists() -> None:
    assert len(code_words()) > 100
    assert [word for word in sorted(code_words()) if not exists(word)] == []


@pytest.mark.parametrize(
    "word", ["Draft", "rules.catch_up", "Policy.catch_up", "GET /v1/feed", "complaints feed"]
)
def test_a_word_of_nothing_does_not_exist(word: str) -> None:
    assert not exists(word)
