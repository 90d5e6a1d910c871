"""Attachments: what is kept of a stream of bytes, what is refused, and what a failure leaves."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from complaints.domain.complaint.attachments import Attachment, AttachmentLimits
from complaints.domain.errors import ComplaintError, Conflict, InvalidContent
from complaints.domain.vocabulary import AccessRole, AttachmentStatus, Visibility
from complaints.storage.blobs.directory import BlobDirectory
from complaints.storage.blobs.store import StoreUnavailable
from complaints.use_cases.access import SYSTEM, Caller
from complaints.use_cases.attachments import adding
from complaints.use_cases.attachments.adding import NewAttachment, add_attachment
from complaints.use_cases.attachments.reading import list_attachments
from complaints.use_cases.complaints.history import timeline
from complaints.use_cases.service import AttachmentStore
from complaints.wiring import wall_now
from tests.support import Scenario

PHOTO = NewAttachment("../账单 July.jpg", "image/jpeg")
BYTES = (b"first part, ", b"second part")
DIGEST = hashlib.sha256(b"".join(BYTES)).digest()
LIMITS = AttachmentLimits(most_bytes=100, most_of_complaint=2, most_bytes_of_complaint=40)

pytestmark = pytest.mark.usefixtures("everything_holds")


@pytest.fixture
def blobs(tmp_path: Path) -> BlobDirectory:
    return BlobDirectory(tmp_path / "attachments")


@pytest.fixture
def stored(scenario: Scenario, blobs: BlobDirectory) -> Scenario:
    """A scenario whose service has a store of attachments with small limits."""
    service = replace(scenario.service, attachment_store=AttachmentStore(blobs, LIMITS), wall=wall_now)
    return replace(scenario, service=service)


def _add(
    scenario: Scenario,
    reference: str,
    file: NewAttachment = PHOTO,
    parts: tuple[bytes, ...] = BYTES,
    caller: Caller = SYSTEM,
) -> Attachment:
    return add_attachment(scenario.service, caller, reference, file, parts)


def _files(blobs: BlobDirectory) -> list[Path]:
    """All files that the store has, also unfinished ones."""
    return [one for one in blobs._root.rglob("*") if one.is_file()]


def test_rule_10_1_an_attachment_has_bytes_a_row_and_an_event(stored: Scenario, blobs: BlobDirectory) -> None:
    complaint = stored.post()
    added = _add(stored, str(complaint.id))
    listed = stored.service.read(lambda tx: list_attachments(tx, SYSTEM, str(complaint.id), limit=5))
    events = stored.service.read(lambda tx: timeline(tx, SYSTEM, str(complaint.id), after=0, limit=50))
    assert listed == [added]
    assert (added.name, added.size, added.digest) == (PHOTO.name, 23, DIGEST)
    assert (added.status, added.visibility) == (AttachmentStatus.UNSCANNED, Visibility.INTERNAL)
    assert events[-1].data == {
        "attachment_id": str(added.id),
        "file_name": PHOTO.name,
        "media_type": "image/jpeg",
        "sha256": DIGEST.hex(),
        "size": 23,
        "visibility": "internal",
    }
    assert b"".join(blobs.read(added.id)) == b"".join(BYTES)
    [file] = _files(blobs)
    assert file.name == str(added.id)
    assert file.relative_to(blobs._root).parts[:2] == (added.id.hex[-2:], added.id.hex[-4:-2])
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)


@pytest.mark.parametrize(
    ("file", "parts", "problem"),
    [
        (NewAttachment("a\0b", "image/png"), BYTES, "invalid-content"),
        (NewAttachment("a\r\nX-Evil: 1", "image/png"), BYTES, "invalid-content"),
        (NewAttachment("\u202e\u200b ", "image/png"), BYTES, "invalid-content"),
        (NewAttachment("a" * 256, "image/png"), BYTES, "invalid-content"),
        (NewAttachment("a", "image"), BYTES, "unsupported-media-type"),
        (NewAttachment("a", "image/png\r\nX: 1"), BYTES, "unsupported-media-type"),
        (NewAttachment("a", "image/png"), (), "invalid-content"),
        (NewAttachment("a", "image/png"), (b"x" * 60, b"y" * 60), "payload-too-large"),
        (NewAttachment("a", "image/png"), (b"x" * 41,), "conflict"),
    ],
)
def test_a_refused_file_leaves_nothing(
    stored: Scenario, blobs: BlobDirectory, file: NewAttachment, parts: tuple[bytes, ...], problem: str
) -> None:
    complaint = stored.post()
    with pytest.raises(ComplaintError) as refusal:
        _add(stored, str(complaint.id), file, parts)
    assert refusal.value.code == problem
    assert _files(blobs) == []


def test_a_complaint_has_so_many_attachments(stored: Scenario) -> None:
    complaint = stored.post()
    for _ in range(2):
        _add(stored, str(complaint.id), parts=(b"x",))
    with pytest.raises(Conflict, match="at most 2 attachments"):
        _add(stored, str(complaint.id), parts=(b"x",))


def test_a_sender_that_breaks_off_leaves_nothing(stored: Scenario, blobs: BlobDirectory) -> None:
    def parts() -> Iterator[bytes]:
        yield b"first"
        raise InvalidContent("broken off")

    complaint = stored.post()
    with pytest.raises(InvalidContent):
        add_attachment(stored.service, SYSTEM, str(complaint.id), PHOTO, parts())
    assert _files(blobs) == []


def test_bytes_stay_if_the_commit_may_have_succeeded(
    stored: Scenario, blobs: BlobDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sweep of orphans finds out later whether there is a row."""
    complaint = stored.post()
    lost = StoreUnavailable("the connection is lost")

    def fail(*_: object, **_named: object) -> None:
        raise lost

    monkeypatch.setattr(adding, "change_complaint", fail)
    with pytest.raises(StoreUnavailable):
        add_attachment(stored.service, SYSTEM, str(complaint.id), PHOTO, BYTES)
    assert len(_files(blobs)) == 1


def test_the_file_of_an_intake_key_notifies_the_owner(stored: Scenario) -> None:
    intake = Caller("north", frozenset({AccessRole.INTAKE}), "north")
    complaint = stored.post(source="north")
    added = _add(stored, str(complaint.id), caller=intake)
    events = stored.service.read(lambda tx: timeline(tx, SYSTEM, str(complaint.id), after=0, limit=50))
    assert added.visibility is Visibility.PUBLIC
    assert [event.type for event in events[-2:]] == ["complaint.attachment_added", "complaint.escalated"]
