"""Whose turn it is in each team: the user who got the last complaint by policy (rule 5.9).

The row of a team also puts transactions in order that assign in it: each sees what the one before assigned.
"""

from sqlalchemy import Column, String, Table, select, update

from complaints.storage.database.transactions import Transaction
from complaints.storage.database.types import metadata
from complaints.storage.database.upsert import insert_if_absent

assignment_turn = Table(
    "assignment_turn",
    metadata,
    Column("team", String(200), primary_key=True),
    Column("login", String(200)),
)
t = assignment_turn.c


def claim_turn(tx: Transaction, team: str) -> str | None:
    """The user who got the last complaint of the team, None if nobody did. Others wait until this transaction ends."""
    statement = select(t.login).where(t.team == team).with_for_update()
    if (found := tx.connection.execute(statement).first()) is None:
        insert_if_absent(tx, assignment_turn, {"team": team})
        found = tx.connection.execute(statement).one()
    login: str | None = found.login
    return login


def keep_turn(tx: Transaction, team: str, login: str) -> None:
    """Remember who got the last complaint of the team."""
    tx.connection.execute(update(assignment_turn).where(t.team == team).values(login=login))
