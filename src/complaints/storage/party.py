"""Personal data: the complainant and the reporter, in a table of their own. No other table holds any."""

from collections.abc import Collection, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    String,
    Table,
    literal_column,
    select,
    union,
)
from sqlalchemy.dialects import postgresql, sqlite

from complaints.domain.complainants import Identity
from complaints.domain.complaint import Party
from complaints.domain.vocabulary import ContactChannel
from complaints.storage.base import metadata, one_of
from complaints.storage.bulk import Inserts, is_any_of
from complaints.storage.complaint import complaint
from complaints.storage.unit_of_work import Transaction
from complaints.storage.value_lists import among

COMPLAINANT, REPORTER = "complainant", "reporter"

party = Table(
    "party",
    metadata,
    Column("complaint_id", ForeignKey("complaint.id"), primary_key=True),
    Column("role", String(20), primary_key=True),
    Column("name", String(200)),
    Column("phone", String(32)),
    Column("email", String(254)),
    Column("account_no", String(200)),
    Column("preferred_contact", one_of(ContactChannel)),
    Column("language", String(200)),
    Column("vulnerable", Boolean, nullable=False),
    Column("phone_e164", String(40)),
    Column("email_normal", String(254)),
    CheckConstraint("role IN ('complainant', 'reporter')", name="role"),
)
p = party.c
for _column in (p.phone_e164, p.email_normal, p.account_no):
    Index(
        f"ix_party__{_column.name}",
        _column,
        postgresql_where=_column.is_not(None),
        sqlite_where=_column.is_not(None),
    )

_MEMBERS = tuple(f.name for f in fields(Party))
_FOUND = select(p.complaint_id, p.role, *(p[name] for name in _MEMBERS)).where(among(p.complaint_id))
# Each mark by itself, since each has its index.
_BY_MARK = union(
    *(
        select(p.complaint_id, p.account_no, p.phone_e164, p.email_normal).where(
            among(mark, mark.name), p.role == literal_column("'complainant'")
        )
        for mark in (p.account_no, p.phone_e164, p.email_normal)
    )
)
Parties = dict[str, Party]


def row_of(complaint_id: UUID, role: str, fact: Party, identity: Identity) -> dict[str, Any]:
    """The columns of a party."""
    values = {name: getattr(fact, name) for name in _MEMBERS}
    return values | {
        "complaint_id": complaint_id,
        "role": role,
        "phone_e164": identity.phone_e164,
        "email_normal": identity.email,
    }


def insert_parties(inserts: Inserts, rows: list[dict[str, Any]]) -> None:
    """Write parties of new complaints."""
    inserts.add(party, rows)


def replace_party(tx: Transaction, row: dict[str, Any]) -> None:
    """Write one party anew."""
    dialect_insert = postgresql.insert if tx.connection.dialect.name == "postgresql" else sqlite.insert
    statement = dialect_insert(party).values(row)
    keys = ("complaint_id", "role")
    changed = {name: statement.excluded[name] for name in row if name not in keys}
    tx.connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changed))


def find_parties(tx: Transaction, complaint_ids: Collection[UUID]) -> dict[UUID, Parties]:
    """The parties of complaints, by complaint and role."""
    found: dict[UUID, Parties] = {}
    for complaint_id, role, *members in tx.connection.execute(_FOUND, {"ids": complaint_ids}).all():
        found.setdefault(complaint_id, {})[role] = Party(*members)
    return found


def find_identity(tx: Transaction, complaint_id: UUID) -> Identity:
    """What the complainant is known by."""
    statement = select(p.account_no, p.phone_e164, p.email_normal).where(
        p.complaint_id == complaint_id, p.role == COMPLAINANT
    )
    row = tx.connection.execute(statement).first()
    return Identity(*row) if row else Identity(None, None, None)


def find_earlier(
    tx: Transaction, identities: Sequence[Identity], categories: Collection[str], since: datetime
) -> Sequence[tuple[Identity, str, datetime]]:
    """Complaints in `categories` received at or after `since` by anyone who shares a mark with `identities`:
    their identity, category and time of receipt.
    """
    wanted = {
        "account_no": {i.account_no for i in identities if i.account_no},
        "phone_e164": {i.phone_e164 for i in identities if i.phone_e164},
        "email_normal": {i.email for i in identities if i.email},
    }
    if not categories or not any(wanted.values()):
        return []
    # In two steps, since most have never complained before; and while a database is young, the planner joins badly.
    known = {key: Identity(*found) for key, *found in tx.connection.execute(_BY_MARK, wanted)}
    if not known:
        return []
    c = complaint.c
    matching = select(c.id, c.category, c.received_at).where(
        is_any_of(tx, c.id, known),
        is_any_of(tx, c.category, categories),
        c.received_at >= since,
        c.merged_into.is_(None),
    )
    return [(known[key], category, at) for key, category, at in tx.connection.execute(matching)]
