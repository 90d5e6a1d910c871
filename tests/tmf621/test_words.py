"""Pure mappings of TMF621: words, subjects, channels, identifiers, parties, and statuses."""

from typing import Any
from uuid import UUID

import pytest

from complaints.domain.policy.categories import Category
from complaints.domain.vocabulary import Channel, HoldReason, LinkType, Priority, Severity, Status
from complaints.tmf621.tickets.categories import CategoryWords, words_of
from complaints.tmf621.tickets.identifiers import read_identifiers, show_identifiers
from complaints.tmf621.tickets.intake import channel_of, subject_of
from complaints.tmf621.tickets.kept_members import to_members
from complaints.tmf621.tickets.parties import account_of, read_parties, show_parties
from complaints.tmf621.tickets.relationships import read_relationships, show_relationships
from complaints.tmf621.tickets.schemas import (
    GivenChannel,
    GivenExternalIdentifier,
    GivenRelatedParty,
    GivenRelationship,
)
from complaints.tmf621.tickets.statuses import TicketStatus, ticket_status
from complaints.tmf621.tickets.words import priority_word, read_priority, read_severity, severity_word
from complaints.use_cases.complaints.views import LinkView

TICKET = UUID(int=7)


@pytest.mark.parametrize(
    ("status", "reason", "expected"),
    [
        (Status.RECEIVED, None, TicketStatus.ACKNOWLEDGED),
        (Status.INVESTIGATING, None, TicketStatus.IN_PROGRESS),
        (Status.ON_HOLD, HoldReason.AWAITING_COMPLAINANT, TicketStatus.PENDING),
        (Status.ON_HOLD, "awaiting_complainant", TicketStatus.PENDING),
        (Status.ON_HOLD, HoldReason.AWAITING_THIRD_PARTY, TicketStatus.HELD),
        (Status.ON_HOLD, None, TicketStatus.HELD),
        (Status.RESOLVED, HoldReason.AWAITING_COMPLAINANT, TicketStatus.RESOLVED),
        (Status.FOLLOWING_UP, None, TicketStatus.RESOLVED),
        (Status.CLOSED, None, TicketStatus.CLOSED),
        (Status.REJECTED, None, TicketStatus.REJECTED),
        (Status.WITHDRAWN, None, TicketStatus.CANCELLED),
        (Status.MERGED, None, TicketStatus.CLOSED),
    ],
)
def test_the_status_of_a_ticket(status: Status, reason: str | None, expected: TicketStatus) -> None:
    assert ticket_status(status, reason) is expected


@pytest.mark.parametrize(
    ("word", "severity", "shown_if_low"),
    [
        ("Critical", Severity.CRITICAL, "Low"),
        (" blocker ", Severity.CRITICAL, "Low"),
        ("MAJOR", Severity.HIGH, "Low"),
        ("Minor", Severity.NORMAL, "Low"),
        ("cosmetic", Severity.LOW, "cosmetic"),
        ("P1", None, "Low"),
        ("", None, "Low"),
    ],
)
def test_a_word_for_a_severity(word: str, severity: Severity | None, shown_if_low: str) -> None:
    assert read_severity(word) is severity
    assert severity_word(severity or Severity.NORMAL, word) == word
    assert severity_word(Severity.LOW, word) == shown_if_low
    assert severity_word(Severity.HIGH, None) == "Major"


@pytest.mark.parametrize(
    ("word", "is_chosen", "priority", "shown"),
    [
        ("High", True, Priority.HIGH, "High"),
        ("2", True, Priority.HIGH, "2"),
        ("2", True, Priority.LOW, "Low"),
        ("P1", False, Priority.HIGH, "P1"),
        ("P1", True, Priority.HIGH, "High"),
        ("", False, Priority.LOW, ""),
        (None, False, Priority.NORMAL, "Medium"),
    ],
)
def test_a_word_for_a_priority(word: str | None, is_chosen: bool, priority: Priority, shown: str) -> None:
    assert priority_word(priority, word, is_chosen=is_chosen) == shown


def test_every_own_word_is_read_again() -> None:
    assert [read_severity(severity_word(one, None)) for one in Severity] == list(Severity)
    assert [read_priority(priority_word(one, None)) for one in Priority] == list(Priority)


@pytest.mark.parametrize(
    ("name", "description", "ticket_type", "subject"),
    [
        ("Name", "Words", "Type", "Name"),
        (None, "\n  First \nSecond", "Type", "First "),
        ("\u200b", "  ", "Type", "Type"),
        (" " * 500 + "Name", "Words", "Type", "Words"),
        (None, "x" * 300, "Type", "x" * 200),
        (None, None, None, "Trouble ticket"),
    ],
)
def test_the_subject(
    name: str | None, description: str | None, ticket_type: str | None, subject: str
) -> None:
    assert subject_of(name, description, ticket_type) == subject


@pytest.mark.parametrize(
    ("members", "channel"),
    [
        ({"id": "phone"}, Channel.PHONE),
        ({"id": "1", "name": "E-Mail"}, Channel.API),
        ({"id": "1", "name": " On-Site "}, Channel.ON_SITE),
        ({"id": "web", "name": "self service"}, Channel.WEB),
        ({"id": "web", "name": "app"}, Channel.APP),
    ],
)
def test_the_channel(members: dict[str, Any], channel: Channel) -> None:
    assert channel_of(GivenChannel.model_validate({"@type": "ChannelRef", **members})) is channel
    assert channel_of(None) is Channel.API


