"""Tickets of version 4 in the words of version 5, and back."""

import time
from typing import Any

import pytest
from hypothesis import given, settings

from complaints.domain.errors import InvalidContent
from complaints.tmf621.bodies import check_shape
from complaints.tmf621.tickets.kept_members import to_members
from complaints.tmf621.tickets.schemas import NewTicket, TicketChange
from complaints.tmf621.v4 import translation
from tests.examples import examples
from tests.tmf621.tickets_v4 import TICKETS, has

MANDATORY = {"description": "No signal", "severity": "Major", "ticketType": "Network Outage"}
TYPES = {"@type": "Own", "@baseType": "Base", "@schemaLocation": "https://crm.example/own.json"}
REFERENCE = {"id": "7", "href": "https://crm.example/7", "name": "Seven", "@referredType": "Thing"}
PERIOD = {"startDateTime": "2026-01-05T09:00:00Z", "endDateTime": "2026-02-05T09:00:00+08:00"}


def characteristic(name: str, value: Any) -> dict[str, Any]:
    return {"@type": "StringCharacteristic", "name": name, "valueType": "string", "value": value}


# A member of version 4, the member of version 5 that it becomes, and its form when version 4 shows it again.
BOTH_WAYS: list[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    ({"name": "Short"}, {"name": "Short"}, {"name": "Short"}),
    (TYPES, TYPES, TYPES),
    (
        {"externalId": "CRM-1"},
        {"externalIdentifier": [{"@type": "ExternalIdentifier", "id": "CRM-1"}]},
        {"externalId": "CRM-1"},
    ),
    ({"channel": {"id": "phone"}}, {"channel": {"@type": "ChannelRef", "id": "phone"}}, {}),
    ({"channel": {**REFERENCE, **TYPES}}, {"channel": {**REFERENCE, **TYPES}}, {}),
    ({"note": [{"text": "Hm"}]}, {"note": [{"@type": "Note", "text": "Hm"}]}, {}),
    (
        {"attachment": [{"url": "https://crm.example/photo"}]},
        {
            "attachment": [
                {
                    "@type": "Attachment",
                    "attachmentType": "",
                    "mimeType": "",
                    "url": "https://crm.example/photo",
                }
            ]
        },
        {"attachment": [{"@type": "Attachment", "url": "https://crm.example/photo"}]},
    ),
    (
        {"attachment": [{"content": "aGk="}]},
        {
            "attachment": [
                {
                    "@type": "Attachment",
                    "attachmentType": "",
                    "mimeType": "application/octet-stream",
                    "content": "aGk=",
                }
            ]
        },
        {"attachment": [{"@type": "Attachment", "mimeType": "application/octet-stream", "content": "aGk="}]},
    ),
    (
        {"attachment": [{"attachmentType": "photo", "mimeType": "image/png", "content": "aGk=", **TYPES}]},
        {"attachment": [{"attachmentType": "photo", "mimeType": "image/png", "content": "aGk=", **TYPES}]},
        {},
    ),
    (
        {"attachment": [{"id": "1", "size": {"amount": 3.5, "units": "kB"}, "validFor": PERIOD}]},
        {
            "attachment": [
                {
                    "@type": "Attachment",
                    "attachmentType": "",
                    "mimeType": "",
                    "id": "1",
                    "size": {"amount": 3.5, "units": "kB"},
                    "validFor": PERIOD,
                }
            ]
        },
        {
            "attachment": [
                {
                    "@type": "Attachment",
                    "id": "1",
                    "size": {"amount": 3.5, "units": "kB"},
                    "validFor": PERIOD,
                }
            ]
        },
    ),
    (
        {"attachment": [{**REFERENCE, "description": "A photo"}]},
        {"attachment": [{"@type": "AttachmentRef", **REFERENCE, "description": "A photo"}]},
        {},
    ),
    (
        {"relatedEntity": [{**REFERENCE, "role": "bill"}]},
        {
            "relatedEntity": [
                {"@type": "RelatedEntity", "role": "bill", "entity": {"@type": "EntityRef", **REFERENCE}}
            ]
        },
        {"relatedEntity": [{"@type": "RelatedEntity", **REFERENCE, "role": "bill"}]},
    ),
    (
        {"relatedEntity": [{**REFERENCE, **TYPES, "role": "bill"}]},
        {"relatedEntity": [{**TYPES, "role": "bill", "entity": {"@type": "EntityRef", **REFERENCE}}]},
        {"relatedEntity": [{**TYPES, **REFERENCE, "role": "bill"}]},
    ),
    (
        {"relatedParty": [{**REFERENCE, "role": "customer"}]},
        {
            "relatedParty": [
                {
                    "@type": "RelatedPartyRefOrPartyRoleRef",
                    "role": "customer",
                    "partyOrPartyRole": {"@type": "PartyRef", **REFERENCE},
                }
            ]
        },
        {"relatedParty": [{"@type": "RelatedParty", **REFERENCE, "role": "customer"}]},
    ),
    (
        {"relatedParty": [{"id": "7", "@referredType": "PartyRole", **TYPES}]},
        {
            "relatedParty": [
                {
                    **TYPES,
                    "role": "",
                    "partyOrPartyRole": {"@type": "PartyRoleRef", "id": "7", "@referredType": "PartyRole"},
                }
            ]
        },
        {"relatedParty": [{**TYPES, "id": "7", "@referredType": "PartyRole"}]},
    ),
    (
        {"troubleTicketRelationship": [{"id": "7", "relationshipType": "dependent"}, {"name": "Nothing"}]},
        {
            "troubleTicketRelationship": [
                {"@type": "TroubleTicketRelationship", "id": "7", "relationshipType": "dependent"}
            ]
        },
        {},
    ),
    (
        {"outcome": "upheld", "root_cause": "fibre", "hold_until": "2026-02-01T00:00:00Z"},
        {
            "troubleTicketCharacteristic": [
                characteristic("outcome", "upheld"),
                characteristic("root_cause", "fibre"),
                characteristic("hold_until", "2026-02-01T00:00:00Z"),
            ]
        },
        {"outcome": "upheld", "root_cause": "fibre", "hold_until": "2026-02-01T00:00:00Z"},
    ),
    (
        {
            "contact_channel": "sms",
            "reject_reason": "spam",
            "troubleTicketCharacteristic": [{"name": "line", "value": 3}, {"name": "contact_channel"}],
        },
        {
            "troubleTicketCharacteristic": [
                {"@type": "StringCharacteristic", "name": "line", "value": 3},
                characteristic("contact_channel", "sms"),
                characteristic("reject_reason", "spam"),
            ]
        },
        {
            "contact_channel": "sms",
            "reject_reason": "spam",
            "troubleTicketCharacteristic": [{"@type": "StringCharacteristic", "name": "line", "value": 3}],
        },
    ),
    (
        {"troubleTicketSpecification": {"id": "network.outage"}},
        {"troubleTicketSpecification": {"@type": "TroubleTicketSpecificationRef", "id": "network.outage"}},
        {},
    ),
]


