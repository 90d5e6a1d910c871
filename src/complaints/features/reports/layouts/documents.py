"""The document of a layout: rows, columns with formulas over figures, source, and the dates of its validity."""

from collections.abc import Iterator, Mapping
from datetime import date
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Annotated, Any

from pydantic import Field, ValidationError

from complaints.domain.errors import InvalidContent, ask_if_meant
from complaints.domain.figures.catalogue import FIGURES
from complaints.features.reports.publishing.periods import PeriodKind
from complaints.use_cases.commands.configuration import Identifier
from complaints.use_cases.commands.field_types import Content, FilterText
from complaints.use_cases.figures.requests import FILTERS
from complaints.use_cases.policy_document.yaml_document import read_yaml

_Title = Annotated[str, Field(min_length=1, max_length=200)]
_Id = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
_Ids = Annotated[tuple[_Id, ...], Field(min_length=2, max_length=20)]
_Filters = Annotated[
    dict[str, tuple[FilterText, ...]],
    Field(max_length=10, description="Only complaints with these values, by the name of the filter."),
]


class LayoutTitles(Content):
    """A text in each language."""

    en: _Title
    zh: _Title


class ComparedPeriod(StrEnum):
    """The period that a growth is measured against."""

    BEFORE = "before"
    YEAR_BEFORE = "year_before"


class CellForm(StrEnum):
    """How a number is shown."""

    NUMBER = "number"
    PERCENT = "percent"


class LayoutRow(Content):
    """A row: a part of the complaints."""

    titles: LayoutTitles
    filters: _Filters = Field(default_factory=dict)


class LayoutColumn(Content):
    """A column. Its formula is one of `figure`, `sum`, `difference`, `ratio` and `growth_of`."""

    id: Annotated[_Id, Field(description="The name by which other columns refer to this one.")]
    titles: LayoutTitles
    figure: Annotated[str | None, Field(description="The value of this figure.")] = None
    filters: _Filters = Field(default_factory=dict)
    sum: Annotated[_Ids | None, Field(description="The sum of these columns.")] = None
    difference: Annotated[_Ids | None, Field(description="The first of these columns less the others.")] = (
        None
    )
    ratio: Annotated[
        tuple[_Id, _Id] | None, Field(description="The first of these columns divided by the second.")
    ] = None
    growth_of: Annotated[_Id | None, Field(description="The growth of this column.")] = None
    against: Annotated[ComparedPeriod, Field(description="The period that a growth is measured against.")] = (
        ComparedPeriod.YEAR_BEFORE
    )
    form: Annotated[CellForm, Field(description="How the number is shown.")] = CellForm.NUMBER
    places: Annotated[int, Field(ge=0, le=6, description="The decimal places that are shown.")] = 0

    def references(self) -> tuple[str, ...]:
        """The columns that the formula refers to."""
        single = (self.growth_of,) if self.growth_of else ()
        return (*(self.sum or ()), *(self.difference or ()), *(self.ratio or ()), *single)

    def count_formulas(self) -> int:
        """How many formulas it has. One is right."""
        formulas = (self.figure, self.sum, self.difference, self.ratio, self.growth_of)
        return sum(formula is not None for formula in formulas)


class ReportLayout(Content):
    """The layout of a table that a regulator wants."""

    titles: LayoutTitles
    source: Annotated[_Title, Field(description="Where the layout comes from.")]
    example: Annotated[bool, Field(description="True: the operator must check it before use.")] = False
    effective_from: Annotated[date, Field(description="The first day for whose period it holds.")]
    effective_to: Annotated[date | None, Field(description="The day from which it holds no more.")] = None
    kind: Annotated[PeriodKind, Field(description="The length of its periods.")]
    rows: Annotated[tuple[LayoutRow, ...], Field(min_length=1, max_length=200)]
    columns: Annotated[tuple[LayoutColumn, ...], Field(min_length=1, max_length=60)]


def check_layout(layout: ReportLayout) -> ReportLayout:
    """Raise InvalidContent, with the place, for a formula that cannot be computed."""
    known = {column.id for column in layout.columns}
    if len(known) < len(layout.columns):
        raise InvalidContent.at("/columns", "Two columns have the same id.")
    for number, row in enumerate(layout.rows):
        _check_filters(row.filters, f"/rows/{number}/filters")
    for number, column in enumerate(layout.columns):
        _check_column(column, known, f"/columns/{number}")
    by_id = {column.id: column for column in layout.columns}
    for number, column in enumerate(layout.columns):
        if column.id in _find_reached(by_id, column):
            raise InvalidContent.at(f"/columns/{number}", f"The column {column.id} refers to itself.")
    return layout


def _check_column(column: LayoutColumn, known: set[str], pointer: str) -> None:
    if column.count_formulas() != 1:
        message = "A column has exactly one of figure, sum, difference, ratio and growth_of."
        raise InvalidContent.at(pointer, message)
    if column.figure is not None and column.figure not in FIGURES:
        hint = ask_if_meant(column.figure, FIGURES)
        text = f"There is no figure {column.figure[:100]!r}" + (f": {hint}" if hint else ".")
        raise InvalidContent.at(f"{pointer}/figure", text)
    _check_filters(column.filters, f"{pointer}/filters")
    for name in column.references():
        if name not in known:
            raise InvalidContent.at(pointer, f"There is no column {name!r}.")


def _check_filters(filters: Mapping[str, Any], pointer: str) -> None:
    for name in filters:
        if name not in FILTERS:
            raise InvalidContent.at(
                pointer, f"There is no filter {name[:100]!r}: there are {', '.join(FILTERS)}."
            )


def _find_reached(by_id: Mapping[str, LayoutColumn], start: LayoutColumn) -> set[str]:
    """Every column that the formula of `start` needs, directly or through others."""
    reached: set[str] = set()
    left = list(start.references())
    while left:
        name = left.pop()
        if name not in reached:
            reached.add(name)
            left += by_id[name].references()
    return reached


def read_layout(text: str) -> ReportLayout:
    """The layout of a YAML or JSON text. Raises InvalidContent, with the line."""
    document = read_yaml(text)
    try:
        return check_layout(ReportLayout.model_validate(document.data))
    except ValidationError as error:
        pointer = "".join(f"/{part}" for part in error.errors()[0]["loc"])
        message = f"line {document.line_of(pointer)}: {error.errors()[0]['msg']}"
        raise InvalidContent.at(pointer, message) from error


@cache
def shipped_layouts() -> Mapping[str, ReportLayout]:
    """The layouts that come with the program, by code."""
    return dict(_read_shipped())


def _read_shipped() -> Iterator[tuple[Identifier, ReportLayout]]:
    for file in resources.files(__package__).iterdir():
        if file.name.endswith(".yaml"):
            yield file.name.removesuffix(".yaml"), read_layout(file.read_text(encoding="utf-8"))
