"""The rerun of the first event of a complaint: its intake."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from complaints.domain.complaint.facts import Person
from complaints.domain.complaint.texts import ERASED
from complaints.domain.rules import routing
from complaints.domain.rules.endings import Ending
from complaints.domain.rules.intake import NewComplaint, plan_intake
from complaints.domain.rules.recipients import choose_answerable_user
from complaints.domain.simulation.past import PastEvent, read_stored_instant, stand_in_for
from complaints.domain.simulation.simulated_complaint import (
    OtherComplaints,
    SimulatedChange,
    SimulatedComplaint,
)
from complaints.domain.staff import Directory
from complaints.domain.vocabulary import (
    Channel,
    EventType,
    Outcome,
    Priority,
    PriorityReason,
    Severity,
    Status,
)

_IMPORT = UUID(int=0)


def begin(one: SimulatedComplaint, event: PastEvent, _others: OtherComplaints) -> None:
    """Take the complaint in again. An import of an ended complaint starts nothing (rule 2.14)."""
    members, now = one.members, event.at
    staff = one.staff_at(now)
    one.policy = one.choose_policy()
    one.keeps_policy = one.policy is one.past_policy
    category = staff.classify(members.get("category"))
    team, first_owner = _choose_team_and_owner(one, staff.directory, now)
    new = NewComplaint(
        channel=Channel(members["channel"]),
        subject=ERASED,
        severity=Severity(members["severity"]),
        region=members.get("region"),
        source=members["source"],
        received_at=read_stored_instant(members["received_at"]),
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
        repeat=was_repeat(one),
        directory=staff.directory,
        now=now,
        sequence=one.history.sequence,
        new_id=one.new_id,
        change_kind=SimulatedChange,
    )
    one.keep(change)


def _choose_team_and_owner(
    one: SimulatedComplaint, directory: Directory, now: datetime
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


def _was_vulnerable(one: SimulatedComplaint) -> bool:
    known = _known_raise(one, PriorityReason.VULNERABLE)
    return one.history.was_vulnerable if known is None else known


def was_repeat(one: SimulatedComplaint) -> bool:
    """True if the complaint repeated an earlier one. The past knows it for the window of its own policy."""
    known = _known_raise(one, PriorityReason.REPEAT)
    windows = {policy.priorities.repeat_window_days for policy in (one.past_policy, one.policy)}
    if known is not None and len(windows) == 1:
        return known
    return bool(one.history.is_repeat)


def _known_raise(one: SimulatedComplaint, reason: PriorityReason) -> bool | None:
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
        root_cause=stand_in_for(members.get("root_cause")),
    )


def _instant(written: str | None) -> datetime | None:
    return read_stored_instant(written) if written else None
