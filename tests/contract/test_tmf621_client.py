"""A CRM with a client that a program generated from the unmodified official file of TMF621 runs whole lives of tickets.

The complaints are the same in `/v1` and in the console, and complaints from there are tickets of the CRM.
"""

import importlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from httpx2 import Client
from openapi_python_client import generate
from openapi_python_client.config import Config, ConfigFile, MetaType

from complaints.api.http.session_cookies import LOOPBACK_COOKIE
from complaints.domain.vocabulary import SignInMethod
from complaints.use_cases.accounts.sessions import SessionLimits, Visitor, open_session
from complaints.wiring import wall_now
from tests.contract.tmf621_files import V5, official_file
from tests.http_receiver import HttpReceiver, http_receiver
from tests.journeys.running_server import Launcher
from tests.support import ADMIN_SECRET, check_all, opened_service

PACKAGE = "generated_tmf621"
BASE = "/tmf-api/troubleTicket/v5"
MERGE_PATCH = "application/merge-patch+json"

Part = Callable[[str], Any]


@pytest.fixture(scope="module")
def part(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Part]:
    """Imports a part of a freshly generated client by its name, such as `models`."""
    directory = tmp_path_factory.mktemp("client")
    config = Config.from_sources(
        ConfigFile(post_hooks=[]),
        MetaType.NONE,
        document_source=official_file(V5),
        file_encoding="utf-8",
        overwrite=False,
        output_path=directory / PACKAGE,
    )
    assert list(generate(config=config)) == []
    with pytest.MonkeyPatch.context() as patched:
        patched.syspath_prepend(directory)
        yield lambda name: importlib.import_module(f"{PACKAGE}.{name}")


@dataclass(frozen=True, slots=True)
class Crm:
    """A CRM: its generated client, and the API of the product beside it. `staff` has the key of an administrator."""

    part: Part
    client: Any
    staff: Client

    def make(self, kind: str, **members: Any) -> Any:
        """An object of a class of the client."""
        return getattr(self.part("models"), kind)(**members)

    def call(self, operation: str, *path: str, **arguments: Any) -> Any:
        """The answer to an operation of the client, such as `trouble_ticket.create_trouble_ticket`."""
        return self.part(f"api.{operation}").sync_detailed(*path, client=self.client, **arguments)

    def create(self, **members: Any) -> Any:
        """A new ticket."""
        body = self.make(
            "TroubleTicketFVO",
            **{
                "type_": "TroubleTicket",
                "description": "No signal since noon",
                "severity": "Major",
                "ticket_type": "Network Outage",
                **members,
            },
        )
        made = self.call("trouble_ticket.create_trouble_ticket", body=body)
        assert made.status_code == 201, made.content
        return made.parsed

    def patch(self, ticket: Any, **members: Any) -> Any:
        """The answer to a merge patch: its status, and the ticket or the error.

        The body is an object of the generated client, and goes through the connection of the client. The generated
        function for this operation cannot run: see `test_the_generated_function_of_a_patch_cannot_run`.
        """
        if "status" in members:
            members["status"] = self.part("models").TroubleTicketStatusType(members["status"])
        body = self.make("TroubleTicketMVO", type_="TroubleTicket", **members)
        answer = self.client.get_httpx_client().patch(
            f"/troubleTicket/{ticket.id}", json=body.to_dict(), headers={"Content-Type": MERGE_PATCH}
        )
        kind = "TroubleTicket" if answer.is_success else "Error"
        return answer.status_code, getattr(self.part("models"), kind).from_dict(answer.json())

    def move(self, ticket: Any, status: str, reason: str | None = None, **members: Any) -> Any:
        """The ticket after a change of its status."""
        if reason is not None:
            members["status_change_reason"] = reason
        code, changed = self.patch(ticket, status=status, **members)
        assert code == 200, changed
        assert changed.status == status
        return changed

    def get(self, ticket: Any) -> Any:
        """The ticket as it is now."""
        return self.call("trouble_ticket.retrieve_trouble_ticket", ticket.id).parsed

    def listed(self, **arguments: Any) -> list[str]:
        """The ids of the tickets that the client lists."""
        return [one.id for one in self.call("trouble_ticket.list_trouble_ticket", **arguments).parsed]

    def filtered(self, **query: str) -> list[str]:
        """The ids of the tickets that a free filter finds. The file declares no free filter, so no function has one."""
        answer = self.client.get_httpx_client().get("/troubleTicket", params=query)
        assert answer.status_code == 200, answer.text
        return [one["id"] for one in answer.json()]

    def complaint(self, ticket: Any) -> dict[str, Any]:
        """The complaint behind a ticket."""
        shown: dict[str, Any] = self.staff.get(f"/v1/complaints/{ticket.id}").raise_for_status().json()
        return shown

    def history(self, ticket: Any) -> list[str]:
        """The types of the events of the complaint, oldest first."""
        page = self.staff.get(f"/v1/complaints/{ticket.id}/timeline").raise_for_status().json()
        return [event["type"] for event in page["items"]]


