"""The rerun of histories by the rules: each recorded action is done again, in the order of the feed.

What the engine did is not copied: the rules do it again. So deadlines, breaches and steps follow from the policy of the
simulation.
"""

from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

from complaints.domain.complaint.change import ENGINE, Change
from complaints.domain.complaint.texts import ERASED
from complaints.domain.errors import Conflict
from complaints.domain.rules import actions, deadlines, own_deadlines
from complaints.domain.rules.contacts import (
    CONTACT_STEP,
    Contact,
    makes_new_complaint,
    notify_of_contact,
    plan_contact,
)
from complaints.domain.rules.ownership import hand_over
from complaints.domain.rules.passing_time import escalate_now
from complaints.domain.rules.reclassifying import (
    clear_priority,
    follow_severity,
    give_priority,
    replan_changed,
    route_again,
    set_category,
)
from complaints.domain.simulation.past import (
    VULNERABLE,
    History,
    PastEvent,
    read_stored_instant,
    stand_in_for,
)
from complaints.domain.simulation.rerun_intake import begin, was_repeat
from complaints.domain.simulation.rerun_merges import link_again, merge_again, unlink_again, unmerge_again
from complaints.domain.simulation.simulated_complaint import (
    OtherComplaints,
    SimulatedComplaint,
    SimulationTerms,
)
from complaints.domain.vocabulary import (
    Action,
    AssignmentMethod,
    Cause,
    Channel,
    ContactChannel,
    ContactOutcome,
    EventType,
    HoldReason,
    Outcome,
    Priority,
    RecipientRole,
    Severity,
)


def rerun(histories: Iterable[History], terms: SimulationTerms) -> dict[UUID, SimulatedComplaint]:
    """Rerun complaints that were merged with each other, or one complaint. Returns them by id.

    Raises KeyError if a complaint had a policy that is not known, and InvalidContent if a category is not known.
    """
    simulated = {history.id: SimulatedComplaint(history, terms) for history in histories}
    told = [(event, one) for one in simulated.values() for event in one.history.events]
    if len(simulated) > 1:
        told.sort(key=lambda pair: pair[0].number)
    for event, one in told:
        one.members.update(event.changes)
        if (rerun_event := _RERUNS.get(event.type)) is not None:
            rerun_event(one, event, simulated)
    for one in simulated.values():
        one.finish()
    return simulated


_Rerun = Callable[[SimulatedComplaint, PastEvent, OtherComplaints], None]


# Actions -----------------------------------------------------------------------------------------------------------

_Arguments = Callable[[SimulatedComplaint, PastEvent], dict[str, Any]]


def _act(action: Action, arguments: _Arguments) -> _Rerun:
    """The rerun of an action whose arguments the event tells."""

    def rerun_action(one: SimulatedComplaint, event: PastEvent, _others: OtherComplaints) -> None:
        one.plan_action(event, action, arguments(one, event))

    return rerun_action


def _message(_one: SimulatedComplaint, event: PastEvent) -> dict[str, Any]:
    return {"message": ERASED, "contact_channel": ContactChannel(event.data["contact_channel"])}


def _hold(_one: SimulatedComplaint, event: PastEvent) -> dict[str, Any]:
    data = event.data
    return {"reason": HoldReason(data["reason"]), "until": read_stored_instant(data["until_at"])}


def _resolve(one: SimulatedComplaint, _event: PastEvent) -> dict[str, Any]:
    members = one.members
    return {
        "resolution": ERASED,
        "outcome": Outcome(members["outcome"]),
        "cause": Cause(members["cause"]),
        "root_cause": stand_in_for(members.get("root_cause")),
        "outcome_assumed": members.get("outcome_assumed"),
    }


def _contact(_one: SimulatedComplaint, event: PastEvent) -> dict[str, Any]:
    data = event.data
    return {"outcome": ContactOutcome(data["outcome"]), "csat": data.get("csat"), "nps": data.get("nps")}


def _close(one: SimulatedComplaint, event: PastEvent) -> dict[str, Any]:
    early = event.data.get("early", False)
    confirmed = _message(one, event) if early else {}
    return {"early": early, "root_cause": stand_in_for(one.members.get("root_cause")), **confirmed}


def _reason(_one: SimulatedComplaint, _event: PastEvent) -> dict[str, Any]:
    return {"reason": ERASED}


