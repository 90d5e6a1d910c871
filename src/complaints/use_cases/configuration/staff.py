"""Departments, teams and users: made, changed, never deleted, since the history names them."""

from dataclasses import replace
from datetime import datetime

from complaints.domain.errors import Conflict, InvalidContent, NotFound
from complaints.domain.policy.policy import Policy
from complaints.domain.staff import Department, Directory, Team, User
from complaints.storage.configuration import Configuration
from complaints.storage.database.transactions import Transaction
from complaints.storage.queries import usage
from complaints.storage.rows import configuration as configuration_rows
from complaints.use_cases.access import Caller
from complaints.use_cases.commands.configuration import (
    CreateDepartment,
    CreateTeam,
    CreateUser,
    PatchDepartment,
    PatchTeam,
    PatchUser,
)
from complaints.use_cases.configuration.changing import changed, check_user, claim_to_change, renamed
from complaints.use_cases.service import Service

Absence = tuple[datetime | None, datetime | None]


# Departments ------------------------------------------------------------------------------------------------


def load_department(directory: Directory, code: str) -> Department:
    """The department. Raises NotFound."""
    if (found := directory.departments.get(code)) is None:
        raise NotFound(f"There is no department {code!r}.")
    return found


def create_department(
    service: Service, tx: Transaction, caller: Caller, command: CreateDepartment
) -> Department:
    """Make a department. Raises Conflict for a taken code, InvalidContent for unknown people or parent."""
    configuration = claim_to_change(service, tx, caller)
    if command.code in configuration.directory.departments:
        raise Conflict(f"There is a department {command.code!r} already.")
    made = Department(command.code, command.names.model_dump(), command.head, command.deputy, command.parent)
    _check_holders(configuration, head=made.head, deputy=made.deputy)
    _check_parent(configuration.directory, made)
    configuration_rows.insert_row(tx, configuration_rows.department, command.model_dump())
    configuration_rows.raise_version(tx)
    return made


def change_department(
    service: Service, tx: Transaction, caller: Caller, code: str, command: PatchDepartment
) -> Department:
    """Change a department. Raises NotFound, and InvalidContent for unknown people or a parent below it."""
    configuration = claim_to_change(service, tx, caller)
    old = load_department(configuration.directory, code)
    values = changed(old, command, "head", "deputy", "parent") | {"names": renamed(old.names, command.names)}
    made = replace(old, **values)
    _check_holders(configuration, head=values.get("head"), deputy=values.get("deputy"))
    _check_parent(configuration.directory, made)
    configuration_rows.update_row(tx, configuration_rows.department, code, values)
    configuration_rows.raise_version(tx)
    return made


def _check_parent(directory: Directory, department: Department) -> None:
    above = department.parent
    if above is not None and above not in directory.departments and above != department.code:
        raise InvalidContent.at("/parent", f"There is no department {above!r}.")
    while above is not None:
        if above == department.code:
            raise InvalidContent.at("/parent", "A department cannot be below itself: choose another parent.")
        above = directory.departments[above].parent


def _check_holders(configuration: Configuration, **logins: str | None) -> None:
    for member, login in logins.items():
        if login is not None:
            check_user(configuration, login, f"/{member}")


# Teams ------------------------------------------------------------------------------------------------------


def load_team(directory: Directory, code: str) -> Team:
    """The team. Raises NotFound."""
    if (found := directory.teams.get(code)) is None:
        raise NotFound(f"There is no team {code!r}.")
    return found


def create_team(service: Service, tx: Transaction, caller: Caller, command: CreateTeam) -> Team:
    """Make a team. Raises Conflict for a taken code, InvalidContent for unknown people or department."""
    configuration = claim_to_change(service, tx, caller)
    if command.code in configuration.directory.teams:
        raise Conflict(f"There is a team {command.code!r} already.")
    _check_department(configuration.directory, command.department)
    _check_holders(configuration, lead=command.lead, deputy=command.deputy)
    values = command.model_dump() | {"active": command.active is not False}
    configuration_rows.insert_row(tx, configuration_rows.team, values)
    configuration_rows.raise_version(tx)
    return Team(**values)


