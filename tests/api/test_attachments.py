"""Attachments over HTTP: what is taken, what is refused, and that no byte is ever shown as a page."""

import hashlib
import http.client
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

import anyio
import pytest
from starlette.requests import ClientDisconnect
from starlette.types import Message

from complaints.api.app import _bytes_for, create_app
from complaints.api.complaints.file_threads import FileThreads, StreamedFile
from complaints.api.middleware import RequestLimits
from complaints.domain.complaint.attachments import AttachmentLimits
from complaints.domain.vocabulary import AccessRole
from complaints.storage.blobs.directory import BlobDirectory
from complaints.storage.blobs.s3 import BlobBucket
from complaints.storage.blobs.store import BlobStore
from complaints.use_cases.service import AttachmentStore
from complaints.wiring import wall_now
from tests.api.http_app import running
from tests.api_client import ApiClient
from tests.support import ADMIN_SECRET, Scenario, check_translations

BYTES = b"<svg onload=alert(1)>" * 1000
DIGEST = hashlib.sha256(BYTES).hexdigest()
NAME = "账单 <July>.svg"
HEAD = {
    "Content-Type": "image/svg+xml; charset=utf-8",
    "Content-Disposition": f"attachment; filename*=UTF-8''{quote(NAME)}",
}
POST = {"channel": "phone", "subject": "No signal", "source": "north"}
NOWHERE = "019a9f2e-7c3b-7d52-9d1a-4f0c8f4f2a11"
Json = dict[str, Any]

pytestmark = pytest.mark.usefixtures("everything_holds")


class Desk:
    """A complaint of the source `north`, and a client to add files to it."""

    def __init__(self, scenario: Scenario, client: ApiClient, root: Path) -> None:
        self.scenario, self.client, self.root = scenario, client, root
        self.id = client.post("/v1/complaints", json=POST).json()["id"]
        self.address = f"/v1/complaints/{self.id}/attachments"

    def add(
        self, content: Any = BYTES, *, head: Json | None = None, query: str = "", key: Json | None = None
    ) -> Any:
        sent = {**HEAD, **(head or {}), **(key or {})}
        return self.client.post(
            self.address + query,
            content=content,
            headers={name: value for name, value in sent.items() if value is not None},
        )

    def files(self) -> list[str]:
        """The names of all files of the store, also of unfinished ones."""
        return [one.name for one in self.root.rglob("*") if one.is_file()]


@contextmanager
def _opened(scenario: Scenario, blobs: BlobStore, root: Path) -> Iterator[Desk]:
    """A desk with small limits: 50,000 bytes, 3 attachments."""
    limits = AttachmentLimits(most_bytes=50_000, most_of_complaint=3, media_types=("image/*", "text/plain"))
    service = replace(scenario.service, attachment_store=AttachmentStore(blobs, limits))
    app = create_app(
        service,
        wall=wall_now,
        limits=RequestLimits(
            body_bytes_for=partial(_bytes_for, service), stall_seconds=0.3, linger_seconds=0.2
        ),
    )
    headers = {"Authorization": f"Bearer {ADMIN_SECRET}"}
    with ApiClient(app, headers=headers, raise_server_exceptions=False) as client:
        client.event_hooks["response"].append(check_translations)
        yield Desk(replace(scenario, service=service), client, root)


@pytest.fixture
def desk(scenario: Scenario, tmp_path: Path) -> Iterator[Desk]:
    """A desk with its files in a directory."""
    with _opened(scenario, BlobDirectory(tmp_path), tmp_path) as opened:
        yield opened


def test_a_file_is_taken_listed_and_given_back_but_never_as_a_page(desk: Desk) -> None:
    made = desk.add()
    content = made.json()
    assert made.status_code == 201, made.text
    assert content.pop("created_at").endswith("Z")
    assert made.headers["location"] == f"{desk.address}/{content.pop('id')}"
    assert content == {
        "name": NAME, "media_type": "image/svg+xml", "size": len(BYTES), "sha256": DIGEST,
        "status": "unscanned", "visibility": "internal", "added_by": "key:bootstrap",
        "scanned_at": None, "finding": None, "erased_at": None,
    }  # fmt: skip
    assert desk.client.get(desk.address).json() == {"items": [made.json()], "next_cursor": None}
    got = desk.client.get(made.headers["location"])
    assert (got.status_code, got.content) == (200, BYTES)
    shown = {
        name: got.headers[name]
        for name in (
            "content-type", "content-disposition", "content-security-policy", "x-content-type-options",
            "cache-control", "etag", "accept-ranges", "content-length",
        )
    }  # fmt: skip
    assert shown == {
        "content-type": "application/octet-stream",
        "content-disposition": 'attachment; filename="__ _July_.svg"; '
        "filename*=UTF-8''%E8%B4%A6%E5%8D%95%20_July_.svg",
        "content-security-policy": "sandbox; default-src 'none'",
        "x-content-type-options": "nosniff",
        "cache-control": "private, no-store",
        "etag": f'"{DIGEST}"',
        "accept-ranges": "none",
        "content-length": str(len(BYTES)),
    }
    known = desk.client.get(made.headers["location"], headers={"If-None-Match": f'W/"x", "{DIGEST}"'})
    assert (known.status_code, known.content) == (304, b"")
    head = desk.client.head(made.headers["location"])
    assert (head.status_code, head.headers["etag"]) == (200, f'"{DIGEST}"')


