"""`complaints check` finds nothing in an honest database, and every breach that is planted."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import Enum, Text, literal, select, text, type_coerce, update

from complaints.domain.complaint.facts import Complaint
from complaints.domain.vocabulary import AccessRole, LinkType
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows.complaint import complaint
from complaints.storage.rows.deadline import deadline
from complaints.storage.rows.escalation import escalation
from complaints.use_cases.commands.complaints import Acknowledge, AddLink, MakePromise
from complaints.use_cases.complaints.escalations import acknowledge
from complaints.use_cases.complaints.notes_and_links import add_link
from complaints.use_cases.complaints.promises import make_promise
from complaints.use_cases.upkeep.checks import check_feed
from complaints.use_cases.upkeep.configuration_checks import check_configuration
from complaints.use_cases.upkeep.sweep import sweep_once
from tests.planting import planted
from tests.support import Scenario, check_all


@pytest.fixture
def filled_scenario(scenario: Scenario) -> Scenario:
    """A database with complaints in every stage."""
    for _ in range(3):
        scenario.post(category="network.outage", tags=["vip"])
    worked = scenario.post(severity="critical", complainant={"phone": "+8613800000000"})
    scenario.act(worked, "respond", message="We look.", contact_channel="phone")
    scenario.act(worked, "hold", reason="awaiting_complainant", until="2026-01-07T00:00:00Z")
    scenario.advance(hours=30)
    done = scenario.post()
    scenario.act(done, "resolve", resolution="Fixed", outcome="upheld", cause="technical")
    scenario.act(done, "notify_result", message="Fixed", contact_channel="sms")
    scenario.advance(days=31)
    scenario.act(done, "record_contact", outcome="not_solved", note="It is back.")
    scenario.resolve_assumed(scenario.post())
    withdrawn = scenario.post()
    scenario.act(withdrawn, "withdraw", reason="solved itself")
    scenario.act(worked, "escalate", reason="a call for help", role="team_lead")
    _promise_link_and_acknowledge(scenario, worked, done)
    scenario.post(external_ids={"crm": "K-1"})
    for subject in ("No signal", "Still no signal"):
        scenario.post(external_id="A-1", subject=subject)
    scenario.advance(hours=25)
    return scenario


def _promise_link_and_acknowledge(scenario: Scenario, worked: Complaint, done: Complaint) -> None:
    service, caller, number = scenario.service, scenario.caller, str(worked.id)
    promise = MakePromise(text="We call back.", due_at=scenario.now() + timedelta(hours=30))
    link = AddLink(type=LinkType.RELATED, complaint_id=str(done.id))

    def work(tx: Transaction) -> None:
        make_promise(service, tx, caller, number, promise)
        add_link(service, tx, caller, number, link)
        steps = select(escalation.c.id).where(escalation.c.complaint_id == worked.id).limit(1)
        found = tx.connection.execute(steps).scalar_one()
        acknowledge(service, tx, caller, found, Acknowledge(note="I take it."))

    service.write(work)


PLANTED = [
    ("UPDATE event SET data = replace(data, 'received', 'resolved')", "history unbroken"),
    ("UPDATE event SET actor = 'user:nobody' WHERE ordinal = 1", "history unbroken"),
    ("DELETE FROM event WHERE ordinal = 2", "history unbroken"),
    ("UPDATE complaint SET subject = 'something else'", "state is history"),
    ("UPDATE deadline SET due_at = started_at WHERE status = 'breached'", "state is history"),
    ("UPDATE complaint SET wake_at = NULL", "columns follow"),
    ("UPDATE complaint SET overdue_after_at = NULL", "columns follow"),
    ("UPDATE complaint SET escalation_level = 7", "columns follow"),
    ("UPDATE complaint SET version = 1", "state is history"),
    ("UPDATE event SET sequence = -sequence", "history unbroken"),
    ("DELETE FROM complaint_tag", "index follows"),
    ("DELETE FROM complaint_external_id", "index follows"),
    ("DELETE FROM complaint_external_id WHERE external_id = 'A-1'", "index follows"),
    ("UPDATE complaint SET events_after = events_after + 1000", "history unbroken"),
    ("DELETE FROM contact_digest", "words known"),
    ("DELETE FROM complaint_search", "index follows"),
    ("DELETE FROM link", "links recorded"),
    ("UPDATE link SET type = 'duplicate_of'", "links recorded"),
    ("UPDATE party SET phone = '+8613800000001'", "persons recorded"),
    ("DELETE FROM party", "persons recorded"),
    ("UPDATE promise SET text = 'Nothing'", "promises recorded"),
    ("UPDATE promise SET made_by = 'user:nobody'", "promises recorded"),
    ("DELETE FROM hold", "holds recorded"),
    ("UPDATE deadline SET wake_at = NULL WHERE kind = 'promise'", "nothing forgotten"),
    ("UPDATE user_account SET active = false", "nothing forgotten"),
    ("UPDATE deadline SET wake_at = NULL WHERE status = 'breached'", "nothing forgotten"),
    ("UPDATE escalation SET level = 3 WHERE step = 'manual'", "steps recorded"),
    ("UPDATE escalation SET planned_at = taken_at", "steps recorded"),
    ("UPDATE escalation SET recipients = '[\"nobody\"]'", "steps recorded"),
    (
        "UPDATE escalation SET acknowledged_by = 'user:nobody' WHERE acknowledged_at IS NOT NULL",
        "steps recorded",
    ),
    ("UPDATE escalation SET acknowledged_at = NULL, acknowledged_by = NULL", "steps recorded"),
    ("DELETE FROM escalation_recipient", "steps recorded"),
    (
        "UPDATE deadline SET status = 'cancelled', wake_at = NULL, paused_until = NULL, met_at = NULL",
        "nothing forgotten",
    ),
    ("UPDATE escalation SET step = 'other' WHERE step = '50%'", "steps taken once"),
    ("UPDATE escalation SET settled_at = taken_at", "steps settled"),
    ("UPDATE deadline SET repetitions = 2 WHERE status = 'breached'", "steps taken once"),
    ("UPDATE escalation SET recipients = '[]'", "steps heard"),
    ("UPDATE complaint SET parked_at = created_at", "deadlines in time"),
    (
        "UPDATE complaint SET team = 'nobody', category = 'nothing', assignee = 'no one', first_owner = 'none'",
        "references hold",
    ),
    ("UPDATE complaint SET policy_version = 99", "references hold"),
    ("UPDATE deadline SET policy_code = 'none'", "references hold"),
    ("DELETE FROM policy", "references hold"),
    (
        "UPDATE deadline SET target = 'soon' WHERE complaint_id = (SELECT complaint_id FROM hold LIMIT 1)",
        "readable",
    ),
]


def test_only_what_is_planted_is_found(filled_scenario: Scenario, subtests: pytest.Subtests) -> None:
    service = filled_scenario.service
    assert list(check_all(service)) == []
    for statement, invariant in PLANTED:
        with subtests.test(statement), planted(service, statement) as spoilt:
            assert invariant in {violation.invariant for violation in check_all(spoilt)}
    assert list(check_all(service)) == []


def test_each_reference_to_nothing_is_named(scenario: Scenario) -> None:
    scenario.post(category="network.outage")
    planted = "UPDATE complaint SET team = 'a', category = 'b', assignee = 'c', first_owner = 'd', policy_version = 9"
    with scenario.service.database.begin() as tx:
        tx.connection.execute(text(planted))
        tx.connection.execute(text("UPDATE deadline SET policy_version = 8"))
    found = [one.message for one in check_all(scenario.service) if one.invariant == "references hold"]
    assert [re.sub("policy '.*' ", "policy ", message) for message in found] == [
        "there is no policy version 8",
        "there is no policy version 9",
        "there is no team 'a'",
        "there is no category 'b'",
        "there is no user 'c'",
        "there is no user 'd'",
    ]


UNCHECKED_WORDS = [
    column
    for table in (complaint, deadline)
    for column in table.c
    if isinstance(column.type, Enum) and not column.type.create_constraint
]


def test_a_word_that_is_not_registered_is_found(scenario: Scenario) -> None:
    """The database has no list of the words of these columns."""
    assert {"status", "channel", "kind"} <= {column.name for column in UNCHECKED_WORDS}
    scenario.post()
    for column in UNCHECKED_WORDS:
        table, word = column.table, type_coerce(column, Text)
        with scenario.service.database.begin() as tx:
            row_id, before = tx.connection.execute(select(table.c.id, word).limit(1)).one()
            row = update(table).where(table.c.id == row_id)
            tx.connection.execute(row.values({column: literal("nonsense", Text)}))
        assert "readable" in {violation.invariant for violation in check_all(scenario.service)}, column
        with scenario.service.database.begin() as tx:
            tx.connection.execute(row.values({column: literal(before, Text)}))
    assert list(check_all(scenario.service)) == []


def test_a_complaint_that_was_deleted_with_all_its_rows_leaves_a_gap_on_sqlite(
    scenario: Scenario, subtests: pytest.Subtests
) -> None:
    service = scenario.service
    first, _, last = [scenario.post() for _ in range(3)]
    assert list(check_feed(service)) == []
    for deleted in (first, last):
        one = f"complaint_id = (SELECT id FROM complaint WHERE sequence = {deleted.sequence})"
        numbers = service.read(lambda tx, of=one: _numbers(tx, of))
        with subtests.test(deleted.sequence), planted(service, f"DELETE FROM event WHERE {one}") as spoilt:
            found = [violation.message for violation in check_feed(spoilt)]
            if service.database.is_postgresql:
                assert found == []
            else:
                assert re.search(rf"numbers? {numbers[0]} .* missing", found[0])


def _numbers(tx: Transaction, of: str) -> list[int]:
    return list(
        tx.connection.execute(text(f"SELECT sequence FROM event WHERE {of} ORDER BY sequence")).scalars()
    )


def test_deadlines_that_stand_still_are_found(filled_scenario: Scenario) -> None:
    filled_scenario.post()
    filled_scenario.jump(hours=13)
    assert {violation.invariant for violation in check_all(filled_scenario.service)} == {"deadlines in time"}
    while sweep_once(filled_scenario.service).complaints:
        pass
    assert list(check_all(filled_scenario.service)) == []


TAMPERED = [
    (
        """UPDATE api_key SET roles = '["admin"]'""",
        "configuration recorded: key .* audit log says: roles",
    ),
    (
        "UPDATE api_key SET secret_digest = name",
        "configuration recorded: key .* audit log says: secret_digest",
    ),
    (
        "UPDATE policy SET document = '{}'",
        "configuration recorded: policy telecom-handbook/1 .*: document",
    ),
    ("UPDATE policy SET text = ''", "configuration recorded: policy telecom-handbook/1 .*: text"),
    ("UPDATE user_account SET email = 'x@y.example'", "configuration recorded: user admin .*: email"),
    ("DELETE FROM audit_event WHERE sequence = 2", "audit log unbroken: after entry 1 .* comes entry 3"),
    ("UPDATE audit_event SET actor = 'user:x'", "audit log unbroken: entry 1 .* not what was written"),
    ("DELETE FROM audit_event", "configuration recorded: .* has no entry in the audit log"),
]


def test_only_what_is_planted_in_the_configuration_is_found(
    scenario: Scenario, subtests: pytest.Subtests
) -> None:
    scenario.key(AccessRole.AGENT)
    assert list(check_configuration(scenario.service)) == []
    for statement, found in TAMPERED:
        with subtests.test(statement), planted(scenario.service, statement) as spoilt:
            said = [f"{one.invariant}: {one.message}" for one in check_configuration(spoilt)]
            assert any(re.fullmatch(found, one) for one in said), said
