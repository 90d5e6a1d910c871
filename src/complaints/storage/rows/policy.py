"""Policy versions as they were applied. A version never changes."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, insert, select

from complaints.domain.instants import MOMENT
from complaints.domain.policy.policy import Policy
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows.configuration import policy

p = policy.c


@dataclass(frozen=True, slots=True)
class PolicyRecord:
    """A version of a policy, the instant at which it was applied, and the actor who applied it."""

    code: str
    version: int
    applied_at: datetime
    applied_by: str


def insert_policy(tx: Transaction, made: Policy, *, text: str, document: dict[str, object], by: str) -> None:
    """Write a version of a policy.

    Of two versions effective from the same instant, the version applied last counts. So `applied_at` always rises.
    """
    last = tx.connection.execute(select(func.max(p.applied_at, type_=p.applied_at.type))).scalar_one_or_none()
    statement = insert(policy).values(
        code=made.code,
        version=made.version,
        effective_at=made.effective_at,
        applied_at=max(tx.now, last + MOMENT) if last else tx.now,
        applied_by=by,
        text=text,
        document=document,
    )
    tx.connection.execute(statement)


def find_policies(tx: Transaction, code: str | None = None) -> list[PolicyRecord]:
    """All versions of all policies, or of the policy `code`, ordered by code and version."""
    statement = select(p.code, p.version, p.applied_at, p.applied_by).order_by(p.code, p.version)
    if code is not None:
        statement = statement.where(p.code == code)
    return [PolicyRecord(*row) for row in tx.connection.execute(statement)]


def load_text(tx: Transaction, code: str, version: int) -> str:
    """The document of a version as it was sent."""
    text: str = tx.connection.execute(select(p.text).where(p.code == code, p.version == version)).scalar_one()
    return text
