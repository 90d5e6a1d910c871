"""The client is a package of its own: it does not know the server, and its wheel has its types and its licence."""

import ast
import sys
import zipfile
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).resolve().parents[2]
CLIENT = sorted((ROOT / "client/src").rglob("*.py"))
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


def imported(path: Path) -> set[str]:
    """The packages that a module imports."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    return {name.partition(".")[0] for name in names} - sys.stdlib_module_names


@pytest.mark.parametrize("path", [*CLIENT, *EXAMPLES], ids=lambda path: path.name)
def test_the_client_and_the_examples_do_not_know_the_server(path: Path) -> None:
    extra = {"standardwebhooks"} if path.name == "webhooks.py" else set()
    assert imported(path) <= {"complaints_client", "httpx2"} | extra


def test_the_wheel_has_the_types_and_the_licence(tmp_path: Path) -> None:
    [wheel] = WheelBuilder(str(ROOT / "client")).build(directory=str(tmp_path))
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        [metadata] = [archive.read(name).decode() for name in names if name.endswith("METADATA")]
    assert {f"complaints_client/{path.name}" for path in CLIENT} | {"complaints_client/py.typed"} <= names
    assert "complaints_client-0.1.0.dist-info/licenses/LICENSE" in names
    assert (ROOT / "client/LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
    assert [line for line in metadata.splitlines() if line.startswith("Requires-Dist")] == [
        "Requires-Dist: httpx2<3,>=2.16",
        "Requires-Dist: standardwebhooks<2,>=1.1; extra == 'webhooks'",
    ]
