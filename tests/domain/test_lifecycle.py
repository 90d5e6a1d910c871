"""The lifecycle, cell by cell: every action in every state, refusals included (domain §1)."""

from pathlib import Path
from typing import Any

import pytest

from complaints.domain.errors import TransitionRefused
from complaints.domain.rules import lifecycle, lifecycle_page
from complaints.domain.rules.actions import judge_actions
from complaints.domain.rules.lifecycle import legal_actions, list_transitions, next_status
from complaints.domain.rules.lifecycle_page import render_page
from complaints.domain.vocabulary import OPEN_STATUSES, Action, ContactOutcome, Status
from tests.domain.builders import SUPERVISOR, Life, closable, in_status

PAGE = Path(__file__).parents[2] / "docs" / "lifecycle.md"

# A row for each state, a column for each action (record_contact by what the contact brought): the state it
# leads to, "=" for the same, "·" for refused.
CELLS = """
             assign respond       hold    resume        resolve  notify_result solved not_solved    unreachable reopen        close  escalate reject   withdraw  merge    unmerge
received     =      investigating ·       ·             resolved ·             ·      ·             =           ·             ·      =        rejected withdrawn merged ·
investigating =     =             on_hold ·             resolved ·             ·      ·             =           ·             ·      =        rejected withdrawn merged ·
on_hold      =      =             ·       investigating resolved ·             ·      ·             =           ·             ·      =        rejected withdrawn merged ·
resolved     =      ·             ·       ·             ·        following_up  ·      ·             =           investigating ·      =        ·        withdrawn merged ·
following_up =      ·             ·       ·             ·        ·             =      investigating =           investigating closed =        ·        withdrawn merged ·
closed       ·      ·             ·       ·             ·        ·             ·      ·             ·           investigating ·      ·        ·        ·         ·      ·
rejected     ·      ·             ·       ·             ·        ·             ·      ·             ·           investigating ·      ·        ·        ·         ·      ·
withdrawn    ·      ·             ·       ·             ·        ·             ·      ·             ·           investigating ·      ·        ·        ·         ·      ·
merged       ·      ·             ·       ·             ·        ·             ·      ·             ·           ·             ·      ·        ·        ·         ·      received
"""  # noqa: E501
HEADINGS, *ROWS = (line.split() for line in CELLS.strip().splitlines())
CONTACTS = [outcome.value for outcome in ContactOutcome]


def cells() -> list[Any]:
    return [
        pytest.param(Status(row[0]), heading, cell, id=f"{row[0]}-{heading}")
        for row in ROWS
        for heading, cell in zip(HEADINGS, row[1:], strict=True)
    ]


def action_of(heading: str) -> tuple[Action, dict[str, Any]]:
    if heading in CONTACTS:
        return Action.RECORD_CONTACT, {"outcome": ContactOutcome(heading)}
    return Action(heading), {}


def life_in(status: Status) -> Life:
    return closable() if status is Status.FOLLOWING_UP else in_status(status, roles=SUPERVISOR)


def test_the_table_has_every_state_and_every_action() -> None:
    assert [row[0] for row in ROWS] == list(Status)
    columns = [name for a in Action for name in (CONTACTS if a is Action.RECORD_CONTACT else [a])]
    assert columns == HEADINGS
    assert (len(Status), len(Action)) == (9, 14)


@pytest.mark.parametrize(("status", "heading", "cell"), cells())
def test_cell(status: Status, heading: str, cell: str) -> None:
    # rule 1.6
    life = life_in(status)
    before, count = life.complaint, len(life.events)
    assert before.status is status
    action, carried = action_of(heading)
    if cell == "·":
        with pytest.raises(TransitionRefused) as refused:
            life.do(action, **carried)
        assert refused.value.allowed == tuple(
            r.action for r in judge_actions(before, life.context()) if r.allowed
        )
        assert (life.complaint, len(life.events)) == (before, count)
    else:
        life.do(action, **carried)
        assert life.status == (status if cell == "=" else Status(cell))
        assert len(life.events) > count


def test_moves_are_the_cells_of_the_table() -> None:
    listed = {
        (action_of(heading)[0], Status(row[0]), Status(row[0]) if cell == "=" else Status(cell))
        for row in ROWS
        for heading, cell in zip(HEADINGS, row[1:], strict=True)
        if cell != "·"
    }
    listed |= {(Action.UNMERGE, Status.MERGED, status) for status in OPEN_STATUSES}
    assert set(list_transitions()) == listed
    assert len(list_transitions()) == len(listed)


@pytest.mark.parametrize("status", [s for s in Status if s in OPEN_STATUSES])
def test_rule_1_9_an_undone_merge_leads_back_to_the_status_before(status: Status) -> None:
    life = in_status(status, roles=SUPERVISOR).do("merge").do("unmerge")
    assert life.status is status


@pytest.mark.parametrize("status", Status)
def test_legal_actions_are_those_with_a_move(status: Status) -> None:
    assert set(legal_actions(status)) == {
        action for action, source, _ in list_transitions() if source is status
    }
    assert list(legal_actions(status)) == [a for a in Action if a in legal_actions(status)]


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("action", Action)
def test_the_machine_refuses_what_the_table_does_not_know(status: Status, action: Action) -> None:
    if action in legal_actions(status):
        reached = next_status(status, action, was=Status.RECEIVED)
        assert (action, status, reached) in list_transitions()
        return
    with pytest.raises(TransitionRefused) as refused:
        next_status(status, action)
    assert refused.value.allowed == tuple(legal_actions(status))


def test_open_is_in_the_hands_of_someone() -> None:
    names = {"received", "investigating", "on_hold", "resolved", "following_up"}
    assert {status.value for status in OPEN_STATUSES} == names
    assert all(life_in(status).complaint.open is (status.value in names) for status in Status)


def test_the_diagram_shows_every_move_that_leads_elsewhere() -> None:
    first, start, *arrows = lifecycle.mermaid().splitlines()
    assert (first, start) == ("stateDiagram-v2", "    [*] --> received")
    drawn = {
        (action, *sides.split(" --> "))
        for arrow in arrows
        for sides, _, names in [arrow.strip().partition(": ")]
        for action in names.split(", ")
    }
    assert drawn == {(a, source, target) for a, source, target in list_transitions() if source is not target}


def test_the_page_is_the_table() -> None:
    assert PAGE.read_text(encoding="utf-8") == render_page()


def test_the_page_names_every_state_and_action_in_both_languages() -> None:
    page = render_page()
    for status in Status:
        assert (
            f"| `{status}` | {status.replace('_', ' ').capitalize()} | {lifecycle_page.NAMES_ZH['statuses'][status]} |"
            in page
        )
    assert all(
        f"| `{action}`" in page and lifecycle_page.NAMES_ZH["actions"][action] in page for action in Action
    )
    assert len(set(lifecycle_page.NAMES_ZH["statuses"].values())) == len(Status)
    assert lifecycle.mermaid() in page
