"""`/docs` is Swagger UI from files of the package. Its policy allows no script and no host besides."""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from complaints.api.openapi import docs_page
from complaints.api.openapi.docs_page import CONTENT_SECURITY_POLICY, VIEWER
from tests.api.http_app import make_app
from tests.api_client import ApiClient

STATIC = Path(docs_page.__file__).parent / "static"
VIEWER_FILES = sorted(path.name for path in (STATIC / VIEWER).iterdir())
PATHS = ["/docs", "/docs/docs.js", *(f"/docs/{VIEWER}/{name}" for name in VIEWER_FILES)]
CLIENT = ApiClient(make_app())


def checksums() -> Iterator[tuple[str, str]]:
    for line in (STATIC / VIEWER / "SHA256SUMS").read_text(encoding="utf-8").splitlines():
        digest, name = line.split("  ")
        yield name, digest


def test_the_viewer_is_as_published() -> None:
    found = {
        name: hashlib.sha256((STATIC / VIEWER / name).read_bytes()).hexdigest()
        for name in VIEWER_FILES
        if name != "SHA256SUMS"
    }
    assert found == dict(checksums())
    assert {"LICENSE", "NOTICE", "swagger-ui-bundle.js", "swagger-ui.css"} <= found.keys()


@pytest.mark.parametrize("path", PATHS)
def test_every_file_is_served_under_the_policy(path: str) -> None:
    answer = CLIENT.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert (
        answer.content
        == (STATIC / ("docs.html" if path == "/docs" else path.removeprefix("/docs/"))).read_bytes()
    )


def test_the_policy_allows_this_server_alone() -> None:
    directives = dict(part.strip().split(" ", 1) for part in CONTENT_SECURITY_POLICY.split(";"))
    assert directives == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("/docs", "text/html; charset=utf-8"),
        ("/docs/docs.js", "text/javascript; charset=utf-8"),
        (f"/docs/{VIEWER}/swagger-ui-bundle.js", "text/javascript; charset=utf-8"),
        (f"/docs/{VIEWER}/swagger-ui.css", "text/css; charset=utf-8"),
        (f"/docs/{VIEWER}/LICENSE", "text/plain; charset=utf-8"),
    ],
)
def test_media_types(path: str, media_type: str) -> None:
    assert CLIENT.get(path).headers["content-type"] == media_type


@pytest.mark.parametrize("name", ["docs.html", "docs.js"])
def test_our_own_files_name_no_other_host(name: str) -> None:
    assert "//" not in re.sub(r"^//.*|^  //.*", "", (STATIC / name).read_text(encoding="utf-8"), flags=re.M)


def test_the_page_has_nothing_inline_and_asks_only_for_files_that_are_there() -> None:
    page = CLIENT.get("/docs").text
    assert re.findall(r"<script(?! src=\"[^\"]+\"></script>)", page) == []
    assert not re.search(r"<style|style=|\son\w+=|javascript:", page)
    asked = re.findall(r'(?:src|href)="([^"]+)"', page)
    local = [address for address in asked if address != "data:,"]
    assert len(local) >= 4
    assert {address: CLIENT.get(f"/{address}").status_code for address in local} == dict.fromkeys(local, 200)


def test_the_key_is_not_kept_and_nothing_is_validated_outside() -> None:
    script = CLIENT.get("/docs/docs.js").text
    assert "persistAuthorization: false" in script
    assert "validatorUrl: null" in script


def test_the_document_is_open_and_names_the_key_and_the_cookie() -> None:
    document = CLIENT.get("/openapi.json").json()
    key, session = document["components"]["securitySchemes"].values()
    assert (key["type"], key["scheme"]) == ("http", "bearer")
    assert (session["type"], session["in"], session["name"]) == (
        "apiKey",
        "cookie",
        "__Host-complaints-session",
    )


def test_the_viewer_is_kept_for_a_year_and_our_script_is_asked_for_each_time() -> None:
    kept = CLIENT.get(f"/docs/{VIEWER}/swagger-ui.css")
    assert kept.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert CLIENT.get("/docs/docs.js").headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("path", ["/openapi.json", "/docs/docs.js", f"/docs/{VIEWER}/swagger-ui.css"])
def test_a_file_that_the_browser_has_is_not_sent_again(path: str) -> None:
    etag = CLIENT.get(path).headers["etag"]
    for known in (etag, f"W/{etag}", f'"other", {etag}'):
        answer = CLIENT.get(path, headers={"If-None-Match": known})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", etag)
    assert CLIENT.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


@pytest.mark.parametrize(
    "name", ["nothing.js", "..%2fdocs.html", "%2e%2e", "..%2f..%2fdocs_page.py", "%2fetc%2fpasswd"]
)
def test_other_names_are_not_found(name: str) -> None:
    answer = CLIENT.get(f"/docs/{VIEWER}/{name}")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


def test_the_page_is_only_read() -> None:
    assert CLIENT.head("/docs").status_code == 200
    assert CLIENT.post("/docs").headers["allow"] == "GET, HEAD"


def test_the_document_is_encoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    client = ApiClient(make_app())
    first = client.get("/openapi.json")
    monkeypatch.setattr(docs_page, "encode", None)
    assert client.get("/openapi.json").content == first.content
    assert first.headers["content-type"] == "application/json"


def test_the_page_needs_no_document_of_its_own() -> None:
    assert not [path for path in CLIENT.get("/openapi.json").json()["paths"] if path.startswith("/docs")]
