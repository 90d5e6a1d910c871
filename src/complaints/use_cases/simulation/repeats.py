"""The complaints that repeat an earlier one by the window of a simulated policy, where the past does not know it."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from complaints.domain.policy.policy import Policy
from complaints.domain.simulation.past import History
from complaints.domain.vocabulary import PriorityReason
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows.person import find_identities
from complaints.use_cases.complaints.repeats import RegisteredComplaint, find_repeats


def find_unknown_repeats(
    tx: Transaction,
    made: Iterable[History],
    policy: Policy,
    policies: Mapping[tuple[str, int], Policy],
) -> set[UUID]:
    """The ids of complaints that repeat an earlier one. Complaints whose history knows it are not looked at.

    The complainants and the earlier complaints are as the database has them now.
    """
    if PriorityReason.REPEAT not in policy.priorities.raised_by:
        return set()
    unknown = {one.id: one for one in made if one.is_whole and not _is_known(one, policy, policies)}
    identities = find_identities(tx, unknown) if unknown else {}
    asked = (
        RegisteredComplaint(i, identity, unknown[i].events[0].changes.get("category"), unknown[i].received_at)
        for i, identity in identities.items()
    )
    return find_repeats(tx, asked, policy)


def _is_known(one: History, policy: Policy, policies: Mapping[tuple[str, int], Policy]) -> bool:
    """True if the policy of the past asked the same question, so that the history has the answer.

    Nobody asks while the priority is a given one.
    """
    members = one.events[0].changes
    past = policies.get((members["policy_code"], members["policy_version"]))
    if past is None:
        return False
    if members.get("priority_given"):
        return all(event.changes.get("priority_given", True) for event in one.events)
    asked, window = past.priorities.raised_by, past.priorities.repeat_window_days
    return PriorityReason.REPEAT in asked and window == policy.priorities.repeat_window_days
