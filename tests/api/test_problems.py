import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate
from starlette.exceptions import HTTPException

from complaints.api.feature import Annexes
from complaints.api.middleware import RequestLimits, install_middleware
from complaints.api.problems.catalogue import PROBLEMS, problem_for, problem_response, render_catalogue
from complaints.api.problems.html_pages import prefers_html
from complaints.domain import errors
from complaints.domain.errors import ComplaintError
from complaints.features.registry import FEATURES
from complaints.use_cases import once
from tests.api.http_app import make_app
from tests.api_client import ApiClient

CLIENT = ApiClient(make_app())
JSON = {"Content-Type": "application/json"}


def every_refusal(root: type[ComplaintError] = ComplaintError) -> Iterator[type[ComplaintError]]:
    yield root
    for child in root.__subclasses__():
        yield from every_refusal(child)


def send(content: bytes | str, path: str = "/v1/letters", method: str = "POST") -> Any:
    return CLIENT.request(method, path, content=content, headers=JSON)


def problem(answer: Any, status: int, code: str) -> dict[str, Any]:
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), (
        answer.text
    )
    body: dict[str, Any] = answer.json()
    assert body["type"] == f"/problems/{code}"
    assert (body["status"], body["title"]) == (status, PROBLEMS[code].title_en)
    assert body["detail"]
    assert answer.headers["x-request-id"]
    return body


# The catalogue


def test_every_refusal_is_in_the_catalogue() -> None:
    ours = [kind for kind in every_refusal() if kind.__module__.startswith("complaints.")]
    assert len(ours) > 15
    assert once.KeyReused in ours
    assert {kind.code for kind in ours} <= PROBLEMS.keys()


@pytest.mark.parametrize(
    "kind", ["invalid", "forbidden", "not-found", "conflict", "stale", "unavailable", "unheard-of"]
)
def test_an_uncatalogued_refusal_is_never_a_failure(kind: str) -> None:
    refusal = errors.Conflict("no")
    refusal.kind = kind  # type: ignore[misc]
    refusal.code = "uncatalogued"  # type: ignore[misc]
    assert problem_for(refusal).status in (400, 403, 404, 409, 412, 422, 503)


def test_the_document_is_the_catalogue() -> None:
    written = Path(__file__).parents[2] / "docs" / "problems.md"
    assert written.read_text(encoding="utf-8") == render_catalogue(Annexes(FEATURES).problems)


def test_every_problem_is_explained_in_both_languages(subtests: pytest.Subtests) -> None:
    for code in PROBLEMS:
        with subtests.test(code):
            shown = CLIENT.get(f"/problems/{code}").json()
            assert (shown["code"], shown["status"]) == (code, PROBLEMS[code].status)
            assert shown["title"].isascii()
            assert len(shown["explanation"]) > 40
            assert not shown["title_zh"].isascii()
            assert not shown["explanation_zh"].isascii()


def test_the_list_of_problems() -> None:
    assert [one["code"] for one in CLIENT.get("/problems").json()["items"]] == list(PROBLEMS)


@pytest.mark.parametrize("path", ["/problems", "/problems/conflict"])
def test_problem_pages_run_nothing(path: str) -> None:
    page = CLIENT.get(path, headers={"Accept": "text/html,application/xml;q=0.9,*/*;q=0.8"})
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["vary"] == "Accept"
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "It contradicts what is there" in page.text
    assert "<script" not in page.text


def test_an_unknown_problem() -> None:
    answer = CLIENT.get("/problems/<b>", headers={"Accept": "text/html"})
    assert '"<b>"' in problem(answer, 404, "not-found")["detail"]


@pytest.mark.parametrize(
    ("accept", "html"),
    [
        ("", False),
        ("*/*", False),
        ("application/json", False),
        ("text/html", True),
        ("text/html, application/json", False),
        ("text/html;q=0.5, application/json;q=0.4", True),
        ("text/html;q=0.5, */*", False),
        ("text/*, application/json;q=0.9", True),
        ("text/html;q=nonsense", False),
    ],
)
def test_who_prefers_html(accept: str, html: bool) -> None:
    assert prefers_html(accept) is html


# Refusals of the domain


@pytest.mark.parametrize(
    ("what", "status", "code"),
    [
        ("invalid", 422, "invalid-content"),
        ("forbidden", 403, "forbidden"),
        ("not-found", 404, "not-found"),
        ("conflict", 409, "conflict"),
        ("transition", 409, "transition-refused"),
        ("stale", 412, "stale-version"),
        ("unauthenticated", 401, "unauthenticated"),
        ("unavailable", 503, "service-unavailable"),
    ],
)
def test_a_refusal_becomes_a_problem(what: str, status: int, code: str) -> None:
    body = problem(CLIENT.get(f"/v1/refused/{what}?phone=138"), status, code)
    assert body["instance"] == f"/v1/refused/{what}"


