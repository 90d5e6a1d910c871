"""Escalation: when each step of a ladder is due, and who hears of it (domain §3)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from complaints.domain import clocks
from complaints.domain.calendars import ALWAYS_OPEN, WorkCalendar
from complaints.domain.clocks import Pause, Unit
from complaints.domain.complaint import Complaint, Deadline
from complaints.domain.errors import Conflict
from complaints.domain.policies import DeadlineRule, Policy, Step
from complaints.domain.vocabulary import RecipientRole

_MOMENT = timedelta(microseconds=1)
_CHAIN = (RecipientRole.TEAM_LEAD, RecipientRole.DEPARTMENT_HEAD, RecipientRole.EXECUTIVE)
_WORKING_UNITS = frozenset({Unit.OPEN_SECONDS, Unit.WORKING_DAYS})


class Works(Protocol):
    """What the times of steps are computed from (`deadlines.Clockwork`)."""

    @property
    def rule(self) -> DeadlineRule:
        """How deadlines of its kind run."""
        ...

    @property
    def calendar(self) -> WorkCalendar:
        """When working time counts."""
        ...

    @property
    def pauses(self) -> tuple[Pause, ...]:
        """When the clock stood still, or will."""
        ...


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """A step and when it is due; it is taken at `wake_at`: the first instant past due for the 100 % step."""

    step: Step
    planned_at: datetime
    wake_at: datetime


def schedule(deadline: Deadline, works: Works, policy: Policy) -> list[PlannedStep]:
    """Every step of the deadline's ladder by planned time; one at or before the start is left out."""
    return _planned(works.rule.ladder, deadline, works, policy)


def _planned(steps: Sequence[Step], deadline: Deadline, works: Works, policy: Policy) -> list[PlannedStep]:
    times = zip(steps, _times(steps, deadline, works, policy), strict=True)
    planned = [
        PlannedStep(step, at, _wake_at(at, deadline)) for step, at in times if at > deadline.started_at
    ]
    return sorted(planned, key=lambda p: p.planned_at)


def _wake_at(planned_at: datetime, deadline: Deadline) -> datetime:
    """The 100 % step is taken at the first instant past due."""
    return planned_at + _MOMENT if planned_at == deadline.due_at else planned_at


def _times(steps: Sequence[Step], deadline: Deadline, works: Works, policy: Policy) -> list[datetime]:
    """When each of these steps is to be taken."""
    offsets, start = _fixed_offsets(deadline, works, policy), deadline.started_at
    try:
        return [
            start + offsets[step.name] if step.name in offsets else _reckoned(step, deadline, works, policy)
            for step in steps
        ]
    except OverflowError:
        return [_reckoned(step, deadline, works, policy) for step in steps]  # which says what is wrong


def _fixed_offsets(deadline: Deadline, works: Works, policy: Policy) -> Mapping[str, timedelta]:
    """From the start to each step: the same for every clock of this target that never stands still.

    Steps by local date are left out.
    """
    target, rule = deadline.target, works.rule
    if target is None or works.pauses or not clocks.never_stops(target, works.calendar):
        return {}
    if (known := rule.step_offsets.get(target)) is None:
        known = rule.step_offsets[target] = {
            step.name: _reckoned(step, deadline, works, policy) - deadline.started_at
            for step in rule.ladder
            if step.offset_days is None
        }
    return known


def _reckoned(step: Step, deadline: Deadline, works: Works, policy: Policy) -> datetime:
    if step.share is not None:
        return _share_at(step, deadline, works)
    if step.offset_days is not None:
        return clocks.shift_days(deadline.due_at, step.offset_days, policy.timezone)
    seconds = step.offset_seconds or 0
    calendar = own_calendar(deadline, works.calendar)
    if seconds < 0:
        return clocks.subtract_time(deadline.due_at, -seconds, calendar, works.pauses)
    at = clocks.add_time(deadline.due_at, seconds, calendar)
    assert at is not None  # only an endless pause leaves a time open
    return at


def own_calendar(deadline: Deadline, calendar: WorkCalendar) -> WorkCalendar:
    """The calendar of the deadline's own time: `calendar` where it counts working time, else always open."""
    counts_open_time = deadline.target is not None and deadline.target.unit in _WORKING_UNITS
    return calendar if counts_open_time else ALWAYS_OPEN


def _share_at(step: Step, deadline: Deadline, works: Works) -> datetime:
    assert step.share is not None
    if step.share == 1:
        return deadline.due_at
    if deadline.target is None:
        return deadline.started_at + (deadline.due_at - deadline.started_at) * float(step.share)
    at = clocks.share_at(deadline.started_at, deadline.target, works.calendar, works.pauses, step.share)
    assert at is not None  # a hold always has an end
    return at


