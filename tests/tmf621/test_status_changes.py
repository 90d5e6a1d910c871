"""A change of the status of a ticket takes the matching actions, in one transaction with its other members."""

from typing import Any
from uuid import UUID

import pytest

from complaints.domain.complaint.facts import Complaint
from complaints.domain.scope import ALL_COMPLAINTS
from complaints.domain.vocabulary import AccessRole
from complaints.storage import load
from tests.api_client import ApiClient
from tests.journeys.test_races import at_once
from tests.support import Scenario
from tests.tmf621.changes import (
    TYPED,
    change,
    changed,
    characteristic,
    complaint_of,
    make,
    note,
    texts_of,
    timeline_of,
    values_of,
)
from tests.tmf621.tickets import TICKETS, new_ticket


def stored(scenario: Scenario, ticket: dict[str, Any]) -> Complaint:
    """The complaint of a ticket as it is stored."""
    ticket_id = UUID(ticket["id"])
    found = scenario.service.read(lambda tx: load.load_complaint(tx, ticket_id, scope=ALL_COMPLAINTS))
    return found.complaint


def test_a_ticket_goes_through_its_whole_life(client: ApiClient) -> None:
    ticket = make(client)
    assert ticket["status"] == "acknowledged"
    for status, reason, state in [
        ("inProgress", "We look into it", "investigating"),
        ("pending", None, "on_hold"),
        ("inProgress", None, "investigating"),
        ("held", None, "on_hold"),
        ("resolved", "Cable repaired", "resolved"),
        ("closed", "The customer agrees", "closed"),
        ("inProgress", "It is broken again", "investigating"),
        ("rejected", "Not ours", "rejected"),
    ]:
        wanted = {"status": status} | ({"statusChangeReason": reason} if reason else {})
        shown = changed(client, ticket, **wanted)
        assert (shown["status"], values_of(shown)["complaintState"]) == (status, state)
        if reason:
            assert shown["statusChangeReason"] == reason
        assert changed(client, ticket, **wanted) == shown  # the same again is no change
    complaint = complaint_of(client, ticket)
    assert complaint["cycle"] == 2


def test_a_resolve_without_an_outcome_assumes_one(client: ApiClient, scenario: Scenario) -> None:
    ticket = make(client, ticketType="network.outage")
    changed(client, ticket, status="resolved", statusChangeReason="Cable repaired")
    complaint = stored(scenario, ticket)
    assert (complaint.resolution, complaint.outcome) == ("Cable repaired", "not_upheld")
    assert (complaint.cause, complaint.outcome_assumed) == ("technical", True)


def test_characteristics_of_an_action_change_nothing_else(client: ApiClient) -> None:
    ticket = make(client)
    carried = [characteristic("outcome", "upheld"), characteristic("root_cause", "Cable")]
    changed(
        client, ticket, status="resolved", statusChangeReason="Repaired", troubleTicketCharacteristic=carried
    )
    events = client.get(f"/v1/complaints/{ticket['id']}/timeline").json()["items"]
    assert [one["type"] for one in events] == ["complaint.created", "complaint.resolved"]


def test_characteristics_carry_the_outcome_and_the_root_cause(client: ApiClient, scenario: Scenario) -> None:
    ticket = make(client)
    carried = [
        characteristic("outcome", "upheld"),
        characteristic("root_cause", "Cable"),
        characteristic("line", "A7"),
    ]
    wanted = {
        "status": "resolved",
        "statusChangeReason": "Repaired",
        "troubleTicketCharacteristic": carried,
        "note": [note("Done by Bob")],
    }
    for _ in range(2):
        shown = changed(client, ticket, **wanted)
    complaint = stored(scenario, ticket)
    assert (complaint.outcome, complaint.root_cause, complaint.outcome_assumed) == ("upheld", "Cable", None)
    assert complaint.attributes.keys() - {"tmf621"} == {"line"}
    assert {name: values_of(shown)[name] for name in ("outcome", "root_cause")} == {
        "outcome": "upheld",
        "root_cause": "Cable",
    }
    assert texts_of(shown) == ["Done by Bob"]


def test_the_contact_channel_comes_from_its_characteristic(client: ApiClient) -> None:
    ticket = make(client)
    changed(
        client,
        ticket,
        status="inProgress",
        troubleTicketCharacteristic=[characteristic("contact_channel", "sms")],
    )
    events = timeline_of(client, ticket)
    [responded] = [one for one in events if one["type"] == "complaint.responded"]
    assert responded["data"]["contact_channel"] == "sms"