def test_a_member_of_version_4_goes_to_version_5_and_comes_back(subtests: pytest.Subtests) -> None:
    for sent, read, shown in BOTH_WAYS:
        with subtests.test(str(sent)[:100]):
            ticket = translation.read_new({**MANDATORY, **sent})
            assert ticket == {"@type": "TroubleTicket", **MANDATORY, **read}
            expected = shown or translation.show(read)
            assert translation.show(ticket) == {"@type": "TroubleTicket", **MANDATORY, **expected}
            assert translation.read_change(sent) == {"@type": "TroubleTicket", **read}


def test_the_second_way_is_as_the_first() -> None:
    """A client reads a ticket, and sends all of it again: nothing changes."""
    for sent, _, _ in BOTH_WAYS:
        ticket = translation.read_new({**MANDATORY, **sent})
        assert translation.read_new(translation.show(ticket)) == ticket


@pytest.mark.parametrize(
    ("ticket", "shown"),
    [
        (
            {
                "statusChangeHistory": [
                    {
                        "@type": "StatusChange",
                        "status": "resolved",
                        "statusChangeDate": PERIOD["startDateTime"],
                        "statusChangeReason": "Repaired",
                    }
                ]
            },
            {
                "statusChange": [
                    {
                        "@type": "StatusChange",
                        "status": "resolved",
                        "changeDate": PERIOD["startDateTime"],
                        "changeReason": "Repaired",
                    }
                ]
            },
        ),
        (
            {"externalIdentifier": [{"id": "A", "owner": "crm"}, {"id": "B", "owner": "billing"}]},
            {"externalId": "A"},
        ),
        ({"externalIdentifier": []}, {}),
        (
            {"troubleTicketCharacteristic": [characteristic("complaintState", "on_hold")]},
            {"complaintState": "on_hold"},
        ),
        (
            {"relatedParty": [{"@type": "RelatedPartyRefOrPartyRoleRef", "role": "agent"}]},
            {"relatedParty": []},
        ),
        (
            {
                "relatedParty": [
                    {
                        "@type": "RelatedPartyRefOrPartyRoleRef",
                        "role": "agent",
                        "partyOrPartyRole": {"@type": "PartyRoleRef", "id": "7", "partyName": "Li"},
                    }
                ]
            },
            {
                "relatedParty": [
                    {
                        "@type": "RelatedParty",
                        "role": "agent",
                        "id": "7",
                        "name": "Li",
                        "@referredType": "PartyRole",
                    }
                ]
            },
        ),
        (
            {"relatedEntity": [{"@type": "X", "role": "bill", "entity": {"@type": "BillRef", "id": "7"}}]},
            {"relatedEntity": [{"@type": "X", "role": "bill", "id": "7", "@referredType": "BillRef"}]},
        ),
        (
            {"troubleTicketSpecification": {"id": "network", "href": "https://here/5", "name": "Network"}},
            {"troubleTicketSpecification": {"id": "network", "name": "Network"}},
        ),
        (
            {"@schemaLocation": "no uri", "note": [{"@schemaLocation": "urn:note", "text": "Hm"}]},
            {"note": [{"@schemaLocation": "urn:note", "text": "Hm"}]},
        ),
        ({"id": "1", "href": "https://here/1"}, {"id": "1", "href": "https://here/1"}),
    ],
)
def test_a_ticket_of_version_5_is_shown_in_the_words_of_version_4(
    ticket: dict[str, Any], shown: dict[str, Any]
) -> None:
    assert translation.show(ticket) == shown


