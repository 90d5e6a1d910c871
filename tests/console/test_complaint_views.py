"""What the page of one complaint shows: bars, explanations, time lines and facts, without HTTP."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from complaints.api.problems.languages import Language
from complaints.console.locale import Locale, read_texts
from complaints.console.views.clock_bars import ClockBar, bar_of
from complaints.console.views.event_words import EventWords
from complaints.console.views.explained_time import explained_time_of
from complaints.console.views.names import ShownNames
from complaints.console.views.timeline import Chip, EntryTone, Timeline, timeline_of
from complaints.domain.complaint.facts import Deadline, Person
from complaints.domain.complaint.texts import ERASED
from complaints.domain.time.working_time import Pause, Segment
from complaints.domain.vocabulary import (
    AssignmentMethod,
    AttachmentStatus,
    DeadlineKind,
    DeadlineStatus,
    EventType,
    LinkType,
)
from complaints.use_cases.complaints.deadline_details import DeadlineDetail
from complaints.use_cases.complaints.explanation import ExplainedStep, Explanation
from complaints.use_cases.complaints.history import EventRecord, HistoryStretch
from tests.domain.builders import DIRECTORY, HANDBOOK, START

NAMES = {
    language: ShownNames(
        Locale(language, "Asia/Shanghai"), DIRECTORY, {}, {"regulator": {"en": "regulator's answer"}}
    )
    for language in Language
}
ENGLISH = NAMES[Language.ENGLISH]
ONE = UUID(int=1)
OTHER = str(UUID(int=2))


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def step(name: str, planned: float, taken: float | None = None, **members: Any) -> ExplainedStep:
    return ExplainedStep(
        name, 1, ("team_lead",), at(planned), None if taken is None else at(taken), **members
    )


def draw(
    now: float, *, pauses: Sequence[Pause] = (), steps: Sequence[ExplainedStep] = (), **members: Any
) -> ClockBar:
    """The bar of a deadline that is due after 40 hours."""
    deadline = Deadline(
        id=ONE, policy_code="p", policy_version=1, cycle=1, started_at=START, target=None,
        **{
            "kind": DeadlineKind.RESOLUTION, "status": DeadlineStatus.RUNNING, "due_at": at(40), "sequence": 1,
            "attempt": 1, **members,
        },
    )  # fmt: skip
    return bar_of(DeadlineDetail(deadline, HANDBOOK, pauses, steps), at(now), ENGLISH)


def pieces(bar: ClockBar) -> list[tuple[str, int, int]]:
    """The pieces with whole percents of the time up to the end, without the margin."""
    return [(one.kind.value, round(one.x * 1.03), round(one.width * 1.03)) for one in bar.pieces]


@pytest.mark.parametrize(
    ("bar", "expected", "due", "now"),
    [
        pytest.param(draw(10), [("used", 0, 25)], 100, 25, id="running"),
        pytest.param(
            draw(20, pauses=[(at(4), at(8))]),
            [("used", 0, 10), ("paused", 10, 10), ("used", 20, 30)],
            100, 50, id="after a pause",
        ),
        pytest.param(
            draw(6, pauses=[(at(4), at(8))], status=DeadlineStatus.PAUSED),
            [("used", 0, 10), ("paused", 10, 10)], 100, 15, id="paused",
        ),
        pytest.param(
            draw(80, status=DeadlineStatus.BREACHED), [("used", 0, 50), ("over", 50, 50)], 50, 100, id="late"
        ),
        pytest.param(
            draw(99, status=DeadlineStatus.MET, met_at=at(10)), [("used", 0, 25)], 100, None, id="met"
        ),
        pytest.param(
            draw(99, status=DeadlineStatus.MET_LATE, met_at=at(50)),
            [("used", 0, 80), ("over", 80, 20)], 80, None, id="met late",
        ),
        pytest.param(draw(50, status=DeadlineStatus.CANCELLED), [], 100, None, id="cancelled"),
        pytest.param(draw(-1), [], 100, 0, id="not begun"),
        pytest.param(draw(0, due_at=START), [], 0, 0, id="due at its start"),
    ],
)  # fmt: skip
def test_a_bar_has_the_used_paused_and_late_time(
    bar: ClockBar, expected: list[tuple[str, int, int]], due: int, now: int | None
) -> None:
    assert pieces(bar) == expected
    assert round(bar.due_x * 1.03) == due
    assert (None if bar.now_x is None else round(bar.now_x * 1.03)) == now


def test_a_bar_has_its_ladder_as_dots_and_in_words() -> None:
    steps = [
        step("50%", 20, 20, recipients=("an",), acknowledged_by="user:an"),
        replace(step("80%", 32, 33, superseded=True), level=0),
        step("100%", 40, recipients=("li", "unknown")),
        step("+1d", 64, repeat="1d"),
    ]
    bar = draw(30, steps=steps)
    assert [(round(dot.x * 1.03), dot.taken) for dot in bar.dots] == [(50, True), (80, True), (100, False)]
    assert [(line.name, line.level, line.state, line.taken) for line in bar.ladder] == [
        ("at 50 % of the time", "level 1", f"acknowledged by {ENGLISH.user('an')}", True),
        ("at 80 % of the time", "reminder", "passed over, nobody was notified", True),
        ("at the due time", "level 1", "to come", False),
        ("1 d after it was due, every 1 d", "level 1", "to come", False),
    ]
    assert bar.ladder[2].recipients == f"{ENGLISH.user('li')}, unknown"
    assert bar.ladder_words == "2 of 4 steps taken · next: at the due time, in 10 h"
    assert draw(1).ladder_words == ""


def test_a_bar_is_named_by_its_kind_its_number_and_its_attempt() -> None:
    assert draw(1, kind=DeadlineKind.FOLLOW_UP, sequence=2).name == "follow-up 2"
    assert draw(1, kind=DeadlineKind.FOLLOW_UP, attempt=3).name == "follow-up 1, attempt 3"
    own = draw(1, kind="regulator", paused_seconds=5400)
    assert (own.name, own.paused) == ("regulator's answer", "paused for 1 h 30 min")
    assert own.badge.words == "regulator's answer in 1 d 15 h"


def test_an_explanation_is_a_line_of_stretches_with_sums() -> None:
    cuts = [
        (0, 10, True, "open"), (10, 20, False, "closed"), (20, 30, False, "holiday: 除夕"), (30, 40, False, "paused"),
        (40, 42, True, "override: open"), (42, 45, False, "not started"), (45, 50, True, "something new"),
    ]  # fmt: skip
    segments = [Segment(at(start), at(end), counted, reason) for start, end, counted, reason in cuts]
    shown = explained_time_of(Explanation(at(50), segments, (), HANDBOOK), ENGLISH.locale)
    assert [(one.kind.value, one.x, one.width, one.words) for one in shown.stretches] == [
        ("counted", 0, 20, "counted: open"),
        ("closed", 20, 20, "not counted: closed"),
        ("holiday", 40, 20, "not counted: holiday: 除夕"),
        ("paused", 60, 20, "not counted: paused"),
        ("counted", 80, 4, "counted: open on a special day"),
        ("closed", 84, 6, "not counted: it starts on the next day"),
        ("counted", 90, 10, "something new"),
    ]
    assert [words for _, words in shown.sums] == [
        "17 h counted", "13 h closed", "10 h on holidays", "10 h paused",
    ]  # fmt: skip
    endless = Explanation(at(1), [Segment(START, None, False, "paused")], (), HANDBOOK)
    assert [(one.end, one.length) for one in explained_time_of(endless, ENGLISH.locale).stretches] == [
        (None, "")
    ]
    assert explained_time_of(Explanation(START, (), (), HANDBOOK), ENGLISH.locale).stretches == []


# The time line -------------------------------------------------------------------------------------------------------


def record(ordinal: int, event_type: EventType, actor: str = "user:an", **data: Any) -> EventRecord:
    return EventRecord(
        UUID(int=ordinal), ordinal, ordinal, ONE, None, event_type, 1, at(ordinal), actor, data
    )


def words_in(language: Language) -> EventWords:
    return EventWords(NAMES[language], {OTHER: "C000000013"}, {str(ONE): "result"}, at(9))


def line(*records: EventRecord, chip: Chip = Chip.ALL, total: int | None = None, limit: int = 10) -> Timeline:
    stretch = HistoryStretch(records, len(records) if total is None else total)
    return timeline_of(stretch, chip, words_in(Language.ENGLISH), limit=limit)


HISTORY = (
    record(1, EventType.CREATED, changes={"channel": "phone", "priority": "high"}),
    record(2, EventType.DEADLINE_WARNING, "engine"),
    record(3, EventType.DEADLINE_WARNING, "engine"),
    record(4, EventType.ESCALATED, "engine", level=1),
    record(5, EventType.DEADLINE_BREACHED, "engine"),
    record(6, EventType.ESCALATED, "engine", level=1),
    record(7, EventType.RESPONDED, message="We are on it."),
    record(8, EventType.DEADLINE_MET, late=True),
    record(9, EventType.ASSIGNED, changes={"assignee": "li", "team": "operations"}),
)


def test_runs_of_the_engine_are_folded_and_a_breach_is_not() -> None:
    shown = [(run.words, [one.ordinal for one in run.entries]) for run in line(*HISTORY).runs]
    assert shown == [
        ("", [1]), ("2 × Reminder · Escalated", [2, 3, 4]), ("", [5]), ("", [6]), ("", [7]), ("", [8]), ("", [9]),
    ]  # fmt: skip
    tones = {one.ordinal: one.tone for run in line(*HISTORY).runs for one in run.entries}
    assert tones[1] is tones[7] is EntryTone.CONTACT
    assert tones[5] is tones[8] is EntryTone.LATE
    assert (tones[2], tones[9]) == (EntryTone.STEP, EntryTone.PLAIN)


@pytest.mark.parametrize(
    ("chip", "ordinals"),
    [(Chip.CONTACTS, [1, 7]), (Chip.CLOCKS, [2, 3, 4, 5, 6, 8]), (Chip.PEOPLE, [4, 6, 9])],
)
def test_chips_choose_events_and_fold_none(chip: Chip, ordinals: list[int]) -> None:
    runs = line(*HISTORY, chip=chip).runs
    assert [one.ordinal for run in runs for one in run.entries] == ordinals
    assert {run.words for run in runs} == {""}


def test_a_long_history_has_parts_and_a_detached_beginning_is_said() -> None:
    end = line(*HISTORY[6:], total=9, limit=3)
    assert (end.earlier, end.later, end.is_cut) == (3, None, False)
    middle = line(*HISTORY[3:6], total=9, limit=3)
    assert (middle.earlier, middle.later) == (0, 6)
    cut = line(*HISTORY[6:], total=9, limit=5)
    assert (cut.earlier, cut.is_cut) == (None, True)
    nothing = line(total=9, limit=5)
    assert (nothing.runs, nothing.is_cut, nothing.later) == ([], True, None)


WHOLE: dict[str, Any] = {
    "contact_channel": "phone", "outcome": "solved", "csat": 5, "nps": 9, "early": True, "taken_back": True,
    "by": "round_robin", "left": "an", "file_name": "a.png", "visibility": "internal", "finding": "EICAR",
    "deadline_id": str(ONE), "kind": "resolution", "step": "80%", "level": 2, "late": True, "recipients": ["li"],
    "until_at": "2026-01-06T01:00:00Z", "policy_before": "a/1", "policy_after": "a/2", "other_policy": "b/1",
    "reason": "awaiting_complainant", "text": "T", "note": "N", "message": "M", "external_ids": {"crm": "7"},
    "complaint_id": OTHER, "type": "recurrence_of", "into": OTHER, "moved_from": None, "merged_id": str(ONE),
    "persons": {"complainant": ["phone", "vulnerable"]},
    "deadlines": [{"attempt": 2, "due_at": "2026-01-06T01:00:00.5Z"}],
    "changes": {
        "priority": "high", "severity": "low", "cause": "service", "assignee": None, "team": "gone", "category": "a.b",
        "tags": ["x"], "attributes": {"cell": "7"}, "resolution": "R", "subject": ERASED, "status": "closed",
        "compensation_amount": "7", "compensation_currency": "CNY", "outcome": None, "first_owner": "an",
        "region": "CN-31", "channel": "web", "version": 3,
    },
}  # fmt: skip


@pytest.mark.parametrize("language", Language)
def test_every_type_of_event_is_said_whatever_it_holds(language: Language) -> None:
    """No event breaks the page, and each has a title of its own."""
    words = words_in(language)
    titles = {words.title(record(1, event_type)) for event_type in EventType}
    assert len(titles) == len(EventType)
    for event_type in EventType:
        for data in ({"reason": "outage"}, WHOLE):
            found = record(1, event_type, **data)
            for said in (words.about(found), words.texts(found), words.others(found)):
                assert all(said)


def test_an_event_in_words() -> None:
    words = words_in(Language.ENGLISH)
    whole = record(7, EventType.UPDATED, **WHOLE)
    assert words.about(whole) == [
        "Phone", "Solved", "satisfaction 5 of 5", "recommends us: 9 of 10", "early", "taken back to the team",
        "by the policy, in turn", f"{ENGLISH.user('an')} left", "crm 7", "a.png", "For colleagues", "EICAR",
        "result", "at 80 % of the time", "level 2", "late", f"to {ENGLISH.user('li')}", "until Tue 6 Jan 09:00",
        "attempt 2 planned", "from a/1 to a/2", "the policy b/1 would fit now",
        "Priority: High", "Severity: Low", "Cause: Service", "Assignee: none", "Team: gone", "Category: a.b", "Tags: x",
        "Further facts: cell 7", f"First owner: {ENGLISH.user('an')}", "Region: CN-31", "Channel: Web",
        "Compensation: 7 CNY", "Complainant: Phone, Vulnerable",
    ]  # fmt: skip
    assert [(one.label, one.text) for one in words.texts(whole)] == [
        ("To the complainant:", "M"), ("In words:", "T"), ("Note:", "N"), ("Subject:", None), ("Result:", "R"),
    ]  # fmt: skip
    assert words.others(whole) == [
        ("Recurrence of", "C000000013"), ("into", "C000000013"), ("about the merged", str(ONE)),
    ]  # fmt: skip
    held = record(1, EventType.HELD, reason="outage", until_at="2026-01-05T10:00:00Z")
    assert words.about(held) == ["Outage", "until today 18:00"]
    assert words.texts(held) == []


@pytest.mark.parametrize(
    ("actor", "name"),
    [
        ("user:an", ENGLISH.user("an")),
        ("user:gone", "gone"),
        ("key:crm", "key crm"),
        ("engine", "by the clock"),
        ("complainant", "the complainant"),
        ("migration", "migration"),
    ],
)
def test_whoever_did_something_has_a_name(actor: str, name: str) -> None:
    assert ENGLISH.actor(actor) == name


def test_every_value_that_the_page_says_has_a_word() -> None:
    for language in Language:
        texts = read_texts(language)
        assert set(texts.events.type) == {one.value for one in EventType}
        assert set(texts.events.about.by) == {one.value for one in AssignmentMethod}
        assert set(texts.complaint.link_to) == {one.value for one in LinkType}
        assert set(texts.complaint.scan) == {one.value for one in AttachmentStatus} | {"infected"}
        assert set(Person.__dataclass_fields__) <= set(texts.members)


def test_nested_values_are_read_as_text() -> None:
    kept = {
        "ticketType": "Outage",
        "channel": {"@type": "ChannelRef", "id": "7", "name": ""},
        "note": [{}, "x"],
    }
    assert ENGLISH.pairs({"tmf621": kept}) == "tmf621 ticketType Outage, channel id 7, note x"
