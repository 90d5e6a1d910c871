"""Common parts of the tests of storage, use cases and API: a seeded database on each engine, with a test clock."""

import re
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from shutil import rmtree
from tempfile import gettempdir
from typing import Any
from unittest.mock import patch
from uuid import uuid4

from fastapi import FastAPI
from httpx2 import Response
from pydantic import TypeAdapter
from sqlalchemy import Connection, Engine, QueuePool, event

from complaints.api.app import create_app
from complaints.api.complaints.routes import group_intake
from complaints.api.http import turns
from complaints.api.http.shared_answer import SharedAnswer
from complaints.api.problems.translations import find_translation
from complaints.domain.complaint.attachments import Attachment
from complaints.domain.complaint.facts import Complaint
from complaints.domain.scope import ALL_COMPLAINTS
from complaints.domain.vocabulary import AccessRole
from complaints.storage import load
from complaints.storage.blobs.directory import BlobDirectory
from complaints.storage.database import migrate
from complaints.storage.database.connections import open_engine
from complaints.storage.database.transactions import Database, Transaction
from complaints.storage.queries.audit import IdRange
from complaints.storage.queries.due_complaints import seconds_to_next_wake
from complaints.storage.rows import test_clock
from complaints.use_cases.access import SYSTEM, Caller
from complaints.use_cases.attachments.adding import NewAttachment, begin_upload
from complaints.use_cases.commands.complaints import CreateComplaint, ResolveAssumed, Transition
from complaints.use_cases.complaints import actions, intake
from complaints.use_cases.configuration import keys, policies
from complaints.use_cases.service import AttachmentStore, Configuration, Service, keep_configuration
from complaints.use_cases.upkeep.checks import check_range
from complaints.use_cases.upkeep.seeding import begin_audit, seed_database, shipped_policy
from complaints.use_cases.upkeep.sweep import SweepResult, sweep_until
from complaints.use_cases.upkeep.test_clock import is_sandbox
from complaints.use_cases.upkeep.violation import Violation
from complaints.wiring import new_id, open_annexes, wall_now
from complaints.wiring.faces import open_faces
from tests.api_client import ApiClient

START = datetime(2026, 1, 5, 1, 0, tzinfo=UTC)  # a Monday, 09:00 in Shanghai
ADMIN_SECRET = "test-secret-of-the-administrator"

_transition: TypeAdapter[Any] = TypeAdapter(Transition)


def make_template(url: str) -> None:
    """Bring the empty database at `url` to the newest schema, seed it as a sandbox, and close it."""
    engine = open_engine(url)
    migrate.upgrade(engine)
    database = Database(engine, lambda _connection: START)
    with database.begin() as tx:
        seed_database(tx)
        test_clock.start_sandbox(tx.connection, START)
        begin_audit(tx)
    made = Service(database, new_id)
    made.write(
        lambda tx: keys.create_key(
            made, tx, SYSTEM, name="bootstrap", roles=[AccessRole.ADMIN], secret=ADMIN_SECRET
        )
    )
    engine.dispose()


def sandbox_now(connection: Connection) -> datetime:
    """The test clock, read by the driver alone: each transaction of a test reads it, and so costs a third less."""
    driver: Any = connection.connection.driver_connection
    (now,) = driver.execute("SELECT now FROM sandbox_clock").fetchone()
    return datetime.fromisoformat(f"{now}+00:00") if connection.dialect.name == "sqlite" else now


# An engine keeps its compiled statements: the next test on the same database need not compile them again.
_kept_engine = lru_cache(maxsize=4)(open_engine)
_connected_engines: dict[str, Engine] = {}
# A service finds the seeded configuration of its database in memory, as one that was started before the test.
_SEEDED_VERSION = 2
_seeded: dict[str, Configuration] = {}