def test_null_clears_in_a_change() -> None:
    cleared = {"name": None, "externalId": None, "relatedParty": None, "outcome": None, "@type": None}
    assert translation.read_change(cleared) == {
        "@type": "TroubleTicket",
        "name": None,
        "externalIdentifier": None,
        "relatedParty": None,
        "troubleTicketCharacteristic": [characteristic("outcome", None)],
    }


def test_null_inside_a_member_clears_nothing() -> None:
    with pytest.raises(InvalidContent, match="null"):
        translation.read_change({"note": [{"text": None}]})


def test_facts_that_the_product_writes_are_checked_and_left_out() -> None:
    facts = {
        "creationDate": PERIOD["startDateTime"],
        "lastUpdate": PERIOD["startDateTime"],
        "statusChange": [{"changeDate": PERIOD["startDateTime"]}],
        "complaintState": "closed",
        "nobodyKnows": "<b>",
    }
    assert translation.read_new({**MANDATORY, **facts}) == {"@type": "TroubleTicket", **MANDATORY}


UNFIT = [
    ({"severity": 1}, "/severity"),
    ({"description": None}, "/description"),
    ({"status": "open"}, "/status"),
    ({"creationDate": "yesterday"}, "/creationDate"),
    ({"statusChange": [{"changeDate": "2026-01-05"}]}, "/statusChange/0/changeDate"),
    ({"requestedResolutionDate": "2026-13-05T09:00:00Z"}, "/requestedResolutionDate"),
    ({"@schemaLocation": "no uri"}, "/@schemaLocation"),
    ({"note": [{"@schemaLocation": "x"}]}, "/note/0/@schemaLocation"),
    ({"name": None}, "/name"),
    ({"outcome": None}, "/outcome"),
    ({"note": [{"text": "Hm", "author": None}]}, "/note/0/author"),
    ({"channel": {"id": "phone", "@type": None}}, "/channel/@type"),
    ({"note": {}}, "/note"),
    ({"note": ["Hm"]}, "/note/0"),
    ({"channel": {"name": "phone"}}, "/channel/id"),
    ({"relatedParty": [{"id": "7"}]}, "/relatedParty/0/@referredType"),
    ({"relatedParty": [{"@referredType": "Individual"}]}, "/relatedParty/0/id"),
    ({"relatedEntity": [{"id": "7", "@referredType": "Bill"}]}, "/relatedEntity/0/role"),
    ({"attachment": [{"size": {"amount": "3"}}]}, "/attachment/0/size/amount"),
    ({"attachment": [{"validFor": {"endDateTime": "x"}}]}, "/attachment/0/validFor/endDateTime"),
    ({"outcome": 1}, "/outcome"),
    ({"root_cause": []}, "/root_cause"),
    ({"troubleTicketCharacteristic": [{"value": 1}]}, "/troubleTicketCharacteristic/0/name"),
]


def test_a_member_that_does_not_fit_is_refused_at_its_place_in_version_4(subtests: pytest.Subtests) -> None:
    for sent, pointer in UNFIT:
        with subtests.test(f"{pointer} {sent}"[:100]):
            with pytest.raises(InvalidContent) as refused:
                translation.read_new({**MANDATORY, **sent})
            assert pointer in [fault.pointer for fault in refused.value.faults]


@pytest.mark.parametrize("missing", MANDATORY)
def test_a_new_ticket_has_its_mandatory_members(missing: str) -> None:
    with pytest.raises(InvalidContent, match=missing):
        translation.read_new({name: value for name, value in MANDATORY.items() if name != missing})