def test_what_a_refusal_carries() -> None:
    assert CLIENT.get("/v1/refused/invalid").json()["errors"] == [
        {"pointer": "/a~1b", "message": "bad."},
        {"pointer": "/c", "message": "worse."},
    ]
    assert CLIENT.get("/v1/refused/transition").json()["allowed"] == ["respond", "resolve"]
    assert "allowed" not in CLIENT.get("/v1/refused/conflict").json()
    assert CLIENT.get("/v1/refused/unauthenticated").headers["www-authenticate"] == "Bearer"
    assert CLIENT.get("/v1/refused/unavailable").headers["retry-after"] == "5"


def test_texts_are_cut_and_never_unsendable() -> None:
    answer = problem_response(
        PROBLEMS["not-found"],
        detail="\ud800" + "x" * 100_000,
        scope={"path": "/" + "y" * 100_000, "headers": [(b"accept-language", b"zh")]},
    )
    assert len(answer.body) < 3000
    assert json.loads(answer.body)["detail"].startswith("?x")


# What the framework finds


FAULTS: dict[str, tuple[dict[str, Any], str, str]] = {
    "missing": ({}, "/subject", "subject is required."),
    "unknown": (
        {"subject": "a", "colour": 1},
        "/colour",
        "colour is unknown here; check its spelling, or leave it out.",
    ),
    "type": ({"subject": 1}, "/subject", "subject should be a valid string."),
    "length": ({"subject": "a" * 21}, "/subject", "subject should have at most 20 characters."),
    "ours": ({"subject": " "}, "/subject", "subject: must hold a visible character."),
    "inner": ({"subject": "a", "person": {}}, "/person/name", "person.name is required."),
    "inner unknown": (
        {"subject": "a", "person": {"name": "b", "x/y~z": 1}},
        "/person/x~1y~0z",
        "person.x/y~z is unknown here; check its spelling, or leave it out.",
    ),
    "no offset": (
        {"subject": "a", "received_at": "2026-01-01T00:00:00"},
        "/received_at",
        "received_at should have timezone info.",
    ),
    "in a union": ({"subject": "a", "tags": ["b", []]}, "/tags/1", "tags[1] should be a valid string."),
    "alias": (
        {"subject": "a", "a/b~c": "x"},
        "/a~1b~0c",
        "a/b~c should be a valid integer, unable to parse string as an integer.",
    ),
}


@pytest.mark.parametrize(("sent", "pointer", "message"), FAULTS.values(), ids=FAULTS.keys())
def test_faults_in_the_body(sent: dict[str, Any], pointer: str, message: str) -> None:
    body = problem(send(json.dumps(sent)), 422, "invalid-content")
    assert body["errors"][0] == {"pointer": pointer, "message": message}
    assert message.rstrip(".") in body["detail"]


@pytest.mark.parametrize(("content", "what"), [(b"", "the body is required."), (b"[]", "the body should be")])
def test_faults_of_the_whole_body(content: bytes, what: str) -> None:
    fault = problem(send(content), 422, "invalid-content")["errors"][0]
    assert fault["pointer"] == ""
    assert fault["message"].startswith(what)


def test_many_faults_are_cut_and_nothing_sent_is_repeated() -> None:
    sent = {"subject": "a", "tags": [["secret"]] * 500, "n" * 5000: 1}
    answer = send(json.dumps(sent))
    assert len(problem(answer, 422, "invalid-content")["errors"]) == 50
    assert "secret" not in answer.text
    assert len(answer.text) < 20_000


@pytest.mark.parametrize("limit", ["0", "201", "x", ""])
def test_a_fault_in_the_query(limit: str) -> None:
    body = problem(CLIENT.get("/v1/letters", params={"limit": limit}), 422, "invalid-content")
    fault = body["errors"][0]
    assert (fault["pointer"], fault["in"], fault["parameter"]) == ("", "query", "limit")
    assert fault["message"].startswith("limit should be")


def test_a_fault_in_a_header() -> None:
    fault = problem(CLIENT.get("/v1/letters", headers={"X-Mood": "sad"}), 422, "invalid-content")["errors"][0]
    assert (fault["in"], fault["parameter"].lower()) == ("header", "x-mood")


def test_an_unknown_filter() -> None:
    body = problem(CLIENT.get("/v1/filtered?colour=red"), 400, "bad-request")
    assert body["errors"][0]["parameter"] == "colour"


def test_a_path_that_holds_no_id() -> None:
    problem(CLIENT.delete("/v1/letters/none"), 404, "not-found")


def test_nothing_there() -> None:
    assert problem(CLIENT.get("/v1/nowhere/%C3%A9"), 404, "not-found")["instance"] == "/v1/nowhere/%C3%A9"


def test_allow_names_the_methods_of_every_route_there() -> None:
    answer = CLIENT.put("/v1/letters/1")
    problem(answer, 405, "method-not-allowed")
    assert answer.headers["allow"] == "PATCH, DELETE"
    assert CLIENT.delete("/v1/letters").headers["allow"] == "GET, HEAD, POST"


