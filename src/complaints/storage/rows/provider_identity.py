"""Provider identities: by which subject of which issuer a user is known to an OpenID provider."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import CheckConstraint, Column, ForeignKey, String, Table, UniqueConstraint, select

from complaints.storage.database.transactions import Transaction
from complaints.storage.database.types import UtcDateTime, metadata
from complaints.storage.database.upsert import insert_or_update

provider_identity = Table(
    "provider_identity",
    metadata,
    Column("login", ForeignKey("user_account.login"), primary_key=True),
    Column("issuer", String(500)),
    Column("subject", String(255)),
    Column("linked_at", UtcDateTime, nullable=False),
    Column("linked_by", String(210), nullable=False),
    UniqueConstraint("issuer", "subject"),
    CheckConstraint("(issuer IS NULL) = (subject IS NULL)", name="whole"),
)
p = provider_identity.c


@dataclass(frozen=True, slots=True)
class ProviderIdentity:
    """The link of a user to a subject of an issuer. Both are None if the link was taken away.

    `linked_at` is the instant of the last change, in UTC, and `linked_by` its actor.
    """

    login: str
    issuer: str | None
    subject: str | None
    linked_at: datetime
    linked_by: str


_IDENTITIES = select(p.login, p.issuer, p.subject, p.linked_at, p.linked_by)


def find_identity(tx: Transaction, login: str) -> ProviderIdentity | None:
    """The identity of a user; None if the user never had one."""
    row = tx.connection.execute(_IDENTITIES.where(p.login == login)).first()
    return ProviderIdentity(*row) if row else None


def find_login(tx: Transaction, issuer: str, subject: str) -> str | None:
    """The login of the user to whom the subject is linked."""
    statement = select(p.login).where(p.issuer == issuer, p.subject == subject)
    return tx.connection.execute(statement).scalar_one_or_none()


def claim_login(tx: Transaction, issuer: str, subject: str) -> str | None:
    """As `find_login`. Until this transaction ends, `write_identity` waits in another one."""
    statement = select(p.login).where(p.issuer == issuer, p.subject == subject)
    return tx.connection.execute(statement.with_for_update(read=True)).scalar_one_or_none()


def write_identity(tx: Transaction, identity: ProviderIdentity) -> None:
    """Write the identity of a user in place of an earlier one."""
    values = {name: getattr(identity, name) for name in ProviderIdentity.__slots__}
    insert_or_update(tx, provider_identity, values)
