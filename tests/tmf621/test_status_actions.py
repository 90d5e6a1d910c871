"""The table of statuses: for each status of a complaint and each wanted status, the actions or a refusal. Pure."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from complaints.domain.errors import InvalidContent, TransitionRefused
from complaints.domain.instants import write_instant
from complaints.domain.rules.actions import allowed_actions
from complaints.domain.vocabulary import Action, Cause, HoldReason, Outcome, Status
from complaints.tmf621.tickets.status_actions import (
    RequestedStatus,
    StepFacts,
    check_carried,
    find_route,
    list_possible,
    name_as_sent,
    step_members,
)
from complaints.tmf621.tickets.statuses import TicketStatus, ticket_status
from complaints.use_cases.commands.complaints import TRANSITIONS
from complaints.use_cases.commands.messages import read_command
from tests.domain.builders import AGENT, SUPERVISOR, Life, closable, days, in_status

T, S = TicketStatus, Status
WAITING = HoldReason.AWAITING_COMPLAINANT
TABLE: dict[tuple[Status, HoldReason | None], dict[TicketStatus, tuple[str, ...]]] = {
    (S.RECEIVED, None): {
        T.ACKNOWLEDGED: (),
        T.IN_PROGRESS: ("respond",),
        T.RESOLVED: ("resolve",),
        T.REJECTED: ("reject",),
        T.CANCELLED: ("withdraw",),
    },
    (S.INVESTIGATING, None): {
        T.IN_PROGRESS: (),
        T.PENDING: ("hold",),
        T.HELD: ("hold",),
        T.RESOLVED: ("resolve",),
        T.REJECTED: ("reject",),
        T.CANCELLED: ("withdraw",),
    },
    (S.ON_HOLD, WAITING): {
        T.PENDING: (),
        T.IN_PROGRESS: ("resume",),
        T.RESOLVED: ("resolve",),
        T.REJECTED: ("reject",),
        T.CANCELLED: ("withdraw",),
    },
    (S.ON_HOLD, HoldReason.OUTAGE): {
        T.HELD: (),
        T.IN_PROGRESS: ("resume",),
        T.RESOLVED: ("resolve",),
        T.REJECTED: ("reject",),
        T.CANCELLED: ("withdraw",),
    },
    (S.RESOLVED, None): {
        T.RESOLVED: (),
        T.IN_PROGRESS: ("reopen",),
        T.CLOSED: ("notify_result", "record_contact", "close"),
        T.CANCELLED: ("withdraw",),
    },
    (S.FOLLOWING_UP, None): {
        T.RESOLVED: (),
        T.IN_PROGRESS: ("reopen",),
        T.CLOSED: ("record_contact", "close"),
        T.CANCELLED: ("withdraw",),
    },
    (S.CLOSED, None): {T.CLOSED: (), T.IN_PROGRESS: ("reopen",)},
    (S.REJECTED, None): {T.REJECTED: (), T.IN_PROGRESS: ("reopen",)},
    (S.WITHDRAWN, None): {T.CANCELLED: (), T.IN_PROGRESS: ("reopen",)},
    (S.MERGED, None): {T.CLOSED: ()},
}
CELLS = [(status, hold, wanted) for status, hold in TABLE for wanted in T]


def life_in(status: Status, hold: HoldReason | None, **members: Any) -> Life:
    """A complaint in this status, with this hold."""
    if hold is None:
        return in_status(status, **members)
    life = in_status(Status.INVESTIGATING, **members)
    return life.do("hold", reason=hold, until=life.now + days(1))


def shown_status(life: Life) -> TicketStatus:
    """The status of the ticket of a complaint."""
    hold = life.complaint.current_hold
    return ticket_status(life.status, hold.reason if hold else None)


def walk(life: Life, requested: RequestedStatus) -> list[str]:
    """Take the actions to the wanted status. Returns their names."""
    route = find_route(life.status, shown_status(life), requested.status)
    assert route is not None
    for action in route:
        members = step_members(
            action, requested, StepFacts(life.complaint, life.policy, life.roles, life.now)
        )
        given = {name: value for name, value in members.items() if value is not None}
        command = read_command(TRANSITIONS[action], {"action": action, **given})
        life.do(action, **command.arguments())
    return list(route)


def test_each_cell_has_its_actions_or_no_way(subtests: pytest.Subtests) -> None:
    for status, hold, wanted in CELLS:
        with subtests.test(f"{status} {hold} {wanted}"):
            life = life_in(status, hold, roles=SUPERVISOR)
            expected = TABLE[status, hold].get(wanted)
            if expected is None:
                assert find_route(status, shown_status(life), wanted) is None
                return
            assert walk(life, RequestedStatus(wanted, "Because")) == list(expected)
            assert shown_status(life) is wanted


def test_the_table_has_every_status_and_no_cell_leads_to_a_status_that_is_shown_already() -> None:
    assert {status for status, _ in TABLE} == set(Status)
    for (status, hold), row in TABLE.items():
        assert [wanted for wanted, route in row.items() if route == ()] == [ticket_status(status, hold)]


@pytest.mark.parametrize(("status", "hold"), TABLE)
def test_the_possible_statuses_are_those_of_the_table(status: Status, hold: HoldReason | None) -> None:
    life = life_in(status, hold, roles=SUPERVISOR)
    possible = list_possible(life.complaint, allowed_actions(life.complaint, life.context()))
    assert set(possible) == {wanted for wanted, route in TABLE[status, hold].items() if route}
    assert list_possible(life.complaint, ()) == []


REASONED = {"resolve": "resolution", "reopen": "reason", "reject": "message"}


def test_a_missing_reason_is_named_where_one_is_needed(subtests: pytest.Subtests) -> None:
    for status, hold, wanted in CELLS:
        with subtests.test(f"{status} {hold} {wanted}"):
            life = life_in(status, hold, roles=SUPERVISOR)
            route = TABLE[status, hold].get(wanted)
            if route and route[0] in REASONED:
                with pytest.raises(TransitionRefused, match="statusChangeReason is missing"):
                    walk(life, RequestedStatus(wanted))
            elif route is not None:
                walk(life, RequestedStatus(wanted))
                assert shown_status(life) is wanted


def members_of(life: Life, action: Action, requested: RequestedStatus) -> dict[str, Any]:
    """What the next action carries."""
    return step_members(action, requested, StepFacts(life.complaint, life.policy, life.roles, life.now))


@pytest.mark.parametrize(
    ("status", "action", "requested", "expected"),
    [
        (S.RECEIVED, "respond", RequestedStatus(T.IN_PROGRESS), {"contact_channel": "phone"}),
        (
            S.RECEIVED,
            "respond",
            RequestedStatus(T.IN_PROGRESS, "We look", {"contact_channel": "sms"}),
            {"message": "We look", "contact_channel": "sms"},
        ),
        (S.INVESTIGATING, "hold", RequestedStatus(T.PENDING), {"reason": "awaiting_complainant"}),
        (S.INVESTIGATING, "hold", RequestedStatus(T.HELD), {"reason": "awaiting_third_party"}),
        (
            S.INVESTIGATING,
            "hold",
            RequestedStatus(T.HELD, None, {"hold_until": "2026-01-06T00:00:00Z"}),
            {"until": "2026-01-06T00:00:00Z"},
        ),
        (
            S.INVESTIGATING,
            "resolve",
            RequestedStatus(T.RESOLVED, "Repaired"),
            {"resolution": "Repaired", "outcome": "not_upheld", "cause": "service", "root_cause": None},
        ),
        (
            S.INVESTIGATING,
            "resolve",
            RequestedStatus(T.RESOLVED, "Repaired", {"outcome": "upheld", "root_cause": "Cable"}),
            {"outcome": "upheld", "root_cause": "Cable"},
        ),
        (
            S.RESOLVED,
            "notify_result",
            RequestedStatus(T.CLOSED),
            {"message": "Cell repaired.", "contact_channel": "phone"},
        ),
        (S.RESOLVED, "notify_result", RequestedStatus(T.CLOSED, "All is well"), {"message": "All is well"}),
        (S.FOLLOWING_UP, "record_contact", RequestedStatus(T.CLOSED), {"outcome": "solved"}),
        (
            S.RECEIVED,
            "reject",
            RequestedStatus(T.REJECTED, "Not ours"),
            {"reason": "tmf621", "message": "Not ours", "contact_channel": "phone"},
        ),
        (
            S.RECEIVED,
            "reject",
            RequestedStatus(T.REJECTED, "Not ours", {"reject_reason": "spam", "contact_channel": "email"}),
            {"reason": "spam", "contact_channel": "email"},
        ),
        (S.RECEIVED, "withdraw", RequestedStatus(T.CANCELLED, "Solved itself"), {"reason": "Solved itself"}),
    ],
)
def test_what_an_action_carries(
    status: Status, action: str, requested: RequestedStatus, expected: dict[str, Any]
) -> None:
    found = members_of(in_status(status, roles=SUPERVISOR), Action(action), requested)
    assert {name: found[name] for name in expected} == expected
    assert all(value is not None for name, value in found.items() if name != "root_cause")


def test_the_cause_is_that_of_the_category() -> None:
    life = in_status(S.INVESTIGATING)
    life.complaint = replace(life.complaint, cause=Cause.TECHNICAL)
    assert members_of(life, Action.RESOLVE, RequestedStatus(T.RESOLVED, "Done"))["cause"] is Cause.TECHNICAL


def test_a_hold_without_an_end_lasts_as_long_as_the_policy_allows() -> None:
    life = in_status(S.INVESTIGATING)
    until = members_of(life, Action.HOLD, RequestedStatus(T.PENDING))["until"]
    assert until == write_instant(life.now + timedelta(days=7))


# Closing -----------------------------------------------------------------------------------------------------------


def test_a_close_is_early_only_if_the_follow_ups_are_not_over() -> None:
    early = members_of(in_status(S.FOLLOWING_UP, roles=SUPERVISOR), Action.CLOSE, RequestedStatus(T.CLOSED))
    assert (early["early"], early["message"]) == (True, "Cell repaired.")
    assert "early" not in members_of(closable(roles=AGENT), Action.CLOSE, RequestedStatus(T.CLOSED))


def test_an_early_close_names_the_roles_that_it_needs() -> None:
    life = in_status(S.FOLLOWING_UP, roles=AGENT)
    with pytest.raises(TransitionRefused, match="admin, manager, supervisor"):
        members_of(life, Action.CLOSE, RequestedStatus(T.CLOSED))


@pytest.mark.parametrize("outcome", [Outcome.UPHELD, Outcome.PARTLY_UPHELD])
def test_an_upheld_ticket_closes_with_its_root_cause(outcome: Outcome) -> None:
    life = in_status(S.INVESTIGATING, roles=SUPERVISOR)
    walk(life, RequestedStatus(T.RESOLVED, "Repaired", {"outcome": outcome}))
    with pytest.raises(TransitionRefused, match="root_cause is missing"):
        walk(life, RequestedStatus(T.CLOSED))
    walk(life, RequestedStatus(T.CLOSED, None, {"root_cause": "Cable"}))
    assert (life.status, life.complaint.root_cause) == (S.CLOSED, "Cable")


@pytest.mark.parametrize(
    ("route", "changed", "refused"),
    [
        ((), ["outcome"], "outcome"),
        ((), ["root_cause"], "root_cause"),
        ((Action.CLOSE,), ["outcome", "root_cause"], "outcome"),
        ((Action.REOPEN,), ["root_cause"], "root_cause"),
        ((Action.RESOLVE,), ["outcome", "root_cause"], None),
        ((Action.CLOSE,), ["root_cause"], None),
        ((), ["contact_channel", "hold_until", "reject_reason"], None),
    ],
)
def test_a_result_that_no_action_carries_is_refused(
    route: tuple[Action, ...], changed: list[str], refused: str | None
) -> None:
    if refused is None:
        check_carried(route, changed)
        return
    with pytest.raises(TransitionRefused, match=f"characteristic {refused} can only"):
        check_carried(route, changed)


@pytest.mark.parametrize(
    ("action", "members", "pointer", "said"),
    [
        ("resolve", {"outcome": "good"}, "/troubleTicketCharacteristic", "outcome should be"),
        ("resolve", {"root_cause": 7}, "/troubleTicketCharacteristic", "root_cause should be"),
        ("resolve", {"resolution": "x" * 10_001}, "/statusChangeReason", "statusChangeReason should have"),
        ("hold", {"until": "soon"}, "/troubleTicketCharacteristic", "hold_until"),
        (
            "respond",
            {"contact_channel": "pigeon"},
            "/troubleTicketCharacteristic",
            "contact_channel should be",
        ),
        ("reject", {"reason": 3}, "/troubleTicketCharacteristic", "reject_reason should be"),
        ("withdraw", {"reason": "x" * 10_001}, "/statusChangeReason", "statusChangeReason should have"),
    ],
)
def test_a_fault_in_a_command_has_the_name_that_was_sent(
    action: str, members: dict[str, Any], pointer: str, said: str
) -> None:
    valid = {
        "resolve": {"resolution": "Done", "outcome": "upheld", "cause": "service"},
        "hold": {"reason": "outage"},
        "respond": {"message": "Hello"},
        "reject": {"message": "No", "contact_channel": "phone"},
    }
    with pytest.raises(InvalidContent) as refused:
        read_command(TRANSITIONS[Action(action)], {"action": action, **valid.get(action, {}), **members})
    [fault] = name_as_sent(refused.value, Action(action)).faults
    assert fault.pointer == pointer
    assert fault.message.startswith(said)
