"""Uses of reference data by complaints."""

from sqlalchemy import exists, select

from complaints.domain.vocabulary import OPEN_STATUSES
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows.complaint import complaint


def has_open_complaints(tx: Transaction, team: str) -> bool:
    """True if the team has a complaint that has not ended."""
    c = complaint.c
    statement = select(exists().where(c.team == team, c.status.in_(OPEN_STATUSES)))
    return bool(tx.connection.execute(statement).scalar_one())
