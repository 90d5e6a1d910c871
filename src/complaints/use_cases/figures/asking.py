"""What a caller may ask of a figure: within the own scope, and with `me` for the own login (rule 7.3)."""

from collections.abc import Mapping, Sequence

from complaints.domain.scope import Scope
from complaints.storage.database.transactions import Transaction
from complaints.use_cases.access import Caller, Right
from complaints.use_cases.named_filters import resolve_user
from complaints.use_cases.service import Configuration

_USERS = ("assignee", "first_owner")


def resolve_filters(
    tx: Transaction, caller: Caller, filters: Mapping[str, Sequence[str]], *, configuration: Configuration
) -> tuple[dict[str, Sequence[str]], Scope]:
    """The filters with logins for `me`, and the scope of the figure. Raises InvalidContent for an unknown user.

    Raises Forbidden for a caller without the right to read.
    """
    caller.require(Right.READ)
    users = configuration.directory.users
    found = dict(filters)
    for name in _USERS:
        logins = [resolve_user(one, users, caller, parameter=name) for one in filters.get(name, ())]
        if logins:
            found[name] = [login for login in logins if login is not None]
    scope = caller.scope_with(Right.READ, tx.now, *(frozenset(found.get(name, ())) for name in _USERS))
    return found, scope
