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
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import UUID

from fastapi import FastAPI
from prometheus_client import CollectorRegistry, start_http_server
from pydantic import ValidationError
from pydantic_settings import BaseSettings
from uuid_utils.compat import uuid7

from complaints.api.app import create_app
from complaints.api.feature import Annexes, Feature, FeatureLoop
from complaints.api.health import InstallationMeasures
from complaints.domain.complaint.attachments import AttachmentLimits
from complaints.features.registry import FEATURES
from complaints.outbound.clamd import Clamd
from complaints.serving.measures import SweepMeasures, WorkMeasures
from complaints.serving.scheduler import Loop, Loops
from complaints.settings import Settings, describe_faults, describe_unknown
from complaints.storage.blobs.directory import BlobDirectory
from complaints.storage.blobs.store import BlobStore
from complaints.storage.database import migrate
from complaints.storage.database.connections import (
    BadUrl,
    DatabaseUrl,
    Unreachable,
    check_reachable,
    describe_url,
    keep_private,
    open_engine,
    parse_url,
    watch_pool,
)
from complaints.storage.database.loop_names import (
    ATTACHMENT_LOOP,
    IMPORT_LOOP,
    LONGEST_SLEEP_SECONDS,
    SCAN_LOOP,
    SWEEP_LOOP,
)
from complaints.storage.database.transactions import Connection, Database, DatabaseEngine
from complaints.storage.rows import test_clock
from complaints.storage.rows.seed import is_seeded
from complaints.use_cases.accounts.sessions import SessionLimits
from complaints.use_cases.attachments.scanning import Scanner, ScanWorker
from complaints.use_cases.attachments.sweeping import empty_erased, sweep_orphans
from complaints.use_cases.complaints.leaving import finish_leavings
from complaints.use_cases.configuration.key_uses import LEAST_SECONDS, save_key_uses
from complaints.use_cases.importing.quotas import ImportQuota
from complaints.use_cases.importing.worker import ImportWorker
from complaints.use_cases.mail_account import MailAccount
from complaints.use_cases.replica import Replica
from complaints.use_cases.service import AttachmentStore, Service, keep_configuration
from complaints.use_cases.upkeep.attachment_checks import check_attachments
from complaints.use_cases.upkeep.checks import (
    CheckedRange,
    check_feed,
    check_followers,
    check_references,
    find_ranges,
)
from complaints.use_cases.upkeep.configuration_checks import check_configuration
from complaints.use_cases.upkeep.loops import Sweeper, beat_without_sweep, do_chores, end_heartbeat
from complaints.use_cases.upkeep.migrating import MigrationRefused, SchemaChange, migrate_schema
from complaints.use_cases.upkeep.parallel_checks import check_ranges
from complaints.use_cases.upkeep.reindexing import reindex
from complaints.use_cases.upkeep.seeding import (
    begin_audit,
    ensure_first_key,
    seed_database,
    shipped_policies,
    shipped_policy,
)
from complaints.use_cases.upkeep.subject_checks import check_subjects
from complaints.use_cases.upkeep.violation import Violation

if TYPE_CHECKING:
    from complaints.api.accounts.openid_sign_in import OpenIdSignIn

KEY_FILE = "first-key"
IMPORT_SECONDS = 5.0  # an import that another process took; a process begins its own imports at once
HEARTBEAT_LOOP = "heartbeat"
HEARTBEAT_SECONDS = 10.0
REINDEXING_SECONDS = 60.0
LEAVING_SECONDS = 5.0  # a leaving that was cut off goes on within this time

EMPTYING_SECONDS = 60.0  # a process that erases deletes the bytes at once
SCAN_SECONDS = 5.0  # a process that takes an attachment scans it at once
ORPHANS_AT = "41 3 * * *"


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


def describe_unknown_settings(annexes: Annexes) -> list[str]:
    """A line for each variable of the environment that looks like a setting and is none."""
    return list(describe_unknown(os.environ, [Settings, *annexes.settings]))


