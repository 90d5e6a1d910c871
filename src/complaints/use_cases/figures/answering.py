"""The answer to a request for a figure, from its facts (rules 6.1 and 6.2)."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from complaints.domain.figures.answering import SHARES, compare_with_before, make_group
from complaints.domain.figures.answers import FigureAnswer, FigureGroup, FigureRequest
from complaints.domain.figures.catalogue import Figure, ValueKind
from complaints.domain.figures.evaluation import FactSum
from complaints.domain.scope import Scope
from complaints.storage.queries import figures
from complaints.storage.queries.figures import FactQuery, FactRanks
from complaints.storage.rows import follower
from complaints.use_cases.complaints.feed_cursor import FeedPlace, cursor_at
from complaints.use_cases.complaints.history import find_mark
from complaints.use_cases.figures.exposures import set_against
from complaints.use_cases.figures.keeping import FOLLOWER
from complaints.use_cases.figures.requests import make_query, write_key, zone_name
from complaints.use_cases.service import Configuration, Transaction


def answer_figure(
    tx: Transaction,
    request: FigureRequest,
    *,
    configuration: Configuration,
    scope: Scope,
    as_of: str | None = None,
) -> FigureAnswer:
    """The figure of the complaints within `scope`. Whoever asks for many on one snapshot finds `as_of` once.

    Raises NotFound for an unknown figure, InvalidContent for a bad period, filter or value.
    """
    figure, asked = make_exact_query(tx, request, configuration=configuration, scope=scope)
    tallies = figures.sum_facts(tx, asked)
    total = sum(tallies.values(), FactSum())
    ranks = _rank(tx, figure, asked, total)
    whole = make_group(figure, None, total, _named(ranks.total))
    groups = [] if asked.group_by is None else _make_groups(figure, asked, tallies, ranks)
    if figure.measure is not None:
        groups, whole = set_against(tx, figure, asked, groups, whole)
    if figure.name == "weak_points":
        groups, whole = compare_with_before(groups, whole, _sum_before(tx, asked))
    return FigureAnswer(
        request=replace(request, group_by=asked.group_by),
        formula=figure.formula,
        formula_version=figure.version,
        zone=zone_name(configuration, tx.now),
        groups=tuple(groups),
        total=whole,
        as_of=as_of or find_as_of(tx),
        unit=asked.currency or figure.unit,
    )


def make_exact_query(
    tx: Transaction, request: FigureRequest, *, configuration: Configuration, scope: Scope
) -> tuple[Figure, FactQuery]:
    """As `make_query`. A sum of money counts the currency that most facts of the period have."""
    figure, asked = make_query(request, configuration=configuration, scope=scope, now=tx.now)
    if figure.unit != "currency":
        return figure, asked
    currencies = figures.find_currencies(tx, asked)
    return figure, replace(asked, currency=currencies[0] if currencies else None)


def _sum_before(tx: Transaction, asked: FactQuery) -> dict[str | None, Decimal]:
    """The numerators of the period of the same length before, by the key of the group."""
    period = asked.period
    before = replace(period, first=2 * period.first - period.end, end=period.first)
    found = figures.sum_facts(tx, replace(asked, period=before))
    return {write_key(asked.group_by, raw): tally.numerator for raw, tally in found.items()}


def find_as_of(tx: Transaction) -> str:
    """The cursor of the feed up to which facts are known."""
    after = follower.find_after(tx, FOLLOWER) or 0
    return cursor_at(FeedPlace(after, find_mark(tx, after)))


def _make_groups(
    figure: Figure, asked: FactQuery, tallies: Mapping[Any, FactSum], ranks: FactRanks
) -> list[FigureGroup]:
    made = [
        make_group(figure, write_key(asked.group_by, raw), tally, _named(ranks.groups.get(raw, {})))
        for raw, tally in tallies.items()
    ]
    return sorted(made, key=lambda group: (group.key is None, group.key or ""))


def _rank(tx: Transaction, figure: Figure, asked: FactQuery, total: FactSum) -> FactRanks:
    """The percentiles of a figure of times. Empty for other figures."""
    if figure.kind is not ValueKind.MEDIAN:
        return FactRanks({}, {})
    return figures.rank_facts(tx, asked, [*SHARES.values()], facts=total.counted)


def _named(ranks: Mapping[int, int]) -> dict[str, int]:
    return {name: ranks[share] for name, share in SHARES.items() if share in ranks}
