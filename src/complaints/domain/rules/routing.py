"""Priority and routing (domain §5): how urgent a complaint is, and which team works on it."""

from collections.abc import Iterator

from complaints.domain.complaint.facts import Complaint
from complaints.domain.policy.categories import Category
from complaints.domain.policy.policy import Policy, PriorityRule, Route
from complaints.domain.staff import Directory
from complaints.domain.vocabulary import Cause, Channel, Priority, PriorityReason, Severity

_MOST_URGENT_FIRST = tuple(Priority)


def raise_priority(priority: Priority) -> Priority:
    """The next higher priority. `urgent` stays `urgent`."""
    return _raise_by(priority, 1)


def derive_priority(
    rule: PriorityRule, *, severity: Severity, vulnerable: bool, repeat: bool, channel: Channel
) -> Priority:
    """The priority of a complaint without a given priority (rule 5.4).

    It comes from the severity. Each reason of `find_raises` raises it by a level, up to `urgent`.
    """
    raises = find_raises(rule, vulnerable=vulnerable, repeat=repeat, channel=channel)
    return _raise_by(rule.from_severity[severity], len(raises))


def find_raises(
    rule: PriorityRule, *, vulnerable: bool, repeat: bool, channel: Channel
) -> tuple[PriorityReason, ...]:
    """The reasons of the rule that raise the priority of a complaint (rule 5.4).

    They are: a `vulnerable` complainant, a `repeat` within the window of the rule, the channel `regulator`.
    """
    reasons = {
        PriorityReason.VULNERABLE: vulnerable,
        PriorityReason.REPEAT: repeat,
        PriorityReason.REGULATOR: channel is Channel.REGULATOR,
    }
    return tuple(reason for reason, holds in reasons.items() if holds and reason in rule.raised_by)


def derive_again(
    rule: PriorityRule, complaint: Complaint, *, severity: Severity, vulnerable: bool | None
) -> tuple[Priority, tuple[PriorityReason, ...]]:
    """The priority and its raises after a new severity, or with a complainant who is or is no longer `vulnerable`.

    `vulnerable` is None if that stays as it is. Each other level by which the priority was raised stays (rule
    5.6). A complaint from before the raises were recorded has more levels than raises.
    """
    before = complaint.priority_raised_by
    after = tuple(r for r in before if vulnerable is None or r is not PriorityReason.VULNERABLE)
    if vulnerable and PriorityReason.VULNERABLE in rule.raised_by:
        after = (PriorityReason.VULNERABLE, *after)
    level_of = _MOST_URGENT_FIRST.index
    raised = level_of(rule.from_severity[complaint.severity]) - level_of(complaint.priority)
    levels = max(len(before), raised) + len(after) - len(before)
    return _raise_by(rule.from_severity[severity], levels), after


def is_higher(one: Priority, other: Priority) -> bool:
    """True if priority `one` is more urgent than `other`."""
    return _MOST_URGENT_FIRST.index(one) < _MOST_URGENT_FIRST.index(other)


def route(
    policy: Policy,
    *,
    category: Category | None,
    region: str | None,
    cause: Cause | None = None,
    directory: Directory | None = None,
) -> str:
    """The code of the team that gets a complaint (rule 5.5). `cause` replaces the cause of the category.

    The first of these decides: the first matching route of the policy that names a category or a region; the
    team of the category; the first matching route that names a cause alone; the default team of the policy.
    With a `directory`, teams in it that are not active are passed over. If no other is left, the first active
    team by code gets the complaint.
    """
    teams = directory.teams if directory else {}
    found = list(_find_teams(policy, category=category, region=region, cause=cause))
    usable = (code for code in found if code not in teams or teams[code].active)
    return next(usable, None) or min((c for c, team in teams.items() if team.active), default=found[0])


def _find_teams(
    policy: Policy, *, category: Category | None, region: str | None, cause: Cause | None = None
) -> Iterator[str]:
    cause = cause or (category.cause if category else None)
    fitting = [r for r in policy.routes if _fits(r, category=category, region=region, cause=cause)]
    yield from (r.team for r in fitting if r.category or r.region)
    if category and category.team:
        yield category.team
    yield from (r.team for r in fitting if not (r.category or r.region))
    yield policy.default_team


def _fits(route: Route, *, category: Category | None, region: str | None, cause: Cause | None) -> bool:
    codes = (category.code, category.code.partition(".")[0]) if category else ()
    return (
        (route.category is None or route.category in codes)
        and route.region in (None, region)
        and route.cause in (None, cause)
    )


def _raise_by(priority: Priority, levels: int) -> Priority:
    return _MOST_URGENT_FIRST[max(0, _MOST_URGENT_FIRST.index(priority) - levels)]