def _read_settings(kind: type[BaseSettings]) -> BaseSettings:
    try:
        return kind()
    except ValidationError as error:
        raise NotReady(describe_faults(error, kind.model_config.get("env_prefix", ""))) from error


def open_database(settings: Settings, *, create: bool = False) -> Database:
    """The database with its clock. Raises NotReady if it does not answer.

    An SQLite file that does not exist is made only with `create`.
    """
    if settings.read_database_url is not None:
        _parse(settings.read_database_url, "COMPLAINTS_READ_DATABASE_URL")
    if settings.embedded:
        _find_file(settings, create=create)
        keep_private(settings.url)
    engine = _open(settings, settings.url, "COMPLAINTS_DATABASE_URL")
    try:
        check_reachable(engine)
    except Unreachable as error:
        engine.dispose()
        raise NotReady(f"The database cannot be reached: {error} ({describe_url(engine.url)}).") from error
    return Database(engine, wall_clock)


def _find_file(settings: Settings, *, create: bool) -> None:
    """Raise NotReady if there is no database file, or, with `create`, no directory for one."""
    path = Path(describe_url(_parse(settings.url, "COMPLAINTS_DATABASE_URL")))
    if create and settings.database_url is None:
        _make_directory(settings.data_dir)
    if not create and not os.path.isfile(path):  # noqa: PTH113 - Path.is_file raises PermissionError
        raise NotReady(
            f"There is no database at {path}: `complaints serve` or `complaints migrate` makes one. "
            "COMPLAINTS_DATA_DIR and COMPLAINTS_DATABASE_URL name another."
        )


def _make_directory(path: Path) -> None:
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise NotReady(f"COMPLAINTS_DATA_DIR: cannot make the directory {path}: {error.strerror}.") from error


def _parse(url: str, setting: str) -> DatabaseUrl:
    try:
        return parse_url(url)
    except BadUrl as error:
        raise NotReady(f"{setting} {error}.") from error


def _open(settings: Settings, url: str, setting: str) -> DatabaseEngine:
    parsed = _parse(url, setting)
    return open_engine(parsed, pool_size=settings.pool_size, pool_seconds=settings.pool_seconds)


def open_replica(settings: Settings, primary: Service) -> Replica | None:
    """The replica that COMPLAINTS_READ_DATABASE_URL names, or None. It need not answer yet."""
    if settings.read_database_url is None:
        return None
    engine = _open(settings, settings.read_database_url, "COMPLAINTS_READ_DATABASE_URL")
    database = Database(engine, primary.database.clock)
    return Replica(database, primary.new_id, attachment_store=primary.attachment_store, primary=primary)


def prepare(settings: Settings) -> tuple[Service, FirstKey | None]:
    """The service for `serve`, on a database that is seeded if it is fresh.

    An embedded database is made and migrated. Raises NotReady for a schema on which this program does not run.
    """
    policy = _first_policy(settings)  # before anything is made
    with _closed_on_failure(open_database(settings, create=True)) as database:
        if settings.embedded:
            _migrate(database)
        _check_schema(database)
        return _seeded(settings, database, policy)


@contextmanager
def _closed_on_failure(database: Database) -> Iterator[Database]:
    try:
        yield database
    except BaseException:
        database.close()
        raise


def migrate_and_seed(
    settings: Settings, *, force: bool = False
) -> tuple[Service, FirstKey | None, SchemaChange]:
    """Bring the database to the newest schema, and seed a fresh one. Raises NotReady.

    With `force`, running programs that the new schema does not allow are ignored.
    """
    policy = _first_policy(settings)
    with _closed_on_failure(open_database(settings, create=True)) as database:
        change = _migrate(database, force=force)
        return *_seeded(settings, database, policy), change


