"""The history: what events tell, the chain over them, and that they add up to the state."""

from dataclasses import fields, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from complaints.domain.complaint.change import Change, Event, recorded_changes, recorded_deadline
from complaints.domain.complaint.facts import Complaint
from complaints.domain.complaint.history import (
    GENESIS,
    ChainedEvent,
    HistoryEnd,
    canonical,
    chain,
    chained_digest,
    fold,
)
from complaints.domain.complaint.texts import SALT_BYTES
from complaints.domain.json_text import to_json
from complaints.domain.vocabulary import ContactOutcome, EventType, Outcome, Priority, Status
from tests.domain.builders import START, Life, closable, days, hours, in_status


def no_salt() -> bytes:
    return bytes(SALT_BYTES)


def state_of(complaint: Complaint) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    return recorded_changes(None, complaint), {str(d.id): recorded_deadline(d) for d in complaint.deadlines}


def a_whole_life() -> Life:
    life = Life(priority=Priority.HIGH, tags=("vip",), attributes={"cell": "SH-0423"})
    life.do("assign", team="operations").jump(hours=30).do("respond")
    life.promise(life.now + hours(3))
    life.do("hold", until=life.now + days(5)).jump(days=4).do(
        "record_contact", outcome=ContactOutcome.UNREACHABLE
    )
    life.jump(days=3).do("resolve", outcome=Outcome.UPHELD, compensation=(Decimal("3.50"), "CNY")).do(
        "reopen"
    )
    life.do("resolve", outcome=Outcome.UPHELD).do("notify_result")
    life.wait(to=life.deadlines("follow_up")[0].due_at).do(
        "record_contact", outcome=ContactOutcome.NOT_SOLVED, csat=1
    )
    life.change(priority=Priority.LOW).do("escalate").wait(days=10).do("resolve").do("notify_result")
    life.wait(to=life.deadline("follow_up").due_at).do("record_contact", outcome=ContactOutcome.UNREACHABLE)
    life.wait(days=3).do("record_contact", nps=9).do("close", root_cause="Old fibre")
    return life.jump(days=5).do("reopen").do("withdraw")


# Folding ----------------------------------------------------------------------------------------------------


def test_the_events_add_up_to_the_state() -> None:
    life = a_whole_life()
    assert {d.status for d in life.complaint.deadlines} >= {"met", "met_late", "cancelled"}
    assert fold(event.data for event in life.events) == state_of(life.complaint)


@pytest.mark.parametrize("status", Status)
def test_the_events_add_up_in_every_state(status: Status) -> None:
    life = closable() if status is Status.CLOSED else in_status(status)
    assert fold(event.data for event in life.events) == state_of(life.complaint)


def test_without_one_event_they_do_not() -> None:
    life = a_whole_life()
    recorded = [event for event in life.events if {"changes", "deadlines"} & event.data.keys()]
    last = [event for event in recorded if "changes" in event.data][-1]
    assert fold(e.data for e in life.events if e is not last) != state_of(life.complaint)


def test_what_is_set_to_nothing_is_left_out() -> None:
    members, _ = fold(
        [{"changes": {"assignee": "an", "tags": ["vip"]}}, {"changes": {"assignee": None, "tags": []}}]
    )
    assert members == {}


def test_every_member_is_recorded_but_what_follows_from_the_rest() -> None:
    filled: dict[str, Any] = {f.name: f"{f.name}-changed" for f in fields(Complaint)}
    recorded = recorded_changes(Life().complaint, replace(Life().complaint, **filled))
    assert filled.keys() - recorded.keys() == {"id", "version", "updated_at", "deadlines", "holds"}


def test_a_change_nobody_tells_is_found() -> None:
    life = Life()
    change = life.new_change()
    change.set(assignee="an")
    with pytest.raises(RuntimeError, match="assignee"):
        change.finish()
    change.record(EventType.ASSIGNED, life.now)
    change.finish()


def test_a_clock_that_moves_untold_is_found() -> None:
    life = Life()
    change = life.new_change()
    change.put_deadline(replace(life.deadline("resolution"), due_at=START))
    with pytest.raises(RuntimeError, match="deadlines"):
        change.finish()


# Versions and times -----------------------------------------------------------------------------------------


def test_versions_rise_by_one_with_each_change() -> None:
    versions = [event.version for event in a_whole_life().events]
    assert versions == sorted(versions)
    assert set(versions) == set(range(1, versions[-1] + 1))


