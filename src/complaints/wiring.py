"""The composition root: settings become a service, a clock, an application and its loops. Annexes join here."""

import gc
import json
import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from uuid import UUID

from fastapi import FastAPI
from prometheus_client import CollectorRegistry, Counter, Histogram
from pydantic import ValidationError
from pydantic_settings import BaseSettings
from uuid_utils.compat import uuid7

from complaints.api.app import create_app
from complaints.api.feature import Annexes, Feature, FeatureLoop
from complaints.features.registry import FEATURES
from complaints.serving.scheduler import Loop, Loops
from complaints.settings import Settings, describe_faults
from complaints.storage.database import migrate
from complaints.storage.database.connections import open_engine
from complaints.storage.database.loop_names import IMPORT_LOOP, LONGEST_SLEEP_SECONDS, SWEEP_LOOP
from complaints.storage.database.transactions import Connection, Database, DatabaseEngine
from complaints.storage.rows import test_clock
from complaints.use_cases.importing.worker import ImportWorker
from complaints.use_cases.replica import Replica
from complaints.use_cases.service import Service
from complaints.use_cases.upkeep.checks import Violation, check_all, check_followers
from complaints.use_cases.upkeep.loops import Sweeper, do_chores
from complaints.use_cases.upkeep.seeding import ensure_first_key, seed_database
from complaints.use_cases.upkeep.sweep import SweepResult

KEY_FILE = "first-key"
IMPORT_SECONDS = 2.0


class NotReady(Exception):
    """The program cannot run with these settings. The message says how to correct them."""


@dataclass(frozen=True, slots=True)
class FirstKey:
    """The key that the first start made, and the path of its file."""

    secret: str
    path: str


def wall_clock(_connection: Connection) -> datetime:
    """The present instant, in UTC."""
    return wall_now()


def wall_now() -> datetime:
    """The present instant, in UTC."""
    return datetime.now(UTC)


def _sandbox_clock(connection: Connection) -> datetime:
    now = test_clock.find_sandbox_now(connection)
    assert now is not None  # opened as a sandbox
    return now


def new_id() -> UUID:
    """A UUIDv7: unique, and increasing with time."""
    return uuid7()


def open_annexes(features: tuple[Feature, ...] = FEATURES) -> Annexes:
    """The annexes with their settings from the environment. Raises NotReady for a setting that is not valid."""
    kinds = [feature.settings for feature in features if feature.settings is not None]
    return Annexes(features, {kind: _read_settings(kind) for kind in kinds})


def _read_settings(kind: type[BaseSettings]) -> BaseSettings:
    try:
        return kind()
    except ValidationError as error:
        raise NotReady(describe_faults(error, kind.model_config.get("env_prefix", ""))) from error


def open_database(settings: Settings) -> Database:
    """The database with its clock. Raises NotReady if the database does not fit the settings."""
    if settings.embedded and settings.database_url is None:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
    engine = _open(settings, settings.url)
    if settings.embedded:
        migrate.upgrade(engine, annex_tables=_annex_tables())
    return Database(engine, wall_clock)


def _open(settings: Settings, url: str) -> DatabaseEngine:
    return open_engine(url, pool_size=settings.pool_size, pool_seconds=settings.pool_seconds)


def open_replica(settings: Settings, primary: Service) -> Replica | None:
    """The replica that COMPLAINTS_READ_DATABASE_URL names, or None. It need not answer yet."""
    if settings.read_database_url is None:
        return None
    database = Database(_open(settings, settings.read_database_url), primary.database.clock)
    return Replica(database, primary.new_id, primary=primary)


def prepare(settings: Settings) -> tuple[Service, FirstKey | None]:
    """The service on a migrated database, which is seeded if it is fresh. Raises NotReady for an older schema."""
    database = open_database(settings)
    _check_schema(database)
    return _seeded(settings, database)


def migrate_and_seed(settings: Settings) -> tuple[Service, FirstKey | None]:
    """Bring the database to the newest schema, and seed a fresh one."""
    database = open_database(settings)
    migrate.upgrade(database.engine, annex_tables=_annex_tables())
    return _seeded(settings, database)


def _annex_tables() -> tuple[str, ...]:
    return Annexes(FEATURES).table_names


def _check_schema(database: Database) -> None:
    with database.read() as tx:
        current, head = migrate.current(tx.connection), migrate.head()
    if current != head:
        raise NotReady(
            f"The database is at schema {current or 'none'}, this program needs {head}: run `complaints migrate`."
        )


def _seeded(settings: Settings, database: Database) -> tuple[Service, FirstKey | None]:
    policy = settings.policy.read_text(encoding="utf-8") if settings.policy else None
    with database.begin() as tx:
        if seed_database(tx, policy) and settings.sandbox:
            test_clock.start_sandbox(tx.connection, tx.now.replace(microsecond=0))
        is_sandbox = test_clock.find_sandbox_now(tx.connection) is not None
    if is_sandbox != settings.sandbox:
        raise NotReady(
            "This database is a sandbox: set COMPLAINTS_SANDBOX=1 to use it."
            if is_sandbox
            else "COMPLAINTS_SANDBOX=1 needs a database created so: take a fresh one."
        )
    if is_sandbox:
        database = Database(database.engine, _sandbox_clock)
    service = Service(database, new_id)
    return service, _first_key(settings, service)