def next_wake(deadline: Deadline, works: Works, policy: Policy) -> datetime | None:
    """When the next step not yet taken is to be taken; None at the top of the ladder."""
    start = deadline.started_at
    times = [at for at in _times(_left(deadline, works), deadline, works, policy) if at > start]
    return _wake_at(min(times), deadline) if times else None


def untaken(deadline: Deadline, works: Works, policy: Policy) -> list[PlannedStep]:
    """The steps still to be taken, in order."""
    return _planned(_left(deadline, works), deadline, works, policy)


def _left(deadline: Deadline, works: Works) -> Sequence[Step]:
    taken = deadline.steps_taken
    return [step for step in works.rule.ladder if step.name not in taken] if taken else works.rule.ladder


# Who stands for a role --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class User:
    """A person who works on complaints. Absent from `absent_from` until before `absent_until`."""

    login: str
    name: str
    active: bool = True
    email: str | None = None
    deputy: str | None = None
    absent_from: datetime | None = None
    absent_until: datetime | None = None

    def available(self, now: datetime) -> bool:
        """Whether they can be reached at `now`."""
        absent = self.absent_from is not None and self.absent_from <= now
        return self.active and not (absent and (self.absent_until is None or now < self.absent_until))


@dataclass(frozen=True, slots=True)
class Team:
    """People who work on complaints together."""

    code: str
    names: Mapping[str, str]
    department: str
    lead: str | None = None
    deputy: str | None = None
    active: bool = True


@dataclass(frozen=True, slots=True)
class Department:
    """Teams under one head; the department without a parent is the top, its head the executive."""

    code: str
    names: Mapping[str, str]
    head: str | None = None
    deputy: str | None = None
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class Directory:
    """Who is who, by login and code."""

    users: Mapping[str, User]
    teams: Mapping[str, Team]
    departments: Mapping[str, Department]


def recipients(
    roles: tuple[RecipientRole, ...], complaint: Complaint, directory: Directory, now: datetime
) -> tuple[str, ...]:
    """The logins that stand for `roles` at `now`, without doubles; empty if nobody does (rule 3.6)."""
    found = (recipient(role, complaint, directory, now) for role in roles)
    return tuple(dict.fromkeys(login for login in found if login))


def recipient(role: RecipientRole, complaint: Complaint, directory: Directory, now: datetime) -> str | None:
    """Who stands for `role`: its holder, else their deputy, else the next role up that somebody holds."""
    roles = list(RecipientRole)
    for candidate_role in roles[roles.index(role) :]:
        for login in _holders(candidate_role, complaint, directory):
            if (login := _reachable(login, directory, now)) is not None:
                return login
    return None


def answerable(team_code: str, directory: Directory) -> str:
    """Who answers for a team, absent or not: its lead or their deputy, else the head of its department,
    else the executive; where all these are vacant or inactive, the first active user.

    Raises Conflict if there is none, which the reference data never allow.
    """
    for holders in _chain(team_code, directory):
        for login in holders:
            if login and (user := directory.users.get(login)) and user.active:
                return login
    everybody = sorted(login for login, user in directory.users.items() if user.active)
    if not everybody:
        raise Conflict("Nobody can answer for complaints: make an active user first.")
    return everybody[0]


def _holders(role: RecipientRole, complaint: Complaint, directory: Directory) -> list[str | None]:
    if role is RecipientRole.ASSIGNEE:
        return [complaint.assignee]
    if role is RecipientRole.FIRST_OWNER:
        return [complaint.first_owner]
    return _chain(complaint.team, directory)[_CHAIN.index(role)]


def _chain(team_code: str, directory: Directory) -> list[list[str | None]]:
    """Who holds each role of `_CHAIN` over a team, and their deputy."""
    team = directory.teams.get(team_code)
    department = directory.departments.get(team.department) if team else None
    top = _top(department, directory)
    return [
        [team.lead, team.deputy] if team else [],
        [department.head, department.deputy] if department else [],
        [top.head, top.deputy] if top else [],
    ]


def _top(department: Department | None, directory: Directory) -> Department | None:
    seen: set[str] = set()
    while department and department.parent and department.code not in seen:
        seen.add(department.code)
        department = directory.departments.get(department.parent)
    return department


def _reachable(login: str | None, directory: Directory, now: datetime) -> str | None:
    user = directory.users.get(login) if login else None
    if user is None or user.available(now):
        return user.login if user else None
    stand_in = directory.users.get(user.deputy) if user.deputy else None
    return stand_in.login if stand_in and stand_in.available(now) else None
