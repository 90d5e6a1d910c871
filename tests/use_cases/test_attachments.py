"""Attachments: what is kept of a stream of bytes, what is refused, and what a failure leaves."""

import errno
import hashlib
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from complaints.domain.complaint.attachments import Attachment, AttachmentLimits
from complaints.domain.errors import ComplaintError, Conflict, InvalidContent, NotFound
from complaints.domain.vocabulary import AccessRole, AttachmentStatus, Visibility
from complaints.storage.blobs import directory
from complaints.storage.blobs.directory import BlobDirectory
from complaints.storage.blobs.store import StoreUnavailable
from complaints.storage.rows.attachment import attachment
from complaints.use_cases.access import SYSTEM, Caller
from complaints.use_cases.attachments import adding, sweeping
from complaints.use_cases.attachments.adding import NewAttachment
from complaints.use_cases.attachments.reading import list_attachments, load_attachment
from complaints.use_cases.attachments.sweeping import empty_erased, sweep_orphans
from complaints.use_cases.complaints.erasing import erase_texts
from complaints.use_cases.complaints.history import timeline
from complaints.use_cases.service import AttachmentStore
from complaints.use_cases.upkeep.attachment_checks import check_attachments
from complaints.wiring import new_id, wall_now
from tests.support import Scenario, add_attachment, check_all

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


def test_rule_11_1_an_attachment_has_bytes_a_row_and_an_event(stored: Scenario, blobs: BlobDirectory) -> None:
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


REFUSED: list[tuple[NewAttachment, tuple[bytes, ...], str]] = [
    (NewAttachment("a\0b", "image/png"), BYTES, "invalid-content"),
    (NewAttachment("a\r\nX-Evil: 1", "image/png"), BYTES, "invalid-content"),
    (NewAttachment("\u202e\u200b ", "image/png"), BYTES, "invalid-content"),
    (NewAttachment("a" * 256, "image/png"), BYTES, "invalid-content"),
    (NewAttachment("a", "image"), BYTES, "unsupported-media-type"),
    (NewAttachment("a", "image/png\r\nX: 1"), BYTES, "unsupported-media-type"),
    (NewAttachment("a", "image/png"), (), "invalid-content"),
    (NewAttachment("a", "image/png"), (b"x" * 60, b"y" * 60), "payload-too-large"),
    (NewAttachment("a", "image/png"), (b"x" * 41,), "conflict"),
]


def test_a_refused_file_leaves_nothing(stored: Scenario, blobs: BlobDirectory) -> None:
    """Rules 10.2 and 10.3: its name or type is wrong, or it is too large for one or for all of the complaint."""
    complaint = stored.post()
    for file, parts, problem in REFUSED:
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


# Erasing, orphans and check ----------------------------------------------------------------------------------------


def _erase(scenario: Scenario, reference: str, **chosen: Any) -> None:
    service = scenario.service
    service.write(lambda tx: erase_texts(service, tx, SYSTEM, reference, reason="Asked for", **chosen))


def test_rule_11_5_to_erase_a_complaint_empties_its_attachments(
    stored: Scenario, blobs: BlobDirectory
) -> None:
    """Only the chosen one first, then all. The bytes go after the commit, and the history still verifies."""
    complaint, other = stored.post(), stored.post()
    first, _ = (_add(stored, str(complaint.id), parts=(b"x",)) for _ in range(2))
    kept = _add(stored, str(other.id))
    events = stored.service.read(lambda tx: timeline(tx, SYSTEM, str(complaint.id), after=0, limit=50))
    _erase(stored, str(complaint.id), ordinals=[events[-1].ordinal])
    empty_erased(stored.service)
    assert {file.name for file in _files(blobs)} == {str(first.id), str(kept.id)}
    _erase(stored, str(complaint.id))
    listed = stored.service.read(lambda tx: list_attachments(tx, SYSTEM, str(complaint.id), limit=5))
    assert [(one.name, one.size, one.erased_at is not None) for one in listed] == [(None, 1, True)] * 2
    with pytest.raises(NotFound):
        stored.service.read(lambda tx: load_attachment(tx, SYSTEM, str(complaint.id), first.id))
    empty_erased(stored.service)
    assert [file.name for file in _files(blobs)] == [str(kept.id)]
    assert list(check_attachments(stored.service, reads_bytes=True)) == []
    _add(stored, str(complaint.id), parts=(b"x",))  # erased ones do not count