def characteristic(crm: Crm, name: str, value: str) -> Any:
    """A characteristic for a change. Its class has no member for the value in the official file."""
    made = crm.make("CharacteristicMVO", type_="StringCharacteristic", name=name, value_type="string")
    made["value"] = value
    return made


@pytest.fixture
def crm(launcher: Launcher, database_url: str, part: Part) -> Iterator[Crm]:
    """A CRM with a key of its own on a real server. In the end the server made no error, and every invariant holds."""
    server = launcher.serve(database_url, sandbox=1, webhook_allow="127.0.0.1")
    with server.client(ADMIN_SECRET) as staff:
        key = staff.post("/v1/keys", json={"name": "crm", "roles": ["manager"]}).raise_for_status().json()
        connected = part("client").AuthenticatedClient(base_url=f"{server.url}{BASE}", token=key["key"])
        with connected as client:
            yield Crm(part, client, staff)
    assert "Traceback" not in server.output
    with opened_service(database_url) as service:
        assert list(check_all(service)) == []


def page_of(server: Client, database_url: str, path: str) -> str:
    """A page of the console, as a signed-in administrator sees it."""
    with opened_service(database_url) as service:
        _, token = service.write(
            lambda tx: open_session(
                service,
                tx,
                "admin",
                method=SignInMethod.PASSWORD,
                visitor=Visitor("127.0.0.1", "a test"),
                now=wall_now(),
                limits=SessionLimits(timedelta(hours=8), timedelta(days=1)),
            )
        )
    with Client(base_url=server.base_url, timeout=30) as browser:
        answer = browser.get(f"/console{path}", headers={"Cookie": f"{LOOPBACK_COOKIE}={token}"})
    assert answer.status_code == 200, answer.text
    return str(answer.text)


def test_the_generated_function_of_a_patch_cannot_run(part: Part) -> None:
    """The file has two bodies that are arrays, and the generator asks for `isinstance(body, list[JsonPatch])`."""
    body = part("models").TroubleTicketMVO(type_="TroubleTicket")
    with pytest.raises(TypeError, match="parameterized generic"):
        part("api.trouble_ticket.patch_trouble_ticket").sync_detailed("1", client=None, body=body)


def test_a_crm_runs_the_whole_life_of_a_ticket(crm: Crm, database_url: str) -> None:
    ticket = crm.create(name="No signal", priority="High")
    other = crm.create(name="Wrong bill", severity="Minor", ticket_type="Bill Dispute")
    assert (ticket.status, ticket.name, ticket.severity) == ("acknowledged", "No signal", "Major")
    assert crm.get(ticket) == ticket

    assert crm.listed() == [other.id, ticket.id]
    assert crm.listed(limit=1, offset=1) == [ticket.id]
    assert crm.filtered(severity="Minor") == [other.id]
    assert crm.filtered(**{"name.regex": "No.*", "status": "acknowledged,held"}) == [ticket.id]

    crm.move(ticket, "inProgress", "A technician looks into it.")
    crm.move(ticket, "pending", "The customer sends a photograph.")
    crm.move(ticket, "inProgress", "The photograph is here.")
    crm.move(ticket, "resolved", "The antenna was replaced.")
    crm.move(ticket, "inProgress", "The signal is gone again.")
    crm.move(
        ticket,
        "resolved",
        "The cable was replaced too.",
        trouble_ticket_characteristic=[
            characteristic(crm, "outcome", "upheld"),
            characteristic(crm, "root_cause", "The cable was cut."),
        ],
    )
    code, noted = crm.patch(ticket, note=[crm.make("NoteMVO", type_="Note", text="She thanked us.")])
    assert (code, [note.text for note in noted.note]) == (200, ["She thanked us."])
    crm.move(ticket, "closed", "The result was told, and she is content.")

    closed = crm.get(ticket)
    assert [change.status for change in closed.status_change_history] == [
        *("acknowledged", "inProgress", "pending", "inProgress", "resolved"),
        *("inProgress", "resolved", "closed"),
    ]
    assert closed.resolution_date
    code, refused = crm.patch(closed, status="pending")
    assert (code, refused.status) == (409, "409")

    deleted = crm.call("trouble_ticket.delete_trouble_ticket", other.id)
    assert deleted.status_code == 204
    assert crm.call("trouble_ticket.retrieve_trouble_ticket", other.id).status_code == 404
    assert crm.listed() == [ticket.id]

    complaint = crm.complaint(ticket)
    assert (complaint["status"], complaint["overdue"]) == ("closed", False)
    assert complaint["result"]["resolution"] == "The cable was replaced too."
    assert {one["kind"] for one in complaint["deadlines"]} >= {"first_response", "resolution"}
    assert {one["status"] for one in complaint["deadlines"]} <= {"met", "cancelled", "superseded"}
    steps = [kind for kind in crm.history(ticket) if kind.startswith("complaint.")]
    assert [kind for kind in steps if kind != "complaint.updated"] == [
        *("complaint.created", "complaint.responded", "complaint.held", "complaint.resumed"),
        *("complaint.resolved", "complaint.reopened", "complaint.resolved", "complaint.note_added"),
        *("complaint.result_notified", "complaint.contact_recorded", "complaint.closed"),
    ]
    assert crm.complaint(other)["status"] == "withdrawn"

    page = page_of(crm.staff, database_url, f"/complaints/{complaint['number']}")
    for text in ("No signal", "The cable was replaced too.", "She thanked us.", "Closed"):
        assert text in page


