"""The attachments of complaints, without their bytes: those stand in the store of blobs, under the same id."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    RowMapping,
    String,
    Table,
    Uuid,
    func,
    insert,
    select,
    update,
)

from complaints.domain.complaint.attachments import LONGEST_MEDIA_TYPE, LONGEST_NAME, Attachment
from complaints.domain.vocabulary import AttachmentStatus, Visibility
from complaints.storage.database.any_of import any_of
from complaints.storage.database.transactions import Transaction
from complaints.storage.database.types import UtcDateTime, metadata, one_of

LONGEST_FINDING = 200

attachment = Table(
    "attachment",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("complaint_id", ForeignKey("complaint.id"), nullable=False),
    Column("name", String(LONGEST_NAME)),
    Column("media_type", String(LONGEST_MEDIA_TYPE), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
    Column("status", one_of(AttachmentStatus), nullable=False),
    Column("visibility", one_of(Visibility), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("added_by", String(210), nullable=False),
    Column("scanned_at", UtcDateTime),
    Column("finding", String(LONGEST_FINDING)),
    Column("erased_at", UtcDateTime),
    Column("emptied_at", UtcDateTime),
    # By the wall clock: the scan that runs, or the next one after a failure, and how often it failed.
    Column("scan_after", UtcDateTime),
    Column("scan_failures", Integer, nullable=False, server_default="0"),
    CheckConstraint("size >= 0", name="size"),
    CheckConstraint("(erased_at IS NULL) = (name IS NOT NULL)", name="erased_name"),
    CheckConstraint("emptied_at IS NULL OR erased_at IS NOT NULL", name="emptied_at"),
    CheckConstraint("finding IS NULL OR status = 'quarantined'", name="finding"),
)
a = attachment.c
_waits = (a.status == "quarantined") & a.finding.is_(None) & a.erased_at.is_(None)
_full = a.erased_at.is_not(None) & a.emptied_at.is_(None)
Index("ix_attachment__complaint_id", a.complaint_id, a.id)
Index("ix_attachment__waiting", a.scan_after, postgresql_where=_waits, sqlite_where=_waits)
Index("ix_attachment__to_empty", a.erased_at, postgresql_where=_full, sqlite_where=_full)

_MEMBERS = [a[field.name] for field in fields(Attachment)]


def _read(row: RowMapping) -> Attachment:
    return Attachment(**row)


def insert_attachment(tx: Transaction, added: Attachment, *, scan_after: datetime | None = None) -> None:
    """Write a new attachment. Its bytes must be in the store already.

    `scan_after` is the time of the wall clock from which it may be scanned; None: it is not.
    """
    tx.connection.execute(insert(attachment).values(asdict(added) | {"scan_after": scan_after}))


def count_of_complaint(tx: Transaction, complaint_id: UUID) -> tuple[int, int]:
    """The number of attachments of a complaint, and their bytes together. Erased ones do not count."""
    total = func.coalesce(func.sum(a.size), 0)
    statement = select(func.count(), total).where(a.complaint_id == complaint_id, a.erased_at.is_(None))
    row = tx.connection.execute(statement).one()
    return row[0], int(row[1])


def list_attachments(
    tx: Transaction, complaint_id: UUID, *, after: UUID | None, limit: int
) -> Sequence[Attachment]:
    """Up to `limit` attachments of a complaint, oldest first. `after` is the last one of the page before."""
    statement = select(*_MEMBERS).where(a.complaint_id == complaint_id).order_by(a.id).limit(limit)
    if after is not None:
        statement = statement.where(a.id > after)
    return [_read(row) for row in tx.connection.execute(statement).mappings()]


def find_attachment(tx: Transaction, attachment_id: UUID) -> Attachment | None:
    """The attachment with this id, or None."""
    row = tx.connection.execute(select(*_MEMBERS).where(a.id == attachment_id)).mappings().first()
    return _read(row) if row else None


_OF_COMPLAINTS = select(*_MEMBERS).where(any_of(a.complaint_id)).order_by(a.id)


def find_of_complaints(tx: Transaction, complaint_ids: Collection[UUID]) -> dict[UUID, list[Attachment]]:
    """All attachments of complaints, by complaint, oldest first."""
    found: dict[UUID, list[Attachment]] = defaultdict(list)
    for row in tx.connection.execute(_OF_COMPLAINTS, {"ids": complaint_ids}).mappings():
        found[row["complaint_id"]].append(_read(row))
    return found


# Bytes -------------------------------------------------------------------------------------------------------------


def find_live(tx: Transaction, ids: Collection[UUID]) -> set[UUID]:
    """Those of `ids` whose bytes must be in the store: they have a row, and were not erased."""
    statement = select(a.id).where(any_of(a.id, ids), a.erased_at.is_(None))
    return set(tx.connection.execute(statement).scalars())


def list_live(tx: Transaction, *, after: UUID | None, limit: int) -> Sequence[Attachment]:
    """Up to `limit` attachments whose bytes must be in the store, with ids after `after`, ordered by id."""
    statement = select(*_MEMBERS).where(a.erased_at.is_(None)).order_by(a.id).limit(limit)
    if after is not None:
        statement = statement.where(a.id > after)
    return [_read(row) for row in tx.connection.execute(statement).mappings()]


def erase_attachments(
    tx: Transaction, complaint_id: UUID, ids: Collection[UUID] | None, *, at: datetime
) -> int:
    """Erase the names of attachments of a complaint, and mark their bytes for deletion. `ids` None: all of them.

    Returns how many there were.
    """
    chosen = [a.complaint_id == complaint_id, a.erased_at.is_(None)]
    if ids is not None:
        chosen.append(any_of(a.id, ids))
    statement = update(attachment).where(*chosen).values(name=None, erased_at=at)
    return tx.connection.execute(statement).rowcount


def find_to_empty(tx: Transaction, *, limit: int) -> Sequence[UUID]:
    """The ids of erased attachments whose bytes are not deleted yet, the first erased first."""
    statement = select(a.id).where(_full).order_by(a.erased_at, a.id).limit(limit)
    return tx.connection.execute(statement).scalars().all()


def record_emptied(tx: Transaction, ids: Collection[UUID], *, at: datetime) -> None:
    """Record that the bytes of erased attachments are deleted."""
    tx.connection.execute(update(attachment).where(any_of(a.id, ids), _full).values(emptied_at=at))


# Scanning ----------------------------------------------------------------------------------------------------------


def claim_scan(tx: Transaction, *, now: datetime, until: datetime) -> Attachment | None:
    """Claim the attachment in quarantine that waits longest, until `until`. None: none may be scanned now.

    `now` and `until` are times of the wall clock.
    """
    free = select(*_MEMBERS).where(_waits, a.scan_after <= now).order_by(a.scan_after, a.id).limit(1)
    row = tx.connection.execute(free.with_for_update(skip_locked=True)).mappings().first()
    if row is None:
        return None
    postpone_scan(tx, row["id"], until=until)
    return _read(row)


def postpone_scan(tx: Transaction, attachment_id: UUID, *, until: datetime) -> None:
    """Let an attachment wait until `until`, by the wall clock."""
    tx.connection.execute(update(attachment).where(a.id == attachment_id).values(scan_after=until))


def count_scan_failure(tx: Transaction, attachment_id: UUID) -> int:
    """Count one more failure. Returns how often the scan failed before."""
    counted = update(attachment).where(a.id == attachment_id).values(scan_failures=a.scan_failures + 1)
    failures: int = tx.connection.execute(counted.returning(a.scan_failures)).scalar_one()
    return failures - 1


def record_clean(tx: Transaction, attachment_id: UUID, *, at: datetime) -> None:
    """Record that the scanner found nothing. An answer that was recorded before stays."""
    waiting = update(attachment).where(a.id == attachment_id, _waits)
    tx.connection.execute(waiting.values(status=AttachmentStatus.CLEAN, scanned_at=at))


def record_finding(tx: Transaction, attachment_id: UUID, finding: str, *, at: datetime) -> bool:
    """Record what the scanner found. False if an answer was recorded before, or the attachment was erased."""
    waiting = update(attachment).where(a.id == attachment_id, _waits)
    return tx.connection.execute(waiting.values(finding=finding, scanned_at=at)).rowcount == 1


def shorten_finding(finding: str) -> str:
    """The finding as the table can hold it: printable, at most 200 characters."""
    return "".join(ch for ch in finding if ch.isprintable())[:LONGEST_FINDING] or "unknown"
