"""Subscriptions: who has them, and bad input on every call."""

import json
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from complaints.domain.vocabulary import AccessRole
from complaints.features.webhooks import use_cases
from tests.api.test_sessions import open_session
from tests.features.webhooks.webhook_world import WebhookWorld

URL = "https://crm.example.com/hook"


BAD: list[tuple[dict[str, Any], str]] = [
    ({}, "/url"),
    ({"url": 5}, "/url"),
    ({"url": ""}, "/url"),
    ({"url": "http://crm.example.com/"}, "/url"),
    ({"url": "https://10.0.0.1/"}, "/url"),
    ({"url": "https://0x7f000001/"}, "/url"),
    ({"url": "https://例子.example/"}, "/url"),
    ({"url": "https://a@crm.example.com/"}, "/url"),
    ({"url": "https://crm.example.com/" + "x" * 2000}, "/url"),
    ({"url": "https://crm.example.com/\u0000"}, "/url"),
    ({"url": URL, "event_types": []}, "/event_types"),
    ({"url": URL, "event_types": "complaint.created"}, "/event_types"),
    ({"url": URL, "event_types": ["complaint.create"]}, "/event_types/0"),
    ({"url": URL, "event_types": ["*", None]}, "/event_types/1"),
    ({"url": URL, "payload": "fat"}, "/payload"),
    ({"url": URL, "format": "xml"}, "/format"),
    ({"url": URL, "filter": {"team": "nobody"}}, "/filter/team"),
    ({"url": URL, "filter": {"category": "nothing"}}, "/filter/category"),
    ({"url": URL, "filter": {"priority": "highest"}}, "/filter/priority"),
    ({"url": URL, "filter": {"region": "x"}}, "/filter/region"),
    ({"url": URL, "filter": []}, "/filter"),
    ({"url": URL, "exclude_actors": "key:crm"}, "/exclude_actors"),
    ({"url": URL, "exclude_actors": ["x" * 300]}, "/exclude_actors/0"),
    ({"url": URL, "secret": "mine"}, "/secret"),
    ({"url": URL, "status": "active"}, "/status"),
]


def test_bad_input_is_refused_by_the_name_of_its_member(world: WebhookWorld) -> None:
    made = world.client.post("/v1/webhooks", json={"url": URL}).json()
    path = f"/v1/webhooks/{made['id']}"
    for body, pointer in BAD:
        answers = [world.client.post("/v1/webhooks", content=json.dumps(body), headers=JSON)]
        if body and pointer != "/status":
            answers.append(world.client.patch(path, content=json.dumps(body), headers=JSON))
        for answer in answers:
            assert answer.status_code == 422, (body, answer.text)
            assert pointer in [error["pointer"] for error in answer.json()["errors"]], (body, answer.text)
    others = [
        ("POST", f"{path}/replay", {}, 422),
        ("POST", f"{path}/replay", {"from_sequence": 2, "to_sequence": 1}, 422),
        ("POST", f"{path}/replay", {"from_sequence": 1, "to_sequence": 10_001}, 422),
        ("POST", f"{path}/replay", {"from_sequence": True, "to_sequence": 2}, 422),
        ("POST", f"{path}/replay", {"from_sequence": 1, "to_sequence": 2**63}, 422),
        ("POST", f"{path}/rotate-secret", {"overlap": "P31D"}, 422),
        ("POST", f"{path}/rotate-secret", {"overlap": "soon"}, 422),
        ("PATCH", path, {"status": "paused"}, 422),
        ("PATCH", path, {"url": "http://127.0.0.2/"}, 422),
        ("GET", f"{path}/deliveries?limit=0", None, 422),
        ("GET", f"{path}/deliveries?cursor=x", None, 400),
        ("GET", f"{path}/deliveries?other=1", None, 400),
        ("GET", "/v1/webhooks/one", None, 404),
        ("DELETE", "/v1/webhooks/019a9f2e-7c3b-7d52-9d1a-4f0c8f4f2a11", None, 404),
    ]
    for method, address, body, status in others:
        answer = world.client.request(method, address, **({"json": body} if body is not None else {}))
        assert answer.status_code == status, (method, address, body, answer.text)
    assert world.show(made)["url"] == URL
    assert len(world.client.get("/v1/webhooks").json()["items"]) == 1


JSON = {"Content-Type": "application/json"}


def test_a_key_sees_its_own_subscriptions_and_a_manager_sees_all(world: WebhookWorld) -> None:
    client, scenario = world.client, world.scenario
    first, second = (scenario.key(AccessRole.INTAKE, source=source) for source in ("one", "two"))
    made = client.post("/v1/webhooks", json={"url": URL}, headers=first).json()
    path = f"/v1/webhooks/{made['id']}"
    assert [client.get(path, headers=head).status_code for head in (first, second)] == [200, 404]
    assert client.patch(path, json={"payload": "full"}, headers=second).status_code == 404
    assert client.delete(path, headers=second).status_code == 404
    assert client.get("/v1/webhooks", headers=second).json()["items"] == []
    manager = scenario.key(AccessRole.MANAGER)
    assert [item["id"] for item in client.get("/v1/webhooks", headers=manager).json()["items"]] == [
        made["id"]
    ]
    assert client.post("/v1/users", json={"login": "li.wei", "name": "Li Wei"}).status_code == 201
    agent = scenario.key(AccessRole.AGENT, login="li.wei")
    refused = client.post("/v1/webhooks", json={"url": URL}, headers=agent)
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/forbidden")
    assert client.delete(path, headers=first).status_code == 204
    assert client.get(path, headers=first).status_code == 404


