"""Contacts of the complainant about a complaint on record, and attempts that reach nobody (rules 1.10 to 1.14)."""

from dataclasses import replace
from datetime import timedelta

import pytest

from complaints.domain.complaint.words import comparable_words, digest_words
from complaints.domain.rules.contacts import Contact, makes_new_complaint, plan_contact
from complaints.domain.vocabulary import (
    Channel,
    ContactAfterEnd,
    ContactOutcome,
    DeadlineKind,
    DeadlineStatus,
    EventType,
    HoldReason,
    Status,
)
from tests.domain.builders import HANDBOOK, Life, days, followed_up, in_status

AGAIN = Contact(Channel.PHONE, "It is dead again", None)
NEW = replace(HANDBOOK, contact_after_end=ContactAfterEnd.NEW)
ENDED = (Status.CLOSED, Status.REJECTED, Status.WITHDRAWN)


def _call(life: Life, contact: Contact = AGAIN) -> Life:
    """The complainant makes contact."""
    life._change(lambda change: plan_contact(change, life.context(), contact))
    return life


# Words ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("No signal", None), ("No signal", "")),
        (("No signal", None), ("  No  signal\r\n", " \n\t")),
        (("No signal", "a\nb"), ("No signal", "a\r\nb ")),
        (("Café 无信号", None), ("Cafe\u0301 无信号", None)),
        (("No signal 12", None), ("Ｎｏ ｓｉｇｎａｌ　１２", None)),
    ],
)
def test_rule_1_11_the_same_words_have_one_form(
    one: tuple[str, str | None], other: tuple[str, str | None]
) -> None:
    assert comparable_words(*one) == comparable_words(*other)


def test_rule_1_11_other_words_have_another_digest() -> None:
    told = [("a b", None), ("a", "b"), ("a", "b c"), ("A b", None), ("b", "a")]
    assert len({digest_words(b"secret", comparable_words(*words)) for words in told}) == len(told)
    assert digest_words(b"secret", "a") != digest_words(b"other", "a")


# Contacts on open complaints ------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [Status.RECEIVED, Status.INVESTIGATING, Status.RESOLVED])
def test_rule_1_12_a_contact_is_told_once_and_changes_nothing_else(status: Status) -> None:
    life = in_status(status).do("assign", assignee="an")
    before, events = life.complaint, len(life.events)
    _call(life)

    assert life.complaint == before
    [event] = life.events[events:]
    assert (event.type, event.data["subject"], event.data["recipients"]) == (
        EventType.CONTACT_REPEATED, "It is dead again", ["an", "fei"],
    )  # fmt: skip
    taken = life.escalations[-1]
    assert (taken.step, taken.level, taken.deadline_id, taken.recipients) == (
        "contact",
        0,
        None,
        ("an", "fei"),
    )
    assert event.data["escalation_id"] == str(taken.id)


def test_rule_1_12_without_an_assignee_the_first_owner_is_told_once() -> None:
    assert _call(Life()).escalations[-1].recipients == ("fei",)


def test_rule_1_12_a_contact_ends_a_hold_that_waits_for_the_complainant() -> None:
    life = in_status(Status.ON_HOLD)
    assert life.deadline("resolution").status is DeadlineStatus.PAUSED
    _call(life.wait(hours=2))

    assert (life.status, life.complaint.current_hold) == (Status.INVESTIGATING, None)
    resolution = life.deadline("resolution")
    assert (resolution.status, resolution.paused_seconds) == (DeadlineStatus.RUNNING, 7200)
    assert [event.type for event in life.events[-2:]] == [EventType.RESUMED, EventType.CONTACT_REPEATED]


@pytest.mark.parametrize("reason", [HoldReason.AWAITING_THIRD_PARTY, HoldReason.OUTAGE])
def test_rule_1_12_a_hold_that_waits_for_others_goes_on(reason: HoldReason) -> None:
    life = _call(in_status(Status.INVESTIGATING).do("hold", reason=reason))
    assert life.status is Status.ON_HOLD
    assert life.escalations[-1].step == "contact"


