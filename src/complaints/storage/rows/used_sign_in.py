"""Used sign-ins: the digests of states that came back from an OpenID provider, so that none is used twice."""

from datetime import datetime

from sqlalchemy import Column, Index, String, Table, delete

from complaints.storage.database.transactions import Transaction
from complaints.storage.database.types import UtcDateTime, metadata
from complaints.storage.database.upsert import insert_if_absent

used_sign_in = Table(
    "used_sign_in",
    metadata,
    Column("state_digest", String(64), primary_key=True),
    Column("expires_at", UtcDateTime, nullable=False),
    Index("ix_used_sign_in__expires_at", "expires_at"),
)


def note_use(tx: Transaction, state_digest: str, *, expires_at: datetime) -> bool:
    """Record the use of a state; False if it was used before."""
    values = {"state_digest": state_digest, "expires_at": expires_at}
    return insert_if_absent(tx, used_sign_in, values)


def forget_used(tx: Transaction, before: datetime) -> None:
    """Delete the states that expired before `before`: an expired state is refused without a row."""
    tx.connection.execute(delete(used_sign_in).where(used_sign_in.c.expires_at < before))