def test_a_close_tells_the_result_records_the_contact_and_closes(
    client: ApiClient, scenario: Scenario
) -> None:
    ticket = make(client)
    changed(client, ticket, status="resolved", statusChangeReason="Repaired")
    changed(client, ticket, status="closed")
    types = [one["type"].removeprefix("complaint.") for one in timeline_of(client, ticket)]
    order = [types.index(one) for one in ("resolved", "result_notified", "contact_recorded", "closed")]
    assert order == sorted(order)
    complaint = stored(scenario, ticket)
    assert (complaint.status, complaint.contact_outcome) == ("closed", "solved")


REFUSED = [
    ([], {"status": "pending"}, "cannot become pending", "inProgress, resolved, rejected, cancelled"),
    ([], {"status": "closed"}, "cannot become closed", "inProgress"),
    ([], {"status": "resolved"}, "statusChangeReason is missing", "inProgress"),
    ([], {"status": "rejected", "statusChangeReason": " "}, "statusChangeReason is missing", "cancelled"),
    ([{"status": "cancelled"}], {"status": "resolved"}, "cannot become resolved", "inProgress"),
    ([{"status": "cancelled"}], {"status": "inProgress"}, "statusChangeReason is missing", "inProgress"),
    (
        [{"status": "resolved", "statusChangeReason": "x"}],
        {"status": "acknowledged"},
        "cannot become acknowledged",
        "cancelled, closed",
    ),
    (
        [
            {
                "status": "resolved",
                "statusChangeReason": "x",
                "troubleTicketCharacteristic": [characteristic("outcome", "upheld")],
            }
        ],
        {"status": "closed"},
        "root_cause is missing",
        "closed",
    ),
    (
        [{"status": "resolved", "statusChangeReason": "x"}],
        {"status": "closed", "troubleTicketCharacteristic": [characteristic("outcome", "upheld")]},
        "outcome can only be given with a change to resolved",
        "closed",
    ),
]


def test_a_refused_status_names_what_is_possible_and_changes_nothing(
    client: ApiClient, subtests: pytest.Subtests
) -> None:
    for before, wanted, said, possible in REFUSED:
        with subtests.test(f"{before} {wanted}"[:100]):
            ticket = make(client)
            for step in before:
                changed(client, ticket, **step)
            shown = client.get(f"{TICKETS}/{ticket['id']}").json()
            answer = change(client, ticket, description="Changed", note=[note("Lost")], **wanted)
            assert answer.status_code == 409, answer.text
            message = answer.json()["message"]
            assert said in message
            for one in possible.split(", "):
                assert one in message.partition("Possible now: ")[2]
            assert client.get(f"{TICKETS}/{ticket['id']}").json() == shown


NOT_CARRIED = [
    (
        {"statusChangeReason": "Because"},
        409,
        "statusChangeReason can only be given with a change of the status",
    ),
    (
        {"troubleTicketCharacteristic": [characteristic("root_cause", "Cable")]},
        409,
        "root_cause can only be given with a change of the status",
    ),
    (
        {"status": "acknowledged", "troubleTicketCharacteristic": [characteristic("outcome", "upheld")]},
        409,
        "outcome can only be given with a change to resolved",
    ),
    (
        {
            "status": "resolved",
            "statusChangeReason": "x",
            "troubleTicketCharacteristic": [characteristic("outcome", "good")],
        },
        400,
        "/troubleTicketCharacteristic",
    ),
    ({"status": "resolved", "statusChangeReason": "x" * 10_001}, 400, "/statusChangeReason"),
    (
        {
            "status": "inProgress",
            "troubleTicketCharacteristic": [characteristic("contact_channel", "pigeon")],
        },
        400,
        "contact_channel should be",
    ),
]


def test_what_no_action_can_carry_is_refused(client: ApiClient, subtests: pytest.Subtests) -> None:
    ticket = make(client)
    for members, status, said in NOT_CARRIED:
        with subtests.test(said):
            answer = change(client, ticket, **members)
            assert answer.status_code == status, answer.text
            assert said in answer.json()["message"]
            assert client.get(f"{TICKETS}/{ticket['id']}").json() == ticket


def test_a_hold_ends_when_the_characteristic_says(client: ApiClient) -> None:
    ticket = make(client)
    changed(client, ticket, status="inProgress")
    until = [characteristic("hold_until", "2026-01-06T00:00:00Z")]
    changed(client, ticket, status="pending", troubleTicketCharacteristic=until)
    events = timeline_of(client, ticket)
    [held] = [one for one in events if one["type"] == "complaint.held"]
    assert (held["data"]["reason"], held["data"]["until_at"]) == (
        "awaiting_complainant",
        "2026-01-06T00:00:00Z",
    )
    changed(client, ticket, status="inProgress")
    late = [characteristic("hold_until", "2027-01-06T00:00:00Z")]
    answer = change(client, ticket, status="held", troubleTicketCharacteristic=late)
    assert answer.status_code == 400
    assert "A hold lasts at most until" in answer.json()["message"]


