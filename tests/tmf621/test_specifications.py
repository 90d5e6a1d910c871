"""Specifications below `/tmf-api`: they are categories, written as TMF621 writes them."""

from typing import Any

import pytest
from httpx2 import Response

from complaints.domain.vocabulary import AccessRole
from tests.api_client import ApiClient
from tests.support import Scenario
from tests.tmf621.specifications import CHARACTERISTICS, SPECIFICATIONS, new_specification

pytestmark = pytest.mark.usefixtures("everything_holds")
Members = dict[str, Any]
MERGE, QUERY = "application/merge-patch+json", "application/json-patch-query+json"
ZH = {"Accept-Language": "zh"}


def create(client: ApiClient, **members: Any) -> Members:
    made = client.post(SPECIFICATIONS, json=new_specification(**members))
    assert made.status_code == 201, made.text
    shown: Members = made.json()
    return shown


def patch(client: ApiClient, code: str, content: Any, media_type: str = "application/json") -> Response:
    headers = {"Content-Type": media_type}
    return client.patch(f"{SPECIFICATIONS}/{code}", json=content, headers=headers)


def change(client: ApiClient, code: str, content: Any, media_type: str = "application/json") -> Members:
    changed = patch(client, code, content, media_type)
    assert changed.status_code == 200, changed.text
    shown: Members = changed.json()
    assert client.get(f"{SPECIFICATIONS}/{code}").json() == shown
    return shown


def operations(*given: Members) -> tuple[list[Members], str]:
    return list(given), "application/json-patch+json"


def test_a_specification_is_made_read_and_listed(client: ApiClient) -> None:
    sent = new_specification()
    made = client.post(SPECIFICATIONS, json=sent)
    shown = made.json()
    assert made.status_code == 201
    assert made.headers["location"] == shown["href"] == f"{SPECIFICATIONS}/bill_dispute"
    assert shown == {
        **sent,
        "id": "bill_dispute",
        "href": shown["href"],
        "lifecycleStatus": "active",
        "creationDate": "2026-01-05T01:00:00Z",
        "lastUpdate": "2026-01-05T01:00:00Z",
    }
    assert client.get(shown["href"]).json() == shown
    assert shown in client.get(SPECIFICATIONS, params={"limit": 100}).json()
    category = client.get("/v1/categories/bill_dispute").json()
    assert (category["names"], category["active"]) == ({"en": "Bill Dispute", "zh": "Bill Dispute"}, True)
    assert client.post(
        "/v1/complaints", json={"channel": "phone", "subject": "a", "category": shown["id"]}
    ).is_success


def test_a_category_is_a_specification_without_being_made_one(client: ApiClient) -> None:
    shown = client.get(f"{SPECIFICATIONS}/network.outage").json()
    assert shown == {
        "id": "network.outage",
        "href": f"{SPECIFICATIONS}/network.outage",
        "@type": "TroubleTicketSpecification",
        "name": client.get("/v1/categories/network.outage").json()["names"]["en"],
        "lifecycleStatus": "active",
        "creationDate": "2026-01-05T01:00:00Z",
        "lastUpdate": "2026-01-05T01:00:00Z",
    }


def test_the_name_is_in_the_language_of_the_caller(client: ApiClient) -> None:
    names = client.get("/v1/categories/network").json()["names"]
    chinese = client.get(f"{SPECIFICATIONS}/network", headers=ZH)
    assert (chinese.json()["name"], chinese.headers["content-language"]) == (names["zh"], "zh")
    client.patch(
        f"{SPECIFICATIONS}/network",
        json={"@type": "TroubleTicketSpecification", "name": "网"},
        headers=ZH,
    ).raise_for_status()
    assert client.get("/v1/categories/network").json()["names"] == {"en": names["en"], "zh": "网"}
    assert client.get(f"{SPECIFICATIONS}/network").json()["name"] == names["en"]
    assert client.get(f"{SPECIFICATIONS}/network", headers=ZH).json()["name"] == "网"


@pytest.mark.parametrize(
    ("name", "code", "category"),
    [
        ("Bill Dispute", "bill_dispute", "Bill Dispute"),
        ("账单争议", "specification_1", "账单争议"),
        ("", "specification_1", "specification_1"),
        ("\u200b", "specification_1", "specification_1"),
        ("x" * 300, "x" * 63, "x" * 200),
    ],
)
def test_a_name_is_kept_as_it_was_sent(client: ApiClient, name: str, code: str, category: str) -> None:
    shown = create(client, name=name)
    assert (shown["id"], shown["name"]) == (code, name)
    assert client.get(shown["href"]).json()["name"] == name
    assert client.get(f"/v1/categories/{code}").json()["names"] == {"en": category, "zh": category}
    client.patch(f"/v1/categories/{code}", json={"names": {"en": "Renamed"}}).raise_for_status()
    assert client.get(shown["href"]).json()["name"] == "Renamed"


