"""The events of TMF621 for those of the history, the queries of hubs, and the envelopes of both versions."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import UUID

import pytest
import yaml
from jsonschema import Draft202012Validator

from complaints.domain.errors import InvalidContent
from complaints.domain.json_text import encode
from complaints.domain.vocabulary import EventType
from complaints.tmf621.hub.envelopes import envelope_v4, envelope_v5
from complaints.tmf621.hub.hub_queries import HubQuery, read_query
from complaints.tmf621.hub.ticket_events import TicketEvent, events_of, history_types
from tests.generate import ROOT

OFFICIAL = ROOT.parent / "shared" / "tmf621"
V5_FILE = OFFICIAL / "TMF621-v5.0.1.anyof-overlay.oas.yaml"
V4_FILE = OFFICIAL / "TMF621-TroubleTicket-v4.0.0.swagger.json"
CREATE, CHANGE, STATUS = (
    TicketEvent.CREATE,
    TicketEvent.ATTRIBUTE_VALUE_CHANGE,
    TicketEvent.STATUS_CHANGE,
)
MOVED = {"changes": {"status": "investigating"}}


@cache
def _official(name: str) -> Mapping[str, Any]:
    if name == "v5":
        loaded: Mapping[str, Any] = yaml.load(V5_FILE.read_bytes(), yaml.CSafeLoader)
        return {"components": loaded["components"]}
    return {"definitions": json.loads(V4_FILE.read_bytes())["definitions"]}


def official_faults(edition: str, event: Mapping[str, Any]) -> list[str]:
    """What the official file of an edition has against an event; skips the test where the file is absent."""
    if not V5_FILE.exists():
        pytest.skip(f"the official files are not in {OFFICIAL}")
    place = "components/schemas" if edition == "v5" else "definitions"
    schema = {**_official(edition), "$ref": f"#/{place}/{event['eventType']}"}
    return [
        f"{one.json_path}: {one.message[:200]}" for one in Draft202012Validator(schema).iter_errors(event)
    ]


GIVEN = [
    (EventType.CREATED, {"changes": {"status": "received"}}, False, [CREATE]),
    (EventType.IMPORTED_ENDED, {"changes": {"status": "closed"}}, False, [CREATE]),
    (EventType.RESPONDED, MOVED, False, [STATUS]),
    (EventType.RESPONDED, {}, False, []),
    (EventType.RESPONDED, {"changes": {"updated_at": "x"}}, False, []),
    (EventType.HELD, {**MOVED, "reason": "awaiting_complainant"}, False,
     [STATUS, TicketEvent.INFORMATION_REQUIRED]),
    (EventType.HELD, {**MOVED, "reason": "awaiting_third_party"}, False, [STATUS]),
    (EventType.RESUMED, MOVED, False, [STATUS]),
    (EventType.RESOLVED, MOVED, False, [STATUS, TicketEvent.RESOLVED]),
    (EventType.RESULT_NOTIFIED, {"changes": {"status": "following_up"}}, False, [CHANGE]),
    (EventType.REOPENED, MOVED, False, [STATUS]),
    (EventType.CLOSED, MOVED, False, [STATUS]),
    (EventType.REJECTED, MOVED, False, [STATUS]),
    (EventType.WITHDRAWN, MOVED, False, [STATUS]),
    (EventType.WITHDRAWN, MOVED, True, [TicketEvent.DELETE]),
    (EventType.CREATED, {}, True, [CREATE]),
    (EventType.MERGED, MOVED, False, [STATUS]),
    (EventType.UPDATED, {}, False, [CHANGE]),
    (EventType.NOTE_ADDED, {}, False, [CHANGE]),
    (EventType.ATTACHMENT_ADDED, {}, False, [CHANGE]),
    (EventType.ASSIGNED, {"changes": {"team": "x"}}, False, []),
    (EventType.DEADLINE_BREACHED, {}, False, []),
    (EventType.ESCALATED, {}, False, []),
    ("review.created", {}, False, []),
]  # fmt: skip


def test_an_event_of_the_history_gives_these_events(subtests: pytest.Subtests) -> None:
    for kind, data, is_deleted, events in GIVEN:
        with subtests.test(f"{kind} {data}"[:100]):
            assert list(events_of(kind, data, is_deleted=is_deleted)) == events


def test_a_hub_asks_for_each_type_of_event_that_can_give_a_message(subtests: pytest.Subtests) -> None:
    """Nothing is planned for types that never give one."""
    for kind in EventType:
        with subtests.test(kind.value):
            given = {
                event
                for reason in ("awaiting_complainant", "other")
                for is_deleted in (False, True)
                for event in events_of(kind, {**MOVED, "reason": reason}, is_deleted=is_deleted)
            }
            for event in TicketEvent:
                assert (kind in history_types([event])) == (event in given)
            assert (kind in history_types(tuple(TicketEvent))) == bool(given)


ALL = HubQuery()


@pytest.mark.parametrize(
    ("text", "query"),
    [
        (None, ALL),
        ("", ALL),
        ("data", ALL),
        ("eventType=TroubleTicketCreateEvent", HubQuery(events=(CREATE,))),
        (
            "eventType = troubleTicketStatusChangeEvent , TroubleTicketCreateEvent",
            HubQuery(events=(STATUS, CREATE)),
        ),
        ("fields=status,note", HubQuery(fields=("status", "note"))),
        ("fields=status%2Cnote", HubQuery(fields=("status", "note"))),
        ("ownChanges=true", HubQuery(own_changes=True)),
        (
            "eventType=TroubleTicketResolvedEvent&fields=status&ownChanges=false",
            HubQuery((TicketEvent.RESOLVED,), ("status",)),
        ),
    ],
)
def test_a_query_is_read(text: str | None, query: HubQuery) -> None:
    assert read_query(text) == query


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("eventType=TroubleTicketChangedEvent", "TroubleTicketChangedEvent"),
        ("eventType=TroubleTicketSpecificationCreateEvent", "TroubleTicketResolvedEvent"),
        ("eventType=", "''"),
        ("eventType=TroubleTicketCreateEvent,", "''"),
        ("status=resolved", "status"),
        ("=", "''"),
        ("fields=", "''"),
        ("fields=note.text", "note.text"),
        ("fields=status&fields=note", "twice"),
        ("ownChanges=yes", "ownChanges"),
        ("data&fields=status", "data"),
    ],
)
def test_a_query_that_would_not_be_applied_is_refused(text: str, said: str) -> None:
    with pytest.raises(InvalidContent) as refused:
        read_query(text)
    assert [one.pointer for one in refused.value.faults] == ["/query"]
    assert said in str(refused.value)


@pytest.mark.parametrize("event", TicketEvent)
@pytest.mark.parametrize(("edition", "envelope"), [("v5", envelope_v5), ("v4", envelope_v4)])
def test_an_envelope_is_valid_by_the_official_file(event: TicketEvent, edition: str, envelope: Any) -> None:
    at = datetime(2026, 11, 2, 9, tzinfo=UTC)
    ticket = {"id": "1", "href": "https://complaints.example/1"}
    if edition == "v5":
        ticket["@type"] = "TroubleTicketRef" if event is TicketEvent.DELETE else "TroubleTicket"
    content = json.loads(encode(envelope(event, UUID(int=1), UUID(int=2), at, ticket)))
    assert official_faults(edition, content) == []
    assert content["eventType"] == event
    assert content["eventId"] != content["correlationId"]
    occurred = "timeOccurred" if edition == "v5" else "timeOcurred"
    assert content[occurred] == content["eventTime"] == "2026-11-02T09:00:00Z"
    assert content["event"]["troubleTicket"] == ticket


def test_the_official_check_finds_a_fault() -> None:
    event = {"@type": "x", "eventType": "TroubleTicketCreateEvent", "eventTime": 5}
    assert official_faults("v5", event)
    assert official_faults("v4", event)
