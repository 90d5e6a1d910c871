"""Who a complaint's first owner is when nobody is named (rule 1.5): somebody, always."""

from dataclasses import replace
from datetime import UTC, datetime
from importlib import resources
from uuid import UUID

import pytest

from complaints.domain.errors import Conflict
from complaints.domain.rules.intake import Intake, plan_intake
from complaints.domain.rules.recipients import answerable
from complaints.domain.staff import Department, Directory, Team, User
from complaints.domain.vocabulary import Channel, Severity
from complaints.use_cases.configuration.policy_document import read_policy

NOW = datetime(2026, 1, 5, 1, tzinfo=UTC)
NAMES = {"en": "x", "zh": "x"}
PEOPLE = ("lead", "deputy", "head", "head_deputy", "executive", "executive_deputy", "somebody")


def directory(*inactive: str, vacant: tuple[str, ...] = ()) -> Directory:
    """A team below a department below the top; `vacant` roles are nobody's."""

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
def test_an_inactive_holder_is_followed_by_the_next_one_up(gone: int) -> None:
    # rule 1.5
    assert answerable("customer_service", directory(*PEOPLE[:gone])) == PEOPLE[gone]


@pytest.mark.parametrize("gone", range(len(PEOPLE) - 1))
def test_a_vacant_role_is_followed_by_the_next_one_up(gone: int) -> None:
    # rule 1.5
    assert answerable("customer_service", directory(vacant=PEOPLE[:gone])) == PEOPLE[gone]


def test_with_every_role_vacant_it_is_the_first_active_user() -> None:
    # rule 1.5
    found = answerable("customer_service", directory("deputy", "executive", vacant=PEOPLE))
    assert found == "executive_deputy"


def test_an_absent_lead_still_answers() -> None:
    everybody = directory()
    absent = replace(everybody.users["lead"], absent_from=NOW)
    away = replace(everybody, users={**everybody.users, "lead": absent})
    assert answerable("customer_service", away) == "lead"


def test_a_team_that_is_unknown_is_answered_for_too() -> None:
    assert answerable("nobody_knows", directory("deputy")) == "executive"


def test_with_no_active_user_nobody_can() -> None:
    with pytest.raises(Conflict, match="make an active user"):
        answerable("customer_service", directory(*PEOPLE))


@pytest.mark.parametrize(
    ("given", "created_by", "owner"),
    [("somebody", "head", "somebody"), (None, "head", "head"), (None, None, "lead")],
)
def test_the_first_owner_is_given_or_the_maker_or_the_teams(
    given: str | None, created_by: str | None, owner: str
) -> None:
    # rule 1.5
    text = resources.files("complaints").joinpath("policies", "telecom-handbook.yaml").read_text("utf-8")
    told = Intake(
        channel=Channel.PHONE,
        subject="No signal",
        received_at=NOW,
        source="test",
        severity=Severity.NORMAL,
        vulnerable=False,
        repeat=False,
        imported=False,
        created_by=created_by,
        first_owner=given,
    )
    change = plan_intake(
        told,
        policy=read_policy(text).policy,
        directory=directory(),
        now=NOW,
        sequence=1,
        actor="key:test",
        new_id=lambda: UUID(int=1),
    )
    assert change.complaint.first_owner == owner
