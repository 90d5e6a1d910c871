"""Priority and routing (domain §5): how urgent a complaint is, and which team works on it."""

from complaints.domain.policy.categories import Category
from complaints.domain.policy.policy import Policy, PriorityRule, Route
from complaints.domain.vocabulary import Cause, Channel, Priority, Severity

_MOST_URGENT_FIRST = tuple(Priority)


def raise_priority(priority: Priority) -> Priority:
    """The next higher priority. `urgent` stays `urgent`."""
    return _raise_by(priority, 1)


def derive_priority(
    rule: PriorityRule, *, severity: Severity, vulnerable: bool, repeat: bool, channel: Channel
) -> Priority:
    """The priority of a complaint without a given priority (rule 5.4).

    It comes from the severity. Each reason of the rule raises it by a level, up to `urgent`: a `vulnerable`
    complainant, a `repeat` within the window of the rule, the channel `regulator`.
    """
    reasons = {"vulnerable": vulnerable, "repeat": repeat, "regulator": channel is Channel.REGULATOR}
    levels = sum(holds for reason, holds in reasons.items() if reason in rule.raised_by)
    return _raise_by(rule.from_severity[severity], levels)


def route(
    policy: Policy, *, category: Category | None, region: str | None, cause: Cause | None = None
) -> str:
    """The code of the team that gets a complaint (rule 5.5). `cause` replaces the cause of the category.

    The first of these decides: the first matching route of the policy that names a category or a region; the
    team of the category; the first matching route that names a cause alone; the default team of the policy.
    """
    cause = cause or (category.cause if category else None)
    fitting = [r for r in policy.routes if _fits(r, category=category, region=region, cause=cause)]
    particular = next((r.team for r in fitting if r.category or r.region), None)
    own = category.team if category else None
    by_cause = next((r.team for r in fitting if not (r.category or r.region)), None)
    return particular or own or by_cause or policy.default_team


def _fits(route: Route, *, category: Category | None, region: str | None, cause: Cause | None) -> bool:
    codes = (category.code, category.code.partition(".")[0]) if category else ()
    return (
        (route.category is None or route.category in codes)
        and route.region in (None, region)
        and route.cause in (None, cause)
    )


def _raise_by(priority: Priority, levels: int) -> Priority:
    return _MOST_URGENT_FIRST[max(0, _MOST_URGENT_FIRST.index(priority) - levels)]
