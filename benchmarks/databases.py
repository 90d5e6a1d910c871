"""Databases on PostgreSQL that are the benchmark's own: made for it, and dropped by it and nothing else."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
from psycopg import sql

from benchmarks.errors import CannotMeasure
from benchmarks.proc import family_cpu_seconds, parent_of

PREFIX = "complaints_bench_"
_SETTINGS = (
    "server_version",
    "fsync",
    "synchronous_commit",
    "full_page_writes",
    "shared_buffers",
    "max_wal_size",
)
_OWN_TABLES = "SELECT count(*) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"


def plain_url(url: str) -> str:
    """`url` as the driver takes it, without SQLAlchemy's name of the driver."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(scheme="postgresql"))


def refuse_used(url: str) -> None:
    """Raises CannotMeasure unless the database at `url` has no table: a benchmark has no business near real data."""
    with psycopg.connect(plain_url(url)) as connection:
        row = connection.execute(_OWN_TABLES).fetchone()
    if row is None or row[0]:
        raise CannotMeasure(
            "The database named for the benchmark is not empty. Name an empty one: each row then makes a database "
            f"{PREFIX}... of its own on that server, and drops it at the end."
        )


@contextmanager
def own_database(server_url: str, template_url: str | None = None) -> Iterator[str]:
    """The URL of a new database on the server of `server_url`, empty or a copy; dropped when the block ends."""
    name = f"{PREFIX}{os.getpid()}_{uuid4().hex[:12]}"
    template = urlsplit(template_url).path.removeprefix("/") if template_url else "template0"
    _execute(
        server_url,
        sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(
            sql.Identifier(name), sql.Identifier(template)
        ),
    )
    try:
        yield urlunsplit(urlsplit(plain_url(server_url))._replace(path=f"/{name}"))
    finally:
        _execute(server_url, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def server_settings(url: str) -> dict[str, str]:
    """What decides how durable and how fast the server is."""
    with psycopg.connect(plain_url(url)) as connection:
        found = connection.execute(
            "SELECT name, current_setting(name) FROM pg_settings WHERE name = ANY(%s)", [list(_SETTINGS)]
        ).fetchall()
    return dict(found)


def server_cpu_seconds(url: str) -> float:
    """The processor time the server has taken so far, ended backends included; 0 for a server elsewhere."""
    with psycopg.connect(plain_url(url)) as connection:
        backend = connection.info.backend_pid
        return family_cpu_seconds(parent_of(backend)) if _is_postgres(backend) else 0.0


def _is_postgres(pid: int) -> bool:
    name = Path(f"/proc/{pid}/comm")
    return name.is_file() and name.read_text(encoding="utf-8").startswith("postgres")


def _execute(url: str, statement: sql.Composed) -> None:
    with psycopg.connect(plain_url(url), autocommit=True) as connection:
        connection.execute(statement)
