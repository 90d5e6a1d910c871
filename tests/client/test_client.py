"""The client against the real API: complaints, pages, the feed with a stored cursor, waiting, refusals."""

import threading
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import pytest
from sqlalchemy import delete

from complaints.domain.vocabulary import AccessRole
from complaints.storage.rows import event
from complaints_client import Client, CursorFile, FeedSetBack, Refusal, StaleVersion
from tests.support import Scenario

CALL = {"channel": "phone", "subject": "No signal", "source": "cc", "external_id": "CALL-1"}


def test_a_complaint_is_posted_changed_acted_on_and_read(api: Client) -> None:
    made = api.create(CALL)
    assert (made.is_new, made.complaint["status"]) == (True, "received")
    assert made.complaint["acknowledgement"]
    number = made.complaint["number"]
    contact = api.create({**CALL, "description": "It is still dead."})
    assert (contact.is_new, contact.complaint["id"]) == (False, made.complaint["id"])

    changed = api.change(number, {"severity": "high"})
    responded = api.act(
        number,
        "respond",
        {"message": "We are on it.", "contact_channel": "phone"},
        if_match=changed["version"],
    )
    assert (responded["status"], responded["version"]) == ("investigating", changed["version"] + 1)
    note = api.add_note(number, "Ask the neighbours.")
    assert list(api.timeline(number))[-1] == note
    assert note["actor"] == api.actor() == "key:bootstrap"
    assert api.complaint(f"{number[:4]} {number[4:]}") == api.complaint(made.complaint["id"])


def test_a_repeated_call_with_a_key_gets_its_first_answer(api: Client) -> None:
    first = api.create({"channel": "web", "subject": "Slow"}, key="form-1")
    assert api.create({"channel": "web", "subject": "Slow"}, key="form-1") == first
    number = first.complaint["number"]
    assert api.add_note(number, "Once.", key="n") == api.add_note(number, "Once.", key="n")


def test_refusals_have_the_members_of_the_problem(api: Client) -> None:
    with pytest.raises(Refusal, match=r"422 invalid-content: /channel: .*; /subject: ") as refused:
        api.create({"channel": "pigeon", "subject": ""})
    assert {fault["pointer"] for fault in refused.value.errors} == {"/channel", "/subject"}
    number = api.create(CALL).complaint["number"]
    with pytest.raises(Refusal) as refused:
        api.act(number, "close")
    assert (refused.value.status, refused.value.code) == (409, "transition-refused")
    assert "respond" in refused.value.allowed
    with pytest.raises(StaleVersion, match="412"):
        api.change(number, {"severity": "low"}, if_match=99)
    with pytest.raises(Refusal, match="404"):
        api.complaint("../me")


def test_items_read_every_page(api: Client, scenario: Scenario) -> None:
    made = {str(scenario.post(subject=f"Call {n}").id) for n in range(7)}
    assert {complaint["id"] for complaint in api.complaints(limit=3)} == made
    assert [complaint["subject"] for complaint in api.complaints(q="Call 4", fields="subject")] == ["Call 4"]
    assert list(api.items("/escalations", acknowledged=False)) == []


def test_the_feed_is_followed_from_a_cursor(api: Client, scenario: Scenario) -> None:
    past = scenario.post()
    end = api.changes("now")
    assert end.events == []
    made = scenario.post(source="cc")
    scenario.act(made, "respond", message="Hello", contact_channel="phone")
    first, quiet = islice(api.follow(end.cursor, wait=0, source="cc"), 2)
    assert {found["complaint_id"] for found in first.events} == {str(made.id)}
    assert (quiet.events, quiet.cursor) == ([], first.cursor)
    assert str(past.id) in {found["complaint_id"] for found in api.changes("").events}


def test_a_cursor_file_moves_after_its_batch_was_taken(
    api: Client, scenario: Scenario, tmp_path: Path
) -> None:
    file = CursorFile(tmp_path / "cursor")
    assert file.load() == ""
    posted = [str(scenario.post().id) for _ in range(4)]

    def take(count: int) -> list[str | None]:
        found = api.events(CursorFile(tmp_path / "cursor"), wait=0, limit=2, type=["complaint.created"])
        return [taken["complaint_id"] for taken in islice(found, count)]

    assert take(2) == posted[:2]  # and the program dies: the batch was taken, and its end was not seen
    assert file.load() == ""
    assert take(3) == posted[:3]
    assert file.load() != ""
    assert take(2) == posted[2:]
    assert sorted(path.name for path in tmp_path.glob("cursor*")) == ["cursor"]


def test_a_feed_that_was_set_back_is_an_error_of_its_own(api: Client, scenario: Scenario) -> None:
    scenario.post()
    cursor = api.changes("").cursor
    scenario.service.write(lambda tx: tx.connection.execute(delete(event.event)))
    with pytest.raises(FeedSetBack, match="410"):
        next(api.follow(cursor, wait=0))
    assert api.changes("now").events == []


def test_waiting_ends_when_the_status_is_there(connect: Callable[..., Client], scenario: Scenario) -> None:
    key = scenario.key(AccessRole.INTAKE, source="cc")["Authorization"].removeprefix("Bearer ")
    intake = connect(key)
    made = scenario.post(source="cc")
    reference = str(made.id)
    with pytest.raises(TimeoutError, match="C000000013 is received"):
        intake.wait_until(reference, "closed", seconds=0)
    respond = threading.Timer(
        0.2, lambda: scenario.act(made, "respond", message="Hello", contact_channel="phone")
    )
    respond.start()
    assert intake.wait_until(reference, "investigating", "closed", seconds=20)["status"] == "investigating"
    respond.join()