@pytest.mark.parametrize("content", [[], "ticket", None, 1])
def test_a_body_is_an_object(content: Any) -> None:
    with pytest.raises(InvalidContent, match="object"):
        translation.read_change(content)


@given(TICKETS)
@settings(max_examples=examples(100))
def test_version_5_keeps_everything_of_a_ticket_of_version_4(sent: dict[str, Any]) -> None:
    read = translation.read_new(sent)
    kept = to_members(check_shape(NewTicket, read))
    assert has(translation.show(kept), sent)
    assert to_members(check_shape(TicketChange, translation.read_change(sent))) == kept
    assert translation.read_new(translation.show(kept)) == read


PRESENT = {
    "@type": "TroubleTicket",
    "externalIdentifier": [
        {"@type": "ExternalIdentifier", "owner": "billing", "id": "B-1"},
        {"@type": "ExternalIdentifier", "owner": "crm", "id": "CRM-1", "externalIdentifierType": "case"},
    ],
    "relatedEntity": [
        {"@type": "RelatedEntity", "role": "bill", "entity": {"@type": "BillRef", "id": "7"}},
        {"@type": "RelatedEntity", "role": "order", "entity": {"@type": "OrderRef", "id": "8"}},
    ],
    "relatedParty": [
        {
            "@type": "RelatedPartyRefOrPartyRoleRef",
            "role": "agent",
            "partyOrPartyRole": {"@type": "PartyRoleRef", "id": "7", "partyName": "Li"},
        }
    ],
    "troubleTicketSpecification": {
        "@type": "TroubleTicketSpecificationRef",
        "id": "network",
        "href": "https://here/5",
    },
}


@pytest.mark.parametrize("source", ["crm", "billing", "other"])
def test_a_ticket_that_is_sent_back_as_it_was_shown_changes_nothing(source: str) -> None:
    change = translation.read_change(translation.show(PRESENT, source))
    assert translation.fit_change(change, PRESENT, source) == PRESENT


def identifiers(*pairs: tuple[str, str]) -> list[dict[str, str]]:
    return [{"@type": "ExternalIdentifier", "owner": owner, "id": one} for owner, one in pairs]


@pytest.mark.parametrize(
    ("source", "external_id", "shown", "after"),
    [
        ("crm", "N", "CRM-1", [("crm", "N"), ("billing", "B-1")]),
        ("billing", "N", "B-1", [("billing", "N"), ("crm", "CRM-1")]),
        ("other", "N", "B-1", [("other", "N"), ("billing", "B-1"), ("crm", "CRM-1")]),
        ("crm", None, "CRM-1", [("billing", "B-1")]),
        ("other", None, "B-1", [("billing", "B-1"), ("crm", "CRM-1")]),
    ],
)
def test_the_external_id_is_that_of_the_source_of_the_caller(
    source: str, external_id: str | None, shown: str, after: list[tuple[str, str]]
) -> None:
    present = {"externalIdentifier": identifiers(("billing", "B-1"), ("crm", "CRM-1"))}
    assert translation.show(present, source) == {"externalId": shown}
    change = translation.read_change({"externalId": external_id})
    fitted = translation.fit_change(change, present, source)
    assert fitted["externalIdentifier"] == identifiers(*after)


def test_the_last_external_id_can_go() -> None:
    present = {"externalIdentifier": identifiers(("crm", "CRM-1"))}
    change = translation.read_change({"externalId": None})
    assert translation.fit_change(change, present, "crm")["externalIdentifier"] is None


def test_an_item_that_stays_keeps_what_version_4_cannot_say() -> None:
    kept, _ = PRESENT["relatedEntity"]
    four = translation.show(PRESENT)["relatedEntity"]
    change = translation.read_change({"relatedEntity": [{**four[1], "role": "old order"}, four[0]]})
    fitted = translation.fit_change(change, PRESENT, "crm")["relatedEntity"]
    assert fitted[1] == kept
    assert (fitted[0]["role"], fitted[0]["entity"]["@type"]) == ("old order", "EntityRef")


def test_long_lists_are_fitted_in_a_moment() -> None:
    present = [
        {"@type": "RelatedEntity", "role": "bill", "entity": {"@type": "Bill", "id": f"B{n}", "x": 1}}
        for n in range(2_000)
    ]
    sent = [{"id": f"B{n}", "role": "bill", "@referredType": "Bill"} for n in range(2_001)]
    change = translation.read_change({"relatedEntity": sent})
    before = time.process_time()
    fitted = translation.fit_change(change, {"relatedEntity": present}, "crm")
    assert time.process_time() - before < 3
    assert fitted["relatedEntity"][:-1] == present
    assert fitted["relatedEntity"][-1]["entity"]["id"] == "B2000"