def _reject(one: SimulatedComplaint, event: PastEvent) -> dict[str, Any]:
    return {**_message(one, event), "reason": ERASED}


def _reopen(one: SimulatedComplaint, event: PastEvent, _others: OtherComplaints) -> None:
    """A contact that reopens a complaint does so again when it is rerun."""
    if not _is_part_of_contact(one, event):
        one.plan_action(event, Action.REOPEN, {"reason": ERASED})


def _resume(one: SimulatedComplaint, event: PastEvent, _others: OtherComplaints) -> None:
    is_part = _awaited_complainant(one, event) and _is_part_of_contact(one, event)
    if event.actor != ENGINE and not is_part:
        one.plan_action(event, Action.RESUME, {})


def _awaited_complainant(one: SimulatedComplaint, event: PastEvent) -> bool:
    """True if the hold that ended in the past waited for the complainant: only such a hold ends by a contact."""
    held = (e for e in reversed(one.history.events) if e.number < event.number and e.type == EventType.HELD)
    return bool(next(held).data["reason"] == HoldReason.AWAITING_COMPLAINANT)


_CONTACTS = frozenset({EventType.CONTACT_RECORDED, EventType.CONTACT_REPEATED})


def _is_part_of_contact(one: SimulatedComplaint, event: PastEvent) -> bool:
    """True if a contact caused the event: the outcome `not_solved` before it, or words of the complainant after it."""
    return any(
        (other.at, other.version, other.actor) == (event.at, event.version, event.actor)
        and (
            other.number > event.number
            if other.type == EventType.CONTACT_REPEATED
            else other.data["outcome"] == ContactOutcome.NOT_SOLVED
        )
        for other in one.history.events
        if other.type in _CONTACTS
    )


def _repeat_contact(one: SimulatedComplaint, event: PastEvent, _others: OtherComplaints) -> None:
    context = one.context(event)
    contact = Contact(Channel(event.data["channel"]), ERASED, None)

    def step(change: Change) -> None:
        if makes_new_complaint(change.complaint, context):
            raise Conflict("The contact would have become a new complaint.")
        plan_contact(change, context, contact)

    one.attempt(event, "contact", step)


def _escalate(one: SimulatedComplaint, event: PastEvent, _others: OtherComplaints) -> None:
    """A step that no deadline asked for: a user, a contact or a message that did not arrive did."""
    data = event.data
    if "deadline_id" in data:
        return
    roles = tuple(map(RecipientRole, data["roles"]))
    if data["step"] == actions.MANUAL_STEP:
        one.plan_action(event, Action.ESCALATE, {"reason": ERASED, "role": roles[0]})
        return
    directory, context = one.staff_at(event.at).directory, one.context(event)

    def step(change: Change) -> None:
        if data["step"] == CONTACT_STEP:
            notify_of_contact(change, context)
            return
        escalate_now(
            change, one.policy, directory, event.at, step=data["step"], level=data["level"], roles=roles
        )

    one.attempt(event, data["step"], step)


def _acknowledge(one: SimulatedComplaint, event: PastEvent, _others: OtherComplaints) -> None:
    """The acknowledgement of a step ends its repetitions (rule 3.9). The step must have been taken."""
    data, key = event.data, one.history.keys.get(event.data.get("deadline_id", ""))
    if key is None:
        return
    step_name = data["step"]

    def step(change: Change) -> None:
        deadline = one.find_deadline(key)
        taken = {taken.step for taken in one.escalations if deadline and taken.deadline_id == deadline.id}
        if deadline is None or step_name not in taken:
            raise Conflict("The step was not taken, so nobody could acknowledge it.")
        change.put_deadline(
            deadlines.end_repetitions(deadline, change.complaint, one.policy, step_name, event.at)
        )

    one.attempt(event, "acknowledge", step)


# Assignment --------------------------------------------------------------------------------------------------------


def _assign(one: SimulatedComplaint, event: PastEvent, _others: OtherComplaints) -> None:
    if "by" in event.data:
        _assign_by_policy(one, event)
    elif "left" not in event.data:
        one.plan_action(event, Action.ASSIGN, _assignment(one, event))
    elif event.actor != ENGINE:
        _hand_over(one, event)


