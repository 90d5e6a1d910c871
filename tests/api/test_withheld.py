"""Internal notes and attributes are for staff; roles add up to their sum; links tell nothing of other sources."""

from typing import Any

from complaints.domain.vocabulary import AccessRole
from tests.api_client import ApiClient
from tests.support import Scenario

INTAKE, AUDITOR, AGENT = AccessRole.INTAKE, AccessRole.AUDITOR, AccessRole.AGENT
STAFF = (AGENT, AccessRole.SUPERVISOR, AccessRole.MANAGER, AccessRole.ADMIN)
PERSON = {"name": "Zhuge Kongming", "phone": "+8613912345678"}
Json = dict[str, Any]


def post(client: ApiClient, **members: Any) -> Json:
    answer = client.post("/v1/complaints", json={"channel": "phone", "subject": "No signal", **members})
    assert answer.status_code == 201, answer.text
    made: Json = answer.json()
    return made


SEES = {(INTAKE,): False, (AUDITOR,): False, (INTAKE, AUDITOR): False, **{(role,): True for role in STAFF}}


def test_internal_texts_and_attributes_are_for_staff(client: ApiClient, scenario: Scenario) -> None:
    attributes = {"idcard": "the-card", "nested": {"a": ["the-card"]}}
    path = f"/v1/complaints/{post(client, source='north', attributes=attributes)['id']}"
    client.patch(path, json={"attributes": {**attributes, "idcard": "the-card, again"}})
    for note in ({"text": "the-note", "visibility": "internal"}, {"text": "the-note"}):
        client.post(f"{path}/notes", json=note)
    client.post(f"{path}/notes", json={"text": "a public word", "visibility": "public"})
    scenario.advance(hours=25)
    (escalation, *_) = client.get("/v1/escalations", params={"level_min": 1}).json()["items"]
    client.post(f"/v1/escalations/{escalation['id']}/acknowledge", json={"note": "the-note"})

    lists = ("/v1/changes", "/v1/complaints", "/v1/complaints?fields=attributes", "/v1/escalations")
    for roles, sees in SEES.items():
        key = scenario.key(*roles, source="north")
        pages = (path, f"{path}/timeline", *lists, f"/v1/escalations/{escalation['id']}")
        shown = "".join(client.get(page, headers=key).text for page in pages)
        assert ("the-note" in shown, "the-card" in shown) == (sees, sees), roles
        assert "a public word" in shown
        assert attributes.keys() == client.get(path, headers=key).json()["attributes"].keys()
        events = client.get(f"{path}/timeline", headers=key).json()["items"]
        notes = [event["data"]["text"] for event in events if event["type"] == "complaint.note_added"]
        assert notes == [*["the-note" if sees else "***"] * 2, "a public word"]


def test_what_an_intake_key_posts_comes_back_masked(client: ApiClient, scenario: Scenario) -> None:
    sent = {"channel": "web", "subject": "x", "attributes": {"idcard": "the-card"}}
    made = client.post("/v1/complaints", json=sent, headers=scenario.key(INTAKE, source="north"))
    assert made.json()["attributes"] == {"idcard": "***"}
    assert client.get(f"/v1/complaints/{made.json()['id']}").json()["attributes"] == {"idcard": "the-card"}


def test_intake_and_auditor_together_have_no_more_than_each(client: ApiClient, scenario: Scenario) -> None:
    own = post(client, source="north", complainant=PERSON)
    other = post(client, source="south", complainant=PERSON)
    both = scenario.key(INTAKE, AUDITOR, source="north")

    def seen(path: str, **params: str) -> list[str]:
        answer = client.get(path, params=params, headers=both)
        assert answer.status_code == 200
        return sorted(item["id"] for item in answer.json()["items"])

    assert seen("/v1/complaints") == sorted([own["id"], other["id"]])
    assert seen("/v1/complaints", phone=PERSON["phone"]) == [own["id"]]
    for made, name in ((own, PERSON["name"]), (other, "Z****")):
        assert client.get(f"/v1/complaints/{made['id']}", headers=both).json()["complainant"]["name"] == name
    sent = {"channel": "web", "subject": "x"}
    posted = client.post("/v1/complaints", json=sent | {"complainant": PERSON}, headers=both).json()
    assert (posted["source"], [one["id"] for one in posted["related"]]) == ("north", [own["id"]])
    refused = client.post("/v1/complaints", json=sent | {"source": "south"}, headers=both)
    assert refused.status_code == 403
    agent = scenario.key(INTAKE, AGENT, source="north")
    assert client.get("/v1/complaints", params={"phone": PERSON["phone"]}, headers=agent).json()["items"][1:]
    assert client.post("/v1/complaints", json=sent | {"source": "south"}, headers=agent).status_code == 201


def test_follow_ups_of_other_sources_are_masked_for_intake_and_auditor(
    client: ApiClient, scenario: Scenario
) -> None:
    for source in ("north", "south"):
        path = f"/v1/complaints/{post(client, source=source, complainant=PERSON)['id']}/transitions"
        told = {"message": "Fixed.", "contact_channel": "phone"}
        solved = {"resolution": "Fixed.", "outcome": "upheld", "cause": "technical"}
        for action in (
            {"action": "respond", **told},
            {"action": "resolve", **solved},
            {"action": "notify_result", **told},
        ):
            assert client.post(path, json=action).status_code == 200
    found = client.get("/v1/followups", headers=scenario.key(INTAKE, AUDITOR, source="north")).json()["items"]
    assert {item["complainant"]["name"] for item in found} == {PERSON["name"], "Z****"}


def test_links_tell_an_intake_key_nothing_of_other_sources(client: ApiClient, scenario: Scenario) -> None:
    own, near, far = (
        post(client, source=source, complainant=PERSON) for source in ("north", "north", "south")
    )
    path = f"/v1/complaints/{own['id']}"
    for other in (near, far):
        client.post(f"{path}/links", json={"type": "related", "complaint_id": other["id"]})
    client.delete(f"{path}/links", params={"type": "related", "complaint_id": far["id"]})
    client.post(f"{path}/links", json={"type": "recurrence_of", "complaint_id": far["id"]})
    merge = {"action": "merge", "into": far["id"]}
    assert client.post(f"/v1/complaints/{near['id']}/transitions", json=merge).status_code == 200

    key = scenario.key(INTAKE, source="north")
    shown = client.get(path, headers=key).json()
    assert [link["complaint_id"] for link in shown["links"]] == [near["id"]]
    pages = [
        path,
        f"{path}/timeline",
        f"/v1/complaints/{near['id']}/timeline",
        "/v1/complaints",
        "/v1/changes",
    ]
    texts = "".join(client.get(page, headers=key).text for page in pages)
    assert far["id"] not in texts
    assert far["number"] not in texts
    assert near["id"] in texts
    agent = scenario.key(AGENT)
    assert len(client.get(path, headers=agent).json()["links"]) == 2
    assert far["id"] in client.get(f"{path}/timeline", headers=agent).text
