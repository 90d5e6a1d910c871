"""One complaint over HTTP: post, read, change, act, and the list of its possible actions."""

from typing import Any

import pytest
from pydantic import TypeAdapter

from complaints.api.complaints import schemas
from complaints.api.openapi.example_files import read_examples
from complaints.domain.complaint.numbers import number_of, sequence_of
from complaints.domain.vocabulary import AccessRole, Action, Status
from complaints.use_cases.commands.complaints import CreateComplaint, PatchComplaint, Transition
from tests.api_client import ApiClient
from tests.support import Scenario

EXAMPLES = read_examples("complaints.api.complaints")
SAID = {"message": "We look into it.", "contact_channel": "phone"}


def _choices(client: ApiClient, reference: str, **headers: Any) -> dict[str, dict[str, Any]]:
    answer = client.get(f"/v1/complaints/{reference}/transitions", **headers)
    assert answer.status_code == 200
    schemas.TransitionList.model_validate(answer.json(), extra="forbid")
    return {one["action"]: one for one in answer.json()["items"]}


def _required(choice: dict[str, Any]) -> set[str]:
    return {one["name"] for one in choice["requires"] if one["required"]}


# Post, read, change ----------------------------------------------------------------------------------


def test_a_posted_complaint_answers_in_full(client: ApiClient, subtests: pytest.Subtests) -> None:
    for name in EXAMPLES["create"]:
        with subtests.test(name):
            posted = EXAMPLES["create"][name]["value"]
            answer = client.post("/v1/complaints", json=posted)
            shown = answer.json()

            assert answer.status_code == 201
            schemas.CreatedComplaintShown.model_validate(shown, extra="forbid")
            only_now = {"related", "acknowledgement"}
            assert answer.headers["Location"] == f"/v1/complaints/{shown['id']}"
            assert answer.headers["ETag"] == '"1"'
            for reference in (shown["id"], shown["number"], shown["number"].lower()):
                read = client.get(f"/v1/complaints/{reference}")
                assert (read.status_code, read.headers["ETag"]) == (200, '"1"')
                assert read.json() == {name: value for name, value in shown.items() if name not in only_now}
            for member in ("channel", "subject", "description", "external_id", "region", "attributes"):
                assert shown[member] == posted.get(member, {} if member == "attributes" else None)


def test_a_repeated_post_answers_with_the_same_complaint(client: ApiClient) -> None:
    posted = {"channel": "web", "subject": "No signal", "source": "cc", "external_id": "E1"}
    first = client.post("/v1/complaints", json=posted)
    again = client.post("/v1/complaints", json=posted)

    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert "Location" not in again.headers
    other = client.post("/v1/complaints", json={**posted, "source": "cc-south"})
    assert other.status_code == 201


UNKNOWN = ["C000000013", "00000000-0000-7000-8000-000000000000", "nothing", "C1"]


def test_an_unknown_complaint_is_not_found(client: ApiClient, subtests: pytest.Subtests) -> None:
    for reference in UNKNOWN:
        with subtests.test(reference):
            address = f"/v1/complaints/{reference}"
            answers = [
                client.get(address),
                client.get(f"{address}/transitions"),
                client.patch(address, json={"subject": "x"}),
                client.post(f"{address}/transitions", json={"action": "resume"}),
            ]
            assert [(a.status_code, a.json()["type"]) for a in answers] == [(404, "/problems/not-found")] * 4


def test_a_complaint_of_another_source_is_not_found(scenario: Scenario, client: ApiClient) -> None:
    complaint = scenario.post(source="south")
    key = scenario.key(AccessRole.INTAKE, source="north")
    for address in (f"/v1/complaints/{complaint.id}", f"/v1/complaints/{complaint.id}/transitions"):
        assert client.get(address, headers=key).status_code == 404


def test_a_change_makes_a_version_and_heeds_if_match(scenario: Scenario, client: ApiClient) -> None:
    address = f"/v1/complaints/{scenario.post().id}"
    changed = client.patch(address, json={"priority": "urgent"}, headers={"If-Match": '"1"'})
    stale = client.patch(address, json={"priority": "low"}, headers={"If-Match": '"1"'})

    assert (changed.status_code, changed.headers["ETag"], changed.json()["version"]) == (200, '"2"', 2)
    schemas.ComplaintShown.model_validate(changed.json(), extra="forbid")
    assert (stale.status_code, stale.json()["type"]) == (412, "/problems/stale-version")
    assert client.get(address).json()["priority"] == "urgent"
    for example in EXAMPLES["patch"].values():
        assert client.patch(address, json=example["value"]).status_code == 200


def test_a_key_without_the_right_to_work_cannot_change(scenario: Scenario, client: ApiClient) -> None:
    address = f"/v1/complaints/{scenario.post().id}"
    key = scenario.key(AccessRole.AUDITOR)
    assert client.patch(address, json={"subject": "x"}, headers=key).status_code == 403
    assert client.post(f"{address}/transitions", json={"action": "resume"}, headers=key).status_code == 403
    agent = scenario.key(AccessRole.AGENT)
    assert client.patch(address, json={"first_owner": "li.wei"}, headers=agent).status_code == 403
    assert client.patch(address, json={"first_owner": "admin"}, headers=agent).status_code == 200  # as it is


