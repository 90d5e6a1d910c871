"""Fixtures of every test: a fresh database on each engine, and one PostgreSQL server for the whole run."""

import gc
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from fcntl import LOCK_EX, flock
from functools import cache
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
import pytest
from hypothesis import settings
from psycopg import sql

from tests.empty_again import empty_again, fingerprint, keep_seeded
from tests.postgres_server import PostgresUnavailable, memory_directory, serving

DATABASE_KINDS = ("sqlite", "postgresql")
SERVER_VARIABLE = "COMPLAINTS_TEST_POSTGRES_URL"
SERVER = pytest.StashKey[str]()
TEMPLATES = pytest.StashKey[Path]()
CLEAN_UP = pytest.StashKey[ExitStack]()

# A time limit per example would measure the machine, not the code. With CI set, Hypothesis itself makes the same
# examples in each run: what CI says of a commit does not change, and new examples are tried by developers.
settings.register_profile("complaints", settings(), deadline=None)
settings.load_profile("complaints")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[CLEAN_UP] = ExitStack()
    if url := os.environ.get(SERVER_VARIABLE) or _worker_input(config).get("postgres_url"):
        config.stash[SERVER] = url
    config.stash[TEMPLATES] = Path(
        _worker_input(config).get("templates")
        or config.stash[CLEAN_UP].enter_context(TemporaryDirectory(prefix="complaints-templates-"))
    )
    if _worker_input(config) or not config.getoption("numprocesses", None):
        # The process that distributes the tests runs none, so it loads nothing of the product.
        config.pluginmanager.import_plugin("tests.fixtures")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the tests that wait for processes first: one worker waits, and none of them runs alone at the end."""
    items.sort(key=lambda item: "launcher" not in getattr(item, "fixturenames", ()))


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Tests and modules stay to the end, so the garbage collector need not look at them again, as in a server."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish() -> None:
    """Find what nobody holds any more. pytest looks for it five times next, and passes over frozen objects."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """The process that distributes the tests gives each worker the URL of one server, and the place of templates."""
    node.workerinput["templates"] = str(node.config.stash[TEMPLATES])
    try:
        node.workerinput["postgres_url"] = _server_url(node.config)
    except PostgresUnavailable as failure:
        node.workerinput["postgres_absent"] = str(failure)


def pytest_unconfigure(config: pytest.Config) -> None:
    if not _worker_input(config) and (template := config.stash[TEMPLATES] / "postgresql").exists():
        drop_database(config, urlsplit(template.read_text()).path.removeprefix("/"))
    config.stash[CLEAN_UP].close()


def _worker_input(config: pytest.Config) -> dict[str, Any]:
    """The input of this worker from the distributing process. It is empty if the tests run in one process."""
    return getattr(config, "workerinput", {})


def _server_url(config: pytest.Config) -> str:
    """The server's URL; starts the server if it does not run yet. Raises PostgresUnavailable."""
    if SERVER not in config.stash:
        if reason := _worker_input(config).get("postgres_absent"):
            raise PostgresUnavailable(reason)
        config.stash[SERVER] = config.stash[CLEAN_UP].enter_context(serving())
    return config.stash[SERVER]


def _require_server_url(config: pytest.Config) -> str:
    """As `_server_url`, but without a server the test is skipped, or fails if CI is set."""
    try:
        return _server_url(config)
    except PostgresUnavailable as failure:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"no PostgreSQL: {failure}; {SERVER_VARIABLE} can name a server")


@pytest.fixture(scope="session")
def postgres_server_url(pytestconfig: pytest.Config) -> str:
    """The maintenance database of a PostgreSQL server: of this test run, or named by the environment."""
    return _require_server_url(pytestconfig)


