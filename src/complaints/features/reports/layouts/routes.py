"""The routes of layouts."""

from typing import Annotated, Any

from fastapi import Body, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from complaints.api.configuration.schemas import Page
from complaints.api.http.prefixed_router import PrefixedRouter
from complaints.api.http.strict_route import StrictRoute
from complaints.api.openapi.example_files import read_examples
from complaints.api.pages import PageParameters, make_page
from complaints.api.problems.schemas import refusals
from complaints.api.request import CallerLanguage, CurrentRequest, Reply, require_right
from complaints.features.reports.layouts import use_cases
from complaints.features.reports.layouts.documents import LayoutTitles, ReportLayout
from complaints.features.reports.layouts.files import print_layout, write_layout_workbook
from complaints.features.reports.layouts.use_cases import LayoutTable
from complaints.features.reports.publishing.periods import PeriodKind
from complaints.features.reports.publishing.routes import FILE_HEADERS, FILE_TYPES, wanted_format
from complaints.features.reports.publishing.schemas import ReportFileQuery, ReportFormat
from complaints.features.reports.publishing.snapshots import ReportNumber
from complaints.use_cases.access import Right
from complaints.use_cases.commands.configuration import Identifier
from complaints.use_cases.service import Transaction
from complaints.use_cases.table_files.workbook import XLSX_TYPE

_EXAMPLES = read_examples("complaints.features.reports.layouts")
_UNKNOWN = "There is no such layout."
_SHIPPED = "The layout comes with the program."
LayoutCode = Annotated[Identifier, Path(description="The code of the layout.", max_length=100)]
router = PrefixedRouter(prefix="/report-layouts", tags=["reports"], route_class=StrictRoute)


class LayoutFileQuery(ReportFileQuery):
    """The period of a table, and how it is shown."""

    period: Annotated[str, Field(max_length=7, description="The month or quarter.", examples=["2026-Q3"])]


class LayoutSummaryShown(BaseModel):
    """A layout without its rows and columns."""

    code: str
    is_shipped: Annotated[bool, Field(description="True: it comes with the program.")]
    titles: LayoutTitles
    source: Annotated[str, Field(description="Where the layout comes from.")]
    example: Annotated[bool, Field(description="True: the operator must check it before use.")]
    effective_from: Annotated[str, Field(description="The first day for whose period it holds.")]
    effective_to: Annotated[str | None, Field(description="The day from which it holds no more.")]
    kind: Annotated[PeriodKind, Field(description="The length of its periods.")]


class LayoutRowShown(BaseModel):
    """A row of the table."""

    titles: LayoutTitles
    values: Annotated[
        dict[str, ReportNumber | None],
        Field(
            description="The numbers by the ids of the columns. Null: there is nothing to compute it from."
        ),
    ]


class LayoutTableShown(BaseModel):
    """The table of a layout in a period."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLES["table"]]})

    code: str
    period: Annotated[str, Field(description="The month or quarter.")]
    rows: Annotated[list[LayoutRowShown], Field(description="The rows of the document.")]
    as_of: Annotated[str, Field(description="The place in the feed up to which facts were known.")]


@router.get(
    "",
    dependencies=[require_right(Right.READ_REPORTS)],
    responses={200: {"model": Page[LayoutSummaryShown]}},
)
def list_report_layouts(request: CurrentRequest, query: PageParameters) -> Response:
    """The layouts of regulators: those that come with the program, and those of the operator."""

    def work(tx: Transaction) -> Reply:
        found = use_cases.describe_layouts(use_cases.list_layouts(tx))
        return make_page(found, query, kind="report layouts", order=["code"], shape=LayoutSummaryShown)

    return request.read(work)


@router.get(
    "/{code}",
    dependencies=[require_right(Right.READ_REPORTS)],
    responses={200: {"model": ReportLayout}, **refusals(not_found=_UNKNOWN)},
)
def get_report_layout(request: CurrentRequest, code: LayoutCode) -> Response:
    """The document of a layout, as `PUT` takes it."""
    return request.read(lambda tx: (200, use_cases.load_layout(tx, code).model_dump(mode="json"), {}))


@router.put(
    "/{code}",
    dependencies=[require_right(Right.CONFIGURE)],
    responses={
        200: {"model": ReportLayout},
        **refusals(conflict=_SHIPPED, invalid_content="A formula that cannot be computed."),
    },
)
def put_report_layout(
    request: CurrentRequest,
    code: LayoutCode,
    command: Annotated[ReportLayout, Body(examples=[_EXAMPLES["layout"]])],
) -> Response:
    """Make a layout, or replace it. A shipped one is copied under another code first."""

    def work(tx: Transaction) -> Reply:
        return 200, use_cases.put_layout(tx, request.caller, code, command).model_dump(mode="json"), {}

    return request.write(work)


@router.delete(
    "/{code}",
    status_code=204,
    dependencies=[require_right(Right.CONFIGURE)],
    responses=refusals(not_found=_UNKNOWN, conflict=_SHIPPED),
)
def delete_report_layout(request: CurrentRequest, code: LayoutCode) -> Response:
    """Delete a layout of the operator."""

    def work(tx: Transaction) -> Reply:
        use_cases.delete_layout(tx, code)
        return 204, None, {}

    return request.write(work)


@router.get(
    "/{code}/table",
    dependencies=[require_right(Right.READ_REPORTS)],
    responses={
        200: {"model": LayoutTableShown, "content": FILE_TYPES},
        **refusals(
            forbidden="The scope of the caller is not every complaint.",
            not_found=_UNKNOWN,
            invalid_content="A period for which the layout does not hold.",
        ),
    },
)
def get_layout_table(
    request: CurrentRequest,
    http_request: Request,
    code: LayoutCode,
    query: Annotated[LayoutFileQuery, Query()],
    accepted: CallerLanguage,
) -> Response:
    """The table of a layout for a period: as JSON, as a page, or as a workbook in the form of the document."""
    service, language = request.service, query.language or accepted
    table = service.read(lambda tx: use_cases.fill_layout(service, tx, request.caller, code, query.period))
    match query.format or wanted_format(http_request):
        case ReportFormat.HTML:
            page = print_layout(table, language)
            page.headers.update(FILE_HEADERS)
            return page
        case ReportFormat.XLSX:
            name = f"{table.code}-{table.period.code}-{language}.xlsx"
            headers = {**FILE_HEADERS, "Content-Disposition": f'attachment; filename="{name}"'}
            return Response(write_layout_workbook(table, language), 200, headers, XLSX_TYPE)
        case _:
            return request.answer((200, _table_json(table), {}))


def _table_json(table: LayoutTable) -> dict[str, Any]:
    rows = [
        LayoutRowShown(titles=row.titles, values=dict(cells))
        for row, cells in zip(table.layout.rows, table.cells, strict=True)
    ]
    shown = LayoutTableShown(code=table.code, period=table.period.code, rows=rows, as_of=table.as_of)
    return shown.model_dump(mode="json")
