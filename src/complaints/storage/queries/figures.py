"""Figures from their facts: sums by group, ranks of values, and the facts behind a figure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, String, and_, case, exists, func, literal, null, or_, select, tuple_

from complaints.domain.figures.answers import GroupBy
from complaints.domain.figures.evaluation import FactSum
from complaints.domain.figures.facts import FactKind
from complaints.domain.scope import Scope
from complaints.storage.database.transactions import Transaction
from complaints.storage.queries.figure_terms import TERMS, FigurePeriod, FigureTerms
from complaints.storage.rows.complaint import complaint
from complaints.storage.rows.event import event
from complaints.storage.rows.figure_fact import figure_fact
from complaints.storage.rows.scope_condition import condition

f = figure_fact.c
_MILLION = 1_000_000
_PLACE = (f.day, f.complaint_id, f.kind, f.place)
_PLAIN = {
    GroupBy.CATEGORY: f.category,
    GroupBy.CAUSE: f.cause,
    GroupBy.NATURE: f.nature,
    GroupBy.CHANNEL: f.channel,
    GroupBy.SOURCE: f.source,
    GroupBy.REGION: f.region,
    GroupBy.PRIORITY: f.priority,
    GroupBy.DAY: f.day,
    GroupBy.MONTH: f.month,
}
TEAM_MARK = "team:"
"""It stands before the code of a team that holds a complaint without an assignee."""


@dataclass(frozen=True, slots=True)
class FactQuery:
    """The facts of a figure that a caller asks for. `filters` are the allowed values of columns, by name.

    `departments` has the department of each team. A sum of money counts one `currency`.
    """

    figure: str
    period: FigurePeriod
    scope: Scope
    group_by: GroupBy | None = None
    filters: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    departments: Mapping[str, str] = field(default_factory=dict)
    currency: str | None = None

    @property
    def terms(self) -> FigureTerms:
        """What the figure counts."""
        return TERMS[self.figure]


@dataclass(frozen=True, slots=True)
class FactRow:
    """A fact behind a figure: its complaint, its local day, and its part of the numerator or the denominator."""

    complaint_id: UUID
    sequence: int
    kind: FactKind
    place: int
    day: int
    value: Decimal


FactPlace = tuple[int, UUID, str, int]
"""The place of a fact in the list: day, complaint, kind and place."""


def sum_facts(tx: Transaction, asked: FactQuery) -> dict[Any, FactSum]:
    """What the facts of each group add up to, by the raw key of the group. One statement."""
    terms, parts = asked.terms, dict(asked.terms.parts(asked.period))
    reason = _reason(asked)
    statement = (
        select(
            _key(asked).label("key"),
            reason.label("reason"),
            func.count().label("facts"),
            func.sum(terms.numerator // _MILLION).label("high"),
            func.sum(terms.numerator % _MILLION).label("low"),
            *(func.sum(part).label(f"part_{n}") for n, part in enumerate(parts.values())),
        )
        .select_from(figure_fact)
        .where(*_conditions(asked))
        .group_by("key", "reason")
    )
    found: dict[Any, FactSum] = {}
    for key, why, facts, high, low, *sums in tx.connection.execute(statement):
        found[key] = found.get(key, FactSum()) + _tally(
            why, facts, high, low, dict(zip(parts, sums, strict=True))
        )
    return found


def _tally(reason: str | None, facts: int, high: Any, low: Any, parts: Mapping[str, Any]) -> FactSum:
    if reason is not None:
        return FactSum(excluded={reason: facts})
    numerator = int(high or 0) * _MILLION + int(low or 0)
    return FactSum(facts, Decimal(numerator), {}, {name: int(part or 0) for name, part in parts.items()})


@dataclass(frozen=True, slots=True)
class FactRanks:
    """Percentiles of the values of facts, by share: of each group by its raw key, and of all."""

    groups: dict[Any, dict[int, int]]
    total: dict[int, int]


def rank_facts(tx: Transaction, asked: FactQuery, shares: Sequence[int], *, facts: int) -> FactRanks:
    """The smallest values that these shares (in percent) of the facts do not exceed. One statement reads them once.

    `facts` is the number of all facts that count.
    """
    group, worth = _key(asked), asked.terms.numerator
    counted = (
        select(
            group.label("key"),
            worth.label("value"),
            func.row_number().over(partition_by=group, order_by=worth).label("place"),
            func.count().over(partition_by=group).label("facts"),
            func.row_number().over(order_by=worth).label("place_of_all"),
        )
        .where(*_conditions(asked), _reason(asked).is_(None))
        .subquery("counted")
    )
    c = counted.c
    of_all = [_place_at(share, facts) for share in shares]
    in_group = (
        and_(c.place * 100 >= c.facts * share, (c.place - 1) * 100 < c.facts * share) for share in shares
    )
    found = FactRanks({}, {})
    for key, value, place, count, place_of_all in tx.connection.execute(
        select(counted).where(or_(c.place_of_all.in_(of_all), *in_group))
    ):
        for share in shares:
            if place == _place_at(share, count):
                found.groups.setdefault(key, {})[share] = int(value)
            if place_of_all == _place_at(share, facts):
                found.total[share] = int(value)
    return found


def _place_at(share: int, facts: int) -> int:
    """The place of the smallest value that `share` percent of so many facts do not exceed."""
    return -(-facts * share // 100)


def list_facts(
    tx: Transaction,
    asked: FactQuery,
    *,
    group: Any | None,
    is_grouped: bool,
    numerator: bool,
    keeps_zero: bool,
    after: FactPlace | None,
    limit: int,
) -> Sequence[FactRow]:
    """Up to `limit` facts behind a figure after a place, by day. With `is_grouped`: those of the group `group`.

    With `numerator`, each has its part of the numerator, and facts without a part are left out unless `keeps_zero`.
    Otherwise each is one of the denominator.
    """
    value: ColumnElement[Any] = asked.terms.numerator if numerator else literal(1)
    found = [*_conditions(asked), _reason(asked).is_(None)]
    if numerator and not keeps_zero:
        found.append(value != 0)
    if is_grouped:
        key = _key(asked)
        found.append(key.is_(None) if group is None else key == group)
    if after is not None:
        found.append(tuple_(*_PLACE) > after)
    statement = select(f.complaint_id, f.sequence, f.kind, f.place, f.day, value.label("value"))
    rows = tx.connection.execute(statement.where(*found).order_by(*_PLACE).limit(limit))
    return [FactRow(*row[:5], Decimal(int(row[5]))) for row in rows]


def find_currencies(tx: Transaction, asked: FactQuery) -> Sequence[str]:
    """The currencies of the facts, the most frequent first."""
    statement = (
        select(f.currency)
        .where(*_conditions(asked), f.currency.is_not(None))
        .group_by(f.currency)
        .order_by(func.count().desc(), f.currency)
    )
    return list(tx.connection.execute(statement).scalars())


def list_without_facts(tx: Transaction, *, up_to: int) -> Sequence[int]:
    """The numbers of complaints that have no facts, although their first event has a number up to `up_to`."""
    has_facts = exists().where(f.complaint_id == complaint.c.id, f.kind == FactKind.RECEIVED)
    statement = (
        select(complaint.c.sequence)
        .join(event, event.c.complaint_id == complaint.c.id)
        .where(event.c.ordinal == 1, event.c.sequence <= up_to, ~has_facts)
        .order_by(complaint.c.sequence)
    )
    return tx.connection.execute(statement).scalars().all()


def _conditions(asked: FactQuery) -> list[ColumnElement[bool]]:
    compared = [f[name].in_(values) for name, values in asked.filters.items()]
    in_scope = condition(asked.scope, figure_fact, owner_id=f.complaint_id)
    return [asked.terms.population(asked.period), *compared, in_scope]


def _reason(asked: FactQuery) -> ColumnElement[Any]:
    """Why a fact is left out of the figure; NULL: it counts."""
    reasons = [(holds(asked.period), literal(why, String)) for why, holds in asked.terms.exclusions]
    if asked.currency is not None:
        reasons.append((f.currency != asked.currency, literal("other_currency", String)))
    return case(*reasons, else_=null())


def _key(asked: FactQuery) -> ColumnElement[Any]:
    team, person = f.team, f.assignee
    if asked.terms.by_holder:
        team, person = f.holder_team, f.holder_person
    match asked.group_by:
        case None:
            return null()
        case GroupBy.TEAM:
            return team
        case GroupBy.DEPARTMENT:
            return case(dict(asked.departments), value=team, else_=null()) if asked.departments else null()
        case GroupBy.PERSON:
            return func.coalesce(person, literal(TEAM_MARK, String) + team)
        case GroupBy.WEEK:
            return (f.day + 3) // 7
        case plain:
            return _PLAIN[plain]