# After the result -----------------------------------------------------------------------------------------


def test_rule_1_13_a_contact_after_the_result_starts_a_follow_up_soon() -> None:
    life = followed_up()
    _call(life.wait(days=2))
    first, early = life.deadlines("follow_up")

    assert (early.sequence, early.attempt, early.due_at - life.now) == (2, 1, days(3))
    assert first.due_at > early.due_at
    assert life.complaint.version == life.events[-1].version == 4
    _call(life.wait(hours=1))
    assert len(life.deadlines("follow_up")) == 2

    life.do("record_contact", outcome=ContactOutcome.SOLVED)
    assert life.deadline("follow_up", sequence=2).status is DeadlineStatus.MET
    assert life.deadline("follow_up", sequence=1).status is DeadlineStatus.RUNNING


def test_rule_1_13_a_follow_up_that_is_due_soon_is_enough() -> None:
    life = followed_up()
    [planned] = life.deadlines("follow_up")
    _call(life.wait(to=planned.due_at - days(3)))
    assert [d.id for d in life.deadlines("follow_up")] == [planned.id]


# After the end --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ENDED)
def test_rule_1_14_a_contact_within_the_window_reopens(status: Status) -> None:
    life = in_status(status)
    life.wait(days=89)
    assert not makes_new_complaint(life.complaint, life.context())
    _call(life)

    assert (life.status, life.complaint.cycle) == (Status.INVESTIGATING, 2)
    running = [d.kind for d in life.complaint.deadlines if d.unmet]
    assert running == [DeadlineKind.FIRST_RESPONSE, DeadlineKind.RESOLUTION]
    assert life.escalations[-1].step == "contact"


@pytest.mark.parametrize("status", ENDED)
def test_rule_1_14_after_the_window_or_by_policy_a_contact_makes_a_new_complaint(status: Status) -> None:
    life = in_status(status).wait(days=91)
    assert makes_new_complaint(life.complaint, life.context())
    by_policy = in_status(status, policy=NEW)
    assert makes_new_complaint(by_policy.complaint, by_policy.context())


def test_rule_1_14_an_open_complaint_takes_the_contact_under_each_policy() -> None:
    life = followed_up(policy=NEW)
    assert not makes_new_complaint(life.complaint, life.context())


# Attempts that reach nobody -------------------------------------------------------------------------------


def test_rule_1_10_clicks_within_ten_minutes_are_one_attempt() -> None:
    life = followed_up()
    [planned] = life.deadlines("follow_up")
    life.wait(to=planned.due_at).do("record_contact", outcome=ContactOutcome.UNREACHABLE)
    before, events = life.complaint, len(life.events)
    for _ in range(2):
        life.jump(minutes=4).do("record_contact", outcome=ContactOutcome.UNREACHABLE)
    assert (life.complaint, len(life.events)) == (before, events)

    life.jump(minutes=2).do("record_contact", outcome=ContactOutcome.UNREACHABLE)
    assert [d.attempt for d in life.deadlines("follow_up")] == [1, 2, 3]


@pytest.mark.parametrize("status", [Status.RECEIVED, Status.ON_HOLD, Status.RESOLVED])
def test_rule_1_10_is_true_before_the_result_too(status: Status) -> None:
    life = in_status(status)
    for _ in range(3):
        life.jump(seconds=1).do("record_contact", outcome=ContactOutcome.UNREACHABLE)
    assert len(life.events_of(EventType.CONTACT_RECORDED)) == 1


def test_rule_1_10_an_answer_between_two_calls_makes_another_attempt() -> None:
    life = followed_up()
    for outcome in (ContactOutcome.UNREACHABLE, ContactOutcome.SOLVED, ContactOutcome.UNREACHABLE):
        life.jump(to=life.now + timedelta(minutes=1)).do("record_contact", outcome=outcome)
    assert len(life.events_of(EventType.CONTACT_RECORDED)) == 3
