"""The audit log: one row for each change of the configuration, never changed, chained by digest.

The configuration is the staff, the categories, the calendars, the policies, the keys and the passwords. Each row
holds the whole state of its subject after the change. Writers hold the lock on the reference data, so `sequence` has
no gap.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Index, Integer, LargeBinary, RowMapping, String, Table, Text, func, select
from sqlalchemy.sql.elements import ColumnElement

from complaints.domain.complaint.history import GENESIS, canonical
from complaints.domain.json_text import encode, to_json
from complaints.domain.vocabulary import AuditAction, AuditSubject
from complaints.storage.database.transactions import Transaction
from complaints.storage.database.types import UtcDateTime, metadata, one_of
from complaints.storage.rows import configuration
from complaints.storage.rows.provider_identity import provider_identity
from complaints.storage.rows.ticket_specification import ticket_specification
from complaints.storage.rows.user_password import user_password

audit_event = Table(
    "audit_event",
    metadata,
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("at", UtcDateTime, nullable=False),
    Column("actor", String(210), nullable=False),
    Column("subject", one_of(AuditSubject, checked=False), nullable=False),
    Column("code", String(220), nullable=False),
    Column("action", one_of(AuditAction, checked=False), nullable=False),
    Column("data", Text, nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
)
a = audit_event.c
Index("ix_audit_event__subject", a.subject, a.code, a.sequence)

_TABLES: dict[AuditSubject, Table] = {
    AuditSubject.USER: configuration.user_account,
    AuditSubject.TEAM: configuration.team,
    AuditSubject.DEPARTMENT: configuration.department,
    AuditSubject.CATEGORY: configuration.category,
    AuditSubject.CALENDAR: configuration.calendar,
    AuditSubject.POLICY: configuration.policy,
    AuditSubject.KEY: configuration.api_key,
    AuditSubject.PASSWORD: user_password,
    AuditSubject.PROVIDER_IDENTITY: provider_identity,
    AuditSubject.DUTY: configuration.duty_rota,
    AuditSubject.TICKET_SPECIFICATION: ticket_specification,
}
_DIGESTED = {
    (AuditSubject.POLICY, "text"),
    (AuditSubject.POLICY, "document"),
    (AuditSubject.KEY, "secret_digest"),
    (AuditSubject.PASSWORD, "hash"),
    (AuditSubject.PASSWORD, "link_digest"),
    (AuditSubject.KEY, "previous_digest"),
}
_HELD = select(a.sequence, a.at, a.actor, a.subject, a.code, a.action, a.data, a.digest)
State = dict[str, Any]


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One entry of the audit log. `data` is the text from which `digest` was made."""

    sequence: int
    at: datetime
    actor: str
    subject: AuditSubject
    code: str
    action: AuditAction
    data: str
    digest: bytes

    @property
    def state(self) -> State:
        """The subject after the change."""
        state: State = json.loads(self.data)["state"]
        return state

    @property
    def changed(self) -> list[str]:
        """The names of the members that changed, in order of the alphabet."""
        changed: list[str] = json.loads(self.data)["changed"]
        return changed


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """The entries that a caller asks for. None means any."""

    subject: AuditSubject | None = None
    code: str | None = None
    actor: str | None = None


def record_change(tx: Transaction, actor: str, subject: AuditSubject, *key: str | int) -> None:
    """Record the present state of the subject with this primary key, unless it is recorded already.

    The caller holds the lock on the reference data.
    """
    table = _TABLES[subject]
    named = [column == _typed(column, part) for column, part in zip(table.primary_key, key, strict=True)]
    row = tx.connection.execute(select(table).where(*named)).mappings().one()
    before = _find_latest(tx, subject, _code_of(table, row))
    action = AuditAction.CREATED if before is None else AuditAction.CHANGED
    state, code = _state_of(subject, row), _code_of(table, row)
    _append(tx, actor, subject, code, state, action, before=before.state if before else {})


