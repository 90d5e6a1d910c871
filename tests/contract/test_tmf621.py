"""A fuzzer with the official description of TMF621 meets a real server: every answer is as described."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jsonschema import Draft4Validator, ValidationError

from tests.contract.tmf621_files import LISTENERS, V5, V5_OVERLAY, official_file, read_document
from tests.contract.tmf621_fuzzing import Fuzzed, fuzz, with_key
from tests.journeys.running_server import Launcher, RunningServer
from tests.support import ADMIN_SECRET, check_all, opened_service

PATH = "/tmf-api/troubleTicket/v5"
# The description has no links between its operations. The fuzzer finds them in schemas and `Location` headers.
FEWEST_LINKS = 10


def fuzz_server(server: RunningServer, document: Path, directory: Path, few: int) -> Fuzzed:
    """A run against version 5. The server still knows the key, and nothing went wrong inside it."""
    found = fuzz(document, f"{server.url}{PATH}", directory, few=few, arguments=("--exclude-tag", LISTENERS))
    with server.client(ADMIN_SECRET) as http:
        assert http.get("/v1/me").status_code == 200, "the fuzzer lost its key, so it met refusals alone"
    assert "Traceback" not in server.output
    return found


def test_every_answer_is_as_the_file_with_corrected_unions_describes(
    launcher: Launcher, database_url: str, tmp_path: Path
) -> None:
    document = with_key(official_file(V5_OVERLAY), tmp_path)
    found = fuzz_server(launcher.serve(database_url, sandbox=1), document, tmp_path, few=30)
    assert found.failures == frozenset(), found.output
    assert found.report["exit_code"] == 0, found.output
    assert found.untouched == []
    assert found.links >= FEWEST_LINKS
    with opened_service(database_url) as service:
        assert list(check_all(service)) == []


# The examples of the official file that its own schemas refuse, with the members that fit two branches of a `oneOf`.
# Plain JSON Schema does not know the discriminator `@type` that would decide between the branches.
OVERLAPPING = {
    "TroubleTicket_FVO/TroubleTicket_create_example": {"attachment", "partyOrPartyRole"},
    "TroubleTicketCreateEvent/TroubleTicketCreateEvent": {"attachment", "partyOrPartyRole"},
    "TroubleTicketCreateEvent/TroubleTicket_listener_troubleTicketCreateEvent_POST_204_1": {
        "attachment",
        "partyOrPartyRole",
    },
    "TroubleTicketSpecification_FVO/TroubleTicketSpecification_create_example": {"partyOrPartyRole"},
    "TroubleTicketSpecificationCreateEvent/TroubleTicketSpecificationCreateEvent": {"partyOrPartyRole"},
    "200TroubleTicketArray/TroubleTicket_list_example": {"partyOrPartyRole"},
    "200TroubleTicket_Get/TroubleTicket_retrieve_example": {"partyOrPartyRole"},
    "200TroubleTicket_Patch/TroubleTicket_partialupdate_example_application_json": {"partyOrPartyRole"},
    "201TroubleTicket/TroubleTicket_create_example": {"partyOrPartyRole"},
    "200TroubleTicketSpecificationArray/TroubleTicketSpecification_list_example": {"partyOrPartyRole"},
    "200TroubleTicketSpecification_Get/TroubleTicketSpecification_retrieve_example": {"partyOrPartyRole"},
    "200TroubleTicketSpecification_Patch/TroubleTicketSpecification_partialupdate_application_json": {
        "partyOrPartyRole"
    },
    "201TroubleTicketSpecification/TroubleTicketSpecification_create_example": {"partyOrPartyRole"},
}


def examples_of(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], Any]]:
    """Each example of a body: the name of the body and its own, the schema of the body, and the value."""
    components = document["components"]
    for name, body in {**components["requestBodies"], **components["responses"]}.items():
        for content in body.get("content", {}).values():
            for example_name, example in content.get("examples", {}).items():
                known = components["examples"].get(example.get("$ref", "").rpartition("/")[2], example)
                yield f"{name}/{example_name}", content["schema"], known["value"]


def faults_of(document: dict[str, Any]) -> dict[str, list[ValidationError]]:
    """The faults of each example of a document by the schemas of the document, where it has faults."""
    components = document["components"]
    checked = {
        name: list(Draft4Validator({**schema, "components": components}).iter_errors(value))
        for name, schema, value in examples_of(document)
    }
    return {name: faults for name, faults in checked.items() if faults}


def union_of(fault: ValidationError) -> str:
    """The member whose value fits two branches of a `oneOf`."""
    assert fault.validator == "oneOf"
    assert "is valid under each of" in fault.message
    return next(part for part in reversed(fault.absolute_path) if isinstance(part, str))


def test_thirteen_examples_of_the_official_file_fit_two_branches_of_a_union() -> None:
    document = read_document(V5)
    assert len(list(examples_of(document))) == 43
    found = {name: {union_of(fault) for fault in faults} for name, faults in faults_of(document).items()}
    assert found == OVERLAPPING
    assert faults_of(read_document(V5_OVERLAY)) == {}


TWICE = "is valid under more than one of the schemas listed in the 'oneOf' keyword"
PARTY = ("JsonSchemaError", f"/components/schemas/PartyRefOrPartyRoleRef: {TWICE}")
ATTACHMENT = ("JsonSchemaError", f"/components/schemas/AttachmentRefOrValue: {TWICE}")
# The file gives offset and limit no minimum, so that -1 is valid by it. The fuzzer seldom tries it.
OFFSET = ("RejectedPositiveData", "offset must be a whole number from 0.")
LIMIT = ("RejectedPositiveData", "limit must be a whole number from 0.")
TICKET, SPECIFICATION = "/troubleTicket", "/troubleTicketSpecification"
# Every way in which an answer may contradict the unmodified file.
CONTRADICTIONS = {
    *((f"{method} {TICKET}", *one) for method in ("GET", "POST") for one in (PARTY, ATTACHMENT)),
    *((f"{method} {TICKET}/{{id}}", *one) for method in ("GET", "PATCH") for one in (PARTY, ATTACHMENT)),
    *((f"{method} {SPECIFICATION}", *PARTY) for method in ("GET", "POST")),
    *((f"{method} {SPECIFICATION}/{{id}}", *PARTY) for method in ("GET", "PATCH")),
    *((f"GET {path}", *one) for path in (TICKET, SPECIFICATION) for one in (OFFSET, LIMIT)),
}


def contradictions_at(server: RunningServer) -> set[tuple[str, str]]:
    """The contradictions of the file that a ticket with a party and a file, and negative pages, meet for certain."""
    components = read_document(V5)["components"]
    party = {"@type": "PartyRef", "id": "1", "name": "Ann"}
    ticket = {
        "@type": "TroubleTicket",
        "description": "No signal",
        "severity": "Minor",
        "ticketType": "complaint",
        "relatedParty": [{"@type": "RelatedParty", "role": "customer", "partyOrPartyRole": party}],
        "attachment": [{"@type": "AttachmentRef", "id": "1", "url": "https://example.com/1.png"}],
    }
    with server.client(ADMIN_SECRET) as http:
        made = http.post(f"{PATH}{TICKET}", json=ticket).json()
        met = {
            ("RejectedPositiveData", http.get(f"{PATH}{TICKET}", params={name.lower(): -1}).json()["message"])
            for name in ("Offset", "Limit")
            if "minimum" not in components["parameters"][name]["schema"]
        }
    shown = {
        "AttachmentRefOrValue": made["attachment"][0],
        "PartyRefOrPartyRoleRef": made["relatedParty"][0]["partyOrPartyRole"],
    }
    for name, value in shown.items():
        validator = Draft4Validator({"$ref": f"#/components/schemas/{name}", "components": components})
        if any("is valid under each of" in fault.message for fault in validator.iter_errors(value)):
            met.add(("JsonSchemaError", f"/components/schemas/{name}: {TWICE}"))
    return met


def test_the_unmodified_file_is_contradicted_where_it_contradicts_itself(
    launcher: Launcher, database_url: str, tmp_path: Path
) -> None:
    """Chance decides which of them the fuzzer meets. It meets no others, and a request of its own meets each."""
    document = official_file(V5)
    server = launcher.serve(database_url, sandbox=1)
    assert contradictions_at(server) == {PARTY, ATTACHMENT, OFFSET, LIMIT}
    found = fuzz_server(server, document, tmp_path, few=20)
    assert found.failures <= CONTRADICTIONS, found.output
    assert PARTY in {failure[1:] for failure in found.failures}
    assert found.untouched == []