def test_a_weaker_key_of_the_same_user_does_not_turn_a_subscription_to_itself(
    world: WebhookWorld,
) -> None:
    """Its messages come with the rights of the caller who made it."""
    world.client.post("/v1/users", json={"login": "mo", "name": "Mo", "roles": ["manager", "intake"]})
    session = open_session(world.service, "mo", now=world.wall())
    strong = world.scenario.key(AccessRole.MANAGER, login="mo")
    weak = world.scenario.key(AccessRole.INTAKE, source="crm", login="mo")
    for owner in (session, strong):
        made = world.client.post("/v1/webhooks", json={"url": URL}, headers=owner).json()
        address = f"/v1/webhooks/{made['id']}"
        stolen = world.client.patch(address, json={"url": URL, "payload": "full"}, headers=weak)
        assert stolen.status_code == 404, stolen.text
    own = world.client.post("/v1/webhooks", json={"url": URL}, headers=weak).json()["id"]
    shown = world.client.get("/v1/webhooks", headers=weak).json()["items"]
    assert [one["id"] for one in shown] == [own]
    assert world.client.get(f"/v1/webhooks/{own}", headers=session).status_code == 200


def test_one_key_does_not_take_all_places(world: WebhookWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(use_cases, "MOST_OF_ONE_OWNER", 2)
    monkeypatch.setattr(use_cases, "MOST_WEBHOOKS", 5)
    keys = [world.scenario.key(AccessRole.INTAKE, source=source) for source in ("north", "south")]
    answers = [world.client.post("/v1/webhooks", json={"url": URL}, headers=key) for key in keys * 3]
    assert [answer.status_code for answer in answers] == [201] * 4 + [409] * 2
    assert answers[-1].json()["detail"].startswith("You have 2 subscriptions already")
    assert world.client.post("/v1/webhooks", json={"url": URL}).status_code == 201
    refused = world.client.post("/v1/webhooks", json={"url": URL})
    assert refused.json()["detail"].startswith("There are 5 subscriptions already")


def test_a_repeated_request_gets_the_same_secret(world: WebhookWorld) -> None:
    headers = {"Idempotency-Key": "subscribe"}
    first, again = (world.client.post("/v1/webhooks", json={"url": URL}, headers=headers) for _ in range(2))
    assert (again.status_code, again.json()) == (201, first.json())
    assert len(world.client.get("/v1/webhooks").json()["items"]) == 1
    with world.service.database.read() as tx:
        stored = str(tx.connection.execute(text("SELECT body FROM idempotency")).all())
    assert first.json()["secret"] not in stored


def test_a_change_holds_from_the_next_event_on(world: WebhookWorld) -> None:
    made = world.client.post("/v1/webhooks", json={"url": URL, "event_types": ["complaint.closed"]}).json()
    path = f"/v1/webhooks/{made['id']}"
    world.scenario.post()
    world.plan()
    changed = {"event_types": ["complaint.created"], "filter": {"source": "crm"}, "exclude_actors": []}
    shown = world.client.patch(path, json=changed).json()
    assert (shown["event_types"], shown["filter"]["source"]) == (["complaint.created"], "crm")
    world.scenario.post(source="crm")
    world.scenario.post(source="web")
    world.plan()
    count = "SELECT count(*) FROM webhook_delivery"
    with world.service.database.read() as tx:
        assert tx.connection.execute(text(count)).scalar_one() == 1
    assert world.client.patch(path, json={"status": "disabled"}).json()["disabled_reason"] == "request"
    assert world.client.post(f"{path}/replay", json={"from_sequence": 1, "to_sequence": 2}).status_code == 409
    world.scenario.post(source="crm")
    world.plan()
    with world.service.database.read() as tx:
        assert tx.connection.execute(text(count)).scalar_one() == 1
    assert world.client.get("/readyz").json()["webhooks_disabled"] == 0


CHECKED = [
    ("UPDATE webhook SET payload = 'fat'", "ck_webhook__payload"),
    ("UPDATE webhook SET status = 'paused'", "ck_webhook__"),
    ("UPDATE webhook SET status = 'disabled'", "ck_webhook__disabled"),
    ("UPDATE webhook SET disabled_reason = 'gone'", "ck_webhook__disabled"),
    ("UPDATE webhook SET previous_secret = secret", "ck_webhook__previous"),
    ("UPDATE webhook SET lease_id = id", "ck_webhook__lease"),
    ("UPDATE webhook SET owner_key = NULL", "ck_webhook__owner"),
    ("UPDATE webhook_delivery SET state = 'sent'", "ck_webhook_delivery__"),
    ("UPDATE webhook_delivery SET state = 'failed'", "ck_webhook_delivery__planned"),
    ("UPDATE webhook_delivery SET attempts = -1", "ck_webhook_delivery__attempts"),
]


def test_the_database_refuses_nonsense(world: WebhookWorld) -> None:
    world.client.post("/v1/webhooks", json={"url": URL, "exclude_actors": []})
    world.scenario.post()
    world.plan()
    for statement, constraint in CHECKED:
        with pytest.raises(IntegrityError) as refused, world.service.database.engine.begin() as connection:
            connection.execute(text(statement))
        assert constraint in str(refused.value.orig), statement
