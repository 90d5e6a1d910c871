"""/v1/policies: a document in, YAML or JSON; versions and what is wrong with it out."""

import json
from typing import Any

import pytest

from complaints.use_cases.policy_document.document import read_policy, to_document
from complaints.use_cases.upkeep.seeding import shipped_policy
from tests.api_client import ApiClient

HANDBOOK = shipped_policy("telecom-handbook")
SECOND = HANDBOOK.replace("24 elapsed hours", "12 elapsed hours")
YAML = {"Content-Type": "application/yaml"}
JSON = {"Content-Type": "application/json"}
LISTED = {
    "code": "telecom-handbook", "version": 1,
    "title": {"en": "Telecom service-quality handbook", "zh": "电信服务质量管理与提升手册"},
    "effective_at": "1970-01-01T00:00:00Z", "applied_at": "2026-01-05T01:00:00Z", "applied_by": "key:system",
    "in_force": True,
}  # fmt: skip


def post(client: ApiClient, text: str | bytes, path: str = "", **headers: str) -> Any:
    return client.post(f"/v1/policies{path}", content=text, headers=headers or YAML)


def test_the_built_in_policy_is_there(client: ApiClient) -> None:
    # rule 4.3
    assert client.get("/v1/policies").json() == {"items": [LISTED], "next_cursor": None}
    assert client.get("/v1/policies/telecom-handbook").json() == {"items": [LISTED], "next_cursor": None}
    one = client.get("/v1/policies/telecom-handbook/1").json()
    assert one == LISTED | {"text": HANDBOOK, "document": to_document(read_policy(HANDBOOK).policy)}


def test_what_is_not_there_is_not_found(client: ApiClient) -> None:
    versions = ("2", "0", "99999999999999999999", "one")
    for path in ("nowhere", "nowhere/1", *(f"telecom-handbook/{version}" for version in versions)):
        assert client.get(f"/v1/policies/{path}").status_code == 404


@pytest.mark.parametrize(
    "media_type", ["application/yaml", "text/yaml", "application/x-yaml; charset=UTF-8", "application/json"]
)
def test_a_document_is_applied_as_the_next_version(client: ApiClient, media_type: str) -> None:
    # rule 4.1
    text = json.dumps(to_document(read_policy(SECOND).policy)) if "json" in media_type else SECOND
    applied = post(client, text, **{"Content-Type": media_type})

    assert (applied.status_code, applied.headers["location"]) == (201, "/v1/policies/telecom-handbook/2")
    shown = applied.json()
    assert (shown["version"], shown["in_force"], shown["warnings"]) == (2, True, [])
    assert shown["applied_by"] == "key:bootstrap"
    assert shown["text"] == text
    del shown["warnings"]
    assert client.get("/v1/policies/telecom-handbook/2").json() == shown
    versions = client.get("/v1/policies/telecom-handbook").json()["items"]
    assert [(item["version"], item["in_force"]) for item in versions] == [(1, False), (2, True)]
    complaint = client.post("/v1/complaints", json={"channel": "web", "subject": "x"}).json()
    assert complaint["policy"] == {"code": "telecom-handbook", "version": 2}


def test_the_same_document_again_adds_nothing(client: ApiClient) -> None:
    again = post(client, "# a remark\n" + HANDBOOK)
    assert (again.status_code, again.json()["version"]) == (200, 1)
    assert again.json()["text"] == HANDBOOK
    assert len(client.get("/v1/policies").json()["items"]) == 1


def test_faults_come_with_their_pointer_and_line(client: ApiClient) -> None:
    # rule 4.2
    faulty = HANDBOOK.replace("team: operations", "team: operation").replace("24 elapsed hours", "24 moons")
    lines = faulty.splitlines()
    for path in ("", "/validate"):
        refused = post(client, faulty, path)
        assert refused.status_code == 422
        errors = refused.json()["errors"]
        assert [error["pointer"] for error in errors] == ["/deadlines/first_response/targets/0/target",
                                                          "/routes/0/team"]  # fmt: skip
        for error, word in zip(errors, ("24 moons", "team: operation"), strict=True):
            number = next(n for n, line in enumerate(lines, 1) if word in line)
            assert error["message"].startswith(f"line {number}: ")
    assert len(client.get("/v1/policies").json()["items"]) == 1


def test_validating_stores_nothing_and_tells_what_deserves_a_look(client: ApiClient) -> None:
    text = SECOND.replace("12 elapsed hours", "3 working hours")
    valid = post(client, text, "/validate")
    assert valid.status_code == 200
    assert valid.json()["valid"] is True
    assert [warning["pointer"] for warning in valid.json()["warnings"]] == ["/deadlines/first_response"]
    assert len(client.get("/v1/policies").json()["items"]) == 1


NO_DOCUMENTS = [
    ("text/plain", HANDBOOK.encode(), 415, "unsupported-media-type"),
    ("application/yaml; charset=gb18030", HANDBOOK.encode(), 415, "unsupported-media-type"),
    ("multipart/form-data", HANDBOOK.encode(), 415, "unsupported-media-type"),
    ("application/yaml", HANDBOOK.encode("gb18030"), 400, "bad-request"),
    ("application/json", b'{"code": "a", "code": "b"}', 400, "malformed-json"),
    ("application/json", b'{"closure": NaN}', 400, "malformed-json"),
    ("application/json", HANDBOOK.encode(), 400, "malformed-json"),
    ("application/json", b"[" * 40 + b"]" * 40, 422, "invalid-content"),
    ("application/json", b"[]", 422, "invalid-content"),
    ("application/yaml", b"", 422, "invalid-content"),
    ("application/yaml", b"a: [", 422, "invalid-content"),
    ("application/yaml", b"a: &x b", 422, "invalid-content"),
    ("application/yaml", b"a: \x00", 422, "invalid-content"),
    ("application/yaml", b"x: " + b"y" * 300_000, 422, "invalid-content"),
    ("application/yaml", b"x: " + b"y" * 1_100_000, 413, "payload-too-large"),
]


def test_what_is_no_document_is_refused(client: ApiClient) -> None:
    for content_type, body, status, problem in NO_DOCUMENTS:
        for path in ("", "/validate"):
            refused = post(client, body, path, **{"Content-Type": content_type})
            assert (refused.status_code, refused.json()["type"]) == (status, f"/problems/{problem}")


def test_a_document_without_a_type_is_refused(client: ApiClient) -> None:
    request = client.build_request("POST", "/v1/policies", content=HANDBOOK)
    request.headers.pop("content-type", None)
    assert client.send(request).status_code == 415


def test_applied_again_under_one_idempotency_key_it_is_one_version(client: ApiClient) -> None:
    headers = YAML | {"Idempotency-Key": "apply-once"}
    first = post(client, SECOND, **headers)
    post(client, HANDBOOK)
    again = post(client, SECOND, **headers)
    assert (again.status_code, again.content) == (201, first.content)
    assert len(client.get("/v1/policies").json()["items"]) == 3


def test_versions_are_listed_page_by_page(client: ApiClient) -> None:
    for hours in range(2, 12):
        post(client, HANDBOOK.replace("24 elapsed hours", f"{hours} elapsed hours"))
    first = client.get("/v1/policies/telecom-handbook?limit=9&fields=version").json()
    rest = client.get(
        "/v1/policies/telecom-handbook",
        params={"limit": "9", "fields": "version", "cursor": first["next_cursor"]},
    ).json()
    assert [item["version"] for item in first["items"] + rest["items"]] == list(range(1, 12))
    assert rest["next_cursor"] is None
