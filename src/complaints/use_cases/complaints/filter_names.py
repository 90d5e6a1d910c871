"""The names that callers write in filters: `me`, `none`, logins and codes of teams."""

from collections.abc import Collection

from complaints.domain.errors import InvalidContent, ask_if_meant
from complaints.domain.rules.recipients import find_represented_users
from complaints.storage.configuration import Configuration
from complaints.storage.database.transactions import Transaction
from complaints.use_cases.access import Caller, Right

ME, NONE = "me", "none"
_HELP = f"write a login, {ME!r} or {NONE!r}"


def choose_recipients(
    tx: Transaction, configuration: Configuration, caller: Caller, name: str | None
) -> tuple[str, ...] | None:
    """The logins that the filter `recipient` means; None means any escalation, and no login one without recipients.

    `me` is the user of the key, with the users for whom that user stands in (rule 3.10). Raises InvalidContent for
    an unknown login, and for `me` with a key that belongs to no user.
    """
    if name is None:
        return None
    if name == NONE:
        return ()
    if name == ME:
        login = load_own_login(caller)
        return (login, *find_represented_users(login, configuration.directory, tx.now))
    check_name(caller, "recipient", name, configuration.directory.users, help_=_HELP)
    return (name,)


def load_own_login(caller: Caller) -> str:
    """The login of the user of the key. Raises InvalidContent if the key belongs to no user."""
    if caller.login is None:
        raise _refusal(
            "recipient", f"{ME!r} needs a key that belongs to a user, and this one belongs to none."
        )
    return caller.login


def check_name(
    caller: Caller, parameter: str, name: str | None, known: Collection[str], *, help_: str | None = None
) -> None:
    """Raise InvalidContent for a name that is not `known`, with the name that was probably meant, or with `help_`.

    Callers without the right to read everything get no names.
    """
    if name is None or name in known:
        return
    offered = known if Right.READ in caller.rights else ()
    hint = ask_if_meant(name, offered) or help_
    raise _refusal(parameter, f"There is no {parameter} {name[:100]!r}" + (f"; {hint}" if hint else "."))


def _refusal(parameter: str, message: str) -> InvalidContent:
    return InvalidContent.at("", f"{parameter}: {message}")
