"""The snapshot of a report: every figure as it was answered, with names and formulas, kept as JSON. Pure functions."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema

from complaints.domain.figures.answers import FigureGroup, GroupBy
from complaints.domain.figures.evaluation import is_small
from complaints.features.reports.schemas import number_json

Names = Annotated[dict[str, str], Field(description="The name in each language: `en` and `zh`.")]


ReportNumber = Annotated[
    Decimal, PlainSerializer(number_json, when_used="json"), WithJsonSchema({"type": "number"})
]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class ReportExclusion(_Part):
    """How many facts a figure left out, and why."""

    reason: Annotated[str, Field(description="Why the facts were left out, such as `imported_history`.")]
    count: Annotated[int, Field(description="How many facts were left out.")]


class ReportRow(_Part):
    """A figure of one group, or in total."""

    key: Annotated[str | None, Field(description="The group. Null: the facts of no group, or the total.")]
    names: Names
    value: Annotated[
        ReportNumber | None, Field(description="The figure. Null: there is nothing to compute it from.")
    ]
    numerator: Annotated[ReportNumber, Field(description="The count or sum above the line.")]
    denominator: Annotated[
        ReportNumber | None, Field(description="The count below the line. Null: it is no rate.")
    ]
    interval: Annotated[
        tuple[ReportNumber, ReportNumber] | None,
        Field(description="The Wilson interval (95 %) of a rate, from 0 to 1."),
    ] = None
    excluded: Annotated[list[ReportExclusion], Field(description="What was left out.")] = []
    parts: Annotated[
        dict[str, ReportNumber | None],
        Field(description="Further numbers by name, such as `p80` of a median."),
    ] = {}

    @property
    def is_firm(self) -> bool:
        """False for a rate over few cases (rule 6.4)."""
        return self.interval is None or not is_small(self.denominator)

    @property
    def is_partition(self) -> bool:
        """True if the parts add up to the value, as the ages of a backlog do."""
        return bool(self.parts) and sum(part or 0 for part in self.parts.values()) == self.value


class ReportTable(_Part):
    """A figure by groups, with its formula."""

    figure: Annotated[str, Field(description="The name of the figure.", examples=["response_rate"])]
    titles: Names
    kind: Annotated[str, Field(description="`rate`, `count`, `median`, `sum`, `net` or `per`.")]
    unit: Annotated[
        str | None, Field(description="The unit of the value, such as `seconds`. Null: none.")
    ] = None
    better: Annotated[
        str, Field(description="Whether `higher` or `lower` values are better, or `neither`: then no rank.")
    ] = "neither"
    group_by: Annotated[GroupBy | None, Field(description="By what it is split. Null: it is not.")] = None
    formula: Annotated[dict[str, str], Field(description="The formula in words, in each language.")]
    formula_version: Annotated[int, Field(description="It rises when the formula changes.")]
    rows: Annotated[list[ReportRow], Field(description="A row for each group.")]
    total: Annotated[ReportRow, Field(description="The figure of all groups together.")]
    before: Annotated[
        ReportRow | None, Field(description="The total of the period before. Null: it could not be computed.")
    ] = None

    @property
    def is_rate(self) -> bool:
        """True if the value is a share from 0 to 1."""
        return self.kind == "rate"

    def ranked(self) -> list[ReportRow]:
        """The rows that have a rank, the best first (rule 6.4)."""
        if self.better == "neither" or not self.is_rate or self.group_by in CALENDAR_GROUPS:
            return []
        firm = [row for row in self.rows if row.key is not None and row.value is not None and row.is_firm]
        return sorted(firm, key=lambda row: row.value or 0, reverse=self.better == "higher")


CALENDAR_GROUPS = (GroupBy.DAY, GroupBy.WEEK, GroupBy.MONTH)


class Coverage(_Part):
    """The complaints that a report is about (rule 12.4): all, those of a department, or those of a team."""

    code: Annotated[
        str, Field(description="`all`, `department:<code>` or `team:<code>`.", examples=["team:operations"])
    ]
    names: Names
    teams: Annotated[
        list[str] | None, Field(description="The codes of the teams when it was published. Null: all teams.")
    ] = None


class MissingFigure(_Part):
    """A figure that could not be answered."""

    figure: Annotated[str, Field(description="The name of the figure.")]
    titles: Names
    reason: Annotated[str, Field(description="Why it could not be answered.")]


class ReportSnapshot(_Part):
    """The numbers of a report, as they were when it was published."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    period: Annotated[str, Field(description="The period.", examples=["2026-10", "2026-Q4"])]
    from_on: Annotated[date, Field(alias="from", description="The first local day.")]
    to_on: Annotated[date, Field(alias="to", description="The day after the last local day.")]
    zone: Annotated[str, Field(description="The time zone of the days.", examples=["Asia/Shanghai"])]
    as_of: Annotated[str, Field(description="The place in the feed up to which facts were known.")]
    coverage: Coverage
    tables: Annotated[list[ReportTable], Field(description="The figures, in the order of the report.")]
    missing: Annotated[list[MissingFigure], Field(description="Figures that could not be answered.")] = []


