"""The tables of the mails that were taken, or that the server refused. They hold no text and no address of a mail."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Row,
    String,
    Table,
    UniqueConstraint,
    Uuid,
    delete,
    func,
    select,
    update,
)

from complaints.features.notifications.tables import metadata
from complaints.storage.database.transactions import Transaction
from complaints.storage.database.types import UtcDateTime, one_of
from complaints.storage.database.upsert import insert_if_absent
from complaints.storage.rows.complaint import complaint


class MailFate(StrEnum):
    """What became of a mail."""

    COMPLAINT = "complaint"  # it is a new complaint
    CONTACT = "contact"  # it is a contact on a complaint
    BOUNCE = "bounce"  # it says that a sent mail was not delivered
    AUTOMATIC = "automatic"  # a program wrote it: nothing follows
    LOOP = "loop"  # it came from our own address: nothing follows
    DUPLICATE = "duplicate"  # it was taken before
    QUARANTINED = "quarantined"  # a person must look at it in the mailbox


received_mail = Table(
    "received_mail",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("mailbox", String(500), nullable=False),
    Column("validity", BigInteger, nullable=False),
    Column("uid", BigInteger, nullable=False),
    Column("message_id", String(200)),
    Column("digest", LargeBinary(32)),
    Column("sender_digest", LargeBinary(32)),
    Column("fate", one_of(MailFate), nullable=False),
    Column("reason", String(200)),
    Column("complaint_id", ForeignKey(complaint.c.id)),
    Column("files", Integer, nullable=False),
    Column("files_kept", Integer, nullable=False),
    Column("taken_at", UtcDateTime, nullable=False),  # the wall clock
    UniqueConstraint("mailbox", "validity", "uid", name="uq_received_mail__uid"),
    CheckConstraint("files_kept >= 0 AND files_kept <= files", name="files"),
    CheckConstraint("fate NOT IN ('complaint', 'contact') OR complaint_id IS NOT NULL", name="complaint"),
)
r = received_mail.c
_TAKEN = (MailFate.COMPLAINT, MailFate.CONTACT)
_UNFINISHED = r.files_kept < r.files
Index("ix_received_mail__digest", r.digest)
Index("ix_received_mail__sender", r.sender_digest, r.taken_at)
Index("ix_received_mail__complaint_id", r.complaint_id)
Index(
    "ix_received_mail__unfinished",
    r.mailbox,
    r.validity,
    r.uid,
    postgresql_where=_UNFINISHED,
    sqlite_where=_UNFINISHED,
)

refused_mail = Table(
    "refused_mail",
    metadata,
    Column("mailbox", String(500), primary_key=True),
    Column("validity", BigInteger, primary_key=True, autoincrement=False),
    Column("uid", BigInteger, primary_key=True, autoincrement=False),
    Column("refused_at", UtcDateTime, nullable=False),  # for the first time; the wall clock
)
f = refused_mail.c


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedMail:
    """A mail that was taken. `mailbox`, `validity` and `uid` are its place.

    `digest` and `message_id` are None for a mail that was not read. `sender_digest` tells mails of one sender without
    the address. `files` are to become attachments of the complaint, and `files_kept` of them have.
    """

    id: UUID
    mailbox: str
    validity: int
    uid: int
    fate: MailFate
    taken_at: datetime
    reason: str | None = None
    message_id: str | None = None
    digest: bytes | None = None
    sender_digest: bytes | None = None
    complaint_id: UUID | None = None
    files: int = 0
    files_kept: int = 0


def insert_mail(tx: Transaction, mail: ReceivedMail) -> bool:
    """Write a mail; False if it was taken before."""
    values = {name: getattr(mail, name) for name in ReceivedMail.__dataclass_fields__}
    return insert_if_absent(tx, received_mail, values)


def find_last_uid(tx: Transaction, mailbox: str, validity: int) -> int:
    """The highest number of a mail that was taken or refused; 0: there is none."""
    taken = select(func.max(r.uid)).where(r.mailbox == mailbox, r.validity == validity)
    refused = select(func.max(f.uid)).where(f.mailbox == mailbox, f.validity == validity)
    return max(tx.connection.execute(last).scalar() or 0 for last in (taken, refused))


def note_refusal(tx: Transaction, mailbox: str, validity: int, uid: int, *, wall: datetime) -> datetime:
    """Note that the server did not show a mail. Returns when it did not for the first time."""
    values = {"mailbox": mailbox, "validity": validity, "uid": uid, "refused_at": wall}
    insert_if_absent(tx, refused_mail, values)
    statement = select(f.refused_at).where(f.mailbox == mailbox, f.validity == validity, f.uid == uid)
    found: datetime = tx.connection.execute(statement).scalar_one()
    return found


def list_refused(tx: Transaction, mailbox: str, validity: int, *, limit: int) -> Sequence[int]:
    """The numbers of the mails that the server did not show, lowest first."""
    statement = select(f.uid).where(f.mailbox == mailbox, f.validity == validity)
    return tx.connection.execute(statement.order_by(f.uid).limit(limit)).scalars().all()


def forget_refusal(tx: Transaction, mailbox: str, validity: int, uid: int) -> None:
    """Delete the note that the server did not show a mail."""
    statement = delete(refused_mail).where(f.mailbox == mailbox, f.validity == validity, f.uid == uid)
    tx.connection.execute(statement)


def is_taken(tx: Transaction, mailbox: str, validity: int, uid: int) -> bool:
    """True if the mail at this place was taken."""
    statement = select(r.id).where(r.mailbox == mailbox, r.validity == validity, r.uid == uid)
    return tx.connection.execute(statement).first() is not None


def find_copy(tx: Transaction, digest: bytes) -> ReceivedMail | None:
    """A complaint or contact with the same digest, or None."""
    statement = select(received_mail).where(r.digest == digest, r.fate.in_(_TAKEN)).limit(1)
    row = tx.connection.execute(statement).first()
    return _read(row) if row else None


def count_of_sender(tx: Transaction, sender_digest: bytes, *, since: datetime, until: datetime) -> int:
    """How many mails of a sender were taken between two instants of the wall clock."""
    statement = select(func.count()).where(
        r.sender_digest == sender_digest, r.taken_at >= since, r.taken_at <= until
    )
    return tx.connection.execute(statement).scalar_one()


def list_unfinished(tx: Transaction, mailbox: str, validity: int, *, limit: int) -> Sequence[ReceivedMail]:
    """Mails that have files to keep."""
    statement = select(received_mail).where(r.mailbox == mailbox, r.validity == validity, _UNFINISHED)
    return [_read(row) for row in tx.connection.execute(statement.order_by(r.uid).limit(limit))]


def note_file(tx: Transaction, mail: ReceivedMail, n: int) -> bool:
    """Note that the file at place `n` was kept. False: another process has done so."""
    of_mail = (r.id == mail.id, r.files_kept == n)
    noted = update(received_mail).where(*of_mail).values(files_kept=n + 1)
    return tx.connection.execute(noted).rowcount == 1


def give_up_files(tx: Transaction, mail: ReceivedMail) -> None:
    """Note that no other file of a mail can be kept."""
    tx.connection.execute(update(received_mail).where(r.id == mail.id).values(files=r.files_kept))


def list_mails(
    tx: Transaction, *, fate: MailFate | None = None, before: UUID | None = None, limit: int
) -> Sequence[ReceivedMail]:
    """Mails, newest first: those with this fate, and those before the one with the id `before`."""
    statement = select(received_mail).order_by(r.id.desc()).limit(limit)
    if fate is not None:
        statement = statement.where(r.fate == fate)
    if before is not None:
        statement = statement.where(r.id < before)
    return [_read(row) for row in tx.connection.execute(statement)]


def _read(row: Row[Any]) -> ReceivedMail:
    return ReceivedMail(**row._mapping)
