"""First answers, kept under their idempotency keys: a repeated request gets the same answer, byte for byte."""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import itemgetter

from pydantic_core import from_json
from sqlalchemy import JSON, Column, Index, LargeBinary, SmallInteger, String, Table, delete, select, tuple_

from complaints.storage.database.bulk import insert_last
from complaints.storage.database.look_ups import LookUp, Rows
from complaints.storage.database.transactions import Transaction
from complaints.storage.database.types import UtcDateTime, metadata

KEPT = timedelta(hours=48)

idempotency = Table(
    "idempotency",
    metadata,
    Column("scope", String(64), primary_key=True),
    Column("key", String(260), primary_key=True),
    Column("request_digest", LargeBinary(32), nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("headers", JSON, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Index("ix_idempotency__created_at", "created_at"),
)


Name = tuple[str, str]
"""The scope of an idempotency key, and the key."""


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """The answer that a request got the first time."""

    request_digest: bytes
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class ClaimResult:
    """`ours` are the names that no other transaction uses now, `kept` the answers given under them before."""

    ours: frozenset[Name]
    kept: dict[Name, KeptAnswer]


# One index look-up for each name. LIMIT 1 stops PostgreSQL from choosing a sequential scan while the table is small.
# The claim may miss an answer that is committed at the same time. A second answer then violates the key: RaceLost.
_CLAIM = {
    "postgresql": """
        SELECT asked.scope, asked.key, pg_try_advisory_xact_lock(asked.number) AS is_ours,
            encode(kept.request_digest, 'hex') AS request_digest, kept.status, kept.headers::text AS headers,
            encode(kept.body, 'hex') AS body
        FROM json_to_recordset(%s) AS asked(scope text, key text, number bigint)
        LEFT JOIN LATERAL (
            SELECT * FROM idempotency WHERE idempotency.scope = asked.scope AND idempotency.key = asked.key LIMIT 1
        ) AS kept ON true
    """,
    "sqlite": """
        SELECT asked.value ->> 'scope', asked.value ->> 'key', true,
            hex(kept.request_digest), kept.status, kept.headers, hex(kept.body)
        FROM json_each(?) AS asked
        LEFT JOIN idempotency AS kept ON kept.scope = asked.value ->> 'scope' AND kept.key = asked.value ->> 'key'
    """,
}


def ask_for_claims(names: Collection[Name]) -> LookUp[ClaimResult]:
    """Keep other transactions from using these names until this one ends.

    SQLite has one writer, so there all names are ours. In a transaction that begins late, the claim ends with the
    look-up; then the primary key refuses a second answer, and RaceLost is raised.
    """
    asked = [{"scope": scope, "key": key, "number": _number((scope, key))} for scope, key in names]
    return LookUp(_CLAIM, asked, _read_claims)


def _number(name: Name) -> int:
    digest = hashlib.sha256("\n".join(name).encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def _read_claims(rows: Rows) -> ClaimResult:
    ours = [((scope, key), answer) for scope, key, is_ours, *answer in rows if is_ours]
    kept = {
        name: KeptAnswer(bytes.fromhex(digest), status, from_json(headers), bytes.fromhex(body))
        for name, (digest, status, headers, body) in ours
        if status is not None
    }
    return ClaimResult(frozenset(name for name, _ in ours), kept)


def keep_answers(tx: Transaction, answers: Mapping[Name, KeptAnswer]) -> None:
    """Keep answers under claimed names, just before commit.

    They are written in the order of their names, so that two transactions with the same names do not wait for each
    other.
    """
    rows = [
        {
            "scope": scope,
            "key": key,
            "request_digest": answer.request_digest,
            "status": answer.status,
            "headers": answer.headers,
            "body": answer.body,
            "created_at": tx.now,
        }
        for (scope, key), answer in sorted(answers.items(), key=itemgetter(0))
    ]
    insert_last(tx, idempotency, rows)


def forget_answers(tx: Transaction, before: datetime, limit: int) -> int:
    """Delete up to `limit` answers older than `before`, and return how many they were. Locked answers are left."""
    i = idempotency.c
    old = select(i.scope, i.key).where(i.created_at < before).order_by(i.created_at).limit(limit)
    names = [tuple(row) for row in tx.connection.execute(old.with_for_update(skip_locked=True))]
    if not names:
        return 0
    return tx.connection.execute(delete(idempotency).where(tuple_(i.scope, i.key).in_(names))).rowcount
