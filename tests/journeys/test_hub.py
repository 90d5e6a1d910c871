"""A CRM subscribes at the hub of a real server, and hears of its ticket from creation to the result."""

import json

from tests.http_receiver import http_receiver
from tests.journeys.running_server import Launcher
from tests.support import ADMIN_SECRET

TMF = "/tmf-api/troubleTicket"
TICKET = {"@type": "TroubleTicket", "description": "No signal", "severity": "Major", "ticketType": "Outage"}


def test_a_server_posts_events_to_the_callbacks_of_both_versions(
    launcher: Launcher, database_url: str
) -> None:
    with http_receiver() as crm, http_receiver() as older:
        server = launcher.serve(
            database_url, sandbox=1, bootstrap_api_key=ADMIN_SECRET, webhook_allow="127.0.0.1"
        )
        with server.client(ADMIN_SECRET) as admin:
            for receiver, version in ((crm, "v5"), (older, "v4")):
                hub = {"@type": "Hub", "callback": receiver.url, "query": "ownChanges=true"}
                admin.post(f"{TMF}/{version}/hub", json=hub).raise_for_status()
            made = admin.post(f"{TMF}/v5/troubleTicket", json=TICKET).raise_for_status().json()
            solved = {
                "action": "resolve",
                "resolution": "Mended.",
                "cause": "service",
                "outcome": "not_upheld",
            }
            admin.post(f"/v1/complaints/{made['id']}/transitions", json=solved).raise_for_status()
            for receiver in (crm, older):
                events = [json.loads(post.body) for post in receiver.wait_for(3)]
                assert [event["eventType"] for event in events] == [
                    "TroubleTicketCreateEvent",
                    "TroubleTicketStatusChangeEvent",
                    "TroubleTicketResolvedEvent",
                ]
                assert {event["event"]["troubleTicket"]["id"] for event in events} == {made["id"]}
                assert events[2]["event"]["troubleTicket"]["status"] == "resolved"
            assert "timeOccurred" in json.loads(crm.posts[0].body)
            assert "timeOcurred" in json.loads(older.posts[0].body)
