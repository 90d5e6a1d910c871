"""A scope as a condition in SQL. It selects the same complaints as `Scope.admits`; a property test compares both."""

from typing import Any

from sqlalchemy import ColumnElement, FromClause, false, select, true

from complaints.domain.scope import Scope, ScopeKind, UnresolvedScope
from complaints.storage.rows.escalation import escalation, escalation_recipient
from complaints.storage.rows.subject import subject


def condition(
    scope: Scope,
    table: FromClause,
    *,
    team: ColumnElement[Any] | None = None,
    owner_id: ColumnElement[Any] | None = None,
) -> ColumnElement[bool]:
    """The condition that a complaint is in `scope`. `table` is the table `complaint` or an alias of it.

    `team` replaces the column of the team, for a list that must not use the index of that column. `owner_id` is the
    column with the id of the complaint, for a table of rows about complaints. Raises UnresolvedScope.
    """
    match scope.kind:
        case ScopeKind.ALL:
            return true()
        case ScopeKind.SOURCES:
            return _is_named(table.c.source, scope)
        case ScopeKind.TEAMS:
            return _is_named(table.c.team if team is None else team, scope)
        case ScopeKind.ASSIGNEE:
            return _is_named(table.c.assignee, scope)
        case ScopeKind.FIRST_OWNER:
            return _is_named(table.c.first_owner, scope)
        case ScopeKind.RECIPIENT:
            owner = table.c.id if owner_id is None else owner_id
            return _has_recipient(owner, escalation.c.complaint_id, scope)
        case ScopeKind.DEPARTMENTS:
            raise UnresolvedScope


def subject_condition(scope: Scope) -> ColumnElement[bool]:
    """The condition that a subject which is no complaint is in `scope`: by its team or its owner. It has no source.

    Raises UnresolvedScope.
    """
    match scope.kind:
        case ScopeKind.ALL:
            return true()
        case ScopeKind.SOURCES:
            return false()
        case ScopeKind.TEAMS:
            return _is_named(subject.c.team, scope)
        case ScopeKind.ASSIGNEE | ScopeKind.FIRST_OWNER:
            return _is_named(subject.c.owner, scope)
        case ScopeKind.RECIPIENT:
            return _has_recipient(subject.c.id, escalation.c.subject_id, scope)
        case ScopeKind.DEPARTMENTS:
            raise UnresolvedScope


def _is_named(column: ColumnElement[Any], scope: Scope) -> ColumnElement[bool]:
    match sorted(scope.names):
        case []:
            return false()
        case [name]:  # an equality lets the database use more indexes than IN
            return column == name
        case names:
            return column.in_(names)


def _has_recipient(
    owner_id: ColumnElement[Any], owner: ColumnElement[Any], scope: Scope
) -> ColumnElement[bool]:
    """The complaint or other subject has an escalation that notified a named user."""
    notified = (
        select(owner)
        .join(escalation_recipient, escalation_recipient.c.escalation_id == escalation.c.id)
        .where(_is_named(escalation_recipient.c.login, scope))
    )
    return owner_id.in_(notified)
