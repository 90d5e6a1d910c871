"""Keeps the store of attachments and the rows together: bytes of erased attachments, and bytes without a row."""

import logging
from collections.abc import Collection, Iterator
from datetime import timedelta
from itertools import islice
from uuid import UUID

from complaints.storage.rows import attachment as attachment_rows
from complaints.use_cases.service import Service

GRACE = timedelta(days=1)
"""Bytes without a row are left alone for so long. S3 counts the age of large ones from the begin of their upload."""

_BATCH = 500
_FEW_ORPHANS = 100
_PLAUSIBLE_SHARE = 0.1
log = logging.getLogger(__name__)


def empty_erased(service: Service) -> None:
    """Delete the bytes of erased attachments (rule 11.5). Raises StoreUnavailable; the next run goes on then."""
    blobs = service.attachments.blobs
    while ids := service.read_newest(lambda tx: attachment_rows.find_to_empty(tx, limit=_BATCH)):
        for one in ids:
            blobs.delete(one)
        emptied = list(ids)
        service.write(lambda tx: attachment_rows.record_emptied(tx, emptied, at=tx.now))  # noqa: B023 - called at once


def sweep_orphans(service: Service) -> int:
    """Delete what crashes left in the store: unfinished uploads, and bytes without a live row (rule 11.6).

    Returns the number of deleted blobs. If most of the store seems to be orphaned, nothing is deleted: then store and
    database do not belong together, or the database was restored to an earlier state.
    """
    blobs, before = service.attachments.blobs, service.wall() - GRACE
    blobs.discard_unfinished(before)
    count = 0
    orphans: list[UUID] = []
    old = (one.id for one in blobs.list_blobs() if one.written_at < before)
    while ids := set(islice(old, _BATCH)):
        count += len(ids)
        orphans += _without_row(service, ids)
    if len(orphans) > max(_FEW_ORPHANS, _PLAUSIBLE_SHARE * count):
        log.error(
            "too many attachments have no row: none is deleted", extra={"orphans": len(orphans), "all": count}
        )
        return 0
    for one in orphans:
        blobs.delete(one)
    if orphans:
        log.info("attachments without a row are deleted", extra={"attachments": len(orphans)})
    return len(orphans)


def _without_row(service: Service, ids: Collection[UUID]) -> Iterator[UUID]:
    live = service.read_newest(lambda tx: attachment_rows.find_live(tx, ids))
    return (one for one in ids if one not in live)
