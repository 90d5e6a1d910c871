"""Many act at once: one wins, the others get the reason, and nothing is lost or done twice. On both engines."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, TypeVar

import httpx2
import pytest
from sqlalchemy import select

from complaints.domain.complaint.facts import Complaint
from complaints.domain.errors import ComplaintError, Conflict, StaleVersion, TransitionRefused
from complaints.domain.vocabulary import Status
from complaints.storage.database.transactions import Database
from complaints.storage.rows import event
from complaints.storage.rows.escalation import escalation
from complaints.use_cases.access import SYSTEM
from complaints.use_cases.commands.complaints import AddLink, AddNote, PatchComplaint, Resume
from complaints.use_cases.complaints import actions, edit, notes_and_links
from complaints.use_cases.upkeep.sweep import SweepResult, sweep_once
from complaints.use_cases.work import taking
from tests.journeys.running_server import Launcher
from tests.support import ADMIN_SECRET, START, Scenario, check_all
from tests.use_cases.test_work import add_users, assigning, caller

T = TypeVar("T")
RESOLVE = {"resolution": "Repaired.", "outcome": "upheld", "cause": "technical"}


def at_once(count: int, act: Callable[[int], T]) -> list[T]:
    """What `act(0)`, `act(1)`, … give, begun at the same moment in as many threads."""
    gate = threading.Barrier(count)

    def begin(number: int) -> T:
        gate.wait()
        return act(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(begin, range(count)))


def refused(act: Callable[[], object]) -> ComplaintError | None:
    """The refusal of `act`, if it was refused; any other failure is the test's."""
    try:
        act()
    except ComplaintError as refusal:
        return refusal
    return None


@pytest.fixture(autouse=True)
def sound(scenario: Scenario) -> Iterator[None]:
    """After each race every invariant holds."""
    yield
    assert list(check_all(scenario.service)) == []


# Actions -------------------------------------------------------------------------------------------


def test_one_of_twenty_takes_the_action_and_the_rest_hear_what_is_allowed(scenario: Scenario) -> None:
    complaint = scenario.post()

    outcomes = at_once(20, lambda n: refused(lambda: scenario.act(complaint, "resolve", **RESOLVE)))

    losers = [outcome for outcome in outcomes if outcome is not None]
    assert len(losers) == 19
    for loser in losers:
        assert isinstance(loser, TransitionRefused)
        assert loser.allowed is not None
        assert "notify_result" in loser.allowed
        assert "resolve" not in loser.allowed
    assert scenario.load(complaint).version == complaint.version + 1


def test_rule_1_18_one_of_fifty_takes_the_complaint(scenario: Scenario) -> None:
    complaint = scenario.post()
    logins = [f"user-{number}" for number in range(50)]
    add_users(scenario, *logins)
    callers = [caller(scenario, login) for login in logins]

    def take(number: int) -> ComplaintError | None:
        return refused(
            lambda: scenario.service.write(
                lambda tx: taking.take(scenario.service, tx, callers[number], str(complaint.id))
            )
        )

    outcomes = at_once(50, take)

    [winner] = [number for number, outcome in enumerate(outcomes) if outcome is None]
    assert scenario.load(complaint).assignee == logins[winner]
    told = {(type(outcome), str(outcome)) for outcome in outcomes if outcome}
    assert told == {(Conflict, f"User '{logins[winner]}' has this complaint already.")}
    assert _event_types(scenario, complaint).count("complaint.assigned") == 1
    assert take(winner) is None


def test_rule_1_18_each_takes_another_complaint_of_the_queue(scenario: Scenario) -> None:
    add_users(scenario, *"abcdefgh")
    posted = {scenario.post().id for _ in range(8)}
    service, callers = scenario.service, [caller(scenario, login) for login in "abcdefgh"]
    taken = at_once(
        8,
        lambda n: service.write(lambda tx: taking.take_next(service, tx, callers[n], "customer_service")),
    )
    assert {(one.id, one.assignee) for one in taken} == {
        (one.id, login) for one, login in zip(taken, "abcdefgh", strict=True)
    }
    assert {one.id for one in taken} == posted


@pytest.mark.parametrize("method", ["round_robin", "fewest_open"])
def test_rule_5_9_posts_at_once_are_shared_out_evenly(scenario: Scenario, method: str) -> None:
    add_users(scenario, *"abcd")
    assigning(scenario, f"\nassignment: {{customer_service: {method}}}\n")
    made = at_once(24, lambda _: scenario.post())
    assert Counter(one.assignee for one in made) == dict.fromkeys("abcd", 6)


