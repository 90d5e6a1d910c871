"""The proof of the store of attachments, for `complaints check`: bytes that lack, and bytes that are others."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from uuid import UUID

from complaints.domain.complaint.attachments import Attachment
from complaints.storage.blobs.store import BlobMissing, BlobStore, StoreUnavailable
from complaints.storage.rows import attachment as attachment_rows
from complaints.use_cases.service import Service
from complaints.use_cases.upkeep.violation import Violation

_BATCH = 1000
_FAILURES = 3  # the check ends after so many in a row: then it is the store, not the attachment
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
    except StoreUnavailable as failure:
        yield Violation(_NAME, "", f"the store cannot be read: {failure.detail}")
        return
    failures = 0
    for one in _all_live(service):
        try:
            fault = _find_fault(blobs, sizes, one, reads_bytes=reads_bytes)
            failures = 0
        except StoreUnavailable as failure:
            fault = f"cannot be read: {failure.detail}"
            failures += 1
        if fault:
            yield Violation(_NAME, "", f"attachment {one.id} {fault}")
        if failures == _FAILURES:
            yield Violation(
                _NAME, "", "the store cannot be read: the attachments after that were not checked"
            )
            return


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
    digest = hashlib.sha256()
    try:
        with closing(blobs.read(one.id)) as parts:  # one that is not listed may be new
            for part in parts:
                digest.update(part)
    except BlobMissing:
        return "has no bytes in the store"
    return None if digest.digest() == one.digest else "has other bytes than those that were sent"