# Actions --------------------------------------------------------------------------------------------------


def test_an_action_answers_with_the_complaint(scenario: Scenario, client: ApiClient) -> None:
    address = f"/v1/complaints/{scenario.post().id}/transitions"
    answer = client.post(address, json={"action": "respond", **SAID})

    assert (answer.status_code, answer.json()["status"], answer.headers["ETag"]) == (
        200,
        "investigating",
        '"2"',
    )
    schemas.ComplaintShown.model_validate(answer.json(), extra="forbid")


def test_a_refused_action_names_the_allowed_actions(scenario: Scenario, client: ApiClient) -> None:
    # rule 1.6
    complaint = scenario.post()
    answer = client.post(f"/v1/complaints/{complaint.id}/transitions", json={"action": "close"})

    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/transition-refused")
    allowed = [name for name, one in _choices(client, str(complaint.id)).items() if one["allowed"]]
    assert answer.json()["allowed"] == allowed
    assert client.get(f"/v1/complaints/{complaint.id}").json()["allowed_actions"] == allowed


# Possible actions -----------------------------------------------------------------------------------------


def test_the_possible_actions_of_a_new_complaint(scenario: Scenario, client: ApiClient) -> None:
    # rule 1.6
    complaint = scenario.post()
    answer = client.get(f"/v1/complaints/{number_of(complaint.sequence)}/transitions")
    assert answer.headers["ETag"] == '"1"'
    assert (answer.json()["id"], answer.json()["status"]) == (str(complaint.id), "received")

    choices = _choices(client, str(complaint.id))
    assert list(choices) == [action.value for action in Action]
    assert {name for name, one in choices.items() if one["allowed"]} == {
        "assign", "respond", "resolve", "record_contact", "escalate", "reject", "withdraw", "merge",
    }  # fmt: skip
    assert all((one["refused_because"] is None) == one["allowed"] for one in choices.values())
    assert choices["hold"]["refused_because"] == "not possible while the complaint is received."
    assert (choices["respond"]["to"], choices["assign"]["to"], choices["hold"]["to"]) == (
        "investigating", "received", None,
    )  # fmt: skip
    assert choices["assign"]["any_of"] == ["team", "assignee"]
    assert _required(choices["assign"]) == set()
    assert _required(choices["respond"]) == {"message", "contact_channel"}
    assert _required(choices["resolve"]) == {"resolution", "outcome", "cause"}
    assert _required(choices["merge"]) == {"into"}


def test_requirements_say_which_values_are_accepted(scenario: Scenario, client: ApiClient) -> None:
    choices = _choices(client, str(scenario.post().id))
    members = {(name, one["name"]): one["schema"] for name, c in choices.items() for one in c["requires"]}

    assert members["resolve", "outcome"]["enum"] == ["upheld", "partly_upheld", "not_upheld"]
    assert members["hold", "reason"]["enum"] == ["awaiting_complainant", "awaiting_third_party", "outage"]
    assert members["hold", "until"]["format"] == "date-time"
    assert members["record_contact", "outcome"]["enum"] == ["unreachable"]  # there is no result yet
    assert (members["record_contact", "csat"]["minimum"], members["record_contact", "csat"]["maximum"]) == (
        1,
        5,
    )
    assert members["assign", "assignee"]["type"] == ["string", "null"]  # null takes the assignment back
    assert members["assign", "team"]["type"] == "string"
    assert members["resolve", "compensation"]["properties"].keys() == {"amount", "currency"}
    assert not [schema for schema in members.values() if "$ref" in str(schema) or "title" in schema]


def test_a_follow_up_contact_leads_to_one_of_two_statuses(scenario: Scenario, client: ApiClient) -> None:
    complaint = scenario.post()
    scenario.act(complaint, "resolve", resolution="Repaired.", outcome="upheld", cause="technical")
    scenario.act(complaint, "notify_result", **SAID)
    choices = _choices(client, str(complaint.id))

    contact = choices["record_contact"]
    assert (contact["to"], contact["to_if_not_solved"]) == ("following_up", "investigating")
    assert contact["requires"][0]["schema"]["enum"] == ["solved", "not_solved", "unreachable"]
    assert choices["respond"]["to_if_not_solved"] is None


def test_close_requires_the_members_that_the_complaint_lacks(scenario: Scenario, client: ApiClient) -> None:
    complaint = scenario.post(severity="normal")
    scenario.act(complaint, "resolve", resolution="Repaired.", outcome="upheld", cause="technical")
    scenario.act(complaint, "notify_result", **SAID)
    agent = scenario.key(AccessRole.AGENT)

    early = _choices(client, str(complaint.id))["close"]
    assert early["allowed"]
    assert _required(early) == {"root_cause", "early", "message", "contact_channel"}
    refused = _choices(client, str(complaint.id), headers=agent)["close"]
    assert refused["refused_because"].startswith("A follow-up contact is still to be made")

    scenario.advance(days=30)
    scenario.act(complaint, "record_contact", outcome="solved")
    scenario.advance(days=2)
    ready = _choices(client, str(complaint.id), headers=agent)["close"]
    assert ready["allowed"]
    assert _required(ready) == {"root_cause"}
    scenario.act(complaint, "close", root_cause="fibre")
    assert _choices(client, str(complaint.id))["reopen"]["to"] == "investigating"


