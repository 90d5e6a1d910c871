"""The commands `user …`, `team …` and `department …`."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from complaints.cli.console import AsJson, err, open_service, out, print_rows
from complaints.domain.vocabulary import UserScope

if TYPE_CHECKING:
    from complaints.domain.staff import Department, Team, User
    from complaints.use_cases.configuration.reference_data import ReferenceKind

user_app = typer.Typer(no_args_is_help=True, help="Users: the members of the staff.")
team_app = typer.Typer(no_args_is_help=True, help="Teams, and who belongs to them.")
department_app = typer.Typer(no_args_is_help=True, help="Departments: teams under one head.")

_EMPTY = "'' for none"
Email = Annotated[str | None, typer.Option(help=f"The e-mail address; {_EMPTY}.")]
Roles = Annotated[
    list[str] | None, typer.Option("--role", help=f"What the user may do; several times; {_EMPTY}.")
]
TeamsOf = Annotated[list[str] | None, typer.Option("--team", help=f"A team; several times; {_EMPTY}.")]
Deputy = Annotated[str | None, typer.Option(help=f"Who stands in; {_EMPTY}.")]
ScopeOf = Annotated[
    str | None,
    typer.Option(help=f"Which complaints: {', '.join(UserScope)}; '' lets it follow from the roles."),
]
ScopeNames = Annotated[
    list[str] | None,
    typer.Option("--scope-name", help="A department, team or source of the scope; several times."),
]
English = Annotated[str | None, typer.Option("--en", help="The name in English.")]
Chinese = Annotated[str | None, typer.Option("--zh", help="The name in Chinese.")]
Active = Annotated[bool | None, typer.Option("--active/--inactive", help="Takes new complaints, or not.")]
Head = Annotated[str | None, typer.Option(help=f"Who heads it; {_EMPTY}.")]
Lead = Annotated[str | None, typer.Option(help=f"Who leads it; {_EMPTY}.")]
Parent = Annotated[str | None, typer.Option(help=f"The department above it; {_EMPTY}.")]


# Users --------------------------------------------------------------------------------------------------------


@user_app.command("list", epilog="Example: complaints user list --team operations")
def user_list(
    team: Annotated[str | None, typer.Option(help="Only the members of this team.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the users."""
    from complaints.use_cases.configuration.staff import TEAMS

    with open_service() as service:
        configuration = service.read(service.configuration)
    if team is not None:
        TEAMS.load(configuration, team)
    users = sorted(configuration.directory.users.values(), key=lambda user: user.login)
    found = [user for user in users if team is None or team in user.teams]
    print_rows([asdict(user) if as_json else _row_of(user) for user in found], as_json=as_json)


@user_app.command("show", epilog="Example: complaints user show li.wei")
def user_show(login: str, as_json: AsJson = False) -> None:
    """Show one user, with the teams and departments that the user leads."""
    from complaints.use_cases.configuration.staff import USERS, list_led_by

    with open_service() as service:
        configuration = service.read(service.configuration)
    user = USERS.load(configuration, login)
    shown = {**asdict(user), "leads": list_led_by(configuration.directory, login)}
    if as_json:
        print_rows([shown], as_json=True)
    else:
        print_rows([{"member": name, "value": value} for name, value in shown.items()], as_json=False)


@user_app.command(
    "create", epilog="Example: complaints user create li.wei --name 'Li Wei' --role agent --team operations"
)
def user_create(
    login: str,
    name: Annotated[str, typer.Option(help="The name of the person.")],
    email: Email = None,
    roles: Roles = None,
    teams: TeamsOf = None,
    deputy: Deputy = None,
    scope: ScopeOf = None,
    scope_names: ScopeNames = None,
) -> None:
    """Make a user. Without a role the user cannot sign in."""
    from complaints.use_cases.configuration.staff import USERS

    given = {"name": name, "email": email, "roles": roles, "teams": teams, "deputy": deputy}
    _create(USERS, {"login": login, **given, "scope": scope, "scope_names": scope_names})
    out.print(f"{login} is a user.")


