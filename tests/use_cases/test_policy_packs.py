"""The packs of example policies: each is marked, names its sources, and has the dates of its regulator."""

from datetime import datetime

import pytest

from complaints.domain.policy.circumstances import Circumstances
from complaints.domain.policy.policy import Policy
from complaints.domain.policy.side_by_side import ChoosingMembers, PoliciesSideBySide
from complaints.domain.rules.trial import plan_deadlines
from complaints.domain.vocabulary import Priority
from complaints.use_cases.policy_document.document import from_document, read_policy, to_document
from complaints.use_cases.upkeep.seeding import load_seed_data, pack_document, shipped_packs

PACKS = shipped_packs()


def read_pack(pack: str) -> PoliciesSideBySide:
    """The documents of a pack, applied in their order."""
    applied = PoliciesSideBySide(())
    for name in PACKS[pack]:
        applied = applied.with_next(read_policy(pack_document(pack, name), beside=applied).policy)
    return applied


@pytest.mark.parametrize(("pack", "name"), [(pack, name) for pack, names in PACKS.items() for name in names])
def test_each_document_is_an_example_with_sources_and_dates(pack: str, name: str) -> None:
    # rule 4.19
    data = load_seed_data()
    text = pack_document(pack, name)
    reading = read_policy(
        text,
        teams=[str(team["code"]) for team in data.teams],
        categories=[category.code for category in data.categories],
    )
    policy = reading.policy
    assert text.startswith("# EXAMPLE, to be checked by the operator")
    assert policy.example
    assert "is an example" in reading.warnings[0].message
    assert any(character.isdigit() for source in policy.sources for character in source)
    assert policy.title["en"].startswith("Example")
    assert policy.title["zh"].startswith("示例")
    assert from_document(to_document(policy), version=1) == policy


DUE = [
    # China: 15 calendar days, also over the Spring Festival (15 to 23 February 2026).
    ("china-miit-35", "2026-02-10T09:30:00+08:00", "normal", None, "2026-02-25T09:30:00+08:00"),
    ("china-miit-35", "2026-01-31T23:59:59+08:00", "urgent", "billing", "2026-02-15T23:59:59+08:00"),
    # Australia: 10 working days over Good Friday and Easter Monday, and the start of winter time on 5 April 2026.
    (
        "australia-complaints-standard",
        "2026-03-30T10:00:00+11:00",
        "normal",
        None,
        "2026-04-15T10:00:00+10:00",
    ),
    (
        "australia-complaints-standard",
        "2026-04-02T10:00:00+11:00",
        "urgent",
        None,
        "2026-04-08T10:00:00+10:00",
    ),
    (
        "australia-complaints-standard",
        "2026-12-24T10:00:00+11:00",
        "urgent",
        None,
        "2026-12-30T10:00:00+11:00",
    ),
    ("australia-complaints-standard", "2026-03-02T10:00:00+11:00", "high", None, "2026-03-16T10:00:00+11:00"),
    # United Kingdom: 8 weeks, and 6 weeks from 8 April 2026 on, at the same local time over the change of clocks.
    ("uk-ofcom", "2026-03-01T12:00:00+00:00", "normal", None, "2026-04-26T12:00:00+01:00"),
    ("uk-ofcom", "2026-04-07T23:59:59+01:00", "normal", None, "2026-06-02T23:59:59+01:00"),
    ("uk-ofcom", "2026-04-08T00:00:00+01:00", "normal", None, "2026-05-20T00:00:00+01:00"),
    ("uk-ofcom", "2026-12-24T18:00:00+00:00", "urgent", "billing", "2027-02-04T18:00:00+00:00"),
    # India: 3 days, bills 4 weeks.
    ("india-trai", "2026-03-03T17:00:00+05:30", "normal", "network.outage", "2026-03-06T17:00:00+05:30"),
    ("india-trai", "2026-03-03T17:00:00+05:30", "normal", None, "2026-03-06T17:00:00+05:30"),
    (
        "india-trai",
        "2026-03-03T17:00:00+05:30",
        "normal",
        "billing.wrong_charge",
        "2026-03-31T17:00:00+05:30",
    ),
]


@pytest.mark.parametrize(("pack", "received", "priority", "category", "due"), DUE)
def test_each_pack_has_the_dates_of_its_regulator(
    pack: str, received: str, priority: str, category: str | None, due: str
) -> None:
    # rule 4.19
    received_at = datetime.fromisoformat(received)
    policy: Policy = read_pack(pack).choose(received_at, ChoosingMembers(category=category)).policy
    told = Circumstances(priority=Priority(priority), category=category)
    planned = plan_deadlines(policy, received_at, told=told)
    [resolution] = [one for one in planned if one.kind == "resolution"]
    assert resolution.due_at == datetime.fromisoformat(due)


def test_packs_are_tried() -> None:
    assert {pack for pack, *_ in DUE} == set(PACKS)
