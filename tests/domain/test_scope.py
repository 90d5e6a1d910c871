"""Scopes in memory: which complaint each kind of scope admits, and how departments become teams."""

from dataclasses import dataclass

import pytest

from complaints.domain.scope import (
    ALL_COMPLAINTS,
    OWN_KINDS,
    Scope,
    ScopedComplaint,
    ScopeKind,
    UnresolvedScope,
)
from complaints.domain.staff import Department, Directory, Team


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
