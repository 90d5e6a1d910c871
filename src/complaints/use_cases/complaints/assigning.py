"""Assignment by policy inside the transaction that brings complaints into a team (rules 5.9 and 5.10)."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from complaints.domain.complaint.change import Change
from complaints.domain.policy.policy import Policy
from complaints.domain.rules.assignment import (
    assign,
    choose_least_loaded,
    choose_next,
    find_method,
    list_candidates,
)
from complaints.domain.staff import Directory
from complaints.domain.vocabulary import AssignmentMethod
from complaints.storage.database.transactions import Transaction
from complaints.storage.queries.load_counts import count_open
from complaints.storage.rows import assignment_turn
from complaints.use_cases.service import Service


class _Arrival(NamedTuple):
    """A complaint that entered a team, and the method by which it gets an assignee."""

    change: Change
    policy: Policy
    method: AssignmentMethod


def assign_by_policy(service: Service, tx: Transaction, changes: Iterable[Change]) -> bool:
    """Give each complaint that entered a team an assignee, if its policy says how. Call it before `save`.

    Returns True if a complaint may have got one. Transactions that assign in one team wait for each other, and take
    the teams in the order of their codes. Without a policy that assigns it costs no statement.
    """
    configuration = service.configuration(tx)
    if not any(policy.assignment for policy in configuration.policies_in_order):
        return False
    by_team: dict[str, list[_Arrival]] = defaultdict(list)
    for change in changes:
        policy = configuration.policy_of(change.complaint)
        if (method := find_method(change, policy)) is not None:
            by_team[change.complaint.team].append(_Arrival(change, policy, method))
    for team in sorted(by_team):
        _assign_in_team(tx, configuration.directory, team, by_team[team])
    return bool(by_team)


def _assign_in_team(tx: Transaction, directory: Directory, team: str, arrivals: Sequence[_Arrival]) -> None:
    tx.open()
    last = before = assignment_turn.claim_turn(tx, team)
    open_counts = _count_open(tx, directory, team, arrivals)
    for change, policy, method in arrivals:
        candidates = list_candidates(change, policy, directory)
        if not candidates:
            continue
        if method is AssignmentMethod.ROUND_ROBIN:
            chosen = last = choose_next(candidates, last)
        else:
            chosen = choose_least_loaded(candidates, open_counts)
        open_counts[chosen] += 1
        assign(change, chosen, method, policy)
    if last is not None and last != before:
        assignment_turn.keep_turn(tx, team, last)


def _count_open(
    tx: Transaction, directory: Directory, team: str, arrivals: Sequence[_Arrival]
) -> dict[str, int]:
    """The open complaints of the members of a team, if a method asks for them."""
    members = [login for login, user in directory.users.items() if team in user.teams]
    is_asked = any(arrival.method is AssignmentMethod.FEWEST_OPEN for arrival in arrivals)
    return defaultdict(int, count_open(tx, members) if is_asked else {})
