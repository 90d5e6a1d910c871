"""Names of the configuration in filters and bodies, such as a team. An unknown one is refused, not "nothing found"."""

from collections.abc import Iterable
from typing import overload

from complaints.domain.errors import InvalidContent, ask_if_meant, clip, describe_unknown
from complaints.use_cases.access import Caller, Right

ME = "me"
NOBODY = "none"
_HOW_TO_NAME_USERS = f"write a login or {ME!r}"


@overload
def check_name(name: str, known: Iterable[str], *, parameter: str, thing: str) -> str: ...


@overload
def check_name(name: None, known: Iterable[str], *, parameter: str, thing: str) -> None: ...


def check_name(name: str | None, known: Iterable[str], *, parameter: str, thing: str) -> str | None:
    """`name`, if it is None or one of the `known` names.

    Raises InvalidContent for another name, and asks if the nearest known name was meant. `thing` is the noun for
    the message: `team`.
    """
    if (fault := _find_fault(name, known, thing)) is not None:
        raise InvalidContent.in_query(parameter, fault)
    return name


def check_member(name: str | None, known: Iterable[str], *, pointer: str, thing: str) -> None:
    """As `check_name`, for a name at `pointer` in the body of a request."""
    if (fault := _find_fault(name, known, thing)) is not None:
        raise InvalidContent.at(pointer, fault)


def _find_fault(name: str | None, known: Iterable[str], thing: str) -> str | None:
    if name is None or name in (names := [*known]):
        return None
    return describe_unknown(thing, name, ask_if_meant(name, names))


def resolve_user(name: str | None, users: Iterable[str], caller: Caller, *, parameter: str) -> str | None:
    """The login that a filter by user names; `me` is the user of the caller's key.

    Raises InvalidContent for an unknown login, and for `me` if the key belongs to no user. Callers without the right
    to read everything get no logins.
    """
    if name != ME:
        if name is None or name in (logins := [*users]):
            return name
        meant = ask_if_meant(name, logins) if Right.READ in caller.rights else None
        fault = describe_unknown("user", name, meant or _HOW_TO_NAME_USERS)
        raise InvalidContent.in_query(parameter, fault)
    if caller.login is None:
        message = f"{parameter}=me needs a key of a user; the key {clip(caller.name, 100)!r} belongs to none."
        raise InvalidContent.in_query(parameter, message)
    return caller.login
