"""The table of persons: complainants and reporters. No other table holds personal data."""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from operator import attrgetter
from secrets import token_bytes
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Table,
    delete,
    func,
    select,
)

from complaints.domain.complaint.facts import Person
from complaints.domain.complaint.identity import Identity
from complaints.domain.json_text import encode
from complaints.domain.vocabulary import ContactChannel, Status
from complaints.storage.database.any_of import any_of
from complaints.storage.database.bulk import Inserts, update_rows
from complaints.storage.database.look_ups import LookUp, Rows, instant_text, read_instant
from complaints.storage.database.plain_rows import rows_of
from complaints.storage.database.transactions import Transaction
from complaints.storage.database.types import metadata, one_of
from complaints.storage.database.upsert import insert_or_update
from complaints.storage.rows.complaint import complaint

COMPLAINANT, REPORTER = "complainant", "reporter"

person = Table(
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
    Column("phone_extension", String(10)),
    # The comparable form, only where it differs from the account number as given. "": nobody's number.
    Column("account_normal", String(200)),
    # The history has a digest of the members with this salt. It goes with the person, and then proves nothing more.
    Column("salt", LargeBinary(16)),
    CheckConstraint("role IN ('complainant', 'reporter')", name="role"),
)
p = person.c
for _column in (p.phone_e164, p.email_normal, p.account_no, p.account_normal):
    Index(
        f"ix_party__{_column.name}",
        _column,
        postgresql_where=_column.is_not(None),
        sqlite_where=_column.is_not(None),
    )

_MEMBERS = tuple(f.name for f in fields(Person))
_values = attrgetter(*_MEMBERS)
_FOUND = select(p.complaint_id, p.role, *(p[name] for name in _MEMBERS)).where(any_of(p.complaint_id))


class EarlierComplaint(NamedTuple):
    """The members of an earlier complaint that decide on a repeat, and those that callers see."""

    id: UUID
    sequence: int
    status: Status
    category: str | None
    received_at: datetime
    source: str
    team: str
    assignee: str | None
    first_owner: str


class ReceivedComplaint(NamedTuple):
    """The members of a complaint that decide whether it repeats another, with the identity of its complainant."""

    id: UUID
    sequence: int
    received_at: datetime
    category: str | None
    merged_into: UUID | None
    identity: Identity

    @property
    def place(self) -> tuple[datetime, int]:
        """Complaints are ordered by their receipt, then by their number."""
        return self.received_at, self.sequence

    @property
    def marks(self) -> tuple[tuple[str, str], ...]:
        """The marks that the complainant has, each with its kind."""
        known = self.identity
        named = (("account", known.account_no), ("phone", known.phone_e164), ("email", known.email))
        return tuple((kind, mark) for kind, mark in named if mark)


_ROWS = select(person).where(any_of(p.complaint_id))
_ACCOUNT = func.coalesce(p.account_normal, p.account_no)
# One index look-up for each identifier (account number, phone, e-mail) and for each complaint found by it. OFFSET 0
# and CROSS JOIN keep that order: the planner would scan the tables while they are small.
_EARLIER = {
    "postgresql": """
        SELECT coalesce(known.account_normal, known.account_no) AS account_no, known.phone_e164, known.email_normal,
            known.phone_extension, earlier.*
        FROM json_to_recordset(%s)
            AS asked(account_no text, phone_e164 text, email text, since timestamp with time zone),
        LATERAL (
            SELECT * FROM party WHERE account_no = asked.account_no
            UNION SELECT * FROM party WHERE account_normal = asked.account_no
            UNION SELECT * FROM party WHERE phone_e164 = asked.phone_e164
            UNION SELECT * FROM party WHERE email_normal = asked.email
            OFFSET 0
        ) AS known,
        LATERAL (
            SELECT {columns} FROM complaint AS earlier
            WHERE id = known.complaint_id AND received_at >= asked.since AND merged_into IS NULL OFFSET 0
        ) AS earlier
        WHERE known.role = 'complainant'
    """,
    "sqlite": """
        SELECT coalesce(known.account_normal, known.account_no) AS account_no, known.phone_e164, known.email_normal,
            known.phone_extension, {columns}
        FROM json_each(?) AS asked
        CROSS JOIN party AS known ON known.account_no = asked.value ->> 'account_no'
            OR known.account_normal = asked.value ->> 'account_no'
            OR known.phone_e164 = asked.value ->> 'phone_e164' OR known.email_normal = asked.value ->> 'email'
        CROSS JOIN complaint AS earlier ON earlier.id = known.complaint_id
        WHERE earlier.received_at >= asked.value ->> 'since' AND earlier.merged_into IS NULL
            AND known.role = 'complainant'
    """,
}
_FIND_EARLIER = {
    database: statement.format(columns=", ".join(f"earlier.{n}" for n in EarlierComplaint._fields))
    for database, statement in _EARLIER.items()
}
Persons = dict[str, Person]


def row_of(complaint_id: UUID, role: str, fact: Person, identity: Identity) -> dict[str, Any]:
    """The columns of one person of a complaint. `identity` is the person's, in comparable form."""
    return {"complaint_id": complaint_id, **columns_of(role, fact, identity)}


def columns_of(role: str, fact: Person, identity: Identity) -> dict[str, Any]:
    """The columns of a person whose complaint has no id yet."""
    return {
        **members_of(fact),
        "role": role,
        "salt": token_bytes(16),
        **marks_of(fact, identity),
    }


