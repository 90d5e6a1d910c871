"""The import contracts of pyproject.toml hold, and each of them can fail."""

import os
import shutil
import subprocess
import sys
import tomllib
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
DOMAIN = "Rooms of the domain"
STORAGE = "Rooms of the storage"
USE_CASES = "Rooms of the use cases"
API = "Rooms of the API"
EDGES = "Edges reach storage only through use cases"
PURE = "The core does no I/O"
YAML = "YAML is read in one place"
SQL = "Only storage and the tables of annexes speak SQL"
ANNEXES = "Annexes are strangers to each other"
REGISTRY = "Only the registry and other faces import annexes, only wiring the registry"
CONSOLE = "Rooms of the console"
TMF621 = "Rooms of the TMF621 face"
WEB = "Below the edges there is no web and no scheduler"

# Each module of the package gets its line. The named contract must then complain of that module.
PLANTED = [
    ("domain.planted_orm", "import sqlalchemy", PURE),
    ("domain.planted_network", "import urllib.request", PURE),
    ("domain.planted_yaml", "import yaml", YAML),
    ("domain.planted_models", "import pydantic", PURE),
    ("domain.planted_storage", "import complaints.storage", FLOORS),
    ("domain.time.planted", "import complaints.domain.complaint", DOMAIN),
    ("domain.complaint.planted", "import complaints.domain.policy", DOMAIN),
    ("domain.policy.planted", "import complaints.domain.rules", DOMAIN),
    ("domain.rules.planted", "import complaints.domain.importing", DOMAIN),
    ("domain.importing.planted", "import complaints.domain.rules", DOMAIN),
    ("domain.errors", "import complaints.domain.vocabulary", DOMAIN),
    ("domain.instants", "import complaints.domain.errors", DOMAIN),
    ("domain.unplanned", "", DOMAIN),
    ("storage.rows.planted", "import complaints.storage.load", STORAGE),
    ("storage.database.planted", "import complaints.storage.rows", STORAGE),
    ("storage.months", "import complaints.storage.save", STORAGE),
    ("storage.load", "import complaints.storage.queries", STORAGE),
    ("storage.unplanned", "", STORAGE),
    ("storage.planted_use_case", "import complaints.use_cases", FLOORS),
    ("storage.planted_web", "import fastapi", WEB),
    ("use_cases.planted_orm", "import sqlalchemy.orm", SQL),
    ("use_cases.configuration.planted_yaml", "import yaml", YAML),
    ("use_cases.planted_api", "import complaints.api", FLOORS),
    ("use_cases.planted_scheduler", "import apscheduler.schedulers", WEB),
    ("use_cases.access", "import complaints.use_cases.commands", USE_CASES),
    ("use_cases.commands.planted", "import complaints.use_cases.service", USE_CASES),
    ("use_cases.service", "import complaints.use_cases.once", USE_CASES),
    ("use_cases.replica", "import complaints.use_cases.configuration", USE_CASES),
    ("use_cases.configuration.planted", "import complaints.use_cases.complaints", USE_CASES),
    ("use_cases.complaints.planted", "import complaints.use_cases.upkeep", USE_CASES),
    ("use_cases.upkeep.planted", "import complaints.use_cases.importing", USE_CASES),
    ("use_cases.unplanned", "", USE_CASES),
    ("api.openapi.planted", "import complaints.api.problems", API),
    ("api.problems.planted", "import complaints.api.configuration", API),
    ("api.http.planted", "import complaints.api.complaints.routes", API),
    ("api.request", "import complaints.api.pages", API),
    ("api.complaints.planted", "import complaints.api.deadlines", API),
    ("api.deadlines.planted", "import complaints.api.test_clock", API),
    ("api.configuration.planted", "import complaints.api.app", API),
    ("api.unplanned", "", API),
    ("console.rendering", "import complaints.console.page_request", CONSOLE),
    ("console.views.planted", "import complaints.console.pages", CONSOLE),
    ("console.pages.planted", "import complaints.storage.rows", EDGES),
    ("console.unplanned", "", CONSOLE),
    ("tmf621.editions", "import complaints.tmf621.requests", TMF621),
    ("tmf621.tickets.planted", "import complaints.tmf621.hub", TMF621),
    ("tmf621.queries.planted", "import complaints.tmf621.tickets", TMF621),
    ("tmf621.hub.planted", "import complaints.storage.rows", EDGES),
    ("tmf621.unplanned", "", TMF621),
    ("api.complaints.planted_row", "import complaints.storage.rows", EDGES),
    ("cli", "import complaints.storage.load", EDGES),
    ("serving.planted_row", "import complaints.storage.save", EDGES),
    ("api.planted_orm", "import sqlalchemy", SQL),
    ("api.planted_driver", "import psycopg", SQL),
    ("api.planted_serving", "import complaints.serving.scheduler", FLOORS),
    ("api.planted_settings", "import complaints.settings", FLOORS),
    ("api.planted_annex", "import complaints.features.first", FLOORS),
    ("features.first.rules", "import complaints.features.second.rules", ANNEXES),
    ("features.first.use_cases", "import complaints.features.registry", ANNEXES),
    ("features.first.planted_serving", "import complaints.serving", FLOORS),
    ("features.second.rules", "import sqlalchemy", SQL),
    ("features.registry", "import sqlalchemy", SQL),
    ("wiring", "import complaints.features.second.rules", REGISTRY),
    ("cli", "import complaints.features.registry", REGISTRY),
    ("api.planted_yaml", "import yaml", YAML),
    ("serving.planted_orm", "import sqlalchemy", SQL),
    ("settings", "import complaints.serving", FLOORS),
    ("unplanned", "", FLOORS),
]


