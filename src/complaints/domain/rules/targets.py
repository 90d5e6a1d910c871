"""The targets that a policy gives to a complaint, by the members of the complaint (rule 4.12)."""

from typing import Any

from complaints.domain.policy.circumstances import NARROWING, choose_closest
from complaints.domain.policy.policy import DeadlineRule, Policy
from complaints.domain.time.working_time import Target


def target_of(complaint: Any, rule: DeadlineRule, policy: Policy) -> Target:
    """The target of the rule for a complaint. Channel, region and source are read only if the policy uses them."""
    narrowing = {name: getattr(complaint, name) for name in policy.narrowing}
    return rule.target_for(complaint.priority, complaint.category, **narrowing)


def follow_up_plan_of(complaint: Any, policy: Policy) -> tuple[Target, ...]:
    """The targets of follow-ups 1 to n for a complaint. All count from the time of the result."""
    chosen = choose_closest(policy.follow_ups_where, _told(complaint)) if policy.follow_ups_where else None
    return chosen.plan if chosen else policy.follow_ups[complaint.priority]


def closure_target_of(complaint: Any, policy: Policy) -> Target:
    """The time for closing a complaint, from the due time of the last follow-up."""
    chosen = choose_closest(policy.closure_where, _told(complaint)) if policy.closure_where else None
    return chosen.target if chosen else policy.closure


def _told(complaint: Any) -> dict[str, str | None]:
    return {name: getattr(complaint, name) for name in ("priority", "category", *NARROWING)}
