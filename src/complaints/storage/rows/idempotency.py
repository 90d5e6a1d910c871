"""First answers, kept under their idempotency keys: a repeated request gets the same answer, byte for byte."""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import JSON, Column, Index, LargeBinary, SmallInteger, String, Table, delete, select, tuple_

from complaints.domain.json_text import encode
from complaints.storage.database.bulk import insert_last
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
_CLAIM = """
SELECT asked.scope, asked.key, pg_try_advisory_xact_lock(asked.number),
    kept.request_digest, kept.status, kept.headers, kept.body
FROM json_to_recordset(%s) AS asked(scope text, key text, number bigint)
LEFT JOIN LATERAL (
    SELECT * FROM idempotency WHERE idempotency.scope = asked.scope AND idempotency.key = asked.key LIMIT 1
) AS kept ON true
"""


def claim(tx: Transaction, names: Collection[Name]) -> ClaimResult:
    """Keep other transactions from using these names until this one ends.

    SQLite has one writer, so there all names are ours.
    """
    if not names:
        return ClaimResult(frozenset(), {})
    if tx.connection.dialect.name != "postgresql":
        return ClaimResult(frozenset(names), _find_answers(tx, names))
    asked = [{"scope": scope, "key": key, "number": _number((scope, key))} for scope, key in names]
    found = tx.connection.exec_driver_sql(_CLAIM, (encode(asked).decode(),)).all()
    ours = [((scope, key), answer) for scope, key, is_ours, *answer in found if is_ours]
    return ClaimResult(
        frozenset(name for name, _ in ours),
        {name: KeptAnswer(*answer) for name, answer in ours if answer[0] is not None},
    )


def _number(name: Name) -> int:
    digest = hashlib.sha256("\n".join(name).encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def _find_answers(tx: Transaction, names: Collection[Name]) -> dict[Name, KeptAnswer]:
    i = idempotency.c
    statement = select(i.scope, i.key, i.request_digest, i.status, i.headers, i.body).where(
        i.scope.in_({scope for scope, _ in names}), i.key.in_({key for _, key in names})
    )
    return {(scope, key): KeptAnswer(*answer) for scope, key, *answer in tx.connection.execute(statement)}


def keep_answers(tx: Transaction, answers: Mapping[Name, KeptAnswer]) -> None:
    """Keep answers under claimed names, just before commit."""
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
        for (scope, key), answer in answers.items()
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
