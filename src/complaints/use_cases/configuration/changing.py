"""The steps that every change of the configuration shares."""

from collections.abc import Mapping
from typing import Any

from complaints.domain.errors import InvalidContent, ask_if_meant, describe_unknown
from complaints.domain.vocabulary import AuditSubject
from complaints.storage.configuration import Configuration
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows import audit_event
from complaints.storage.rows import configuration as configuration_rows
from complaints.use_cases.access import Caller, Right
from complaints.use_cases.commands.configuration import NamesChange
from complaints.use_cases.commands.field_types import Content
from complaints.use_cases.service import Service


def claim_to_change(
    service: Service, tx: Transaction, caller: Caller, right: Right = Right.CONFIGURE
) -> Configuration:
    """The newest configuration, locked for a change until the transaction ends: other writers wait.

    Raises Forbidden if the caller lacks `right`.
    """
    caller.require(right)
    return service.cache.claim(tx)


def finish_change(tx: Transaction, caller: Caller, subject: AuditSubject, *key: str | int) -> None:
    """Record a change in the audit log, and let every process notice it after commit. Call it last.

    `key` is the primary key of the changed row.
    """
    audit_event.record_change(tx, caller.actor, subject, *key)
    configuration_rows.raise_version(tx)


def pick_changes(old: Any, command: Content, *members: str) -> dict[str, Any]:
    """The new values of the members that `command` changes.

    A member that is None in `command` keeps its value. An empty text sets the member to None.
    """
    given = {name: getattr(command, name) for name in members}
    values = {name: value or None if isinstance(value, str) else value for name, value in given.items()}
    return {
        name: values[name]
        for name in members
        if given[name] is not None and values[name] != getattr(old, name)
    }


def merge_names(names: Mapping[str, str], change: NamesChange | None) -> dict[str, str]:
    """The names by language after `change`. A language that `change` leaves out keeps its name."""
    return {**names, **(change.model_dump(exclude_none=True) if change else {})}


def claim_user(service: Service, tx: Transaction, login: str) -> None:
    """Keep a user from leaving until the transaction ends. After that, `service.configuration` knows who has left."""
    if not configuration_rows.claim_active_user(tx, login):
        service.cache.expire()


def check_user(
    configuration: Configuration, login: str, pointer: str, *, may_know_logins: bool = True
) -> None:
    """Raises InvalidContent at `pointer` unless `login` is an active user.

    A caller who `may_know_logins` is asked if the nearest login was meant.
    """
    users = configuration.directory.users
    if (user := users.get(login)) is None or not user.active:
        active = [one.login for one in users.values() if one.active and may_know_logins]
        message = describe_unknown("active user", login, ask_if_meant(login, active))
        raise InvalidContent.at(pointer, message)
