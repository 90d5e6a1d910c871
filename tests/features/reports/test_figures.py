"""`GET /v1/reports`: figures, the facts behind them, and exposures, through the API on both engines."""

from typing import Any

from starlette.testclient import TestClient

from complaints.use_cases.figures.keeping import keep_facts
from complaints.use_cases.service import Service
from tests.support import Scenario

JANUARY = {"from": "2026-01-01", "to": "2026-02-01"}


def _get(client: TestClient, path: str, **query: Any) -> Any:
    answer = client.get(f"/v1/reports{path}", params=JANUARY | query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def _follow(service: Service) -> None:
    while keep_facts(service):
        pass


def test_first(service: Service, scenario: Scenario, client: TestClient) -> None:
    one = scenario.post(subject="a", category="network.outage")
    scenario.post(subject="b", category="billing.refund")
    scenario.act(one, "respond", message="We look.", contact_channel="phone")
    _follow(service)
    print(_get(client, "/inflow", group_by="team"))
    print(_get(client, "/response_rate", group_by="team"))
    names = [one["figure"] for one in client.get("/v1/reports").json()["items"]]
    from complaints.domain.figures.answers import GroupBy

    for name in names:
        if "per_" in name:
            continue
        for g in GroupBy:
            print(name, _get(client, f"/{name}", group_by=g)["total"])
            client.get(f"/v1/reports/{name}/rows", params=JANUARY | {"group_by": g, "group": ""}).json()[
                "items"
            ]