def test_the_same_name_twice_makes_two(client: ApiClient) -> None:
    assert [create(client)["id"], create(client)["id"]] == ["bill_dispute", "bill_dispute_2"]


def test_a_repeated_post_with_one_key_makes_one(client: ApiClient) -> None:
    answers = [
        client.post(SPECIFICATIONS, json=new_specification(), headers={"Idempotency-Key": "once"})
        for _ in range(2)
    ]
    assert answers[0].content == answers[1].content
    assert client.get(f"{SPECIFICATIONS}/bill_dispute_2").status_code == 404


LIFECYCLE = [
    ("inDesign", True),
    ("inTest", True),
    ("rejected", True),
    ("", True),
    ("Retired", False),
    ("obsolete", False),
]


def test_only_retired_and_obsolete_retire_a_category(client: ApiClient, subtests: pytest.Subtests) -> None:
    for word, is_active in LIFECYCLE:
        with subtests.test(word):
            shown = create(client, lifecycleStatus=word)
            assert shown["lifecycleStatus"] == word
            category = f"/v1/categories/{shown['id']}"
            assert client.get(category).json()["active"] is is_active
            client.patch(category, json={"active": not is_active}).raise_for_status()
            assert client.get(shown["href"]).json()["lifecycleStatus"] == (
                "retired" if is_active else "active"
            )
            client.patch(category, json={"active": is_active}).raise_for_status()
            assert client.get(shown["href"]).json()["lifecycleStatus"] == word


@pytest.mark.parametrize("media_type", ["application/json", MERGE])
def test_a_merge_patch_changes_members_and_the_category(client: ApiClient, media_type: str) -> None:
    made = create(client, version="1", validFor={"startDateTime": "2026-01-01T00:00:00Z"})
    changed = change(
        client,
        made["id"],
        {
            "@type": "TroubleTicketSpecification",
            "id": "other",
            "lastUpdate": "never",
            "name": "Bill Dispute Specification",
            "lifecycleStatus": "retired",
            "version": None,
            "validFor": {"endDateTime": "2027-01-01T00:00:00Z"},
            "specCharacteristic": [{"@type": "CharacteristicSpecification", "id": "9"}],
            "unknown": 1,
        },
        media_type,
    )
    assert changed == {
        **{name: value for name, value in made.items() if name != "version"},
        "name": "Bill Dispute Specification",
        "lifecycleStatus": "retired",
        "validFor": {"startDateTime": "2026-01-01T00:00:00Z", "endDateTime": "2027-01-01T00:00:00Z"},
        "specCharacteristic": [{"@type": "CharacteristicSpecification", "id": "9"}],
    }
    category = client.get("/v1/categories/bill_dispute").json()
    assert (category["names"]["zh"], category["active"]) == ("Bill Dispute Specification", False)
    back = {"@type": "TroubleTicketSpecification", "lifecycleStatus": "inTest"}
    assert change(client, made["id"], back, media_type)["lifecycleStatus"] == "inTest"
    assert client.get("/v1/categories/bill_dispute").json()["active"]


def test_a_json_patch_changes_a_specification(client: ApiClient) -> None:
    create(client)
    changed = change(
        client,
        "bill_dispute",
        *operations(
            {"op": "test", "path": "/specCharacteristic/1/id", "value": "5"},
            {"op": "replace", "path": "/lifecycleStatus", "value": "retired"},
            {"op": "replace", "path": "/name", "value": "Bill Dispute Specification"},
            {"op": "add", "path": "/relatedParty", "value": {"@type": "RelatedParty", "role": "owner"}},
            {"op": "remove", "path": "/specCharacteristic/0"},
        ),
    )
    assert (changed["name"], changed["lifecycleStatus"]) == ("Bill Dispute Specification", "retired")
    assert [one["role"] for one in changed["relatedParty"]] == ["approver", "owner"]
    assert changed["specCharacteristic"] == CHARACTERISTICS[1:]
    assert not client.get("/v1/categories/bill_dispute").json()["active"]


def test_a_json_patch_query_changes_the_characteristic_that_it_names(client: ApiClient) -> None:
    create(client)
    asked = [{"op": "replace", "path": "/specCharacteristic?id=5", "value": {"configurable": False}}]
    changed = change(client, "bill_dispute", asked, QUERY)
    assert changed["specCharacteristic"] == [
        CHARACTERISTICS[0],
        {**CHARACTERISTICS[1], "configurable": False},
    ]


