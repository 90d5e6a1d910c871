"""Views of lists that users saved: filters, order and columns under a name."""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    String,
    Table,
    Text,
    Uuid,
    and_,
    delete,
    false,
    insert,
    or_,
    select,
    update,
)

from complaints.storage.database.transactions import Transaction
from complaints.storage.database.types import UtcDateTime, metadata

saved_view = Table(
    "saved_view",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", String(100), nullable=False),
    Column("page", String(40), nullable=False),
    Column("query", Text, nullable=False),
    Column("owner", ForeignKey("user_account.login"), nullable=False),
    Column("team", ForeignKey("team.code")),
    Column("is_home", Boolean, nullable=False),
    Column("saved_at", UtcDateTime, nullable=False),
    CheckConstraint("name <> ''", name="name"),
    Index("ix_saved_view__owner", "owner"),
    Index("ix_saved_view__team", "team"),
)
"""`query` is the query string of the page. `team`: its members see the view too; None: it is for `owner` alone.
`is_home`: the view is the first page of `owner`.
"""
v = saved_view.c


@dataclass(frozen=True, slots=True)
class SavedView:
    """A list under a name. `saved_at` is in UTC. The other members are as in the table."""

    id: UUID
    name: str
    page: str
    query: str
    owner: str
    team: str | None
    is_home: bool
    saved_at: datetime


def find_views(tx: Transaction, login: str, teams: Collection[str], *, most: int) -> list[SavedView]:
    """The views of a user, then those of the teams from other users, by name. At most `most`."""
    of_teams = and_(v.team.in_(teams), v.owner != login)
    statement = (
        select(saved_view)
        .where(or_(v.owner == login, of_teams))
        .order_by(v.owner != login, v.name, v.id)
        .limit(most)
    )
    return [SavedView(*row) for row in tx.connection.execute(statement)]


def find_own_views(tx: Transaction, login: str) -> list[SavedView]:
    """The views that a user saved."""
    return [SavedView(*row) for row in tx.connection.execute(select(saved_view).where(v.owner == login))]


def find_home(tx: Transaction, login: str) -> SavedView | None:
    """The view that is the first page of a user."""
    row = tx.connection.execute(select(saved_view).where(v.owner == login, v.is_home)).first()
    return None if row is None else SavedView(*row)


def add_view(tx: Transaction, view: SavedView) -> None:
    """Add a view."""
    tx.connection.execute(insert(saved_view).values(asdict(view)))


def delete_view(tx: Transaction, login: str, view_id: UUID) -> bool:
    """Delete a view of a user. False if the user has none with this id."""
    return tx.connection.execute(delete(saved_view).where(v.id == view_id, v.owner == login)).rowcount > 0


def set_home(tx: Transaction, login: str, view_id: UUID | None) -> None:
    """Make a view of a user the first page, and no other one. None: no view is."""
    is_home = v.id == view_id if view_id is not None else false()
    tx.connection.execute(update(saved_view).where(v.owner == login).values(is_home=is_home))
