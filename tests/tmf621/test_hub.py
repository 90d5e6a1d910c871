"""Hubs: who may have one, and the events that a real receiver gets over the life of a ticket."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from complaints.domain.vocabulary import AccessRole
from complaints.features.webhooks.feature import FEATURE
from complaints.features.webhooks.rules import DELAYS
from complaints.tmf621.hub import message_forms
from complaints.wiring import check, open_annexes
from tests.features.webhooks.webhook_world import WebhookWorld, verify, webhook_world
from tests.http_receiver import HttpReceiver, ReceivedPost, ReceiverAnswer
from tests.support import Scenario, count_statements
from tests.tmf621.test_events import official_faults
from tests.tmf621.tickets import TICKETS, TICKETS_V4, new_ticket

HUBS = "/tmf-api/troubleTicket/v5/hub"
HUBS_V4 = "/tmf-api/troubleTicket/v4/hub"
CALLBACK = "https://crm.example.com/listener"
HEARS_ALL = "ownChanges=true"


@pytest.fixture
def world(scenario: Scenario) -> Iterator[WebhookWorld]:
    with webhook_world(scenario) as opened:
        yield opened


def new_hub(callback: str = CALLBACK, **members: Any) -> dict[str, Any]:
    return {"@type": "Hub", "callback": callback, **members}


def subscribe(
    world: WebhookWorld, receiver: HttpReceiver, hubs: str = HUBS, query: str = HEARS_ALL, **options: Any
) -> dict[str, Any]:
    made = world.client.post(hubs, json=new_hub(receiver.url, query=query), **options)
    assert made.status_code == 201, made.text
    hub: dict[str, Any] = made.json()
    return hub


def contents(posts: list[ReceivedPost]) -> list[dict[str, Any]]:
    return [json.loads(post.body) for post in posts]


def names(posts: list[ReceivedPost]) -> list[str]:
    """The names of the events without what all of them have: `Create`, `StatusChange`."""
    types = [content["eventType"] for content in contents(posts)]
    return [one.removeprefix("TroubleTicket").removesuffix("Event") for one in types]


def faults(world: WebhookWorld) -> list[Any]:
    return [one for find in FEATURE.checks for one in find(world.service)]


# Routes -----------------------------------------------------------------------------------------------------


def test_a_hub_is_made_read_and_deleted(world: WebhookWorld) -> None:
    made = world.client.post(HUBS, json=new_hub(query="eventType=TroubleTicketCreateEvent"))
    assert made.status_code == 201, made.text
    hub = made.json()
    assert hub == {
        "id": hub["id"],
        "href": f"https://complaints.example{HUBS}/{hub['id']}",
        "@type": "Hub",
        "callback": CALLBACK,
        "query": "eventType=TroubleTicketCreateEvent",
    }
    assert made.headers["location"] == hub["href"]
    path = f"{HUBS}/{hub['id']}"
    assert world.client.get(path).json() == hub
    deleted = world.client.delete(path)
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert [world.client.request(method, path).status_code for method in ("GET", "DELETE")] == [404, 404]


def test_the_example_of_the_official_file_makes_a_hub_for_all_events(world: WebhookWorld) -> None:
    """Its query `data` is no filter: the file calls it additional data to be passed."""
    callback = "https://host/tmf-api/specificAPIName/v5/listener/specificEventListener"
    made = world.client.post(HUBS, json=new_hub(callback, query="data"))
    assert (made.status_code, made.json()["query"]) == (201, "data")
    shown = world.client.get(f"/v1/webhooks/{made.json()['id']}").json()
    assert {"complaint.created", "complaint.updated", "complaint.closed"} < set(shown["event_types"])
    assert not any(kind.startswith("deadline.") for kind in shown["event_types"])


def test_a_hub_of_version_4_is_made_and_deleted_and_not_read(world: WebhookWorld) -> None:
    made = world.client.post(HUBS_V4, json={"callback": CALLBACK, "query": "data"})
    hub = made.json()
    assert (made.status_code, hub) == (201, {"id": hub["id"], "callback": CALLBACK, "query": "data"})
    path = f"{HUBS_V4}/{hub['id']}"
    read = world.client.get(path)
    assert (read.status_code, read.headers["allow"]) == (405, "DELETE")
    assert world.client.get(f"{HUBS}/{hub['id']}").status_code == 404
    assert world.client.delete(path).status_code == 204
    assert world.client.delete(path).status_code == 404


BAD_HUBS = [
    ([], "object"),
    ({"@type": "Hub"}, "/callback"),
    (new_hub(""), "/callback"),
    ({"@type": "Hub", "callback": 5}, "/callback"),
    (new_hub("http://crm.example.com/"), "/callback"),
    (new_hub("https://10.0.0.1/"), "/callback"),
    (new_hub("https://0x7f000001/"), "/callback"),
    (new_hub("https://crm.example.com/" + "x" * 2000), "/callback"),
    (new_hub(query=5), "/query"),
    (new_hub(query="x" * 2001), "/query"),
    (new_hub(query="status=resolved"), "/query"),
    (new_hub(query="eventType=TroubleTicketSpecificationCreateEvent"), "/query"),
]


def test_bad_input_is_refused_by_the_name_of_its_member(
    world: WebhookWorld, subtests: pytest.Subtests
) -> None:
    for body, said in BAD_HUBS:
        for hubs in [HUBS, HUBS_V4]:
            with subtests.test(f"{hubs} {body}"[:90]):
                refused = world.client.post(hubs, json=body)
                assert refused.status_code == 400, refused.text
                assert said in refused.json()["message"]
                assert world.client.get("/v1/webhooks").json()["items"] == []


def test_other_requests_are_refused_as_tmf621_declares(world: WebhookWorld) -> None:
    assert "/@type" in world.client.post(HUBS, json={"callback": CALLBACK}).json()["message"]
    webhook = world.client.post("/v1/webhooks", json={"url": CALLBACK}).json()
    for method, path, status in [
        ("GET", HUBS, 405),
        ("PATCH", f"{HUBS}/x", 405),
        ("GET", f"{HUBS}/x", 404),
        ("DELETE", f"{HUBS}/019a9f2e-7c3b-7d52-9d1a-4f0c8f4f2a11", 404),
        ("DELETE", f"{HUBS}/{webhook['id']}", 404),
        ("DELETE", f"{HUBS_V4}/x", 404),
    ]:
        answer = world.client.request(method, path)
        assert (answer.status_code, answer.json()["status"]) == (status, str(status)), (method, path)
    assert world.client.get(HUBS).headers["allow"] == "POST"
    sent = world.client.post(HUBS, content=b"x", headers={"Content-Type": "text/plain"})
    assert sent.status_code == 415


def test_hubs_belong_to_their_owners_and_need_the_rights_of_webhooks(world: WebhookWorld) -> None:
    first, second = (world.scenario.key(AccessRole.INTAKE, source=one) for one in ("one", "two"))
    made = world.client.post(HUBS, json=new_hub(), headers=first).json()
    path = f"{HUBS}/{made['id']}"
    for method in ("GET", "DELETE"):
        assert world.client.request(method, path, headers=second).status_code == 404
    assert world.client.get(path, headers=first).status_code == 200
    assert world.client.get(path).status_code == 200  # an admin sees all
    auditor = world.scenario.key(AccessRole.AUDITOR)
    for method, address, body in [("POST", HUBS, new_hub()), ("GET", path, None), ("DELETE", path, None)]:
        answer = world.client.request(method, address, json=body, headers=auditor)
        assert (answer.status_code, answer.json()["@type"]) == (403, "Error")
    world.client.post("/v1/users", json={"login": "li.wei", "name": "Li Wei"})
    agent = world.scenario.key(AccessRole.AGENT, login="li.wei")
    refused = world.client.post(HUBS, json=new_hub(), headers=agent)
    assert (refused.status_code, "scope" in refused.json()["message"]) == (403, True)


def test_the_same_hub_again_is_a_conflict(world: WebhookWorld) -> None:
    """A client that subscribes at each start would else get each event as often as it was started."""
    first = world.client.post(HUBS, json=new_hub(query="data"))
    again = world.client.post(HUBS, json=new_hub(query="data"))
    assert (again.status_code, first.json()["id"] in again.json()["message"]) == (409, True)
    for hubs, body, headers in [
        (HUBS, new_hub(query="data", callback=f"{CALLBACK}/2"), {}),
        (HUBS, new_hub(query="other"), {}),
        (HUBS, new_hub(), {}),
        (HUBS_V4, new_hub(query="data"), {}),
        (HUBS, new_hub(query="data"), world.scenario.key(AccessRole.INTAKE)),
    ]:
        assert world.client.post(hubs, json=body, headers=headers).status_code == 201
    kept = {"Idempotency-Key": "hub"}
    answers = [world.client.post(HUBS, json=new_hub(query="x"), headers=kept) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()


def test_a_hub_is_a_webhook_that_keeps_its_form(world: WebhookWorld) -> None:
    made = world.client.post(HUBS, json=new_hub(query="eventType=TroubleTicketCreateEvent")).json()
    path = f"/v1/webhooks/{made['id']}"
    shown = world.client.get(path).json()
    assert world.client.get("/v1/webhooks").json()["items"] == [shown]
    assert (shown["format"], shown["payload"], shown["query"], shown["event_types"]) == (
        "tmf621.v5", "full", made["query"], ["complaint.created", "complaint.imported_ended"],
    )  # fmt: skip
    assert shown["exclude_actors"] == [shown["created_by"]]
    for member in ({"format": "standard"}, {"format": "tmf621.v4"}, {"payload": "thin"}):
        refused = world.client.patch(path, json=member)
        assert refused.status_code == 422
        assert [one["pointer"] for one in refused.json()["errors"]] == [f"/{next(iter(member))}"]
    changed = world.client.patch(path, json={"exclude_actors": []}).json()
    assert (changed["format"], changed["exclude_actors"]) == ("tmf621.v5", [])
    for form in ("tmf621.v5", "tmf621.v4"):
        refused = world.client.post("/v1/webhooks", json={"url": CALLBACK, "format": form})
        assert refused.status_code == 422


# Events -----------------------------------------------------------------------------------------------------


RESOLVED = {"resolution": "A new line.", "cause": "service", "outcome": "not_upheld"}
CUSTOMER = {
    "@type": "RelatedPartyRefOrPartyRoleRef",
    "role": "customer",
    "partyOrPartyRole": {
        "@type": "PartyRef", "@referredType": "Individual", "id": "A-1", "name": "Zhuge Kongming",
    },
}  # fmt: skip
TOLD = {"message": "It is done.", "contact_channel": "phone"}
SOON = "2026-01-06T09:00:00Z"
LIFE: list[tuple[str, dict[str, Any], list[str]]] = [
    ("respond", {"message": "We look into it.", "contact_channel": "phone"}, ["StatusChange"]),
    ("respond", {"message": "We still look.", "contact_channel": "phone"}, []),
    ("hold", {"reason": "awaiting_complainant", "until": SOON}, ["StatusChange", "InformationRequired"]),
    ("resume", {}, ["StatusChange"]),
    ("hold", {"reason": "awaiting_third_party", "until": SOON}, ["StatusChange"]),
    ("resume", {}, ["StatusChange"]),
    (
        "resolve",
        RESOLVED,
        ["StatusChange", "Resolved"],
    ),
    ("notify_result", {"message": "Done.", "contact_channel": "phone"}, ["AttributeValueChange"]),
    ("reopen", {"reason": "It is broken again."}, ["StatusChange"]),
    ("withdraw", {"reason": "Not needed."}, ["StatusChange"]),
]


def test_a_ticket_that_changes_here_gives_the_same_events(
    world: WebhookWorld, receiver: HttpReceiver
) -> None:
    subscribe(world, receiver)
    ticket = create(world)
    resolved = {"status": "resolved", "statusChangeReason": "A new line."}
    for change in ({"severity": "Critical"}, {"status": "inProgress"}, resolved, {"status": "closed"}):
        changed = world.client.patch(ticket["href"], json={"@type": "TroubleTicket", **change})
        assert changed.status_code == 200, changed.text
    world.send()
    assert names(receiver.posts) == [
        "Create", "AttributeValueChange", "StatusChange", "StatusChange", "Resolved",
        "AttributeValueChange", "StatusChange",
    ]  # fmt: skip
    assert contents(receiver.posts)[-1]["event"]["troubleTicket"]["status"] == "closed"


def act(world: WebhookWorld, ticket: dict[str, Any], action: str, **members: Any) -> None:
    path = f"/v1/complaints/{ticket['id']}/transitions"
    acted = world.client.post(path, json={"action": action, **members})
    assert acted.status_code == 200, acted.text


def create(world: WebhookWorld, headers: dict[str, str] | None = None, **members: Any) -> dict[str, Any]:
    made = world.client.post(TICKETS, json=new_ticket(**members), headers=headers)
    assert made.status_code == 201, made.text
    ticket: dict[str, Any] = made.json()
    return ticket


@pytest.mark.parametrize(("hubs", "edition"), [(HUBS, "v5"), (HUBS_V4, "v4")])
def test_a_receiver_gets_the_events_of_a_whole_life_in_order(
    world: WebhookWorld, receiver: HttpReceiver, hubs: str, edition: str
) -> None:
    hub = subscribe(world, receiver, hubs)
    ticket = create(world)
    world.send()
    assert names(receiver.posts) == ["Create"]
    for action, members, expected in LIFE:
        act(world, ticket, action, **members)
        before = len(receiver.posts)
        world.send()
        assert names(receiver.posts[before:]) == expected, action
    world.client.post(f"/v1/complaints/{ticket['id']}/notes", json={"text": "A late word."})
    world.send()
    assert names(receiver.posts)[-1] == "AttributeValueChange"
    for content in contents(receiver.posts):
        assert official_faults(edition, content) == []
        assert content["event"]["troubleTicket"]["id"] == ticket["id"]
    ids = [content["eventId"] for content in contents(receiver.posts)]
    assert len(set(ids)) == len(ids)
    assert [post.headers["webhook-id"] for post in receiver.posts] == ids
    assert {post.headers["content-type"] for post in receiver.posts} == {"application/json"}
    assert {post.path for post in receiver.posts} == {"/hook"}
    log = world.log(hub)
    assert {one["status_code"] for one in log} == {200}
    assert len(log) == len({content["correlationId"] for content in contents(receiver.posts)})
    assert list(check(world.service, open_annexes(), progress=lambda _: None)) == []


def end_in_other_ways(world: WebhookWorld) -> list[dict[str, Any]]:
    """Tickets that were closed, rejected, merged and parted again, and taken up by a further contact."""
    closed, rejected, target, merged, repeated = (
        create(world, name=f"Number {one}", relatedParty=[CUSTOMER]) for one in range(5)
    )
    scenario = world.scenario
    act(world, closed, "resolve", **RESOLVED)
    act(world, closed, "notify_result", **TOLD)
    scenario.advance(days=1)
    act(world, closed, "record_contact", outcome="solved")
    act(world, closed, "close", early=True, **TOLD)
    act(world, rejected, "reject", reason="not_our_service", **TOLD)
    act(world, merged, "merge", into=target["id"])
    act(world, merged, "unmerge", reason="It is another matter.")
    act(world, repeated, "resolve", **RESOLVED)
    act(world, repeated, "notify_result", **TOLD)
    act(world, repeated, "record_contact", outcome="not_solved")
    return [closed, rejected, merged, target, repeated]


def test_each_change_of_a_status_in_the_ticket_is_one_event(
    world: WebhookWorld, receiver: HttpReceiver
) -> None:
    subscribe(world, receiver, query=f"eventType=TroubleTicketStatusChangeEvent&{HEARS_ALL}")
    tickets = end_in_other_ways(world)
    world.send()
    ids = [one["event"]["troubleTicket"]["id"] for one in contents(receiver.posts)]
    shown = {one["id"]: world.client.get(one["href"]).json() for one in tickets}
    assert {one: ids.count(one) + 1 for one in shown} == {
        one: len(ticket["statusChangeHistory"]) for one, ticket in shown.items()
    }
    assert [one["status"] for one in shown.values()] == [
        "closed", "rejected", "acknowledged", "acknowledged", "inProgress",
    ]  # fmt: skip


def test_an_event_has_the_ticket_as_its_owner_reads_it(world: WebhookWorld, receiver: HttpReceiver) -> None:
    subscribe(world, receiver)
    subscribe(world, receiver, HUBS_V4)
    ticket = create(world)
    world.send()
    shown = {
        "timeOccurred": world.client.get(ticket["href"]).json(),
        "timeOcurred": world.client.get(f"{TICKETS_V4}/{ticket['id']}").json(),
    }
    found = {
        name: content["event"]["troubleTicket"]
        for content in contents(receiver.posts)
        for name in shown
        if name in content
    }
    assert found == shown


def test_a_query_chooses_events_and_members(world: WebhookWorld, receiver: HttpReceiver) -> None:
    query = "eventType=TroubleTicketResolvedEvent,TroubleTicketStatusChangeEvent&fields=status"
    hub = subscribe(world, receiver, query=f"{query}&{HEARS_ALL}")
    ticket = create(world)
    act(world, ticket, "respond", message="Now.", contact_channel="phone")
    world.client.post(f"/v1/complaints/{ticket['id']}/notes", json={"text": "No event for this hub."})
    world.send()
    (content,) = contents(receiver.posts)
    assert content["event"]["troubleTicket"] == {
        "id": ticket["id"],
        "href": ticket["href"],
        "@type": "TroubleTicket",
        "status": "inProgress",
    }
    assert len(world.log(hub)) == 1


def test_an_event_without_a_message_is_settled_without_an_attempt(
    world: WebhookWorld, receiver: HttpReceiver
) -> None:
    hub = subscribe(world, receiver)
    ticket = create(world)
    for message in ("First.", "Second."):
        act(world, ticket, "respond", message=message, contact_channel="phone")
    world.client.post(f"/v1/complaints/{ticket['id']}/notes", json={"text": "After it."})
    world.send()
    assert names(receiver.posts) == ["Create", "StatusChange", "AttributeValueChange"]
    assert len(world.log(hub)) == 3
    with world.service.database.read() as tx:
        states = "SELECT state, count(*) FROM webhook_delivery GROUP BY state"
        assert [tuple(row) for row in tx.connection.execute(text(states))] == [("delivered", 4)]
    assert world.show(hub)["failing_since"] is None
    assert faults(world) == []


def test_a_delivery_of_two_messages_is_repeated_as_a_whole_under_the_same_ids(
    world: WebhookWorld, receiver: HttpReceiver
) -> None:
    hub = subscribe(world, receiver)
    ticket = create(world)
    world.send()
    act(world, ticket, "resolve", resolution="Done.", cause="service", outcome="not_upheld")
    world.client.post(f"/v1/complaints/{ticket['id']}/notes", json={"text": "Later."})
    receiver.answer = lambda post: ReceiverAnswer(500 if b"ResolvedEvent" in post.body else 201)
    world.send()
    world.send()
    assert names(receiver.posts[1:]) == ["StatusChange", "Resolved"]
    receiver.answer = lambda post: ReceiverAnswer(204)
    world.wall.move(seconds=DELAYS[1].total_seconds() + 1)
    world.send()
    assert names(receiver.posts[3:]) == ["StatusChange", "Resolved", "AttributeValueChange"]
    ids = [content["eventId"] for content in contents(receiver.posts[1:])]
    assert ids[:2] == ids[2:4]
    assert ids[0] != ids[1]
    assert [one["status_code"] for one in world.log(hub)] == [200, 500, 204, 204]
    assert faults(world) == []


def test_a_first_message_that_fails_keeps_the_second_back(
    world: WebhookWorld, receiver: HttpReceiver
) -> None:
    subscribe(world, receiver)
    ticket = create(world)
    world.send()
    act(world, ticket, "resolve", resolution="Done.", cause="service", outcome="not_upheld")
    receiver.answer = lambda post: ReceiverAnswer(503)
    world.send()
    assert names(receiver.posts[1:]) == ["StatusChange"]


def test_a_hub_does_not_hear_what_its_owner_did(world: WebhookWorld, receiver: HttpReceiver) -> None:
    crm = world.scenario.key(AccessRole.INTAKE, source="crm")
    subscribe(world, receiver, query="data", headers=crm)
    ticket = create(world, crm)
    world.send()
    assert receiver.posts == []
    act(world, ticket, "respond", message="Now.", contact_channel="phone")
    world.send()
    assert names(receiver.posts) == ["StatusChange"]
    assert faults(world) == []


def test_a_key_of_a_source_hears_of_its_tickets_alone(world: WebhookWorld, receiver: HttpReceiver) -> None:
    crm = world.scenario.key(AccessRole.INTAKE, source="crm")
    subscribe(world, receiver, headers=crm)
    own = create(world, crm)
    other = create(world)
    world.send()
    assert [one["event"]["troubleTicket"]["id"] for one in contents(receiver.posts)] == [own["id"]]
    world.plan()
    act(world, own, "respond", message="Now.", contact_channel="phone")
    world.plan()
    with world.service.database.begin() as tx:
        tx.connection.execute(text("UPDATE complaint SET source = 'other' WHERE source = 'crm'"))
    world.send()
    assert len(receiver.posts) == 1
    assert other["id"] != own["id"]


def test_an_event_shows_no_more_than_its_owner_may_see_now(
    world: WebhookWorld, receiver: HttpReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    """The owner becomes an auditor, who follows everything and sees no person in clear."""
    crm = world.scenario.key(AccessRole.INTAKE, source="crm")
    auditor = world.scenario.key(AccessRole.AUDITOR)
    subscribe(world, receiver, headers=crm)
    secret = {"@type": "StringCharacteristic", "name": "hint", "valueType": "string", "value": "of staff"}
    ticket = create(world, crm, relatedParty=[CUSTOMER], troubleTicketCharacteristic=[secret])
    caplog.set_level(logging.INFO)
    world.send()
    act(world, ticket, "respond", message="Now.", contact_channel="phone")
    world.plan()
    keys = world.client.get("/v1/keys").json()["items"]
    weak = next(one["name"] for one in keys if one["roles"] == ["auditor"])
    with world.service.database.begin() as tx:
        tx.connection.execute(text("UPDATE webhook SET owner_key = :name"), {"name": weak})
    world.send()
    first, second = (content["event"]["troubleTicket"] for content in contents(receiver.posts))
    assert first["status"] == "acknowledged"
    assert second == world.client.get(ticket["href"], headers=auditor).json()
    assert b"of staff" not in receiver.posts[0].body + receiver.posts[1].body
    assert b"Zhuge" in receiver.posts[0].body
    assert b"Zhuge" not in receiver.posts[1].body
    logged = [vars(record)["persons_of"] for record in caplog.records if record.message == "webhook"]
    assert logged == [[ticket["id"]]]


def test_a_replay_sends_the_same_events_under_the_same_ids(
    world: WebhookWorld, receiver: HttpReceiver
) -> None:
    hub = subscribe(world, receiver)
    ticket = create(world)
    act(world, ticket, "resolve", resolution="Done.", cause="service", outcome="not_upheld")
    world.send()
    numbers = [one["sequence"] for one in world.log(hub)]
    asked = {"from_sequence": min(numbers), "to_sequence": max(numbers)}
    assert world.client.post(f"/v1/webhooks/{hub['id']}/replay", json=asked).json() == {"deliveries": 2}
    world.send()
    ids = [content["eventId"] for content in contents(receiver.posts)]
    assert (len(ids), ids[:3]) == (6, ids[3:])
    assert faults(world) == []


def test_a_deleted_ticket_is_only_named(world: WebhookWorld, receiver: HttpReceiver) -> None:
    subscribe(world, receiver)
    subscribe(world, receiver, HUBS_V4)
    ticket = create(world)
    world.send()
    assert world.client.delete(ticket["href"]).status_code == 204
    world.send()
    found = contents(receiver.posts[2:])
    assert names(receiver.posts[2:]) == ["Delete", "Delete"]
    for content in found:
        edition = "v5" if "@type" in content else "v4"
        assert official_faults(edition, content) == []
        kind = {"@type": "TroubleTicketRef"} if edition == "v5" else {}
        href = ticket["href"].replace("/v5/", f"/{edition}/")
        assert content["event"]["troubleTicket"] == {"id": ticket["id"], "href": href, **kind}


def test_a_test_message_has_the_form_of_an_event(world: WebhookWorld, receiver: HttpReceiver) -> None:
    hub = subscribe(world, receiver)
    assert world.client.post(f"/v1/webhooks/{hub['id']}/test").json()["status_code"] == 200
    (content,) = contents(receiver.posts)
    assert (content["eventType"], content["event"]) == ("webhook.test", {})


def test_the_messages_are_signed_by_the_secret_of_the_webhook(
    world: WebhookWorld, receiver: HttpReceiver
) -> None:
    hub = subscribe(world, receiver)
    path = f"/v1/webhooks/{hub['id']}/rotate-secret"
    secret = world.client.post(path, json={"overlap": "PT0S"}).json()["secret"]
    create(world)
    world.send()
    assert verify(receiver.posts[0], secret)["eventType"] == "TroubleTicketCreateEvent"


def test_a_ticket_that_cannot_be_shown_stops_no_other(
    world: WebhookWorld, receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = subscribe(world, receiver)
    bad, good = create(world, description="bad"), create(world)
    show = message_forms.ticket_json

    def fail(ticket: Any, base: str) -> Any:
        if ticket.complaint.members["description"] == "bad":
            raise KeyError("stored nonsense")
        return show(ticket, base)

    monkeypatch.setattr(message_forms, "ticket_json", fail)
    world.send()
    world.send()
    assert [one["event"]["troubleTicket"]["id"] for one in contents(receiver.posts)] == [good["id"]]
    assert sorted(str(one["failure"]) for one in world.log(hub)) == ["None", "fault"]
    monkeypatch.undo()
    world.wall.move(seconds=6)
    world.send()
    assert [one["event"]["troubleTicket"]["id"] for one in contents(receiver.posts)][1:] == [bad["id"]]


def test_the_number_of_statements_does_not_grow_with_the_events(
    world: WebhookWorld, receiver: HttpReceiver
) -> None:
    subscribe(world, receiver)
    counts = []
    for number in (1, 1, 6):  # the first one loads the configuration too
        for _ in range(number):
            create(world)
        world.plan()
        with count_statements(world.service) as statements:
            world.send()
        # How often the sender looks for work depends on the time that a receiver takes.
        counts.append(len([one for one in statements if "webhook" not in str(one[0])]))
    assert len(receiver.posts) == 8
    assert counts[1] == counts[2]
