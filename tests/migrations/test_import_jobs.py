"""The migration of imports: files of ended imports are emptied. On the way down a stopped import is completed."""

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Engine, text

from complaints.storage.database import migrate
from complaints.storage.database.connections import open_engine

_JOB = """
    INSERT INTO import_job (id, status, media_type, options, dry_run, source, key_name, key_roles, content, rows, done,
        accepted, duplicates, failed, created_at, finished_at)
    VALUES (:id, :status, 'text/csv', '[]', false, 'cc', 'key', '[]', :content, 1, 0, 0, 0, 0, CURRENT_TIMESTAMP,
        CASE WHEN :status = 'completed' THEN CURRENT_TIMESTAMP END)
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def before(request: pytest.FixtureRequest, empty_database_url: Callable[[str], str]) -> Iterator[Engine]:
    """A database of the program before."""
    engine = open_engine(empty_database_url(request.param))
    migrate.upgrade(engine, "0009")
    yield engine
    engine.dispose()


def _jobs(engine: Engine) -> list[tuple[str, bytes]]:
    with engine.connect() as connection:
        found = connection.execute(text("SELECT status, content FROM import_job ORDER BY id")).all()
    return [(status, bytes(content)) for status, content in found]


def test_imports_survive_the_way_up_and_down(before: Engine) -> None:
    insert = text(_JOB)
    with before.begin() as connection:
        for number, status in enumerate(("running", "completed")):
            values = {"id": f"{number:032x}", "status": status, "content": b"a,b"}
            if connection.dialect.name == "postgresql":
                insert = text(
                    _JOB.replace(":id", "CAST(:id AS uuid)").replace(":status", "CAST(:status AS text)")
                )
            connection.execute(insert, values)
            connection.execute(
                text("INSERT INTO import_error (import_id, row, errors) SELECT id, 1, '[]' FROM import_job"
                     " WHERE status = 'running' AND NOT EXISTS (SELECT 1 FROM import_error)")
            )  # fmt: skip
    migrate.upgrade(before, "0010")
    assert _jobs(before) == [("running", b"a,b"), ("completed", b"")]
    with before.begin() as connection:
        connection.execute(
            text(
                "UPDATE import_job SET status = 'stopped', stopped_because = 'x', finished_at = created_at"
                " WHERE status = 'running'"
            )
        )
    migrate.downgrade(before, "0009")
    assert _jobs(before) == [("completed", b"a,b"), ("completed", b"")]
