"""First answers kept under their idempotency key, so that a repeated request gets the same answer, byte for byte."""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import (
    ARRAY,
    JSON,
    BigInteger,
    Column,
    Index,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    bindparam,
    delete,
    func,
    select,
)

from complaints.storage.base import UtcDateTime, metadata
from complaints.storage.bulk import insert_rows, is_any_of
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


Name = tuple[str, str]
"""The scope of a key, and the key."""


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """An answer given before."""

    request_digest: bytes
    status: int
    headers: dict[str, str]
    body: bytes


def try_claim(tx: Transaction, names: Collection[Name]) -> frozenset[Name]:
    """Keep others from using these names until this transaction ends; those that nobody else uses now.

    SQLite has one writer, so there all are ours already.
    """
    if tx.connection.dialect.name != "postgresql":
        return frozenset(names)
    numbers = {_number(name): name for name in names}
    number = func.unnest(bindparam(None, list(numbers), ARRAY(BigInteger))).column_valued("number")
    statement = select(number).where(func.pg_try_advisory_xact_lock(number))
    return frozenset(numbers[n] for n in tx.connection.execute(statement).scalars())


def _number(name: Name) -> int:
    digest = hashlib.sha256("\n".join(name).encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def find_answers(tx: Transaction, names: Collection[Name]) -> dict[Name, KeptAnswer]:
    """The answers kept under these names."""
    i = idempotency.c
    statement = select(i.scope, i.key, i.request_digest, i.status, i.headers, i.body).where(
        is_any_of(tx, i.scope, {scope for scope, _ in names}), is_any_of(tx, i.key, {key for _, key in names})
    )
    return {(scope, key): KeptAnswer(*answer) for scope, key, *answer in tx.connection.execute(statement)}


def keep_answers(tx: Transaction, answers: Mapping[Name, KeptAnswer]) -> None:
    """Keep answers under claimed names."""
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
    insert_rows(tx, idempotency, rows)


def forget_answers(tx: Transaction, before: datetime) -> int:
    """Delete answers older than `before`; how many."""
    return tx.connection.execute(delete(idempotency).where(idempotency.c.created_at < before)).rowcount
