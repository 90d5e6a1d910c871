"""Intake: from a checked request to a complaint with running deadlines (rules 1.5, 2.2, 2.14, 5.4 and 5.5)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from operator import attrgetter
from typing import Any, NamedTuple
from uuid import UUID

from complaints.domain.complaint.change import Change, recorded_members
from complaints.domain.complaint.facts import (
    Complaint,
    Person,
    PlainMembers,
    add_own_id,
    copy_with,
    defaults_of,
    make_fact,
)
from complaints.domain.complaint.identity import Identity
from complaints.domain.complaint.members import PLAIN_NAMES
from complaints.domain.policy.categories import Category
from complaints.domain.policy.policy import Policy
from complaints.domain.rules import deadlines, own_deadlines, routing
from complaints.domain.rules.endings import Ending
from complaints.domain.rules.models import Model, Present
from complaints.domain.rules.passing_time import catch_up
from complaints.domain.rules.plans import Plan, PlansByKind, Span, make_plan, stamp
from complaints.domain.rules.recipients import choose_answerable_user
from complaints.domain.staff import Directory
from complaints.domain.vocabulary import EventType, Priority, PriorityReason, Status

_UNKNOWN = Identity()


@dataclass(frozen=True, kw_only=True)
class NewComplaint(PlainMembers):
    """A complaint to register. The use case has checked it; it has no number, deadlines and team yet.

    `policy` is in force at `received_at` (rule 2.9), and `policy_chosen_by` is the rule that chose it. `actor` is the
    cause of its first event; `created_by` is the login of the caller, if a user. `identity` is the complainant's.
    `external_ids` are its names in systems other than `source`, by system. `import_id` is None for a posted complaint.
    `import_digest` names an imported row without external id, so that no row is taken twice. `team` is None if
    routing chooses the team. `ending` is None unless the complaint ended in another system.
    """

    source: str
    received_at: datetime
    policy: Policy
    actor: str
    created_by: str | None = None
    category: Category | None = None
    priority: Priority | None = None
    first_owner: str | None = None
    complainant: Person | None = None
    reporter: Person | None = None
    identity: Identity = _UNKNOWN
    external_ids: dict[str, str] = field(default_factory=dict)
    import_id: UUID | None = None
    import_digest: str | None = None
    team: str | None = None
    ending: Ending | None = None
    policy_chosen_by: dict[str, str] = field(default_factory=dict)

    @property
    def ids_by_system(self) -> dict[str, str]:
        """Every external id of the complaint, by system."""
        return add_own_id(self.external_ids, self.source, self.external_id)

    @property
    def vulnerable(self) -> bool:
        """True if the complainant needs special care."""
        return self.complainant is not None and self.complainant.vulnerable


class _Arrival(NamedTuple):
    """A new complaint with all that the rules need to know about it."""

    new: NewComplaint
    repeat: bool
    directory: Directory
    now: datetime
    sequence: int
    new_id: Callable[[], UUID]
    person_digests: Mapping[str, str] | None


class IntakeKind(NamedTuple):
    """The members of a complaint by which the rules decide after its priority and its team are known.

    No other member changes their plan. `narrowing` has those of channel, region and source by which the policy
    chooses a target, in the order of `Policy.narrowing`.
    """

    policy_code: str
    policy_version: int
    priority: Priority
    priority_raised_by: tuple[PriorityReason, ...]
    team: str
    category: str | None
    imported: bool
    narrowing: tuple[str | None, ...]


_plain_values = attrgetter(*PLAIN_NAMES)
_DEFAULTS = defaults_of(Complaint)


def plan_intake(
    new: NewComplaint,
    *,
    repeat: bool,
    directory: Directory,
    now: datetime,
    sequence: int,
    new_id: Callable[[], UUID],
    person_digests: Mapping[str, str] | None = None,
    plans: PlansByKind | None = None,
    change_kind: type[Change] = Change,
) -> Change:
    """The change that receives a complaint. Its deadlines start at `received_at` (rule 2.2).

    `repeat`: the complainant complained in the same category shortly before (rule 5.4). Deadlines and steps that
    are already past are recorded. The steps of an imported complaint notify nobody (rule 3.3).
    `person_digests` are those of the persons, by role: the event records them. `plans` has the plans for complaints
    of the same kind. Without it, the rules plan each complaint, as a change of the class `change_kind`.
    """
    arrival = _Arrival(new, repeat, directory, now, sequence, new_id, person_digests or None)
    members = _members_of(arrival)
    if plans is not None and new.ending is None:
        kind = _kind_of(members, new.policy, imported=new.import_id is not None)
        make = partial(_make_plan, kind, arrival)
        if plan := plans.find_plan(kind, new.received_at, now, make):
            return _stamp(plan, arrival, members)
    return _plan_by_rules(arrival, members, change_kind)


def _plan_by_rules(arrival: _Arrival, members: Mapping[str, Any], change_kind: type[Change]) -> Change:
    new, now = arrival.new, arrival.now
    own = {
        "id": arrival.new_id(),
        "status": Status.RECEIVED,
        "cycle": 1,
        "version": 1,
        "received_at": new.received_at,
        "created_at": now,
        "updated_at": now,
    }
    complaint = make_fact(Complaint, {**_DEFAULTS, **members, **own})
    if new.ending is None:
        change = change_kind(complaint, actor=new.actor, new_id=arrival.new_id, new=True)
        _begin(change, arrival, now, arrival.person_digests)
        return change
    change = change_kind(_end(complaint, new.ending), actor=new.actor, new_id=arrival.new_id, new=True)
    is_known = new.ending.closed_at is not None
    digests = arrival.person_digests
    change.record(EventType.IMPORTED_ENDED, now, closed_at_known=is_known, person_digests=digests)
    return change


def _begin(
    change: Change, arrival: _Arrival, now: datetime, person_digests: Mapping[str, str] | None = None
) -> None:
    policy = arrival.new.policy
    deadlines.start_intake(change, policy)
    own_deadlines.start_at_intake(change, policy)
    change.record(EventType.CREATED, now, person_digests=person_digests)
    catch_up(change, policy, arrival.directory, now, notify=arrival.new.import_id is None)


def _end(complaint: Complaint, ending: Ending) -> Complaint:
    """The complaint with its end: it starts with one event, without deadlines and steps (rule 2.14)."""
    return copy_with(complaint, **ending.members(complaint.received_at))


def _members_of(arrival: _Arrival) -> dict[str, Any]:
    """The members of the complaint, but for its id, its state and its times."""
    new, directory = arrival.new, arrival.directory
    policy, category = new.policy, new.category
    raises = routing.find_raises(
        policy.priorities, vulnerable=new.vulnerable, repeat=arrival.repeat, channel=new.channel
    )
    derived = routing.derive_priority(
        policy.priorities,
        severity=new.severity,
        vulnerable=new.vulnerable,
        repeat=arrival.repeat,
        channel=new.channel,
    )
    team = new.team or routing.route(policy, category=category, region=new.region, directory=directory)
    return {
        **dict(zip(PLAIN_NAMES, _plain_values(new), strict=True)),
        "sequence": arrival.sequence,
        "source": new.source,
        "first_owner": new.first_owner or new.created_by or choose_answerable_user(team, directory),
        "external_ids": new.external_ids,
        "priority": new.priority or derived,
        "priority_given": new.priority is not None,
        "priority_raised_by": () if new.priority else raises,
        "team": team,
        "category": category.code if category else None,
        "cause": category.cause if category else None,
        "nature": category.nature if category else None,
        "policy_code": policy.code,
        "policy_version": policy.version,
        "policy_chosen_by": new.policy_chosen_by,
    }


_OF_KIND = tuple(name for name in IntakeKind._fields if name not in ("imported", "narrowing"))


def _kind_of(members: Mapping[str, Any], policy: Policy, *, imported: bool) -> IntakeKind:
    narrowing = tuple(members[name] for name in policy.narrowing)
    return IntakeKind(imported=imported, narrowing=narrowing, **{name: members[name] for name in _OF_KIND})


def _make_plan(kind: IntakeKind, arrival: _Arrival) -> tuple[Span, Plan | None]:
    received_at, present = arrival.new.received_at, Present.at(arrival.now)
    state = {"status": Status.RECEIVED, "cycle": 1, "version": 1, "deadlines": (), "holds": ()}
    times = {"received_at": received_at, "created_at": present, "updated_at": present}
    narrowing = dict(zip(arrival.new.policy.narrowing, kind.narrowing, strict=True))
    model = make_fact(Model, {**dict(zip(_OF_KIND, kind, strict=False)), **narrowing, **state, **times})

    def rules(change: Change) -> None:
        _begin(change, arrival, present)

    return make_plan(model, arrival.new.policy, received_at, present, rules, new=True)


def _stamp(plan: Plan, arrival: _Arrival, members: Mapping[str, Any]) -> Change:
    """Put the plan of its kind on a new complaint. The first event also records the members outside its kind."""
    new, now, new_id = arrival.new, arrival.now, arrival.new_id
    own = {name: value for name, value in members.items() if name not in plan.members.values}
    own["id"] = new_id()
    unplanned = make_fact(Complaint, {**_DEFAULTS, **own, "version": 0})
    change = stamp(
        plan, unplanned, (), start=new.received_at, now=now, actor=new.actor, new_id=new_id, new=True
    )
    data = change.events[0].data
    data["changes"] = {**data["changes"], **recorded_members(own)}
    if arrival.person_digests is not None:
        data["person_digests"] = arrival.person_digests
    return change