def change_team(service: Service, tx: Transaction, caller: Caller, code: str, command: PatchTeam) -> Team:
    """Change a team. Raises NotFound, InvalidContent for unknown people or department, and Conflict when one
    that complaints are or will be given to is to be deactivated.
    """
    configuration = claim_to_change(service, tx, caller)
    old = load_team(configuration.directory, code)
    values = changed(old, command, "department", "lead", "deputy", "active") | {
        "names": renamed(old.names, command.names)
    }
    if "department" in values:
        _check_department(configuration.directory, values["department"])
    _check_holders(configuration, lead=values.get("lead"), deputy=values.get("deputy"))
    if values.get("active") is False:
        _refuse_in_use(tx, configuration, code)
    configuration_rows.update_row(tx, configuration_rows.team, code, values)
    configuration_rows.raise_version(tx)
    return replace(old, **values)


def _check_department(directory: Directory, code: str) -> None:
    if code not in directory.departments:
        raise InvalidContent.at("/department", f"There is no department {code!r}.")


def _refuse_in_use(tx: Transaction, configuration: Configuration, team: str) -> None:
    mapped = [c.code for c in configuration.categories.values() if c.active and c.team == team]
    if mapped:
        shown = ", ".join(sorted(mapped)[:5]) + (" and more" if len(mapped) > 5 else "")
        raise Conflict(f"Categories go to this team ({shown}): give them to another first.")
    now_or_later = configuration.policies_in_order.index(configuration.policy_at(tx.now))
    for policy in configuration.policies_in_order[now_or_later:]:
        if team in _teams_of(policy):
            raise Conflict(
                f"Policy {policy.code!r} version {policy.version} gives complaints to this team: "
                "apply a version that does not first."
            )
    if usage.has_open_complaints(tx, team):
        raise Conflict("Open complaints are this team's: assign them to another first.")


def _teams_of(policy: Policy) -> set[str | None]:
    steps = (step for rule in policy.rules.values() for step in rule.ladder)
    routed = {route.team for route in policy.routes}
    return {policy.default_team, *routed, *(step.move_to_team for step in steps)}


# Users ------------------------------------------------------------------------------------------------------


def load_user(directory: Directory, login: str) -> User:
    """The user. Raises NotFound."""
    if (found := directory.users.get(login)) is None:
        raise NotFound(f"There is no user {login!r}.")
    return found


def create_user(service: Service, tx: Transaction, caller: Caller, command: CreateUser) -> User:
    """Make a user. Raises Conflict for a taken login, InvalidContent for an unknown deputy or odd absence."""
    configuration = claim_to_change(service, tx, caller)
    if command.login in configuration.directory.users:
        raise Conflict(f"There is a user {command.login!r} already.")
    _check_deputy(configuration, command.login, command.deputy)
    values = command.model_dump() | {"active": command.active is not False}
    values["absent_from"], values["absent_until"] = _absence((None, None), command, tx.now)
    configuration_rows.insert_row(tx, configuration_rows.user_account, values)
    configuration_rows.raise_version(tx)
    return User(**values)


def change_user(service: Service, tx: Transaction, caller: Caller, login: str, command: PatchUser) -> User:
    """Change a user. Raises NotFound, InvalidContent for an unknown deputy or odd absence, and Conflict when
    the last active user is to be deactivated.

    Whoever leads, heads or owns may be deactivated: escalations then go to the deputy or the next one up.
    """
    configuration = claim_to_change(service, tx, caller)
    old = load_user(configuration.directory, login)
    values = changed(old, command, "name", "email", "active", "deputy")
    values["absent_from"], values["absent_until"] = _absence(
        (old.absent_from, old.absent_until), command, tx.now
    )
    _check_deputy(configuration, login, values.get("deputy"))
    others = (user for user in configuration.directory.users.values() if user.login != login)
    if values.get("active") is False and not any(user.active for user in others):
        raise Conflict("This is the last active user, and somebody must answer for complaints.")
    configuration_rows.update_row(tx, configuration_rows.user_account, login, values)
    configuration_rows.raise_version(tx)
    return replace(old, **values)


def _check_deputy(configuration: Configuration, login: str, deputy: str | None) -> None:
    if deputy == login:
        raise InvalidContent.at("/deputy", "A deputy is somebody else.")
    _check_holders(configuration, deputy=deputy)


def _absence(old: Absence, command: CreateUser | PatchUser, now: datetime) -> Absence:
    """The absence after `command`; one that has ended is none."""
    start, end = command.absent_from, command.absent_until
    if start is None and end is None:
        return old
    if end is not None and end <= now:
        return None, None
    start = start or old[0]
    if start is None:
        raise InvalidContent.at("/absent_until", "An absence needs its beginning too: give absent_from.")
    if end is not None and end <= start:
        raise InvalidContent.at("/absent_until", "An absence ends after it begins.")
    return start, end