def digest_of(row: Mapping[str, Any]) -> str:
    """The salted SHA-256 digest of the members of a person, in hexadecimal: the form of a person in events."""
    return hashlib.sha256(row["salt"] + encode({name: row[name] for name in _MEMBERS})).hexdigest()


def marks_of(fact: Person, identity: Identity) -> dict[str, Any]:
    """The columns by which a person is found and compared."""
    account = identity.account_no or ""
    return {
        "phone_e164": identity.phone_e164,
        "phone_extension": identity.extension,
        "email_normal": identity.email,
        "account_normal": None if account == (fact.account_no or "") else account,
    }


def insert_persons(inserts: Inserts, rows: list[dict[str, Any]]) -> None:
    """Insert the persons of new complaints."""
    inserts.add(person, rows)


def replace_person(tx: Transaction, row: dict[str, Any]) -> None:
    """Write a person in place of the person with the same complaint and role."""
    insert_or_update(tx, person, row)


def remove_person(tx: Transaction, complaint_id: UUID, role: str) -> None:
    """Remove the person with this role from a complaint."""
    tx.connection.execute(delete(person).where(p.complaint_id == complaint_id, p.role == role))


def find_persons(tx: Transaction, complaint_ids: Collection[UUID]) -> dict[UUID, Persons]:
    """The persons of complaints, by complaint id and role."""
    found: dict[UUID, Persons] = {}
    for complaint_id, role, *members in tx.connection.execute(_FOUND, {"ids": complaint_ids}).all():
        found.setdefault(complaint_id, {})[role] = Person(*members)
    return found


def find_person_members(
    tx: Transaction, complaint_ids: Collection[UUID]
) -> dict[UUID, dict[str, dict[str, Any]]]:
    """The members of persons by name, by complaint id and role. No fact is made."""
    found: dict[UUID, dict[str, dict[str, Any]]] = defaultdict(dict)
    for complaint_id, role, *members in rows_of(tx, _FOUND, complaint_ids):
        found[complaint_id][role] = dict(zip(_MEMBERS, members, strict=True))
    return found


def members_of(fact: Person) -> dict[str, Any]:
    """The members of a person by name."""
    return dict(zip(_MEMBERS, _values(fact), strict=True))


def find_rows(tx: Transaction, complaint_ids: Collection[UUID]) -> dict[UUID, Sequence[Mapping[str, Any]]]:
    """The rows of the persons of complaints, with the columns by which they are found, by complaint id."""
    found: dict[UUID, list[Mapping[str, Any]]] = defaultdict(list)
    for row in tx.connection.execute(_ROWS, {"ids": complaint_ids}).mappings():
        found[row["complaint_id"]].append(dict(row))
    return dict(found)


def fact_of(row: Mapping[str, Any]) -> Person:
    """The person of a row."""
    return Person(**{name: row[name] for name in _MEMBERS})


def write_marks(tx: Transaction, rows: Sequence[dict[str, Any]]) -> None:
    """Write the columns by which persons are found. `rows` have `key_complaint_id`, `key_role` and `marks_of`."""
    update_rows(tx, person, rows)


def find_identity(tx: Transaction, complaint_id: UUID) -> Identity:
    """The identity of the complainant; empty if there is none."""
    statement = select(_ACCOUNT, p.phone_e164, p.email_normal, p.phone_extension).where(
        p.complaint_id == complaint_id, p.role == COMPLAINANT
    )
    row = tx.connection.execute(statement).first()
    return Identity(*row) if row else Identity()


def find_received(tx: Transaction, complaint_ids: Collection[UUID]) -> list[ReceivedComplaint]:
    """These complaints with the identities of their complainants. One without a complainant is left out."""
    c = complaint.c
    statement = (
        select(
            c.id, c.sequence, c.received_at, c.category, c.merged_into,
            _ACCOUNT, p.phone_e164, p.email_normal, p.phone_extension,
        )
        .join(person, (p.complaint_id == c.id) & (p.role == COMPLAINANT))
        .where(any_of(c.id, complaint_ids))
    )  # fmt: skip
    return [ReceivedComplaint(*row[:5], Identity(*row[5:])) for row in tx.connection.execute(statement)]


def ask_for_earlier(
    asked: Collection[tuple[Identity, datetime]],
) -> LookUp[list[tuple[Identity, EarlierComplaint]]]:
    """Earlier complaints of the persons with these identities, each received at or after an instant.

    A complaint is found if its complainant has the account number, the phone or the e-mail of an identity. The
    result has its identity, and may have the same complaint several times.
    """
    items = [
        {
            "account_no": identity.account_no,
            "phone_e164": identity.phone_e164,
            "email": identity.email,
            "since": instant_text(since),
        }
        for identity, since in dict.fromkeys(asked)
    ]
    return LookUp(_FIND_EARLIER, items, _read_earlier)


def _read_earlier(rows: Rows) -> list[tuple[Identity, EarlierComplaint]]:
    return [(Identity(*row[:4]), _earlier_of(*row[4:])) for row in rows]


def _earlier_of(
    i: str, sequence: int, status: str, category: str | None, at: str, *others: Any
) -> EarlierComplaint:
    return EarlierComplaint(UUID(i), sequence, Status(status), category, read_instant(at), *others)
