"""Files of people: the plan, what is applied, what is refused with its place, and the way back to a file."""

from pathlib import Path

import pytest

from complaints.domain.errors import Conflict, Forbidden, InvalidContent
from complaints.domain.vocabulary import AccessRole
from complaints.storage.rows.audit_event import AuditFilter, list_events
from complaints.use_cases.access import SYSTEM, Caller
from complaints.use_cases.people import applying
from complaints.use_cases.people.applying import apply_people, preview_people
from complaints.use_cases.people.document import format_people, read_people
from complaints.use_cases.people.planning import PeoplePlan
from complaints.use_cases.service import Service
from complaints.use_cases.upkeep.configuration_checks import check_configuration
from tests.support import Scenario, count_statements

EXAMPLE = Path(__file__).parents[2] / "docs/examples/people.yaml"
CALLER = Caller("setup", frozenset({AccessRole.ADMIN}), "setup")


def apply(service: Service, text: str) -> PeoplePlan:
    people = read_people(text)
    plan = preview_people(service, CALLER, people)
    apply_people(service, CALLER, people, plan)
    return plan


def export(service: Service) -> str:
    service.cache.expire()
    return service.read(lambda tx: format_people(service.configuration(tx).directory, tx.now))


def told(service: Service, text: str) -> list[str]:
    """The faults of a file that is refused. The people stay as they are."""
    before = export(service)
    with pytest.raises(InvalidContent) as refused:
        apply(service, text)
    assert export(service) == before
    return [f"{fault.pointer} {fault.message}" for fault in refused.value.faults]


def test_the_example_makes_everybody_and_then_nothing_more(scenario: Scenario) -> None:
    service = scenario.service
    plan = apply(service, EXAMPLE.read_text())
    assert [(step.section.kind.noun, step.key, step.old is None) for step in plan.steps] == [
        ("department", "head_office", False),
        ("department", "north", True),
        ("team", "north_network", True),
        ("team", "north_billing", True),
        *(("user", login, True) for login in ("zhou.min", "chen.hong", "li.wei", "wang.fang")),
    ]
    assert plan.steps[0].changes == {"head": ("admin", "zhou.min")}
    assert plan.untouched["users"] == ("admin",)
    directory = service.read(service.configuration).directory
    assert (directory.users["li.wei"].deputy, directory.users["wang.fang"].deputy) == ("wang.fang", "li.wei")
    assert (directory.teams["north_network"].lead, directory.departments["north"].parent) == (
        "li.wei",
        "head_office",
    )
    events = service.read(lambda tx: list_events(tx, AuditFilter(actor=CALLER.actor), before=None, limit=50))
    assert [event.code for event in reversed(events)] == [step.key for step in plan.steps]
    assert not list(check_configuration(service))

    with count_statements(service) as executed:
        again = apply(service, EXAMPLE.read_text())
    assert (again.steps, again.same) == ((), {"departments": 2, "teams": 2, "users": 4})
    assert not [statement for statement, _ in executed if statement.startswith(("INSERT", "UPDATE"))]


def test_a_file_of_everybody_changes_nothing(scenario: Scenario) -> None:
    service = scenario.service
    apply(service, EXAMPLE.read_text())
    apply(service, "users: [{login: 'true', name: '007', roles: [], teams: []}, {login: 0x1f, name: no}]")
    written = export(service)
    plan = apply(service, written)
    assert (plan.steps, sum(map(len, plan.untouched.values()))) == ((), 0)
    scenario.jump(days=800)
    assert apply(service, export(service)).steps == ()
    assert "absent" not in export(service)
    assert [step.key for step in apply(service, written).steps] == ["wang.fang"]  # the absence has ended


def test_what_a_file_leaves_out_stays_and_an_empty_value_takes_away(service: Service) -> None:
    apply(service, EXAMPLE.read_text())
    plan = apply(
        service,
        "users:\n"
        "- {login: wang.fang, deputy:, absent_from:, scope:, scope_names: []}\n"
        "- {login: zhou.min, email: ''}\n"
        "teams: [{code: north_network, names: {en: Net}}]\n",
    )
    changed = {step.key: sorted(step.changes) for step in plan.steps}
    assert changed == {
        "wang.fang": ["absent_from", "absent_until", "deputy", "scope", "scope_names"],
        "zhou.min": ["email"],
        "north_network": ["names"],
    }
    directory = service.read(service.configuration).directory
    assert directory.users["wang.fang"].roles == ("agent", "auditor")
    assert directory.teams["north_network"].names == {"en": "Net", "zh": "北区网络"}


def test_departments_may_change_places(service: Service) -> None:
    apply(service, EXAMPLE.read_text())
    apply(service, "departments: [{code: head_office, parent: north}, {code: north, parent: ''}]")
    departments = service.read(service.configuration).directory.departments
    assert (departments["head_office"].parent, departments["north"].parent) == ("north", None)


