"""A line of the request log says who asked, from where, and about which complaint."""

import io
import json
import logging

import structlog

from complaints.domain.vocabulary import AccessRole
from complaints.logs import configure_logging
from tests.api_client import ApiClient
from tests.kept_logging import kept_logging
from tests.support import Scenario

POST = {"channel": "phone", "subject": "No signal", "external_id": "CALL-1"}


def test_a_request_line_names_caller_peer_and_complaint(client: ApiClient, scenario: Scenario) -> None:
    person = scenario.key(AccessRole.AGENT, login="admin")
    with structlog.testing.capture_logs() as lines:
        first, again = (client.post("/v1/complaints", json=POST).json() for _ in range(2))
        client.get(f"/v1/complaints/{first['number']}/timeline", headers=person)
        client.get("/v1/complaints", headers={"Authorization": "Bearer nobody"})
        client.get("/v1/complaints/" + "x" * 500)
        for odd in ("%C2%9B2J", "%E2%80%AE", "%1B"):
            client.get(f"/v1/complaints/C{odd}")
    said = [
        (line["status"], line["actor"], line["complaint"]) for line in lines if line["event"] == "request"
    ]
    assert first["id"] == again["id"]
    assert said == [
        (201, "key:bootstrap", first["id"]),
        (200, "key:bootstrap", first["id"]),
        (200, "user:admin", first["number"]),
        (401, None, None),
        (404, "key:bootstrap", "x" * 39 + "…"),
        *[(404, "key:bootstrap", None)] * 3,
    ]
    assert {line["peer"] for line in lines if line["event"] == "request"} == {"testclient"}


def test_the_line_of_a_page_names_the_complaints_whose_persons_it_showed(
    client: ApiClient, scenario: Scenario
) -> None:
    sent = POST | {"complainant": {"name": "Zhuge Kongming"}}
    told, solved = (
        {"message": "Fixed.", "contact_channel": "phone"},
        {"resolution": "Fixed.", "outcome": "upheld", "cause": "technical"},
    )
    own = client.post("/v1/complaints", json=sent | {"source": "north"}).json()["id"]
    client.post("/v1/complaints", json=sent | {"source": "south"})
    client.post("/v1/complaints", json={"channel": "phone", "subject": "Nobody's", "source": "north"})
    for action, members in (("respond", told), ("resolve", solved), ("notify_result", told)):
        body = {"action": action, **members}
        assert client.post(f"/v1/complaints/{own}/transitions", json=body).status_code == 200
    both = scenario.key(AccessRole.INTAKE, AccessRole.AUDITOR, source="north")
    with structlog.testing.capture_logs() as lines:
        for path in (
            "/complaints",
            "/followups",
            "/complaints?fields=id,complainant",
            "/complaints?fields=id",
        ):
            assert client.get(f"/v1{path}", headers=both).json()["items"]
        client.get("/v1/complaints", headers=scenario.key(AccessRole.AUDITOR))
    said = [
        line["persons_of"] and [str(one) for one in line["persons_of"]]
        for line in lines
        if "persons_of" in line
    ]
    assert said == [[own], [own], [own], None, None]


def test_a_line_has_its_fields_once_and_is_written_whatever_is_in_it() -> None:
    stream = io.StringIO()
    with kept_logging():
        configure_logging(level=logging.WARNING, stream=stream)
        log = structlog.get_logger("any").bind(place="here")
        structlog.contextvars.bind_contextvars(request_id="of-the-context")
        log.info("too low")
        log.warning("told", nothing=None, number=2**70, half="\ud83d", known=b"x")
        try:
            raise ValueError("the secret")
        except ValueError:
            log.exception("failed", request_id="its-own")
        structlog.contextvars.clear_contextvars()
    told, failed = (json.loads(line) for line in stream.getvalue().splitlines())
    assert told.pop("timestamp").endswith("Z")
    assert told == {
        "place": "here", "number": 2**70, "half": "\ud83d", "known": "b'x'", "event": "told",
        "request_id": "of-the-context", "level": "warning",
    }  # fmt: skip
    assert (failed["request_id"], failed["level"]) == ("its-own", "error")
    assert failed["raised"][0]["type"] == "builtins.ValueError"
    assert "secret" not in stream.getvalue()
