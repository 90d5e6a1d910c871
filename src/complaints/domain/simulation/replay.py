"""The replay of histories by the rules: each event that tells of an action is done again, in the order of the feed.

What the engine did is not copied: the rules do it again. So deadlines, breaches and steps follow from the policy of the
simulation.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from complaints.domain.complaint.change import ENGINE, Change
from complaints.domain.complaint.facts import Complaint, Person, Promise
from complaints.domain.complaint.texts import ERASED
from complaints.domain.errors import Conflict
from complaints.domain.rules import actions, deadlines, routing
from complaints.domain.rules.contacts import Contact, makes_new_complaint, plan_contact
from complaints.domain.rules.endings import Ending
from complaints.domain.rules.intake import NewComplaint, plan_intake
from complaints.domain.rules.merging import MergeRecord, merge_refusal, take_back_promises, take_over
from complaints.domain.rules.ownership import hand_over
from complaints.domain.rules.passing_time import escalate_now
from complaints.domain.rules.recipients import choose_answerable_user
from complaints.domain.rules.reclassifying import (
    clear_priority,
    follow_severity,
    give_priority,
    route_again,
    set_category,
)
from complaints.domain.simulation.past import MERGED_LINK, VULNERABLE, History, PastEvent
from complaints.domain.simulation.replayed_complaint import ReplayedComplaint, SimulationTerms
from complaints.domain.staff import Directory
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
    PriorityReason,
    RecipientRole,
    Severity,
    Status,
)

_IMPORT = UUID(int=0)
_read_instant = datetime.fromisoformat


def replay(histories: Iterable[History], terms: SimulationTerms) -> dict[UUID, ReplayedComplaint]:
    """Replay complaints that were merged with each other, or one complaint. Returns them by id.

    Raises KeyError if a complaint had a policy that is not known, and InvalidContent if a category is not known.
    """
    replayed = {history.id: ReplayedComplaint(history, terms) for history in histories}
    told = [(event, one) for one in replayed.values() for event in one.history.events]
    if len(replayed) > 1:
        told.sort(key=lambda pair: pair[0].number)
    for event, one in told:
        one.members.update(event.changes)
        if (replay_event := _REPLAYS.get(event.type)) is not None:
            replay_event(one, event, replayed)
    for one in replayed.values():
        one.finish()
    return replayed


_Others = Mapping[UUID, ReplayedComplaint]
_Replay = Callable[[ReplayedComplaint, PastEvent, _Others], None]


# Intake ------------------------------------------------------------------------------------------------------------


def _begin(one: ReplayedComplaint, event: PastEvent, _others: _Others) -> None:
    members, now = one.members, event.at
    staff = one.staff_at(now)
    one.policy = one.choose_policy()
    category = staff.classify(members.get("category"))
    team, first_owner = _choose_team_and_owner(one, staff.directory, now)
    new = NewComplaint(
        channel=Channel(members["channel"]),
        subject=ERASED,
        severity=Severity(members["severity"]),
        region=members.get("region"),
        source=members["source"],
        received_at=_read_instant(members["received_at"]),
        policy=one.policy,
        actor=event.actor,
        category=category,
        priority=Priority(members["priority"]) if members.get("priority_given") else None,
        first_owner=first_owner,
        complainant=Person(vulnerable=_was_vulnerable(one)),
        import_id=_IMPORT if one.history.is_imported else None,
        team=team,
        ending=_ending_of(members) if event.type == EventType.IMPORTED_ENDED else None,
    )
    change = plan_intake(
        new,
        repeat=_was_repeat(one),
        directory=staff.directory,
        now=now,
        sequence=one.history.sequence,
        new_id=one.new_id,
    )
    one.keep(change)


def _choose_team_and_owner(
    one: ReplayedComplaint, directory: Directory, now: datetime
) -> tuple[str, str | None]:
    """The team and the first owner at intake. What routing chose in the past, it chooses again."""
    team, owner = one.members["team"], one.members["first_owner"]
    category, region = one.staff_at(now).classify(one.members.get("category")), one.members.get("region")
    routed = routing.route(one.past_policy, category=category, region=region, directory=directory)
    if team != routed:
        return team, owner
    chosen = routing.route(one.policy, category=category, region=region, directory=directory)
    was_chosen = chosen != team and owner == choose_answerable_user(team, directory)
    return chosen, None if was_chosen else owner


def _was_vulnerable(one: ReplayedComplaint) -> bool:
    known = _known_raise(one, PriorityReason.VULNERABLE)
    return one.history.was_vulnerable if known is None else known


def _was_repeat(one: ReplayedComplaint) -> bool:
    """True if the complaint repeated an earlier one. The past knows it for the window of its own policy."""
    known = _known_raise(one, PriorityReason.REPEAT)
    windows = {policy.priorities.repeat_window_days for policy in (one.past_policy, one.policy)}
    if known is not None and len(windows) == 1:
        return known
    return bool(one.history.is_repeat)


def _known_raise(one: ReplayedComplaint, reason: PriorityReason) -> bool | None:
    """True if the reason raised the priority in the past. None if the policy of the past did not ask."""
    if one.members.get("priority_given") or reason not in one.past_policy.priorities.raised_by:
        return None
    return reason in one.members.get("priority_raised_by", ())


def _ending_of(members: Mapping[str, Any]) -> Ending:
    return Ending(
        status=Status(members["status"]),
        closed_at=_instant(members.get("ended_at")),
        resolved_at=_instant(members.get("resolved_at")),
        result_told_at=_instant(members.get("result_told_at")),
        outcome=Outcome(members["outcome"]) if members.get("outcome") else None,
        root_cause=_text(members.get("root_cause")),
    )


def _instant(written: str | None) -> datetime | None:
    return _read_instant(written) if written else None


def _text(written: Any) -> str | None:
    """A text in place of the one of the past: the rules ask only if there is one."""
    return ERASED if written else None


# Actions -----------------------------------------------------------------------------------------------------------

_Arguments = Callable[[ReplayedComplaint, PastEvent], dict[str, Any]]


def _act(action: Action, arguments: _Arguments) -> _Replay:
    """The replay of an action whose arguments the event tells."""

    def replay_action(one: ReplayedComplaint, event: PastEvent, _others: _Others) -> None:
        _plan(one, event, action, arguments(one, event))

    return replay_action


def _plan(
    one: ReplayedComplaint, event: PastEvent, action: Action, arguments: dict[str, Any]
) -> Change | None:
    context = one.context(event)
    return one.attempt(event, action, lambda change: actions.plan(change, context, action, arguments))


def _message(_one: ReplayedComplaint, event: PastEvent) -> dict[str, Any]:
    return {"message": ERASED, "contact_channel": ContactChannel(event.data["contact_channel"])}


def _hold(_one: ReplayedComplaint, event: PastEvent) -> dict[str, Any]:
    data = event.data
    return {"reason": HoldReason(data["reason"]), "until": _read_instant(data["until_at"])}


def _resolve(one: ReplayedComplaint, _event: PastEvent) -> dict[str, Any]:
    members = one.members
    return {
        "resolution": ERASED,
        "outcome": Outcome(members["outcome"]),
        "cause": Cause(members["cause"]),
        "root_cause": _text(members.get("root_cause")),
    }


def _contact(_one: ReplayedComplaint, event: PastEvent) -> dict[str, Any]:
    data = event.data
    return {"outcome": ContactOutcome(data["outcome"]), "csat": data.get("csat"), "nps": data.get("nps")}


def _close(one: ReplayedComplaint, event: PastEvent) -> dict[str, Any]:
    early = event.data.get("early", False)
    confirmed = _message(one, event) if early else {}
    return {"early": early, "root_cause": _text(one.members.get("root_cause")), **confirmed}


def _reason(_one: ReplayedComplaint, _event: PastEvent) -> dict[str, Any]:
    return {"reason": ERASED}


def _reject(one: ReplayedComplaint, event: PastEvent) -> dict[str, Any]:
    return {**_message(one, event), "reason": ERASED}


def _reopen(one: ReplayedComplaint, event: PastEvent, _others: _Others) -> None:
    """A contact that reopens a complaint does so again when it is replayed."""
    if not _is_part_of_contact(one, event):
        _plan(one, event, Action.REOPEN, {"reason": ERASED})


def _resume(one: ReplayedComplaint, event: PastEvent, _others: _Others) -> None:
    is_part = _awaited_complainant(one, event) and _is_part_of_contact(one, event)
    if event.actor != ENGINE and not is_part:
        _plan(one, event, Action.RESUME, {})


def _awaited_complainant(one: ReplayedComplaint, event: PastEvent) -> bool:
    """True if the hold that ended in the past waited for the complainant: only such a hold ends by a contact."""
    held = (e for e in reversed(one.history.events) if e.number < event.number and e.type == EventType.HELD)
    return bool(next(held).data["reason"] == HoldReason.AWAITING_COMPLAINANT)


_CONTACTS = frozenset({EventType.CONTACT_RECORDED, EventType.CONTACT_REPEATED})


def _is_part_of_contact(one: ReplayedComplaint, event: PastEvent) -> bool:
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


def _repeat_contact(one: ReplayedComplaint, event: PastEvent, _others: _Others) -> None:
    context = one.context(event)
    contact = Contact(Channel(event.data["channel"]), ERASED, None)

    def step(change: Change) -> None:
        if makes_new_complaint(change.complaint, context):
            raise Conflict("The contact would have become a new complaint.")
        plan_contact(change, context, contact)

    one.attempt(event, "contact", step)


def _escalate(one: ReplayedComplaint, event: PastEvent, _others: _Others) -> None:
    """A step that no deadline asked for: a user, a contact or a message that did not arrive did."""
    data = event.data
    if "deadline_id" in data:
        return
    roles = tuple(map(RecipientRole, data["roles"]))
    if data["step"] == actions.MANUAL_STEP:
        _plan(one, event, Action.ESCALATE, {"reason": ERASED, "role": roles[0]})
        return
    directory = one.staff_at(event.at).directory

    def step(change: Change) -> None:
        escalate_now(
            change, one.policy, directory, event.at, step=data["step"], level=data["level"], roles=roles
        )

    one.attempt(event, data["step"], step)


def _acknowledge(one: ReplayedComplaint, event: PastEvent, _others: _Others) -> None:
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


def _assign(one: ReplayedComplaint, event: PastEvent, _others: _Others) -> None:
    if "by" in event.data:
        _assign_by_policy(one, event)
    elif "left" not in event.data:
        _plan(one, event, Action.ASSIGN, _assignment(one, event))
    elif event.actor != ENGINE:
        _hand_over(one, event)


def _assignment(one: ReplayedComplaint, event: PastEvent) -> dict[str, Any]:
    """What the user asked for. The event has the members that changed; an assignment of before may be asked again."""
    team = one.members["team"] if "team" in event.changes else None
    assignee = one.members.get("assignee")
    if assignee is None and team is None and not event.data.get("taken_back"):
        team = one.members["team"]
    return {"team": team, "assignee": assignee, "take_back": event.data.get("taken_back", False)}


def _assign_by_policy(one: ReplayedComplaint, event: PastEvent) -> None:
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
    change.set(assignee=one.members["assignee"])
    change.record(EventType.ASSIGNED, event.at, by=method)
    one.keep(change)
    one.awaited = None
    one.assignments_left -= 1


def _hand_over(one: ReplayedComplaint, event: PastEvent) -> None:
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


def _update(one: ReplayedComplaint, event: PastEvent, _others: _Others) -> None:
    """A change of members by a user. The engine, and an attempt that follows a contact, are replayed elsewhere."""
    if event.actor != ENGINE and "reason" not in event.data:
        one.attempt(event, "change", lambda change: _change_members(one, change, event))


def _change_members(one: ReplayedComplaint, change: Change, event: PastEvent) -> None:
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
    after = change.complaint
    if (after.priority, after.category) != (before.priority, before.category):
        deadlines.replan(change, one.policy, event.at, retarget=True)
    change.record(EventType.UPDATED, event.at)


_PLAIN: dict[str, Callable[[Any], Any]] = {
    "first_owner": str,
    "severity": Severity,
    "channel": Channel,
    "region": lambda region: region,
}
"""The members by which rules decide and that are taken as they are, with the reader of each."""


def _is_assigned_by_hand(one: ReplayedComplaint) -> bool:
    marks = one.last_assigned
    by_hand = bool(marks) and not {"taken_back", "left", "by"} & marks
    return by_hand or (one.complaint.assignee is not None and "by" not in marks)


def _change_priority(one: ReplayedComplaint, change: Change, event: PastEvent) -> None:
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
                repeat=_was_repeat(one),
            )
    else:
        is_vulnerable = _is_vulnerable_after(one, event) if turned else None
        follow_severity(change, before, one.policy, vulnerable=is_vulnerable)


def _is_vulnerable_after(one: ReplayedComplaint, event: PastEvent) -> bool:
    """True if the complainant was vulnerable after an event. Each later event that names the member turned it round."""
    later = sum(
        VULNERABLE in other.changed_of_complainant
        for other in one.history.events
        if other.number > event.number
    )
    return one.history.is_vulnerable is (later % 2 == 0)


def _replan(one: ReplayedComplaint, event: PastEvent, _others: _Others) -> None:
    """A user moved the complaint to another policy. In the simulation, it gets the policy in place of that one."""
    wanted = one.choose_policy()

    def step(change: Change) -> None:
        if not change.complaint.open:
            raise Conflict(f"A complaint that is {change.complaint.status} is not planned any more.")
        change.touch(event.at)
        deadlines.move_to_policy(change, wanted, event.at)
        change.record(EventType.REPLANNED, event.at)
        one.policy = wanted

    one.attempt(event, "replan", step)


# Promises ----------------------------------------------------------------------------------------------------------


def _make_promise(one: ReplayedComplaint, event: PastEvent, _others: _Others) -> None:
    """A promise that a merge moved is replayed with the merge."""
    data = event.data
    if "moved_from" in data:
        return
    promise_id = data["deadline_id"]
    due_at = next(_read_instant(d["due_at"]) for d in data["deadlines"] if d["id"] == promise_id)

    def step(change: Change) -> None:
        if not change.complaint.open:
            raise Conflict(f"A complaint that is {change.complaint.status} takes no promise.")
        change.touch(event.at)
        one.promise_ids[promise_id] = deadlines.add_promise(
            change, one.policy, ERASED, made_by=event.actor, started_at=event.at, due_at=due_at
        )
        change.record(EventType.PROMISE_MADE, event.at)

    one.attempt(event, "promise", step)


def _keep_promise(one: ReplayedComplaint, event: PastEvent, _others: _Others) -> None:
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


# Merges ------------------------------------------------------------------------------------------------------------


def _link(into: ReplayedComplaint, event: PastEvent, others: _Others) -> None:
    """The complaint that goes on after a merge takes over from the merged one. Its event comes first."""
    merged = _merged_one(event, others)
    if merged is None:
        return
    merged.catch_up(event.at)
    into.catch_up(event.at)
    complaint = merged.complaint
    merged.merge.refusal = _find_merge_refusal(complaint, into.complaint)
    if merged.merge.refusal is not None:
        return
    promised = {d.id: Promise(d.id, ERASED, event.actor) for d in complaint.deadlines}
    vulnerable = ERASED if VULNERABLE in event.changed_of_complainant else None

    def step(change: Change) -> None:
        merged.merge.moved = take_over(
            change, into.policy, complaint, event.at, promises=promised, vulnerable=vulnerable
        )

    into.attempt(event, Action.MERGE, step)


def _find_merge_refusal(complaint: Complaint, into: Complaint) -> str | None:
    if not complaint.open:
        return f"The complaint to merge is {complaint.status}, not open."
    return merge_refusal(complaint, into, same_complainant=True, has_merged=False)


def _merged_one(event: PastEvent, others: _Others) -> ReplayedComplaint | None:
    """The other complaint of a merge. None if the event is about another link, or that complaint is not replayed."""
    return others.get(UUID(event.data["complaint_id"])) if event.data["type"] == MERGED_LINK else None


def _merge(one: ReplayedComplaint, event: PastEvent, others: _Others) -> None:
    into_id, link = UUID(event.data["into"]), one.merge
    if link.refusal is not None:
        one.catch_up(event.at)
        one.refuse(event, Action.MERGE, link.refusal)
        link.refusal = None
        return
    change = _plan(one, event, Action.MERGE, {"into": into_id, "promises": link.moved})
    if change is None:
        return
    link.record = _record_of(change, link.moved)
    if into_id in others:
        for own, other in event.data.get("promises", {}).items():
            if (moved := link.moved.get(one.promise_ids.get(own, _IMPORT))) is not None:
                others[into_id].promise_ids[other] = moved


def _record_of(change: Change, moved: Mapping[UUID, UUID]) -> MergeRecord:
    before = change.before
    assert before is not None  # it is no new complaint
    unmet = {deadline.id for deadline in before.deadlines if deadline.unmet}
    hold = before.current_hold
    return MergeRecord(
        was=before.status,
        cancelled=frozenset(d.id for d in change.complaint.deadlines if d.id in unmet and not d.unmet),
        promises=moved,
        hold_id=hold.id if hold else None,
    )


def _unlink(into: ReplayedComplaint, event: PastEvent, others: _Others) -> None:
    """The complaint into which another one was merged gives its promises back. Its event comes first."""
    merged = _merged_one(event, others)
    if merged is None or merged.merge.record is None:
        return
    record = merged.merge.record

    def step(change: Change) -> None:
        merged.merge.undone = take_back_promises(change, merged.history.id, record, event.at)

    into.attempt(event, "unmerge", step)


def _unmerge(one: ReplayedComplaint, event: PastEvent, _others: _Others) -> None:
    undone = one.merge.undone or one.merge.record
    if undone is None:
        one.catch_up(event.at)
        one.refuse(event, Action.UNMERGE, "The complaint was not merged.")
        return
    _plan(one, event, Action.UNMERGE, {"undone": undone, "reason": ERASED})
    one.merge.record = one.merge.undone = None


def _erase(one: ReplayedComplaint, event: PastEvent, _others: _Others) -> None:
    if "root_cause" in event.changes:
        one.catch_up(event.at)
        change = one.open(event)
        change.set(root_cause=None)
        one.keep(change)


_REPLAYS: dict[str, _Replay] = {
    EventType.CREATED: _begin,
    EventType.IMPORTED_ENDED: _begin,
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
    EventType.MERGED: _merge,
    EventType.UNMERGED: _unmerge,
    EventType.LINKED: _link,
    EventType.UNLINKED: _unlink,
    EventType.CONTACT_REPEATED: _repeat_contact,
    EventType.ESCALATED: _escalate,
    EventType.ESCALATION_ACKNOWLEDGED: _acknowledge,
    EventType.UPDATED: _update,
    EventType.REPLANNED: _replan,
    EventType.PROMISE_MADE: _make_promise,
    EventType.PROMISE_KEPT: _keep_promise,
    EventType.ERASED: _erase,
}
"""The events that are replayed. All others follow from these by the rules, or no rule asks for them."""