def test_several_changes_in_one_go_are_one_version() -> None:
    life = in_status(Status.ON_HOLD)
    version = life.complaint.version
    life.jump(days=2).do("assign")  # the hold ends first
    assert life.complaint.version == version + 1
    assert {e.version for e in life.events if e.at == life.now} == {version + 1}


def test_events_come_in_order_of_time_and_say_who() -> None:
    life = a_whole_life()
    assert [e.at for e in life.events] == sorted(e.at for e in life.events)
    assert {e.actor for e in life.events} == {"fei", "an", "engine"}
    assert {e.actor for e in life.events_of(EventType.DEADLINE_BREACHED)} == {"engine"}


def test_the_first_event_tells_the_whole_complaint() -> None:
    life = Life(tags=("vip",))
    first = life.events[0]
    assert (first.type, first.version, first.actor) == (EventType.CREATED, 1, "fei")
    assert first.data["changes"] == recorded_changes(None, life.complaint)
    assert first.data["changes"]["tags"] == ["vip"]
    assert [d["kind"] for d in first.data["deadlines"]] == ["first_response", "resolution"]


def test_facts_are_recorded_as_plain_json() -> None:
    facts = {
        "at": START,
        "id": UUID(int=1),
        "amount": Decimal("1.50"),
        "roles": ("a", "b"),
        "n": 3,
        "none": None,
    }
    assert to_json(facts) == {
        "at": "2026-01-05T01:00:00Z",
        "id": "00000000-0000-0000-0000-000000000001",
        "amount": "1.50",
        "roles": ["a", "b"],
        "n": 3,
        "none": None,
    }


# The chain --------------------------------------------------------------------------------------------------


def event(**changes: Any) -> Event:
    return replace(Event(EventType.UPDATED, 2, START, "an", {"b": 1, "a": "投诉"}), **changes)


def test_canonical_text_does_not_depend_on_order() -> None:
    assert canonical({"b": 1, "a": {"d": 2, "c": "投诉"}}) == '{"a":{"c":"投诉","d":2},"b":1}'
    assert canonical({"a": 1, "b": 2}) == canonical({"b": 2, "a": 1})


def test_links_are_numbered_and_hang_together() -> None:
    life = a_whole_life()
    chained, end = chain(HistoryEnd(), life.events, no_salt)
    assert [one.ordinal for one in chained] == list(range(1, len(life.events) + 1))
    assert end == HistoryEnd(len(chained), chained[-1].digest)
    previous = GENESIS
    for one in chained:
        assert chained_digest(previous, one.ordinal, one.event, one.data) == one.digest
        previous = one.digest


def test_a_chain_goes_on_where_it_ended() -> None:
    events = a_whole_life().events
    chained, end = chain(HistoryEnd(), events, no_salt)
    first, middle = chain(HistoryEnd(), events[:7], no_salt)
    second, end_of_second = chain(middle, events[7:], no_salt)
    assert ([*first, *second], end_of_second) == (chained, end)
    assert chain(end, [], no_salt) == ([], end)


@pytest.mark.parametrize(
    "other",
    [
        event(type=EventType.ASSIGNED),
        event(version=3),
        event(at=START + timedelta(microseconds=1)),
        event(actor="li"),
        event(data={"b": 2, "a": "投诉"}),
    ],
    ids=["type", "version", "at", "actor", "data"],
)
def test_whatever_is_changed_shows(other: Event) -> None:
    assert digest_of(other) != digest_of(event())


def digest_of(one: Event, *, end: HistoryEnd | None = None) -> bytes:
    chained, _ = chain(end or HistoryEnd(), [one], no_salt)
    return chained[0].digest


def test_the_place_and_what_came_before_show() -> None:
    assert digest_of(event(), end=HistoryEnd(1)) != digest_of(event())
    assert digest_of(event(), end=HistoryEnd(0, bytes([1] * 32))) != digest_of(event())


def test_a_link_keeps_the_text_that_was_digested() -> None:
    [one], end = chain(HistoryEnd(), [event()], no_salt)
    assert one == ChainedEvent(1, event(), '{"a":"投诉","b":1}', end.digest)
    assert len(one.digest) == 32


def test_a_draft_of_a_known_complaint_tells_nothing_by_itself() -> None:
    change = Change(Life().complaint, actor="an", new_id=lambda: UUID(int=9))
    change.record(EventType.NOTE_ADDED, START, text="Called back", visibility=None)
    assert change.events == [Event(EventType.NOTE_ADDED, 1, START, "an", {"text": "Called back"})]
