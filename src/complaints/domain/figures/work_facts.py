"""Facts of the work on a complaint: its transfers, its cycles with a result, who held their time, and breaches."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from fractions import Fraction
from typing import Any

from complaints.domain.figures.facts import FactKind
from complaints.domain.figures.time_shares import (
    TimeHolder,
    WorkHistory,
    WorkPeriod,
    charge_breach,
    divide_time,
)
from complaints.domain.instants import read_instant
from complaints.domain.policy.policy import DeadlineRule
from complaints.domain.time.calendars import WorkCalendar
from complaints.domain.vocabulary import DeadlineKind

UndatedFact = dict[str, Any]
"""A fact without its local days, by member."""
PLACES_A_CYCLE = 1_000
_CHARGED = (DeadlineKind.FIRST_RESPONSE, DeadlineKind.RESOLUTION)
_MILLION = 1_000_000
_MICROSECOND = timedelta(microseconds=1)


def in_microseconds(time: timedelta) -> int:
    """A time as whole microseconds."""
    return time // _MICROSECOND


def draft_work(work: WorkHistory, calendar: WorkCalendar) -> Iterator[UndatedFact]:
    """The facts of the work. Time in which `calendar` is closed belongs to the closed hours (rule 6.31)."""
    for n, at in enumerate(work.transferred_at):
        yield {"kind": FactKind.TRANSFER, "place": n, "at": at}
    for period in work.periods:
        if period.result_told and not period.imported:
            yield {
                "kind": FactKind.HANDLED,
                "place": period.cycle,
                "at": period.ended_at,
                "is_handed_over": period.handed_over,
                "is_good": period.is_left_by_first_owner,
            }
            yield from _shares(work, period, calendar)


def _shares(work: WorkHistory, period: WorkPeriod, calendar: WorkCalendar) -> Iterator[UndatedFact]:
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


def draft_breaches(
    work: WorkHistory, deadlines: Iterable[Mapping[str, Any]], rules: Mapping[str, DeadlineRule]
) -> Iterator[UndatedFact]:
    """The share of each holder in each breach of a first response or a resolution (rule 6.32)."""
    for number, one in enumerate(deadlines):
        if one["kind"] not in _CHARGED or "breached_at" not in one:
            continue
        started_at, breached_at = read_instant(one["started_at"]), read_instant(one["breached_at"])
        charged = charge_breach(work, started_at, breached_at, rules[one["kind"]].calendar)
        for n, (holder, share) in enumerate(_in_millionths(charged)):
            yield {
                "kind": FactKind.BREACH,
                "place": number * PLACES_A_CYCLE + n,
                "at": breached_at,
                "microseconds": share,
                "holder": holder.kind,
                "holder_team": holder.team,
                "holder_person": holder.person,
            }


def _in_millionths(charged: Mapping[TimeHolder, Fraction]) -> Iterator[tuple[TimeHolder, int]]:
    """The shares rounded down. The first of the largest has the rest, so they sum to one."""
    rounded = {holder: int(share * _MILLION) for holder, share in charged.items()}
    rounded[max(charged, key=lambda holder: charged[holder])] += _MILLION - sum(rounded.values())
    yield from rounded.items()
