"""The digests of the words of contacts, so that the same words are known as a retry (rule 1.11).

The digest of the words that made a complaint stands in the row of the complaint (`words_digest`).
"""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import Column, ForeignKey, LargeBinary, Table, select, union_all

from complaints.storage.database.any_of import any_of
from complaints.storage.database.bulk import Inserts
from complaints.storage.database.transactions import Transaction
from complaints.storage.database.types import metadata
from complaints.storage.rows.complaint import complaint

contact_digest = Table(
    "contact_digest",
    metadata,
    Column("complaint_id", ForeignKey("complaint.id"), primary_key=True),
    Column("digest", LargeBinary(32), primary_key=True),
    sqlite_with_rowid=False,
)
k, c = contact_digest.c, complaint.c


def insert_digests(inserts: Inserts, words: Collection[tuple[UUID, bytes]]) -> None:
    """Remember words of contacts; `words` are pairs of a complaint and a digest."""
    inserts.add(contact_digest, [{"complaint_id": i, "digest": digest} for i, digest in words])


def find_digests(tx: Transaction, complaint_ids: Collection[UUID]) -> dict[UUID, set[bytes]]:
    """The digests of the words of these complaints: of their intake and of all contacts."""
    statement = union_all(
        select(k.complaint_id, k.digest).where(any_of(k.complaint_id, complaint_ids)),
        select(c.id, c.words_digest).where(any_of(c.id, complaint_ids), c.words_digest.is_not(None)),
    )
    found: dict[UUID, set[bytes]] = {}
    for complaint_id, digest in tx.connection.execute(statement):
        found.setdefault(complaint_id, set()).add(digest)
    return found