REFUSED: list[tuple[Any, Json, str, int, str]] = [
    (b"", {}, "", 422, "invalid-content"),
    (BYTES, {"Content-Disposition": None}, "", 422, "invalid-content"),
    (BYTES, {"Content-Disposition": "attachment; filename*=UTF-8''a%00b"}, "", 422, "invalid-content"),
    (BYTES, {"Content-Disposition": "attachment; filename*=UTF-8''a%0D%0AX:%20y"}, "", 422, "invalid-content"),
    (BYTES, {"Content-Disposition": f"attachment; filename={'a' * 300}"}, "", 422, "invalid-content"),
    (BYTES, {"Content-Disposition": "attachment; filename*=UTF-8''%E2%80%AE"}, "", 422, "invalid-content"),
    (BYTES, {"Content-Type": None}, "", 415, "unsupported-media-type"),
    (BYTES, {"Content-Type": "image"}, "", 415, "unsupported-media-type"),
    (BYTES, {"Content-Type": "application/pdf"}, "", 415, "unsupported-media-type"),
    (BYTES, {"Content-Type": "multipart/form-data; boundary=x"}, "", 415, "unsupported-media-type"),
    (BYTES, {"Content-Encoding": "gzip"}, "", 415, "content-encoding-refused"),
    (BYTES * 3, {}, "", 413, "payload-too-large"),
    ([BYTES] * 3, {}, "", 413, "payload-too-large"),
    (BYTES, {"Idempotency-Key": "a b"}, "", 422, "invalid-content"),
    (BYTES, {}, "?visibility=everybody", 422, "invalid-content"),
    (BYTES, {}, "?colour=red", 400, "bad-request"),
]  # fmt: skip


def test_a_refusal_leaves_nothing(desk: Desk) -> None:
    for content, head, query, status, code in REFUSED:
        answer = desk.add(iter(content) if isinstance(content, list) else content, head=head, query=query)
        assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{code}"), answer.text
    assert desk.client.get(desk.address).json()["items"] == []
    assert desk.files() == []


def test_a_repetition_gets_the_first_answer_and_keeps_one_file(desk: Desk) -> None:
    head = {"Idempotency-Key": "photo-1"}
    first, again = desk.add(iter([BYTES[:9], BYTES[9:]]), head=head), desk.add(head=head)
    assert (first.status_code, again.status_code, again.content) == (201, 201, first.content)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert desk.files() == [first.json()["id"]]
    for other in (
        desk.add(BYTES + b"x", head=head),
        desk.add(head=head | {"Content-Disposition": "attachment; filename=b"}),
        desk.add(head=head | {"Content-Type": "image/png"}),
    ):
        assert (other.status_code, other.json()["type"]) == (422, "/problems/idempotency-key-reused")
    assert desk.files() == [first.json()["id"]]


def test_a_complaint_has_so_many_and_lists_them_in_pages(desk: Desk) -> None:
    made = [desk.add(b"%d" % n).json()["id"] for n in range(3)]
    full = desk.add()
    assert (full.status_code, full.json()["type"]) == (409, "/problems/conflict")
    page = desk.client.get(desk.address, params={"limit": 2}).json()
    rest = desk.client.get(desk.address, params={"limit": 2, "cursor": page["next_cursor"]}).json()
    assert [one["id"] for one in page["items"] + rest["items"]] == made
    assert rest["next_cursor"] is None
    for bad in ({"cursor": "x"}, {"colour": "red"}):
        assert desk.client.get(desk.address, params=bad).status_code == 400


def test_rule_11_4_internal_files_and_bytes_are_not_for_everybody(desk: Desk) -> None:
    """What staff add is internal. An auditor sees no bytes at all."""
    intake, auditor = (
        desk.scenario.key(role, source="north") for role in (AccessRole.INTAKE, AccessRole.AUDITOR)
    )
    own, internal, public = (
        desk.add(key=intake).json(),
        desk.add().json(),
        desk.add(query="?visibility=public").json(),
    )
    shown = {"intake": intake, "auditor": auditor}
    for key in shown.values():
        items = desk.client.get(desk.address, headers=key).json()["items"]
        assert [one["name"] for one in items] == [NAME, "***", NAME]
    statuses = {
        name: [
            desk.client.get(f"{desk.address}/{one['id']}", headers=key).status_code
            for one in (own, internal, public)
        ]
        for name, key in shown.items()
    }
    assert statuses == {"intake": [200, 403, 200], "auditor": [403, 403, 403]}
    events = desk.client.get(
        f"/v1/complaints/{desk.id}/timeline", params={"limit": 200}, headers=intake
    ).json()["items"]
    names = [one["data"]["file_name"] for one in events if one["type"] == "complaint.attachment_added"]
    assert names == [NAME, "***", NAME]
    feed = desk.client.get("/v1/changes", params={"type": "complaint.attachment_added"}).json()["items"]
    assert {one["data"]["file_name"] for one in feed} == {"***"}


