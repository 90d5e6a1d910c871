"""Uses of reference data by complaints and other subjects."""

from uuid import UUID

from sqlalchemy import exists, func, or_, select, union

from complaints.domain.vocabulary import OPEN_STATUSES
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows.complaint import complaint
from complaints.storage.rows.subject import subject


def has_open_complaints(tx: Transaction, team: str) -> bool:
    """True if the team has a complaint or other subject that has not ended."""
    c, s = complaint.c, subject.c
    of_complaints = exists().where(c.team == team, c.status.in_(OPEN_STATUSES))
    statement = select(or_(of_complaints, exists().where(s.team == team, s.ended_at.is_(None))))
    return bool(tx.connection.execute(statement).scalar_one())


def find_owned(tx: Transaction, login: str, *, limit: int | None = None) -> list[UUID]:
    """The ids of open complaints with the user as assignee or first owner, at most `limit`."""
    c = complaint.c
    found: dict[UUID, None] = {}
    for column in (c.assignee, c.first_owner):  # one query each: joined by OR they would use no index
        left = None if limit is None else limit - len(found)
        statement = select(c.id).where(column == login, c.status.in_(OPEN_STATUSES), c.id.not_in(found))
        found |= dict.fromkeys(tx.connection.execute(statement.limit(left)).scalars())
    return list(found)


def count_owned(tx: Transaction, login: str) -> int:
    """The number of open complaints with the user as assignee or first owner, and of the user's open other subjects."""
    c, s = complaint.c, subject.c
    assigned, answered = (
        select(c.id).where(column == login, c.status.in_(OPEN_STATUSES))
        for column in (c.assignee, c.first_owner)
    )
    others = select(s.id).where(s.owner == login, s.ended_at.is_(None))
    owned = union(assigned, answered, others).subquery()
    return tx.connection.execute(select(func.count()).select_from(owned)).scalar_one()


def find_owned_subjects(tx: Transaction, login: str, *, limit: int | None = None) -> list[UUID]:
    """The ids of open subjects that are no complaints and that the user owns, at most `limit`."""
    s = subject.c
    statement = select(s.id).where(s.owner == login, s.ended_at.is_(None)).limit(limit)
    return list(tx.connection.execute(statement).scalars())


def find_policies_of_open_complaints(tx: Transaction) -> list[tuple[str, int]]:
    """The code and the version of each policy by which an open complaint is planned."""
    c = complaint.c
    statement = select(c.policy_code, c.policy_version).where(c.status.in_(OPEN_STATUSES)).distinct()
    return [(code, version) for code, version in tx.connection.execute(statement)]