def _migrate(database: Database, *, force: bool = False) -> SchemaChange:
    try:
        return migrate_schema(database, wall_now, annex_tables=Annexes(FEATURES).table_names, force=force)
    except MigrationRefused as error:
        raise NotReady(f"The database was not migrated: {error}.") from error


def _check_schema(database: Database) -> None:
    with database.read() as tx:
        current, fit = migrate.current(tx.connection), migrate.judge_schema(tx.connection)
    if fit is migrate.SchemaFit.OLDER:
        raise NotReady(
            f"The database {name_of(database)} is at schema {current or 'none'}, "
            f"this program needs {migrate.head()}: run `complaints migrate`."
        )
    if fit is migrate.SchemaFit.TOO_NEW:
        raise NotReady(
            f"The database {name_of(database)} is at schema {current}, on which this program "
            f"({migrate.head()}) does not run: use a newer program."
        )


def name_of(database: Database) -> str:
    """The name of the database for a person: its path, or its URL without password."""
    return describe_url(database.engine.url)


def _seeded(settings: Settings, database: Database, policy: str | None) -> tuple[Service, FirstKey | None]:
    with database.begin() as tx:
        if seed_database(tx, policy) and settings.sandbox:
            test_clock.start_sandbox(tx.connection, tx.now.replace(microsecond=0))
        begin_audit(tx)
    service = _service(settings, database)
    return service, _first_key(settings, service)


def _first_policy(settings: Settings) -> str | None:
    """The policy document that COMPLAINTS_POLICY names: a file, or the name of one that comes with the program."""
    if settings.policy is None:
        return None
    if not settings.policy.exists() and str(settings.policy) in shipped_policies():
        return shipped_policy(str(settings.policy))
    shipped = ", ".join(shipped_policies())
    return read_text(settings.policy, f"COMPLAINTS_POLICY names a file, or one of {shipped}")


