"""/readyz and /metrics: when a node is ready, what is measured, and that asking often costs little."""

from datetime import timedelta
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from complaints.api.http.shared_answer import SharedAnswer
from complaints.storage.database.connections import open_engine
from complaints.storage.database.transactions import Database
from complaints.storage.rows import heartbeat
from complaints.use_cases.service import Service
from complaints.wiring import new_id, wall_now
from tests.api_client import ApiClient
from tests.support import START, Scenario, count_statements

AWAY = "postgresql://nobody@127.0.0.1:1/nothing"


@pytest.mark.parametrize(
    ("is_told_to_watch", "somebody_watches", "status"),
    [(True, True, 200), (True, False, 503), (False, False, 200), (False, True, 200)],
)
def test_only_a_node_that_is_told_to_watch_needs_somebody_who_watches(
    client: ApiClient, service: Service, is_told_to_watch: bool, somebody_watches: bool, status: int
) -> None:
    """The heartbeat of a process that only serves does not count."""
    app: Any = client.app
    before, app.state.sweeps = app.state.sweeps, is_told_to_watch
    service.write(lambda tx: heartbeat.beat(tx, "api:1", at=wall_now(), sweeps=False))
    service.write(lambda tx: heartbeat.beat(tx, "gone:1", at=wall_now() - timedelta(minutes=1)))
    if somebody_watches:
        service.write(lambda tx: heartbeat.beat(tx, "worker:1", at=wall_now()))
    answer = client.get("/readyz")
    app.state.sweeps = before
    assert (answer.status_code, answer.json()["sweep"]["alive"]) == (status, somebody_watches)
    assert client.get("/healthz").status_code == 200


def measures(client: ApiClient) -> dict[tuple[str, str], float]:
    """The value of each measure, by its name and the value of its label."""
    samples = [
        s for family in text_string_to_metric_families(client.get("/metrics").text) for s in family.samples
    ]
    return {(s.name, "".join(s.labels.values())): s.value for s in samples}


def test_what_is_open_and_overdue_is_measured_by_team(client: ApiClient, scenario: Scenario) -> None:
    closed = scenario.post(category="network.outage")
    for category in ("network.outage", "network.outage", "service.attitude"):
        scenario.post(category=category)
    scenario.act(closed, "withdraw", reason="It works again.")
    scenario.advance(hours=30)
    found = measures(client)
    assert found["complaints_open", "operations"] == found["complaints_overdue", "operations"] == 2
    assert found["complaints_open", "customer_service"] == 1
    assert (found["complaints_open", "management"], found["complaints_overdue", "management"]) == (0, 0)
    assert (found["complaints_database_up", ""], found["complaints_parked", ""]) == (1, 0)
    assert ("complaints_build_info", "0.1.0") in found


def test_measures_are_shown_while_the_database_is_away(client: ApiClient) -> None:
    state: Any = client.app.state  # type: ignore[attr-defined]
    service = state.service
    state.service = Service(Database(open_engine(AWAY), lambda _connection: START), new_id)
    found = measures(client)
    state.service = service
    assert found["complaints_database_up", ""] == 0
    assert ("complaints_parked", "") not in found


def test_an_answer_is_kept_a_second(
    client: ApiClient, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So many who ask cost the database no more than one who asks."""
    monkeypatch.setattr(
        "complaints.api.http.shared_answer.KEPT_SECONDS", 60.0
    )  # longer than a slow machine pauses
    client.get("/readyz"), client.get("/metrics")
    with count_statements(service) as executed:
        for _ in range(5):
            client.get("/readyz"), client.get("/metrics")
        assert len(executed) == 0
        monkeypatch.setattr(SharedAnswer, "is_fresh", property(lambda self: False))
        client.get("/readyz")
        assert len(executed) > 0
