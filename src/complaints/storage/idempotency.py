"""First answers kept under their idempotency key, so that a repeated request gets the same answer, byte for byte."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import (
    JSON,
    Column,
    Index,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    delete,
    func,
    insert,
    select,
)

from complaints.storage.base import UtcDateTime, metadata
from complaints.storage.unit_of_work import Transaction

KEPT = timedelta(hours=48)

idempotency = Table(
    "idempotency",
    metadata,
    Column("scope", String(64), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("request_digest", LargeBinary(32), nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("headers", JSON, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Index("ix_idempotency__created_at", "created_at"),
)


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """An answer given before."""

    request_digest: bytes
    status: int
    headers: dict[str, str]
    body: bytes


def try_claim(tx: Transaction, scope: str, key: str) -> bool:
    """Keep others from using the key until this transaction ends; False if another does now.

    SQLite has one writer, so there the key is ours already.
    """
    if tx.connection.dialect.name != "postgresql":
        return True
    number = int.from_bytes(hashlib.sha256(f"{scope}\n{key}".encode()).digest()[:8], "big", signed=True)
    return bool(tx.connection.execute(select(func.pg_try_advisory_xact_lock(number))).scalar_one())


def find_answer(tx: Transaction, scope: str, key: str) -> KeptAnswer | None:
    """The answer kept under the key."""
    i = idempotency.c
    statement = select(i.request_digest, i.status, i.headers, i.body).where(i.scope == scope, i.key == key)
    row = tx.connection.execute(statement).first()
    return KeptAnswer(*row) if row else None


def keep_answer(tx: Transaction, scope: str, key: str, answer: KeptAnswer) -> None:
    """Keep an answer under a claimed key."""
    statement = insert(idempotency).values(
        scope=scope,
        key=key,
        request_digest=answer.request_digest,
        status=answer.status,
        headers=answer.headers,
        body=answer.body,
        created_at=tx.now,
    )
    tx.connection.execute(statement)


def forget_answers(tx: Transaction, before: datetime) -> int:
    """Delete answers older than `before`; how many."""
    return tx.connection.execute(delete(idempotency).where(idempotency.c.created_at < before)).rowcount
