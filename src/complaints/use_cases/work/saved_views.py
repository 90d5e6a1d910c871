"""Views of lists that users save, for themselves or for a team. One view may be the first page of its owner."""

from collections.abc import Sequence
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field

from complaints.domain.errors import InvalidContent, NotFound
from complaints.domain.staff import User
from complaints.domain.visibility import has_visible_character
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows import saved_view
from complaints.storage.rows.saved_view import SavedView as SavedView
from complaints.storage.rows.saved_view import find_home as find_home
from complaints.use_cases.commands.field_types import Code, Content
from complaints.use_cases.service import Service

MOST_VIEWS = 50
"""A user may save so many views, and sees so many."""
OF_PERSONS = frozenset({"phone", "account_no", "email", "name"})
"""Filters that a view cannot keep: an erasure would not reach them."""


def _visible(name: str) -> str:
    if not has_visible_character(name) or not name.isprintable():
        raise ValueError("must have a visible character, and no control characters")
    return name.strip()


class SaveView(Content):
    """A list to keep under a name. `query` is the query string of the page."""

    name: Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_visible)]
    page: Literal["overdue"]
    query: Annotated[str, Field(max_length=2_000)] = ""
    team: Code | None = None
    is_home: bool = False


def list_views(tx: Transaction, user: User) -> Sequence[SavedView]:
    """The views of a user by name, then those that colleagues saved for the user's teams."""
    return saved_view.find_views(tx, user.login, user.teams, most=MOST_VIEWS)


def save_view(service: Service, tx: Transaction, user: User, command: SaveView) -> SavedView:
    """Save a view.

    Raises InvalidContent for a name that the user has already, a team of others, and for more than `MOST_VIEWS`.
    """
    own = saved_view.find_own_views(tx, user.login)
    if any(view.name == command.name for view in own):
        raise InvalidContent.at("/name", "You have a view with this name.")
    if len(own) >= MOST_VIEWS:
        raise InvalidContent.at("/name", f"You have {MOST_VIEWS} views: delete one first.")
    if command.team is not None and command.team not in user.teams:
        raise InvalidContent.at("/team", "You may save views for your own teams only.")
    view = SavedView(
        service.new_id(), command.name, command.page, command.query, user.login, command.team, False, tx.now
    )
    saved_view.add_view(tx, view)
    if command.is_home:
        saved_view.set_home(tx, user.login, view.id)
    return view


def delete_view(tx: Transaction, user: User, view_id: UUID) -> None:
    """Delete a view of the user. Raises NotFound, also for a view of another user."""
    if not saved_view.delete_view(tx, user.login, view_id):
        raise NotFound("You have no such view.")


def choose_home(tx: Transaction, user: User, view_id: UUID | None) -> None:
    """Make a view of the user the first page. None: the usual page is. Raises NotFound for a view of another user."""
    if view_id is not None and view_id not in {view.id for view in saved_view.find_own_views(tx, user.login)}:
        raise NotFound("You have no such view.")
    saved_view.set_home(tx, user.login, view_id)
