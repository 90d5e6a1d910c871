"""Classification, priority and routing (domain §5): what a complaint is about, how pressing it is, who works
on it.
"""

from complaints.domain.policy.categories import Category
from complaints.domain.policy.policy import Policy, PriorityRule, Route
from complaints.domain.vocabulary import Cause, Channel, Priority, Severity

_MOST_PRESSING_FIRST = tuple(Priority)


def raise_priority(priority: Priority) -> Priority:
    """One level more pressing; urgent stays urgent."""
    return _raise_by(priority, 1)


def derive_priority(
    rule: PriorityRule, *, severity: Severity, vulnerable: bool, repeat: bool, channel: Channel
) -> Priority:
    """The priority of a complaint for which none is given.

    From its severity, raised one level each, up to urgent, by those of the rule's reasons that hold:
    `vulnerable` complainant, `repeat` by the same complainant in the same category within the rule's window,
    channel `regulator`.
    """
    reasons = {"vulnerable": vulnerable, "repeat": repeat, "regulator": channel is Channel.REGULATOR}
    levels = sum(holds for reason, holds in reasons.items() if reason in rule.raised_by)
    return _raise_by(rule.from_severity[severity], levels)


def route(
    policy: Policy, *, category: Category | None, region: str | None, cause: Cause | None = None
) -> str:
    """The team a complaint goes to. `cause` stands in for the category's where it has been found to be
    another.

    The first of: the policy's first fitting route that names a category or a region; the category's own
    team; the policy's first fitting route that names a cause alone; the policy's default team.
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
    return _MOST_PRESSING_FIRST[max(0, _MOST_PRESSING_FIRST.index(priority) - levels)]
