"""A misspelt name is refused with the right name, at every place of a request."""

import pytest

from tests.api_client import ApiClient

POST = {"channel": "phone", "subject": "No signal"}
RESPOND = {"action": "respond", "message": "We look.", "contact_channel": "phone"}


@pytest.fixture
def path(client: ApiClient) -> str:
    """The address of a complaint."""
    return str(client.post("/v1/complaints", json=POST).headers["Location"])


MISTYPED = [
    ("POST", "", {**POST, "chanel": "web"}, "channel"),
    ("POST", "", {**POST, "complainant": {"fone": "1"}}, "phone"),
    ("PATCH", "/", {"subjekt": "x"}, "subject"),
    ("POST", "/transitions", {**RESPOND, "mesage": "x"}, "message"),
    ("POST", "/notes", {"text": "x", "visibilty": "public"}, "visibility"),
]


def test_a_member_is_suggested(client: ApiClient, path: str, subtests: pytest.Subtests) -> None:
    for method, where, body, meant in MISTYPED:
        with subtests.test(meant):
            address = "/v1/complaints" if where == "" else path + where.rstrip("/")
            answer = client.request(method, address, json=body)
            assert answer.status_code == 422
            messages = [error["message"] for error in answer.json()["errors"]]
            assert any(message.endswith(f"did you mean '{meant}'?") for message in messages), messages


def test_a_filter_is_suggested(client: ApiClient) -> None:
    answer = client.get("/v1/complaints", params={"asignee": "admin"})
    assert answer.status_code == 400
    assert "did you mean 'assignee'?" in answer.json()["detail"]


CHANGED_BY_ACTIONS = [{"status": "closed"}, {"assignee": None}, {"team": "operations"}]


def test_a_patch_of_what_actions_change_names_the_transitions(
    client: ApiClient, path: str, subtests: pytest.Subtests
) -> None:
    for sent in CHANGED_BY_ACTIONS:
        with subtests.test(str(sent)):
            answer = client.patch(path, json=sent)
            assert answer.status_code == 422
            assert "POST one to the transitions" in answer.json()["errors"][0]["message"]


WITHOUT_PARAMETERS = [("GET", "?fieldss=number"), ("GET", "/transitions?x"), ("POST", "/notes?dry=1")]


def test_an_address_without_parameters_refuses_a_query(
    client: ApiClient, path: str, subtests: pytest.Subtests
) -> None:
    for method, where in WITHOUT_PARAMETERS:
        with subtests.test(f"{method} {where}"):
            answer = client.request(method, path + where, json={"text": "x"} if method == "POST" else None)
            assert answer.status_code == 400
            assert answer.json()["errors"][0]["in"] == "query"
            assert [event["type"] for event in client.get(path + "/timeline").json()["items"]] == [
                "complaint.created"
            ]


MISTYPED_NUMBERS = ["C000000022", "c0000 00022", "Ｃ０００００００２２"]


def test_a_mistyped_number_is_called_so(client: ApiClient, subtests: pytest.Subtests) -> None:
    for written in MISTYPED_NUMBERS:
        with subtests.test(written):
            answer = client.get(f"/v1/complaints/{written}")
            assert answer.status_code == 404
            assert "is mistyped: its check digit does not fit" in answer.json()["detail"]


def test_another_text_is_no_mistyped_number(client: ApiClient) -> None:
    assert "neither the id nor the number" in client.get("/v1/complaints/nonsense").json()["detail"]
