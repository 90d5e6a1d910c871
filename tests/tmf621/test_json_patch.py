"""JSON Patch on tickets: the operations of RFC 6902, the official examples, and bounds against hostile patches."""

import copy
from typing import Any

import pytest
from httpx2 import Response

from complaints.domain.errors import Conflict
from complaints.domain.vocabulary import AccessRole
from complaints.tmf621.tickets.json_patches import LARGEST_TICKET, json_patch
from tests.api_client import ApiClient
from tests.support import Scenario
from tests.tmf621.changes import (
    JSON_PATCH,
    QUERY_PATCH,
    characteristic,
    complaint_of,
    identifier,
    make,
    note,
    party,
    texts_of,
    values_of,
)
from tests.tmf621.tickets import TICKETS, new_ticket

SHOWN: dict[str, Any] = {
    "severity": "Major",
    "a/b": 1,
    "m~n": 2,
    "note": [{"id": "n1", "text": "One"}, {"id": "n2", "text": "Two"}],
    "channel": {"id": "8774"},
}


def patch(
    client: ApiClient, ticket: dict[str, Any], *operations: dict[str, Any], query: bool = False
) -> Response:
    """The answer to a JSON Patch."""
    headers = QUERY_PATCH if query else JSON_PATCH
    return client.patch(f"{TICKETS}/{ticket['id']}", json=list(operations), headers=headers)


OPERATIONS = [
    ({"op": "replace", "path": "/severity", "value": "Minor"}, {"severity": "Minor"}),
    ({"op": "add", "path": "/severity", "value": "Minor"}, {"severity": "Minor"}),
    ({"op": "add", "path": "/name", "value": "New"}, {"name": "New"}),
    ({"op": "remove", "path": "/severity"}, {"severity": None}),
    ({"op": "copy", "from": "/severity", "path": "/name"}, {"name": "Major"}),
    ({"op": "move", "from": "/severity", "path": "/name"}, {"severity": None, "name": "Major"}),
    ({"op": "test", "path": "/severity", "value": "Major"}, {}),
    ({"op": "replace", "path": "/a~1b", "value": 5}, {"a/b": 5}),
    ({"op": "replace", "path": "/m~0n", "value": 5}, {"m~n": 5}),
    ({"op": "replace", "path": "/channel/id", "value": "1"}, {"channel": {"id": "1"}}),
    ({"op": "remove", "path": "/note/0"}, {"note": [SHOWN["note"][1]]}),
    ({"op": "add", "path": "/note/-", "value": {"text": "T"}}, {"note": [*SHOWN["note"], {"text": "T"}]}),
    ({"op": "add", "path": "/note", "value": {"text": "T"}}, {"note": [*SHOWN["note"], {"text": "T"}]}),
    ({"op": "add", "path": "/note", "value": []}, {"note": []}),
    ({"op": "add", "path": "/note/0", "value": {"text": "T"}}, {"note": [{"text": "T"}, *SHOWN["note"]]}),
    ({"op": "add", "path": "/attachment", "value": {"id": "1"}}, {"attachment": [{"id": "1"}]}),
]


def test_an_operation_changes_the_ticket(subtests: pytest.Subtests) -> None:
    for operation, changes in OPERATIONS:
        with subtests.test(str(operation)):
            before = copy.deepcopy(SHOWN)
            patched = json_patch([operation]).apply(SHOWN)
            assert before == SHOWN
            names = {*SHOWN, *patched}
            assert {
                name: patched.get(name) for name in names if patched.get(name) != SHOWN.get(name)
            } == changes


def test_a_patch_can_be_applied_again() -> None:
    """A transaction that lost a race runs again."""
    tried = json_patch(
        [{"op": "add", "path": "/x", "value": {"y": 1}}, {"op": "replace", "path": "/x/y", "value": 2}]
    )
    assert tried.apply(SHOWN) == tried.apply(SHOWN) == {**SHOWN, "x": {"y": 2}}


# `test_patches` has the operations that do not fit, bodies that are no patches, and most bounds.


def test_copies_of_long_texts_stop_at_the_size_of_a_body() -> None:
    grown = [{"op": "add", "path": "/x", "value": ["y" * 100_000]}]
    grown += [{"op": "copy", "from": "/x/0", "path": "/x/-"}] * 10
    with pytest.raises(Conflict, match=str(LARGEST_TICKET)):
        json_patch(grown).apply(SHOWN)


