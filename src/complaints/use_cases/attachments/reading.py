"""Listing the attachments of a complaint, and reading the bytes of one (rule 11.4)."""

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar
from uuid import UUID

from complaints.domain.complaint.attachments import Attachment as Attachment
from complaints.domain.errors import Conflict, Forbidden, NotFound
from complaints.domain.vocabulary import AttachmentStatus, Visibility
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows import attachment as attachment_rows
from complaints.use_cases.access import Caller, Right
from complaints.use_cases.complaints.known import is_known, load_known_id
from complaints.use_cases.complaints.page_histories import has_right_on_parts
from complaints.use_cases.complaints.views import MASK, ComplaintParts


class Quarantined(Conflict):
    """The scanner has not answered yet, or it found something in the attachment."""

    code: ClassVar[str] = "attachment-quarantined"


def list_attachments(
    tx: Transaction, caller: Caller, reference: str, *, after: UUID | None = None, limit: int
) -> Sequence[Attachment]:
    """Up to `limit` attachments of a complaint, oldest first, after that with the id `after`. Raises NotFound.

    A caller who sees no internal notes gets a mask for the name of an internal attachment.
    """
    complaint_id = load_known_id(tx, caller, reference)
    found = attachment_rows.list_attachments(tx, complaint_id, after=after, limit=limit)
    if _has_right(tx, caller, reference, Right.SEE_INTERNAL):
        return found
    return [replace(one, name=MASK) if _is_hidden(one) else one for one in found]


def find_attachments(
    tx: Transaction, caller: Caller, found: Sequence[ComplaintParts]
) -> dict[UUID, list[Attachment]]:
    """The attachments of all complaints of a page that the caller knows, by complaint, oldest first.

    One statement reads them all. Names are masked as in `list_attachments`. Erased attachments are left out.
    """
    internal = {parts.members["id"]: has_right_on_parts(caller, Right.SEE_INTERNAL, parts) for parts in found}
    listed = attachment_rows.find_of_complaints(tx, internal.keys()) if internal else {}
    return {
        complaint_id: [
            replace(one, name=MASK) if _is_hidden(one) and not internal[complaint_id] else one
            for one in attachments
            if one.erased_at is None
        ]
        for complaint_id, attachments in listed.items()
    }


def load_attachment(tx: Transaction, caller: Caller, reference: str, attachment_id: UUID) -> Attachment:
    """The attachment of a complaint, if the caller may have its bytes.

    Raises NotFound for one of another complaint or an erased one, Forbidden, and Quarantined.
    """
    complaint_id = load_known_id(tx, caller, reference)
    found = attachment_rows.find_attachment(tx, attachment_id)
    if found is None or found.complaint_id != complaint_id:
        raise NotFound("There is no such attachment.")
    if not _has_right(tx, caller, reference, Right.SEE_PERSONS):
        raise Forbidden("Attachments may show persons, and this key sees only masks of persons.")
    if found.visibility is Visibility.INTERNAL and not _has_right(tx, caller, reference, Right.SEE_INTERNAL):
        raise Forbidden("This attachment is internal: it is for staff alone.")
    if found.erased_at is not None:
        raise NotFound("This attachment was erased.")
    _check_scanned(found)
    return found


def _is_hidden(one: Attachment) -> bool:
    return one.visibility is Visibility.INTERNAL and one.name is not None


def _has_right(tx: Transaction, caller: Caller, reference: str, right: Right) -> bool:
    return caller.has_right_everywhere(right) or is_known(tx, caller, reference, right)


def _check_scanned(found: Attachment) -> None:
    if found.finding is not None:
        raise Quarantined("The scanner found something harmful in this attachment: it stays in quarantine.")
    if found.status is AttachmentStatus.QUARANTINED:
        raise Quarantined("This attachment is not scanned yet: try again shortly.")
