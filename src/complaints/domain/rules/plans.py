"""Plans: what the rules do to a kind of complaint, in relative time, and the stamp that puts it on one complaint.

The rules are pure, and few members decide what they do. Complaints that agree in these members are of one kind. The
rules run once for a kind, on a model of it. The plan keeps what they did, with gaps in place of ids and instants.
A stamp fills the gaps for one complaint.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from operator import attrgetter
from typing import Any, NamedTuple
from uuid import UUID

from complaints.domain.complaint.change import Change, Event
from complaints.domain.complaint.facts import Complaint, Deadline, Escalation, make_fact
from complaints.domain.policy.policy import DeadlineRule, Policy
from complaints.domain.rules.models import UNREAD, Model, ModelId, NotInKind, Present
from complaints.domain.time.working_time import never_stops

MOST_KINDS = 2_000
"""So many kinds are known at a time. A plan takes a few kilobytes."""

_BEGINNING, _END = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
_OWN_ACTOR = "own"  # in its place, an event gets the actor of the complaint


# Forms with gaps ---------------------------------------------------------------------------------------------------


class Filling(NamedTuple):
    """The values for the gaps. The clocks started at `start`. `ids` are in the order of the numbers in the model."""

    start: datetime
    now: datetime
    ids: Sequence[UUID]


_Gap = Callable[[Filling], Any]


@dataclass(frozen=True, slots=True)
class Form:
    """Named values with gaps. `values` are those of the model, and stay where there is no gap."""

    values: dict[str, Any]
    gaps: tuple[tuple[str, _Gap], ...]

    @classmethod
    def of(cls, values: Mapping[str, Any], start: datetime) -> "Form":
        """The form of values that the rules made for a model whose clocks started at `start`."""
        gaps = [(name, gap) for name, value in values.items() if (gap := _gap_of(value, start))]
        return cls(dict(values), tuple(gaps))

    def fill(self, filling: Filling) -> dict[str, Any]:
        """The values for one complaint."""
        values = self.values.copy()
        for name, gap in self.gaps:
            values[name] = gap(filling)
        return values


def _gap_of(value: Any, start: datetime) -> _Gap | None:
    """The function that fills the gap in place of `value`. None if every complaint has the same value."""
    if value is UNREAD:
        raise NotInKind("The rules passed on a value that the kind leaves open.")
    match value:
        case Present():
            return attrgetter("now")
        case datetime():
            offset = value - start
            return lambda filling: filling.start + offset
        case UUID():
            number = value.int
            return lambda filling: filling.ids[number]
        case dict():
            form = Form.of(value, start)
            return form.fill if form.gaps else None
        case list():
            form = Form.of({str(place): item for place, item in enumerate(value)}, start)
            return (lambda filling: list(form.fill(filling).values())) if form.gaps else None
        case tuple() if any(_gap_of(item, start) for item in value):
            raise NotInKind("The rules put an id or an instant into a tuple, where no gap is looked for.")
    return None


# Plans -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Span:
    """When the rules do the same: no comparison with the present changes its result.

    The present was compared with instants of the clocks and perhaps with others. So the span limits the present, and
    the time since the clocks of a complaint started.
    """

    since: datetime
    until: datetime
    since_start: timedelta
    until_start: timedelta

    @classmethod
    def of(cls, present: Present, start: datetime) -> "Span":
        """The span around the present of a model whose clocks started at `start`."""
        since = max((at for at in present.splits if at <= present.instant), default=_BEGINNING)
        until = min((at for at in present.splits if at > present.instant), default=_END)
        return cls(since, until, since - start, until - start)

    def contains(self, start: datetime, now: datetime) -> bool:
        """True if the rules do the same at `now` to a complaint whose clocks started at `start`."""
        return self.since <= now < self.until and self.since_start <= now - start < self.until_start


class PlannedEvent(NamedTuple):
    """An event of a plan. `version` is added to the version of the complaint. `actor` is None for its own actor."""

    type: str
    version: int
    at: _Gap
    actor: str | None
    data: Form

    @classmethod
    def of(cls, event: Event, start: datetime) -> "PlannedEvent":
        """The event that the rules recorded for a model whose clocks started at `start`."""
        at = _gap_of(event.at, start)
        assert at is not None  # it is an instant
        actor = None if event.actor == _OWN_ACTOR else event.actor
        return cls(event.type, event.version, at, actor, Form.of(event.data, start))

    def fill(self, filling: Filling, version: int, actor: str) -> Event:
        """The event of a complaint that had this version."""
        at, data = self.at(filling), self.data.fill(filling)
        return Event(self.type, version + self.version, at, self.actor or actor, data)


@dataclass(frozen=True, slots=True)
class Plan:
    """What the rules do to a kind of complaint within a span.

    `version` is added to the version of the complaint. `members` are those that the rules set. `deadlines` are the
    changed and the new ones, by their place. `new_ids` is the number of ids that the rules take.
    """

    version: int
    members: Form
    deadlines: tuple[tuple[int, Form], ...]
    events: tuple[PlannedEvent, ...]
    escalations: tuple[Form, ...]
    new_ids: int


class PlansByKind:
    """The plans by kind. They hold for one configuration: the same policies, categories and staff."""

    def __init__(self) -> None:
        self._plans: dict[Hashable, list[tuple[Span, Plan | None]]] = {}

    def find_plan(
        self, kind: Hashable, start: datetime, now: datetime, make: Callable[[], tuple[Span, Plan | None]]
    ) -> Plan | None:
        """The plan for a complaint of this kind whose clocks started at `start`. None if the rules plan as ever.

        They do so for the first complaint of a kind, because many kinds come only once. `make` makes a plan.
        """
        known = self._plans.get(kind)
        if known is None:
            if len(self._plans) >= MOST_KINDS:
                self._plans.clear()
            self._plans[kind] = []
            return None
        for span, plan in known:
            if span.contains(start, now):
                return plan
        span, plan = make()
        self._plans[kind] = [*(one for one in known if now < one[0].until), (span, plan)]
        return plan


def make_plan(
    model: Model,
    policy: Policy,
    start: datetime,
    present: Present,
    rules: Callable[[Change], None],
    *,
    new: bool = False,
) -> tuple[Span, Plan | None]:
    """Run the rules on a model whose clocks started at `start`. Returns their plan, and the span in which it holds.

    The plan is None if the rules have to plan as ever: a clock stands still at times, a step has a local date, or the
    rules read what the kind leaves open.
    """
    numbers = count(len(model.deadlines))
    change = Change(model, actor=_OWN_ACTOR, new_id=lambda: ModelId(next(numbers)), new=new)
    try:
        rules(change)
        change.finish()
        is_steady = all(_runs_steadily(d, policy.rules[d.kind]) for d in change.complaint.deadlines)
        plan = _plan_of(change, model, start, next(numbers)) if is_steady else None
    except NotInKind:
        plan = None
    return Span.of(present, start), plan


def _runs_steadily(deadline: Deadline, rule: DeadlineRule) -> bool:
    """True if all instants of the deadline lie at the same distance from its start, whenever that is."""
    targets = (deadline.target, *(choice.target for choice in rule.targets))
    counts_always = all(target is not None and never_stops(target, rule.calendar) for target in targets)
    return counts_always and all(step.offset_days is None for step in rule.ladder)


def _plan_of(change: Change, model: Model, start: datetime, numbers: int) -> Plan:
    after, before = change.complaint, model.deadlines
    known = vars(model) if change.before else {}
    members = {n: v for n, v in vars(after).items() if n not in _COUNTED and v is not known.get(n, UNREAD)}
    deadlines = []
    for place, deadline in enumerate(after.deadlines):
        was = vars(before[place]) if place < len(before) else {}
        if changed := {n: v for n, v in vars(deadline).items() if n not in was or v is not was[n]}:
            deadlines.append((place, Form.of(changed, start)))
    return Plan(
        version=after.version,
        members=Form.of(members, start),
        deadlines=tuple(deadlines),
        events=tuple(PlannedEvent.of(event, start) for event in change.events),
        escalations=tuple(Form.of(vars(taken), start) for taken in change.escalations),
        new_ids=numbers - len(before),
    )


_COUNTED = frozenset({"version", "deadlines"})


# Stamps ------------------------------------------------------------------------------------------------------------


def stamp(
    plan: Plan,
    complaint: Complaint,
    clocks: Sequence[int],
    *,
    start: datetime,
    now: datetime,
    actor: str,
    new_id: Callable[[], UUID],
    new: bool = False,
) -> Change:
    """Do to one complaint what the plan says. `clocks` are the places of its deadlines that the model has.

    A new complaint has the members that the model does not have, and version 0.
    """
    deadlines = list(complaint.deadlines)
    ids = [deadlines[place].id for place in clocks]
    filling = Filling(start, now, [*ids, *(new_id() for _ in range(plan.new_ids))])
    for number, form in plan.deadlines:
        if number < len(clocks):
            place = clocks[number]
            deadlines[place] = make_fact(Deadline, {**vars(deadlines[place]), **form.fill(filling)})
        else:
            deadlines.append(make_fact(Deadline, form.fill(filling)))
    after = {**vars(complaint), **plan.members.fill(filling), "deadlines": tuple(deadlines)}
    after["version"] = complaint.version + plan.version
    return Change.stamped(
        None if new else complaint,
        make_fact(Complaint, after),
        actor=actor,
        new_id=new_id,
        events=[event.fill(filling, complaint.version, actor) for event in plan.events],
        escalations=[make_fact(Escalation, form.fill(filling)) for form in plan.escalations],
    )