def contracts() -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return [contract["name"] for contract in project["tool"]["importlinter"]["contracts"]]


def reports(checkout: Path) -> dict[str, str]:
    """The verdict on each contract of the code in `checkout`: "" if it holds, else the linter's report on it."""
    environment = {**os.environ, "PYTHONPATH": str(checkout / "src"), "COLUMNS": "200"}
    done = subprocess.run(LINT, cwd=checkout, env=environment, capture_output=True, text=True, check=False)
    found = {name: report for name in contracts() if (report := report_on(name, done.stdout)) is not None}
    assert set(found) == set(contracts()), done.stdout + done.stderr
    assert (done.returncode == 0) == (not any(found.values()))
    return found


def report_on(contract: str, output: str) -> str | None:
    """Paragraphs about a broken contract, "" for one that is kept, None for one that was not checked."""
    if f"\n{contract} KEPT" in output:
        return ""
    if f"\n{contract} BROKEN" not in output:
        return None
    _, _, details = output.partition("Broken contracts")
    _, _, own = details.partition(f"\n{contract}\n---")
    others = [own.find(f"\n{name}\n---") for name in contracts()]
    return own[: min(end for end in [*others, len(own)] if end >= 0)]


@pytest.fixture(scope="module")
def planted_reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The linter's reports on one copy of the code with every planted violation in it."""
    copy = tmp_path_factory.mktemp("planted")
    shutil.copy(ROOT / "pyproject.toml", copy)
    shutil.copytree(ROOT / "src", copy / "src", ignore=shutil.ignore_patterns("__pycache__"))
    for module, line, _ in PLANTED:
        file = copy / "src/complaints" / Path(*module.split(".")).with_suffix(".py")
        if not file.parent.exists():
            file.parent.mkdir()
            (file.parent / "__init__.py").write_text('"""Planted."""\n', encoding="utf-8")
        present = file.read_text(encoding="utf-8") if file.exists() else '"""Planted."""\n'
        file.write_text(f"{present}\n{line}\n", encoding="utf-8")
    return reports(copy)


def test_the_contracts_hold() -> None:
    assert reports(ROOT) == dict.fromkeys(contracts(), "")


@pytest.mark.parametrize(("module", "line", "contract"), PLANTED)
def test_a_planted_import_breaks_its_contract(
    planted_reports: dict[str, str], module: str, line: str, contract: str
) -> None:
    imported = (
        line.removeprefix("import ").partition(".")[0] if contract in (PURE, YAML, SQL, WEB) else line[7:]
    )
    complaint = [text for text in planted_reports[contract].splitlines() if f"complaints.{module}" in text]
    assert any(imported in text for text in complaint), planted_reports[contract]


def test_every_contract_has_a_violation_that_breaks_it() -> None:
    assert set(contracts()) == {contract for _, _, contract in PLANTED}