@user_app.command("change", epilog="Example: complaints user change li.wei --role agent --role auditor")
def user_change(
    login: str,
    name: Annotated[str | None, typer.Option(help="The name of the person.")] = None,
    email: Email = None,
    roles: Roles = None,
    teams: TeamsOf = None,
    deputy: Deputy = None,
    scope: ScopeOf = None,
    scope_names: ScopeNames = None,
    absent_from: Annotated[
        str | None, typer.Option(help="The begin of an absence, with an offset: 2027-02-01T00:00:00+08:00.")
    ] = None,
    absent_until: Annotated[
        str | None, typer.Option(help="The end of the absence; one in the past takes it away.")
    ] = None,
    activate: Annotated[bool, typer.Option("--activate", help="Take a user back who has left.")] = False,
) -> None:
    """Change a user. What you leave out stays; a list replaces the former one."""
    given = {"name": name, "email": email, "roles": roles, "teams": teams, "deputy": deputy}
    absence = {"absent_from": absent_from, "absent_until": absent_until}
    scoped = {"scope": scope, "scope_names": scope_names, "active": True if activate else None}
    _change_user(login, {**given, **absence, **scoped})
    out.print(f"{login} is changed.")


@user_app.command("deactivate", epilog="Example: complaints user deactivate li.wei --successor wang.fang")
def user_deactivate(
    login: str,
    successor: Annotated[
        str | None, typer.Option(help="Takes everything over; without one, complaints go to their teams.")
    ] = None,
) -> None:
    """Let a user leave: open complaints are handed over, and keys stop working."""
    _change_user(login, {"active": False, "successor": successor})
    out.print(f"{login} has left.")


@user_app.command("password-link", epilog="Example: complaints user password-link li.wei")
def user_password_link(login: str) -> None:
    """Print a token with which a user sets a password, once and within 72 hours. An older token stops working.

    The user opens `/console/password#` with the token behind it, or sends it with `POST /v1/password-links`.
    """
    from complaints.use_cases.access import SYSTEM
    from complaints.use_cases.accounts.passwords import make_password_link

    with open_service() as service:
        link, token = service.write(lambda tx: make_password_link(service, tx, SYSTEM, login))
    err.print(
        f"The link of {login} works until {link.expires_at.isoformat()}: open /console/password#<token>."
    )
    out.print(token)


def _row_of(user: "User") -> dict[str, object]:
    return {
        "login": user.login,
        "name": user.name,
        "roles": user.roles,
        "teams": user.teams,
        "scope": " ".join([user.scope or "by role", *user.scope_names]),
        "deputy": user.deputy,
        "active": user.active,
    }


def _change_user(login: str, members: Mapping[str, object]) -> None:
    from complaints.use_cases.access import SYSTEM
    from complaints.use_cases.commands.configuration import PatchUser
    from complaints.use_cases.commands.messages import read_command
    from complaints.use_cases.people.applying import change_user

    command = read_command(PatchUser, _given(members))
    with open_service() as service:
        change_user(service, SYSTEM, login, command)


# Teams --------------------------------------------------------------------------------------------------------


@team_app.command("list", epilog="Example: complaints team list --json")
def team_list(as_json: AsJson = False) -> None:
    """List the teams, with the number of their active members."""
    with open_service() as service:
        directory = service.read(service.configuration).directory
    members = [code for user in directory.users.values() if user.active for code in user.teams]
    teams = sorted(directory.teams.values(), key=lambda team: team.code)
    print_rows([{**_named(team), "members": members.count(team.code)} for team in teams], as_json=as_json)


@team_app.command(
    "create", epilog="Example: complaints team create night --en Night --zh 夜班 --department network"
)
def team_create(
    code: str,
    en: English = None,
    zh: Chinese = None,
    department: Annotated[str | None, typer.Option(help="The department of the team.")] = None,
    lead: Lead = None,
    deputy: Deputy = None,
) -> None:
    """Make a team."""
    from complaints.use_cases.configuration.staff import TEAMS

    given = {"department": department, "lead": lead, "deputy": deputy}
    _create(TEAMS, {"code": code, "names": _names(en, zh), **given})
    out.print(f"{code} is a team.")


@team_app.command("change", epilog="Example: complaints team change night --lead li.wei")
def team_change(
    code: str,
    en: English = None,
    zh: Chinese = None,
    department: Annotated[str | None, typer.Option(help="The department of the team.")] = None,
    lead: Lead = None,
    deputy: Deputy = None,
    active: Active = None,
) -> None:
    """Change a team. What you leave out stays."""
    from complaints.use_cases.configuration.staff import TEAMS

    given = {"department": department, "lead": lead, "deputy": deputy, "active": active}
    _change(TEAMS, code, {"names": _names(en, zh), **given})
    out.print(f"{code} is changed.")