def _assignment(one: SimulatedComplaint, event: PastEvent) -> dict[str, Any]:
    """What the user asked for. The event has the members that changed; an assignment of before may be asked again."""
    team = one.members["team"] if "team" in event.changes else None
    assignee = one.members.get("assignee")
    if assignee is None and team is None and not event.data.get("taken_back"):
        team = one.members["team"]
    return {"team": team, "assignee": assignee, "take_back": event.data.get("taken_back", False)}


def _assign_by_policy(one: SimulatedComplaint, event: PastEvent) -> None:
    """The policy chose among all complaints, which one complaint does not know. So the choice of the past is kept.

    It is kept where the simulation asks for one in the same team and by the same method.
    """
    one.catch_up(event.at)
    complaint, method = one.complaint, AssignmentMethod(event.data["by"])
    is_same = one.awaited is method and complaint.team == one.members["team"]
    if not is_same or complaint.assignee is not None or not complaint.open:
        return
    change = one.open(event)
    change.touch(event.at)
    own_deadlines.meet_by(change, one.policy, Action.ASSIGN, event.at)
    change.set(assignee=one.members["assignee"])
    own_deadlines.follow_owner(change, one.policy, complaint, event.at)
    change.record(EventType.ASSIGNED, event.at, by=method)
    one.keep(change)
    one.awaited = None
    one.assignments_left -= 1


def _hand_over(one: SimulatedComplaint, event: PastEvent) -> None:
    """A user left. Time was not applied first, so it is not applied here either, unless it passed before."""
    one.advance(event.at)
    leaver = event.data["left"]
    successor = event.changes.get("assignee") or (
        event.changes.get("first_owner") if one.complaint.assignee != leaver else None
    )
    change = one.open(event)
    directory = one.staff_at(event.at).directory
    if hand_over(change, directory, event.at, leaver=leaver, successor=successor):
        one.keep(change)


# Members and policy ------------------------------------------------------------------------------------------------


def _update(one: SimulatedComplaint, event: PastEvent, _others: OtherComplaints) -> None:
    """A change of members by a user. The engine, and an attempt that follows a contact, are rerun elsewhere."""
    if event.actor != ENGINE and "reason" not in event.data:
        one.attempt(event, "change", lambda change: _change_members(one, change, event))


def _change_members(one: SimulatedComplaint, change: Change, event: PastEvent) -> None:
    before, changes, staff = change.complaint, event.changes, one.staff_at(event.at)
    change.set(**{name: read(changes[name]) for name, read in _PLAIN.items() if name in changes})
    if "category" in changes:
        set_category(change, staff.classify(changes["category"]))
    if "category" in changes or "region" in changes:
        route_again(
            change,
            before,
            one.policy,
            directory=staff.directory,
            classify=staff.classify,
            is_assigned_by_hand=lambda: _is_assigned_by_hand(one),
        )
    _change_priority(one, change, event)
    if change.complaint == before:
        return
    change.touch(event.at)
    replan_changed(change, before, one.policy, event.at)
    change.record(EventType.UPDATED, event.at)


_PLAIN: dict[str, Callable[[Any], Any]] = {
    "first_owner": str,
    "severity": Severity,
    "channel": Channel,
    "region": lambda region: region,
}
"""The members by which rules decide and that are taken as they are, with the reader of each."""


def _is_assigned_by_hand(one: SimulatedComplaint) -> bool:
    """True if the last assignment was by a user, who did not take it back, and whose assignee did not leave."""
    marks = one.last_assigned
    by_hand = marks is not None and not {"taken_back", "left", "by"} & marks
    return by_hand or (one.complaint.assignee is not None and "by" not in (marks or ()))


def _change_priority(one: SimulatedComplaint, change: Change, event: PastEvent) -> None:
    before, changes = change.before or change.complaint, event.changes
    is_given = bool(one.members["priority_given"])
    turned = VULNERABLE in event.changed_of_complainant
    if is_given and "priority" in changes:
        if before.priority != changes["priority"]:
            give_priority(change, Priority(changes["priority"]))
    elif not is_given and "priority_given" in changes:
        if before.priority_given:
            clear_priority(
                change,
                one.policy,
                vulnerable=_is_vulnerable_after(one, event),
                repeat=was_repeat(one),
            )
    else:
        is_vulnerable = _is_vulnerable_after(one, event) if turned else None
        follow_severity(change, before, one.policy, vulnerable=is_vulnerable)


