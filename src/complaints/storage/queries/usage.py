"""What still refers to reference data."""

from sqlalchemy import exists, select

from complaints.domain.vocabulary import OPEN_STATUSES
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows.complaint import complaint


def has_open_complaints(tx: Transaction, team: str) -> bool:
    """Whether a complaint that is not ended is the team's."""
    c = complaint.c
    statement = select(exists().where(c.team == team, c.status.in_(OPEN_STATUSES)))
    return bool(tx.connection.execute(statement).scalar_one())
