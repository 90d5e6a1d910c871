"""Use cases for the staff: the rules for creating and changing departments, teams and users."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from complaints.domain.errors import Conflict, InvalidContent
from complaints.domain.policy.policy import Policy
from complaints.domain.staff import Department, Directory, Team, User
from complaints.domain.vocabulary import AuditSubject, UserScope
from complaints.storage.configuration import Configuration
from complaints.storage.database.transactions import Transaction
from complaints.storage.queries import usage
from complaints.storage.rows import audit_event
from complaints.storage.rows import configuration as configuration_rows
from complaints.storage.rows import session as session_rows
from complaints.use_cases.access import Caller, refuse_stronger
from complaints.use_cases.commands.configuration import (
    CreateDepartment,
    CreateTeam,
    CreateUser,
    PatchDepartment,
    PatchTeam,
    PatchUser,
)
from complaints.use_cases.configuration.changing import check_user, merge_names, pick_changes
from complaints.use_cases.configuration.reference_data import ReferenceKind
from complaints.use_cases.named_filters import ME, NOBODY, check_member

_LISTS = ("teams", "scope_names")
Absence = tuple[datetime | None, datetime | None]  # first instant, and the first instant after it


# Departments ------------------------------------------------------------------------------------------------


def _plan_new_department(
    tx: Transaction, configuration: Configuration, command: CreateDepartment
) -> Department:
    """Raises InvalidContent for an unknown user or parent."""
    department = Department(**command.model_dump())
    _check_holders(configuration, head=department.head, deputy=department.deputy)
    _check_parent(configuration.directory, department)
    return department


def _plan_change_of_department(
    tx: Transaction, configuration: Configuration, old: Department, command: PatchDepartment
) -> Department:
    """Raises InvalidContent for an unknown user or parent, or a parent below the department."""
    values = pick_changes(old, command, "head", "deputy", "parent")
    department = replace(old, **values, names=merge_names(old.names, command.names))
    _check_holders(configuration, head=values.get("head"), deputy=values.get("deputy"))
    _check_parent(configuration.directory, department)
    return department


def _check_parent(directory: Directory, department: Department) -> None:
    above = department.parent
    if above != department.code:
        check_member(above, directory.departments, pointer="/parent", thing="department")
    while above is not None:
        if above == department.code:
            raise InvalidContent.at("/parent", "A department cannot be below itself: choose another parent.")
        above = directory.departments[above].parent


def _check_holders(configuration: Configuration, **logins: str | None) -> None:
    for member, login in logins.items():
        if login is not None:
            check_user(configuration, login, f"/{member}")


DEPARTMENTS: ReferenceKind[Department, CreateDepartment, PatchDepartment] = ReferenceKind(
    noun="department",
    plural="departments",
    key="code",
    table=configuration_rows.department,
    subject=AuditSubject.DEPARTMENT,
    items=lambda configuration: configuration.directory.departments,
    plan_new=_plan_new_department,
    plan_change=_plan_change_of_department,
)


# Teams ------------------------------------------------------------------------------------------------------


def _plan_new_team(tx: Transaction, configuration: Configuration, command: CreateTeam) -> Team:
    """Raises InvalidContent for an unknown user or department."""
    _check_department(configuration.directory, command.department)
    _check_holders(configuration, lead=command.lead, deputy=command.deputy)
    return Team(**command.model_dump() | {"active": command.active is not False})


def _plan_change_of_team(
    tx: Transaction, configuration: Configuration, old: Team, command: PatchTeam
) -> Team:
    """Raises InvalidContent for an unknown user or department.

    Raises Conflict if the team is to be deactivated and complaints still go to it.
    """
    values = pick_changes(old, command, "department", "lead", "deputy", "active")
    if "department" in values:
        _check_department(configuration.directory, values["department"])
    _check_holders(configuration, lead=values.get("lead"), deputy=values.get("deputy"))
    if values.get("active") is False:
        _refuse_in_use(tx, configuration, old.code)
    return replace(old, **values, names=merge_names(old.names, command.names))


def _check_department(directory: Directory, code: str) -> None:
    check_member(code, directory.departments, pointer="/department", thing="department")


def _refuse_in_use(tx: Transaction, configuration: Configuration, team: str) -> None:
    mapped = [c.code for c in configuration.categories.values() if c.active and c.team == team]
    if mapped:
        shown = ", ".join(sorted(mapped)[:5]) + (" and more" if len(mapped) > 5 else "")
        raise Conflict(f"Categories go to this team ({shown}): give them to another first.")
    for policy in configuration.side_by_side.list_now_or_later(tx.now):
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


TEAMS: ReferenceKind[Team, CreateTeam, PatchTeam] = ReferenceKind(
    noun="team",
    plural="teams",
    key="code",
    table=configuration_rows.team,
    subject=AuditSubject.TEAM,
    items=lambda configuration: configuration.directory.teams,
    plan_new=_plan_new_team,
    plan_change=_plan_change_of_team,
)


# Users ------------------------------------------------------------------------------------------------------


def _plan_new_user(tx: Transaction, configuration: Configuration, command: CreateUser) -> User:
    """Raises InvalidContent for a login with a meaning in filters, an unknown name, or an impossible absence."""
    if command.login in (ME, NOBODY):
        raise InvalidContent.at(
            "/login", f"{command.login!r} has a meaning in filters: choose another login."
        )
    _check_deputy(configuration, command.login, command.deputy)
    absent_from, absent_until = _absence((None, None), command, tx.now)
    values = command.model_dump() | {"absent_from": absent_from, "absent_until": absent_until}
    lists = {name: values[name] or () for name in _LISTS}
    user = User(**values | lists | {"active": command.active is not False})
    _check_places(configuration.directory, user)
    return user


def _plan_change_of_user(
    tx: Transaction, configuration: Configuration, old: User, command: PatchUser
) -> User:
    """Raises InvalidContent for an unknown deputy, team or name of a scope, or an impossible absence.

    Raises Conflict if the last active user is to be deactivated. `use_cases.complaints.leaving` hands over what
    belongs to a user who leaves.
    """
    values = pick_changes(old, command, "name", "email", "active", "deputy", "roles", "scope", *_LISTS)
    absent_from, absent_until = _absence((old.absent_from, old.absent_until), command, tx.now)
    _check_deputy(configuration, old.login, values.get("deputy"))
    others = (user for user in configuration.directory.users.values() if user.login != old.login)
    if values.get("active") is False and not any(user.active for user in others):
        raise Conflict("This is the last active user, and somebody must answer for complaints.")
    user = replace(old, **values, absent_from=absent_from, absent_until=absent_until)
    _check_places(configuration.directory, user)
    return user


def list_led_by(directory: Directory, login: str) -> list[str]:
    """The codes of the active teams that the user leads, and of the departments that the user heads."""
    teams = [team.code for team in directory.teams.values() if team.active and team.lead == login]
    return teams + [one.code for one in directory.departments.values() if one.head == login]


def pass_on_roles(tx: Transaction, caller: Caller, directory: Directory, leaver: str, successor: str) -> None:
    """Give the places of a leaver to the successor: lead, head and deputy. Nobody becomes their own deputy."""
    for kind, items, first in (
        (TEAMS, directory.teams, "lead"),
        (DEPARTMENTS, directory.departments, "head"),
        (USERS, directory.users, "login"),
    ):
        for key, item in items.items():
            held = {name: getattr(item, name) for name in (first, "deputy")}
            now = {
                name: successor if login == leaver and name != "login" else login
                for name, login in held.items()
            }
            if now["deputy"] == now[first]:
                now["deputy"] = None
            if now != held:
                changed = {name: login for name, login in now.items() if login != held[name]}
                configuration_rows.update_row(tx, kind.table, key, changed)
                audit_event.record_change(tx, caller.actor, kind.subject, key)


def _check_places(directory: Directory, user: User) -> None:
    """Raises InvalidContent for a team or department that does not exist, and for a scope without its names."""
    _check_known("/teams", "team", user.teams, directory.teams)
    known = {UserScope.TEAMS: directory.teams, UserScope.DEPARTMENTS: directory.departments}
    if user.scope in known:
        _check_known("/scope_names", user.scope.removesuffix("s"), user.scope_names, known[user.scope])
    if user.scope is UserScope.SOURCES and not user.scope_names:
        raise InvalidContent.at("/scope_names", "Name the sources of this scope.")
    if user.scope_names and user.scope not in (*known, UserScope.SOURCES):
        raise InvalidContent.at("/scope_names", "Only a scope of departments, teams or sources has names.")


def _check_known(pointer: str, noun: str, codes: Sequence[str], known: Collection[str]) -> None:
    for number, code in enumerate(codes):
        check_member(code, known, pointer=f"{pointer}/{number}", thing=noun)


def _check_deputy(configuration: Configuration, login: str, deputy: str | None) -> None:
    if deputy == login:
        raise InvalidContent.at("/deputy", "A deputy is somebody else.")
    _check_holders(configuration, deputy=deputy)


def _absence(old: Absence, command: CreateUser | PatchUser, now: datetime) -> Absence:
    """The absence after `command`. An absence that has ended counts as no absence."""
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


def _guard_access(tx: Transaction, caller: Caller, old: User | None, user: User) -> None:
    """The sessions of a user who is deactivated or loses a role end (rule 8.3). Nobody gives more rights (rule 8.4).

    Raises Forbidden.
    """
    had, has = set(old.roles or () if old else ()), set(user.roles or ())
    refuse_stronger(caller, has - had, "A caller cannot give a user more rights than its own.")
    if old is not None and not (user.active and had <= has):
        session_rows.end_sessions(tx, user.login, actor=caller.actor)


USERS: ReferenceKind[User, CreateUser, PatchUser] = ReferenceKind(
    noun="user",
    plural="users",
    key="login",
    table=configuration_rows.user_account,
    subject=AuditSubject.USER,
    items=lambda configuration: configuration.directory.users,
    plan_new=_plan_new_user,
    plan_change=_plan_change_of_user,
    before_write=_guard_access,
)
