"""What a user sees for users for whom the user stands in: the filter `recipient`, and the scope of a backlog."""

from datetime import datetime

from complaints.domain.rules.recipients import find_represented_users
from complaints.domain.scope import Scope, ScopeKind
from complaints.domain.staff import Directory
from complaints.storage.configuration import Configuration
from complaints.storage.database.transactions import Transaction
from complaints.use_cases.access import Caller, Right
from complaints.use_cases.named_filters import ME, NOBODY, resolve_user


def choose_recipients(
    tx: Transaction, configuration: Configuration, caller: Caller, name: str | None
) -> tuple[str, ...] | None:
    """The logins that the filter `recipient` means; None means any escalation, and no login one without recipients.

    `me` is the user of the key, with the users for whom that user stands in (rule 3.10). Raises InvalidContent for
    an unknown login, and for `me` with a key that belongs to no user.
    """
    if name == NOBODY:
        return ()
    login = resolve_user(name, configuration.directory.users, caller, parameter="recipient")
    if login is None:
        return None
    represented = find_represented_users(login, configuration.directory, tx.now) if name == ME else ()
    return (login, *represented)


def find_backlog_scope(
    caller: Caller, directory: Directory, now: datetime, *, assignee: str | None, first_owner: str | None
) -> Scope | None:
    """The scope of a list that asks for the complaints of a user for whom the caller stands in (rule 3.10).

    None if it asks for no such user, or if the caller may not work: the list then has the scope of the caller.
    """
    if caller.login is None or Right.WORK not in caller.rights:
        return None
    represented = find_represented_users(caller.login, directory, now)
    asked = ((ScopeKind.ASSIGNEE, assignee), (ScopeKind.FIRST_OWNER, first_owner))
    return next((Scope.own(kind, login) for kind, login in asked if login in represented), None)