def drop_database(config: pytest.Config, name: str) -> None:
    """Drop a database on PostgreSQL, in spite of open connections."""
    _execute(config, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _execute(config: pytest.Config, statement: sql.Composed) -> None:
    with psycopg.connect(_require_server_url(config), autocommit=True) as connection:
        connection.execute(statement)


class Databases:
    """Makes databases, and drops them all at the end. URLs are as SQLAlchemy takes them."""

    def __init__(self, directory: Path, config: pytest.Config) -> None:
        self._directory = directory
        self._config = config
        self._names: list[str] = []

    def make(self, engine: str, *, template: str | None = None, name: str | None = None) -> str:
        """The URL of a new database: empty, or a copy of the database at `template`, which must not be in use.

        A new database with the `name` of a dropped one has the same URL. An engine on that URL need not compile its
        statements again.
        """
        name = name or f"complaints_{uuid4().hex}"
        if engine == "sqlite":
            path = self._directory / f"{name}.db"
            path.touch()
            if template:
                copyfile(template.removeprefix("sqlite:///"), path)
            return f"sqlite:///{path}"
        source = urlsplit(template).path.removeprefix("/") if template else "template0"
        _execute(
            self._config,
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(
                sql.Identifier(name), sql.Identifier(source)
            ),
        )
        self._names.append(name)
        return urlunsplit(urlsplit(_require_server_url(self._config))._replace(path=f"/{name}"))

    def drop_all(self) -> None:
        """Drop the databases on PostgreSQL, in spite of open connections. SQLite's files go with their directory."""
        while self._names:
            drop_database(self._config, self._names.pop())


@pytest.fixture(scope="session")
def migrated_template(pytestconfig: pytest.Config, migrate: Callable[[str], None]) -> Callable[[str], str]:
    """For an engine, the URL of a migrated database to copy; made once for all processes that run tests."""
    directory = pytestconfig.stash[TEMPLATES]
    databases = Databases(directory, pytestconfig)

    @cache
    def template(engine: str) -> str:
        made = directory / engine
        with (directory / f"{engine}.lock").open("w") as turn:
            flock(turn, LOCK_EX)
            if not made.exists():
                url = databases.make(engine)
                migrate(url)
                made.write_text(url)
            return made.read_text()

    return template


@pytest.fixture
def databases(pytestconfig: pytest.Config, tmp_path: Path) -> Iterator[Databases]:
    """Makes databases for one test."""
    made = Databases(tmp_path, pytestconfig)
    yield made
    made.drop_all()


@pytest.fixture
def empty_database_url(databases: Databases) -> Callable[[str], str]:
    """For an engine, the URL of a new database without tables; may be called more than once."""
    return databases.make


@pytest.fixture
def migrated_database_url(
    databases: Databases, migrated_template: Callable[[str], str]
) -> Callable[[str], str]:
    """For an engine, the URL of a new database with the newest schema; may be called more than once."""
    return lambda engine: databases.make(engine, template=migrated_template(engine))


class ReusedDatabases:
    """One database for each engine and each process that runs tests. Every test finds it as just after seeding.

    On PostgreSQL it is much faster to empty a database than to copy a new one. The URL stays the same, so that an
    engine need not compile its statements again.
    """

    def __init__(self, directory: Path, databases: Databases, template: Callable[[str], str]) -> None:
        self._file = directory / "complaints.db"
        self._databases = databases
        self._template = template
        self._url: str | None = None
        self._seeded: Any = None
        self._connection: psycopg.Connection[Any] | None = None

    @contextmanager
    def prepare(self, engine: str) -> Iterator[str]:
        """The URL of the engine's database, in the state just after seeding."""
        if engine == "sqlite":
            yield self._sqlite()
            return
        url, connection = self._postgresql()
        yield url
        if not empty_again(connection, self._seeded):
            self.drop()

    def drop(self) -> None:
        """Drop the database on PostgreSQL; the next test gets a new one."""
        if self._url is not None and self._connection is not None:
            from tests.support import disconnect  # loads the product

            disconnect(self._url)
            self._connection.close()
        self._databases.drop_all()
        self._url = self._connection = None

    def _sqlite(self) -> str:
        for suffix in ("-wal", "-shm"):  # of a process that was killed
            self._file.with_name(self._file.name + suffix).unlink(missing_ok=True)
        self._file.unlink(missing_ok=True)
        copyfile(self._template("sqlite").removeprefix("sqlite:///"), self._file)
        return f"sqlite:///{self._file}"

    def _postgresql(self) -> tuple[str, psycopg.Connection[Any]]:
        if self._url is None or self._connection is None:
            self._url = self._databases.make("postgresql", template=self._template("postgresql"))
            self._connection = psycopg.connect(self._url, autocommit=True, options="-c lock_timeout=2s")
            self._seeded = fingerprint(self._connection)
            keep_seeded(self._connection)
        return self._url, self._connection


@pytest.fixture(scope="session")
def reused_databases(
    pytestconfig: pytest.Config, migrated_template: Callable[[str], str]
) -> Iterator[ReusedDatabases]:
    """The databases that the tests of this process use one after the other."""
    with TemporaryDirectory(prefix="complaints-tests-", dir=memory_directory()) as name:
        made = ReusedDatabases(Path(name), Databases(Path(name), pytestconfig), migrated_template)
        yield made
        made.drop()


@pytest.fixture(params=DATABASE_KINDS)
def database_url(request: pytest.FixtureRequest, reused_databases: ReusedDatabases) -> Iterator[str]:
    """A database with the newest schema, freshly seeded; the test runs on each engine.

    A test that reads plans is marked with `new_database`: the planner of PostgreSQL knows sizes of a used database
    from the tests before, so its choice among small tables would depend on their order.
    """
    if request.node.get_closest_marker("new_database"):
        yield request.getfixturevalue("migrated_database_url")(request.param)
        return
    with reused_databases.prepare(request.param) as url:
        yield url