def _is_vulnerable_after(one: SimulatedComplaint, event: PastEvent) -> bool:
    """True if the complainant was vulnerable after an event. Each later event that names the member turned it round."""
    later = sum(
        VULNERABLE in other.changed_of_complainant
        for other in one.history.events
        if other.number > event.number
    )
    return one.history.is_vulnerable is (later % 2 == 0)


def _replan(one: SimulatedComplaint, event: PastEvent, _others: OtherComplaints) -> None:
    """A user moved the complaint to another policy. In the simulation, it gets the policy in place of that one."""
    wanted = one.choose_policy()

    def step(change: Change) -> None:
        if not change.complaint.open:
            raise Conflict(f"A complaint that is {change.complaint.status} is not planned any more.")
        change.touch(event.at)
        deadlines.move_to_policy(change, wanted, event.at)
        own_deadlines.start_added(change, wanted, event.at)
        change.record(EventType.REPLANNED, event.at)
        one.policy = wanted

    one.attempt(event, "replan", step)


# Promises ----------------------------------------------------------------------------------------------------------


def _make_promise(one: SimulatedComplaint, event: PastEvent, _others: OtherComplaints) -> None:
    """A promise that a merge moved is rerun with the merge."""
    data = event.data
    if "moved_from" in data:
        return
    promise_id = data["deadline_id"]
    due_at = next(read_stored_instant(d["due_at"]) for d in data["deadlines"] if d["id"] == promise_id)

    def step(change: Change) -> None:
        if not change.complaint.open:
            raise Conflict(f"A complaint that is {change.complaint.status} takes no promise.")
        change.touch(event.at)
        one.promise_ids[promise_id] = deadlines.add_promise(
            change, one.policy, ERASED, made_by=event.actor, started_at=event.at, due_at=due_at
        )
        change.record(EventType.PROMISE_MADE, event.at)

    one.attempt(event, "promise", step)


def _keep_promise(one: SimulatedComplaint, event: PastEvent, _others: OtherComplaints) -> None:
    promise_id = one.promise_ids.get(event.data["deadline_id"])

    def step(change: Change) -> None:
        if promise_id is None:
            raise Conflict("The promise was not made.")
        deadline = change.deadline(promise_id)
        if not deadline.unmet:
            raise Conflict(f"The promise is {deadline.status} already.")
        change.touch(event.at)
        change.record(EventType.PROMISE_KEPT, event.at)
        deadlines.meet(change, deadline, event.at)

    one.attempt(event, "keep_promise", step)


def _erase(one: SimulatedComplaint, event: PastEvent, _others: OtherComplaints) -> None:
    if "root_cause" in event.changes:
        one.catch_up(event.at)
        change = one.open(event)
        change.set(root_cause=None)
        one.keep(change)


_RERUNS: dict[str, _Rerun] = {
    EventType.CREATED: begin,
    EventType.IMPORTED_ENDED: begin,
    EventType.ASSIGNED: _assign,
    EventType.RESPONDED: _act(Action.RESPOND, _message),
    EventType.HELD: _act(Action.HOLD, _hold),
    EventType.RESUMED: _resume,
    EventType.RESOLVED: _act(Action.RESOLVE, _resolve),
    EventType.RESULT_NOTIFIED: _act(Action.NOTIFY_RESULT, _message),
    EventType.CONTACT_RECORDED: _act(Action.RECORD_CONTACT, _contact),
    EventType.REOPENED: _reopen,
    EventType.CLOSED: _act(Action.CLOSE, _close),
    EventType.REJECTED: _act(Action.REJECT, _reject),
    EventType.WITHDRAWN: _act(Action.WITHDRAW, _reason),
    EventType.MERGED: merge_again,
    EventType.UNMERGED: unmerge_again,
    EventType.LINKED: link_again,
    EventType.UNLINKED: unlink_again,
    EventType.CONTACT_REPEATED: _repeat_contact,
    EventType.ESCALATED: _escalate,
    EventType.ESCALATION_ACKNOWLEDGED: _acknowledge,
    EventType.UPDATED: _update,
    EventType.REPLANNED: _replan,
    EventType.PROMISE_MADE: _make_promise,
    EventType.PROMISE_KEPT: _keep_promise,
    EventType.ERASED: _erase,
}
"""The events that are rerun. All others follow from these by the rules, or no rule asks for them."""