def test_a_reader_sees_why_no_action_is_allowed(scenario: Scenario, client: ApiClient) -> None:
    choices = _choices(client, str(scenario.post().id), headers=scenario.key(AccessRole.AUDITOR))
    assert not any(one["allowed"] for one in choices.values())
    assert "needs a key with one of the roles" in choices["respond"]["refused_because"]


def test_actions_take_the_members_that_the_list_requires(scenario: Scenario, client: ApiClient) -> None:
    """A required member that is left out is refused as missing. Every listed member is known."""
    values = {example["value"]["action"]: example["value"] for example in EXAMPLES["actions"].values()}
    complaint = scenario.post()
    adapter: TypeAdapter[Any] = TypeAdapter(Transition)
    for name, choice in _choices(client, str(complaint.id)).items():
        assert set(values[name]) - {"action"} <= {one["name"] for one in choice["requires"]}
        for missing in _required(choice):
            address = f"/v1/complaints/{complaint.id}/transitions"
            body = {key: value for key, value in values[name].items() if key != missing}
            answer = client.post(address, json=body)
            assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, f"/{missing}")
        adapter.validate_python(values[name])


def test_the_list_of_actions_agrees_with_the_refusals(scenario: Scenario, client: ApiClient) -> None:
    """Each action is taken on its own complaint, in several statuses: it is refused if the list says so."""
    actions_before: dict[Status, list[dict[str, Any]]] = {
        Status.RECEIVED: [],
        Status.INVESTIGATING: [{"action": "respond", **SAID}],
        Status.RESOLVED: [{"action": "resolve", "resolution": "x", "outcome": "upheld", "cause": "service"}],
        Status.WITHDRAWN: [{"action": "withdraw", "reason": "never mind"}],
    }
    target = scenario.post(complainant={"account_no": "A-1"})
    for status, steps_before in actions_before.items():
        for example in EXAMPLES["actions"].values():
            complaint = scenario.post(complainant={"account_no": "A-1"})
            for step in steps_before:
                scenario.act(complaint, **step)
            body = dict(example["value"])
            if body["action"] == "merge":
                body["into"] = number_of(target.sequence)
            if body["action"] == "record_contact":
                body = {"action": "record_contact", "outcome": "unreachable"}
            listed = _choices(client, str(complaint.id))[body["action"]]
            answer = client.post(f"/v1/complaints/{complaint.id}/transitions", json=body)
            assert answer.status_code == (200 if listed["allowed"] else 409), (status, body["action"])
            if listed["allowed"]:
                assert answer.json()["status"] == listed["to"]


# The document ---------------------------------------------------------------------------------------------


def test_examples_fit_their_schemas() -> None:
    schemas.ComplaintShown.model_validate(EXAMPLES["complaint"], extra="forbid")
    schemas.CreatedComplaintShown.model_validate(EXAMPLES["created_complaint"], extra="forbid")
    schemas.ComplaintPage.model_validate(EXAMPLES["complaint_page"], extra="forbid")
    schemas.TransitionList.model_validate(EXAMPLES["transitions"], extra="forbid")
    schemas.DueSummaryShown.model_validate(EXAMPLES["due_summary"], extra="forbid")
    assert sequence_of(EXAMPLES["complaint"]["number"]) is not None
    for kind, named in (
        (CreateComplaint, EXAMPLES["create"]),
        (PatchComplaint, EXAMPLES["patch"]),
        (Transition, EXAMPLES["actions"]),
    ):
        adapter: TypeAdapter[Any] = TypeAdapter(kind)
        for example in named.values():
            adapter.validate_python(example["value"])
    assert set(EXAMPLES["actions"]) == set(Action)


def test_the_document_names_every_answer(client: ApiClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    answers = {
        (path, method): set(operation["responses"])
        for path, operations in paths.items()
        for method, operation in operations.items()
    }
    one = "/v1/complaints/{reference}"
    assert answers["/v1/complaints", "post"] >= {"200", "201", "403", "409", "422", "default"}
    assert answers["/v1/complaints", "get"] >= {"200", "400", "403", "422", "default"}
    assert answers[one, "get"] >= {"200", "404", "default"}
    assert answers[one, "patch"] >= {"200", "403", "404", "412", "422", "default"}
    assert answers[f"{one}/transitions", "get"] >= {"200", "404", "default"}
    assert answers[f"{one}/transitions", "post"] >= {"200", "403", "404", "409", "412", "422", "default"}
    assert answers["/v1/overdue/summary", "get"] >= {"200", "422", "default"}
