"""Policies applied: versions, what takes force when, and which complaints go by which."""

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
from complaints.use_cases.configuration.policies import Applied
from complaints.use_cases.upkeep.seeding import shipped_policy
from tests.support import House

HANDBOOK = shipped_policy("telecom-handbook")
OFFICE = {"timezone": "Asia/Shanghai", "hours": {"mon": [["09:00", "18:00"]]}}


def apply(house: House, text: str, caller: Caller = SYSTEM) -> Applied:
    return house.engine.configure(lambda tx: policies.apply_policy(house.engine, tx, caller, text))


def in_force(house: House) -> tuple[str, int]:
    policy = house.engine.read(lambda tx: house.engine.catalogue(tx).policy_at(tx.now))
    return policy.code, policy.version


def test_another_document_is_the_next_version_and_the_same_one_is_none(house: House) -> None:
    second = HANDBOOK.replace("24 elapsed hours", "12 elapsed hours")

    assert (apply(house, HANDBOOK).policy.version, apply(house, HANDBOOK).created) == (1, False)
    assert (apply(house, second).policy.version, apply(house, second).created) == (2, False)
    assert apply(house, second + "\n# a remark says nothing new\n").policy.version == 2
    assert apply(house, HANDBOOK).policy.version == 3


def test_what_was_received_before_keeps_its_version(house: House) -> None:
    before = house.post()
    apply(house, HANDBOOK.replace("24 elapsed hours", "12 elapsed hours"))
    after = house.post()

    assert (before.policy_version, after.policy_version) == (1, 2)
    hours = {
        complaint.policy_version: next(
            d.due_at - d.started_at
            for d in house.load(complaint).deadlines
            if d.kind is DeadlineKind.FIRST_RESPONSE
        )
        for complaint in (before, after)
    }
    assert hours == {1: timedelta(hours=24), 2: timedelta(hours=12)}


def test_a_policy_takes_force_at_its_time(house: House) -> None:
    later = HANDBOOK.replace("1970-01-01T00:00:00Z", "2026-01-06T00:00:00Z")
    assert apply(house, later).warnings == ()

    assert in_force(house) == ("telecom-handbook", 1)
    assert house.post().policy_version == 1
    house.advance(days=1)
    assert in_force(house) == ("telecom-handbook", 2)
    assert house.post().policy_version == 2


def test_of_two_that_take_force_together_the_one_applied_last_counts(house: House) -> None:
    other = HANDBOOK.replace("code: telecom-handbook", "code: another")
    apply(house, other)
    assert in_force(house) == ("another", 1)
    apply(house, HANDBOOK.replace("24 elapsed hours", "12 elapsed hours"))
    assert in_force(house) == ("telecom-handbook", 2)

    again = apply(house, other)
    assert (again.created, in_force(house)) == (False, ("telecom-handbook", 2))
    assert "version 2" in again.warnings[-1].message


def test_one_that_an_other_already_overrules_says_so(house: House) -> None:
    apply(house, HANDBOOK.replace("1970-01-01T00:00:00Z", "2026-01-01T00:00:00Z"))
    late = apply(house, HANDBOOK.replace("24 elapsed hours", "12 elapsed hours"))

    assert (late.policy.version, in_force(house)) == (3, ("telecom-handbook", 2))
    assert late.warnings[-1].pointer == "/effective_at"


def test_teams_categories_and_calendars_are_looked_up(house: House) -> None:
    faulty = HANDBOOK.replace("team: operations", "team: operation").replace("hours: null", "use: nowhere")
    with pytest.raises(InvalidContent) as refused:
        apply(house, faulty)
    assert [fault.pointer for fault in refused.value.faults] == ["/calendars/always/use", "/routes/0/team"]
    assert all(fault.message.startswith("line ") for fault in refused.value.faults)
    with pytest.raises(InvalidContent, match="stored calendar"):
        policies.validate_policy(faulty)
    assert policies.validate_policy(HANDBOOK.replace("team: operations", "team: unknown")).policy.routes


