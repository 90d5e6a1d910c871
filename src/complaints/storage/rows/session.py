"""Sessions: users who signed in. The database stores only the digest of a token."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import (
    Column,
    ForeignKey,
    Index,
    String,
    Table,
    Uuid,
    bindparam,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.sql.elements import ColumnElement

from complaints.domain.vocabulary import SignInMethod
from complaints.storage.database.transactions import Transaction
from complaints.storage.database.types import UtcDateTime, metadata, one_of

session = Table(
    "session",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("login", ForeignKey("user_account.login"), nullable=False),
    Column("token_digest", String(64), nullable=False, unique=True),
    Column("method", one_of(SignInMethod, checked=False), nullable=False),
    Column("address", String(64), nullable=False),
    Column("agent", String(200), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("ended_by", String(210)),
    Index("ix_session__login", "login"),
    Index("ix_session__expires_at", "expires_at"),
)
s = session.c


@dataclass(frozen=True, slots=True)
class Session:
    """A session of a user, without its token. Its instants are of the wall clock in UTC, in a sandbox too.

    `address` is the address of the peer that signed in, and `agent` the name that its browser gave. `ended_by` is
    the actor who ended it before `expires_at`.
    """

    id: UUID
    login: str
    method: SignInMethod
    address: str
    agent: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None
    ended_by: str | None = None

    def usable(self, now: datetime, *, idle: timedelta) -> bool:
        """True if the session has not ended at `now`, and its last request is no longer ago than `idle`."""
        return self.ended_at is None and now < self.expires_at and now - self.seen_at <= idle


_SESSIONS = select(*(s[name] for name in Session.__slots__))
_BY_TOKEN = _SESSIONS.where(s.token_digest == bindparam("digest"))


def find_session(tx: Transaction, digest: str) -> Session | None:
    """The session whose token has this digest, also after its end."""
    row = tx.connection.execute(_BY_TOKEN, {"digest": digest}).first()
    return Session(*row) if row else None


def find_sessions_by_digest(tx: Transaction, digests: Collection[str]) -> dict[str, Session]:
    """The sessions whose tokens have these digests, by digest, also after their end."""
    statement = _SESSIONS.add_columns(s.token_digest).where(s.token_digest.in_(digests))
    return {digest: Session(*members) for *members, digest in tx.connection.execute(statement)}


def find_session_by_id(tx: Transaction, session_id: UUID) -> Session | None:
    """The session with this id, also after its end."""
    row = tx.connection.execute(_SESSIONS.where(s.id == session_id)).first()
    return Session(*row) if row else None


def find_sessions(tx: Transaction, login: str) -> Sequence[Session]:
    """The sessions of a user, latest first, also after their end."""
    statement = _SESSIONS.where(s.login == login).order_by(s.created_at.desc(), s.id.desc())
    return [Session(*row) for row in tx.connection.execute(statement)]


def insert_session(tx: Transaction, new: Session, *, digest: str) -> None:
    """Write a new session. `digest` is the digest of its token."""
    values = {name: getattr(new, name) for name in Session.__slots__}
    tx.connection.execute(insert(session).values(**values, token_digest=digest))


def note_seen(tx: Transaction, session_id: UUID, now: datetime) -> None:
    """Record that a request used the session at `now`."""
    tx.connection.execute(update(session).where(s.id == session_id, s.seen_at < now).values(seen_at=now))


def end_session(tx: Transaction, session_id: UUID, *, actor: str) -> int:
    """End a session. Returns 0 if it had ended before, else 1."""
    return _end(tx, s.id == session_id, actor)


def end_sessions(tx: Transaction, login: str, *, actor: str, except_for: UUID | None = None) -> int:
    """End all sessions of a user but one. Returns their number."""
    others = s.login == login if except_for is None else (s.login == login) & (s.id != except_for)
    return _end(tx, others, actor)


def _end(tx: Transaction, which: ColumnElement[bool], actor: str) -> int:
    statement = update(session).where(which, s.ended_at.is_(None))
    return tx.connection.execute(statement.values(ended_at=tx.now, ended_by=actor)).rowcount


def is_known_address(tx: Transaction, login: str, address: str) -> bool:
    """True if a kept session of the user began at this address. It may have ended."""
    statement = select(s.id).where(s.login == login, s.address == address).limit(1)
    return tx.connection.execute(statement).first() is not None


def forget_sessions(tx: Transaction, before: datetime, limit: int) -> int:
    """Delete up to `limit` sessions that expired before `before`, and return how many they were."""
    old = select(s.id).where(s.expires_at < before).order_by(s.expires_at).limit(limit)
    ids = list(tx.connection.execute(old.with_for_update(skip_locked=True)).scalars())
    return tx.connection.execute(delete(session).where(s.id.in_(ids))).rowcount if ids else 0
