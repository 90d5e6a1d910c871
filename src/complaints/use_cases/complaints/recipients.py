"""The filter `recipient` of escalations and of the inbox: `me` with the users one stands in for, `none`, a login."""

from complaints.domain.rules.recipients import find_represented_users
from complaints.storage.configuration import Configuration
from complaints.storage.database.transactions import Transaction
from complaints.use_cases.access import Caller
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
