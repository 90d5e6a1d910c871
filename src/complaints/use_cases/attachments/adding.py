"""Adding an attachment: its bytes go to the store first, then its row and its event into one transaction.

A failure before the transaction leaves at most bytes without a row. They are deleted at once, or by the sweep of
orphans if the process dies first.
"""

import hashlib
import logging
from dataclasses import dataclass
from typing import ClassVar, TypeVar
from uuid import UUID

from complaints.domain.complaint.attachments import (
    Attachment,
    AttachmentLimits,
    find_name_fault,
    is_media_type,
)
from complaints.domain.complaint.change import Change
from complaints.domain.errors import ComplaintError, Conflict, InvalidContent, Unavailable
from complaints.domain.policy.policy import Policy
from complaints.domain.rules.contacts import notify_of_contact
from complaints.domain.vocabulary import AttachmentStatus, EventType, Visibility
from complaints.storage.blobs.store import BlobWriter, StoreUnavailable
from complaints.storage.database.loop_names import SCAN_LOOP
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows import attachment as attachment_rows
from complaints.use_cases.access import Caller, Right
from complaints.use_cases.complaints.changing import change_complaint
from complaints.use_cases.complaints.known import load_known_id
from complaints.use_cases.service import Service

T = TypeVar("T")
log = logging.getLogger(__name__)


class AttachmentTooLarge(ComplaintError):
    """The attachment has more bytes than one may have."""

    code: ClassVar[str] = "payload-too-large"


class MediaTypeRefused(ComplaintError):
    """Attachments of this media type are not taken."""

    code: ClassVar[str] = "unsupported-media-type"


@dataclass(frozen=True, slots=True)
class NewAttachment:
    """What the sender says about a file. `media_type` has no parameters.

    `visibility` None: `public` for callers that only post complaints, `internal` for staff.
    """

    name: str
    media_type: str
    visibility: Visibility | None = None


def begin_upload(service: Service, caller: Caller, reference: str, file: NewAttachment) -> "Upload":
    """Begin to receive an attachment. Nothing is written yet.

    Raises InvalidContent for a bad name or media type, MediaTypeRefused, Conflict for a full complaint, Forbidden,
    NotFound, and Unavailable.
    """
    caller.require(Right.CONTRIBUTE)
    limits = service.attachments.limits
    _check_file(file, limits)

    def look(tx: Transaction) -> None:
        complaint_id = load_known_id(tx, caller, reference, Right.CONTRIBUTE)
        _check_room(tx, limits, complaint_id, new_bytes=1)

    service.read_newest(look)
    return Upload(service, caller, reference, file)


def begin_upload_of_new(service: Service, caller: Caller, file: NewAttachment) -> "Upload":
    """As `begin_upload`, for a complaint that is registered in the transaction that records the attachment.

    `record` then needs the reference of the complaint, and looks whether it has room.
    """
    caller.require(Right.CONTRIBUTE)
    _check_file(file, service.attachments.limits)
    return Upload(service, caller, None, file)


