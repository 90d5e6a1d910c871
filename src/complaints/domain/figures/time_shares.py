"""The holders of a complaint's time (rules 6.30 to 6.34): who held it, who is charged, who had to make contact.

Everything follows from the events of the complaint, oldest first. All instants are aware.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise
from typing import Any, Protocol

from complaints.domain.instants import read_instant
from complaints.domain.time.calendars import WorkCalendar
from complaints.domain.time.working_time import elapsed_seconds
from complaints.domain.vocabulary import ContactOutcome, EventType, HoldReason, Status

_CONTACTS = frozenset(
    {EventType.RESPONDED, EventType.RESULT_NOTIFIED, EventType.REJECTED, EventType.CONTACT_RECORDED}
)
_RESULTS = frozenset({EventType.RESULT_NOTIFIED, EventType.REJECTED})
_ENDS = _RESULTS | {EventType.WITHDRAWN, EventType.MERGED}
_NONE = timedelta()


class HistoryEvent(Protocol):
    """An event of one complaint. `data` is as the history has it, with texts or without."""

    @property
    def type(self) -> str:
        """Its type, such as `complaint.held`."""

    @property
    def at(self) -> datetime:
        """The time of the entry."""

    @property
    def actor(self) -> str:
        """Its cause, such as `user:li`."""

    @property
    def data(self) -> Mapping[str, Any]:
        """Its members."""


class HolderKind(StrEnum):
    """Who can hold a second of a complaint."""

    STAFF = "staff"
    COMPLAINANT = "complainant"
    THIRD_PARTY = "third_party"
    CLOSED_HOURS = "closed_hours"


@dataclass(frozen=True, slots=True)
class TimeHolder:
    """The holder of a time. Only staff has a team, and a person if the complaint had an assignee."""

    kind: HolderKind
    team: str | None = None
    person: str | None = None


COMPLAINANT = TimeHolder(HolderKind.COMPLAINANT)
THIRD_PARTY = TimeHolder(HolderKind.THIRD_PARTY)
CLOSED_HOURS = TimeHolder(HolderKind.CLOSED_HOURS)


@dataclass(frozen=True, slots=True)
class WorkPeriod:
    """One cycle: from its start until its result was told or it ended. `ended_at` None: neither has happened.

    `result_told` is true if a result or a rejection ended it. `imported` is true if another system knows it alone.
    `transfers` are the moves to another team, or from one assignee to another (rule 6.33). `handed_over` is true if
    somebody else than the first owner had it. `first_owner_spoke` is true if the first owner made contact after that.
    `transferred_at` has the time of each transfer.
    """

    cycle: int
    started_at: datetime
    ended_at: datetime | None = None
    result_told: bool = False
    imported: bool = False
    transfers: int = 0
    handed_over: bool = False
    first_owner_spoke: bool = False
    transferred_at: tuple[datetime, ...] = field(default=(), compare=False)

    @property
    def is_left_by_first_owner(self) -> bool:
        """True for a first-responsibility breach (rule 6.34). Without a result there is none yet."""
        return self.result_told and self.handed_over and not self.first_owner_spoke


@dataclass(frozen=True, slots=True)
class WorkPlace:
    """Where the work lay from an instant on: the team, the assignee and the first owner.

    `handed_over` is true while it lies with another user than the first owner, or in a team to which it was moved.
    """

    since: datetime
    team: str
    assignee: str | None
    first_owner: str
    handed_over: bool


@dataclass(frozen=True, slots=True)
class WorkHistory:
    """The periods, places and holds of one complaint, each oldest first. A hold has its start, end and reason."""

    periods: tuple[WorkPeriod, ...]
    places: tuple[WorkPlace, ...]
    holds: tuple[tuple[datetime, datetime, HoldReason], ...]


# Reading -------------------------------------------------------------------------------------------------------------


def read_work_history(events: Iterable[HistoryEvent]) -> WorkHistory:
    """Read the events of one complaint, oldest first. The first one says when the complaint was received."""
    reader = _Reader()
    for event in events:
        reader.read(event)
    holds = ((hold.started_at, hold.ended_at, hold.reason) for hold in reader.holds)
    return WorkHistory(tuple(reader.periods), tuple(reader.places), tuple(holds))


@dataclass(slots=True)
class _HeldTime:
    started_at: datetime
    until_at: datetime
    reason: HoldReason
    left_at: datetime | None = None

    @property
    def ended_at(self) -> datetime:
        """A hold ends at its `until_at`, however late the history says so."""
        return min(self.until_at, self.left_at or self.until_at)


@dataclass(slots=True)
class _Reader:
    """Reads event after event. `worker` is the last assignee since the complaint came into its team."""

    periods: list[WorkPeriod] = field(default_factory=list)
    places: list[WorkPlace] = field(default_factory=list)
    holds: list[_HeldTime] = field(default_factory=list)
    status: str | None = None
    worker: str | None = None

    def read(self, event: HistoryEvent) -> None:
        changes = event.data.get("changes", {})
        if not self.places:
            self._begin(event, changes)
        else:
            self._read_start(event, changes)
            self._read_place(event, changes)
            self._read_hold(event, changes)
            self._read_contact(event)
            self._read_end(event)
        self.status = changes.get("status", self.status)

    def _begin(self, event: HistoryEvent, changes: Mapping[str, Any]) -> None:
        received_at = read_instant(changes["received_at"])
        self.worker = changes.get("assignee")
        handed_over = self.worker not in (None, changes["first_owner"])
        place = WorkPlace(received_at, changes["team"], self.worker, changes["first_owner"], handed_over)
        self.places.append(place)
        imported = event.type == EventType.IMPORTED_ENDED
        told_at = changes.get("result_told_at")
        ended_at = read_instant(told_at or changes["ended_at"]) if imported else None
        period = WorkPeriod(1, received_at, ended_at, result_told=told_at is not None, imported=imported)
        self.periods.append(replace(period, handed_over=handed_over and not imported))

    def _read_start(self, event: HistoryEvent, changes: Mapping[str, Any]) -> None:
        if event.type == EventType.REOPENED and "cycle" in changes:
            handed_over = self.places[-1].handed_over
            self.periods.append(WorkPeriod(changes["cycle"], event.at, handed_over=handed_over))
        elif event.type == EventType.UNMERGED and not self.periods[-1].result_told:
            self._change_period(ended_at=None)

    def _read_place(self, event: HistoryEvent, changes: Mapping[str, Any]) -> None:
        before = self.places[-1]
        team, assignee = changes.get("team", before.team), changes.get("assignee", before.assignee)
        first_owner = changes.get("first_owner", before.first_owner)
        if (team, assignee, first_owner) == (before.team, before.assignee, before.first_owner):
            return
        moved = team != before.team
        passed_on = not moved and assignee is not None and self.worker not in (None, assignee)
        handed_over = before.handed_over or moved if assignee is None else assignee != first_owner
        self.places.append(WorkPlace(event.at, team, assignee, first_owner, handed_over))
        self.worker = assignee if moved else assignee or self.worker
        if self.periods[-1].ended_at is None:
            is_transfer = moved or passed_on
            self._change_period(
                transfers=self.periods[-1].transfers + is_transfer,
                transferred_at=(*self.periods[-1].transferred_at, *([event.at] if is_transfer else ())),
                handed_over=handed_over or self.periods[-1].handed_over,
            )

    def _read_hold(self, event: HistoryEvent, changes: Mapping[str, Any]) -> None:
        if event.type == EventType.HELD:
            until_at, reason = read_instant(event.data["until_at"]), HoldReason(event.data["reason"])
            self.holds.append(_HeldTime(event.at, until_at, reason))
        elif event.type == EventType.UNMERGED and changes["status"] == Status.ON_HOLD:
            self.holds[-1].left_at = None
        elif self.status == Status.ON_HOLD and "status" in changes:
            self.holds[-1].left_at = event.at

    def _read_contact(self, event: HistoryEvent) -> None:
        period, place = self.periods[-1], self.places[-1]
        reached = event.type in _CONTACTS and event.data.get("outcome") != ContactOutcome.UNREACHABLE
        by_first_owner = event.actor == f"user:{place.first_owner}"
        if reached and by_first_owner and period.handed_over and period.ended_at is None:
            self._change_period(first_owner_spoke=True)

    def _read_end(self, event: HistoryEvent) -> None:
        if event.type in _ENDS and self.periods[-1].ended_at is None:
            self._change_period(ended_at=event.at, result_told=event.type in _RESULTS)

    def _change_period(self, **members: Any) -> None:
        self.periods[-1] = replace(self.periods[-1], **members)


# Shares --------------------------------------------------------------------------------------------------------------


def divide_time(
    history: WorkHistory, start: datetime, end: datetime, calendar: WorkCalendar
) -> dict[TimeHolder, timedelta]:
    """The time from `start` to `end`, by holder. The parts sum to it exactly (rule 6.30).

    Time in which `calendar` is closed belongs to the closed hours, whoever had the complaint.
    """
    parts: dict[TimeHolder, timedelta] = defaultdict(timedelta)
    for begin, finish, holder in _stretches(history, start, end):
        open_time = timedelta(seconds=elapsed_seconds(begin, finish, calendar))
        parts[holder] += open_time
        parts[CLOSED_HOURS] += finish - begin - open_time
    return {holder: part for holder, part in parts.items() if part > _NONE}


def _stretches(
    history: WorkHistory, start: datetime, end: datetime
) -> Iterator[tuple[datetime, datetime, TimeHolder]]:
    """The time, cut at each instant at which its holder may change, oldest first and without gaps."""
    holds, places = history.holds, history.places
    cuts = {start, end, *(place.since for place in places), *(at for hold in holds for at in hold[:2])}
    for begin, finish in pairwise(sorted(at for at in cuts if start <= at <= end)):
        yield begin, finish, _holder_at(history, begin)


def _holder_at(history: WorkHistory, at: datetime) -> TimeHolder:
    for started_at, ended_at, reason in history.holds:
        if started_at <= at < ended_at:
            return COMPLAINANT if reason is HoldReason.AWAITING_COMPLAINANT else THIRD_PARTY
    place = _place_at(history.places, at)
    return TimeHolder(HolderKind.STAFF, place.team, place.assignee)


def _place_at(places: Sequence[WorkPlace], at: datetime) -> WorkPlace:
    """The place at an instant; before the first one, the first one."""
    return next((place for place in reversed(places) if place.since <= at), places[0])


def charge_breach(
    history: WorkHistory, started_at: datetime, breached_at: datetime, calendar: WorkCalendar
) -> dict[TimeHolder, Fraction]:
    """The shares of staff in a breach, by the open time that each held until then. They sum to 1 (rule 6.32).

    If staff held no open time, the holder at the start is charged.
    """
    parts = divide_time(history, started_at, breached_at, calendar)
    held = {holder: part for holder, part in parts.items() if holder.kind is HolderKind.STAFF}
    whole = sum(held.values(), _NONE)
    if not whole:
        place = _place_at(history.places, started_at)
        return {TimeHolder(HolderKind.STAFF, place.team, place.assignee): Fraction(1)}
    unit = timedelta.resolution
    return {holder: Fraction(part // unit, whole // unit) for holder, part in held.items()}
