"""A node runs on while its database is migrated past it, if the migration allows its program."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from complaints.settings import Settings
from complaints.storage.database import migrate
from complaints.wiring import NotReady, migrate_and_seed
from tests.journeys.running_server import Launcher, RunningServer
from tests.support import ADMIN_SECRET

POST = {"channel": "phone", "subject": "No signal"}
MIGRATION = '''"""A migration of a program to come."""

import sqlalchemy as sa
from alembic import op

revision = "{name}"
down_revision = "{before}"
branch_labels = None
depends_on = None
oldest_program = "{oldest}"


def upgrade() -> None:
    op.add_column("complaint", sa.Column("colour_{name}", sa.String(length=20)))


def downgrade() -> None:
    op.drop_column("complaint", "colour_{name}")
'''
Plant = Callable[[str, str], None]


@pytest.fixture
def plant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Plants the next migration of a newer program. This test is that program; the servers are the old one."""
    migrations = tmp_path / "migrations"
    shutil.copytree(migrate._location(), migrations, ignore=shutil.ignore_patterns("__pycache__"))

    def add(name: str, oldest: str) -> None:
        text = MIGRATION.format(name=name, before=migrate.head(), oldest=oldest)
        (migrations / "versions" / f"{name}.py").write_text(text)
        migrate._scripts.cache_clear()
        migrate.revisions.cache_clear()

    with monkeypatch.context() as patch:
        patch.setattr(migrate, "_location", lambda: migrations)
        yield add
    migrate._scripts.cache_clear()
    migrate.revisions.cache_clear()


def await_schema(server: RunningServer, schema: str) -> int:
    """The status of /readyz, as soon as it shows the schema as `schema`: a kept answer is up to a second old."""
    deadline = time.monotonic() + 30
    with server.client() as http:
        while (answer := http.get("/readyz")).json()["schema"] != schema:
            assert time.monotonic() < deadline, answer.text
            time.sleep(0.1)
    return answer.status_code


def test_a_node_stays_ready_while_its_database_is_migrated_past_it(
    launcher: Launcher, migrated_database_url: Callable[[str], str], plant: Plant
) -> None:
    url, own = migrated_database_url("postgresql"), migrate.head()
    settings = Settings(database_url=url, sandbox=True, data_dir=launcher.directory)
    old = launcher.serve(url, sandbox=1, scheduler=0)

    plant("9001", own)
    service, _, change = migrate_and_seed(settings)
    service.close()
    assert (change.before, change.after) == (own, "9001")
    assert await_schema(old, "newer than this program, which runs on it") == 200
    with old.client(ADMIN_SECRET) as http:
        assert http.post("/v1/complaints", json=POST).status_code == 201
    checked = launcher.run("check", url=url, sandbox=1)
    assert (checked.wait(), "1 complaints, 1 events" in checked.output) == (0, True), checked.output

    plant("9002", "9001")
    with pytest.raises(
        NotReady, match=rf"older ones \({own}\) are running: .*:{old.process.pid}\. .* --force"
    ):
        migrate_and_seed(settings)
    migrate_and_seed(settings, force=True)[0].close()
    assert await_schema(old, "too new for this program") == 503
    refused = launcher.serve(url, ready=False, sandbox=1)
    assert (refused.wait(), "use a newer program" in refused.output) == (1, True), refused.output

    assert old.terminate() == 0
    plant("9003", "9003")
    migrate_and_seed(settings)[0].close()  # the heartbeat of a program that ended stops nobody
