"""The rights of every role at every operation of both editions, and the scope of a key with a source."""

from typing import Any
from uuid import uuid4

import pytest

from complaints.domain.vocabulary import AccessRole
from complaints.tmf621.app import create_face
from tests.api_client import ApiClient
from tests.support import ADMIN_SECRET, Scenario
from tests.tmf621.tickets import new_ticket

EVERYONE = frozenset(AccessRole)
POSTERS = EVERYONE - {AccessRole.AUDITOR}
WORKERS = POSTERS - {AccessRole.INTAKE}
MANAGERS = frozenset({AccessRole.MANAGER, AccessRole.ADMIN})

ADMIN = {"Authorization": f"Bearer {ADMIN_SECRET}"}
V4, V5 = "/troubleTicket/v4", "/troubleTicket/v5"
CALLBACK = {"@type": "Hub", "callback": "https://crm.example/listener"}
SPECIFICATION = {"@type": "TroubleTicketSpecification", "name": "Roaming"}
NOTE = [{"@type": "Note", "text": "The customer called again."}]
CHARACTERISTIC = [{"@type": "StringCharacteristic", "name": "cell", "valueType": "string", "value": "C-7"}]
RESOLVED = {"status": "resolved", "statusChangeReason": "The cell is repaired."}

# Method, path below `/tmf-api` with ids of `world`, body, who may call, and the status of a caller with the right.
Row = tuple[str, str, Any, frozenset[AccessRole], int]
TICKETS: list[Row] = [
    ("GET", "{edition}/troubleTicket", None, EVERYONE, 200),
    ("POST", "{edition}/troubleTicket", {}, POSTERS, 201),
    ("GET", "{edition}/troubleTicket/{reference}", None, EVERYONE, 200),
    ("PATCH", "{edition}/troubleTicket/{reference}", {"note": NOTE}, POSTERS, 200),
    ("PATCH", "{edition}/troubleTicket/{reference}", {"severity": "Critical"}, POSTERS, 200),
    ("PATCH", "{edition}/troubleTicket/{reference}", {"name": "Another name"}, WORKERS, 200),
    ("PATCH", "{edition}/troubleTicket/{reference}", {"status": "inProgress"}, WORKERS, 200),
    ("PATCH", "{edition}/troubleTicket/{reference}", RESOLVED, WORKERS, 200),
    ("PATCH", "{edition}/troubleTicket/{reference}", {"status": "cancelled"}, POSTERS, 200),
    ("DELETE", "{edition}/troubleTicket/{reference}", None, POSTERS, 204),
]
HUB: list[Row] = [
    ("POST", "{edition}/hub", CALLBACK, POSTERS, 201),
    ("DELETE", "{edition}/hub/{reference}", None, POSTERS, 204),
]
SPECIFICATIONS = "/troubleTicket/v5/troubleTicketSpecification"
ONLY_V5: list[Row] = [
    ("GET", "{edition}/hub/{reference}", None, POSTERS, 200),
    ("GET", SPECIFICATIONS, None, EVERYONE, 200),
    ("GET", SPECIFICATIONS + "/{code}", None, EVERYONE, 200),
    ("POST", SPECIFICATIONS, SPECIFICATION, MANAGERS, 201),
    (
        "PATCH",
        SPECIFICATIONS + "/{code}",
        {"@type": "TroubleTicketSpecification", "name": "Calls"},
        MANAGERS,
        200,
    ),
    ("DELETE", SPECIFICATIONS + "/{code}", None, MANAGERS, 204),
]
CASES = [
    *((V5, row) for row in (*TICKETS, *HUB, *ONLY_V5)),
    *((V4, row) for row in (*TICKETS, *HUB)),
]


def body_of(edition: str, method: str, path: str, body: Any) -> Any:
    """The body in the words of an edition: version 4 needs no `@type`."""
    if method == "POST" and path.endswith("/troubleTicket"):
        body = new_ticket()
    if edition == V4:
        return without_types(body)
    return {"@type": "TroubleTicket", **body} if "{reference}" in path and body is not None else body


def without_types(found: Any) -> Any:
    """A value without the types in it."""
    if isinstance(found, dict):
        return {name: without_types(value) for name, value in found.items() if name != "@type"}
    return [without_types(one) for one in found] if isinstance(found, list) else found


