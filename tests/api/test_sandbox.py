"""The routes of the test clock: three months pass in seconds, and everything due on the way happens."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete

from complaints.api.deadlines.schemas import ClockOut, MovedOut
from complaints.domain.vocabulary import AccessRole
from complaints.storage.database.connections import open_engine
from complaints.storage.database.transactions import Database
from complaints.storage.rows import test_clock
from complaints.use_cases.service import Service
from complaints.wiring import new_id
from tests.api_client import ApiClient
from tests.support import Scenario, api_client, count_statements, opened_service

CLOCK = "/v1/sandbox/clock"
ADVANCE = f"{CLOCK}/advance"


def advance(client: ApiClient, by: str) -> dict[str, Any]:
    answer = client.post(ADVANCE, json={"by": by})
    assert answer.status_code == 200, answer.text
    MovedOut.model_validate(answer.json())
    return dict(answer.json())


def steps(client: ApiClient) -> list[tuple[str, str, str, str]]:
    """Every escalation: its complaint, kind, step and time."""
    found: list[tuple[str, str, str, str]] = []
    cursor = None
    while True:
        params = {"limit": 200, **({"cursor": cursor} if cursor else {})}
        page = client.get("/v1/escalations", params=params).json()
        found += [(e["number"], e["kind"] + e["planned_at"], e["step"], e["taken_at"]) for e in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            return sorted(found)


def test_stands_still_until_it_is_moved(client: ApiClient) -> None:
    first, second = client.get(CLOCK), client.get(CLOCK)

    ClockOut.model_validate(first.json())
    assert first.json() == second.json() == {"now": "2026-01-05T01:00:00Z"}


def test_advances_by_a_duration_and_tells_what_happened(client: ApiClient, scenario: Scenario) -> None:
    complaint = scenario.post()
    scenario.act(complaint, "respond", message="We are on it.", contact_channel="phone")
    scenario.act(complaint, "hold", reason="outage", until="2026-01-05T11:00:00Z")
    scenario.post()

    assert advance(client, "PT25H") == {
        "now": "2026-01-06T02:00:00Z",
        "escalations": 1,  # the second complaint got no response
        "resumed": 1,
        "reminders": 4,  # at half the time of both resolutions, and two for the response
    }
    assert advance(client, "PT0S") == {
        "now": "2026-01-06T02:00:00Z",
        "escalations": 0,
        "resumed": 0,
        "reminders": 0,
    }


def test_is_set_to_an_instant(client: ApiClient, scenario: Scenario) -> None:
    scenario.post()

    moved = client.put(CLOCK, json={"now": "2026-01-06T10:00:00+08:00"})
    equal = client.put(CLOCK, json={"now": "2026-01-06T02:00:00Z"})
    back = client.put(CLOCK, json={"now": "2026-01-06T01:59:59Z"})

    assert moved.json() == {"now": "2026-01-06T02:00:00Z", "escalations": 1, "resumed": 0, "reminders": 3}
    assert (equal.status_code, back.status_code) == (200, 409)
    assert client.get(CLOCK).json() == {"now": "2026-01-06T02:00:00Z"}


def test_months_are_those_of_the_calendar_in_utc(client: ApiClient) -> None:
    client.put(CLOCK, json={"now": "2026-01-31T12:00:00Z"})

    assert advance(client, "P1M")["now"] == "2026-02-28T12:00:00Z"
    assert advance(client, "P1DT1H")["now"] == "2026-03-01T13:00:00Z"
    assert advance(client, "P1Y")["now"] == "2027-03-01T13:00:00Z"


def test_each_step_is_taken_at_its_own_time(client: ApiClient, scenario: Scenario) -> None:
    for severity in ("critical", "normal"):
        scenario.post(severity=severity)
        scenario.advance(minutes=7)
    scenario.act(scenario.post(), "respond", message="We are on it.", contact_channel="phone")

    advance(client, "P10D")

    items = client.get("/v1/escalations?limit=200").json()["items"]
    assert Counter(e["step"] for e in items) == {"50%": 5, "80%": 5, "100%": 5, "+12h": 5, "+24h": 5}
    for one in items:
        late = timedelta(microseconds=1 if one["step"] == "100%" else 0)
        assert datetime.fromisoformat(one["taken_at"]) - datetime.fromisoformat(one["planned_at"]) == late
        assert one["superseded"] is False


def test_one_long_way_is_the_same_as_many_short_ones(
    migrated_database_url: Callable[[str], str],
) -> None:
    steps_by_moves = []
    for moves in (["P100D"], ["P1D"] * 100, ["PT7H", "P40D", "PT1S", "P100D"]):
        with opened_service(migrated_database_url("sqlite")) as service, api_client(service) as client:
            scenario = Scenario(service)
            for severity in ("critical", "low"):
                scenario.post(severity=severity)
            followed = scenario.post(severity="high")
            scenario.act(followed, "resolve", resolution="Done.", outcome="not_upheld", cause="service")
            scenario.act(followed, "notify_result", message="Done.", contact_channel="phone")
            for by in moves:
                advance(client, by)
            taken = steps(client)
            steps_by_moves.append([step for step in taken if step[3] <= "2026-04-15T01:00:00Z"])

    assert len(steps_by_moves[0]) == len(set(steps_by_moves[0])) == 10 + 10 + 4 * 3
    assert steps_by_moves[0] == steps_by_moves[1] == steps_by_moves[2]


BAD_DURATIONS = [
    ({"by": "25h"}, "/by"),
    ({"by": "-PT1H"}, "/by"),
    ({"by": ""}, "/by"),
    ({"by": "P101Y"}, "/by"),
    ({"by": None}, "/by"),
    ({}, "/by"),
    ({"by": 3600}, "/by"),
    ({"by": "PT1H", "now": "2026-01-06T02:00:00Z"}, "/now"),
]


def test_bad_durations_are_refused(client: ApiClient, subtests: pytest.Subtests) -> None:
    for body, pointer in BAD_DURATIONS:
        with subtests.test(str(body)):
            answer = client.post(ADVANCE, json=body)

            assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)


BAD_INSTANTS = ["2026-01-06", "2026-01-06T02:00:00", 1767664800, None, "3000-01-01T00:00:00Z"]


def test_bad_instants_are_refused(client: ApiClient, subtests: pytest.Subtests) -> None:
    for now in BAD_INSTANTS:
        with subtests.test(str(now)):
            assert client.put(CLOCK, json={"now": now}).status_code == 422


def test_goes_up_to_the_year_2999(client: ApiClient) -> None:
    assert client.put(CLOCK, json={"now": "2999-12-30T23:00:00Z"}).status_code == 200
    assert client.post(ADVANCE, json={"by": "PT2H"}).status_code == 422
    assert client.post(ADVANCE, json={"by": "P100Y"}).status_code == 422
    assert client.post(ADVANCE, json={"by": "PT1H"}).status_code == 200


def test_a_repeated_request_moves_it_once(client: ApiClient) -> None:
    headers = {"Idempotency-Key": "move-1"}
    first = client.post(ADVANCE, json={"by": "PT1H"}, headers=headers)
    again = client.post(ADVANCE, json={"by": "PT1H"}, headers=headers)

    assert first.content == again.content
    assert client.get(CLOCK).json() == {"now": "2026-01-05T02:00:00Z"}


def test_who_works_may_move_it_and_all_may_read_it(client: ApiClient, scenario: Scenario) -> None:
    for role, status in ((AccessRole.INTAKE, 403), (AccessRole.AUDITOR, 403), (AccessRole.AGENT, 200)):
        headers = scenario.key(role)
        assert client.get(CLOCK, headers=headers).status_code == 200
        assert client.post(ADVANCE, json={"by": "PT0S"}, headers=headers).status_code == status
        assert client.put(CLOCK, json=client.get(CLOCK).json(), headers=headers).status_code == status


def test_elsewhere_it_does_not_exist(database_url: str) -> None:
    database = Database(open_engine(database_url), lambda _connection: datetime(2026, 1, 5, tzinfo=UTC))
    with database.begin() as tx:
        tx.connection.execute(delete(test_clock.sandbox_clock))
    with api_client(Service(database, new_id)) as client:
        unknown = client.get("/v1/nothing/here").json()
        for method, path, body in (
            ("GET", CLOCK, None),
            ("PUT", CLOCK, {"now": "2026-01-06T02:00:00Z"}),
            ("PUT", CLOCK, {"nonsense": 1}),
            ("DELETE", CLOCK, None),
            ("POST", ADVANCE, {"by": "PT1H"}),
            ("GET", ADVANCE, None),
        ):
            answer = client.request(method, path, json=body)
            assert (answer.status_code, answer.json()) == (404, unknown | {"instance": path}), (method, path)
    database.engine.dispose()


def test_nodes_that_move_it_at_once_take_turns(client: ApiClient, scenario: Scenario) -> None:
    for _ in range(5):
        scenario.post()

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: client.post(ADVANCE, json={"by": "PT20H"}), range(4)))

    assert [a.status_code for a in answers] == [200] * 4
    assert client.get(CLOCK).json() == {"now": "2026-01-08T09:00:00Z"}
    assert len(steps(client)) == len({step[:3] for step in steps(client)}) == 5 * 10
    assert sum(a.json()["escalations"] + a.json()["reminders"] for a in answers) == 5 * 10


def test_a_move_of_the_clock_blocks_nobody_who_works(client: ApiClient, scenario: Scenario) -> None:
    complaints = [scenario.post() for _ in range(4)]
    moved = threading.Event()

    def work(n: int) -> list[int]:
        statuses = []
        while not moved.is_set():
            answer = client.post(f"/v1/complaints/{complaints[n].id}/notes", json={"text": "still here"})
            statuses.append(answer.status_code)
        return statuses

    with ThreadPoolExecutor(4) as pool:
        working = [pool.submit(work, n) for n in range(4)]
        answers = [client.post(ADVANCE, json={"by": "PT9H"}) for _ in range(6)]
        moved.set()
        statuses = [status for one in working for status in one.result(timeout=60)]

    assert [a.status_code for a in answers] == [200] * 6
    assert set(statuses) == {201}
    assert len(steps(client)) == 4 * 8


def test_while_it_moves_complaints_stand_still(migrated_database_url: Callable[[str], str]) -> None:
    with opened_service(migrated_database_url("postgresql")) as service, ThreadPoolExecutor(1) as pool:
        scenario = Scenario(service)
        complaint = scenario.post()
        with service.database.begin() as tx:
            test_clock.lock_sandbox(tx.connection)
            acting = pool.submit(
                scenario.act, complaint, "respond", message="We are on it.", contact_channel="phone"
            )
            time.sleep(0.3)
            assert not acting.done()
            assert scenario.load(complaint).version == 1
        assert acting.result(timeout=10).version == 2


def test_the_work_grows_by_batches_not_by_complaints(service: Service, scenario: Scenario) -> None:
    counted = []
    for n in (5, 40):
        for _ in range(n):
            scenario.post()
        with count_statements(service) as executed:  # a statement for many rows counts once
            scenario.advance(days=100)
        counted.append(len(executed))

    assert counted[1] <= counted[0] + 5