@contextmanager
def opened_service(
    url: str, *, attachments: Path | None = None, stays_connected: bool = False
) -> Iterator[Service]:
    """The engine on a database made by `make_template`. The default directory of attachments is a new one.

    With `stays_connected`, the next test on the same database finds open connections. On PostgreSQL these know its
    tables already; `disconnect` closes them.
    """
    if stays_connected and url not in _connected_engines:
        _connected_engines[url] = open_engine(url)
    database = Database(_connected_engines.get(url) or _kept_engine(url), sandbox_now)
    own = Path(gettempdir()) / f"attachments-{uuid4().hex}"  # the store makes it, and few tests need it
    store = AttachmentStore(BlobDirectory(attachments or own))
    cache = keep_configuration()
    cache._kept = _seeded.get(url)
    try:
        yield Service(database, new_id, cache, wall=wall_now, attachment_store=store)
    finally:
        if cache._kept and cache._kept.version == _SEEDED_VERSION:
            _seeded[url] = cache._kept
        _await_returns(database.engine)
        if not stays_connected:
            database.engine.dispose()
        if own.exists():
            rmtree(own)


def apply_calendar_zone(service: Service, zone: str) -> None:
    """Apply a version of the shipped policy whose calendar has another time zone than the policy."""
    text = shipped_policy("telecom-handbook").replace("hours: null", f"hours: null\n    timezone: {zone}")
    service.configure(lambda tx: policies.apply_policy(service, tx, SYSTEM, text))


def check_all(service: Service) -> list[Violation]:
    """Every breach of an invariant of a complaint."""
    return check_range(service, IdRange()).violations


def add_attachment(
    service: Service, caller: Caller, reference: str, file: NewAttachment, parts: Iterable[bytes]
) -> Attachment:
    """Add an attachment to a complaint as a request does. Raises as `begin_upload` and the methods of an upload."""
    with begin_upload(service, caller, reference, file) as upload:
        for part in parts:
            upload.write(part)
        upload.finish()
        return upload.keep(service.write(upload.record))


def is_any_due(tx: Transaction) -> bool:
    """True if the wake time of a complaint or other subject has come."""
    return seconds_to_next_wake(tx) <= 0


def disconnect(url: str) -> None:
    """Close the connections that tests left open, if there are any."""
    if engine := _connected_engines.pop(url, None):
        engine.dispose()


def _await_returns(engine: Engine) -> None:
    """Wait for threads that a stopped event loop left: a connection that comes back later is closed by nobody."""
    assert isinstance(engine.pool, QueuePool)
    end = time.monotonic() + 10
    while engine.pool.checkedout():
        assert time.monotonic() < end, engine.pool.status()
        time.sleep(0.005)


@contextmanager
def count_statements(service: Service) -> Iterator[list[tuple[str, Any]]]:
    """The statements that the database gets inside the block, with their parameters; `len` counts them.

    The look for newer reference data is left out: the clock decides when it comes.
    """
    executed: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, bound: Any, *_: Any) -> None:
        if not (statement.startswith("SELECT reference_version") and "FOR UPDATE" not in statement):
            executed.append((statement, bound))

    event.listen(service.database.engine, "before_cursor_execute", note)
    try:
        yield executed
    finally:
        event.remove(service.database.engine, "before_cursor_execute", note)


