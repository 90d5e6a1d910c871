"""The promises of transactions, and the rows that both databases refuse from any writer."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, StatementError

from complaints.domain.errors import Unavailable
from complaints.domain.vocabulary import AccessRole
from complaints.storage.database.connections import open_engine
from complaints.storage.database.transactions import Database, Transaction
from complaints.storage.rows import all_tables, configuration
from complaints.storage.rows.test_clock import sandbox_clock
from complaints.use_cases.access import SYSTEM
from complaints.use_cases.attachments.adding import NewAttachment
from complaints.use_cases.commands.complaints import AddLink, MakePromise
from complaints.use_cases.complaints import notes_and_links, promises
from complaints.use_cases.service import keep_configuration
from tests.features.reviews.feature import KIND, ask
from tests.support import START, Scenario, add_attachment, opened_service

# Transactions -----------------------------------------------------------------------------------------


def test_a_block_that_raises_leaves_nothing(scenario: Scenario) -> None:
    database = scenario.service.database

    def work() -> None:
        with database.begin() as tx:
            tx.connection.execute(text("UPDATE team SET active = false"))
            raise LookupError

    with pytest.raises(LookupError):
        work()
    with database.read() as tx:
        assert tx.connection.execute(text("SELECT count(*) FROM team WHERE active")).scalar_one() == 3


def test_a_block_that_ends_is_kept(scenario: Scenario) -> None:
    with scenario.service.database.begin() as tx:
        tx.connection.execute(text("UPDATE team SET active = false WHERE code = 'operations'"))
    with scenario.service.database.read() as tx:
        assert tx.connection.execute(text("SELECT count(*) FROM team WHERE active")).scalar_one() == 2


def test_the_clock_is_read_once_in_a_transaction(scenario: Scenario) -> None:
    read: list[datetime] = []

    def ticking(_connection: Any) -> datetime:
        read.append(START + timedelta(seconds=len(read)))
        return read[-1]

    database = Database(scenario.service.database.engine, ticking)
    for open_transaction in (database.begin, database.read):
        with open_transaction() as tx:
            assert tx.now == read[-1]
            tx.connection.execute(text("SELECT 1"))
            assert tx.now == read[-1]
    assert len(read) == 2


def test_a_reader_sees_one_state(scenario: Scenario) -> None:
    database = scenario.service.database
    count = text("SELECT count(*) FROM complaint")
    with database.read() as tx:
        before = tx.connection.execute(count).scalar_one()
        scenario.post()
        assert tx.connection.execute(count).scalar_one() == before
    with database.read() as tx:
        assert tx.connection.execute(count).scalar_one() == before + 1


def test_a_reader_on_postgresql_cannot_write(migrated_database_url: Callable[[str], str]) -> None:
    with opened_service(migrated_database_url("postgresql")) as service:
        database = service.database
        with database.read() as tx, pytest.raises(sa.exc.DBAPIError, match="read-only"):
            tx.connection.execute(text("UPDATE team SET active = false"))


def test_a_database_out_of_reach_is_unavailable() -> None:
    database = Database(open_engine("postgresql://nobody@127.0.0.1:1/nothing"), lambda _connection: START)
    with pytest.raises(Unavailable), database.begin():
        pytest.fail("there is no such database")


SQLITE = {"foreign_keys": 1, "journal_mode": "wal", "synchronous": 2, "busy_timeout": 30000}
POSTGRESQL = {
    "TimeZone": "UTC",
    "lock_timeout": "10s",
    "statement_timeout": "1min",
    "idle_in_transaction_session_timeout": "5s",
}


@pytest.mark.parametrize(
    ("name", "ask", "settings"), [("sqlite", "PRAGMA", SQLITE), ("postgresql", "SHOW", POSTGRESQL)]
)
def test_every_connection_is_set_up(
    migrated_database_url: Callable[[str], str], name: str, ask: str, settings: dict[str, object]
) -> None:
    with opened_service(migrated_database_url(name)) as service:
        for open_transaction in (service.database.begin, service.database.read):
            with open_transaction() as tx:
                found = {key: tx.connection.exec_driver_sql(f"{ask} {key}").scalar_one() for key in settings}
            assert found == settings


def test_a_transaction_left_idle_is_ended_after_many_rows_too(
    migrated_database_url: Callable[[str], str],
) -> None:
    """A frozen process must not keep its locks. In a pipeline of psycopg it would."""
    calendars: list[dict[str, Any]] = [{"code": code, "document": {}} for code in ("one", "two")]

    def dawdle(database: Database) -> None:
        with database.begin() as tx:
            tx.connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = '100ms'")
            tx.connection.execute(sa.insert(configuration.calendar), calendars)
            time.sleep(0.5)
            tx.connection.exec_driver_sql("SELECT 1")

    with opened_service(migrated_database_url("postgresql")) as service, pytest.raises(Unavailable):
        dawdle(service.database)


# Instants ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "instant",
    [
        datetime(2026, 11, 22, 9, 0, tzinfo=timezone(timedelta(hours=8))),
        datetime(2026, 11, 22, 9, 0, 0, 123456, tzinfo=timezone(-timedelta(hours=9, minutes=30))),
        datetime(2026, 11, 22, 1, 0, tzinfo=UTC),
    ],
)
def test_an_instant_comes_back_as_the_same_in_utc(scenario: Scenario, instant: datetime) -> None:
    with scenario.service.database.begin() as tx:
        tx.connection.execute(sa.update(sandbox_clock).values(now=instant))
        stored = tx.connection.execute(sa.select(sandbox_clock.c.now)).scalar_one()
        found = sa.select(sandbox_clock.c.id).where(sandbox_clock.c.now == instant.astimezone(UTC))
        assert (stored, stored.tzinfo) == (instant, UTC)
        assert tx.connection.execute(found).scalar_one() == 1


def test_instants_compare_as_instants_whatever_their_zone(scenario: Scenario) -> None:
    """09:00 in Shanghai is before 02:00 in London, but not in the order of the texts."""
    shanghai = datetime(2026, 11, 22, 9, 0, tzinfo=timezone(timedelta(hours=8)))
    with scenario.service.database.begin() as tx:
        tx.connection.execute(sa.update(sandbox_clock).values(now=shanghai))
        due = sa.select(sandbox_clock.c.id).where(
            sandbox_clock.c.now < datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
        )
        assert tx.connection.execute(due).scalar_one() == 1


def test_an_instant_without_a_zone_is_refused(scenario: Scenario) -> None:
    naive = START.replace(tzinfo=None)
    with (
        scenario.service.database.begin() as tx,
        pytest.raises(StatementError, match="an instant needs a zone"),
    ):
        tx.connection.execute(sa.update(sandbox_clock).values(now=naive))


# Nonsense ---------------------------------------------------------------------------------------------

_OTHER = "(SELECT id FROM complaint WHERE subject = 'Other')"
_OURS = "(SELECT id FROM complaint WHERE subject = 'Ours')"
_REVIEW = "(SELECT id FROM subject)"
_NOBODY = "'00000000000000000000000000000000'"
_RUNNING = "status = 'running' AND kind = 'resolution'"
_MET = "status = 'met', wake_at = NULL"
_CLOSED = "status = 'closed', ended_at = created_at"
_LATE = "met_at = due_at, breached_at = due_at"
# A row, and the constraint that refuses it.
CHECKED = [
    ("UPDATE complaint SET version = 0", "ck_complaint__version"),
    ("UPDATE complaint SET cycle = 0", "ck_complaint__cycle"),
    ("UPDATE follower SET after = -1", "ck_follower__after"),
    (("INSERT INTO figure_exposure (measure, group_by, key, from_day, value, source, recorded_at, recorded_by)"
     f" SELECT 'users', '', '', 1, -1, 'x', created_at, 'key:x' FROM complaint WHERE id = {_OURS}"),
     "ck_figure_exposure__value"),
    ("UPDATE schema_support SET id = 2", "ck_schema_support__one_row"),
    ("UPDATE installation SET id = 2", "ck_installation__one_row"),
    ("UPDATE installation SET demo_seed = 1", "ck_installation__demo"),
    ("UPDATE complaint SET priority = 5", "ck_complaint__priority"),
    ("UPDATE complaint SET priority = 0", "ck_complaint__priority"),
    ("UPDATE complaint SET csat = 6", "ck_complaint__csat"),
    ("UPDATE complaint SET nps = 11", "ck_complaint__nps"),
    ("UPDATE complaint SET compensation_amount = '5'", "ck_complaint__compensation"),
    (f"UPDATE complaint SET merged_into = {_OTHER} WHERE id = {_OURS}", "ck_complaint__merged_into"),
    ("UPDATE complaint SET status = 'merged', ended_at = created_at, wake_at = NULL, next_due_at = NULL",
     "ck_complaint__merged_into"),
    ("UPDATE complaint SET ended_at = created_at, wake_at = NULL, next_due_at = NULL",
     "ck_complaint__ended_at"),
    ("UPDATE complaint SET status = 'closed', wake_at = NULL, next_due_at = NULL", "ck_complaint__ended_at"),
    (f"UPDATE complaint SET {_CLOSED}, next_due_at = NULL",
     "ck_complaint__ended_is_still"),
    (f"UPDATE complaint SET {_CLOSED}, wake_at = NULL, next_due_at = created_at",
     "ck_complaint__ended_is_still"),
    (f"UPDATE deadline SET {_MET} WHERE {_RUNNING}", "ck_deadline__met_has_time"),
    (f"UPDATE deadline SET met_at = due_at WHERE {_RUNNING}", "ck_deadline__met_has_time"),
    (f"UPDATE deadline SET {_MET}, met_at = due_at, due_at = started_at WHERE {_RUNNING}",
     "ck_deadline__met_in_time"),
    (f"UPDATE deadline SET status = 'met_late', wake_at = NULL, {_LATE} WHERE {_RUNNING}",
     "ck_deadline__met_late"),
    (f"UPDATE deadline SET status = 'breached' WHERE {_RUNNING}", "ck_deadline__breach_has_time"),
    (f"UPDATE deadline SET status = 'paused' WHERE {_RUNNING}", "ck_deadline__paused_has_end"),
    (f"UPDATE deadline SET paused_until = due_at WHERE {_RUNNING}", "ck_deadline__paused_has_end"),
    (f"UPDATE deadline SET status = 'cancelled' WHERE {_RUNNING}", "ck_deadline__done_is_still"),
    ("UPDATE deadline SET attempt = 0", "ck_deadline__counts"),
    ("UPDATE deadline SET sequence = 0", "ck_deadline__counts"),
    ("UPDATE deadline SET cycle = 0", "ck_deadline__counts"),
    ("UPDATE deadline SET paused_seconds = -1", "ck_deadline__paused_seconds"),
    ("UPDATE hold SET until_at = started_at", "ck_hold__ends_after_start"),
    ("UPDATE hold SET ended_at = started_at, started_at = until_at, until_at = '2999-01-01T00:00:00Z'",
     "ck_hold__ended_after_start"),
    ("UPDATE escalation SET planned_at = '2999-01-01T00:00:00Z'", "ck_escalation__none_before_its_time"),
    ("UPDATE escalation SET level = -1", "ck_escalation__level"),
    ("UPDATE escalation SET acknowledged_at = taken_at", "ck_escalation__acknowledged"),
    ("UPDATE escalation SET acknowledged_by = 'user:admin'", "ck_escalation__acknowledged"),
    ("UPDATE escalation SET kind = NULL", "ck_escalation__kind"),
    ("UPDATE escalation SET deadline_id = NULL WHERE kind IS NOT NULL", "ck_escalation__kind"),
    ("UPDATE link SET other_id = complaint_id", "ck_link__not_itself"),
    (f"UPDATE event SET subject_id = {_REVIEW} WHERE complaint_id IS NOT NULL", "ck_event__one_subject"),
    ("UPDATE deadline SET subject_id = NULL, complaint_id = NULL", "ck_deadline__one_subject"),
    ("UPDATE escalation SET complaint_id = NULL WHERE subject_id IS NULL", "ck_escalation__one_subject"),
    (f"UPDATE link SET subject_id = {_REVIEW}", "ck_link__one_subject"),
    ("UPDATE link SET other_id = NULL", "ck_link__one_other"),
    (f"UPDATE link SET complaint_id = NULL, subject_id = {_REVIEW}, other_id = NULL, other_subject_id = {_REVIEW}",
     "ck_link__subject_not_itself"),
    ("UPDATE subject SET version = 0", "ck_subject__version"),
    ("UPDATE subject SET cycle = 0", "ck_subject__cycle"),
    ("UPDATE subject SET ended_at = created_at", "ck_subject__ended_is_still"),
    ("UPDATE party SET role = 'bystander'", "ck_party__role"),
    ("UPDATE policy SET version = 0", "ck_policy__version"),
    ("UPDATE reference_version SET id = 2", "ck_reference_version__single"),
    ("UPDATE event_text SET subject_id = complaint_id", "ck_event_text__one_owner"),
    ("UPDATE event_text SET complaint_id = NULL", "ck_event_text__one_owner"),
    ("UPDATE sandbox_clock SET id = 2", "ck_sandbox_clock__single"),
    ("UPDATE user_account SET absent_until = '2026-01-01T00:00:00Z'", "ck_user_account__absence_begins"),
    ("UPDATE import_job SET status = 'lost', finished_at = created_at", "ck_import_job__status"),
    ("UPDATE import_job SET stopped_because = 'no key'", "ck_import_job__stopped_because"),
    ("UPDATE import_job SET status = 'completed'", "ck_import_job__finished_at"),
    ("UPDATE import_job SET finished_at = created_at", "ck_import_job__finished_at"),
    ("UPDATE import_job SET done = done + 1", "ck_import_job__adds_up"),
    ("UPDATE import_job SET done = rows + 1, accepted = rows + 1", "ck_import_job__adds_up"),
    (("INSERT INTO leaving (login, started_at, started_by, total, done)"
     f" SELECT 'admin', created_at, 'key:x', 1, 2 FROM complaint WHERE id = {_OURS}"), "ck_leaving__progress"),
    (("INSERT INTO provider_identity (login, issuer, linked_at, linked_by)"
     f" SELECT 'admin', 'https://a.example', created_at, 'key:x' FROM complaint WHERE id = {_OURS}"),
     "ck_provider_identity__whole"),
    ("UPDATE attachment SET size = -1", "ck_attachment__size"),
    (("INSERT INTO saved_view (id, name, page, query, owner, is_home, saved_at)"
     f" SELECT id, '', 'overdue', '', 'admin', false, created_at FROM complaint WHERE id = {_OURS}"),
     "ck_saved_view__name"),
    ("UPDATE attachment SET name = NULL", "ck_attachment__erased_name"),
    ("UPDATE attachment SET erased_at = created_at", "ck_attachment__erased_name"),
    ("UPDATE attachment SET emptied_at = created_at", "ck_attachment__emptied_at"),
    ("UPDATE attachment SET finding = 'a virus'", "ck_attachment__finding"),
]  # fmt: skip
UNIQUE = [
    ("UPDATE complaint SET sequence = 1", "complaint", "sequence"),
    ("UPDATE complaint SET source = 'cc', external_id = 'CALL-1'", "complaint", "external_id"),
    ("UPDATE complaint SET import_digest = 'same'", "complaint", "import_digest"),
    (
        f"INSERT INTO complaint_external_id SELECT external_id, system, {_OURS} FROM complaint_external_id",
        "complaint_external_id",
        "external_id",
    ),
    (f"UPDATE deadline SET kind = 'promise' WHERE complaint_id = {_OURS}", "deadline", "complaint_id"),
    ("UPDATE escalation SET step = '50%'", "escalation", "deadline_id"),
    (f"UPDATE event SET ordinal = 1 WHERE complaint_id = {_OURS}", "event", "complaint_id"),
    (f"UPDATE event_text SET ordinal = 1 WHERE complaint_id = {_OURS}", "event_text", "complaint_id"),
    (
        f"UPDATE event_text SET subject_id = {_OURS}, complaint_id = NULL, ordinal = 1",
        "event_text",
        "subject_id",
    ),
    (f"UPDATE hold SET complaint_id = {_OURS}", "hold", "complaint_id"),
    ("UPDATE api_key SET name = 'one name'", "api_key", "name"),
    ("UPDATE api_key SET secret_digest = 'one digest'", "api_key", "secret_digest"),
]
REFERRING = [
    (f"UPDATE deadline SET complaint_id = {_NOBODY} WHERE kind = 'promise'", "fk_deadline__complaint_id"),
    (f"UPDATE hold SET complaint_id = {_NOBODY} WHERE complaint_id = {_OURS}", "fk_hold__complaint_id"),
    (f"UPDATE attachment SET complaint_id = {_NOBODY}", "fk_attachment__complaint_id"),
    (
        f"UPDATE escalation SET deadline_id = {_NOBODY} WHERE step = '50%' AND complaint_id = {_OURS}",
        "fk_escalation__deadline_id",
    ),
    ("UPDATE escalation SET team = 'nobody'", "fk_escalation__team"),
    ("UPDATE escalation_recipient SET login = 'nobody'", "fk_escalation_recipient__login"),
    (
        f"UPDATE event SET complaint_id = {_NOBODY} WHERE ordinal = 1 AND complaint_id = {_OURS}",
        "fk_event__complaint_id",
    ),
    (
        f"UPDATE event_text SET complaint_id = {_NOBODY} WHERE complaint_id = {_OURS} AND ordinal = 1",
        "fk_event_text__complaint_id",
    ),
    (f"UPDATE party SET complaint_id = {_NOBODY}", "fk_party__complaint_id"),
    (f"UPDATE link SET other_id = {_NOBODY}", "fk_link__other_id"),
    (f"UPDATE complaint_tag SET complaint_id = {_NOBODY}", "fk_complaint_tag__complaint_id"),
    ("UPDATE api_key SET login = 'nobody'", "fk_api_key__login"),
    ("UPDATE team SET lead = 'nobody'", "fk_team__lead"),
    ("UPDATE subject SET team = 'nobody'", "fk_subject__team"),
    ("UPDATE subject SET owner = 'nobody'", "fk_subject__owner"),
    ("UPDATE subject SET policy_version = 99", "fk_subject__policy_code_policy_version"),
    (f"UPDATE event SET subject_id = {_NOBODY} WHERE subject_id IS NOT NULL", "fk_event__subject_id"),
    (f"UPDATE deadline SET subject_id = {_NOBODY} WHERE subject_id IS NOT NULL", "fk_deadline__subject_id"),
    (
        f"UPDATE link SET other_id = NULL, other_subject_id = {_NOBODY}",
        "fk_link__other_subject_id",
    ),
    ("UPDATE team SET department = 'nowhere'", "fk_team__department"),
    ("DELETE FROM deadline", "fk_"),
    ("DELETE FROM complaint", "fk_"),
]
_ENUMS = [
    (column, f"ck_{column.table.name}__{column.type.name}")
    for table in all_tables.metadata.sorted_tables
    for column in table.c
    if isinstance(column.type, sa.Enum) and column.type.create_constraint
]


@pytest.fixture
def furnished(scenario: Scenario) -> Scenario:
    """A scenario with rows in every table that has a constraint."""
    other = scenario.post(subject="Other", source="cc", external_id="CALL-1")
    ours = scenario.post(
        subject="Ours",
        source="cc",
        category="network.outage",
        tags=["vip"],
        complainant={"phone": "+8613800000000"},
    )
    for complaint in (ours, other):
        scenario.act(complaint, "respond", message="We look.", contact_channel="phone")
        scenario.act(complaint, "hold", reason="outage", until="2026-01-08T00:00:00Z")
    link = AddLink.model_validate({"type": "related", "complaint_id": str(other.id)})
    promise = MakePromise.model_validate({"text": "A call", "due_at": "2026-01-09T00:00:00Z"})
    scenario.service.write(
        lambda tx: notes_and_links.add_link(scenario.service, tx, SYSTEM, str(ours.id), link)
    )
    scenario.service.write(
        lambda tx: promises.make_promise(scenario.service, tx, SYSTEM, str(ours.id), promise)
    )
    photo = NewAttachment("photo.jpg", "image/jpeg")
    add_attachment(scenario.service, SYSTEM, str(ours.id), photo, [b"x"])
    with_reviews = replace(scenario.service, cache=keep_configuration({KIND.name: KIND}))
    with_reviews.write(lambda tx: ask(with_reviews, tx, SYSTEM, since=tx.now + timedelta(days=9)))
    scenario.advance(hours=42)
    scenario.key(AccessRole.AUDITOR)
    scenario.service.write(_add_import)
    scenario.service.write(lambda tx: all_tables.follower.insert_follower(tx, "annex", after=1))
    return scenario


def _add_import(tx: Transaction) -> None:
    tx.connection.execute(
        sa.insert(all_tables.import_job.import_job).values(
            id=tx.connection.execute(text(f"SELECT {_OURS}")).scalar_one()
            if tx.connection.dialect.name == "postgresql"
            else sa.text(_OURS),
            status="running",
            media_type="text/csv",
            options=[],
            dry_run=False,
            source="import",
            key_name="test",
            key_roles=[],
            content=b"",
            rows=3,
            done=2,
            accepted=1,
            duplicates=1,
            failed=0,
            created_at=tx.now,
        )
    )


def _refusal(scenario: Scenario, statement: str | sa.Executable) -> str:
    statement = text(statement) if isinstance(statement, str) else statement
    with pytest.raises(IntegrityError) as refused, scenario.service.database.engine.begin() as connection:
        connection.execute(statement)
    return str(refused.value.orig)


def test_the_database_refuses_what_contradicts_itself(furnished: Scenario) -> None:
    for statement, constraint in CHECKED:
        assert constraint in _refusal(furnished, statement), statement


def test_the_database_refuses_words_that_are_none(furnished: Scenario) -> None:
    for column, constraint in _ENUMS:
        statement = f"UPDATE {column.table.name} SET {column.name} = 'nonsense'"
        assert constraint in _refusal(furnished, statement), statement


def test_the_database_refuses_what_is_there(furnished: Scenario) -> None:
    for statement, table, column in UNIQUE:
        said = _refusal(furnished, statement)
        assert "unique constraint" in said.lower()
        assert table in said
        assert column in said


def test_the_database_refuses_what_refers_to_nothing(furnished: Scenario) -> None:
    for statement, constraint in REFERRING:
        said = _refusal(furnished, statement)
        named = furnished.service.database.is_postgresql
        assert (constraint if named else "FOREIGN KEY") in said, statement


def test_the_database_refuses_what_is_missing(furnished: Scenario) -> None:
    for table in all_tables.metadata.sorted_tables:
        for column in table.c:
            if not column.nullable and not column.primary_key and _has_rows(furnished, table):
                said = _refusal(furnished, sa.update(table).values({column.name: sa.null()}))
                assert "null" in said.lower(), column


def _has_rows(scenario: Scenario, table: sa.Table) -> bool:
    with scenario.service.database.read() as tx:
        return tx.connection.execute(sa.select(sa.literal(1)).select_from(table)).first() is not None


def test_no_check_is_left_out_above() -> None:
    tried = {constraint for _, constraint in CHECKED} | {constraint for _, constraint in _ENUMS}
    known = {
        constraint.name
        for table in all_tables.metadata.sorted_tables
        for constraint in table.constraints
        if isinstance(constraint, sa.CheckConstraint)
    }
    assert known == tried