def _first_key(settings: Settings, service: Service) -> FirstKey | None:
    given = settings.bootstrap_api_key
    secret = given.get_secret_value() if given else None
    made = service.write(lambda tx: ensure_first_key(service, tx, secret))
    service.cache.expire()
    if made is None or given is not None:
        return None
    path = settings.data_dir / KEY_FILE
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(made + "\n")
    return FirstKey(made, str(path))


def openapi_document() -> str:
    """The OpenAPI document of the API, as checked in."""
    unused = Service(Database(open_engine("sqlite:///unused.db"), wall_clock), new_id)
    document = create_app(unused, wall=wall_now, annexes=Annexes(FEATURES)).openapi()
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


@contextmanager
def opened(settings: Settings) -> Iterator[Service]:
    """The service for one command. Its connections are closed at the end of the block."""
    service, _ = prepare(settings)
    try:
        yield service
    finally:
        service.close()


def settle(service: Service) -> None:
    """Tune the interpreter for serving, once everything is loaded.

    The garbage collector ignores the objects that exist now, and runs less often: a batch of complaints makes tens
    of thousands of objects, and hardly any of them are in cycles. Threads switch more often: a thread that returns
    from the database would otherwise wait 5 ms for each of its statements while requests are read.
    """
    service.read(service.configuration)  # otherwise every first request would load the configuration
    sys.setswitchinterval(0.0005)
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


class SweepMetrics:
    """The metrics of sweeps: how late steps are taken, and how many (rule 3.7)."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._lag = Histogram(
            "complaints_step_lag_seconds",
            "Seconds from when an escalation step should have been taken to when it was.",
            buckets=(0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5, 30, 300, 3600),
            registry=registry,
        )
        self._steps = Counter("complaints_steps", "Escalation steps taken.", ("kind",), registry=registry)

    def observe(self, swept: SweepResult) -> None:
        """Count one sweep."""
        for lag in swept.lags_seconds:
            self._lag.observe(lag)
        self._steps.labels("escalation").inc(swept.escalations)
        self._steps.labels("reminder").inc(swept.reminders)


def _node() -> str:
    """The name of this process among the processes on the database."""
    return f"{socket.gethostname()}:{os.getpid()}"


def open_import_worker(service: Service, stopping: Callable[[], bool] = lambda: False) -> ImportWorker:
    """The worker of this process for imports."""
    return ImportWorker(service, _node(), wall_now, stopping)


def build_loops(service: Service, registry: CollectorRegistry, settings: Settings, annexes: Annexes) -> Loops:
    """The loops of a process that sweeps, with the loops of the annexes. Commits of this process hasten them."""
    stopping = threading.Event()
    sweeper = Sweeper(service, _node(), wall_now, SweepMetrics(registry).observe, stopping.is_set)
    keep = partial(do_chores, service, wall_now, history_months=settings.history_months)
    own = (
        Loop(SWEEP_LOOP, sweeper.sweep_due, seconds=LONGEST_SLEEP_SECONDS),
        Loop(IMPORT_LOOP, open_import_worker(service, stopping.is_set).work_on_all, seconds=IMPORT_SECONDS),
        Loop("housekeeping", keep, cron="17 * * * *"),
    )
    built = Loops((*own, *_annex_loops(service, annexes, stopping.is_set)), wall_now, stopping)
    service.database.hasten = built.hasten
    return built


def _annex_loops(service: Service, annexes: Annexes, is_stopping: Callable[[], bool]) -> Iterator[Loop]:
    for feature in annexes.features:
        settings = annexes.settings_for(feature)
        for loop in feature.loops:
            work = partial(_work_on, loop, service, settings, is_stopping)
            yield Loop(f"{feature.name}.{loop.name}", work, seconds=loop.seconds, cron=loop.cron)


def _work_on(
    loop: FeatureLoop, service: Service, settings: BaseSettings | None, is_stopping: Callable[[], bool]
) -> None:
    while loop.work(service, settings) and not is_stopping():
        pass


def check(service: Service, annexes: Annexes, *, progress: Callable[[int], None]) -> Iterator[Violation]:
    """Every breach of an invariant of the core and of the annexes; `progress` gets the counts of complaints seen."""
    yield from check_all(service, progress=progress)
    yield from check_followers(service, annexes.names)
    for feature in annexes.features:
        for find_breaches in feature.checks:
            yield from find_breaches(service)


def listen(settings: Settings) -> list[socket.socket]:
    """The sockets to serve on, one for each process. Port 0 takes a free port. Raises NotReady for a taken one."""
    if settings.listen_fd is not None:
        return [socket.socket(fileno=settings.listen_fd)]
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    create = partial(socket.create_server, family=family, backlog=2048)
    try:
        alone = create((settings.host, settings.port))
        if settings.processes == 1:
            return [alone]
        # The port was free. Sharing it at once could join the port of another program.
        address = alone.getsockname()[:2]
        alone.close()
        return [create(address, reuse_port=True) for _ in range(settings.processes)]
    except OSError as error:
        raise NotReady(
            f"Cannot listen at {settings.host}, port {settings.port}: {error.strerror}. "
            "COMPLAINTS_HOST and COMPLAINTS_PORT name another address."
        ) from error


def build_app(
    service: Service,
    settings: Settings,
    registry: CollectorRegistry,
    annexes: Annexes,
    *,
    replica: Service | None = None,
) -> FastAPI:
    """The application over `service` and `annexes`. Callers who cannot write read from `replica`, if there is one."""
    return create_app(
        service,
        wall=wall_now,
        registry=registry,
        sweeps=settings.scheduler,
        replica=replica,
        annexes=annexes,
    )
