"""`complaints check` finds nothing in an honest database, and every breach that is planted."""

import pytest
from sqlalchemy import text

from complaints.use_cases.upkeep.checks import check_all
from complaints.use_cases.upkeep.sweep import sweep_once
from tests.support import Scenario


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
    withdrawn = scenario.post()
    scenario.act(withdrawn, "withdraw", reason="solved itself")
    scenario.advance(days=1)
    return scenario


def test_an_honest_database_has_no_findings(filled_scenario: Scenario) -> None:
    assert list(check_all(filled_scenario.service)) == []


@pytest.mark.parametrize(
    ("planted", "invariant"),
    [
        ("UPDATE event SET data = replace(data, 'received', 'resolved')", "history unbroken"),
        ("UPDATE event SET actor = 'user:nobody' WHERE ordinal = 1", "history unbroken"),
        ("DELETE FROM event WHERE ordinal = 2", "history unbroken"),
        ("UPDATE complaint SET subject = 'something else'", "state is history"),
        ("UPDATE deadline SET due_at = started_at WHERE status = 'breached'", "state is history"),
        ("UPDATE complaint SET wake_at = NULL", "columns follow"),
        ("UPDATE complaint SET overdue_after_at = NULL", "columns follow"),
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
            "UPDATE deadline SET target = 'soon' WHERE complaint_id = (SELECT complaint_id FROM hold LIMIT 1)",
            "readable",
        ),
    ],
)
def test_what_is_planted_is_found(filled_scenario: Scenario, planted: str, invariant: str) -> None:
    with filled_scenario.service.database.begin() as tx:
        tx.connection.execute(text(planted))
    found = {violation.invariant for violation in check_all(filled_scenario.service)}
    assert invariant in found


def test_deadlines_that_stand_still_are_found(filled_scenario: Scenario) -> None:
    filled_scenario.post()
    filled_scenario.jump(hours=13)
    assert {violation.invariant for violation in check_all(filled_scenario.service)} == {"deadlines in time"}
    while sweep_once(filled_scenario.service).complaints:
        pass
    assert list(check_all(filled_scenario.service)) == []