def test_one_of_twenty_with_the_same_version_wins(scenario: Scenario) -> None:
    complaint = scenario.post()

    def change(number: int) -> ComplaintError | None:
        command = PatchComplaint.model_validate({"region": f"CN-{number}"})
        return refused(lambda: _patch(scenario, complaint, command, frozenset({complaint.version})))

    outcomes = at_once(20, change)

    assert Counter(type(outcome) for outcome in outcomes) == {StaleVersion: 19, type(None): 1}
    assert scenario.load(complaint).version == complaint.version + 1


def test_changes_and_actions_at_once_lose_nothing(scenario: Scenario) -> None:
    complaint = scenario.post()
    scenario.act(complaint, "respond", message="We look.", contact_channel="phone")

    def act(number: int) -> None:
        match number % 4:
            case 0:
                patch = PatchComplaint.model_validate({"attributes": {f"n{number}": number}})
                _patch(scenario, complaint, patch, None)
            case 1:
                scenario.act(complaint, "respond", message=f"Report {number}", contact_channel="sms")
            case 2:
                note = AddNote.model_validate({"text": f"Note {number}"})
                scenario.service.write(
                    lambda tx: notes_and_links.add_note(scenario.service, tx, SYSTEM, str(complaint.id), note)
                )
            case _:
                scenario.act(complaint, "escalate", reason=f"Call {number}", role="executive")

    before = scenario.load(complaint)
    at_once(20, act)

    after = scenario.load(complaint)
    assert after.version == before.version + 10  # neither a note nor an escalation is a change
    events = _event_types(scenario, complaint)
    assert Counter(events) & Counter({"complaint.responded": 6, "complaint.updated": 5}) == Counter(
        {"complaint.responded": 6, "complaint.updated": 5}
    )
    assert (events.count("complaint.note_added"), events.count("complaint.escalated")) == (5, 5)


def test_who_began_earlier_but_comes_later_does_not_turn_back_time(scenario: Scenario) -> None:
    """Their instant was taken before they had to wait for the complaint: the hold would end before it began.

    SQLite takes the one write lock before the instant, so there it takes a clock that was set back.
    """
    complaint = scenario.post()
    scenario.act(complaint, "respond", message="We look.", contact_channel="phone")
    scenario.advance(seconds=2)
    scenario.act(complaint, "hold", reason="awaiting_complainant", until="2026-01-06T00:00:00Z")
    early = Database(scenario.service.database.engine, lambda _connection: START + timedelta(seconds=1))
    with early.begin() as tx:
        resume = Resume.model_validate({"action": "resume"})
        actions.transition(scenario.service, tx, SYSTEM, str(complaint.id), resume, None)
    resumed = scenario.load(complaint)
    assert resumed.status is Status.INVESTIGATING
    assert resumed.holds[0].ended_at == resumed.holds[0].started_at == START + timedelta(seconds=2)
    assert resumed.updated_at == START + timedelta(seconds=2)


def test_merging_each_into_the_other_leaves_one(scenario: Scenario) -> None:
    for _ in range(5):
        one, other = (scenario.post(complainant={"account_no": "A-1"}) for _ in range(2))
        pairs = [(one, other), (other, one)]

        outcomes = at_once(
            6,
            lambda n, pairs=pairs: refused(lambda: _merge(scenario, *pairs[n % 2])),  # type: ignore[misc]
        )

        assert outcomes.count(None) == 1
        assert {type(outcome) for outcome in outcomes if outcome} == {TransitionRefused}
        states = {scenario.load(c).status: scenario.load(c) for c in (one, other)}
        assert set(states) == {Status.MERGED, Status.RECEIVED}
        assert states[Status.MERGED].merged_into == states[Status.RECEIVED].id


def test_linking_each_to_the_other_at_once(scenario: Scenario) -> None:
    one, other = scenario.post(), scenario.post()
    pairs = [(one, other), (other, one)]

    def link(number: int) -> bool:
        here, there = pairs[number % 2]
        command = AddLink.model_validate({"type": "related", "complaint_id": str(there.id)})
        return scenario.service.write(
            lambda tx: notes_and_links.add_link(scenario.service, tx, SYSTEM, str(here.id), command)
        )[1]

    assert sorted(at_once(8, link)) == [False] * 6 + [True] * 2