class Upload:
    """An attachment that is being received. At the end of its block, bytes that were not kept are deleted.

    `write` its parts, `finish` it, then `record` it in a transaction, and `keep` it after the commit.
    """

    def __init__(self, service: Service, caller: Caller, reference: str | None, file: NewAttachment) -> None:
        self._service, self._caller, self._reference, self._file = service, caller, reference, file
        self._digest = hashlib.sha256()
        self._is_kept = False
        self.id: UUID = service.new_id()
        self.size = 0
        self._writer: BlobWriter = service.attachments.blobs.create(self.id)

    def __enter__(self) -> "Upload":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> None:
        self.close(error)

    @property
    def digest(self) -> bytes:
        """The SHA-256 of the bytes so far."""
        return self._digest.digest()

    def write(self, part: bytes) -> None:
        """Write more bytes. Raises AttachmentTooLarge and StoreUnavailable."""
        most = self._service.attachments.limits.most_bytes
        self.size += len(part)
        if self.size > most:
            raise AttachmentTooLarge(f"An attachment may have at most {most} bytes.")
        self._digest.update(part)
        self._writer.write(part)

    def finish(self) -> None:
        """Put the bytes at their place in the store. Raises InvalidContent for an empty file, StoreUnavailable."""
        if not self.size:
            raise InvalidContent("The file is empty.")
        self._writer.finish()

    def record(self, tx: Transaction, reference: str | None = None) -> Attachment:
        """Write the row and the event `complaint.attachment_added`. Raises Conflict, Forbidden, NotFound.

        `reference` names the complaint if it was not known at the beginning.
        The file of an intake key notifies assignee and first owner, as a contact does (rule 1.12).
        """
        added: Attachment | None = None

        def step(tx: Transaction, change: Change, policy: Policy) -> None:
            nonlocal added
            _check_room(tx, self._service.attachments.limits, change.complaint.id, new_bytes=self.size)
            added = self._attachment(tx, change.complaint.id)
            self._insert(tx, added)
            _record_event(change, added)
            if Right.WORK not in self._caller.rights and change.complaint.open:
                notify_of_contact(change, self._service.context(tx, change.complaint, self._caller))

        named = reference or self._reference
        assert named is not None  # one of them is given
        change_complaint(self._service, tx, self._caller, named, step, right=Right.CONTRIBUTE)
        assert added is not None  # `step` ran
        return added

    def _insert(self, tx: Transaction, added: Attachment) -> None:
        if added.status is AttachmentStatus.UNSCANNED:
            attachment_rows.insert_attachment(tx, added)
            return
        attachment_rows.insert_attachment(tx, added, scan_after=self._service.wall())
        tx.hasten(SCAN_LOOP, tx.now)

    def _attachment(self, tx: Transaction, complaint_id: UUID) -> Attachment:
        is_scanned = self._service.attachments.is_scanned
        is_of_staff = Right.WORK in self._caller.rights
        return Attachment(
            id=self.id,
            complaint_id=complaint_id,
            name=self._file.name,
            media_type=self._file.media_type,
            size=self.size,
            digest=self.digest,
            status=AttachmentStatus.QUARANTINED if is_scanned else AttachmentStatus.UNSCANNED,
            visibility=self._file.visibility or (Visibility.INTERNAL if is_of_staff else Visibility.PUBLIC),
            created_at=tx.now,
            added_by=self._caller.actor,
        )

    def keep(self, committed: T) -> T:
        """Keep the bytes, because the transaction with the row was committed. Returns its result."""
        self._is_kept = True
        return committed

    def close(self, error: BaseException | None = None) -> None:
        """Delete the bytes, unless they are kept, or the commit may have succeeded in spite of `error`."""
        self._writer.discard()
        is_refused = isinstance(error, ComplaintError) and not isinstance(error, Unavailable)
        if self._is_kept or not (error is None or is_refused):
            return
        try:
            self._service.attachments.blobs.delete(self.id)
        except StoreUnavailable as failure:
            log.warning("bytes that nobody needs stay until the next sweep of orphans", exc_info=failure)


def _record_event(change: Change, added: Attachment) -> None:
    change.record(
        EventType.ATTACHMENT_ADDED,
        added.created_at,
        attachment_id=added.id,
        file_name=added.name,
        media_type=added.media_type,
        size=added.size,
        sha256=added.digest.hex(),
        visibility=added.visibility,
    )


def _check_file(file: NewAttachment, limits: AttachmentLimits) -> None:
    if fault := find_name_fault(file.name):
        raise InvalidContent.in_header("Content-Disposition", f"The file name {fault}.")
    if not is_media_type(file.media_type):
        raise MediaTypeRefused("Content-Type must be a media type, such as image/png.")
    if not limits.takes(file.media_type):
        taken = ", ".join(limits.media_types)
        raise MediaTypeRefused(f"Attachments must have one of these media types: {taken}.")


def _check_room(tx: Transaction, limits: AttachmentLimits, complaint_id: UUID, *, new_bytes: int) -> None:
    """Raise Conflict if the complaint cannot have one more attachment of `new_bytes` bytes."""
    count, total = attachment_rows.count_of_complaint(tx, complaint_id)
    if count >= limits.most_of_complaint:
        raise Conflict(f"A complaint may have at most {limits.most_of_complaint} attachments.")
    if total + new_bytes > limits.most_bytes_of_complaint:
        raise Conflict(
            f"The attachments of a complaint may have at most {limits.most_bytes_of_complaint} bytes together."
        )