def test_a_patch_that_changes_nothing_writes_nothing(client: ApiClient, scenario: Scenario) -> None:
    made = create(client)
    before = client.get("/v1/audit").json()["items"][0]
    scenario.jump(hours=1)
    assert change(client, made["id"], {"@type": "TroubleTicketSpecification", "version": None}) == made
    assert change(client, made["id"], made) == made
    assert change(client, "network", {"@type": "TroubleTicketSpecification"})["id"] == "network"
    assert client.get("/v1/audit").json()["items"][0] == before


def test_a_deleted_specification_is_gone_here_and_retired_there(client: ApiClient) -> None:
    made = create(client)
    gone = client.delete(made["href"])
    assert (gone.status_code, gone.content) == (204, b"")
    assert client.get(made["href"]).status_code == 404
    assert patch(client, made["id"], {"@type": "TroubleTicketSpecification"}).status_code == 404
    assert client.delete(made["href"]).status_code == 404
    assert made["id"] not in {one["id"] for one in client.get(SPECIFICATIONS, params={"limit": 100}).json()}
    assert client.get("/v1/categories/bill_dispute").json()["active"] is False
    client.patch("/v1/categories/bill_dispute", json={"active": True}).raise_for_status()
    assert client.get(made["href"]).json() == made


REFUSED_PATCHES = [
    ({"name": "a"}, MERGE, 400, "@type"),
    ([], "application/json", 400, "object"),
    ({"@type": "a", "id": 1}, MERGE, 400, "id"),
    ({"@type": "a", "name": None}, MERGE, 400, "name"),
    ({"@type": "a", "name": 5}, MERGE, 400, "name"),
    ({"@type": "a", "specCharacteristic": [{"id": "1"}]}, MERGE, 400, "specCharacteristic[0].@type"),
    ({"@type": "a", "specCharacteristic": [None]}, MERGE, 400, "specCharacteristic[0]"),
    ({"@type": "a", "relatedParty": [{"@type": "a", "role": None}]}, MERGE, 400, "relatedParty[0].role"),
    (
        {"@type": "a", "validFor": {"endDateTime": "2026-02-31T00:00:00Z"}},
        MERGE,
        400,
        "validFor.endDateTime",
    ),
    (*operations({"op": "replace", "path": "/id", "value": "a"}), 409, "id is read-only"),
    (*operations({"op": "remove", "path": "/creationDate"}), 409, "creationDate is read-only"),
    (*operations({"op": "replace", "path": "/@type", "value": "a"}), 409, "@type is read-only"),
    (*operations({"op": "remove", "path": "/nothing"}), 409, "/nothing"),
    (*operations({"op": "test", "path": "/name", "value": "a"}), 409, "/name"),
    (*operations({"op": "remove", "path": "/name"}), 400, "name"),
    (*operations({"op": "spam", "path": "/name"}), 400, "/0/op"),
    ({"op": "remove"}, "application/json-patch+json", 400, "list"),
    (
        [{"op": "replace", "path": "/specCharacteristic?name=a", "value": {}}],
        QUERY,
        400,
        "/list?id=value",
    ),
    ([{"op": "replace", "path": "/specCharacteristic?id=77", "value": {}}], QUERY, 409, "id=77"),
    ({"@type": "a"}, "text/plain", 415, MERGE),
    ({"@type": "a", "lifecycleStatus": "inTest"}, MERGE, 409, "'network' above it is retired"),
]


def test_a_patch_that_cannot_be_kept_is_refused(client: ApiClient, subtests: pytest.Subtests) -> None:
    client.patch("/v1/categories/network", json={"active": False}).raise_for_status()
    code = "network.outage"
    before = client.get(f"{SPECIFICATIONS}/{code}").json()
    for content, media_type, status, said in REFUSED_PATCHES:
        with subtests.test(f"{media_type} {content}"[:100]):
            refused = patch(client, code, content, media_type)
            assert (refused.status_code, refused.json()["status"]) == (status, str(status)), refused.text
            assert said in refused.json()["message"]
            assert client.get(f"{SPECIFICATIONS}/{code}").json() == before


REFUSED = [
    ({"name": ...}, "name is required"),
    ({"@type": ...}, "@type is required"),
    ({"description": None}, "description"),
    ({"name": 1}, "name"),
    ({"lifecycleStatus": ["active"]}, "lifecycleStatus"),
    ({"id": 5}, "id"),
    ({"specCharacteristic": {}}, "specCharacteristic should be a list"),
    ({"specCharacteristic": [{"@type": "a", "name": "b"}]}, "specCharacteristic[0].valueType"),
    ({"specCharacteristic": [{**CHARACTERISTICS[0], "minCardinality": 0.5}]}, "minCardinality"),
    ({"specCharacteristic": [{**CHARACTERISTICS[0], "configurable": "true"}]}, "configurable"),
    ({"relatedParty": [{"@type": "a"}]}, "relatedParty[0].role"),
    (
        {"relatedParty": [{"@type": "a", "role": "b", "partyOrPartyRole": {"@type": "c"}}]},
        "partyOrPartyRole.id",
    ),
    ({"validFor": "2026"}, "validFor"),
]


