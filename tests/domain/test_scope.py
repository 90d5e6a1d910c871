"""Scopes in memory: which complaint each kind of scope admits, and how departments become teams."""

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import combinations

import pytest

from complaints.domain.rules.reach import UserReach, find_staff_scope
from complaints.domain.scope import (
    ALL_COMPLAINTS,
    OWN_KINDS,
    Scope,
    ScopedComplaint,
    ScopeKind,
    UnresolvedScope,
)
from complaints.domain.staff import Department, Directory, Team, User
from complaints.domain.vocabulary import AccessRole, UserScope
from complaints.use_cases.access import Caller, Right


@dataclass(frozen=True)
class _Row:
    source: str = "web"
    team: str = "billing"
    assignee: str | None = "ann"
    first_owner: str = "bob"


_DIRECTORY = Directory(
    users={},
    teams={
        code: Team(code, {}, department)
        for code, department in [("billing", "service"), ("operations", "network"), ("hotline", "calls")]
    },
    departments={
        code: Department(code, {}, parent=parent)
        for code, parent in [("top", None), ("service", "top"), ("network", "top"), ("calls", "service")]
    },
)


@pytest.mark.parametrize(
    ("scope", "row", "is_admitted"),
    [
        (ALL_COMPLAINTS, _Row(), True),
        (Scope.sources(["web", "app"]), _Row(), True),
        (Scope.sources(["app"]), _Row(), False),
        (Scope.sources([]), _Row(), False),
        (Scope.teams(["billing"]), _Row(), True),
        (Scope.teams(["operations"]), _Row(), False),
        (Scope.teams([]), _Row(), False),
        (Scope.own(ScopeKind.ASSIGNEE, "ann"), _Row(), True),
        (Scope.own(ScopeKind.ASSIGNEE, "bob"), _Row(), False),
        (Scope.own(ScopeKind.ASSIGNEE, "ann"), _Row(assignee=None), False),
        (Scope.own(ScopeKind.FIRST_OWNER, "bob"), _Row(), True),
        (Scope.own(ScopeKind.FIRST_OWNER, "ann"), _Row(), False),
    ],
)
def test_a_scope_compares_one_member_of_a_complaint(
    scope: Scope, row: ScopedComplaint, is_admitted: bool
) -> None:
    assert scope.admits(row) is is_admitted
    assert scope.admits(row, recipients=["ann", "bob"]) is is_admitted


def test_a_recipient_knows_of_the_complaints_with_their_escalations() -> None:
    scope = Scope.own(ScopeKind.RECIPIENT, "cid")
    assert scope.admits(_Row(), recipients=["ann", "cid"])
    assert not scope.admits(_Row(), recipients=["ann"])
    assert not scope.admits(_Row(assignee="cid", first_owner="cid"))


@pytest.mark.parametrize("kind", sorted(set(ScopeKind) - OWN_KINDS))
def test_a_scope_of_one_user_names_how_the_user_is_known(kind: ScopeKind) -> None:
    with pytest.raises(ValueError, match=kind):
        Scope.own(kind, "ann")


@pytest.mark.parametrize(
    ("departments", "teams"),
    [
        (["network"], {"operations"}),
        (["service"], {"billing", "hotline"}),
        (["calls", "network"], {"hotline", "operations"}),
        (["top"], {"billing", "hotline", "operations"}),
        (["unknown"], set()),
        ([], set()),
    ],
)
def test_departments_become_their_teams_and_the_teams_below_them(
    departments: list[str], teams: set[str]
) -> None:
    assert _DIRECTORY.resolve(Scope.departments(departments)) == Scope.teams(teams)


def test_a_scope_without_departments_needs_no_resolving() -> None:
    for scope in (ALL_COMPLAINTS, Scope.sources(["web"]), Scope.teams(["billing"])):
        assert _DIRECTORY.resolve(scope) is scope


def test_departments_must_be_resolved_before_they_admit_anything() -> None:
    with pytest.raises(UnresolvedScope):
        Scope.departments(["service"]).admits(_Row())


def test_a_source_is_admitted_unless_the_scope_is_limited_to_others() -> None:
    assert Scope.sources(["web"]).admits_source("web")
    assert not Scope.sources(["web"]).admits_source("app")
    assert ALL_COMPLAINTS.admits_source("app")
    assert Scope.teams(["billing"]).admits_source("app")


# The reach of a user ------------------------------------------------------------------------------------------

