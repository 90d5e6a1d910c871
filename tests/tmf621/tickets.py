"""Paths and bodies of trouble tickets, for the tests of the face."""

from typing import Any

TICKETS = "/tmf-api/troubleTicket/v5/troubleTicket"
TICKETS_V4 = "/tmf-api/troubleTicket/v4/troubleTicket"


def new_ticket(**members: Any) -> dict[str, Any]:
    """The body of a new ticket of version 5."""
    return {
        "@type": "TroubleTicket",
        "description": "No signal since noon",
        "severity": "Major",
        "ticketType": "Network Outage",
        **members,
    }