@dataclass(frozen=True)
class Scenario:
    """An engine on a fresh database, and short ways to register complaints and to act on them."""

    service: Service
    caller: Caller = SYSTEM

    def now(self) -> datetime:
        """The test clock."""
        found: datetime = self.service.read(lambda tx: tx.now)
        return found

    def advance(self, **delta: float) -> SweepResult:
        """Move the test clock. Everything on the way happens at its own time."""

        def move(tx: Any) -> SweepResult:
            target = tx.now + timedelta(**delta)
            swept = sweep_until(self.service, tx, target)
            test_clock.set_sandbox_now(tx.connection, target)
            return swept

        return self.service.write(move)

    def jump(self, **delta: float) -> datetime:
        """Move the test clock without a sweep, as after downtime."""

        def move(tx: Any) -> datetime:
            target = tx.now + timedelta(**delta)
            test_clock.set_sandbox_now(tx.connection, target)
            return target

        return self.service.write(move)

    def post(self, **members: Any) -> Complaint:
        """Register a complaint; channel phone and a subject unless given."""
        command = CreateComplaint.model_validate({"channel": "phone", "subject": "No signal", **members})
        made = self.service.write(lambda tx: intake.register_one(self.service, tx, self.caller, command))
        return made.complaint

    def act(self, complaint: Complaint, action: str, **members: Any) -> Complaint:
        """Take an action; raises its refusal."""
        return self._take(complaint, _transition.validate_python({"action": action, **members}))

    def resolve_assumed(self, complaint: Complaint) -> Complaint:
        """Resolve a complaint without naming an outcome, as a caller of TMF621 may (rule 1.20)."""
        members = {"action": "resolve", "resolution": "Repaired.", "cause": "technical"}
        return self._take(complaint, ResolveAssumed.model_validate(members))

    def _take(self, complaint: Complaint, command: Any) -> Complaint:
        reference = str(complaint.id)
        return self.service.write(
            lambda tx: actions.transition(self.service, tx, self.caller, reference, command, None)
        )

    def load(self, complaint: Complaint) -> Complaint:
        """The complaint as stored now."""
        return self.service.read(
            lambda tx: load.load_complaint(tx, complaint.id, scope=ALL_COMPLAINTS)
        ).complaint

    def key(self, *roles: AccessRole, source: str = "test", login: str | None = None) -> dict[str, str]:
        """The headers of a new key with these roles."""
        name = f"{'-'.join(roles)}-{new_id()}"
        _, secret = self.service.write(
            lambda tx: keys.create_key(
                self.service, tx, SYSTEM, name=name, roles=roles, source=source, login=login
            )
        )
        return {"Authorization": f"Bearer {secret}"}


_apps: list[FastAPI] = []  # to make one takes longer than most tests; it keeps no state but its engine


@contextmanager
def api_client(service: Service) -> Iterator[ApiClient]:
    """A client of the API over `engine`, with full rights. Its pages do not pause, as tests come one after another."""
    headers = {"Authorization": f"Bearer {ADMIN_SECRET}"}
    app = (
        _apps[0] if _apps else create_app(service, wall=wall_now, annexes=open_annexes(), faces=open_faces())
    )
    _apps[:] = [app]
    app.state.service = service
    app.state.intake = group_intake(service)
    app.state.readiness, app.state.shown_measures = SharedAnswer(), SharedAnswer()
    app.state.is_sandbox = is_sandbox(service)
    with (
        ApiClient(app, headers=headers, raise_server_exceptions=False) as client,
        patch.object(turns, "LEAST_PAUSE_SECONDS", 0.0),
        patch.object(turns, "PAUSE_SHARE", 0.0),
    ):
        client.event_hooks["response"].append(check_translations)
        yield client


_FIXED_TEXT = re.compile(rb'"(?:detail|message|refused_because)":')


def check_translations(response: Response) -> None:
    """Fail if a refusal or a reason in an English answer has no Chinese form in `messages_zh.toml`."""
    is_json = "json" in response.headers.get("content-type", "")
    if response.headers.get("content-language") != "en" or not is_json:
        return
    if not _FIXED_TEXT.search(response.read()) or response.url.path.startswith("/tmf-api/"):
        return  # its `message` puts texts together; `test_languages` knows each of them
    for text in _find_texts(response.json()):
        assert re.search("[一-鿿]", find_translation(text) or ""), f"messages_zh.toml lacks: {text}"


def _find_texts(body: Any) -> Iterator[str]:
    if isinstance(body, list):
        for item in body:
            yield from _find_texts(item)
    elif isinstance(body, dict):
        for name, member in body.items():
            if name in ("detail", "message", "refused_because") and member:
                yield member
            else:
                yield from _find_texts(member)