def _merge(scenario: Scenario, complaint: Complaint, into: Complaint) -> Complaint:
    return scenario.act(complaint, "merge", into=str(into.id))


def _patch(
    scenario: Scenario, complaint: Complaint, command: PatchComplaint, versions: frozenset[int] | None
) -> Complaint:
    reference = str(complaint.id)
    return scenario.service.write(
        lambda tx: edit.patch(scenario.service, tx, SYSTEM, reference, command, versions)
    )


def _event_types(scenario: Scenario, complaint: Complaint) -> list[str]:
    rows = scenario.service.read(lambda tx: event.list_events(tx, complaint.id, after=0, limit=500))
    return [str(row["type"]) for row in rows]


# The engine -------------------------------------------------------------------------------------------


def test_sweepers_at_once_take_each_step_once(scenario: Scenario) -> None:
    for _ in range(40):
        scenario.post()
    scenario.jump(hours=25)

    def sweep(_number: int) -> SweepResult:
        total = SweepResult()
        while (swept := sweep_once(scenario.service, batch=7)).complaints:
            total += swept
        return total

    total = sum(at_once(4, sweep), start=SweepResult())

    assert (total.complaints, total.escalations, total.reminders) == (40, 40, 120)
    with scenario.service.database.read() as tx:
        steps = tx.connection.execute(select(escalation.c.deadline_id, escalation.c.step)).all()
    assert len(steps) == len(set(steps)) == 160


def test_sweepers_and_people_at_once(scenario: Scenario) -> None:
    """Whoever comes first: the step is taken once, the answer counts, and no work is lost."""
    complaints = [scenario.post() for _ in range(12)]
    scenario.jump(hours=25)

    def act(number: int) -> None:
        if number % 3 == 0:
            while sweep_once(scenario.service, batch=3).complaints:
                pass
        for complaint in complaints[number % 3 :: 3]:
            scenario.act(complaint, "respond", message="We look.", contact_channel="phone")

    at_once(6, act)
    while sweep_once(scenario.service).complaints:
        pass

    with scenario.service.database.read() as tx:
        steps = tx.connection.execute(select(escalation.c.deadline_id, escalation.c.step)).all()
    assert len(steps) == len(set(steps)) == 12 * 4
    for complaint in complaints:
        assert _event_types(scenario, complaint).count("complaint.responded") == 2


# The API -------------------------------------------------------------------------------------------


@pytest.fixture
def http(launcher: Launcher, database_url: str) -> Iterator[httpx2.Client]:
    """A client of a real server on the same database as the house."""
    with launcher.serve(database_url, sandbox=1).client(ADMIN_SECRET) as client:
        yield client


def test_posts_at_once(http: httpx2.Client, scenario: Scenario) -> None:
    _same_idempotency_key(http)
    _same_external_id(http)
    _same_version(http)


def _post(http: httpx2.Client, key: str | None = None, **members: Any) -> httpx2.Response:
    body = {"channel": "phone", "subject": "No signal", **members}
    return http.post("/v1/complaints", json=body, headers={"Idempotency-Key": key} if key else {})


def _same_idempotency_key(http: httpx2.Client) -> None:
    def post(_number: int) -> httpx2.Response:
        while (answer := _post(http, key="the-same")).status_code == 409:
            assert answer.json()["type"] == "/problems/idempotency-in-progress"
        return answer

    answers = at_once(50, post)

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert sum("Idempotency-Replayed" not in answer.headers for answer in answers) == 1
    assert len(http.get("/v1/changes").json()["items"]) == 1


def _same_external_id(http: httpx2.Client) -> None:
    answers = at_once(30, lambda n: _post(http, source="cc-north", external_id="CALL-1"))

    assert Counter(answer.status_code for answer in answers) == {201: 1, 200: 29}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(http.get("/v1/changes").json()["items"]) == 2


def _same_version(http: httpx2.Client) -> None:
    made = _post(http)
    path, version = made.headers["Location"], {"If-Match": made.headers["ETag"]}
    body = {"action": "resolve", **RESOLVE}

    answers = at_once(20, lambda n: http.post(f"{path}/transitions", json=body, headers=version))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 412: 19}

    body = {"action": "notify_result", "message": "Repaired.", "contact_channel": "phone"}
    answers = at_once(20, lambda n: http.post(f"{path}/transitions", json=body))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 19}
    allowed = http.get(path).json()["allowed_actions"]
    assert all(answer.json()["allowed"] == allowed for answer in answers if answer.status_code == 409)
