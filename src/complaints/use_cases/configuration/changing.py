"""The frame of every change of the configuration."""

from collections.abc import Mapping
from typing import Any

from complaints.domain.errors import InvalidContent
from complaints.storage.configuration import Configuration
from complaints.storage.database.transactions import Transaction
from complaints.use_cases.access import Caller, Right
from complaints.use_cases.commands.configuration import NamesChange
from complaints.use_cases.commands.field_types import Content
from complaints.use_cases.service import Service


def claim_to_change(
    service: Service, tx: Transaction, caller: Caller, right: Right = Right.CONFIGURE
) -> Configuration:
    """The reference data as they are now, for `caller` to change; others who would change them wait."""
    caller.require(right)
    return service.cache.claim(tx)


def changed(old: Any, change: Content, *names: str) -> dict[str, Any]:
    """Those of `names` that `change` gives another value than `old` has; "" is None."""
    given = {name: getattr(change, name) for name in names}
    values = {name: value or None if isinstance(value, str) else value for name, value in given.items()}
    return {
        name: values[name] for name in names if given[name] is not None and values[name] != getattr(old, name)
    }


def renamed(names: Mapping[str, str], change: NamesChange | None) -> dict[str, str]:
    """The names after `change`."""
    return {**names, **(change.model_dump(exclude_none=True) if change else {})}


def check_user(configuration: Configuration, login: str, pointer: str) -> None:
    """Raises InvalidContent unless `login` is an active user."""
    user = configuration.directory.users.get(login)
    if user is None or not user.active:
        raise InvalidContent.at(pointer, f"There is no active user {login!r}.")
