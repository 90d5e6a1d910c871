"""The first owner of a complaint (rule 1.5): every complaint has one."""

from dataclasses import replace
from datetime import UTC, datetime
from importlib import resources
from uuid import UUID

import pytest

from complaints.domain.errors import Conflict
from complaints.domain.rules.intake import NewComplaint, plan_intake
from complaints.domain.rules.recipients import choose_answerable_user
from complaints.domain.staff import Department, Directory, Team, User
from complaints.domain.vocabulary import Channel
from complaints.use_cases.policy_document.document import read_policy

NOW = datetime(2026, 1, 5, 1, tzinfo=UTC)
NAMES = {"en": "x", "zh": "x"}
PEOPLE = ("lead", "deputy", "head", "head_deputy", "executive", "executive_deputy", "somebody")


def directory(*inactive: str, vacant: tuple[str, ...] = ()) -> Directory:
    """A team in a department in the top department. Nobody holds the roles in `vacant`."""

    def holder(login: str) -> str | None:
        return None if login in vacant else login

    return Directory(
        users={login: User(login, login, active=login not in inactive) for login in PEOPLE},
        teams={"customer_service": Team("cs", NAMES, "service", holder("lead"), holder("deputy"))},
        departments={
            "service": Department("service", NAMES, holder("head"), holder("head_deputy"), "top"),
            "top": Department("top", NAMES, holder("executive"), holder("executive_deputy")),
        },
    )


@pytest.mark.parametrize("gone", range(len(PEOPLE)))
def test_the_next_role_up_follows_an_inactive_holder(gone: int) -> None:
    # rule 1.5
    assert choose_answerable_user("customer_service", directory(*PEOPLE[:gone])) == PEOPLE[gone]


@pytest.mark.parametrize("gone", range(len(PEOPLE) - 1))
def test_the_next_role_up_follows_a_vacant_role(gone: int) -> None:
    # rule 1.5
    assert choose_answerable_user("customer_service", directory(vacant=PEOPLE[:gone])) == PEOPLE[gone]


def test_the_first_active_user_answers_if_every_role_is_vacant() -> None:
    # rule 1.5
    found = choose_answerable_user("customer_service", directory("deputy", "executive", vacant=PEOPLE))
    assert found == "executive_deputy"


def test_an_absent_lead_still_answers() -> None:
    everybody = directory()
    absent = replace(everybody.users["lead"], absent_from=NOW)
    away = replace(everybody, users={**everybody.users, "lead": absent})
    assert choose_answerable_user("customer_service", away) == "lead"


def test_an_unknown_team_has_an_answerable_user_too() -> None:
    assert choose_answerable_user("nobody_knows", directory("deputy")) == "executive"


def test_without_an_active_user_there_is_a_conflict() -> None:
    with pytest.raises(Conflict, match="make an active user"):
        choose_answerable_user("customer_service", directory(*PEOPLE))


@pytest.mark.parametrize(
    ("given", "created_by", "owner"),
    [("somebody", "head", "somebody"), (None, "head", "head"), (None, None, "lead")],
)
def test_the_first_owner_is_given_or_the_creator_or_the_lead(
    given: str | None, created_by: str | None, owner: str
) -> None:
    # rule 1.5
    text = resources.files("complaints").joinpath("policies", "telecom-handbook.yaml").read_text("utf-8")
    new = NewComplaint(
        channel=Channel.PHONE,
        subject="No signal",
        received_at=NOW,
        source="test",
        policy=read_policy(text).policy,
        actor="key:test",
        created_by=created_by,
        first_owner=given,
    )
    change = plan_intake(
        new,
        repeat=False,
        directory=directory(),
        now=NOW,
        sequence=1,
        new_id=lambda: UUID(int=1),
    )
    assert change.complaint.first_owner == owner
