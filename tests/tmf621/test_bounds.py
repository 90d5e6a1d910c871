"""One request brings a bounded number of notes and files, because each of them is stored on its own."""

from typing import Any

import pytest

from tests.api_client import ApiClient
from tests.tmf621.changes import change, make, note, texts_of
from tests.tmf621.tickets import TICKETS, TICKETS_V4, new_ticket


def file(n: int) -> dict[str, Any]:
    """A file whose content is unlike that of others."""
    content = f"{n:03}A"
    return {"@type": "Attachment", "attachmentType": "file", "mimeType": "text/plain", "content": content}


@pytest.mark.parametrize(
    ("member", "items", "said"),
    [
        ("note", [note(f"Note {n}") for n in range(101)], "100 new notes"),
        ("attachment", [*map(file, range(101))], "100 files"),
    ],
)
def test_too_many_parts_are_refused_before_any_is_stored(
    client: ApiClient, member: str, items: list[dict[str, Any]], said: str
) -> None:
    for path in (TICKETS, TICKETS_V4):
        refused = client.post(path, json=new_ticket(**{member: items}))
        assert (refused.status_code, refused.json()["status"]) == (400, "400")
        assert f"/{member}" in refused.json()["message"]
        assert said in refused.json()["message"]
    assert client.get(TICKETS).json() == []
    ticket = make(client)
    refused = change(client, ticket, **{member: items})
    assert refused.status_code == 400
    assert said in refused.json()["message"]
    assert client.get(f"{TICKETS}/{ticket['id']}").json() == ticket


def test_a_ticket_with_more_notes_than_a_request_brings_is_sent_back(client: ApiClient) -> None:
    ticket = make(client, note=[note(f"First {n}") for n in range(100)])
    ticket = change(client, ticket, note=[note(f"Second {n}") for n in range(100)]).json()
    again = change(client, ticket, note=[*ticket["note"], note("Last")])
    assert again.status_code == 200
    assert len(texts_of(again.json())) == 201
