"""Catching up by plans: complaints of one kind that wait for the same instant go through the same steps."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import fields
from datetime import datetime
from functools import partial
from operator import attrgetter
from typing import Any, get_args, get_type_hints
from uuid import UUID

from complaints.domain.complaint.change import ENGINE, Change
from complaints.domain.complaint.facts import Complaint, Deadline, copy_with, make_fact
from complaints.domain.policy.policy import Policy
from complaints.domain.rules.models import UNREAD, Model, ModelId, Present
from complaints.domain.rules.passing_time import catch_up
from complaints.domain.rules.plans import Plan, PlansByKind, Span, make_plan, stamp
from complaints.domain.staff import Directory
from complaints.domain.vocabulary import DeadlineStart

# The members of a complaint that decide on what time does to it, besides those of its deadlines.
_DECIDING = (
    "policy_code", "policy_version", "status", "cycle", "team", "assignee", "first_owner", "priority",
    "priority_raised_by", "category",
)  # fmt: skip
_deciding_values = attrgetter(*_DECIDING)
_INSTANTS = tuple(
    name for name, hint in get_type_hints(Deadline).items() if datetime in (hint, *get_args(hint))
)
_instants_of = attrgetter(*_INSTANTS)
_other_values = attrgetter(*(f.name for f in fields(Deadline) if f.name not in {"id", *_INSTANTS}))


def catch_up_by_plan(
    complaint: Complaint,
    policy: Policy,
    directory: Directory,
    now: datetime,
    *,
    plans: PlansByKind,
    new_id: Callable[[], UUID],
) -> Change:
    """The change of `catch_up` in parts, by the plan of the complaint's kind if there is one."""
    clocks = [place for place, deadline in enumerate(complaint.deadlines) if deadline.unmet]
    waiting = [complaint.deadlines[place] for place in clocks]
    if _has_kind(complaint, waiting) and not _may_start_others(policy):
        start = waiting[0].started_at
        make = partial(_make_plan, complaint, waiting, policy, directory, now)
        plan = plans.find_plan(_kind_of(complaint, waiting, policy, start), start, now, make)
        if plan is not None:
            return stamp(plan, complaint, clocks, start=start, now=now, actor=ENGINE, new_id=new_id)
    change = Change(complaint, actor=ENGINE, new_id=new_id)
    catch_up(change, policy, directory, now, in_parts=True)
    return change


def _has_kind(complaint: Complaint, waiting: Sequence[Deadline]) -> bool:
    """True if the complaint was never on hold and all its unmet deadlines started together.

    Their ids must ascend, because the rules take equal times in the order of ids.
    """
    if complaint.holds or not waiting:
        return False
    start = waiting[0].started_at
    ids = [deadline.id.int for deadline in waiting]
    return all(deadline.started_at == start for deadline in waiting) and ids == sorted(ids)


def _may_start_others(policy: Policy) -> bool:
    """True if a step may move a complaint to a team whose own deadlines then start (rule 4.10).

    Their numbers also count the met ones of the cycle, which the model does not have.
    """
    return any(rule.starts is DeadlineStart.ROUTE for rule in policy.own_rules) and any(
        step.move_to_team is not None for rule in policy.rules.values() for step in rule.ladder
    )


def _narrowing_of(complaint: Complaint, policy: Policy) -> dict[str, Any]:
    """The members by which this policy chooses targets, beside priority and category."""
    return {name: getattr(complaint, name) for name in policy.narrowing}


def _kind_of(complaint: Complaint, waiting: Sequence[Deadline], policy: Policy, start: datetime) -> Hashable:
    narrowing = tuple(_narrowing_of(complaint, policy).values())
    return (_deciding_values(complaint), narrowing, *(_state_of(deadline, start) for deadline in waiting))


def _state_of(deadline: Deadline, start: datetime) -> Hashable:
    """The members of a deadline, with its instants relative to the start."""
    return (_other_values(deadline), *(at and at - start for at in _instants_of(deadline)))


def _make_plan(
    complaint: Complaint, waiting: Sequence[Deadline], policy: Policy, directory: Directory, now: datetime
) -> tuple[Span, Plan | None]:
    present = Present.at(now)

    def rules(change: Change) -> None:
        catch_up(change, policy, directory, present, in_parts=True)

    model = _model_of(complaint, waiting, policy)
    return make_plan(model, policy, waiting[0].started_at, present, rules)


def _model_of(complaint: Complaint, waiting: Sequence[Deadline], policy: Policy) -> Model:
    """The model of the complaint's kind. Time does nothing to deadlines that are done, so it has none of them."""
    members: dict[str, Any] = dict(zip(_DECIDING, _deciding_values(complaint), strict=True))
    members |= _narrowing_of(complaint, policy)
    numbered = tuple(copy_with(deadline, id=ModelId(n)) for n, deadline in enumerate(waiting))
    members |= {"version": 0, "created_at": UNREAD, "updated_at": UNREAD, "holds": (), "deadlines": numbered}
    return make_fact(Model, members)