def test_a_new_specification_has_the_members_of_tmf621(client: ApiClient, subtests: pytest.Subtests) -> None:
    for members, said in REFUSED:
        with subtests.test(said):
            body = {name: value for name, value in new_specification(**members).items() if value is not ...}
            refused = client.post(SPECIFICATIONS, json=body)
            assert refused.status_code == 400, refused.text
            assert said in refused.json()["message"]
            assert client.get(f"{SPECIFICATIONS}/bill_dispute").status_code == 404


TYPED_VALUES = [
    ("String", "a", True), ("String", 1, False),
    ("Integer", 5.0, True), ("Integer", 5.5, False), ("Integer", True, False),
    ("Boolean", False, True), ("Boolean", 0, False),
    ("Number", 5.5, True), ("Float", "5.5", False),
    ("Object", {"a": None}, True), ("Object", [], False),
    ("Map", {"a": {}}, True), ("Map", {"a": 1}, False),
    ("StringArray", ["a"], True), ("StringArray", ["a", 1], False), ("StringArray", "a", False),
    ("MapArray", [{"value": {"a": {}}}, {}], True), ("MapArray", [{"value": 1}], False),
    ("String", None, False), ("Other", None, True), ("", {"any": ["thing"]}, True),
]  # fmt: skip


def test_the_value_of_a_characteristic_is_of_its_type(client: ApiClient, subtests: pytest.Subtests) -> None:
    for kind, value, fits in TYPED_VALUES:
        with subtests.test(f"{kind} {value}"):
            given = {"@type": f"{kind}CharacteristicValueSpecification", "value": value}
            characteristic = {**CHARACTERISTICS[0], "characteristicValueSpecification": [given]}
            answer = client.post(SPECIFICATIONS, json=new_specification(specCharacteristic=[characteristic]))
            assert answer.status_code == (201 if fits else 400), answer.text
            if fits:
                assert answer.json()["specCharacteristic"] == [characteristic]
            else:
                assert "characteristicValueSpecification/0/value" in answer.json()["message"]


def test_everybody_reads_and_managers_write(
    client: ApiClient, scenario: Scenario, subtests: pytest.Subtests
) -> None:
    for role in [AccessRole.INTAKE, AccessRole.AGENT, AccessRole.AUDITOR, AccessRole.MANAGER]:
        with subtests.test(role.value):
            headers = scenario.key(role)
            address = f"{SPECIFICATIONS}/network"
            assert client.get(SPECIFICATIONS, headers=headers).status_code == 200
            assert client.get(address, headers=headers).status_code == 200
            may_write = role is AccessRole.MANAGER
            answers = [
                client.post(SPECIFICATIONS, json=new_specification(), headers=headers),
                client.patch(address, json={"@type": "a", "version": "2"}, headers=headers),
                client.delete(address, headers=headers),
            ]
            assert [one.status_code for one in answers] == ([201, 200, 204] if may_write else [403, 403, 403])


METHODS = [("PUT", "", "GET, HEAD, POST"), ("POST", "/network", "DELETE, GET, HEAD, PATCH")]


def test_another_method_is_answered_with_those_that_are_possible(
    client: ApiClient, subtests: pytest.Subtests
) -> None:
    for method, path, allow in METHODS:
        with subtests.test(f"{method} {path}"):
            refused = client.request(method, f"{SPECIFICATIONS}{path}")
            assert refused.status_code == 405
            assert sorted(refused.headers["allow"].split(", ")) == allow.split(", ")


UNKNOWN = ["nope", "Network", "a/b", "%2e", "\u4e2d", "a" * 300]


def test_what_is_no_specification_is_not_found(client: ApiClient, subtests: pytest.Subtests) -> None:
    for code in UNKNOWN:
        with subtests.test(code[:20]):
            for method in ("GET", "DELETE"):
                assert client.request(method, f"{SPECIFICATIONS}/{code}").status_code == 404
            assert patch(client, code, {"@type": "a"}).status_code == 404


def test_version_4_has_no_specifications(client: ApiClient) -> None:
    assert client.get(SPECIFICATIONS.replace("v5", "v4")).status_code == 404