@pytest.mark.parametrize(
    ("operations", "named"),
    [
        ([{"op": "test", "path": "/status", "value": 1}], set()),
        ([{"op": "replace", "path": "/status", "value": 1}], {"status"}),
        ([{"op": "move", "from": "/name", "path": "/description"}], {"name", "description"}),
        ([{"op": "copy", "from": "/name", "path": "/description"}], {"description"}),
        ([{"op": "add", "path": "/note/-", "value": 1}], {"note"}),
        ([{"op": "replace", "path": "", "value": {}}], set()),
    ],
)
def test_the_members_that_a_patch_names(operations: list[dict[str, Any]], named: set[str]) -> None:
    assert json_patch(operations).named == named


# Over HTTP ---------------------------------------------------------------------------------------------------------


def test_the_official_example_sets_the_severity_and_adds_a_note(client: ApiClient) -> None:
    ticket = make(client)
    official = (
        {"op": "replace", "path": "/severity", "value": "Minor"},
        {"op": "add", "path": "/note", "value": note("Please approach me", id="77456", author="Jack Smith")},
    )
    for _ in range(2):
        answer = patch(client, ticket, *official)
        assert answer.status_code == 200, answer.text
        assert answer.json()["severity"] == "Minor"
        assert texts_of(answer.json()) == ["Please approach me"]
    assert complaint_of(client, ticket)["severity"] == "normal"