def record_unrecorded(tx: Transaction, actor: str) -> None:
    """Record each subject that has no entry yet, and each member that a migration added.

    Without an entry are the first content of a database, and subjects that are older than the log.
    """
    recorded = {(event.subject, event.code): event.state for event in read_all(tx)}
    for (subject, code), state in read_states(tx).items():
        before = recorded.get((subject, code), {})
        _append(tx, actor, subject, code, {**state, **before}, AuditAction.FOUND, before=before)


def read_states(tx: Transaction) -> dict[tuple[AuditSubject, str], State]:
    """The present state of every subject, by kind and primary key."""
    return {
        (subject, _code_of(table, row)): _state_of(subject, row)
        for subject, table in _TABLES.items()
        for row in tx.connection.execute(select(table).order_by(*table.primary_key)).mappings()
    }


def read_all(tx: Transaction) -> Iterator[AuditEvent]:
    """Every entry, oldest first."""
    return (AuditEvent(*row) for row in tx.connection.execute(_HELD.order_by(a.sequence)))


def list_events(
    tx: Transaction, asked: AuditFilter, *, before: int | None, limit: int
) -> Sequence[AuditEvent]:
    """Up to `limit` entries that fit, below the number `before`, latest first."""
    wanted: list[ColumnElement[bool]] = []
    if before is not None:
        wanted.append(a.sequence < before)
    given = ((a.subject, asked.subject), (a.code, asked.code), (a.actor, asked.actor))
    wanted += [column == value for column, value in given if value is not None]
    statement = _HELD.where(*wanted).order_by(a.sequence.desc()).limit(limit)
    return [AuditEvent(*row) for row in tx.connection.execute(statement)]


def find_spans(tx: Transaction, subject: AuditSubject) -> dict[str, tuple[datetime, datetime]]:
    """The instants of the first and the last entry, in UTC, for every code of a kind of configuration."""
    statement = select(a.code, func.min(a.at), func.max(a.at)).where(a.subject == subject).group_by(a.code)
    return {code: (first, last) for code, first, last in tx.connection.execute(statement)}


def chained_digest(previous: bytes, event: AuditEvent) -> bytes:
    """The SHA-256 digest of the previous digest and the whole entry."""
    head = {
        "sequence": event.sequence,
        "at": event.at,
        "actor": event.actor,
        "subject": event.subject,
        "code": event.code,
        "action": event.action,
    }
    return hashlib.sha256(previous + encode(head, sort_keys=True) + b"\n" + event.data.encode()).digest()


def _append(
    tx: Transaction,
    actor: str,
    subject: AuditSubject,
    code: str,
    state: State,
    action: AuditAction,
    *,
    before: Mapping[str, Any],
) -> None:
    changed = sorted(name for name in state if state[name] != before.get(name))
    if not changed:
        return
    last = tx.connection.execute(select(a.sequence, a.digest).order_by(a.sequence.desc()).limit(1)).first()
    sequence, previous = (last.sequence + 1, last.digest) if last else (1, GENESIS)
    data = canonical({"state": state, "changed": changed})
    event = AuditEvent(sequence, tx.now, actor, subject, code, action, data, b"")
    values = {name: getattr(event, name) for name in event.__slots__}
    tx.connection.execute(audit_event.insert().values(values | {"digest": chained_digest(previous, event)}))


def _find_latest(tx: Transaction, subject: AuditSubject, code: str) -> AuditEvent | None:
    return next(iter(list_events(tx, AuditFilter(subject, code), before=None, limit=1)), None)


def _state_of(subject: AuditSubject, row: RowMapping) -> State:
    """The members of a subject as JSON. Long texts and secrets stand as digests."""
    return {
        name: _fingerprint(value) if (subject, name) in _DIGESTED and value is not None else to_json(value)
        for name, value in row.items()
    }


def _fingerprint(value: object) -> str:
    return hashlib.sha256(encode(value, sort_keys=True)).hexdigest()


def _code_of(table: Table, row: RowMapping) -> str:
    return "/".join(str(row[column.name]) for column in table.primary_key)


def _typed(column: Column[Any], part: str | int) -> Any:
    return column.type.python_type(part)
