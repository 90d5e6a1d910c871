"""The service on its database: for one command, for `serve` on a database that is seeded, and on a replica."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from uuid_utils.compat import uuid7

from complaints.settings import Settings
from complaints.storage.database.transactions import Database
from complaints.storage.rows import installation, test_clock
from complaints.storage.rows.seed import is_seeded
from complaints.use_cases.replica import Replica
from complaints.use_cases.service import Service, keep_configuration
from complaints.use_cases.upkeep.migrating import SchemaChange
from complaints.use_cases.upkeep.seeding import (
    begin_audit,
    ensure_first_key,
    seed_database,
    shipped_policies,
    shipped_policy,
)
from complaints.wiring import clocks
from complaints.wiring.annexes import declared_annexes
from complaints.wiring.attachments import open_attachment_store
from complaints.wiring.database import (
    check_schema,
    closed_on_failure,
    migrate_database,
    name_of,
    open_database,
    open_read_database,
)
from complaints.wiring.files import make_directory, read_text
from complaints.wiring.mail import read_mail_account
from complaints.wiring.not_ready import NotReady

KEY_FILE = "first-key"
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FirstKey:
    """The key that the first start made, and the path of its file."""

    secret: str
    path: str


def new_id() -> UUID:
    """A UUIDv7: unique, and increasing with time."""
    return uuid7()


def open_service(settings: Settings) -> Service:
    """The service on a database that exists and is migrated. Nothing is made. Raises NotReady."""
    with closed_on_failure(open_database(settings)) as database:
        check_schema(database)
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


def prepare(settings: Settings) -> tuple[Service, FirstKey | None]:
    """The service for `serve`, on a database that is seeded if it is fresh.

    An embedded database is made and migrated. Raises NotReady for a schema on which this program does not run.
    """
    policy = _first_policy(settings)  # before anything is made
    with closed_on_failure(open_database(settings, create=True)) as database:
        if settings.embedded:
            migrate_database(database)
        check_schema(database)
        return _seeded(settings, database, policy)


def migrate_and_seed(
    settings: Settings, *, force: bool = False
) -> tuple[Service, FirstKey | None, SchemaChange]:
    """Bring the database to the newest schema, and seed a fresh one. Raises NotReady.

    With `force`, running programs that the new schema does not allow are ignored.
    """
    policy = _first_policy(settings)
    with closed_on_failure(open_database(settings, create=True)) as database:
        change = migrate_database(database, force=force)
        return *_seeded(settings, database, policy), change


def open_replica(settings: Settings, primary: Service) -> Replica | None:
    """The replica that COMPLAINTS_READ_DATABASE_URL names, or None. It need not answer yet."""
    database = open_read_database(settings, primary.database.clock)
    if database is None:
        return None
    return Replica(database, primary.new_id, attachment_store=primary.attachment_store, primary=primary)


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


def _service(settings: Settings, database: Database) -> Service:
    """The service with the clock of its database. Raises NotReady if one is a sandbox and the other is not."""
    with database.read() as tx:
        is_sandbox = test_clock.find_sandbox_now(tx.connection) is not None
        demo = installation.find_demo(tx)
    if is_sandbox != settings.sandbox:
        raise NotReady(
            "This database is a sandbox: set COMPLAINTS_SANDBOX=1 to use it."
            if is_sandbox
            else "COMPLAINTS_SANDBOX=1 needs a database created so: take a fresh one."
        )
    if demo is not None:
        log.warning(
            "the complaints of this database are made up: it is a demo",
            extra={"seed": demo.seed, "until": demo.until.isoformat()},
        )
    if is_sandbox:
        database = Database(database.engine, clocks.sandbox_clock)
    return Service(
        database,
        new_id,
        keep_configuration(declared_annexes().subject_kinds),
        wall=clocks.wall_now,
        public_url=settings.public_url.rstrip("/") if settings.public_url else None,
        webhook_allow=settings.webhook_allow,
        mail=read_mail_account(settings),
        attachment_store=open_attachment_store(settings),
    )


def _first_key(settings: Settings, service: Service) -> FirstKey | None:
    given = settings.bootstrap_api_key
    secret = given.get_secret_value() if given else None
    made = service.write(lambda tx: ensure_first_key(service, tx, secret))
    service.cache.expire()
    if made is None or given is not None:
        return None
    path = settings.data_dir / KEY_FILE
    make_directory(settings.data_dir)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(made + "\n")
    return FirstKey(made, str(path))
