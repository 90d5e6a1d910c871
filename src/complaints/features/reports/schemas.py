"""The shapes of figures, of the facts behind them, and of exposures in the API."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from complaints.api.pages import CursorQuery
from complaints.domain.figures.answers import FigureAnswer, FigureGroup, FigureRequest, GroupBy
from complaints.domain.figures.catalogue import Better, Figure, Measure, ValueKind, load_figure
from complaints.domain.figures.days import date_of
from complaints.domain.figures.facts import FactKind
from complaints.storage.rows.figure_exposure import ALL_GROUPS, Exposure
from complaints.use_cases.commands.field_types import Day, FilterText
from complaints.use_cases.figures.fact_rows import FigureFactRow, Side
from complaints.use_cases.figures.requests import FILTERS

_Filter = Annotated[list[FilterText] | None, Field(description="Any of these; repeat it for several.")]


class TextsShown(BaseModel):
    """A text in both languages."""

    en: Annotated[str, Field(description="In English.")]
    zh: Annotated[str, Field(description="In Chinese.")]


class FigureShown(BaseModel):
    """A figure of the catalogue."""

    figure: Annotated[str, Field(description="The name of the figure.")]
    title: Annotated[TextsShown, Field(description="Its name in words.")]
    formula: Annotated[TextsShown, Field(description="Its formula in words, with its population.")]
    formula_version: Annotated[int, Field(description="Rises with each change of the formula.")]
    kind: Annotated[ValueKind, Field(description="How the value is made.")]
    unit: Annotated[str, Field(description="The unit of the value.")]
    better: Annotated[Better, Field(description="Which values are better.")]
    group_by: Annotated[
        GroupBy | None, Field(description="How it is split unless the caller says otherwise.")
    ]
    measure: Annotated[Measure | None, Field(description="The exposure that it needs.")]


class FigureFilters(BaseModel):
    """The period of a figure, its groups, and the complaints that it is over."""

    model_config = ConfigDict(extra="forbid")

    from_on: Annotated[
        Day, Field(alias="from", description="The first local day, in the zone of the policy.")
    ]
    to_on: Annotated[Day, Field(alias="to", description="The local day before which the period ends.")]
    group_by: Annotated[GroupBy | None, Field(description="By what the figure is split.")] = None
    team: _Filter = None
    assignee: Annotated[list[FilterText] | None, Field(description="Logins, or `me`.")] = None
    first_owner: Annotated[list[FilterText] | None, Field(description="Logins, or `me`.")] = None
    category: Annotated[
        list[FilterText] | None, Field(description="Any of these; a parent finds its children too.")
    ] = None
    cause: _Filter = None
    nature: _Filter = None
    channel: _Filter = None
    region: _Filter = None
    source: _Filter = None
    priority: _Filter = None

    def filters(self) -> dict[str, Sequence[str]]:
        """The filters that were given, by name."""
        return {name: values for name in FILTERS if (values := getattr(self, name))}

    def request(self, figure: str, filters: dict[str, Sequence[str]]) -> FigureRequest:
        """What is asked of a figure, with these filters."""
        return FigureRequest(figure, self.from_on, self.to_on, self.group_by, filters)


class FigureFormat(StrEnum):
    """The formats of a figure."""

    JSON = "json"
    CSV = "csv"
    XLSX = "xlsx"


class FigureQuery(FigureFilters):
    """The query of a figure."""

    format: Annotated[
        FigureFormat | None, Field(description="Without it the format that `Accept` names, else json.")
    ] = None


class FactRowsQuery(FigureFilters, CursorQuery):
    """The query of the facts behind a figure."""

    side: Annotated[Side, Field(description="Above the line of the figure, or below it.")] = Side.NUMERATOR
    group: Annotated[
        str | None,
        Field(max_length=210, description="The key of a group; empty: of no group. Without it: all groups."),
    ] = None


class ExclusionShown(BaseModel):
    """How many facts are left out, and why."""

    reason: Annotated[str, Field(description="A code, such as `not_yet_due`.")]
    count: Annotated[int, Field(description="How many facts.")]


class FactLinksShown(BaseModel):
    """The addresses of the facts behind a figure."""

    numerator: Annotated[str, Field(description="The facts above the line.")]
    denominator: Annotated[
        str | None, Field(description="The facts below the line; null: the figure is no rate.")
    ]


class FigureGroupShown(BaseModel):
    """The figure of one group, or in total. `parts` are further numbers by name."""

    key: Annotated[str | None, Field(description="The key of the group; null: of no group, or the total.")]
    value: Annotated[
        float | None, Field(description="The figure; null: there is nothing to compute it from.")
    ]
    numerator: Annotated[float, Field(description="The sum of the values of the facts.")]
    denominator: Annotated[
        float | None,
        Field(description="The number of facts, services or users below the line; null: it is no rate."),
    ]
    excluded: Annotated[list[ExclusionShown], Field(description="What is left out, by reason.")]
    interval: Annotated[
        list[float] | None, Field(description="The Wilson interval (95 %) of a rate, from 0 to 1.")
    ]
    parts: Annotated[dict[str, float | None], Field(description="Further numbers by name, such as `p80`.")]
    rows: Annotated[FactLinksShown, Field(description="The addresses of the facts behind it.")]


class FigureAnswerShown(BaseModel):
    """The answer to a request for a figure."""

    model_config = ConfigDict(populate_by_name=True)

    figure: Annotated[str, Field(description="The name of the figure.")]
    title: Annotated[TextsShown, Field(description="Its name in words.")]
    formula: Annotated[TextsShown, Field(description="Its formula in words, with its population.")]
    formula_version: Annotated[int, Field(description="Rises with each change of the formula.")]
    unit: Annotated[str, Field(description="The unit of the values; for money the currency.")]
    better: Annotated[Better, Field(description="Which values are better.")]
    from_on: Annotated[date, Field(alias="from", description="The first local day.")]
    to_on: Annotated[date, Field(alias="to", description="The local day before which the period ends.")]
    zone: Annotated[str, Field(description="The zone of the policy, in which days count.")]
    group_by: Annotated[GroupBy | None, Field(description="By what it is split.")]
    groups: Annotated[list[FigureGroupShown], Field(description="The figure of each group.")]
    total: Annotated[FigureGroupShown, Field(description="The figure of all facts.")]
    as_of: Annotated[str, Field(description="The place in the feed up to which facts are known.")]


class FactRowShown(BaseModel):
    """A fact behind a figure."""

    complaint_id: Annotated[UUID, Field(description="The complaint of the fact.")]
    number: Annotated[str, Field(description="The number of the complaint.")]
    kind: Annotated[FactKind, Field(description="What happened.")]
    on: Annotated[date, Field(description="The local day.")]
    value: Annotated[float, Field(description="What the fact adds to the figure.")]


class ExposureShown(BaseModel):
    """The number of services or users from a day on."""

    measure: Annotated[Measure, Field(description="What is counted.")]
    group_by: Annotated[
        GroupBy | None, Field(description="What `group` is the key of; null: all are counted.")
    ]
    group: Annotated[str | None, Field(description="The key of the group; null: all.")]
    from_on: Annotated[date, Field(alias="from", description="The first day, in the zone of the policy.")]
    value: Annotated[int, Field(description="How many there are.")]
    source: Annotated[str, Field(description="Where the number comes from.")]
    recorded_at: Annotated[AwareDatetime, Field(description="When it was written.")]
    recorded_by: Annotated[str, Field(description="Who wrote it.")]


def figure_json(figure: Figure) -> dict[str, Any]:
    """A figure as the list shows it."""
    return {
        "figure": figure.name,
        "title": dict(figure.title),
        "formula": dict(figure.formula),
        "formula_version": figure.version,
        "kind": figure.kind,
        "unit": figure.unit,
        "better": figure.better,
        "group_by": figure.group_by,
        "measure": figure.measure,
    }


def answer_json(answer: FigureAnswer) -> dict[str, Any]:
    """An answer as the API shows it."""
    request, figure = answer.request, load_figure(answer.request.figure)
    return {
        "figure": request.figure,
        "title": dict(figure.title),
        "formula": dict(answer.formula),
        "formula_version": answer.formula_version,
        "unit": answer.unit,
        "better": figure.better,
        "from": request.from_on.isoformat(),
        "to": request.to_on.isoformat(),
        "zone": answer.zone,
        "group_by": request.group_by,
        "groups": [_group_json(request, figure, group, is_total=False) for group in answer.groups],
        "total": _group_json(request, figure, answer.total, is_total=True),
        "as_of": answer.as_of,
    }


def _group_json(
    request: FigureRequest, figure: Figure, group: FigureGroup, *, is_total: bool
) -> dict[str, Any]:
    return {
        "key": group.key,
        "value": number_json(group.value),
        "numerator": number_json(group.numerator),
        "denominator": number_json(group.denominator),
        "excluded": [{"reason": one.reason, "count": one.count} for one in group.excluded],
        "interval": None if group.interval is None else [number_json(end) for end in group.interval],
        "parts": {name: number_json(value) for name, value in group.parts.items()},
        "rows": _links(request, figure, None if is_total else group.key or ""),
    }


def _links(request: FigureRequest, figure: Figure, group: str | None) -> dict[str, str | None]:
    """The addresses of the facts behind a group; None: behind the total."""
    asked: list[tuple[str, str]] = [("from", request.from_on.isoformat()), ("to", request.to_on.isoformat())]
    asked += [(name, value) for name, values in request.filters.items() for value in values]
    if request.group_by is not None and group is not None:
        asked += [("group_by", request.group_by), ("group", group)]
    return {
        side: f"/v1/reports/{figure.name}/rows?{urlencode([*asked, ('side', side)])}"
        if side is Side.NUMERATOR or figure.has_denominator
        else None
        for side in Side
    }


def number_json(number: Decimal | None) -> int | float | None:
    """A number of a figure as JSON: whole if it is whole."""
    if number is None:
        return None
    return int(number) if number == number.to_integral_value() else float(number)


def fact_json(row: FigureFactRow) -> dict[str, Any]:
    """A fact as the API shows it."""
    return {
        "complaint_id": row.complaint_id,
        "number": row.number,
        "kind": row.kind,
        "on": row.on.isoformat(),
        "value": number_json(row.value),
    }


def exposure_json(exposure: Exposure) -> dict[str, Any]:
    """An exposure as the API shows it."""
    return {
        "measure": exposure.measure,
        "group_by": exposure.group_by or None,
        "group": None if exposure.key == ALL_GROUPS else exposure.key,
        "from": date_of(exposure.from_day).isoformat(),
        "value": exposure.value,
        "source": exposure.source,
        "recorded_at": exposure.recorded_at,
        "recorded_by": exposure.recorded_by,
    }
