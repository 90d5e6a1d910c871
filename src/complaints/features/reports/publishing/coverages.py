"""The coverage of a report: which complaints it is about, and who may know of it (rules 12.4, 12.5)."""

from collections.abc import Collection

from complaints.domain.errors import InvalidContent
from complaints.domain.scope import Scope, ScopeKind
from complaints.domain.staff import Directory
from complaints.features.reports.publishing.snapshots import Coverage
from complaints.use_cases.named_filters import check_member

ALL = "all"


def choose_coverage(directory: Directory, *, team: str | None, department: str | None) -> Coverage:
    """The coverage of a team, of a department with those below it, or of all complaints. Raises InvalidContent."""
    if team is not None and department is not None:
        raise InvalidContent.at("/department", "Name a team or a department, not both.")
    check_member(team, directory.teams, pointer="/team", thing="team")
    check_member(department, directory.departments, pointer="/department", thing="department")
    if team is not None:
        return read_coverage(directory, f"team:{team}")
    if department is None:
        return read_coverage(directory, ALL)
    found = read_coverage(directory, f"department:{department}")
    if not found.teams:
        raise InvalidContent.at("/department", "This department has no team.")
    return found


def read_coverage(directory: Directory, code: str) -> Coverage:
    """The coverage with this code, with names and teams as they are now."""
    kind, _, name = code.partition(":")
    if code == ALL:
        return Coverage(code=ALL, names={})
    if kind == "team":
        team = directory.teams.get(name)
        return Coverage(code=code, names=dict(team.names) if team else {}, teams=[name])
    department = directory.departments.get(name)
    teams = sorted(directory.resolve(Scope.departments([name])).names)
    return Coverage(code=code, names=dict(department.names) if department else {}, teams=teams)


def admits_report(scope: Scope, teams: Collection[str] | None) -> bool:
    """True if every complaint of a report on these teams is within the scope. None: all teams."""
    if scope.kind is ScopeKind.ALL:
        return True
    return scope.kind is ScopeKind.TEAMS and teams is not None and scope.names.issuperset(teams)
