"""The members of a team: who they are, who joins and who goes."""

from collections.abc import Collection

from complaints.domain.errors import InvalidContent
from complaints.domain.staff import User
from complaints.storage.database.transactions import Transaction
from complaints.use_cases.access import Caller
from complaints.use_cases.commands.configuration import PatchUser
from complaints.use_cases.configuration.staff import TEAMS, USERS
from complaints.use_cases.service import Service


def find_members(service: Service, tx: Transaction, code: str) -> list[User]:
    """The users of the team, by login. Raises NotFound."""
    configuration = service.cache.current(tx, certain=True)
    TEAMS.load(configuration, code)
    users = configuration.directory.users.values()
    return sorted((user for user in users if code in user.teams), key=lambda user: user.login)


def change_members(
    service: Service,
    tx: Transaction,
    caller: Caller,
    code: str,
    *,
    add: Collection[str],
    remove: Collection[str],
) -> None:
    """Let users join the team, and let others go. A user who is in it, or out of it, already is no fault.

    Raises NotFound for an unknown team or user, Forbidden, and InvalidContent for a user who shall do both.
    """
    configuration = service.cache.claim(tx)
    TEAMS.load(configuration, code)
    if both := sorted(set(add) & set(remove)):
        raise InvalidContent.at("/remove", f"{both[0]} cannot join and go at once.")
    for login in dict.fromkeys([*add, *remove]):
        teams = USERS.load(configuration, login).teams
        now = [team for team in teams if team != code] + ([code] if login in add else [])
        if set(now) != set(teams):
            USERS.change(service, tx, caller, login, PatchUser(teams=tuple(now)))
