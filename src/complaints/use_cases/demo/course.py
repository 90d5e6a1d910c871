"""The time of a made-up quarter: everything happens in its order, in memory, and is written in large slices.

The rules plan each change at its own instant, as they do for a request of that instant. The changes of one complaint
that follow each other are joined and saved together, so a slice takes one statement for each table.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from heapq import heappop, heappush
from uuid import UUID

from complaints.domain.complaint.change import ENGINE, Change
from complaints.domain.complaint.facts import Complaint, Escalation
from complaints.domain.complaint.history import NO_HISTORY, HistoryEnd
from complaints.domain.policy.policy import Policy
from complaints.domain.rules.passing_time import catch_up
from complaints.storage import load
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows.escalation import (
    Acknowledgement,
    UnsettledEscalation,
    acknowledge_each,
    find_unsettled,
    settle_each,
)
from complaints.storage.save import ChangeToSave, find_settled_deadlines, has_ended, save
from complaints.use_cases.access import Caller
from complaints.use_cases.complaints.changing import plan_change
from complaints.use_cases.demo.clock import QuarterClock
from complaints.use_cases.service import Service

_SLICE = 400  # complaints that changed: more make no statement cheaper
Work = Callable[[Transaction], None]
Step = Callable[[Transaction, Change, Policy], None]


@dataclass(slots=True, eq=False)
class LiveComplaint:
    """A complaint of the quarter as it stands now. `pending` are the changes that are not written yet.

    `unsettled` are its escalations that are not settled, by id.
    """

    complaint: Complaint
    history_end: HistoryEnd = NO_HISTORY
    intake: ChangeToSave | None = None
    pending: list[Change] = field(default_factory=list)
    unsettled: dict[UUID, UnsettledEscalation] = field(default_factory=dict)


class QuarterCourse:
    """The events of the quarter in the order of their instants. `escalated` is called for each step that is taken."""

    def __init__(
        self,
        service: Service,
        tx: Transaction,
        clock: QuarterClock,
        escalated: Callable[[LiveComplaint, Escalation], None],
    ) -> None:
        self._service, self._tx, self._clock = service, tx, clock
        self._escalated = escalated
        self._queue: list[tuple[datetime, int, Work]] = []
        self._count = 0
        self._changed: dict[UUID, LiveComplaint] = {}
        self._settled: list[tuple[UnsettledEscalation, datetime]] = []
        self._acknowledged: list[Acknowledgement] = []

    def schedule(self, at: datetime, work: Work) -> None:
        """Do `work` at an instant, with a transaction that has this instant as its `now`."""
        self._count += 1
        heappush(self._queue, (at, self._count, work))

    def run(self, until: datetime) -> Iterator[datetime]:
        """Do everything up to an instant, and write it. Yields the instant of each slice that was written."""
        while self._queue and self._queue[0][0] <= until:
            at, _, work = heappop(self._queue)
            self._clock.now = at
            work(replace(self._tx, now=at))
            if len(self._changed) >= _SLICE:
                self.write()
                yield at
        self._clock.now = until
        self.write()
        yield until

    # One complaint ---------------------------------------------------------------------------------------------------

    def begin(self, planned: ChangeToSave) -> LiveComplaint:
        """Take a new complaint in, as intake planned it."""
        live = LiveComplaint(planned.change.complaint, intake=planned)
        self._note(live, planned.change)
        return live

    def change(self, tx: Transaction, live: LiveComplaint, caller: Caller, step: Step) -> None:
        """Let `step` plan on a complaint, as a request of `caller` does it."""
        self._note(live, plan_change(self._service, tx, caller, live.complaint, step))

    def acknowledge(self, mark: Acknowledgement) -> None:
        """Mark an escalation with the next slice. The event of it is planned by `change`."""
        self._acknowledged.append(mark)

    def change_stored(
        self, tx: Transaction, *changed: LiveComplaint, by: Callable[[Transaction], object]
    ) -> None:
        """Change complaints by a use case that loads and saves them. All that is pending is written before."""
        self.write()
        by(tx)
        tx.finish()
        self.reload(tx, *changed)

    def reload(self, tx: Transaction, *changed: LiveComplaint) -> None:
        """Read complaints again, after a use case saved them."""
        by_id = {live.complaint.id: live for live in changed}
        for record in load.load_complaints(tx, [*by_id]):
            live = by_id[record.complaint.id]
            live.complaint, live.history_end = record.complaint, record.history_end
            live.unsettled = {one.id: one for one in find_unsettled(tx, record.complaint.id)}
            self._wake(live)

    def _note(self, live: LiveComplaint, change: Change) -> None:
        """Keep a planned change until it is written, and see to what follows from it."""
        before, after = live.complaint, change.complaint
        live.complaint = after
        live.pending.append(change)
        self._changed[after.id] = live
        self._settle(live, change)
        for taken in change.escalations:
            if after.open:
                live.unsettled[taken.id] = UnsettledEscalation(taken.id, taken.deadline_id, taken.recipients)
            self._escalated(live, taken)
        if after.wake_at != before.wake_at or change.before is None:
            self._wake(live)

    def _settle(self, live: LiveComplaint, change: Change) -> None:
        if has_ended(change):
            done = [*live.unsettled.values()]
        else:
            deadlines = find_settled_deadlines(change)
            done = [one for one in live.unsettled.values() if one.deadline_id in deadlines]
        for one in done:
            del live.unsettled[one.id]
            self._settled.append((one, self._clock.now))

    def _wake(self, live: LiveComplaint) -> None:
        """Let time do its work on the complaint at its wake time, as the sweep does."""
        wake_at = live.complaint.wake_at
        if wake_at is None:
            return

        def work(tx: Transaction) -> None:
            if live.complaint.wake_at != wake_at:
                return  # something else was done meanwhile, and another time was noted
            change = Change(live.complaint, actor=ENGINE, new_id=self._service.new_id)
            configuration = self._service.configuration(tx)
            policy = configuration.policy_of(live.complaint)
            catch_up(change, policy, configuration.directory, wake_at, in_parts=True)
            self._note(live, change)

        self.schedule(wake_at, work)

    # Slices ----------------------------------------------------------------------------------------------------------

    def write(self) -> None:
        """Write everything that is pending, its events in the order of their instants."""
        if not self._changed:
            return
        tx = replace(self._tx, now=self._clock.now)
        changed = [*self._changed.values()]
        ends = save(tx, [_joined(live) for live in changed], self._service.new_id)
        tx.finish()
        for live, end in zip(changed, ends, strict=True):
            live.history_end, live.intake = end, None
            live.pending.clear()
        acknowledge_each(tx, self._acknowledged)
        settle_each(tx, self._settled)
        self._changed.clear()
        self._settled.clear()
        self._acknowledged.clear()


def _joined(live: LiveComplaint) -> ChangeToSave:
    change = Change.joined(live.pending)
    if live.intake is None:
        return ChangeToSave(change, live.history_end)
    return replace(live.intake, change=change)