def test_the_file_of_another_complaint_is_not_there(desk: Desk) -> None:
    """Not even under a complaint that the caller knows."""
    other = desk.client.post("/v1/complaints", json=POST | {"source": "south"}).json()["id"]
    made = desk.add().json()
    south = desk.scenario.key(AccessRole.INTAKE, source="south")
    for path, key in (
        (f"/v1/complaints/{other}/attachments/{made['id']}", {}),
        (f"/v1/complaints/{other}/attachments/{made['id']}", south),
        (f"{desk.address}/{made['id']}", south),
        (f"{desk.address}/{NOWHERE}", {}),
        (f"{desk.address}/..%2F{made['id']}", {}),
        (f"{desk.address}/x", {}),
    ):
        answer = desk.client.get(path, headers=key)
        assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found"), path


def test_bytes_that_are_gone_are_no_failure_of_the_program(desk: Desk) -> None:
    made = desk.add().json()
    desk.scenario.service.attachments.blobs.delete(UUID(made["id"]))
    answer = desk.client.get(f"{desk.address}/{made['id']}")
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/service-unavailable")


def test_a_bucket_does_as_a_directory(scenario: Scenario, bucket: Any, tmp_path: Path) -> None:
    def keys() -> list[str]:
        return [one["Key"] for one in bucket.list_objects_v2(Bucket="complaints").get("Contents", ())]

    with _opened(scenario, BlobBucket("complaints", "x"), tmp_path) as desk:
        head = {"Idempotency-Key": "photo-1"}
        first, again = desk.add(head=head), desk.add(head=head)
        assert first.content == again.content
        made = first.json()
        assert desk.add(iter([BYTES] * 3)).status_code == 413
        assert desk.add(b"").status_code == 422
        assert keys() == [f"x/{made['id']}"]
        assert desk.client.get(f"{desk.address}/{made['id']}").content == BYTES
        bucket.delete_object(Bucket="complaints", Key=keys()[0])
        assert desk.client.get(f"{desk.address}/{made['id']}").status_code == 503
    with _opened(scenario, BlobBucket("not-there", "x"), tmp_path) as desk:
        answer = desk.add()
        assert (answer.status_code, answer.json()["type"]) == (503, "/problems/service-unavailable")
        assert desk.client.get(desk.address).json()["items"] == []


def test_a_download_closes_its_file_for_a_client_who_left_before_the_first_byte() -> None:
    closed: list[bool] = []

    async def send_to_nobody(_message: Message) -> None:
        raise OSError

    async def answer() -> None:
        response = StreamedFile(FileThreads(), iter([b"x"]), lambda: closed.append(True), {})
        scope = {"type": "http", "asgi": {"spec_version": "2.4"}}
        with pytest.raises(ClientDisconnect):
            await response(scope, receive_nothing, send_to_nobody)

    async def receive_nothing() -> Message:
        return {"type": "http.disconnect"}

    anyio.run(answer)
    assert closed == [True]


# A real server ------------------------------------------------------------------------------------------------------


def _head(desk: Desk, framing: str) -> bytes:
    return (
        f"POST {desk.address} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ADMIN_SECRET}\r\n"
        f"Content-Type: text/plain\r\nContent-Disposition: attachment; filename=a.txt\r\n{framing}\r\n\r\n"
    ).encode()


def _talk(port: int, *parts: bytes) -> bytes:
    """The answer to a request that ends with these parts; b"" if the connection is closed without one."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        for part in parts:
            connection.sendall(part)
            time.sleep(0.02)
        return connection.recv(65536)


def test_bodies_that_lie_stall_or_break_off_leave_nothing(desk: Desk) -> None:
    with running(desk.client.app) as port:  # type: ignore[arg-type]
        talk = partial(_talk, port)
        assert talk(_head(desk, "Transfer-Encoding: chunked"), b"3\r\nabc\r\n", b"0\r\n\r\n").startswith(
            b"HTTP/1.1 201"
        )
        assert talk(_head(desk, "Content-Length: 3"), b"abcGET / HTTP/1.1\r\n\r\n").startswith(
            b"HTTP/1.1 201"
        )
        assert talk(_head(desk, "Content-Length: 9"), b"abc").startswith(b"HTTP/1.1 408")
        assert talk(_head(desk, "Content-Length: 50001")).startswith(b"HTTP/1.1 413")
        assert talk(_head(desk, "Transfer-Encoding: chunked"), b"fffff\r\n" + b"x" * 60_000).startswith(
            b"HTTP/1.1 413"
        )
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(_head(desk, "Content-Length: 9") + b"abc")
        known = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        path = f"/v1/complaints/{NOWHERE}/attachments"
        known.request("POST", path, b"x" * 49_000, HEAD | {"Authorization": f"Bearer {ADMIN_SECRET}"})
        assert known.getresponse().status == 404
        known.close()
    assert len(desk.client.get(desk.address).json()["items"]) == len(desk.files()) == 2