REFUSED = [
    ("", ["line 1: the document is empty"]),
    ("- a", ["line 1, column 1: must be a mapping with departments"]),
    ("users: [a", ["line 1: not YAML or JSON"]),
    ("user: []", ["/user line 1, column 1: unknown 'user'; did you mean 'users'?"]),
    ("users: {}", ["/users line 1, column 1: must be a list"]),
    ("users:\n  - li.wei", ["/users/0 line 2, column 5: must be a mapping with the members of a user"]),
    ("users:\n  - name: A", ["/users/0/login line 2, column 5: login is required."]),
    (
        "users:\n  - {login: a b, roles: [king]}\n  - {login: c, depty: d, active: 1}",
        [
            "/users/0/login line 2, column 6",
            "/users/0/roles/0 line 2, column 26",
            "/users/1/depty line 3, column 16: depty is unknown here; did you mean 'deputy'?",
            "/users/1/active line 3, column 26: active should be a valid boolean.",
        ],
    ),
    ("users: [{login: a, login: b}]", ["/users/0/login line 1, column 20: 'login' is there twice"]),
    ("users: [{login: a, name: A}, {login: a}]", ["/users/1/login line 1, column 31: the user 'a' is there"]),
    ("users: [{login: a, successor: b}]", ["/users/0/successor line 1, column 20: A successor is for"]),
    ("users: [{login: a}]\nteams: [{code: t}]", ["/users/0/name", "/teams/0/names", "/teams/0/department"]),
    ("users: [{login: me, name: A}]", ["/users/0/login line 1, column 10: 'me' has a meaning"]),
    (
        "users:\n- {login: a, name: A, deputy: a}\n- {login: b, name: B, deputy: c}\n- {login: d, name: D, teams: [x]}",
        ["/users/0/deputy line 2", "/users/1/deputy line 3", "/users/2/teams/0 line 4, column 31: There is no team"],
    ),
    (
        "departments: [{code: a, names: {en: A, zh: A}, parent: b}, {code: b, names: {en: B, zh: B}, parent: a}]",
        ["/departments/0/parent line 1, column 48: A department cannot be below", "/departments/1/parent"],
    ),
    ("departments: [{code: network, parent: nowhere}]", ["/departments/0/parent line 1, column 31: There is no"]),
    ("users: [{login: a, name: A, active: false, deputy: admin}, {login: admin, active: false}]",
     ["/users/0/deputy", "/users/1"]),
    ("users: [{login: a, name: A}, {login: admin, active: false}]", ["/users/1/active", ]),
    (
        "users: [{login: a, name: A}, {login: admin, active: false, successor: nobody}]",
        ["/users/1/successor line 1, column 60: There is no active user 'nobody'."],
    ),
    ("teams: [{code: operations, active: false}]", ["/teams/0 line 1, column 9: "]),
]  # fmt: skip


def test_a_file_with_faults_is_refused_as_a_whole_with_the_place_of_each(service: Service) -> None:
    for text, expected in REFUSED:
        faults = told(service, text)
        assert len(faults) == len(expected), faults
        for fault, start in zip(faults, expected, strict=True):
            assert fault.strip().startswith(start), faults


def test_a_user_who_leaves_by_a_file_hands_over(scenario: Scenario) -> None:
    # rule 1.7
    service = scenario.service
    apply(service, EXAMPLE.read_text())
    complaint = scenario.post()
    before = complaint.first_owner
    leaving = f"users: [{{login: {before}, active: false, successor: zhou.min, email: a@example.com}}]"
    plan = apply(service, leaving)
    assert (plan.steps[0].leaves, plan.steps[0].successor) == (True, "zhou.min")
    assert scenario.load(complaint).first_owner == "zhou.min"
    directory = service.read(service.configuration).directory
    assert (directory.users[before].active, directory.users[before].email) == (False, "a@example.com")
    assert apply(service, leaving).steps == ()
    assert "active: false" in export(service)
    assert apply(service, export(service)).steps == ()
    assert not list(check_configuration(service))


def test_a_leaver_whose_team_gets_another_lead_needs_no_successor(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply(service, EXAMPLE.read_text())
    leaver = "users: [{login: li.wei, active: false}]\n"
    assert told(service, leaver) == [
        "/users/0/active line 1, column 25: li.wei leads north_network: name a successor, or give them to others first."
    ]
    assert told(
        service,
        "users: [{login: li.wei, active: false, successor: wang.fang}, {login: wang.fang, active: false}]",
    ) == ["/users/0/successor line 1, column 40: There is no active user 'wang.fang'."]
    text = leaver + "teams: [{code: north_network, lead: zhou.min}]"

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(applying.leaving, "hand_over_all", interrupted)
        with pytest.raises(KeyboardInterrupt):
            apply(service, text)
    directory = service.read(service.configuration).directory
    assert (directory.teams["north_network"].lead, directory.users["li.wei"].active) == ("zhou.min", False)
    assert directory.leaving == {"li.wei": None}
    applying.leaving.finish_leavings(service)  # the loop of a server
    assert service.read(lambda tx: applying.leaving.load_leaving(tx, "li.wei")).finished_at is not None


def test_a_plan_of_before_is_not_applied(service: Service) -> None:
    people = read_people(EXAMPLE.read_text())
    plan = preview_people(service, CALLER, people)
    apply(service, "users: [{login: li.wei, name: Li}]")
    with pytest.raises(Conflict, match="changed after the plan was shown"):
        apply_people(service, CALLER, people, plan)
    assert "north" not in service.read(service.configuration).directory.departments


def test_who_may_not_configure_applies_nothing(service: Service) -> None:
    people = read_people(EXAMPLE.read_text())
    supervisor = Caller("s", frozenset({AccessRole.SUPERVISOR}), "s")
    for work in (
        lambda: preview_people(service, supervisor, people),
        lambda: apply_people(service, supervisor, people, preview_people(service, SYSTEM, people)),
    ):
        with pytest.raises(Forbidden):
            work()