class NumberChange(_Part):
    """A number that differs from the one of the version before."""

    figure: Annotated[str, Field(description="The name of the figure.")]
    titles: Names
    group_by: Annotated[GroupBy | None, Field(description="By what the figure is split. Null: it is not.")]
    part: Annotated[str, Field(description="`row`, `total`, or `before`: the total of the period before.")]
    key: Annotated[str | None, Field(description="The group of a row.")]
    names: Names
    member: Annotated[
        str,
        Field(
            description="`value`, `numerator`, `denominator`, `excluded`, `formula_version`, or the name of a part."
        ),
    ]
    old: Annotated[ReportNumber | None, Field(description="The number before. Null: there was none.")]
    new: Annotated[ReportNumber | None, Field(description="The number now. Null: there is none.")]


def row_of(group: FigureGroup, names: Mapping[str, str]) -> ReportRow:
    """The row of a group of an answer."""
    return ReportRow(
        key=group.key,
        names=dict(names),
        value=group.value,
        numerator=group.numerator,
        denominator=group.denominator,
        interval=group.interval,
        excluded=[ReportExclusion(reason=one.reason, count=one.count) for one in group.excluded],
        parts=dict(group.parts),
    )


def empty_row(key: str) -> ReportRow:
    """The row of a count in which nothing happened."""
    return ReportRow(key=key, names={}, value=Decimal(0), numerator=Decimal(0), denominator=None)


def compare_snapshots(old: ReportSnapshot, new: ReportSnapshot) -> list[NumberChange]:
    """Every number that is not the same, in the order of the new report, then of the old one (rule 12.3)."""
    before = {(table.figure, table.group_by): table for table in old.tables}
    now = {(table.figure, table.group_by): table for table in new.tables}
    changes = [
        change
        for key in dict.fromkeys([*now, *before])
        for change in _compare_tables(before.get(key), now.get(key))
    ]
    return list({_place_of(change): change for change in reversed(changes)}.values())[::-1]


def _place_of(change: NumberChange) -> tuple[str | None, ...]:
    """Where the number stands. Each table of a figure has the same totals: one of them counts."""
    group_by = change.group_by if change.part == "row" else None
    return change.figure, group_by, change.part, change.key, change.member


def _compare_tables(old: ReportTable | None, new: ReportTable | None) -> list[NumberChange]:
    table = new or old
    assert table is not None  # the key is of one of them
    olds, news = _numbers_of(old), _numbers_of(new)
    return [
        NumberChange(
            figure=table.figure,
            titles=table.titles,
            group_by=table.group_by,
            part=part,
            key=key,
            names=_names_of(part, key, (new, old)),
            member=member,
            old=olds.get((part, key, member)),
            new=news.get((part, key, member)),
        )
        for part, key, member in dict.fromkeys([*news, *olds])
        if olds.get((part, key, member)) != news.get((part, key, member))
    ]


_Place = tuple[str, str | None, str]


def _numbers_of(table: ReportTable | None) -> dict[_Place, Decimal]:
    """Every number of a table, by its place."""
    if table is None:
        return {}
    parts = [*(("row", row) for row in table.rows), ("total", table.total)]
    if table.before is not None:
        parts.append(("before", table.before))
    found = {
        (part, row.key, member): number
        for part, row in parts
        for member, number in _members_of(row).items()
        if number is not None
    }
    return {**found, ("total", None, "formula_version"): Decimal(table.formula_version)}


def _members_of(row: ReportRow) -> dict[str, Decimal | None]:
    left_out = sum(one.count for one in row.excluded)
    is_count = row.value == row.numerator and row.denominator is None
    return {
        "value": row.value,
        "numerator": None if is_count else row.numerator,
        "denominator": row.denominator,
        "excluded": Decimal(left_out) if left_out else None,
        **row.parts,
    }


def _names_of(part: str, key: str | None, tables: Sequence[ReportTable | None]) -> dict[str, str]:
    if part != "row":
        return {}
    return next(row.names for table in tables if table is not None for row in table.rows if row.key == key)
