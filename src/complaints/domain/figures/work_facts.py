"""Facts of the work on a complaint: its transfers, its cycles with a result, and who held their time."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from complaints.domain.figures.facts import FactKind
from complaints.domain.figures.time_shares import WorkHistory, WorkPeriod, divide_time
from complaints.domain.time.calendars import WorkCalendar

Draft = dict[str, Any]
"""A fact without its local days, by member."""
PLACES_A_CYCLE = 1_000
_MICROSECOND = timedelta(microseconds=1)


def in_microseconds(time: timedelta) -> int:
    """A time as whole microseconds."""
    return time // _MICROSECOND


def draft_work(work: WorkHistory, calendar: WorkCalendar) -> Iterator[Draft]:
    """The facts of the work. Time in which `calendar` is closed belongs to the closed hours (rule 6.31)."""
    for period in work.periods:
        for n, at in enumerate(period.transferred_at):
            yield {"kind": FactKind.TRANSFER, "place": period.cycle * PLACES_A_CYCLE + n, "at": at}
        if period.result_told and not period.imported:
            yield {
                "kind": FactKind.HANDLED,
                "place": period.cycle,
                "at": period.ended_at,
                "is_handed_over": period.handed_over,
                "is_good": period.is_left_by_first_owner,
            }
            yield from _shares(work, period, calendar)


def _shares(work: WorkHistory, period: WorkPeriod, calendar: WorkCalendar) -> Iterator[Draft]:
    assert period.ended_at is not None  # the period has a result
    parts = divide_time(work, period.started_at, period.ended_at, calendar)
    for n, (holder, time) in enumerate(parts.items()):
        yield {
            "kind": FactKind.TIME_SHARE,
            "place": period.cycle * PLACES_A_CYCLE + n,
            "at": period.ended_at,
            "microseconds": in_microseconds(time),
            "holder": holder.kind,
            "holder_team": holder.team,
            "holder_person": holder.person,
        }