@team_app.command("members", epilog="Example: complaints team members night --add li.wei --remove wang.fang")
def team_members(
    code: str,
    add: Annotated[list[str] | None, typer.Option(help="A user who joins; several times.")] = None,
    remove: Annotated[list[str] | None, typer.Option(help="A user who goes; several times.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the members of a team, after users join or go."""
    from complaints.use_cases.access import SYSTEM
    from complaints.use_cases.people.membership import change_members, find_members

    with open_service() as service:
        if add or remove:
            service.write(
                lambda tx: change_members(service, tx, SYSTEM, code, add=add or (), remove=remove or ())
            )
        found = service.read(lambda tx: find_members(service, tx, code))
    print_rows([_row_of(user) for user in found], as_json=as_json)


# Departments --------------------------------------------------------------------------------------------------


@department_app.command("list", epilog="Example: complaints department list")
def department_list(as_json: AsJson = False) -> None:
    """List the departments."""
    with open_service() as service:
        directory = service.read(service.configuration).directory
    departments = sorted(directory.departments.values(), key=lambda one: one.code)
    print_rows([_named(department) for department in departments], as_json=as_json)


@department_app.command(
    "create", epilog="Example: complaints department create north --en North --zh 北区 --parent head_office"
)
def department_create(
    code: str,
    en: English = None,
    zh: Chinese = None,
    head: Head = None,
    deputy: Deputy = None,
    parent: Parent = None,
) -> None:
    """Make a department."""
    from complaints.use_cases.configuration.staff import DEPARTMENTS

    given = {"head": head, "deputy": deputy, "parent": parent}
    _create(DEPARTMENTS, {"code": code, "names": _names(en, zh), **given})
    out.print(f"{code} is a department.")


@department_app.command("change", epilog="Example: complaints department change north --head li.wei")
def department_change(
    code: str,
    en: English = None,
    zh: Chinese = None,
    head: Head = None,
    deputy: Deputy = None,
    parent: Parent = None,
) -> None:
    """Change a department. What you leave out stays."""
    from complaints.use_cases.configuration.staff import DEPARTMENTS

    given = {"head": head, "deputy": deputy, "parent": parent}
    _change(DEPARTMENTS, code, {"names": _names(en, zh), **given})
    out.print(f"{code} is changed.")


# All three ----------------------------------------------------------------------------------------------------


def _create(kind: "ReferenceKind[Any, Any, Any]", members: Mapping[str, object]) -> None:
    from complaints.use_cases.access import SYSTEM
    from complaints.use_cases.commands.configuration import CreateDepartment, CreateTeam, CreateUser
    from complaints.use_cases.commands.messages import read_command

    forms: dict[str, type[CreateUser | CreateTeam | CreateDepartment]]
    forms = {"user": CreateUser, "team": CreateTeam, "department": CreateDepartment}
    command = read_command(forms[kind.noun], _given(members))
    with open_service() as service:
        service.write(lambda tx: kind.create(service, tx, SYSTEM, command))


def _change(kind: "ReferenceKind[Any, Any, Any]", key: str, members: Mapping[str, object]) -> None:
    from complaints.use_cases.access import SYSTEM
    from complaints.use_cases.commands.configuration import PatchDepartment, PatchTeam
    from complaints.use_cases.commands.messages import read_command

    forms: dict[str, type[PatchTeam | PatchDepartment]] = {"team": PatchTeam, "department": PatchDepartment}
    command = read_command(forms[kind.noun], _given(members))
    with open_service() as service:
        service.write(lambda tx: kind.change(service, tx, SYSTEM, key, command))


def _given(members: Mapping[str, object]) -> dict[str, object]:
    """The members that were given. A list with one empty text is an empty list."""
    return {name: [] if value == [""] else value for name, value in members.items() if value is not None}


def _names(en: str | None, zh: str | None) -> dict[str, str] | None:
    return {name: text for name, text in (("en", en), ("zh", zh)) if text is not None} or None


def _named(item: "Team | Department") -> dict[str, object]:
    """The members of an item, with a member for each name."""
    members = asdict(item)
    names = members.pop("names")
    return {"code": members.pop("code"), "en": names["en"], "zh": names["zh"], **members}
