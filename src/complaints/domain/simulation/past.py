"""The past of a complaint, as its events tell it: its deadlines, its escalations, and when the engine looked."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import count
from typing import Any, NamedTuple
from uuid import UUID

from complaints.domain.complaint.change import ENGINE
from complaints.domain.complaint.texts import ERASED
from complaints.domain.instants import MOMENT
from complaints.domain.vocabulary import DeadlineStatus, EventType

VULNERABLE = "vulnerable"
MERGED_LINK = "merged"
"""The type of a link that a merge makes at the complaint that goes on."""
read_stored_instant = datetime.fromisoformat
"""Reads an instant of an event, which is RFC 3339 in UTC."""


class Period(NamedTuple):
    """The time from `since` until before `until`, in UTC."""

    since: datetime
    until: datetime

    def contains(self, instant: datetime) -> bool:
        """True if the instant is in the period."""
        return self.since <= instant < self.until


class PastEvent(NamedTuple):
    """An event as stored. `number` is its number in the feed. In `data`, digests stand for texts."""

    number: int
    type: str
    version: int
    at: datetime
    actor: str
    data: dict[str, Any]

    @property
    def changes(self) -> Mapping[str, Any]:
        """The members of the complaint that changed, as JSON."""
        changes: Mapping[str, Any] = self.data.get("changes", {})
        return changes

    @property
    def changed_of_complainant(self) -> Sequence[str]:
        """The names of the members of the complainant that changed."""
        changed: Sequence[str] = self.data.get("persons", {}).get("complainant", ())
        return changed


class DeadlineKey(NamedTuple):
    """Names a deadline of one complaint, in the past and in a simulation."""

    kind: str
    cycle: int
    sequence: int
    attempt: int


class DeadlineFate(NamedTuple):
    """What became of a deadline. All instants are in UTC."""

    status: DeadlineStatus
    started_at: datetime
    due_at: datetime
    met_at: datetime | None
    breached_at: datetime | None


class StepKey(NamedTuple):
    """Names a step of one complaint. Without a deadline, its time and its place among equal ones name it too."""

    deadline: DeadlineKey | None
    step: str
    planned_at: datetime | None = None
    place: int = 0


class TakenStep(NamedTuple):
    """A step that was taken. `recipients` are empty if it notified nobody. All instants are in UTC."""

    level: int
    planned_at: datetime
    taken_at: datetime
    recipients: tuple[str, ...]


class Course(NamedTuple):
    """What became of a complaint: its deadlines and the steps that were taken."""

    deadlines: Mapping[DeadlineKey, DeadlineFate]
    steps: Mapping[StepKey, TakenStep]


@dataclass(frozen=True)
class History:
    """All events of one complaint, oldest first, with a few facts that no event has.

    `is_vulnerable` says it of the complainant now. `is_repeat` says that the complaint repeats an earlier one within
    the window of the simulated policy; None if nobody asked. `wake_at` is the next time at which the engine must act.
    """

    id: UUID
    sequence: int
    received_at: datetime
    is_imported: bool
    is_vulnerable: bool
    wake_at: datetime | None
    events: Sequence[PastEvent]
    is_repeat: bool | None = None

    @cached_property
    def merged_with(self) -> frozenset[UUID]:
        """The complaints that were merged into this one, and those into which this one was merged."""
        named = (
            event.data.get("into") or _merged_id(event.data)
            for event in self.events
            if event.type in _MERGING
        )
        return frozenset(UUID(i) for i in named if i)

    @property
    def is_whole(self) -> bool:
        """True if the history has its beginning: no month with events of it was detached."""
        return bool(self.events) and self.events[0].type in (EventType.CREATED, EventType.IMPORTED_ENDED)

    @cached_property
    def keys(self) -> dict[str, DeadlineKey]:
        """The key of each deadline, by its id."""
        return {i: _key_of(record) for i, record in self._deadlines.items()}

    @cached_property
    def _deadlines(self) -> Mapping[str, Mapping[str, Any]]:
        return {record["id"]: record for event in self.events for record in event.data.get("deadlines", ())}

    @property
    def was_vulnerable(self) -> bool:
        """True if the complainant was vulnerable at intake. Each event that names the member turned it round."""
        turns = sum(VULNERABLE in event.changed_of_complainant for event in self.events)
        return self.is_vulnerable is (turns % 2 == 0)

    def course(self) -> Course:
        """What became of the complaint."""
        deadlines = {self.keys[i]: _fate_of(record) for i, record in self._deadlines.items()}
        return Course(deadlines, name_steps(self._list_steps()))

    def _list_steps(self) -> Iterator[tuple[DeadlineKey | None, str, TakenStep]]:
        for event in self.events:
            if "escalation_id" in event.data and event.type != EventType.ESCALATION_ACKNOWLEDGED:
                yield self.keys.get(event.data.get("deadline_id", "")), event.data["step"], _step_of(event)

    def late_looks(self) -> list[tuple[datetime, datetime]]:
        """When the engine was late: what should have happened at the first instant happened at the second one.

        What follows from a change at the same instant is not late: the change moved its time into the past. A breach
        and the step at the due time should happen at the first instant after it.
        """
        found, changed_at = [], None
        due_times: dict[str, str] = {}
        for event in self.events:
            due_times.update({one["id"]: one["due_at"] for one in event.data.get("deadlines", ())})
            if event.actor != ENGINE or ("step" in event.data and event.type == EventType.UPDATED):
                changed_at = event.at
            elif event.at != changed_at:
                due_at = due_times.get(event.data.get("deadline_id", ""))
                looks = (_first_look(planned_at, due_at) for planned_at in _planned_times(event))
                found += [(first_look, event.at) for first_look in looks if first_look < event.at]
        return found


_MERGING = frozenset({EventType.MERGED, EventType.LINKED, EventType.UNLINKED})


def _merged_id(data: Mapping[str, Any]) -> str | None:
    return data["complaint_id"] if data["type"] == MERGED_LINK else None


def name_steps(
    taken: Iterable[tuple[DeadlineKey | None, str, TakenStep]],
) -> dict[StepKey, TakenStep]:
    """The steps by their keys, in the same order. Each is given with its deadline and its name."""
    named: dict[StepKey, TakenStep] = {}
    for deadline, name, one in taken:
        key = StepKey(deadline, name)
        if deadline is None:
            key = next(k for n in count() if (k := StepKey(None, name, one.planned_at, n)) not in named)
        named[key] = one
    return named


def _key_of(record: Mapping[str, Any]) -> DeadlineKey:
    return DeadlineKey(*(record[name] for name in DeadlineKey._fields))


def _fate_of(record: Mapping[str, Any]) -> DeadlineFate:
    met_at, breached_at = record.get("met_at"), record.get("breached_at")
    return DeadlineFate(
        DeadlineStatus(record["status"]),
        read_stored_instant(record["started_at"]),
        read_stored_instant(record["due_at"]),
        read_stored_instant(met_at) if met_at else None,
        read_stored_instant(breached_at) if breached_at else None,
    )


def _step_of(event: PastEvent) -> TakenStep:
    data = event.data
    return TakenStep(
        data["level"], read_stored_instant(data["planned_at"]), event.at, tuple(data["recipients"])
    )


def _planned_times(event: PastEvent) -> list[datetime]:
    """The instants at which the engine should have done what it recorded."""
    data = event.data
    if event.type == EventType.DEADLINE_BREACHED:
        breached = (one for one in data["deadlines"] if one["id"] == data["deadline_id"])
        return [read_stored_instant(one["breached_at"]) for one in breached]
    times = (data.get(name) for name in ("planned_at", "until_at", "pause_ended_at"))
    return [read_stored_instant(at) for at in times if at]


def _first_look(planned_at: datetime, due_at: str | None) -> datetime:
    """The first instant at which the engine could act. At the due time of the deadline, it acts just after it."""
    is_due_time = due_at is not None and read_stored_instant(due_at) == planned_at
    return planned_at + MOMENT if is_due_time else planned_at


def stand_in_for(text: object) -> str | None:
    """A text in place of one of the past. The rules ask only if there is one."""
    return ERASED if text else None
