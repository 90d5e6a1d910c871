"""Texts beside the history: written, shown, proved and erased, in both forms, on both databases."""

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select, text

from complaints.domain.complaint.change import Change
from complaints.domain.complaint.facts import Complaint
from complaints.domain.complaint.history import ChainedEvent, HistoryEnd
from complaints.domain.complaint.texts import ERASED, EventTexts
from complaints.domain.errors import Forbidden
from complaints.domain.rules.erasing import Erasure, plan_erasure
from complaints.domain.vocabulary import AccessRole
from complaints.storage.database.transactions import Transaction
from complaints.storage.queries.audit import ComplaintRow, EventRow, Parts
from complaints.storage.rows.complaint import ComplaintRecord
from complaints.storage.rows.escalation import escalation
from complaints.storage.rows.event import event
from complaints.storage.rows.event_text import event_text
from complaints.use_cases.access import SYSTEM, Caller
from complaints.use_cases.commands.complaints import (
    Acknowledge,
    AddNote,
    MakePromise,
    PatchComplaint,
)
from complaints.use_cases.complaints import edit, escalations, history
from complaints.use_cases.complaints.erasing import erase_texts
from complaints.use_cases.complaints.promises import make_promise
from complaints.use_cases.upkeep.invariants import INVARIANTS, Case
from tests.domain.builders import DIRECTORY, HANDBOOK, Life
from tests.domain.test_life_properties import Turn, begin, passed, starts, take, turns
from tests.examples import examples
from tests.stored_histories import chain_in_forms, end_of, write_in_first_form
from tests.support import Scenario, check_all

SECRETS = ("the-subject", "the-words", "the-line", "the-tag", "the-card", "the-note", "the-promise",
           "the-message", "the-call", "the-answer", "the-cure", "the-cause", "new-words")  # fmt: skip


def fill(scenario: Scenario) -> Complaint:
    """A complaint whose history has every kind of text."""
    made = scenario.post(
        subject="the-subject", description="the-words", service={"id": "the-line"}, tags=["the-tag"],
        attributes={"id": "the-card"},
    )  # fmt: skip
    service, number = scenario.service, str(made.id)
    promise = MakePromise(text="the-promise", due_at=scenario.now() + timedelta(hours=30))
    changed = PatchComplaint(description="new-words")

    def work(tx: Transaction) -> None:
        history.add_note(service, tx, SYSTEM, number, AddNote(text="the-note"))
        make_promise(service, tx, SYSTEM, number, promise)
        edit.patch(service, tx, SYSTEM, number, changed, None)

    service.write(work)
    scenario.act(made, "respond", message="the-message", contact_channel="phone")
    scenario.act(made, "hold", reason="outage", until="2026-01-06T00:00:00Z")
    scenario.act(made, "escalate", reason="the-call", role="team_lead")
    (asked,) = service.read(lambda tx: tx.connection.execute(select(escalation.c.id)).scalars())
    service.write(
        lambda tx: escalations.acknowledge(service, tx, SYSTEM, asked, Acknowledge(note="the-answer"))
    )
    return scenario.act(
        made, "resolve", resolution="the-cure", outcome="upheld", cause="technical", root_cause="the-cause"
    )


def shown(scenario: Scenario, complaint: Complaint, caller: Caller = SYSTEM) -> tuple[str, str]:
    """The timeline, and the feed, as the caller sees them."""
    reference = str(complaint.id)
    events = scenario.service.read(lambda tx: history.timeline(tx, caller, reference, after=0, limit=100))
    feed, _ = scenario.service.read(lambda tx: history.changes(tx, caller, after=0, limit=100))
    return tuple(json.dumps([one.data for one in part]) for part in (events, feed))  # type: ignore[return-value]


def faults(scenario: Scenario) -> set[str]:
    return {violation.invariant for violation in check_all(scenario.service)}


def erase(scenario: Scenario, complaint: Complaint, ordinals: Collection[int] | None = None) -> Complaint:
    return scenario.service.write(
        lambda tx: erase_texts(
            scenario.service, tx, SYSTEM, str(complaint.id), reason="asked for it", ordinals=ordinals
        )
    )


def execute(scenario: Scenario, *statements: str) -> None:
    scenario.service.write(lambda tx: [tx.connection.exec_driver_sql(one) for one in statements])


def stored(scenario: Scenario) -> str:
    """Everything that the tables of the history have, as one text."""
    asked = "SELECT data FROM event UNION ALL SELECT texts FROM event_text ORDER BY 1"
    return scenario.service.read(lambda tx: " ".join(tx.connection.execute(text(asked)).scalars()))


