"""Filters of lists of tickets: the database finds the tickets that fit in memory, as they are shown."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from complaints.domain.vocabulary import HoldReason
from complaints.tmf621.queries.matching import fits
from complaints.tmf621.queries.reading import read_query
from complaints.tmf621.tickets.filters import GRAMMAR
from tests.api_client import ApiClient
from tests.support import Scenario
from tests.tmf621.tickets import TICKETS, new_ticket

WORDS = ("High", "high ", "Major", "Minor", "foo", "1", "blocKer", "ſerious", "Urgent", "critical")
TYPES = ("Network Outage", "billing", "complaint", "Billing", "网速慢", "slow connection ", "network.slow")
ROLES = ("customer", "Customer", "reporter", "owner")
TEXTS = ("a", "b%c", "b_c", "A*[x]", "宽带 断网", "a.b\\c", "x" * 520)


def party(role: str, party_id: str, name: str) -> dict[str, Any]:
    """A related party of a ticket."""
    return {"@type": "R", "role": role, "partyOrPartyRole": {"@type": "P", "id": party_id, "name": name}}


NEW = st.fixed_dictionaries(
    {"severity": st.sampled_from(WORDS), "ticketType": st.sampled_from(TYPES)},
    optional={
        "name": st.sampled_from(TEXTS),
        "priority": st.sampled_from(WORDS),
        "requestedResolutionDate": st.just("2026-02-01T00:00:00Z"),
        "channel": st.sampled_from(["email", "web"]).map(lambda one: {"@type": "C", "id": one, "name": one}),
        "externalIdentifier": st.lists(
            st.tuples(st.sampled_from(["e1", "e2", "e3"]), st.sampled_from(["S", "T"])).map(
                lambda one: {"@type": "E", "id": one[0], "owner": one[1]}
            ),
            min_size=1,
            max_size=3,
        ),
        "relatedParty": st.lists(
            st.builds(
                party, st.sampled_from(ROLES), st.sampled_from(["1", "2"]), st.sampled_from(["Bo", "Al"])
            ),
            min_size=1,
            max_size=3,
        ),
        "relatedEntity": st.sampled_from(["7", "8"]).map(
            lambda one: [
                {"@type": "E", "role": "bill", "entity": {"@type": "B", "id": one, "name": f"n{one}"}}
            ]
        ),
        "attachment": st.sampled_from([300, 2.5]).map(
            lambda size: [
                {
                    "@type": "Attachment",
                    "attachmentType": "image",
                    "name": "a.png",
                    "mimeType": "image/png",
                    "url": "https://example.com/a",
                    "size": {"amount": size, "units": "kB"},
                }
            ]
        ),
        "troubleTicketCharacteristic": st.lists(
            st.tuples(
                st.sampled_from(["x", "y", "outcome"]), st.sampled_from(["v", 5, True, 1.5, ["v"], 10**20])
            ).map(lambda one: {"@type": "Characteristic", "name": one[0], "value": one[1]}),
            min_size=1,
            max_size=2,
        ),
    },
)
VALUES: Mapping[str, tuple[str, ...]] = {
    "@type": ("TroubleTicket", "x"),
    "name": (*TEXTS[:6], "Network Outage", "No signal since noon"),
    "description": ("No signal since noon", "x"),
    "severity": (*WORDS, "Low", "Critical"),
    "priority": (*WORDS, "Medium", "Low"),
    "ticketType": (*TYPES, "complaint"),
    "status": (
        "acknowledged",
        "inProgress",
        "pending",
        "held",
        "resolved",
        "closed",
        "cancelled",
        "rejected",
    ),
    "creationDate": ("2026-01-05T01:00:00Z", "2026-01-05T09:00:00+08:00", "2030-01-01T00:00:00Z"),
    "lastUpdate": ("2026-01-05T01:00:00Z", "2025-01-01T00:00:00Z"),
    "resolutionDate": ("2026-01-05T01:00:00Z",),
    "expectedResolutionDate": ("2026-01-05T01:00:00Z", "2027-01-05T01:00:00Z"),
    "externalIdentifier.id": ("e1", "e2", "e3", "e9"),
    "externalIdentifier.owner": ("S", "T", "U"),
    "relatedParty.role": ROLES,
    "relatedParty.partyOrPartyRole.id": ("1", "2", "3"),
    "relatedParty.partyOrPartyRole.name": ("Bo", "Al", "bo"),
    "attachment.name": ("a.png", "b"),
    "attachment.mimeType": ("image/png", "image"),
    "attachment.size": ("300", "2.5", "299.5"),
    "channel.id": ("email", "phone"),
    "channel.name": ("email", "web"),
    "relatedEntity.role": ("bill", "order"),
    "relatedEntity.entity.id": ("7", "9"),
    "relatedEntity.entity.name": ("n7", "n9"),
    "troubleTicketSpecification.id": ("billing", "network.slow"),
    "troubleTicketCharacteristic.name": ("x", "y", "outcome", "complaintState", "root_cause"),
    "troubleTicketCharacteristic.value": (
        "v",
        "5",
        "true",
        "1.5",
        "received",
        "withdrawn",
        "100000000000000000000",
    ),
}
PATTERNS = ("a", "^H", "o$", "^.$", "i.*e", r"\.", "^", "b.c", "%", "^A\\*", "断")


@st.composite
def asked_conditions(draw: st.DrawFn) -> str:
    """A query with one or two conditions."""
    parts = []
    for _ in range(draw(st.integers(1, 2))):
        name = draw(st.sampled_from(sorted(VALUES)))
        kind = GRAMMAR.members[name].kind
        by = draw(
            st.sampled_from({"text": ["eq", "ne", "regex"]}.get(kind, ["eq", "ne", "gt", "gte", "lt", "lte"]))
        )
        choices = PATTERNS if by == "regex" else VALUES[name]
        values = draw(st.lists(st.sampled_from(choices), min_size=1, max_size=2))
        parts.append((f"{name}.{by}", ",".join(values)))
    return urlencode(parts, quote_via=quote)


def change_some(client: ApiClient, scenario: Scenario, made: list[str]) -> None:
    """Bring some complaints to other states: each number is a place in the list."""
    reasons = [HoldReason.AWAITING_COMPLAINANT, HoldReason.AWAITING_THIRD_PARTY]
    for place, complaint_id in enumerate(made):
        path = f"/v1/complaints/{complaint_id}"
        if place % 3 == 0:
            client.patch(path, json={"category": ("billing", "network.slow")[place % 2], "severity": "low"})
        if place % 5 in (1, 2, 3):
            client.post(
                f"{path}/transitions",
                json={"action": "respond", "contact_channel": "phone", "message": "Hello"},
            )
        if place % 5 in (1, 2):
            until = "2026-01-06T02:00:00Z"
            hold = {"action": "hold", "reason": reasons[place % 2], "until": until}
            client.post(f"{path}/transitions", json=hold)
        if place % 5 == 4:
            client.post(f"{path}/transitions", json={"action": "withdraw", "reason": "a"})


@settings(
    max_examples=6,
    phases=[Phase.generate],
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
    ],
)
@given(
    tickets=st.lists(NEW, min_size=4, max_size=7),
    queries=st.lists(asked_conditions(), min_size=12, max_size=12),
)
def test_the_database_finds_the_tickets_that_fit(
    client: ApiClient, scenario: Scenario, tickets: list[dict[str, Any]], queries: list[str]
) -> None:
    made = []
    for one in tickets:
        answer = client.post(TICKETS, json=new_ticket(**one))
        if answer.status_code == 201:  # an identifier may be that of another ticket
            made.append(answer.json()["id"])
    change_some(client, scenario, list(dict.fromkeys(made)))
    shown = client.get(f"{TICKETS}?limit=100").json()
    for query in queries:
        answer = client.get(f"{TICKETS}?limit=100&{query}")
        assert answer.status_code == 200, (query, answer.text)
        conditions = read_query(query.encode(), GRAMMAR).conditions
        expected = [one["id"] for one in shown if fits(one, conditions)]
        found = [one["id"] for one in answer.json()]
        assert found == expected, query
        if len(shown) < 100:
            assert answer.headers["x-total-count"] == str(len(expected))