def _age(path: Path) -> None:
    os.utime(path, (0, 0))


def test_rule_11_6_bytes_without_a_row_are_swept_after_a_while(
    stored: Scenario, blobs: BlobDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    complaint = stored.post()
    kept = _add(stored, str(complaint.id))
    orphans = [new_id() for _ in range(3)]
    for one in orphans:
        writer = blobs.create(one)
        writer.write(b"x")
        writer.finish()
    blobs.create(unfinished := new_id()).write(b"x")
    blobs.create(running := new_id()).write(b"x")
    files = {file.name: file for file in _files(blobs)}
    for name in (kept.id, unfinished, *orphans[:2]):
        _age(files[str(name)])
    monkeypatch.setattr(sweeping, "_FEW_ORPHANS", 1)
    assert sweep_orphans(stored.service) == 0  # two of three are too many
    monkeypatch.setattr(sweeping, "_FEW_ORPHANS", 2)
    assert sweep_orphans(stored.service) == 2
    assert {file.name for file in _files(blobs)} == {str(one) for one in (kept.id, orphans[2], running)}


def test_check_finds_bytes_that_lack_and_bytes_that_are_others(
    stored: Scenario, blobs: BlobDirectory
) -> None:
    complaint = stored.post()
    gone, changed = (_add(stored, str(complaint.id), parts=(b"abc",)) for _ in range(2))
    files = {file.name: file for file in _files(blobs)}
    assert list(check_attachments(stored.service, reads_bytes=True)) == []
    files[str(gone.id)].unlink()
    files[str(changed.id)].write_bytes(b"abd")
    assert [one.message for one in check_attachments(stored.service)] == [
        f"attachment {gone.id} has no bytes in the store"
    ]
    assert [one.message for one in check_attachments(stored.service, reads_bytes=True)] == [
        f"attachment {gone.id} has no bytes in the store",
        f"attachment {changed.id} has other bytes than those that were sent",
    ]
    files[str(changed.id)].write_bytes(b"ab")
    assert f"attachment {changed.id} has 2 bytes, not 3" in [
        one.message for one in check_attachments(stored.service)
    ]


def test_check_says_which_bytes_cannot_be_read_and_ends_if_it_is_the_store(
    stored: Scenario, blobs: BlobDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [str(_add(stored, str(stored.post().id), parts=(b"abc",)).id) for _ in range(5)]
    files = {file.name: file for file in _files(blobs)}
    spoilt: list[str] = []
    read = os.read

    def read_or_fail(descriptor: int, size: int) -> bytes:
        if os.fstat(descriptor).st_ino in [files[name].stat().st_ino for name in spoilt]:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return read(descriptor, size)

    def messages() -> list[str]:
        return [one.message.partition(": ")[0] for one in check_attachments(stored.service, reads_bytes=True)]

    monkeypatch.setattr(directory.os, "read", read_or_fail)
    files[names[4]].unlink()
    spoilt += names[:2]
    found = [
        *(f"attachment {name} cannot be read" for name in spoilt),
        f"attachment {names[4]} has no bytes in the store",
    ]
    assert messages() == found
    spoilt.append(names[2])
    assert messages() == [f"attachment {name} cannot be read" for name in spoilt] + [
        "the store cannot be read"
    ]


def test_check_compares_rows_with_the_history(scenario: Scenario, stored: Scenario) -> None:
    complaint = stored.post()
    one = _add(stored, str(complaint.id))
    for changed, back in (({"size": 1}, {"size": one.size}), ({"name": "other"}, {"name": one.name})):
        statement = update(attachment).where(attachment.c.id == one.id)
        stored.service.write(lambda tx: tx.connection.execute(statement.values(changed)))  # noqa: B023
        [violation] = check_all(stored.service)
        assert violation.message == f"attachment {one.id} is not what the history says"
        stored.service.write(lambda tx: tx.connection.execute(statement.values(back)))  # noqa: B023