FORMS: dict[str, Callable[[int], set[int]]] = {
    "second": lambda count: set(),
    "first": lambda count: {*range(1, count + 1)},
    "both": lambda count: {*range(1, count // 2)},
}


@pytest.mark.parametrize("form", FORMS)
def test_rule_1_17_texts_are_proved_shown_and_erased_in_each_form(scenario: Scenario, form: str) -> None:
    complaint = fill(scenario)
    count = scenario.service.read(
        lambda tx: tx.connection.execute(text("SELECT history_count FROM complaint")).scalar_one()
    )
    first_form = FORMS[form](count)
    scenario.service.write(lambda tx: write_in_first_form(tx, complaint, first_form))
    assert ("the-subject" in data_of(scenario), faults(scenario)) == (bool(first_form), set())
    timeline, feed = shown(scenario, complaint)
    assert [secret for secret in SECRETS if secret not in timeline or secret in feed] == []
    assert '"reason": "outage"' in feed  # a code is no text
    assert '"form"' not in timeline + feed
    assert '"digest"' not in timeline + feed

    one_only = erase(scenario, complaint, ordinals=[2])
    assert faults(scenario) == set()
    assert "the-note" not in stored(scenario)
    assert (one_only.subject, one_only.version) == ("the-subject", complaint.version + 1)
    whole = erase(scenario, complaint)
    assert faults(scenario) == set()
    assert [secret for secret in SECRETS if secret in stored(scenario)] == []
    timeline, _ = shown(scenario, complaint)
    assert [secret for secret in SECRETS if secret in timeline] == []
    assert timeline.count("asked for it") == 2
    masked, _ = shown(scenario, complaint, replace(SYSTEM, roles=frozenset({AccessRole.AUDITOR})))
    assert '"attributes": "[erased]"' in masked
    emptied = (whole.subject, whole.description, whole.tags, whole.attributes, whole.resolution)
    assert emptied == (ERASED, None, (), {}, None)
    assert erase(scenario, complaint).version == whole.version  # nothing is left to erase
    copies = "SELECT text FROM promise UNION ALL SELECT reason FROM escalation WHERE step = 'manual'"
    copies += " UNION ALL SELECT acknowledged_note FROM escalation WHERE acknowledged_at IS NOT NULL"
    found = scenario.service.read(lambda tx: list(tx.connection.execute(text(copies)).scalars()))
    assert found == [ERASED] * 3

    scenario.act(complaint, "reopen", reason="again")
    assert faults(scenario) == set()
    execute(scenario, "UPDATE event SET data = replace(data, 'phone', 'email') WHERE ordinal = 1")
    assert faults(scenario) == {"history unbroken", "state is history"}


def data_of(scenario: Scenario) -> str:
    asked = text("SELECT data FROM event ORDER BY ordinal")
    return scenario.service.read(lambda tx: " ".join(tx.connection.execute(asked).scalars()))


PLANTED = {
    "forged": "UPDATE event_text SET texts = replace(texts, 'the-words', 'other words')",
    "another salt": "UPDATE event_text SET salt = (SELECT salt FROM event_text WHERE ordinal = 1) WHERE ordinal = 2",
    "missing": "DELETE FROM event_text WHERE ordinal = 1",
    "one missing": """UPDATE event_text SET texts = '{"changes.subject":"the-subject"}' WHERE ordinal = 1""",
    "one too many": """UPDATE event_text SET texts = replace(texts, '{"text"', '{"note":"x","text"')""",
    "of no event": "UPDATE event_text SET ordinal = 99 WHERE ordinal = 2",
    "of an event without texts": "UPDATE event_text SET ordinal = 6 WHERE ordinal = 2",
}


def test_each_planted_fault_is_found(scenario: Scenario) -> None:
    complaint = fill(scenario)
    before_erasure = scenario.service.read(
        lambda tx: tx.connection.execute(select(event_text)).mappings().all()
    )
    erase(scenario, complaint, ordinals=[3])
    kept = scenario.service.read(lambda tx: tx.connection.execute(select(event_text)).mappings().all())
    assert len(before_erasure) == len(kept)  # the erasure has a text: its reason

    def put_back(tx: Transaction, rows: Sequence[Any]) -> None:
        tx.connection.execute(delete(event_text))
        tx.connection.execute(insert(event_text), [dict(row) for row in rows])

    for name, planted in PLANTED.items():
        execute(scenario, planted)
        assert "texts recorded" in faults(scenario), name
        scenario.service.write(lambda tx: put_back(tx, kept))
        assert faults(scenario) == set(), name
    [erased] = [row for row in before_erasure if row["ordinal"] == 3]
    scenario.service.write(lambda tx: put_back(tx, [*kept, erased]))
    assert "texts recorded" in faults(scenario)


_PUT_BACK = text("UPDATE event SET actor = :actor, data = :data WHERE sequence = :sequence")


def test_what_is_left_of_the_first_form_is_proved(scenario: Scenario) -> None:
    complaint = fill(scenario)
    scenario.service.write(lambda tx: write_in_first_form(tx, complaint, range(1, 5)))
    erase(scenario, complaint)
    for planted in (
        "UPDATE event SET actor = 'user:nobody' WHERE ordinal = 1",
        "UPDATE event SET data = replace(data, 'internal', 'public') WHERE ordinal = 2",
        'UPDATE event SET data = replace(data, \'"digest":null\', \'"digest":"0"\') WHERE ordinal = 2',
    ):
        asked = select(event.c.sequence, event.c.actor, event.c.data)
        rows = scenario.service.read(lambda tx, asked=asked: tx.connection.execute(asked).mappings().all())
        execute(scenario, planted)
        assert "history unbroken" in faults(scenario), planted
        scenario.service.write(lambda tx, rows=rows: [tx.connection.execute(_PUT_BACK, row) for row in rows])
    assert faults(scenario) == set()


def test_only_managers_and_admins_erase(scenario: Scenario) -> None:
    complaint = fill(scenario)
    agent = replace(SYSTEM, roles=frozenset({AccessRole.SUPERVISOR}))
    with pytest.raises(Forbidden, match="manager, admin"):
        scenario.service.write(
            lambda tx: erase_texts(scenario.service, tx, agent, str(complaint.id), reason="asked for it")
        )
    assert "the-subject" in stored(scenario)


# Random histories ------------------------------------------------------------------------------------------------


def broken(complaint: Complaint, events: Sequence[ChainedEvent], end: HistoryEnd) -> set[str]:
    """The invariants of the history that do not hold."""
    rows = [
        EventRow(
            complaint.id, one.ordinal, one.ordinal, one.event.type, one.event.version, one.event.at,
            one.event.actor, one.data, one.digest,
        )
        for one in events
    ]  # fmt: skip
    case = Case(
        stored=ComplaintRow(ComplaintRecord(complaint, end), None, None, None, 0, None, has_words=False),
        subject=complaint,
        history_end=end,
        events_after=0,
        parked_at=None,
        events=rows,
        parts=Parts(texts={one.ordinal: one.texts for one in events if one.texts}),
        policy=HANDBOOK,
        directory=DIRECTORY,
        secret=b"",
        now_is_late=False,
        cut_off=False,
    )
    proved = ("history unbroken", "texts recorded", "state is history")
    return {name for name, rule in INVARIANTS if name in proved for _ in rule(case)}


def live(start: dict[str, Any], taken: Sequence[Turn]) -> Life:
    life = begin(start)
    for turn in taken:
        life.jump(to=life.now + passed(life, turn))
        take(life, turn)
        if turn.detail % 3 == 0:
            life.change(tags=(f"tag {turn.choice}",), subject=f"subject {turn.detail}")
    return life


def without_texts(events: Sequence[ChainedEvent], erasures: Sequence[Erasure]) -> list[ChainedEvent]:
    gone = {one.event.ordinal: one for one in erasures}
    left = []
    for one in events:
        if one.ordinal in gone:
            data = gone[one.ordinal].left or one.data
            one = replace(one, data=data, texts=None, event=replace(one.event, data=json.loads(data)))
        left.append(one)
    return left


@settings(max_examples=examples(25))
@given(
    starts, st.lists(turns, max_size=8), st.sets(st.integers(1, 30)), st.sets(st.integers(1, 30)), st.data()
)
def test_random_histories_are_proved_whole_and_erased(
    start: dict[str, Any], taken: list[Turn], first_form: set[int], chosen: set[int], data: st.DataObject
) -> None:
    life = live(start, taken)
    events = chain_in_forms(life.events, first_form)
    assert broken(life.complaint, events, end_of(events)) == set()

    change = Change(life.complaint, actor="an", new_id=life.new_id)
    erasures = plan_erasure(change, events, life.now, reason="asked for it", ordinals=chosen)
    change.finish()
    left = without_texts(events, erasures)
    left += chain_in_forms(change.events, (), end_of(events))
    assert broken(change.complaint, left, end_of(left)) == set()

    with_texts = [one for one in left if one.texts]
    if with_texts:
        victim = data.draw(st.sampled_from(with_texts))
        forged = replace(victim, texts=data.draw(st.sampled_from(tampered(victim))))
        spoilt = [forged if one is victim else one for one in left]
        assert "texts recorded" in broken(change.complaint, spoilt, end_of(left))
    other = data.draw(st.sampled_from(left))
    spoilt = [replace(one, data=f"{one.data} ") if one is other else one for one in left]
    assert "history unbroken" in broken(change.complaint, spoilt, end_of(left))


def tampered(event: ChainedEvent) -> list[EventTexts | None]:
    """Texts that are not those of the event."""
    assert event.texts is not None
    texts = event.texts.texts
    place = min(texts)
    return [
        None,
        replace(event.texts, salt=bytes(16)),
        replace(event.texts, texts=texts | {place: "forged"}),
        replace(event.texts, texts={name: kept for name, kept in texts.items() if name != place}),
        replace(event.texts, texts=texts | {"message": "one more"}),
    ]
