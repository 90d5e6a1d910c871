"""The use cases of layouts: which there are, and the table that follows from one for a period (rule 12.9)."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from complaints.domain.errors import Conflict, Forbidden, InvalidContent, NotFound
from complaints.domain.figures.answers import FigureRequest
from complaints.domain.scope import ALL_COMPLAINTS
from complaints.features.reports.layouts import tables
from complaints.features.reports.layouts.documents import ReportLayout, check_layout, shipped_layouts
from complaints.features.reports.layouts.evaluation import Filters, evaluate_layout
from complaints.features.reports.publishing.periods import ReportPeriod, read_period
from complaints.use_cases.access import Caller, Right
from complaints.use_cases.figures.answering import answer_figure, find_as_of
from complaints.use_cases.figures.exposures import ExposureMissing
from complaints.use_cases.service import Configuration, Service, Transaction


@dataclass(frozen=True, slots=True)
class LayoutTable:
    """The numbers of a layout in a period: a mapping by the ids of the columns for each row."""

    code: str
    layout: ReportLayout
    period: ReportPeriod
    cells: list[dict[str, Decimal | None]]
    as_of: str


def list_layouts(tx: Transaction) -> dict[str, ReportLayout]:
    """All layouts by code: the shipped ones, and those of the operator."""
    own = {code: ReportLayout.model_validate(found) for code, found in tables.find_layouts(tx).items()}
    return dict(sorted({**shipped_layouts(), **own}.items()))


def load_layout(tx: Transaction, code: str) -> ReportLayout:
    """One layout. Raises NotFound."""
    found = list_layouts(tx).get(code)
    if found is None:
        raise NotFound(f"There is no layout {code[:100]!r}.")
    return found


def put_layout(tx: Transaction, caller: Caller, code: str, layout: ReportLayout) -> ReportLayout:
    """Make a layout, or replace it. Raises InvalidContent, and Conflict for the code of a shipped one."""
    _refuse_shipped(code)
    tables.write_layout(tx, code, check_layout(layout).model_dump(mode="json"), actor=caller.actor)
    return layout


def delete_layout(tx: Transaction, code: str) -> None:
    """Delete a layout of the operator. Raises NotFound, and Conflict for a shipped one."""
    _refuse_shipped(code)
    if not tables.delete_layout(tx, code):
        raise NotFound(f"There is no layout {code[:100]!r}.")


def _refuse_shipped(code: str) -> None:
    if code in shipped_layouts():
        raise Conflict("This layout comes with the program: take another code for your own.")


def fill_layout(service: Service, tx: Transaction, caller: Caller, code: str, period: str) -> LayoutTable:
    """The table of a layout for a period. Raises NotFound, InvalidContent, and Forbidden outside the scope.

    A layout is about the whole house, so it is for callers whose scope is every complaint.
    """
    if caller.scope_for(Right.READ_REPORTS) != ALL_COMPLAINTS:
        raise Forbidden("A layout is about all complaints: it is for callers whose scope is every complaint.")
    layout, asked = load_layout(tx, code), read_period(period, parameter="period")
    _check_period(layout, asked)
    configuration, as_of = service.configuration(tx), find_as_of(tx)

    def ask(figure: str, filters: Filters, of: ReportPeriod) -> Decimal | None:
        request = FigureRequest(figure, of.from_on, of.to_on, None, filters)
        return _find_value(tx, configuration, request, as_of)

    return LayoutTable(code, layout, asked, evaluate_layout(layout, asked, ask), as_of)


def _check_period(layout: ReportLayout, period: ReportPeriod) -> None:
    if period.kind is not layout.kind:
        raise InvalidContent.in_query("period", f"The periods of this layout are each a {layout.kind}.")
    is_over = layout.effective_to is not None and period.from_on >= layout.effective_to
    if is_over or period.from_on < layout.effective_from:
        until = f" to {layout.effective_to}" if layout.effective_to else " on"
        message = f"This layout holds from {layout.effective_from}{until}."
        raise InvalidContent.in_query("period", message)


def _find_value(
    tx: Transaction, configuration: Configuration, request: FigureRequest, as_of: str
) -> Decimal | None:
    """The value of a figure in total. None if the number of services or users is not known."""
    try:
        answer = answer_figure(tx, request, configuration=configuration, scope=ALL_COMPLAINTS, as_of=as_of)
    except ExposureMissing:
        return None
    return answer.total.value


def describe_layouts(layouts: Mapping[str, ReportLayout]) -> list[dict[str, object]]:
    """The layouts as the list shows them, without rows and columns."""
    shipped = shipped_layouts()
    return [
        {
            "code": code,
            "is_shipped": code in shipped,
            **layout.model_dump(mode="json", exclude={"rows", "columns"}),
        }
        for code, layout in layouts.items()
    ]
