"""The proof of the store of attachments, for `complaints check`: bytes that lack, and bytes that are others."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from uuid import UUID

from complaints.domain.complaint.attachments import Attachment
from complaints.storage.blobs.store import BlobStore, StoreUnavailable
from complaints.storage.rows import attachment as attachment_rows
from complaints.use_cases.service import Service
from complaints.use_cases.upkeep.violation import Violation

_BATCH = 1000
_NAME = "attachments stored"


def check_attachments(service: Service, *, reads_bytes: bool = False) -> Iterator[Violation]:
    """Attachments whose bytes are not in the store or have another size; with `reads_bytes`, another digest.

    To list the store takes about 200 bytes of memory for each attachment.
    """
    if not service.read(lambda tx: attachment_rows.list_live(tx, after=None, limit=1)):
        return
    try:
        blobs = service.attachments.blobs
        sizes = {one.id: one.size for one in blobs.list_blobs()}
        for one in _all_live(service):
            if fault := _find_fault(blobs, sizes, one, reads_bytes=reads_bytes):
                yield Violation(_NAME, "", f"attachment {one.id} {fault}")
    except StoreUnavailable as failure:
        yield Violation(_NAME, "", f"the store cannot be read: {failure.detail}")


def _all_live(service: Service) -> Iterator[Attachment]:
    after: UUID | None = None
    while found := service.read(_page_after(after)):
        yield from found
        after = found[-1].id


def _page_after(after: UUID | None) -> Callable[..., Sequence[Attachment]]:
    return lambda tx: attachment_rows.list_live(tx, after=after, limit=_BATCH)


def _find_fault(
    blobs: BlobStore, sizes: Mapping[UUID, int], one: Attachment, *, reads_bytes: bool
) -> str | None:
    size = sizes.get(one.id)
    if size is not None and size != one.size:
        return f"has {size} bytes, not {one.size}"
    if size is not None and not reads_bytes:
        return None
    try:
        digest = hashlib.sha256()
        for part in blobs.read(one.id):  # one that is not listed may be new
            digest.update(part)
    except StoreUnavailable:
        return "has no bytes in the store"
    return None if digest.digest() == one.digest else "has other bytes than those that were sent"