def test_a_refused_method_needs_no_description_of_the_api(
    client: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that makes the description answers nobody else meanwhile, for half a second."""
    app: Any = client.app
    monkeypatch.setattr(app, "openapi_schema", None)
    assert client.put("/v1/policies/validate").headers["allow"] == "POST"
    assert app.openapi_schema is None


@pytest.mark.parametrize("path", ["/v1/letters/", "//v1/letters"])
def test_no_redirect_is_built_from_the_host_header(path: str) -> None:
    problem(CLIENT.get(path, headers={"Host": "evil.example"}, follow_redirects=False), 404, "not-found")


@pytest.mark.parametrize(
    ("status", "code", "title"),
    [
        (418, "bad-request", "I'm a Teapot"),
        (403, "forbidden", "The right is missing"),
        (507, "internal-error", "Insufficient Storage"),
        (499, "bad-request", "Refused"),
    ],
)
def test_other_http_errors(status: int, code: str, title: str) -> None:
    app = make_app()

    @app.get("/raise")
    async def throw() -> None:
        raise HTTPException(status, "because", headers={"X-Why": "so"})

    answer = ApiClient(app).get("/raise")
    body = answer.json()
    assert (answer.status_code, body["type"], body["title"]) == (status, f"/problems/{code}", title)
    assert (body["detail"], answer.headers["x-why"]) == ("because.", "so")


def test_not_modified_is_no_problem() -> None:
    app = make_app()

    @app.get("/raise")
    async def throw() -> None:
        raise HTTPException(304, headers={"ETag": '"1"'})

    answer = ApiClient(app).get("/raise")
    assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", '"1"')


# JSON bodies


@pytest.mark.parametrize(
    "content", [b"{", b'{"subject": "a", "subject": "b"}', b'{"subject": NaN}', b'{"subject": "\xff"}']
)
def test_malformed_json(content: bytes) -> None:
    problem(send(content), 400, "malformed-json")
    problem(send(content, "/v1/letters/1", "PATCH"), 400, "malformed-json")


def test_what_json_can_say_but_nothing_can_store() -> None:
    body = problem(send(b'{"subject": "a\\u0000"}'), 422, "invalid-content")
    assert body["errors"][0]["pointer"] == "/subject"
    problem(send(b'{"subject": ' + b"[" * 33 + b"]" * 33 + b"}"), 422, "invalid-content")


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-8",
        'application/json;charset="UTF-8"',
        "application/json; indent=2",
        "application/json;",
    ],
)
def test_media_types_taken(content_type: str) -> None:
    answer = CLIENT.post("/v1/letters", content=b'{"subject": "a"}', headers={"Content-Type": content_type})
    assert answer.status_code == 201


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
        "application/json; charset=latin-1",
        "application/vnd.api+json",
        "application/merge-patch+json",
        "application/jsonp",
        "application/json, application/json",
        "json",
    ],
)
@pytest.mark.parametrize("path", ["/v1/letters", "/v1/optional"])
def test_media_types_refused(content_type: str | None, path: str) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}
    problem(CLIENT.post(path, content=b'{"subject": "a"}', headers=headers), 415, "unsupported-media-type")


def test_two_content_types_are_refused() -> None:
    headers = [("Content-Type", "application/json"), ("Content-Type", "application/json")]
    answer = CLIENT.post("/v1/letters", content=b'{"subject": "a"}', headers=headers)
    problem(answer, 415, "unsupported-media-type")


def test_a_merge_patch_is_taken_where_one_patches() -> None:
    headers = {"Content-Type": "application/merge-patch+json"}
    assert CLIENT.patch("/v1/letters/1", content=b'{"a": 1}', headers=headers).json() == {"number": 1, "a": 1}


def test_a_body_may_be_left_out_where_it_is_optional() -> None:
    assert CLIENT.post("/v1/optional").json() == {"letter": False}
    assert send(b'{"subject": "a"}', "/v1/optional").json() == {"letter": True}


def test_other_bodies_are_left_alone() -> None:
    assert CLIENT.post("/v1/stream", content=b"no json", headers={"Content-Type": "text/csv"}).json() == {
        "bytes": 7
    }


# The OpenAPI document


def test_the_document_is_valid_and_describes_problems() -> None:
    document = CLIENT.get("/openapi.json").json()
    validate(document)
    assert "HTTPValidationError" not in json.dumps(document)
    answers = document["paths"]["/v1/letters"]["post"]["responses"]
    assert set(answers) == {"201", "401", "422", "default"}
    reference = {"$ref": "#/components/schemas/Problem"}
    assert answers["422"]["content"] == {"application/problem+json": {"schema": reference}}


def test_problems_match_their_schema() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schemas = CLIENT.get("/openapi.json").json()["components"]["schemas"]
    schema = {"components": {"schemas": schemas}, "$ref": "#/components/schemas/Problem"}
    for answer in (
        send(b"{}"),
        CLIENT.get("/v1/refused/transition"),
        CLIENT.get("/v1/letters?limit=0"),
        CLIENT.get("/v1/broken"),
    ):
        jsonschema.Draft202012Validator(schema).validate(answer.json())


def test_pages_with_outside_scripts_are_refused() -> None:
    from fastapi import FastAPI

    with pytest.raises(ValueError, match="docs_url=None"):
        install_middleware(FastAPI(), limits=RequestLimits())