def read_text(path: Path, hint: str = "") -> str:
    """The text of a file in UTF-8. Raises NotReady, with `hint` for a file that cannot be read."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        told = f" {hint}." if hint else ""
        raise NotReady(f"Cannot read {path}: {error.strerror}.{told}") from error
    except UnicodeDecodeError as error:
        raise NotReady(
            f"{path} is not text in UTF-8: byte {error.start + 1} does not belong there."
        ) from error


def _service(settings: Settings, database: Database) -> Service:
    """The service with the clock of its database. Raises NotReady if one is a sandbox and the other is not."""
    with database.read() as tx:
        is_sandbox = test_clock.find_sandbox_now(tx.connection) is not None
    if is_sandbox != settings.sandbox:
        raise NotReady(
            "This database is a sandbox: set COMPLAINTS_SANDBOX=1 to use it."
            if is_sandbox
            else "COMPLAINTS_SANDBOX=1 needs a database created so: take a fresh one."
        )
    if is_sandbox:
        database = Database(database.engine, _sandbox_clock)
    return Service(
        database,
        new_id,
        keep_configuration(Annexes(FEATURES).subject_kinds),
        wall=wall_now,
        public_url=settings.public_url.rstrip("/") if settings.public_url else None,
        webhook_allow=settings.webhook_allow,
        mail=read_mail_account(settings),
        attachment_store=open_attachment_store(settings),
    )


def read_mail_account(settings: Settings) -> MailAccount | None:
    """The account that mails are sent by; None without COMPLAINTS_SMTP_URL. Raises NotReady."""
    if settings.smtp_url is None:
        return None
    if not settings.mail_from:
        raise NotReady("COMPLAINTS_MAIL_FROM is missing: mails need a sender.")
    try:
        return MailAccount.parse(
            settings.smtp_url.get_secret_value(), settings.mail_from, settings.mail_reply_to
        )
    except ValueError as error:
        raise NotReady(
            f"COMPLAINTS_SMTP_URL, COMPLAINTS_MAIL_FROM or COMPLAINTS_MAIL_REPLY_TO: {error}."
        ) from error


def open_attachment_store(settings: Settings) -> AttachmentStore:
    """The store of attachments with its limits. Raises NotReady for settings that name no place."""
    limits = AttachmentLimits(
        most_bytes=settings.attachment_bytes,
        most_of_complaint=settings.attachments_of_complaint,
        most_bytes_of_complaint=settings.attachment_bytes_of_complaint,
        media_types=tuple(settings.attachment_types.lower().replace(",", " ").split()),
    )
    return AttachmentStore(_open_blobs(settings), limits, is_scanned=open_scanner(settings) is not None)


def open_scanner(settings: Settings) -> Scanner | None:
    """The scanner of attachments; None without one. Raises NotReady for an address of another form."""
    if settings.clamd_url is None:
        return None
    try:
        return Clamd(settings.clamd_url)
    except ValueError as error:
        raise NotReady(f"COMPLAINTS_CLAMD_URL {error}.") from error


def _open_blobs(settings: Settings) -> BlobStore:
    if settings.attachments_url is not None:
        if settings.attachments_dir is not None:
            raise NotReady("Set one of COMPLAINTS_ATTACHMENTS_DIR and COMPLAINTS_ATTACHMENTS_URL, not both.")
        return _open_bucket(settings.attachments_url)
    if settings.attachments_dir is None:
        return BlobDirectory(settings.data_dir.absolute() / "attachments")
    if not settings.attachments_dir.is_dir():
        # A directory that is made here could hide a shared one that is not mounted.
        raise NotReady(
            f"COMPLAINTS_ATTACHMENTS_DIR: there is no directory {settings.attachments_dir}: make it, or mount it."
        )
    return BlobDirectory(settings.attachments_dir.absolute())


def _open_bucket(url: str) -> BlobStore:
    parts = urlsplit(url)
    if parts.scheme != "s3" or not parts.netloc or parts.query or parts.fragment:
        raise NotReady("COMPLAINTS_ATTACHMENTS_URL must be s3://bucket/prefix.")
    try:
        # To load the library takes 0.4 s, and it is an extra.
        from complaints.storage.blobs.s3 import BlobBucket

        return BlobBucket(parts.netloc, parts.path)
    except ImportError as error:
        raise NotReady(
            "COMPLAINTS_ATTACHMENTS_URL needs the extra for S3: install it with `pip install 'complaints[s3]'`."
        ) from error
    except ValueError as error:
        raise NotReady(f"COMPLAINTS_ATTACHMENTS_URL: {error}. The settings of S3 begin with AWS_.") from error


def _first_key(settings: Settings, service: Service) -> FirstKey | None:
    given = settings.bootstrap_api_key
    secret = given.get_secret_value() if given else None
    made = service.write(lambda tx: ensure_first_key(service, tx, secret))
    service.cache.expire()
    if made is None or given is not None:
        return None
    path = settings.data_dir / KEY_FILE
    _make_directory(settings.data_dir)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(made + "\n")
    return FirstKey(made, str(path))


def openapi_document() -> str:
    """The OpenAPI document of the API, as checked in."""
    unused = Service(Database(open_engine("sqlite:///unused.db"), wall_clock), new_id)
    document = create_app(unused, wall=wall_now, annexes=Annexes(FEATURES)).openapi()
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def open_service(settings: Settings) -> Service:
    """The service on a database that exists and is migrated. Nothing is made. Raises NotReady."""
    with _closed_on_failure(open_database(settings)) as database:
        _check_schema(database)
        with database.read() as tx:
            if not is_seeded(tx):
                raise NotReady(f"The database {name_of(database)} is empty: run `complaints migrate`.")
        return _service(settings, database)


@contextmanager
def opened(settings: Settings) -> Iterator[Service]:
    """As `open_service`, for one command. The connections are closed at the end of the block."""
    service = open_service(settings)
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


def node_name() -> str:
    """The name of this process in the heartbeats."""
    return f"{socket.gethostname()}:{os.getpid()}"


def open_import_worker(service: Service, stopping: Callable[[], bool] = lambda: False) -> ImportWorker:
    """The worker of this process for imports."""
    return ImportWorker(service, node_name(), wall_now, stopping)


def build_loops(service: Service, registry: CollectorRegistry, settings: Settings, annexes: Annexes) -> Loops:
    """The loops of a process that sweeps, with the loops of the annexes. Commits of this process hasten them."""
    stopping = threading.Event()
    sweeper = Sweeper(service, node_name(), wall_now, SweepMeasures(registry).observe, stopping.is_set)
    keep = partial(do_chores, service, wall_now, history_months=settings.history_months)
    own: tuple[Loop, ...] = (
        Loop(SWEEP_LOOP, sweeper.sweep_due, seconds=LONGEST_SLEEP_SECONDS),
        Loop(IMPORT_LOOP, open_import_worker(service, stopping.is_set).work_on_all, seconds=IMPORT_SECONDS),
        Loop("leaving", lambda: finish_leavings(service, stopping.is_set), seconds=LEAVING_SECONDS),
        Loop(ATTACHMENT_LOOP, lambda: empty_erased(service), seconds=EMPTYING_SECONDS),
        Loop("attachment orphans", lambda: sweep_orphans(service), cron=ORPHANS_AT),
        Loop("reindexing", lambda: reindex(service, stopping.is_set), seconds=REINDEXING_SECONDS),
        Loop("housekeeping", keep, cron="17 * * * *"),
        _key_uses_loop(service),
    )
    if (scanner := open_scanner(settings)) is not None:
        scans = ScanWorker(service, scanner, stopping.is_set)
        own = (*own, Loop(SCAN_LOOP, scans.scan_waiting, seconds=SCAN_SECONDS))
    built = Loops((*own, *_annex_loops(service, annexes, stopping.is_set)), wall_now, stopping)
    service.database.hasten = built.hasten
    return built


def build_heartbeat(service: Service) -> Loops:
    """The loops of a process that leaves the deadlines to others: it writes a heartbeat, and when keys were used."""
    beat = partial(beat_without_sweep, service, node_name(), wall_now)
    return Loops((Loop(HEARTBEAT_LOOP, beat, seconds=HEARTBEAT_SECONDS), _key_uses_loop(service)), wall_now)


def _key_uses_loop(service: Service) -> Loop:
    return Loop("key uses", partial(save_key_uses, service), seconds=LEAST_SECONDS)


def start_loops(loops: Loops) -> None:
    """Start the loops. A process that only serves writes its first heartbeat at once."""
    loops.start()
    loops.hasten(HEARTBEAT_LOOP, 0)


def end_loops(service: Service, loops: Loops) -> None:
    """Finish the running work of the loops, write the last uses of keys, and delete the heartbeat of this process."""
    loops.stop()
    save_key_uses(service)
    end_heartbeat(service, node_name())


def measure_work(service: Service, registry: CollectorRegistry) -> None:
    """Count what the transactions of `service` commit, and the connections that they use."""
    measures = WorkMeasures(registry)
    service.database.count = measures.count
    watch_pool(service.database.engine, measures.note_pool)


def serve_measures(service: Service, settings: Settings, shown: CollectorRegistry) -> Callable[[], None]:
    """Answer `GET /metrics` of a worker at COMPLAINTS_METRICS_PORT, if it is set. Returns a function that ends it.

    Raises NotReady for a taken port.
    """
    if settings.metrics_port is None:
        return lambda: None
    shown.register(InstallationMeasures(lambda: service, wall_now, Annexes(FEATURES).measures))
    try:
        server, thread = start_http_server(settings.metrics_port, settings.host, registry=shown)
    except OSError as error:
        raise NotReady(
            f"Cannot listen at {settings.host}, port {settings.metrics_port}: {error.strerror}. "
            "COMPLAINTS_HOST and COMPLAINTS_METRICS_PORT name another address."
        ) from error

    def end() -> None:
        server.shutdown()
        thread.join()
        server.server_close()

    return end


def _annex_loops(service: Service, annexes: Annexes, is_stopping: Callable[[], bool]) -> Iterator[Loop]:
    for feature in annexes.features:
        settings = annexes.settings_for(feature)
        for loop in feature.loops:
            extras = [annexes] * loop.needs_annexes + [is_stopping] * loop.is_long
            work = partial(_work_on, loop, service, (settings, *extras), is_stopping)
            yield Loop(f"{feature.name}.{loop.name}", work, seconds=loop.seconds, cron=loop.cron)


def _work_on(
    loop: FeatureLoop, service: Service, given: tuple[Any, ...], is_stopping: Callable[[], bool]
) -> None:
    while loop.work(service, *given) and not is_stopping():
        service.database.give_way()


def check(
    service: Service,
    annexes: Annexes,
    *,
    progress: Callable[[CheckedRange], None],
    after: UUID | None = None,
    processes: int = 1,
    reads_attachments: bool = False,
) -> Iterator[Violation]:
    """Every breach of an invariant of the core and of the annexes; `progress` gets each range of complaints.

    Complaints up to the id `after` are not checked. `reads_attachments`: the bytes of attachments are read, and
    their digests compared. Raises BrokenProcessPool if one of `processes` is killed.
    """
    for checked in check_ranges(service, find_ranges(service, after), processes=processes):
        progress(checked)
        yield from checked.violations
    yield from check_subjects(service)
    yield from check_feed(service)
    yield from check_references(service)
    yield from check_followers(service, annexes.names)
    yield from check_configuration(service)
    yield from check_attachments(service, reads_bytes=reads_attachments)
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
    shown: CollectorRegistry | None = None,
    replica: Service | None = None,
) -> FastAPI:
    """The application over `service` and `annexes`; its arguments are those of `create_app`."""
    return create_app(
        service,
        wall=wall_now,
        registry=registry,
        shown=shown,
        sweeps=settings.scheduler,
        replica=replica,
        annexes=annexes,
        calls_per_minute=settings.calls_per_minute,
        import_quota=ImportQuota(settings.running_imports, settings.stored_import_bytes),
        session_limits=_session_limits(settings),
        openid=open_openid_sign_in(settings),
    )


def open_openid_sign_in(settings: Settings) -> "OpenIdSignIn | None":
    """The way to sign in at the configured OpenID provider; None without one. Raises NotReady for missing settings."""
    if not settings.oidc_issuer:
        return None
    # To load the libraries takes 0.2 s, and many installations have no provider.
    from complaints.api.accounts.openid_provider import OpenIdProvider, is_private_url
    from complaints.api.accounts.openid_sign_in import OpenIdSignIn

    addresses = {"OIDC_ISSUER": settings.oidc_issuer, "PUBLIC_URL": settings.public_url or ""}
    for name, address in addresses.items():
        if not is_private_url(address) or "?" in address or "#" in address:
            raise NotReady(
                f"COMPLAINTS_{name} must be an address with https, without query: set it for OpenID."
            )
    if not settings.oidc_client_id:
        raise NotReady("COMPLAINTS_OIDC_CLIENT_ID is missing: the provider knows this service by it.")
    secret = settings.oidc_client_secret
    provider = OpenIdProvider(
        settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        client_secret=secret.get_secret_value() if secret else None,
    )
    return OpenIdSignIn(provider, addresses["PUBLIC_URL"], settings.oidc_link_by_email)


def _session_limits(settings: Settings) -> SessionLimits:
    idle, absolute = settings.session_idle_seconds, settings.session_seconds
    return SessionLimits(timedelta(seconds=idle), timedelta(seconds=absolute))
