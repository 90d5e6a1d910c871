"""The import contracts of pyproject.toml hold, and each of them can fail."""

import os
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINT = [
    sys.executable,
    "-c",
    "from importlinter.cli import lint_imports_command as lint; lint()",
    "--no-cache",
]

FLOORS = "Floors: imports go down only, edges are strangers"
PURE = "The core does no I/O"
YAML = "YAML is read in one place of the core"
SQL = "Only storage speaks SQL"
WEB = "Below the edges there is no web and no scheduler"

# Each file gets the line; the contract named must then break.
PLANTED = [
    ("domain/planted.py", "import sqlalchemy", PURE),
    ("domain/planted.py", "import urllib.request", PURE),
    ("domain/planted.py", "import yaml", YAML),
    ("domain/planted.py", "import complaints.storage", FLOORS),
    ("storage/planted.py", "import complaints.handling", FLOORS),
    ("storage/planted.py", "import fastapi", WEB),
    ("handling/planted.py", "import sqlalchemy.orm", SQL),
    ("handling/planted.py", "import complaints.api", FLOORS),
    ("handling/planted.py", "import apscheduler.schedulers", WEB),
    ("api/planted.py", "import sqlalchemy", SQL),
    ("api/planted.py", "import psycopg", SQL),
    ("api/planted.py", "import complaints.scheduler", FLOORS),
    ("api/planted.py", "import complaints.settings", FLOORS),
    ("scheduler.py", "import complaints.api", FLOORS),
    ("scheduler.py", "import sqlalchemy", SQL),
    ("wiring.py", "import complaints.bench.command", FLOORS),
    ("unplanned.py", "", FLOORS),
]


def contracts() -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return [contract["name"] for contract in project["tool"]["importlinter"]["contracts"]]


def verdicts(checkout: Path) -> dict[str, str]:
    """KEPT or BROKEN for each contract of the code in `checkout`."""
    environment = {**os.environ, "PYTHONPATH": str(checkout / "src"), "COLUMNS": "200"}
    done = subprocess.run(LINT, cwd=checkout, env=environment, capture_output=True, text=True, check=False)
    found = {
        name: verdict
        for line in done.stdout.splitlines()
        for name in contracts()
        for verdict in ("KEPT", "BROKEN")
        if line.startswith(f"{name} {verdict}")
    }
    assert set(found) == set(contracts()), done.stdout + done.stderr
    assert (done.returncode == 0) == (set(found.values()) == {"KEPT"})
    return found


def test_the_contracts_hold() -> None:
    assert verdicts(ROOT) == dict.fromkeys(contracts(), "KEPT")


@pytest.mark.parametrize(("file", "line", "contract"), PLANTED)
def test_a_planted_import_breaks_its_contract(tmp_path: Path, file: str, line: str, contract: str) -> None:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    planted = tmp_path / "src/complaints" / file
    present = planted.read_text(encoding="utf-8") if planted.exists() else '"""Planted."""\n'
    planted.write_text(f"{present}\n{line}\n", encoding="utf-8")
    for name in ("scheduler", "settings"):
        target = tmp_path / f"src/complaints/{name}.py"
        if not target.exists():
            target.write_text('"""Planted."""\n', encoding="utf-8")

    assert verdicts(tmp_path)[contract] == "BROKEN"


def test_every_contract_has_a_violation_that_breaks_it() -> None:
    assert set(contracts()) == set(Counter(contract for _, _, contract in PLANTED))