def test_an_agent_may_not_close_early_and_hears_which_roles_may(
    client: ApiClient, scenario: Scenario
) -> None:
    ticket = make(client)
    agent = scenario.key(AccessRole.AGENT)
    path = f"{TICKETS}/{ticket['id']}"
    resolved = client.patch(
        path, json={"status": "resolved", "statusChangeReason": "Done"} | TYPED, headers=agent
    )
    assert resolved.status_code == 200
    answer = client.patch(path, json={"status": "closed"} | TYPED, headers=agent)
    assert answer.status_code == 409
    assert "it needs one of admin, manager, supervisor" in answer.json()["message"]
    assert client.get(path).json() == resolved.json()
    assert (
        client.patch(
            path, json={"status": "closed"} | TYPED, headers=scenario.key(AccessRole.SUPERVISOR)
        ).status_code
        == 200
    )


def test_a_merged_ticket_stays_closed(client: ApiClient) -> None:
    parties = [
        {
            "@type": "RelatedPartyRefOrPartyRoleRef",
            "role": "customer",
            "partyOrPartyRole": {"@type": "PartyRef", "id": "4711"},
        }
    ]
    first, second = (
        make(client, relatedParty=parties),
        make(client, relatedParty=parties, description="Again"),
    )
    path = f"/v1/complaints/{second['id']}/transitions"
    client.post(path, json={"action": "merge", "into": first["id"]}).raise_for_status()
    shown = changed(client, second, status="closed")
    assert shown["status"] == "closed"
    [relation] = shown["troubleTicketRelationship"]
    assert (relation["relationshipType"], relation["id"]) == ("isDuplicateOf", first["id"])
    answer = change(client, second, status="inProgress", statusChangeReason="Again")
    assert answer.status_code == 409
    answer = change(client, second, troubleTicketRelationship=[])
    assert answer.status_code == 409
    assert "The link of a merge stays" in answer.json()["message"]


def test_the_category_of_the_same_change_gives_the_cause(client: ApiClient, scenario: Scenario) -> None:
    ticket = make(client)
    changed(client, ticket, ticketType="network.outage", status="resolved", statusChangeReason="Repaired")
    assert stored(scenario, ticket).cause == "technical"


def test_an_outcome_stands_if_the_result_was_not_told(client: ApiClient, scenario: Scenario) -> None:
    ticket = make(client)
    carried = [characteristic("outcome", "upheld")]
    changed(client, ticket, status="resolved", statusChangeReason="x", troubleTicketCharacteristic=carried)
    changed(client, ticket, status="inProgress", statusChangeReason="Not yet")
    changed(client, ticket, status="resolved", statusChangeReason="Now")
    assert stored(scenario, ticket).outcome == "upheld"


def test_an_assumed_outcome_is_assumed_again(client: ApiClient, scenario: Scenario) -> None:
    ticket = make(client)
    for status, reason in (("resolved", "x"), ("inProgress", "Not yet"), ("resolved", "Now")):
        changed(client, ticket, status=status, statusChangeReason=reason)
    assert stored(scenario, ticket).outcome_assumed is True


def test_new_tickets_of_the_official_examples_resolve(client: ApiClient) -> None:
    ticket = client.post(TICKETS, json=new_ticket()).json()
    body = {
        "@type": "TroubleTicket",
        "status": "resolved",
        "statusChangeReason": "Give credit and resent bill to customer",
    }
    assert changed(client, ticket, **body)["statusChangeReason"] == body["statusChangeReason"]


def test_changes_at_the_same_time_happen_one_after_the_other(client: ApiClient) -> None:
    ticket = make(client)
    wishes = [("resolved", "Repaired"), ("rejected", "Not ours")] * 2

    def act(number: int) -> int:
        status, reason = wishes[number]
        text = f"{status} {number}"
        return change(client, ticket, status=status, statusChangeReason=reason, note=[note(text)]).status_code

    codes = at_once(len(wishes), act)
    shown = client.get(f"{TICKETS}/{ticket['id']}").json()
    won = [f"{wishes[n][0]} {n}" for n, code in enumerate(codes) if code == 200]
    assert sorted(texts_of(shown)) == sorted(won)
    assert {text.split()[0] for text in won} == {shown["status"]}
    assert sorted(set(codes)) == [200, 409]
    types = [one["type"] for one in timeline_of(client, ticket)]
    assert types.count("complaint.resolved") + types.count("complaint.rejected") == 1
