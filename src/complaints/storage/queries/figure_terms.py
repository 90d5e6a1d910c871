"""What each figure counts, as SQL over the facts: the population, the exclusions, the numerator and the parts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import (
    ColumnElement,
    Integer,
    and_,
    case,
    exists,
    literal,
    literal_column,
    not_,
    null,
    or_,
)

from complaints.domain.figures.facts import FactKind
from complaints.domain.figures.time_shares import HolderKind
from complaints.domain.vocabulary import Channel, LinkType, Outcome
from complaints.storage.rows.figure_fact import figure_fact
from complaints.storage.rows.link import link

Condition = ColumnElement[bool]
Terms = TypeVar("Terms")
f = figure_fact.c


@dataclass(frozen=True, slots=True)
class FigurePeriod:
    """The local days of a figure, from `first` up to and without `end`, and the instant at which it is asked."""

    first: int
    end: int
    now: datetime


@dataclass(frozen=True, slots=True)
class FigureTerms:
    """A figure as SQL. The first exclusion that holds leaves a fact out. `parts` are further sums of numbers.

    With `by_holder`, teams and persons are those that held the time, not those that have the complaint.
    """

    population: Callable[[FigurePeriod], Condition]
    exclusions: tuple[tuple[str, Callable[[FigurePeriod], Condition]], ...]
    numerator: ColumnElement[Any]
    parts: Callable[[FigurePeriod], Mapping[str, ColumnElement[Any]]] = field(default=lambda _period: {})
    by_holder: bool = False


def _during(kind: FactKind, *conditions: Condition) -> Callable[[FigurePeriod], Condition]:
    return lambda period: and_(f.kind == kind, f.day >= period.first, f.day < period.end, *conditions)


def _is_open_at_end(period: FigurePeriod) -> Condition:
    """The complaint was open when the last day ended. Only receipts and reopenings have the day of an end.

    Each side of OR is a range of an index, so neither reads what had ended before.
    """
    is_open = and_(f.until_day.is_(None), literal_column("kind IN ('received', 'reopened')"))
    return or_(and_(is_open, f.day < period.end), and_(f.until_day >= period.end, f.day < period.end))


def _always(terms: Terms) -> Callable[[FigurePeriod], Terms]:
    return lambda _period: terms


def _one_if(condition: Condition) -> ColumnElement[int]:
    return case((condition, literal_column("1", Integer)), else_=literal_column("0", Integer))


_ONE = literal_column("1", Integer)
_MERGED = ("merged", _always(f.is_merged))
_IMPORTED = ("imported_history", _always(f.is_imported))


def _judged(due_at: ColumnElement[Any]) -> tuple[tuple[str, Callable[[FigurePeriod], Condition]], ...]:
    """The exclusions of a figure of timeliness: a deadline that was cancelled in time, or that has not come."""
    return (
        ("cancelled", _always(due_at.is_(None))),
        ("not_yet_due", lambda period: due_at >= period.now),
    )


_repeat = figure_fact.alias("repeat")
_IS_REPEATED = exists().where(_repeat.c.repeat_of == f.complaint_id, not_(_repeat.c.is_merged))
_RECURS = exists().where(link.c.other_id == f.complaint_id, link.c.type == LinkType.RECURRENCE_OF)
AGES = ((0, 1), (2, 3), (4, 7), (8, 15), (16, 30), (31, None))


def _ages(period: FigurePeriod) -> Mapping[str, ColumnElement[Any]]:
    age = literal(period.end - 1) - f.received_day
    found = {}
    for least, most in AGES:
        name = f">{least - 1}" if most is None else f"{least}-{most}"
        within = age >= least if most is None else and_(age >= least, age <= most)
        found[name] = _one_if(within)
    return found


_LEVELS = 4
_UPHELD = (Outcome.UPHELD, Outcome.PARTLY_UPHELD)
_RECEIVED = FigureTerms(_during(FactKind.RECEIVED), (_MERGED,), _ONE)

TERMS: Mapping[str, FigureTerms] = {
    "inflow": _RECEIVED,
    "response_rate": FigureTerms(
        _during(FactKind.RECEIVED),
        (_MERGED, _IMPORTED, *_judged(f.response_due_at)),
        _one_if(f.response_in_time),
    ),
    "resolution_rate": FigureTerms(
        _during(FactKind.RECEIVED), (_MERGED, _IMPORTED, *_judged(f.due_at)), _one_if(f.in_time)
    ),
    "first_contact_resolution": FigureTerms(
        _during(FactKind.RESULT, f.is_first),
        (_MERGED, _IMPORTED),
        _one_if(and_(f.is_good, not_(_IS_REPEATED))),
    ),
    "repeat_rate": FigureTerms(_during(FactKind.RECEIVED), (_MERGED,), _one_if(f.repeat_of.is_not(null()))),
    "reopen_rate": FigureTerms(_during(FactKind.CLOSED), (_MERGED,), _one_if(f.is_reopened)),
    "backlog": FigureTerms(_is_open_at_end, (_MERGED,), _ONE, _ages),
    "omissions": FigureTerms(_is_open_at_end, (_MERGED,), _one_if(f.is_omitted)),
    "time_to_result": FigureTerms(_during(FactKind.RESULT, f.is_first), (_MERGED,), f.microseconds),
    "csat": FigureTerms(
        _during(FactKind.CONTACT), (_MERGED, ("no_score", _always(f.csat.is_(None)))), _one_if(f.csat >= 4)
    ),
    "nps": FigureTerms(
        _during(FactKind.CONTACT),
        (_MERGED, ("no_score", _always(f.nps.is_(None)))),
        case(
            (f.nps >= 9, literal_column("1", Integer)),
            (f.nps <= 6, literal_column("-1", Integer)),
            else_=literal_column("0", Integer),
        ),
    ),
    "closed_loop_rate": FigureTerms(
        _during(FactKind.CLOSED),
        (_MERGED, _IMPORTED),
        _one_if(and_(f.is_good, not_(f.is_reopened), not_(_RECURS))),
    ),
    "follow_up_rate": FigureTerms(
        _during(FactKind.FOLLOW_UP), (_MERGED, *_judged(f.due_at)), _one_if(f.in_time)
    ),
    "escalations": FigureTerms(
        _during(FactKind.ESCALATION),
        (_MERGED,),
        _ONE,
        _always({f"level_{level}": _one_if(f.level == level) for level in range(_LEVELS)}),
    ),
    "upheld_rate": FigureTerms(
        _during(FactKind.RESULT),
        (
            _MERGED,
            ("no_outcome", _always(f.outcome.is_(None))),
            ("outcome_assumed", _always(f.is_assumed.is_(True))),
        ),
        _one_if(f.outcome.in_(_UPHELD)),
        _always({str(one): _one_if(f.outcome == one) for one in Outcome}),
    ),
    "compensation": FigureTerms(
        _during(FactKind.RESULT), (_MERGED, ("no_compensation", _always(f.amount.is_(None)))), f.amount
    ),
    "weak_points": _RECEIVED,
    "transfers": FigureTerms(_during(FactKind.TRANSFER), (_MERGED,), _ONE),
    "first_responsibility_breaches": FigureTerms(
        _during(FactKind.HANDLED),
        (_MERGED, ("not_handed_over", _always(not_(f.is_handed_over)))),
        _one_if(f.is_good),
        _always({"handed_over": _ONE}),
    ),
    "breaches": FigureTerms(_during(FactKind.BREACH), (_MERGED,), f.microseconds, by_holder=True),
    "time_shares": FigureTerms(
        _during(FactKind.TIME_SHARE),
        (_MERGED,),
        f.microseconds,
        _always({str(one): case((f.holder == one, f.microseconds), else_=0) for one in HolderKind}),
        by_holder=True,
    ),
    "complaints_per_10000_services": _RECEIVED,
    "appeals_per_million_users": FigureTerms(
        _during(FactKind.RECEIVED, f.channel == Channel.REGULATOR), (_MERGED,), _ONE
    ),
}
