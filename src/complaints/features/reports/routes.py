"""The routes of figures, of the facts behind them, and of exposures."""

from typing import Annotated, Any

from fastapi import Body, Path, Query, Request
from starlette.responses import Response

from complaints.api.configuration.schemas import Page
from complaints.api.http.content_types import JSON
from complaints.api.http.prefixed_router import PrefixedRouter
from complaints.api.http.strict_route import StrictRoute
from complaints.api.openapi.example_files import read_examples
from complaints.api.pages import cut_page, page_of
from complaints.api.problems.media_ranges import accepts_rather
from complaints.api.problems.schemas import refusals
from complaints.api.request import ApiRequest, CurrentRequest, Reply, require_right
from complaints.domain.figures.answers import FigureAnswer, FigureRequest
from complaints.domain.figures.catalogue import FIGURES
from complaints.domain.scope import Scope
from complaints.features.reports.fact_places import content_of_cursor, place_in
from complaints.features.reports.figure_files import write_csv, write_workbook
from complaints.features.reports.schemas import (
    ExposureShown,
    FactRowShown,
    FactRowsQuery,
    FigureAnswerShown,
    FigureFilters,
    FigureFormat,
    FigureQuery,
    FigureShown,
    answer_json,
    exposure_json,
    fact_json,
    figure_json,
)
from complaints.storage.rows.figure_exposure import list_exposures
from complaints.use_cases.access import Right
from complaints.use_cases.figures import exposures
from complaints.use_cases.figures.answering import answer_figure
from complaints.use_cases.figures.asking import resolve_filters
from complaints.use_cases.figures.exposures import PutExposure
from complaints.use_cases.figures.fact_rows import WantedRows, list_fact_rows
from complaints.use_cases.service import Transaction
from complaints.use_cases.table_files.csv_text import CSV_TYPE
from complaints.use_cases.table_files.workbook import XLSX_TYPE

router = PrefixedRouter(prefix="/reports", tags=["reports"], route_class=StrictRoute)
FigureName = Annotated[str, Path(description="The name of a figure, such as `inflow`.")]
CURSOR_HEADER = "X-Feed-Cursor"
_EXAMPLES = read_examples("complaints.features.reports")
_TYPES = {FigureFormat.CSV: CSV_TYPE, FigureFormat.XLSX: XLSX_TYPE}
_UNKNOWN = "There is no such figure."
_BAD_FILTER = "Unknown filter."
_BAD_VALUE = "A bad value, an unknown name, or a period without a day or over four years."
_SHOWN: dict[int | str, dict[str, Any]] = {
    200: {
        "model": FigureAnswerShown,
        "content": {
            JSON: {"example": _EXAMPLES["figure_answer"]},
            CSV_TYPE: {"schema": {"type": "string"}},
            XLSX_TYPE: {"schema": {"type": "string", "format": "binary"}},
        },
    }
}


@router.get("", dependencies=[require_right(Right.READ)], responses={200: {"model": Page[FigureShown]}})
def list_figures(request: CurrentRequest) -> Response:
    """Every figure with its formula in words."""
    return request.answer(page_of(map(figure_json, FIGURES.values()), None, None))


@router.get(
    "/exposures", dependencies=[require_right(Right.READ)], responses={200: {"model": Page[ExposureShown]}}
)
def list_known_exposures(request: CurrentRequest) -> Response:
    """How many services and users there are, in all and in groups, from which day on."""
    return request.read(lambda tx: page_of(map(exposure_json, list_exposures(tx)), None, None))


@router.put(
    "/exposures",
    dependencies=[require_right(Right.CONFIGURE)],
    responses={200: {"model": ExposureShown}, **refusals(invalid_content="A bad value.")},
)
def put_exposure(
    request: CurrentRequest,
    command: Annotated[PutExposure, Body(openapi_examples={"users": {"value": _EXAMPLES["put_exposure"]}})],
) -> Response:
    """Say how many services or users there are from a day on. The same measure, group and day are replaced."""

    def work(tx: Transaction) -> Reply:
        return 200, exposure_json(exposures.put_exposure(tx, request.caller, command)), {}

    return request.write(work)


@router.get(
    "/{figure}",
    dependencies=[require_right(Right.READ)],
    responses={
        **_SHOWN,
        **refusals(
            bad_request=_BAD_FILTER,
            not_found=_UNKNOWN,
            exposure_missing="The number of services or users is not known.",
            invalid_content=_BAD_VALUE,
        ),
    },
)
def show_figure(
    request: CurrentRequest, figure: FigureName, query: Annotated[FigureQuery, Query()], http_request: Request
) -> Response:
    """A figure by group and in total, over the complaints within the scope of the caller.

    `as_of` is the place in the feed up to which facts are known. It lags by at most five seconds.
    """
    answer = request.service.read(lambda tx: _answer(tx, request, figure, query))
    chosen = query.format or _wanted_format(http_request)
    if chosen is FigureFormat.JSON:
        return request.answer((200, answer_json(answer), {"Vary": "Accept"}))
    content = write_csv(answer) if chosen is FigureFormat.CSV else write_workbook(answer)
    name = f"{figure}-{query.from_on}-{query.to_on}.{chosen}"
    headers = {
        "Vary": "Accept",
        CURSOR_HEADER: answer.as_of,
        "Content-Disposition": f'attachment; filename="{name}"',
    }
    return Response(content, headers=headers, media_type=_TYPES[chosen])


@router.get(
    "/{figure}/rows",
    dependencies=[require_right(Right.READ)],
    responses={
        200: {"model": Page[FactRowShown]},
        **refusals(
            bad_request="Unknown filter, or the cursor of another list.",
            not_found=_UNKNOWN,
            invalid_content=_BAD_VALUE,
        ),
    },
)
def list_figure_rows(
    request: CurrentRequest, figure: FigureName, query: Annotated[FactRowsQuery, Query()]
) -> Response:
    """The facts behind a figure, by day. Their number, or the sum of their values, is the figure."""
    after = place_in(query.cursor)

    def work(tx: Transaction) -> Reply:
        asked, scope = _ask(tx, request, figure, query)
        found = list_fact_rows(
            tx,
            WantedRows(asked, query.side, query.group),
            configuration=request.service.configuration(tx),
            scope=scope,
            after=after,
            limit=query.limit + 1,
        )
        shown, cursor = cut_page(found, query.limit, content_of_cursor)
        return page_of(map(fact_json, shown), None, cursor)

    return request.read(work)


def _ask(
    tx: Transaction, request: ApiRequest, figure: str, query: FigureFilters
) -> tuple[FigureRequest, Scope]:
    configuration = request.service.configuration(tx)
    filters, scope = resolve_filters(tx, request.caller, query.filters(), configuration=configuration)
    return query.request(figure, filters), scope


def _answer(tx: Transaction, request: ApiRequest, figure: str, query: FigureQuery) -> FigureAnswer:
    asked, scope = _ask(tx, request, figure, query)
    return answer_figure(tx, asked, configuration=request.service.configuration(tx), scope=scope)


def _wanted_format(http_request: Request) -> FigureFormat:
    accept = http_request.headers.get("accept", "")
    asked = (one for one, media_type in _TYPES.items() if accepts_rather(accept, media_type, than=JSON))
    return next(asked, FigureFormat.JSON)