def _category(code: str, name: str, *, active: bool = True) -> Category:
    parent = code.rpartition(".")[0] or None
    return Category(code, parent, {"en": name, "zh": f"{name}类"}, active=active)


CATEGORIES = {
    one.code: one
    for one in (
        _category("network", "Network"),
        _category("network.outage", "Outage"),
        _category("billing", "Bill"),
        _category("billing.other", "Other"),
        _category("service", "Service"),
        _category("service.other", "Other"),
        _category("old", "Old", active=False),
        _category("old.part", "Part"),
    )
}


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("network.outage", "network.outage"),
        (" outage ", "network.outage"),
        ("NETWORK类", "network"),
        ("Other", None),
        ("service.other", "service.other"),
        ("old", None),
        ("old.part", None),
        ("Part", None),
        ("", None),
        ("x" * 300, None),
        (None, None),
    ],
)
def test_the_category_of_a_word(word: str | None, code: str | None) -> None:
    assert CategoryWords(CATEGORIES).find_code(word) == code


def test_the_words_are_made_again_for_other_categories() -> None:
    assert words_of(CATEGORIES) is words_of(CATEGORIES)
    assert words_of({}).find_code("network") is None
    assert words_of(CATEGORIES).find_code("network") == "network"


def test_identifiers_of_systems_that_the_caller_may_not_name_are_kept() -> None:
    given = [
        GivenExternalIdentifier.model_validate({"@type": "E", **one})
        for one in ({"id": "1"}, {"id": "2", "owner": "shop"}, {"id": "3", "owner": "crm"})
    ]
    found = read_identifiers(given, "crm", lambda system: system == "crm")
    assert found.ids == {"crm": "1"}
    assert [one.get("id") for one in found.kept] == [None, "2", "3"]
    shown = show_identifiers(found.kept, "crm", {"crm": "9", "new": "8"})
    assert [(one["owner"], one["id"]) for one in shown] == [
        ("crm", "9"),
        ("shop", "2"),
        ("crm", "3"),
        ("new", "8"),
    ]
    assert [one["id"] for one in show_identifiers(found.kept, "crm", {})] == ["2", "3"]


def test_a_complaint_has_at_most_20_systems() -> None:
    given = [
        GivenExternalIdentifier.model_validate({"@type": "E", "owner": f"s{n}", "id": "1"}) for n in range(25)
    ]
    found = read_identifiers(given, "crm", lambda _: True)
    assert (len(found.ids), len(found.kept)) == (20, 25)


def _party(role: str, **members: str) -> GivenRelatedParty:
    return GivenRelatedParty.model_validate(
        {"@type": "R", "role": role, "partyOrPartyRole": {"@type": "P", **members}}
    )


def test_parties_become_persons_once() -> None:
    found = read_parties(
        [
            _party("Customer", id="1", name="Ann", href="h"),
            _party("customer", id="2", name="Bob"),
            _party("reporter", id="3", partyName="Cid"),
            _party("member", id="4"),
            _party("reporter", id="", name="Nobody"),
        ]
    )
    assert found.persons == {
        "complainant": {"account_no": "1", "name": "Ann"},
        "reporter": {"account_no": "3", "name": "Cid"},
    }
    persons = {"complainant": {"account_no": "9", "name": "Now"}}
    shown = show_parties(found.kept, persons, TICKET, in_clear=True)
    assert [one["partyOrPartyRole"]["id"] for one in shown] == ["9", "2", "4", ""]
    assert shown[0]["partyOrPartyRole"] == {"@type": "P", "href": "h", "id": "9", "name": "Now"}
    assert shown[0]["role"] == "Customer"
    masked = show_parties(found.kept, {}, TICKET, in_clear=False)
    assert "Bob" not in str(masked)


def test_a_person_without_an_account_has_an_id_of_the_ticket() -> None:
    persons = {"reporter": {"account_no": None, "name": None}}
    [shown] = show_parties([], persons, TICKET, in_clear=True)
    party = shown["partyOrPartyRole"]
    assert party == {"@type": "PartyRef", "id": f"{TICKET}:reporter"}
    assert account_of(party["id"], TICKET) is None
    assert account_of("9", TICKET) == "9"


def _relation(other: str, word: str = "dependency") -> GivenRelationship:
    return GivenRelationship.model_validate({"@type": "T", "id": other, "relationshipType": word})


def test_a_relation_is_a_link_as_long_as_the_link_stands() -> None:
    known = {"C-1": UUID(int=1), "2": UUID(int=2)}
    given = [_relation("C-1"), _relation("2", "ISDUPLICATEOF"), _relation("3")]
    found = read_relationships(given, known.get)
    assert found.links == [(LinkType.RELATED, UUID(int=1)), (LinkType.DUPLICATE_OF, UUID(int=2))]
    links = [LinkView(LinkType.RELATED, UUID(int=one), one) for one in (1, 4)]
    shown = show_relationships(found.kept, links, "/t")
    assert [(one["id"], one["relationshipType"]) for one in shown] == [
        (str(UUID(int=1)), "dependency"),
        ("3", "dependency"),
        (str(UUID(int=4)), "isRelatedTo"),
    ]
    assert all("linked" not in one for one in shown)
    sent_before = [to_members(_relation(str(UUID(int=4)), "blocks"))]
    shown = show_relationships(sent_before, links, "/t")
    assert [one["relationshipType"] for one in shown] == ["blocks", "isRelatedTo"]