class World:
    """A category, and a ticket and new subscriptions for requests. A ticket that one changed is used no more."""

    def __init__(self, client: ApiClient, scenario: Scenario) -> None:
        self.client, self.scenario = client, scenario
        self._ticket: str | None = None
        client.post(
            "/v1/categories", json={"code": "mine", "names": {"en": "Mine", "zh": "我的"}}
        ).raise_for_status()

    def ask(self, edition: str, row: Row, key: dict[str, str], role: AccessRole | None) -> Any:
        """The answer to an operation on a ticket of the source of the key."""
        method, path, body, _, _ = row
        known = {"edition": edition, "code": "mine"}
        if "/hub/" in path:
            known["reference"] = self._subscription(edition, key, role)
        elif "{reference}" in path:
            self._ticket = known["reference"] = self._ticket or str(self.scenario.post(source="north").id)
        address = f"/tmf-api{path}".format(**known)
        sent = body_of(edition, method, path, body)
        answer = self.client.request(method, address, json=sent, headers=key)
        if method != "GET" and answer.is_success:
            self._ticket = None
        return answer

    def _subscription(self, edition: str, key: dict[str, str], role: AccessRole | None) -> str:
        """The id of a subscription of the key, or of the administrator if the key may have none."""
        maker = key if role in POSTERS else ADMIN
        own = {"callback": f"https://crm.example/{uuid4()}"}  # a key has one subscription with a callback
        body = body_of(edition, "POST", "/hub", CALLBACK | own)
        made = self.client.post(f"/tmf-api{edition}/hub", json=body, headers=maker)
        assert made.status_code == 201, made.text
        return str(made.json()["id"])


@pytest.fixture
def world(client: ApiClient, scenario: Scenario) -> World:
    return World(client, scenario)


def test_each_role_may_call_what_its_rights_allow(world: World, subtests: pytest.Subtests) -> None:
    keys = {
        edition: {role: world.scenario.key(role, source="north") for role in AccessRole}
        for edition in (V5, V4)
    }
    del world.client.headers["Authorization"]
    for edition, row in CASES:
        method, path, _, allowed, status = row
        with subtests.test(f"{edition} {method} {path}"):
            found: dict[str, int] = {}
            for role, key in keys[edition].items():
                if method == "DELETE" and "{code}" in path:
                    again = world.client.patch("/v1/categories/mine", json={"active": True}, headers=ADMIN)
                    again.raise_for_status()
                answer = world.ask(edition, row, key, role)
                found[role] = answer.status_code
                if answer.status_code == 403:
                    assert answer.json()["status"] == "403"
            assert found == {role: status if role in allowed else 403 for role in AccessRole}
            refused = world.ask(edition, row, {}, None)
            assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")


READ = [("GET", None), ("PATCH", {"note": NOTE}), ("PATCH", {"status": "cancelled"}), ("DELETE", None)]


@pytest.mark.parametrize("edition", [V5, V4])
@pytest.mark.parametrize(("method", "body"), READ)
def test_a_key_of_another_source_does_not_know_of_a_ticket(
    client: ApiClient, scenario: Scenario, edition: str, method: str, body: Any
) -> None:
    ticket = scenario.post(source="north")
    address = f"/tmf-api{edition}/troubleTicket/{ticket.id}"
    south, north = (scenario.key(AccessRole.INTAKE, source=source) for source in ("south", "north"))
    sent = body_of(edition, method, "{reference}", body)
    refused = client.request(method, address, json=sent, headers=south)
    assert (refused.status_code, refused.json()["status"]) == (404, "404")
    assert client.get(f"/tmf-api{edition}/troubleTicket", headers=south).json() == []
    assert len(client.get(f"/tmf-api{edition}/troubleTicket", headers=north).json()) == 1
    assert scenario.load(ticket) == ticket
    assert client.request(method, address, json=sent, headers=north).status_code in (200, 204)


def test_every_operation_of_the_face_has_its_row() -> None:
    described = {
        (method.upper(), path)
        for path, methods in create_face().app.openapi()["paths"].items()
        for method in methods
    }
    assert described == {(row[0], row[1].replace("{edition}", edition)) for edition, row in CASES}


@pytest.mark.parametrize("edition", [V5, V4])
def test_a_subscription_of_another_key_is_not_known(
    client: ApiClient, scenario: Scenario, edition: str
) -> None:
    south, north = (scenario.key(AccessRole.INTAKE, source=source) for source in ("south", "north"))
    hub = f"/tmf-api{edition}/hub"
    made = client.post(hub, json=body_of(edition, "POST", "/hub", CALLBACK), headers=north).json()["id"]
    assert client.delete(f"{hub}/{made}", headers=south).status_code == 404
    assert client.delete(f"{hub}/{made}", headers=north).status_code == 204
    assert client.delete(f"{hub}/{made}", headers=north).status_code == 404
