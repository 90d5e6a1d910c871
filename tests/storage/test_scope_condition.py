"""A scope as SQL selects exactly the complaints that it admits in memory."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select

from complaints.domain.rules.reach import find_staff_scope
from complaints.domain.scope import ALL_COMPLAINTS, OWN_KINDS, Scope, ScopeKind, UnresolvedScope
from complaints.domain.staff import Directory, User
from complaints.domain.vocabulary import AccessRole, Channel, Priority, Severity, Status, UserScope
from complaints.storage.database.transactions import Transaction
from complaints.storage.load import find_outside
from complaints.storage.queries.complaint_filters import walked_condition
from complaints.storage.rows.complaint import complaint
from complaints.storage.rows.configuration import department, policy, team, user_account
from complaints.storage.rows.escalation import escalation, escalation_recipient
from complaints.storage.rows.scope_condition import condition, subject_condition
from complaints.storage.rows.subject import subject
from complaints.use_cases.service import Service
from complaints.wiring import new_id
from tests.conftest import DATABASE_KINDS, Databases
from tests.support import opened_service

SOURCES = ("web", "Web", "web ", "网", "x' OR '1' = '1")
LOGINS = ("ann", "Ann", "bob", "张")
TEAMS = {"bills": "care", "hotline": "calls", "masts": "wires", "lines": "wires"}
DEPARTMENTS = {"house": None, "care": "house", "calls": "care", "wires": "house"}


@pytest.fixture(scope="module", params=DATABASE_KINDS)
def staffed(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    migrated_template: Callable[[str], str],
) -> Iterator[Service]:
    """A database with a tree of departments and no complaints. Each example takes its own rows back."""
    databases = Databases(tmp_path_factory.mktemp("staffed"), request.config)
    url = databases.make(request.param, template=migrated_template(request.param))
    with opened_service(url) as service:
        service.write(_write_staff)
        yield service
    databases.drop_all()


def _write_staff(tx: Transaction) -> None:
    tx.connection.execute(
        insert(user_account), [{"login": login, "name": login, "active": True} for login in LOGINS]
    )
    for code, parent in DEPARTMENTS.items():  # a parent comes before its children
        tx.connection.execute(insert(department).values(code=code, names={}, parent=parent))
    teams = [
        {"code": code, "names": {}, "department": above, "active": True} for code, above in TEAMS.items()
    ]
    tx.connection.execute(insert(team), teams)


def _names(pool: tuple[str, ...]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from([*pool, "unknown"]), unique=True)


def _user(login: str, teams: list[str], given: UserScope | None, names: list[str]) -> User:
    return User(login, login, teams=tuple(teams), scope=given, scope_names=tuple(names))


_USERS = st.builds(
    _user,
    st.sampled_from(LOGINS),
    _names(tuple(TEAMS)),
    st.none() | st.sampled_from(UserScope),
    _names((*TEAMS, *DEPARTMENTS, *SOURCES)),
)
_ROLES = st.sets(st.sampled_from(AccessRole), min_size=1).map(frozenset)
_SCOPES: "st.SearchStrategy[Drawn]" = st.one_of(
    st.tuples(_USERS, _ROLES),
    st.just(ALL_COMPLAINTS),
    _names(SOURCES).map(Scope.sources),
    _names(tuple(TEAMS)).map(Scope.teams),
    _names(tuple(DEPARTMENTS)).map(Scope.departments),
    st.builds(Scope.own, st.sampled_from(sorted(OWN_KINDS)), st.sampled_from([*LOGINS, "unknown"])),
)
Drawn = Scope | tuple[User, frozenset[AccessRole]]


def _resolve(directory: Directory, drawn: Drawn) -> Scope:
    """The scope without departments; of a user with roles, the scope that follows from them."""
    return directory.resolve(drawn) if isinstance(drawn, Scope) else find_staff_scope(*drawn, directory)


_COMPLAINTS = st.fixed_dictionaries(
    {
        "source": st.sampled_from(SOURCES),
        "team": st.sampled_from(tuple(TEAMS)),
        "assignee": st.none() | st.sampled_from(LOGINS),
        "first_owner": st.sampled_from(LOGINS),
    }
)
_RECIPIENTS = st.lists(st.lists(st.sampled_from(LOGINS), unique=True), max_size=2)


@settings(max_examples=60)
@given(st.lists(st.tuples(_COMPLAINTS, _RECIPIENTS), max_size=8), _SCOPES)
def test_the_condition_selects_the_complaints_that_the_scope_admits(
    staffed: Service, drawn: list[tuple[dict[str, Any], list[list[str]]]], scope: Drawn
) -> None:
    with staffed.database.begin() as tx, tx.rolled_back():
        written = {
            _write_complaint(tx, n, members): recipients for n, (members, recipients) in enumerate(drawn)
        }
        for complaint_id, recipients in written.items():
            _write_escalations(tx, complaint_id, recipients)
        resolved = _resolve(staffed.configuration(tx).directory, scope)
        admitted = {
            row.id
            for row in tx.connection.execute(select(complaint))
            if resolved.admits(row, recipients=[who for one in written[row.id] for who in one])
        }
        for table in (complaint, complaint.alias("other")):
            selected = tx.connection.execute(select(table.c.id).where(condition(resolved, table)))
            assert set(selected.scalars()) == admitted
        walked = tx.connection.execute(select(complaint.c.id).where(walked_condition(tx, resolved)))
        assert set(walked.scalars()) == admitted
        assert find_outside(tx, written.keys(), scope=resolved) == written.keys() - admitted


@dataclass(frozen=True)
class _SubjectRow:
    """A subject as a scope sees it: its owner stands for assignee and first owner, and it has no source."""

    team: str
    owner: str
    source: str = "no source of any complaint"

    @property
    def assignee(self) -> str:
        return self.owner

    @property
    def first_owner(self) -> str:
        return self.owner


_SUBJECTS = st.builds(_SubjectRow, st.sampled_from(tuple(TEAMS)), st.sampled_from(LOGINS))


@settings(max_examples=40)
@given(st.lists(st.tuples(_SUBJECTS, _RECIPIENTS), max_size=6), _SCOPES)
def test_the_condition_selects_the_subjects_that_the_scope_admits(
    staffed: Service, drawn: list[tuple[_SubjectRow, list[list[str]]]], scope: Drawn
) -> None:
    with staffed.database.begin() as tx, tx.rolled_back():
        resolved = _resolve(staffed.configuration(tx).directory, scope)
        admitted = set()
        for n, (row, recipients) in enumerate(drawn):
            subject_id = _write_subject(tx, n, row)
            _write_escalations(tx, subject_id, recipients, owner="subject_id")
            if resolved.admits(row, recipients=[who for one in recipients for who in one]):
                admitted.add(subject_id)
        selected = tx.connection.execute(select(subject.c.id).where(subject_condition(resolved)))
        assert set(selected.scalars()) == admitted


@pytest.mark.parametrize("kind", ScopeKind)
def test_every_kind_of_scope_has_a_condition_or_is_resolved_first(kind: ScopeKind) -> None:
    if kind is ScopeKind.DEPARTMENTS:
        with pytest.raises(UnresolvedScope):
            condition(Scope(kind), complaint)
    else:
        condition(Scope(kind), complaint)


def _write_complaint(tx: Transaction, n: int, members: dict[str, Any]) -> UUID:
    code, version = tx.connection.execute(select(policy.c.code, policy.c.version)).one()
    row = {
        "id": new_id(),
        "sequence": n + 1,
        "version": 1,
        "status": Status.RECEIVED,
        "cycle": 1,
        "channel": Channel.PHONE,
        "subject": "No signal",
        "received_at": tx.now,
        "created_at": tx.now,
        "updated_at": tx.now,
        "severity": Severity.NORMAL,
        "priority": Priority.NORMAL,
        "priority_given": False,
        "tags": [],
        "attributes": {},
        "policy_code": code,
        "policy_version": version,
        "escalation_level": 0,
        "history_count": 0,
        "history_digest": b"",
    }
    tx.connection.execute(insert(complaint).values(row | members))
    return row["id"]


def _write_subject(tx: Transaction, n: int, row: _SubjectRow) -> UUID:
    code, version = tx.connection.execute(select(policy.c.code, policy.c.version)).one()
    values = {
        "id": new_id(),
        "kind": "review",
        "sequence": n + 1,
        "number": f"R{n}",
        "version": 1,
        "status": "open",
        "cycle": 1,
        "created_at": tx.now,
        "updated_at": tx.now,
        "team": row.team,
        "owner": row.owner,
        "policy_code": code,
        "policy_version": version,
        "history_count": 0,
        "history_digest": b"",
    }
    tx.connection.execute(insert(subject).values(values))
    return values["id"]


def _write_escalations(
    tx: Transaction, owner_id: UUID, recipients: list[list[str]], *, owner: str = "complaint_id"
) -> None:
    for logins in recipients:
        row = {
            "id": new_id(),
            owner: owner_id,
            "step": "call",
            "level": 1,
            "roles": [],
            "recipients": logins,
            "team": "bills",
            "planned_at": tx.now,
            "taken_at": tx.now,
            "superseded": False,
        }
        tx.connection.execute(insert(escalation).values(row))
        if logins:
            notified = [{"escalation_id": row["id"], "login": login} for login in logins]
            tx.connection.execute(insert(escalation_recipient), notified)
