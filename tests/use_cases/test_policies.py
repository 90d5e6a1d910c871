"""Policies applied: their versions, the time when each takes force, and the complaints that each holds for."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from complaints.domain.errors import Conflict, Forbidden, InvalidContent
from complaints.domain.time.calendar_document import parse_calendar
from complaints.domain.vocabulary import AccessRole, DeadlineKind
from complaints.use_cases.access import SYSTEM, Caller
from complaints.use_cases.commands.configuration import CreateTeam, Names, PatchCategory, PatchTeam, PatchUser
from complaints.use_cases.configuration import calendars, categories, policies, staff
from complaints.use_cases.configuration.policies import ApplyPolicyResult
from complaints.use_cases.upkeep.seeding import shipped_policy
from tests.support import Scenario

HANDBOOK = shipped_policy("telecom-handbook")
OFFICE = {"timezone": "Asia/Shanghai", "hours": {"mon": [["09:00", "18:00"]]}}


def apply(scenario: Scenario, text: str, caller: Caller = SYSTEM) -> ApplyPolicyResult:
    return scenario.service.configure(lambda tx: policies.apply_policy(scenario.service, tx, caller, text))


def in_force(scenario: Scenario) -> tuple[str, int]:
    policy = scenario.service.read(lambda tx: scenario.service.configuration(tx).policy_at(tx.now))
    return policy.code, policy.version


def test_another_document_is_the_next_version_and_the_same_one_is_none(scenario: Scenario) -> None:
    # rule 4.1
    second = HANDBOOK.replace("24 elapsed hours", "12 elapsed hours")

    assert (apply(scenario, HANDBOOK).policy.version, apply(scenario, HANDBOOK).created) == (1, False)
    assert (apply(scenario, second).policy.version, apply(scenario, second).created) == (2, False)
    assert apply(scenario, second + "\n# a remark says nothing new\n").policy.version == 2
    assert apply(scenario, HANDBOOK).policy.version == 3


def test_what_was_received_before_keeps_its_version(scenario: Scenario) -> None:
    before = scenario.post()
    apply(scenario, HANDBOOK.replace("24 elapsed hours", "12 elapsed hours"))
    after = scenario.post()

    assert (before.policy_version, after.policy_version) == (1, 2)
    hours = {
        complaint.policy_version: next(
            d.due_at - d.started_at
            for d in scenario.load(complaint).deadlines
            if d.kind is DeadlineKind.FIRST_RESPONSE
        )
        for complaint in (before, after)
    }
    assert hours == {1: timedelta(hours=24), 2: timedelta(hours=12)}


def test_a_policy_takes_force_at_its_time(scenario: Scenario) -> None:
    # rule 4.1
    later = HANDBOOK.replace("1970-01-01T00:00:00Z", "2026-01-06T00:00:00Z")
    assert apply(scenario, later).warnings == ()

    assert in_force(scenario) == ("telecom-handbook", 1)
    assert scenario.post().policy_version == 1
    scenario.advance(days=1)
    assert in_force(scenario) == ("telecom-handbook", 2)
    assert scenario.post().policy_version == 2


def test_of_two_that_take_force_together_the_one_applied_last_counts(scenario: Scenario) -> None:
    other = HANDBOOK.replace("code: telecom-handbook", "code: another")
    apply(scenario, other)
    assert in_force(scenario) == ("another", 1)
    apply(scenario, HANDBOOK.replace("24 elapsed hours", "12 elapsed hours"))
    assert in_force(scenario) == ("telecom-handbook", 2)

    again = apply(scenario, other)
    assert (again.created, in_force(scenario)) == (False, ("telecom-handbook", 2))
    assert "version 2" in again.warnings[-1].message


def test_one_that_an_other_already_overrules_says_so(scenario: Scenario) -> None:
    apply(scenario, HANDBOOK.replace("1970-01-01T00:00:00Z", "2026-01-01T00:00:00Z"))
    late = apply(scenario, HANDBOOK.replace("24 elapsed hours", "12 elapsed hours"))

    assert (late.policy.version, in_force(scenario)) == (3, ("telecom-handbook", 2))
    assert late.warnings[-1].pointer == "/effective_at"


def test_teams_categories_and_calendars_are_looked_up(scenario: Scenario) -> None:
    faulty = HANDBOOK.replace("team: operations", "team: operation").replace("hours: null", "use: nowhere")
    with pytest.raises(InvalidContent) as refused:
        apply(scenario, faulty)
    assert [fault.pointer for fault in refused.value.faults] == ["/calendars/always/use", "/routes/0/team"]
    assert all(fault.message.startswith("line ") for fault in refused.value.faults)
    with pytest.raises(InvalidContent, match="stored calendar"):
        policies.validate_policy(faulty)
    assert policies.validate_policy(HANDBOOK.replace("team: operations", "team: unknown")).policy.routes


def test_a_team_out_of_use_cannot_be_named(scenario: Scenario) -> None:
    text = HANDBOOK.replace("default_team: customer_service", "default_team: night")
    night = CreateTeam(code="night", names=Names(en="Night", zh="夜班"), department="service", active=False)
    scenario.service.configure(lambda tx: staff.TEAMS.create(scenario.service, tx, SYSTEM, night))
    with pytest.raises(InvalidContent, match="unknown team 'night'"):
        apply(scenario, text)

    scenario.service.configure(
        lambda tx: staff.TEAMS.change(scenario.service, tx, SYSTEM, "night", PatchTeam(active=True))
    )
    assert apply(scenario, text).policy.default_team == "night"
    with pytest.raises(Conflict, match="version 2 gives complaints to this team"):
        scenario.service.configure(
            lambda tx: staff.TEAMS.change(scenario.service, tx, SYSTEM, "night", PatchTeam(active=False))
        )


def test_a_policy_takes_a_stored_calendar_as_it_is_when_applied(scenario: Scenario) -> None:
    text = HANDBOOK.replace("hours: null", "use: office").replace("24 elapsed hours", "3 working hours")
    scenario.service.configure(
        lambda tx: calendars.put_calendar(scenario.service, tx, SYSTEM, "office", OFFICE)
    )
    apply(scenario, text)
    longer = OFFICE | {"hours": {"mon": [["09:00", "20:00"]]}}
    scenario.service.configure(
        lambda tx: calendars.put_calendar(scenario.service, tx, SYSTEM, "office", longer)
    )

    def kept(version: int) -> object:
        policy = scenario.service.read(lambda tx: scenario.service.configuration(tx)).policy(
            "telecom-handbook", version
        )
        return replace(policy.calendars["always"], name=None)

    assert kept(2) == parse_calendar(OFFICE)
    assert apply(scenario, text).policy.version == 3
    assert (kept(2), kept(3)) == (parse_calendar(OFFICE), parse_calendar(longer))


def test_the_text_is_kept_as_sent(scenario: Scenario) -> None:
    # rule 4.3
    text = HANDBOOK + "\n# 备注\n"
    version = apply(scenario, text.replace("24 elapsed hours", "12 elapsed hours")).policy.version
    listed, sent = scenario.service.read(
        lambda tx: policies.load_policy(tx, scenario.service.configuration(tx), "telecom-handbook", version)
    )
    assert sent.endswith("# 备注\n")
    assert (listed.in_force, listed.applied_by, listed.policy.version) == (True, SYSTEM.actor, version)


def test_only_a_manager_or_an_administrator_applies(scenario: Scenario) -> None:
    supervisor = Caller("s", frozenset({AccessRole.SUPERVISOR}), "s")
    with pytest.raises(Forbidden, match="manager, admin"):
        apply(scenario, HANDBOOK, supervisor)


def test_documents_applied_at_once_are_versions_one_after_the_other(scenario: Scenario) -> None:
    texts = [HANDBOOK.replace("24 elapsed hours", f"{hours} elapsed hours") for hours in range(2, 10)]
    with ThreadPoolExecutor(4) as pool:
        applied = list(pool.map(lambda text: apply(scenario, text), texts))

    assert sorted(one.policy.version for one in applied) == list(range(2, 10))
    last = max(applied, key=lambda one: one.policy.version)
    assert in_force(scenario) == ("telecom-handbook", last.policy.version)


def test_changes_made_at_once_are_all_there(scenario: Scenario) -> None:
    """Each reads what the one before wrote, so none undoes another's."""
    changes = [
        lambda tx: staff.USERS.change(scenario.service, tx, SYSTEM, "admin", PatchUser(name="Ada")),
        lambda tx: staff.USERS.change(
            scenario.service, tx, SYSTEM, "admin", PatchUser(email="ada@example.com")
        ),
        lambda tx: categories.CATEGORIES.change(
            scenario.service, tx, SYSTEM, "network.outage", PatchCategory(team="management")
        ),
        lambda tx: categories.CATEGORIES.change(
            scenario.service, tx, SYSTEM, "network.outage", PatchCategory(active=False)
        ),
    ]
    before = scenario.service.read(lambda tx: scenario.service.configuration(tx).version)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(scenario.service.configure, changes))

    configuration = scenario.service.read(scenario.service.configuration)
    admin, outage = configuration.directory.users["admin"], configuration.categories["network.outage"]
    assert (admin.name, admin.email) == ("Ada", "ada@example.com")
    assert (outage.team, outage.active) == ("management", False)
    assert configuration.version == before + 4
