"""Which complaints get the simulated policy, and which of them keep the policy of the past. Pure (rule 4.21)."""

from dataclasses import replace

from complaints.domain.policy.policy import Policy
from complaints.domain.policy.side_by_side import ChoosingMembers, PoliciesSideBySide
from complaints.domain.simulation.past import History, Period


class PolicyReplacement:
    """The simulated policy beside the others that complaints of the period could get.

    It stands for every version of its code. Without `applies_to`, it stands for every policy that fits every complaint.
    """

    def __init__(self, policy: Policy, period: Period, past: PoliciesSideBySide) -> None:
        self.policy = replace(policy, effective_at=period.since, effective_until=None)
        self._period = period
        others = [one for one in past.in_order if not self._stands_for(one)]
        self._beside = PoliciesSideBySide(others).with_next(self.policy)

    def choose(self, history: History, past: Policy) -> Policy:
        """The policy in place of `past`, which the complaint got at its receipt or from a user who moved it there."""
        if not self._period.contains(history.received_at):
            return past
        first = history.events[0].changes
        if (past.code, past.version) != (first["policy_code"], first["policy_version"]):
            return self.policy if self._stands_for(past) else past
        members = ChoosingMembers(
            first.get("region"), first["source"], first["channel"], first.get("category")
        )
        chosen = self._beside.choose(history.received_at, members).policy
        return self.policy if chosen is self.policy else past

    def _stands_for(self, one: Policy) -> bool:
        return one.code == self.policy.code or not (one.applies_to or self.policy.applies_to)
