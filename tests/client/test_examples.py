"""The examples at the moments that matter: crashes between two steps, refusals, a restored server, one instant."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import delete

from complaints.domain.vocabulary import AccessRole, Status
from complaints.storage.rows import event
from complaints.use_cases.access import SYSTEM
from complaints.use_cases.configuration import keys
from complaints_client import Client, FeedSetBack, Patience, Refusal
from examples import call_centre, crm_mirror
from examples.crm_mirror import Mirror, NoMapping
from tests.support import Scenario

CRM_ACTOR = "key:crm"


class Crash(BaseException):
    """The end of the process."""


@pytest.fixture
def crm(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(crm_mirror.open_crm(tmp_path / "crm.sqlite3")) as opened:
        yield opened


@pytest.fixture
def crm_client(connect: Callable[..., Client], scenario: Scenario) -> Client:
    """A client with the key of the mirror."""
    _, secret = scenario.service.write(
        lambda tx: keys.create_key(
            scenario.service, tx, SYSTEM, name="crm", roles=[AccessRole.AGENT], source="crm"
        )
    )
    return connect(secret)


@pytest.fixture
def mirror(crm: sqlite3.Connection, crm_client: Client) -> Mirror:
    return Mirror(crm, crm_client)


@pytest.fixture
def number(api: Client, mirror: Mirror) -> str:
    """A complaint that the CRM knows."""
    posted = api.create({"channel": "phone", "subject": "No signal"}).complaint["number"]
    mirror.run(wait=0, once=True)
    return posted


def case(crm: sqlite3.Connection, number: str) -> dict[str, Any]:
    return dict(crm_mirror.find_case(crm, number))


def notes(crm: sqlite3.Connection) -> list[str]:
    return [text for (text,) in crm.execute("SELECT text FROM crm_note ORDER BY id")]


def own_events(api: Client, number: str) -> list[str]:
    """Types of the events that the mirror caused. A response also meets a deadline."""
    own = [found["type"] for found in api.timeline(number) if found["actor"] == CRM_ACTOR]
    return [kind for kind in own if kind != "deadline.met"]


def crash_after(mirror: Mirror, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    """Run the mirror until the server has taken a change. The process ends before the answer is on record."""

    def taken(*arguments: Any, **named: Any) -> None:
        getattr(Client, call)(mirror._client, *arguments, **named)
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(mirror._client, call, taken, raising=False)
        with pytest.raises(Crash):
            mirror.run(wait=0, once=True)


# The mirror -------------------------------------------------------------------------------------------------------


def test_the_maps_of_the_mirror_fit_the_lifecycle(api: Client) -> None:
    assert set(crm_mirror.CASE_STATUS) == set(Status)
    moves = {
        (crm_mirror.CASE_STATUS[move["from"]], crm_mirror.CASE_STATUS[move["to"]], move["action"])
        for move in api.get("/lifecycle")["transitions"]
    }
    assert {(*cases, action) for cases, action in crm_mirror.ACTIONS.items()} <= moves


def test_changes_of_one_instant_go_both_ways_without_an_echo(
    crm: sqlite3.Connection, mirror: Mirror, api: Client, number: str
) -> None:
    """The test clock stands still: all that happens here has the same time."""
    api.add_note(number, "From the server.")
    api.change(number, {"subject": "No signal at all"})
    crm_mirror.set_status(crm, number, "Working", {"message": "Hello", "contact_channel": "phone"})
    crm_mirror.set_field(crm, number, "severity", "high")
    crm_mirror.add_note(crm, number, "From the CRM.")
    mirror.run(wait=0, once=True)
    api.change(number, {"category": "network.outage"})
    mirror.run(wait=0, once=True)

    shown = api.complaint(number)
    assert (shown["status"], shown["severity"]) == ("investigating", "high")
    found = case(crm, number)
    assert found.pop("status") == "Working"
    assert found == {name: value for name, value in shown.items() if name in found}
    assert sorted(notes(crm)) == ["From the CRM.", "From the server."]
    assert own_events(api, number) == [
        "complaint.responded", "complaint.updated", "complaint.note_added"
    ]  # fmt: skip
    end = api.changes("now").cursor
    mirror.run(wait=0, once=True)
    assert api.changes("now").cursor == end


@pytest.mark.parametrize("call", ["add_note", "act", "change"])
def test_a_change_that_arrived_before_a_crash_is_not_made_again(
    crm: sqlite3.Connection,
    mirror: Mirror,
    api: Client,
    number: str,
    call: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if call == "add_note":
        crm_mirror.add_note(crm, number, "Once.")
    elif call == "act":
        crm_mirror.set_status(crm, number, "Working", {"message": "Hello", "contact_channel": "sms"})
    else:
        crm_mirror.set_field(crm, number, "subject", "Of the CRM")
    crash_after(mirror, monkeypatch, call)
    api.change(number, {"subject": "Of the server, later"})
    mirror.run(wait=0, once=True)

    assert len(own_events(api, number)) == 1
    assert api.complaint(number)["subject"] == case(crm, number)["subject"] == "Of the server, later"
    assert notes(crm) == (["Once."] if call == "add_note" else [])


def test_the_later_agent_wins_a_field(
    crm: sqlite3.Connection, mirror: Mirror, api: Client, number: str
) -> None:
    crm_mirror.set_field(crm, number, "subject", "Of the CRM")
    api.change(number, {"subject": "Of the server", "severity": "low"})
    mirror.run(wait=0, once=True)
    assert (api.complaint(number)["subject"], api.complaint(number)["severity"]) == ("Of the CRM", "low")
    assert (case(crm, number)["subject"], case(crm, number)["severity"]) == ("Of the CRM", "low")


def test_a_move_without_an_action_is_refused_loudly(
    crm: sqlite3.Connection,
    mirror: Mirror,
    api: Client,
    number: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(NoMapping, match="No action leads from 'New' to 'Deferred'"):
        crm_mirror.set_status(crm, number, "Deferred", {})
    with crm:  # a program that does not ask
        crm_mirror.write_journal(crm, number, "status", {"before": "New", "after": "Deferred", "facts": {}})
        crm.execute("UPDATE crm_case SET status = 'Deferred'")
    mirror.run(wait=0, once=True)
    assert "No action leads from 'New' to 'Deferred'" in capsys.readouterr().err
    assert case(crm, number)["status"] == "New"
    assert own_events(api, number) == []


def test_a_change_that_the_server_refuses_is_given_back(
    crm: sqlite3.Connection, mirror: Mirror, api: Client, number: str, capsys: pytest.CaptureFixture[str]
) -> None:
    crm_mirror.set_status(crm, number, "Closed: withdrawn", {})
    assert case(crm, number)["status"] == "Closed: withdrawn"
    mirror.run(wait=0, once=True)
    assert "/reason" in capsys.readouterr().err
    assert (case(crm, number)["status"], own_events(api, number)) == ("New", [])


def test_an_unknown_status_stops_the_mirror_and_the_event_is_not_lost(
    crm: sqlite3.Connection, mirror: Mirror, api: Client, number: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.act(number, "withdraw", {"reason": "by the customer"})
    with monkeypatch.context() as patch:
        patch.delitem(crm_mirror.CASE_STATUS, "withdrawn")
        with pytest.raises(NoMapping, match="no status for 'withdrawn'"):
            mirror.run(wait=0, once=True)
    assert case(crm, number)["status"] == "New"
    mirror.run(wait=0, once=True)
    assert case(crm, number)["status"] == "Closed: withdrawn"


def test_after_a_restored_server_everything_is_copied_again(
    crm: sqlite3.Connection,
    mirror: Mirror,
    api: Client,
    number: str,
    scenario: Scenario,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with crm:
        crm.execute("UPDATE crm_case SET subject = 'Lost by the server', version = 9")
        crm.execute("INSERT INTO crm_case (number, status) VALUES ('C999', 'New')")
    scenario.service.write(lambda tx: tx.connection.execute(delete(event.event)))
    with pytest.raises(FeedSetBack):
        mirror._client.changes(crm.execute("SELECT cursor FROM crm_cursor").fetchone()[0])
    mirror.run(wait=0, once=True)
    assert (case(crm, number)["subject"], case(crm, number)["version"]) == ("No signal", 1)
    said = capsys.readouterr().err
    assert "restored" in said
    assert "C999 is not on the server any more" in said


def test_a_key_without_rights_stops_the_mirror(
    crm: sqlite3.Connection, mirror: Mirror, number: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    crm_mirror.add_note(crm, number, "Wait for a key.")
    monkeypatch.setitem(mirror._client._http.headers, "Authorization", "Bearer of-nobody")
    with pytest.raises(Refusal, match="401"):
        mirror.run(wait=0, once=True)
    assert crm.execute("SELECT state FROM crm_journal").fetchall()[0][0] == "waiting"


@pytest.mark.parametrize(("program", "command"), [(crm_mirror, "run"), (call_centre, "send")])
def test_the_environment_names_the_server_unless_the_command_does(
    monkeypatch: pytest.MonkeyPatch, program: Any, command: str
) -> None:
    monkeypatch.delenv("COMPLAINTS_URL", raising=False)
    monkeypatch.setattr("sys.argv", ["x", command, "--key-file", "key"])
    assert program.parse_arguments().url == "http://127.0.0.1:8000"
    monkeypatch.setenv("COMPLAINTS_URL", "https://complaints.example")
    assert program.parse_arguments().url == "https://complaints.example"
    monkeypatch.setattr("sys.argv", ["x", command, "--key-file", "key", "--url", "http://x"])
    assert program.parse_arguments().url == "http://x"


# The call centre --------------------------------------------------------------------------------------------------


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(call_centre.open_spool(tmp_path / "spool.sqlite3")) as opened:
        yield opened


def call(call_id: str, **members: Any) -> str:
    return json.dumps(
        {"call_id": call_id, "subject": "No signal", "received_at": "2026-01-05T01:00:00Z", **members}
    )


def test_calls_become_complaints_once_and_a_refused_call_stops_no_other(
    spool: sqlite3.Connection, api: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [call("1"), call("2", channel="pigeon"), call("3"), call("1")]
    assert (call_centre.take(spool, lines), call_centre.take(spool, lines)) == (3, 0)
    members = json.loads(call("1", channel="phone"))
    api.create({"external_id": members.pop("call_id"), **members})
    call_centre.send(spool, api, once=True)
    rows = {
        call_id: (number, problem)
        for call_id, number, problem in spool.execute("SELECT call_id, number, problem FROM call")
    }
    assert rows.keys() == {"1", "2", "3"}
    assert {c["external_id"]: c["number"] for c in api.complaints()} == {"1": rows["1"][0], "3": rows["3"][0]}
    assert "/channel" in rows["2"][1]
    said = capsys.readouterr()
    assert "known before" in said.out
    assert "2 was refused" in said.err


def test_a_call_without_an_answer_goes_on_waiting(
    spool: sqlite3.Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = iter([httpx2.Response(503), httpx2.Response(201, json={"number": "C000000013"})])
    transport = httpx2.MockTransport(lambda _: next(answers))
    client = Client("http://x", "key", patience=Patience(seconds=0), transport=transport)
    call_centre.take(spool, [call("1")])
    call_centre.send(spool, client, once=True)
    assert "1 waits" in capsys.readouterr().err
    assert spool.execute("SELECT number FROM call").fetchall() == [("C000000013",)]


def test_a_refused_key_stops_the_sender_and_not_the_calls(
    spool: sqlite3.Connection, connect: Callable[..., Client]
) -> None:
    call_centre.take(spool, [call("1")])
    with pytest.raises(Refusal, match="401"):
        call_centre.send(spool, connect("of-nobody"), once=True)
    assert spool.execute("SELECT number, problem FROM call").fetchall() == [(None, None)]


@pytest.mark.parametrize("line", ["{", "[]", '{"subject": "x"}', "7"])
def test_a_line_that_is_no_call_is_named(spool: sqlite3.Connection, line: str) -> None:
    with pytest.raises(SystemExit, match=r"Line 2 .* 1 calls were taken"):
        call_centre.take(spool, [call("1"), line])