AGENT, SUPERVISOR, AUDITOR = AccessRole.AGENT, AccessRole.SUPERVISOR, AccessRole.AUDITOR
_HOUSE = Directory(
    users={},
    teams={
        "billing": Team("billing", {}, "service", lead="ann"),
        "hotline": Team("hotline", {}, "calls", deputy="ann"),
        "operations": Team("operations", {}, "network", lead="bob"),
        "masts": Team("masts", {}, "network"),
    },
    departments={
        "top": Department("top", {}, head="cid"),
        "service": Department("service", {}, parent="top"),
        "calls": Department("calls", {}, parent="service"),
        "network": Department("network", {}, parent="top", head="dan"),
    },
)


@pytest.mark.parametrize(
    ("user", "roles", "teams"),
    [
        (User("eve", "Eve", teams=("masts", "hotline")), {AGENT}, {"masts", "hotline"}),
        (User("eve", "Eve"), {AGENT}, set()),
        (User("ann", "Ann", teams=("masts",)), {AGENT}, {"masts", "billing", "hotline"}),
        (User("dan", "Dan"), {AGENT}, set()),
        (User("bob", "Bob"), {SUPERVISOR}, {"operations", "masts"}),
        (User("dan", "Dan"), {SUPERVISOR}, {"operations", "masts"}),
        (User("dan", "Dan", teams=("hotline",)), {AGENT, SUPERVISOR}, {"operations", "masts", "hotline"}),
        (User("cid", "Cid"), {SUPERVISOR}, {"billing", "hotline", "operations", "masts"}),
        (User("eve", "Eve", teams=("gone",)), {SUPERVISOR}, set()),
    ],
)
def test_rule_7_1_places_give_teams_to_agents_and_departments_to_supervisors(
    user: User, roles: set[AccessRole], teams: set[str]
) -> None:
    assert find_staff_scope(user, frozenset(roles), _HOUSE) == Scope.teams(teams)


@pytest.mark.parametrize("role", [AccessRole.MANAGER, AUDITOR, AccessRole.ADMIN])
def test_rule_7_1_managers_auditors_and_admins_know_of_all(role: AccessRole) -> None:
    assert find_staff_scope(User("eve", "Eve"), frozenset({role, AGENT}), _HOUSE) == ALL_COMPLAINTS


@pytest.mark.parametrize(
    ("given", "names", "scope"),
    [
        (UserScope.ALL, (), ALL_COMPLAINTS),
        (UserScope.TEAMS, ("masts",), Scope.teams(["masts"])),
        (UserScope.DEPARTMENTS, ("service",), Scope.teams(["billing", "hotline"])),
        (UserScope.SOURCES, ("web", "app"), Scope.sources(["web", "app"])),
        (UserScope.OWN, (), Scope.own(ScopeKind.ASSIGNEE, "ann")),
    ],
)
def test_rule_7_2_a_given_scope_counts_whatever_the_roles(
    given: UserScope, names: tuple[str, ...], scope: Scope
) -> None:
    user = User("ann", "Ann", scope=given, scope_names=names)
    for roles in ({AGENT}, {SUPERVISOR, AUDITOR}, {AccessRole.ADMIN}):
        assert find_staff_scope(user, frozenset(roles), _HOUSE) == scope


def _caller(user: User, *roles: AccessRole) -> Caller:
    return Caller("key", frozenset(roles), "web", user.login, UserReach(user, _HOUSE))


@pytest.mark.parametrize("right", Right)
def test_rule_7_6_roles_together_admit_nothing_that_none_of_them_admits(right: Right) -> None:
    user = User("bob", "Bob", teams=("hotline",))
    rows = [_Row(source, team, None, "cid") for source in ("web", "app") for team in _HOUSE.teams]
    for size in (2, 3):
        for roles in combinations(AccessRole, size):
            single = [_caller(user, role).scope_for(right) for role in roles]
            for row in rows:
                if _caller(user, *roles).scope_for(right).admits(row):
                    assert any(scope.admits(row) for scope in single), (roles, row)


def test_a_caller_with_a_user_but_without_reach_knows_of_nothing() -> None:
    caller = Caller("key", frozenset({AccessRole.ADMIN}), "web", "ann")
    assert not caller.scope.admits(_Row(first_owner="cid", assignee=None))
    assert caller.represented(datetime(2026, 1, 5, tzinfo=UTC)) == ()


def test_a_key_without_a_user_knows_of_all_or_of_its_source() -> None:
    for role in AccessRole:
        own = Scope.sources(["web"]) if role is AccessRole.INTAKE else ALL_COMPLAINTS
        assert Caller("key", frozenset({role}), "web").scope == own