def test_a_team_out_of_use_cannot_be_named(house: House) -> None:
    text = HANDBOOK.replace("default_team: customer_service", "default_team: night")
    night = CreateTeam(code="night", names=Names(en="Night", zh="夜班"), department="service", active=False)
    house.engine.configure(lambda tx: staff.create_team(house.engine, tx, SYSTEM, night))
    with pytest.raises(InvalidContent, match="unknown team 'night'"):
        apply(house, text)

    house.engine.configure(
        lambda tx: staff.change_team(house.engine, tx, SYSTEM, "night", PatchTeam(active=True))
    )
    assert apply(house, text).policy.default_team == "night"
    with pytest.raises(Conflict, match="version 2 gives complaints to this team"):
        house.engine.configure(
            lambda tx: staff.change_team(house.engine, tx, SYSTEM, "night", PatchTeam(active=False))
        )


def test_a_policy_takes_a_stored_calendar_as_it_is_when_applied(house: House) -> None:
    text = HANDBOOK.replace("hours: null", "use: office").replace("24 elapsed hours", "3 working hours")
    house.engine.configure(lambda tx: calendars.put_calendar(house.engine, tx, SYSTEM, "office", OFFICE))
    apply(house, text)
    longer = OFFICE | {"hours": {"mon": [["09:00", "20:00"]]}}
    house.engine.configure(lambda tx: calendars.put_calendar(house.engine, tx, SYSTEM, "office", longer))

    def kept(version: int) -> object:
        policy = house.engine.read(lambda tx: house.engine.catalogue(tx)).policy("telecom-handbook", version)
        return replace(policy.calendars["always"], name=None)

    assert kept(2) == parse_calendar(OFFICE)
    assert apply(house, text).policy.version == 3
    assert (kept(2), kept(3)) == (parse_calendar(OFFICE), parse_calendar(longer))


def test_the_text_is_kept_as_sent(house: House) -> None:
    text = HANDBOOK + "\n# 备注\n"
    version = apply(house, text.replace("24 elapsed hours", "12 elapsed hours")).policy.version
    listed, sent = house.engine.read(
        lambda tx: policies.load_policy(tx, house.engine.catalogue(tx), "telecom-handbook", version)
    )
    assert sent.endswith("# 备注\n")
    assert (listed.in_force, listed.applied_by, listed.policy.version) == (True, SYSTEM.actor, version)


def test_only_a_manager_or_an_administrator_applies(house: House) -> None:
    supervisor = Caller("s", frozenset({AccessRole.SUPERVISOR}), "s")
    with pytest.raises(Forbidden, match="manager, admin"):
        apply(house, HANDBOOK, supervisor)


def test_documents_applied_at_once_are_versions_one_after_the_other(house: House) -> None:
    texts = [HANDBOOK.replace("24 elapsed hours", f"{hours} elapsed hours") for hours in range(2, 10)]
    with ThreadPoolExecutor(4) as pool:
        applied = list(pool.map(lambda text: apply(house, text), texts))

    assert sorted(one.policy.version for one in applied) == list(range(2, 10))
    last = max(applied, key=lambda one: one.policy.version)
    assert in_force(house) == ("telecom-handbook", last.policy.version)


def test_changes_made_at_once_are_all_there(house: House) -> None:
    """Each reads what the one before wrote, so none undoes another's."""
    changes = [
        lambda tx: staff.change_user(house.engine, tx, SYSTEM, "admin", PatchUser(name="Ada")),
        lambda tx: staff.change_user(house.engine, tx, SYSTEM, "admin", PatchUser(email="ada@example.com")),
        lambda tx: categories.change_category(
            house.engine, tx, SYSTEM, "network.outage", PatchCategory(team="management")
        ),
        lambda tx: categories.change_category(
            house.engine, tx, SYSTEM, "network.outage", PatchCategory(active=False)
        ),
    ]
    before = house.engine.read(lambda tx: house.engine.catalogue(tx).version)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(house.engine.configure, changes))

    catalogue = house.engine.read(house.engine.catalogue)
    admin, outage = catalogue.directory.users["admin"], catalogue.categories["network.outage"]
    assert (admin.name, admin.email) == ("Ada", "ada@example.com")
    assert (outage.team, outage.active) == ("management", False)
    assert catalogue.version == before + 4
