"""What mails to complainants need of the tables of the core."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from complaints.features.notifications.mailbox.tables import MailFate, received_mail
from complaints.storage.database.any_of import any_of
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows.complaint import complaint
from complaints.storage.rows.person import COMPLAINANT, person


@dataclass(frozen=True, slots=True)
class Correspondent:
    """A complainant with a mail address. `is_imported`: the complaint came by an import."""

    language: str | None
    is_imported: bool


def find_correspondents(tx: Transaction, complaint_ids: Collection[UUID]) -> Mapping[UUID, Correspondent]:
    """The complainants of these complaints who have a mail address."""
    if not complaint_ids:
        return {}
    p, c = person.c, complaint.c
    statement = (
        select(c.id, p.language, c.import_id)
        .join(person, p.complaint_id == c.id)
        .where(any_of(c.id, complaint_ids), p.role == COMPLAINANT, p.email.is_not(None))
    )
    return {
        row.id: Correspondent(row.language, row.import_id is not None)
        for row in tx.connection.execute(statement)
    }


def find_message_id(tx: Transaction, complaint_id: UUID) -> str | None:
    """The Message-ID of the mail that became this complaint, or None."""
    r = received_mail.c
    statement = select(r.message_id).where(r.complaint_id == complaint_id, r.fate == MailFate.COMPLAINT)
    return tx.connection.execute(statement.limit(1)).scalar()
