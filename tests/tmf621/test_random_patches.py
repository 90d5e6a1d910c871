"""Random patches of all four media types never fail on our side, and a refused one changes nothing."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from complaints.tmf621.app import V5
from complaints.tmf621.tickets.statuses import TicketStatus
from complaints.use_cases.service import Service
from tests.api_client import ApiClient
from tests.examples import examples
from tests.support import check_all
from tests.tmf621.changes import characteristic, identifier, make, note, party, relation
from tests.tmf621.tickets import TICKETS

LISTS: dict[str, list[Any]] = {
    "note": [note("Words"), note(""), note("Words", id="1")],
    "relatedParty": [party("customer", "4711", "Anna"), party("Reporter", "", "Cy"), party("x", "1", "")],
    "externalIdentifier": [identifier("X-1", "crm"), identifier("", ""), identifier("X-2")],
    "troubleTicketRelationship": [relation("isRelatedTo", "C-1"), relation("dependency", "567433")],
    "troubleTicketCharacteristic": [
        characteristic("outcome", "upheld"),
        characteristic("root_cause", "Cable"),
        characteristic("hold_until", "soon"),
        characteristic("line", {"a": [1, None]}),
        characteristic("", ""),
        characteristic("complaintState", "x"),
        characteristic("tmf621", {"severity": 1}),
    ],
    "attachment": [
        {"@type": "Attachment", "attachmentType": "x", "mimeType": "text/plain", "content": "eA=="},
        {"@type": "AttachmentRef", "id": "a1"},
    ],
}
PARTS = [part for parts in LISTS.values() for part in parts]
WORDS = st.sampled_from(
    [
        "",
        "x",
        "Minor",
        "Urgent",
        "resolved",
        "closed",
        "pending",
        "inProgress",
        "2026-02-01T00:00:00Z",
        "***",
        "\n",
        "網路",
    ]
)
NAMES = st.sampled_from(
    [
        *(
            "name",
            "description",
            "severity",
            "priority",
            "ticketType",
            "status",
            "statusChangeReason",
            "note",
            "id",
        ),
        *(
            "channel",
            "attachment",
            "externalIdentifier",
            "relatedEntity",
            "relatedParty",
            "@type",
            "@baseType",
        ),
        *(
            "requestedResolutionDate",
            "troubleTicketRelationship",
            "troubleTicketSpecification",
            "x",
            "text",
            "role",
        ),
        *("troubleTicketCharacteristic", "statusChangeHistory", "lastUpdate", "value", "partyOrPartyRole"),
    ]
)
LEAVES = (
    st.none() | st.booleans() | st.integers(-3, 10**20) | st.floats(-9, 9) | WORDS | st.sampled_from(PARTS)
)
VALUES = st.recursive(LEAVES, lambda one: st.lists(one, max_size=3) | st.dictionaries(NAMES, one, max_size=4))
CHANGES = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(
            ("name", "description", "priority", "statusChangeReason", "severity", "ticketType"), WORDS
        ),
        **{name: st.lists(st.sampled_from(parts), max_size=3) for name, parts in LISTS.items()},
        "status": st.sampled_from([*TicketStatus, "open"]),
        "channel": st.none() | st.just({"@type": "ChannelRef", "id": "1"}),
        "troubleTicketSpecification": st.none() | st.builds(lambda word: {"@type": "Ref", "id": word}, WORDS),
        "requestedResolutionDate": st.sampled_from([None, "2026-02-01T00:00:00Z"]),
    },
)
BODIES = (
    CHANGES
    | st.dictionaries(NAMES, VALUES | st.lists(st.sampled_from(PARTS), max_size=3), max_size=4)
    | VALUES
)
STEPS = st.sampled_from(["0", "1", "-", "id", "value", "a~1b", "~", "note?id=a1"]) | NAMES
PATHS = st.builds(lambda steps: "".join(f"/{one}" for one in steps), st.lists(STEPS, max_size=3))
OPERATIONS = st.fixed_dictionaries(
    {"op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test"]), "path": PATHS},
    optional={"value": VALUES, "from": PATHS},
)
ADDITIONS = CHANGES.map(
    lambda one: [{"op": "add", "path": f"/{name}", "value": value} for name, value in one.items()]
)
PATCHES = ADDITIONS | st.lists(OPERATIONS, max_size=4) | VALUES
KINDS = [(one, PATCHES if "json-patch" in one else BODIES) for one in V5.patch_types]


@pytest.mark.parametrize(("media_type", "bodies"), KINDS, ids=V5.patch_types)
def test_a_random_patch_is_taken_or_refused(
    client: ApiClient, service: Service, media_type: str, bodies: st.SearchStrategy[Any]
) -> None:
    ticket = make(client, note=[note("First")], attachment=[{"@type": "AttachmentRef", "id": "a1"}])
    path = f"{TICKETS}/{ticket['id']}"
    shown = [client.get(path).json()]

    @settings(max_examples=examples(30), deadline=None, suppress_health_check=list(HealthCheck))
    @given(bodies)
    def patch(body: Any) -> None:
        answer = client.patch(path, content=json.dumps(body), headers={"Content-Type": media_type})
        assert answer.status_code in (200, 400, 409), answer.text
        after = client.get(path).json()
        if answer.status_code == 200:
            shown[0] = answer.json()
        assert after == shown[0]

    patch()
    assert list(check_all(service)) == []
