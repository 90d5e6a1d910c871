"""One complaint, the whole way: from post to escalation to closure, on both engines."""

from complaints.domain.vocabulary import DeadlineKind, DeadlineStatus, Status
from tests.support import House


def test_a_complaint_left_alone_escalates_once_per_step(house: House) -> None:
    complaint = house.post()

    first = house.advance(hours=25)
    again = house.advance(hours=0)

    assert (first.reminders, first.escalations) == (3, 1)
    assert (again.reminders, again.escalations) == (0, 0)
    response = next(d for d in house.load(complaint).deadlines if d.kind is DeadlineKind.FIRST_RESPONSE)
    assert response.status is DeadlineStatus.BREACHED
    assert response.steps_taken == ("50%", "80%", "100%")


def test_a_complaint_lives_to_its_closure(house: House) -> None:
    complaint = house.post(severity="normal")
    house.act(complaint, "respond", message="We are on it.", contact_channel="phone")
    house.act(
        complaint,
        "resolve",
        resolution="Cell repaired.",
        outcome="upheld",
        cause="technical",
        root_cause="fibre",
    )
    told = house.act(complaint, "notify_result", message="Repaired.", contact_channel="phone")
    assert told.status is Status.FOLLOWING_UP
    house.advance(days=30)
    house.act(complaint, "record_contact", outcome="solved", csat=5)
    house.advance(days=2)
    closed = house.act(complaint, "close")
    assert closed.status is Status.CLOSED
    assert {d.status for d in closed.deadlines} == {DeadlineStatus.MET}
