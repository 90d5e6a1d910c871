"""One complaint from post to escalation to closure, on both databases."""

from complaints.domain.vocabulary import DeadlineKind, DeadlineStatus, Status
from complaints.use_cases.upkeep.sweep import sweep_once
from tests.support import Scenario


def test_a_complaint_without_work_escalates_once_per_step(scenario: Scenario) -> None:
    complaint = scenario.post()

    first = scenario.advance(hours=25)
    again = scenario.advance(hours=0)

    assert (first.reminders, first.escalations) == (3, 1)
    assert (again.reminders, again.escalations) == (0, 0)
    response = next(d for d in scenario.load(complaint).deadlines if d.kind is DeadlineKind.FIRST_RESPONSE)
    assert response.status is DeadlineStatus.BREACHED
    assert response.steps_taken == ("50%", "80%", "100%")


def test_a_complaint_lives_to_its_closure(scenario: Scenario) -> None:
    complaint = scenario.post(severity="normal")
    scenario.act(complaint, "respond", message="We are on it.", contact_channel="phone")
    scenario.act(
        complaint,
        "resolve",
        resolution="Cell repaired.",
        outcome="upheld",
        cause="technical",
        root_cause="fibre",
    )
    complaint_told = scenario.act(complaint, "notify_result", message="Repaired.", contact_channel="phone")
    assert complaint_told.status is Status.FOLLOWING_UP
    scenario.advance(days=30)
    scenario.act(complaint, "record_contact", outcome="solved", csat=5)
    scenario.advance(days=2)
    closed = scenario.act(complaint, "close")
    assert closed.status is Status.CLOSED
    assert {d.status for d in closed.deadlines} == {DeadlineStatus.MET}


def test_rule_5_4_a_repeat_within_thirty_days_raises_the_priority(scenario: Scenario) -> None:
    members = {"category": "network.outage", "complainant": {"account_no": "A-1"}}
    assert scenario.post(**members).priority == "normal"
    scenario.jump(days=30)
    assert scenario.post(**members).priority == "high"
    assert scenario.post(**members | {"category": "billing.refund"}).priority == "normal"
    assert scenario.post(**members, priority="low").priority == "low"  # a given priority counts
    scenario.jump(days=30, microseconds=1)
    assert scenario.post(**members).priority == "normal"


def test_complaints_of_one_kind_are_received_and_escalated_alike(
    scenario: Scenario, everything_holds: None
) -> None:
    posted = [scenario.post(description="Since Monday", tags=["vip"], external_id=f"X-{n}") for n in range(4)]
    for at_once in (
        13,
        12,
        80,
    ):  # hours: the first of each life is planned by the rules, the others are stamped
        scenario.jump(hours=at_once)
        assert sweep_once(scenario.service).complaints == len(posted)
    found = [scenario.load(complaint) for complaint in posted]
    lives = {tuple((d.kind, d.status, d.level, d.steps_taken) for d in one.deadlines) for one in found}
    assert len(lives) == 1
    assert [one.external_id for one in found] == [f"X-{n}" for n in range(4)]
