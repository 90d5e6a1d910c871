"""The facts behind a figure, page by page: their number or their sum is the figure (rule 6.3)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from complaints.domain.complaint.numbers import number_of
from complaints.domain.errors import InvalidContent
from complaints.domain.figures.answers import FigureRequest
from complaints.domain.figures.catalogue import Figure, ValueKind
from complaints.domain.figures.days import date_of
from complaints.domain.figures.facts import FactKind
from complaints.domain.scope import Scope
from complaints.storage.queries.figures import FactPlace, FactRow, list_facts
from complaints.use_cases.figures.answering import make_exact_query
from complaints.use_cases.figures.requests import read_key
from complaints.use_cases.service import Configuration, Transaction


class Side(StrEnum):
    """Above the line, or below it. The denominator has every fact that counts."""

    NUMERATOR = "numerator"
    DENOMINATOR = "denominator"


@dataclass(frozen=True, slots=True)
class FigureFactRow:
    """A fact behind a figure: its complaint, its local day, and what it adds. `place` is where a page may end."""

    complaint_id: UUID
    number: str
    kind: FactKind
    on: date
    value: Decimal
    place: FactPlace


@dataclass(frozen=True, slots=True)
class WantedRows:
    """Which facts of a figure are listed. `group` "" are the facts of no group, None the facts of all groups."""

    request: FigureRequest
    side: Side = Side.NUMERATOR
    group: str | None = None


def list_fact_rows(
    tx: Transaction,
    wanted: WantedRows,
    *,
    configuration: Configuration,
    scope: Scope,
    after: FactPlace | None,
    limit: int,
) -> Sequence[FigureFactRow]:
    """Up to `limit` facts after a place, by day. Raises like `answer_figure`.

    Raises InvalidContent also for a bad group, and for the denominator of a figure that has none.
    """
    figure, asked = make_exact_query(tx, wanted.request, configuration=configuration, scope=scope)
    if wanted.side is Side.DENOMINATOR and not figure.has_denominator:
        raise InvalidContent.in_query(
            "side", f"{figure.name} has no denominator: its only side is numerator."
        )
    if wanted.group is not None and asked.group_by is None:
        raise InvalidContent.in_query("group", "group needs group_by: it is the key of a group.")
    group = read_key(asked.group_by, wanted.group) if wanted.group and asked.group_by else None
    is_numerator = wanted.side is Side.NUMERATOR
    found = list_facts(
        tx,
        asked,
        group=group,
        is_grouped=wanted.group is not None,
        numerator=is_numerator,
        keeps_zero=figure.kind is ValueKind.MEDIAN,
        after=after,
        limit=limit,
    )
    return [_shown(figure, is_numerator, row) for row in found]


def _shown(figure: Figure, is_numerator: bool, row: FactRow) -> FigureFactRow:
    value = row.value * figure.scale if is_numerator else row.value
    place = (row.day, row.complaint_id, row.kind, row.place)
    return FigureFactRow(row.complaint_id, number_of(row.sequence), row.kind, date_of(row.day), value, place)
