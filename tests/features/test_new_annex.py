"""Under src/ a new annex needs its own folder and its line in the registry: proven on a copy of the product."""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import text

from complaints.storage.database import migrate
from complaints.storage.database.connections import open_engine
from tests.architecture.test_imports import contracts, reports
from tests.fork_client import ForkServer, shared_fork_server
from tests.journeys.running_server import Launcher, RunningServer, launching

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
SECRET = "a-secret-of-the-copied-product"
DECLARED = """
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from complaints.domain.vocabulary import EventType
from complaints.features.registry import FEATURES
from complaints.storage.database.connections import open_engine
from complaints.storage.rows.all_tables import with_annexes
from complaints.wiring import open_annexes
from complaints import cli
import sys

annexes = open_annexes()
with open_engine(sys.argv[1]).connect() as connection:
    context = MigrationContext.configure(connection)
    compared = compare_metadata(context, with_annexes(f.tables for f in FEATURES if f.tables is not None))
changed = [one for one in compared if "count" in str(one)]
tables = tuple(name for name in annexes.table_names if "count" in name)
print([notice.template for notice in annexes.notices_for(EventType.CREATED)], tables, changed, flush=True)
sys.argv = ["complaints", "check"]
cli.main()
"""


def copy_product(directory: Path) -> Path:
    """The product with the fixture annex: its folder, its line in the registry and its migration."""
    shutil.copy(ROOT / "pyproject.toml", directory)
    for name in ("src", "migrations"):
        shutil.copytree(
            ROOT / name, directory / name
        )  # with the compiled modules, so no process compiles them
    features = directory / "src/complaints/features"
    own_files = shutil.ignore_patterns("__pycache__")
    shutil.copytree(HERE / "category_counts", features / "category_counts", ignore=own_files)
    for module in (features / "category_counts").glob("*.py"):
        own = module.read_text(encoding="utf-8").replace("tests.features.", "complaints.features.")
        module.write_text(own, encoding="utf-8")
    _register(features / "registry.py")
    migration = (HERE / "counts_migration.txt").read_text(encoding="utf-8").replace("HEAD", migrate.head())
    (directory / "migrations/versions/9000_category_counts.py").write_text(migration, encoding="utf-8")
    (directory / "declared.py").write_text(DECLARED, encoding="utf-8")
    return directory


def _register(registry: Path) -> None:
    present = registry.read_text(encoding="utf-8")
    line = "from complaints.features.category_counts.feature import FEATURE as CATEGORY_COUNTS\n"
    head, assignment, listed = present.partition("FEATURES: tuple[Feature, ...] = (")
    assert assignment
    registry.write_text(
        f"{line}{head}{assignment}CATEGORY_COUNTS, {listed}".replace(", )", ",)"), encoding="utf-8"
    )


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The copy with the annex."""
    return copy_product(tmp_path_factory.mktemp("product"))


@pytest.fixture
def url(empty_database_url: Callable[[str], str]) -> str:
    """An empty database. `test_feature.py` proves on both kinds what a registered annex does."""
    return empty_database_url("sqlite")


@pytest.fixture(scope="module")
def forks_of_copy(product: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForkServer]:
    """Starts processes of the copy as forks of one program that has loaded it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join((str(product / "src"), str(product))))
        with shared_fork_server(tmp_path_factory.mktemp("forks") / "of-copy") as server:
            yield server


@pytest.fixture
def copied(forks_of_copy: ForkServer, tmp_path: Path) -> Iterator[Launcher]:
    """Starts processes of the copy."""
    with launching(tmp_path, forks_of_copy) as launcher:
        yield launcher


def await_counts(client: httpx2.Client, expected: dict[str, int]) -> None:
    """Until the loop of the annex has counted."""
    deadline = time.monotonic() + 30
    while (found := client.get("/v1/category-counts").json()) != {"counts": expected}:
        assert time.monotonic() < deadline, found
        time.sleep(0.05)


def has_joined(server: RunningServer) -> None:
    """The routes, the loop, the problem and the settings of the annex work."""
    with server.client(SECRET) as client:
        for _ in range(2):
            posted = {"channel": "phone", "subject": "No signal", "category": "network.outage"}
            assert client.post("/v1/complaints", json=posted).status_code == 201
        await_counts(client, {"network.outage": 2})
        refused = client.post("/v1/category-counts/reset")
        assert (refused.status_code, refused.json()["type"]) == (409, "/problems/counts-frozen")
        assert "counts-frozen" in [problem["code"] for problem in client.get("/problems").json()["items"]]
        operations = client.get("/openapi.json").json()["paths"]["/v1/category-counts/reset"]
        assert "counts-frozen" in operations["post"]["responses"]["409"]["description"]


def test_a_folder_and_a_line_of_the_registry_are_enough(
    copied: Launcher, forks_of_copy: ForkServer, url: str, tmp_path: Path
) -> None:
    settings = {"bootstrap_api_key": SECRET, "category_counts_frozen": 1}
    server = copied.serve(url, **settings)
    has_joined(server)
    assert server.terminate() == 0

    engine = open_engine(url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE category_count SET complaints = 0"))
    engine.dispose()
    log = tmp_path / "declared.log"
    declared = forks_of_copy.start(
        "declared", [url], environment=copied.environment(url), directory=tmp_path, log=log
    )
    assert declared.wait(60) == 1, log.read_text(encoding="utf-8")
    tables = ("category_count", "counted_event")
    said = log.read_text(encoding="utf-8")
    assert said.startswith(f"{['category_counts_received']} {tables} []\n"), said
    assert "category network.outage has the count 0" in said


def test_a_wrong_setting_of_an_annex_stops_the_start(copied: Launcher) -> None:
    server = copied.serve(ready=False, category_counts_batch=0)
    assert server.wait(60) == 1
    assert server.output.startswith("COMPLAINTS_CATEGORY_COUNTS_BATCH: ")


def test_the_contracts_hold_with_the_annex(product: Path) -> None:
    assert reports(product) == dict.fromkeys(contracts(), "")


def test_two_annexes_that_import_each_other_break_the_contract(product: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(product, copy, ignore=shutil.ignore_patterns("__pycache__"))
    features = copy / "src/complaints/features"
    shutil.copytree(features / "category_counts", features / "second")
    broken = {name for name, report in reports(copy).items() if report}
    assert broken == {
        "Annexes are strangers to each other",
        "Only the registry and other faces import annexes, only wiring the registry",
    }