def test_a_complaint_of_the_staff_is_a_ticket_of_the_crm(crm: Crm) -> None:
    body = {
        "channel": "phone",
        "subject": "Too slow",
        "description": "The line is too slow in the evening.",
        "severity": "high",
        "category": "network.outage",
        "attributes": {"speed": 3, "zone": "north"},
    }
    complaint = crm.staff.post("/v1/complaints", json=body).raise_for_status().json()
    (ticket,) = crm.call("trouble_ticket.list_trouble_ticket").parsed
    assert (ticket.id, ticket.name) == (complaint["id"], "Too slow")
    assert ticket.trouble_ticket_specification.id == "network.outage"
    assert {one.name: one["value"] for one in ticket.trouble_ticket_characteristic} == {
        "complaintState": "received",
        "complaintNumber": complaint["number"],
        "speed": 3,
        "zone": "north",
    }
    assert {one.name: one.type_ for one in ticket.trouble_ticket_characteristic}["speed"] == (
        "IntegerCharacteristic"
    )
    crm.move(ticket, "inProgress", "We look into it.")
    code, changed = crm.patch(ticket, severity="Critical")
    assert (code, changed.severity) == (200, "Critical")
    seen = crm.complaint(ticket)
    assert (seen["status"], seen["severity"]) == ("investigating", "critical")


def events_at(receiver: HttpReceiver, count: int) -> list[dict[str, Any]]:
    """The events that a receiver got, in the order of their arrival."""
    return [json.loads(post.body) for post in receiver.wait_for(count)]


def test_a_crm_hears_of_the_changes_of_others(crm: Crm) -> None:
    with http_receiver() as receiver:
        body = crm.make("HubFVO", type_="Hub", callback=receiver.url)
        hub = crm.call("events_subscription.create_hub", body=body)
        assert hub.status_code == 201, hub.content
        assert crm.call("events_subscription.hub_get", hub.parsed.id).parsed == hub.parsed

        own = crm.create(name="Own")
        posted = {"channel": "phone", "subject": "Of the staff"}
        complaint = crm.staff.post("/v1/complaints", json=posted).raise_for_status().json()
        answer = {"action": "respond", "message": "We look into it.", "contact_channel": "phone"}
        crm.staff.post(f"/v1/complaints/{own.id}/transitions", json=answer).raise_for_status()

        events = events_at(receiver, 2)
        by_type = {event["eventType"]: event["event"]["troubleTicket"] for event in events}
        assert by_type["TroubleTicketCreateEvent"]["id"] == complaint["id"]
        assert by_type["TroubleTicketStatusChangeEvent"]["id"] == own.id
        assert own.id != complaint["id"]
        read = crm.part("models").TroubleTicketCreateEvent.from_dict(
            next(event for event in events if event["eventType"] == "TroubleTicketCreateEvent")
        )
        assert read.event["troubleTicket"]["name"] == "Of the staff"
        assert crm.call("events_subscription.hub_delete", hub.parsed.id).status_code == 204
        assert crm.call("events_subscription.hub_get", hub.parsed.id).status_code == 404