def test_a_query_changes_one_object_of_an_array(client: ApiClient) -> None:
    entities = [
        {"@type": "AttachmentRef", "id": "a1", "name": "Bill", "url": "https://crm.example/a1"},
        {"@type": "AttachmentRef", "id": "a2", "name": "Photo", "url": "https://crm.example/a2"},
    ]
    ticket = make(client, attachment=entities)
    answer = patch(
        client, ticket, {"op": "replace", "path": "/attachment?id=a2", "value": {"name": "Mast"}}, query=True
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["attachment"] == [entities[0], {**entities[1], "name": "Mast"}]
    answer = patch(client, ticket, {"op": "remove", "path": "/attachment?id=a1"}, query=True)
    assert [one["id"] for one in answer.json()["attachment"]] == ["a2"]


def test_characteristics_change_and_go(client: ApiClient) -> None:
    ticket = make(
        client, troubleTicketCharacteristic=[characteristic("line", "A7"), characteristic("site", "North")]
    )
    names = [one["name"] for one in ticket["troubleTicketCharacteristic"]]
    path = f"/troubleTicketCharacteristic/{names.index('line')}"
    answer = patch(
        client,
        ticket,
        {"op": "replace", "path": f"{path}/value", "value": "B8"},
        {"op": "remove", "path": f"/troubleTicketCharacteristic/{names.index('site')}"},
        {"op": "add", "path": "/troubleTicketCharacteristic", "value": characteristic("mast", "M1")},
    )
    assert answer.status_code == 200, answer.text
    shown = values_of(answer.json())
    assert (shown["line"], shown["mast"], "site" in shown) == ("B8", "M1", False)
    assert complaint_of(client, ticket)["attributes"].keys() - {"tmf621"} == {"line", "mast"}


def test_a_status_changes_by_json_patch(client: ApiClient) -> None:
    ticket = make(client)
    answer = patch(
        client,
        ticket,
        {"op": "test", "path": "/status", "value": "acknowledged"},
        {"op": "replace", "path": "/status", "value": "resolved"},
        {"op": "add", "path": "/statusChangeReason", "value": "Repaired"},
        {"op": "add", "path": "/troubleTicketCharacteristic/-", "value": characteristic("outcome", "upheld")},
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["status"] == "resolved"
    assert values_of(answer.json())["outcome"] == "upheld"


def test_a_test_of_the_status_is_no_wish_for_it(client: ApiClient) -> None:
    ticket = make(client)
    operations = (
        {"op": "test", "path": "/status", "value": "acknowledged"},
        {"op": "add", "path": "/statusChangeReason", "value": "Because"},
    )
    answer = patch(client, ticket, *operations)
    assert answer.status_code == 409
    assert "only be given with a change of the status" in answer.json()["message"]


REFUSED = [
    ({"op": "replace", "path": "/id", "value": "1"}, 409, "id is read-only"),
    ({"op": "remove", "path": "/href"}, 409, "href is read-only"),
    (
        {"op": "replace", "path": "/creationDate", "value": "2020-01-01T00:00:00Z"},
        409,
        "creationDate is read-only",
    ),
    (
        {"op": "add", "path": "/statusChangeHistory/-", "value": {}},
        409,
        "statusChangeHistory is read-only",
    ),
    ({"op": "replace", "path": "/@type", "value": "Other"}, 409, "@type is read-only"),
    ({"op": "remove", "path": "/troubleTicketCharacteristic/0"}, 409, "complaintState is read-only"),
    ({"op": "remove", "path": "/note/0"}, 409, "Notes can be added"),
    ({"op": "replace", "path": "/note/0/text", "value": "Other"}, 409, "Notes can be added"),
    (
        {"op": "replace", "path": "/sererity", "value": "Minor"},
        409,
        "The operation replace at '/sererity'",
    ),
    ({"op": "test", "path": "/severity", "value": "Purple"}, 409, "The operation test at '/severity'"),
    ({"op": "remove", "path": "/severity"}, 400, "severity cannot be removed"),
    ({"op": "replace", "path": "/severity", "value": 1}, 400, "/severity"),
    ({"op": "replace", "path": "/status", "value": "open"}, 400, "'acknowledged'"),
    ({"op": "add", "path": "/note/-", "value": "x"}, 400, "/note/1"),
    ({"op": "add", "path": "/channel", "value": {"id": "1"}}, 400, "channel.@type"),
    ({"op": "replace", "path": "", "value": {}}, 409, "is read-only"),
    ({"op": "replace", "path": "", "value": []}, 409, "leave a JSON object"),
]


def test_a_refused_patch_changes_nothing(client: ApiClient, subtests: pytest.Subtests) -> None:
    ticket = make(client, note=[note("First")])
    for operation, status, said in REFUSED:
        with subtests.test(str(operation)[:80]):
            answer = patch(
                client, ticket, {"op": "replace", "path": "/description", "value": "Changed"}, operation
            )
            assert answer.status_code == status, answer.text
            assert said in answer.json()["message"]
            assert client.get(f"{TICKETS}/{ticket['id']}").json() == ticket


def test_masks_are_never_written_back(client: ApiClient, scenario: Scenario) -> None:
    intake = scenario.key(AccessRole.INTAKE, source="crm")
    body = new_ticket(
        severity="Minor",
        troubleTicketCharacteristic=[characteristic("line", "A7")],
        relatedParty=[party("customer", "4711", "Anna")],
        externalIdentifier=[identifier("X-1")],
    )
    ticket = client.post(TICKETS, json=body, headers=intake).json()
    path = f"{TICKETS}/{ticket['id']}"
    shown = client.get(path, headers=intake).json()
    place = next(n for n, one in enumerate(shown["troubleTicketCharacteristic"]) if one["name"] == "line")
    before = complaint_of(client, ticket)
    operations = [
        {"op": "test", "path": f"/troubleTicketCharacteristic/{place}/value", "value": "***"},
        {"op": "replace", "path": f"/troubleTicketCharacteristic/{place}/value", "value": "***"},
        {"op": "replace", "path": "/relatedParty", "value": shown["relatedParty"]},
        {"op": "replace", "path": "/severity", "value": "Major"},
    ]
    answer = client.patch(path, json=operations, headers={**intake, **JSON_PATCH})
    assert answer.status_code == 200, answer.text
    after = complaint_of(client, ticket)
    assert after["severity"] == "high"
    assert (after["attributes"], after["complainant"]) == (before["attributes"], before["complainant"])
    operations[1]["value"] = "B8"
    answer = client.patch(path, json=operations, headers={**intake, **JSON_PATCH})
    assert answer.status_code == 403


def test_a_patch_of_another_media_type_is_not_mistaken(client: ApiClient) -> None:
    ticket = make(client)
    path = f"{TICKETS}/{ticket['id']}"
    assert client.patch(path, json={"severity": "Minor"}, headers=JSON_PATCH).status_code == 400
    operations = [{"op": "replace", "path": "/severity", "value": "Minor"}]
    assert client.patch(path, json=operations).status_code == 400
    assert client.patch(path, json=operations, headers=QUERY_PATCH).status_code == 200
