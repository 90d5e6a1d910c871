"""The routes of published reports and of their schedules."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Body, Path, Query, Request
from starlette.responses import Response

from complaints.api import cursors
from complaints.api.configuration.schemas import Page
from complaints.api.http.strict_route import StrictRoute
from complaints.api.pages import PageParameters, cut_page, make_page, page_of, parse_fields
from complaints.api.problems.languages import Language
from complaints.api.problems.media_ranges import accepts_rather
from complaints.api.problems.schemas import refusals
from complaints.api.request import CallerLanguage, CurrentRequest, Reply, require_right
from complaints.domain.json_text import to_json
from complaints.features.reports.publishing import schedules, tables, use_cases
from complaints.features.reports.publishing.commands import PublishReport, PutReportSchedule
from complaints.features.reports.publishing.printing import print_report
from complaints.features.reports.publishing.schedules import PATH
from complaints.features.reports.publishing.schemas import (
    EXAMPLES,
    PublishedReportShown,
    ReportFileQuery,
    ReportFormat,
    ReportListQuery,
    ReportScheduleShown,
    ReportShown,
    report_json,
    schedule_json,
    summary_json,
)
from complaints.features.reports.publishing.tables import ReportSummary
from complaints.features.reports.publishing.workbooks import write_workbook
from complaints.use_cases.access import Right
from complaints.use_cases.commands.configuration import Identifier
from complaints.use_cases.service import Transaction
from complaints.use_cases.table_files.workbook import XLSX_TYPE

_CURSOR = "published reports"
_HTML = "text/html"
_TYPES = {ReportFormat.HTML: _HTML, ReportFormat.XLSX: XLSX_TYPE}
FILE_HEADERS = {
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Vary": "Accept, Accept-Language",
}
_UNKNOWN = "There is no such report, or some of its complaints are outside the scope of the caller."
FILE_TYPES: dict[str, Any] = {
    _HTML: {"schema": {"type": "string"}},
    XLSX_TYPE: {"schema": {"type": "string", "format": "binary"}},
}
_FILES: dict[int | str, dict[str, Any]] = {200: {"model": PublishedReportShown, "content": FILE_TYPES}}
ScheduleCode = Annotated[Identifier, Path(description="The code of the schedule.", max_length=100)]
router = APIRouter(tags=["reports"], route_class=StrictRoute)


@router.post(
    "/published-reports",
    status_code=201,
    dependencies=[require_right(Right.SUPERVISE)],
    responses={
        200: {"model": PublishedReportShown, "description": "No number has changed: the newest version."},
        201: {"model": PublishedReportShown, "description": "The new report, or the restatement."},
        **refusals(
            report_published="Numbers have changed since it was published, and there is no reason.",
            forbidden="Some complaints of the report are outside the scope of the caller.",
            invalid_content="A period that is not over, an unknown name, or a reason without a restatement.",
        ),
    },
)
def publish_report(
    request: CurrentRequest, command: Annotated[PublishReport, Body(examples=[EXAMPLES["publish"]])]
) -> Response:
    """Publish the report of a month or a quarter: a snapshot that never changes.

    Again for the same period and complaints: a restatement, which lists each number that has changed. It needs a
    reason. If no number has changed, nothing is published and the newest version is the answer.
    """
    service, caller = request.service, request.caller
    draft = service.read(lambda tx: use_cases.draft_for_caller(service, tx, caller, command))

    def work(tx: Transaction) -> Reply:
        report, is_new = use_cases.publish_draft(service, tx, caller, draft, command)
        headers = {"Location": f"{PATH}/{report.id}"}
        return (201 if is_new else 200), report_json(report), headers

    return request.write(work)


@router.get(
    "/published-reports",
    dependencies=[require_right(Right.READ_REPORTS)],
    responses={200: {"model": Page[ReportShown]}, **refusals(bad_request="A bad cursor or field.")},
)
def list_published_reports(request: CurrentRequest, query: Annotated[ReportListQuery, Query()]) -> Response:
    """The published reports within the scope of the caller, newest first, each version on its own."""
    fields = parse_fields(query.fields, ReportShown)
    before = _place_of(query.cursor)

    def work(tx: Transaction) -> Reply:
        found = use_cases.list_reports(
            tx, request.caller, period=query.period, before=before, limit=query.limit + 1
        )
        shown, cursor = cut_page(found, query.limit, _position)
        return page_of(map(summary_json, shown), fields, cursor)

    return request.read(work)


@router.get(
    "/published-reports/{report_id}",
    dependencies=[require_right(Right.READ_REPORTS)],
    responses={**_FILES, **refusals(not_found=_UNKNOWN)},
)
def get_published_report(
    request: CurrentRequest,
    http_request: Request,
    report_id: UUID,
    query: Annotated[ReportFileQuery, Query()],
    accepted: CallerLanguage,
) -> Response:
    """One report: as JSON, as a page to read and to print, or as a workbook with every table."""
    report, newest_id = request.service.read(lambda tx: _load(tx, request, report_id))
    form = query.format or wanted_format(http_request)
    language = query.language or accepted
    if form is ReportFormat.JSON:
        return request.answer((200, report_json(report), {}))
    if form is ReportFormat.HTML:
        page = print_report(report, language, newest_link=f"{PATH}/{newest_id}")
        page.headers.update(FILE_HEADERS)
        return page
    return Response(write_workbook(report, language), 200, _file_headers(report, language), XLSX_TYPE)


def _load(tx: Transaction, request: Any, report_id: UUID) -> tuple[tables.PublishedReport, UUID]:
    report = use_cases.load_report(tx, request.caller, report_id)
    return report, use_cases.find_newest_id(tx, report)


def _file_headers(report: ReportSummary, language: Language) -> dict[str, str]:
    name = f"report-{report.period}-{report.coverage.replace(':', '-')}-v{report.version}-{language}.xlsx"
    return {**FILE_HEADERS, "Content-Disposition": f'attachment; filename="{name}"'}


def wanted_format(http_request: Request) -> ReportFormat:
    """The format that the header `Accept` names; JSON if it names none."""
    accept = http_request.headers.get("accept", "")
    asked = (
        one
        for one, media_type in _TYPES.items()
        if accepts_rather(accept, media_type, than="application/json")
    )
    return next(asked, ReportFormat.JSON)


def _position(last: ReportSummary) -> dict[str, Any]:
    return {"kind": _CURSOR, "at": to_json(last.published_at), "id": str(last.id)}


def _place_of(cursor: str | None) -> tuple[datetime, UUID] | None:
    if cursor is None:
        return None
    position = cursors.decode(cursor, _CURSOR)
    return cursors.instant_in(position, "at"), cursors.id_in(position, "id")


@router.get(
    "/report-schedules",
    dependencies=[require_right(Right.CONFIGURE)],
    responses={200: {"model": Page[ReportScheduleShown]}},
)
def list_report_schedules(request: CurrentRequest, query: PageParameters) -> Response:
    """The schedules by which reports are published."""

    def work(tx: Transaction) -> Reply:
        found = [schedule_json(one) for one in tables.list_schedules(tx)]
        return make_page(found, query, kind="report schedules", order=["code"], shape=ReportScheduleShown)

    return request.read(work)


@router.put(
    "/report-schedules/{code}",
    dependencies=[require_right(Right.CONFIGURE)],
    responses={
        200: {"model": ReportScheduleShown},
        **refusals(invalid_content="An unknown team, department or user."),
    },
)
def put_report_schedule(
    request: CurrentRequest,
    code: ScheduleCode,
    command: Annotated[PutReportSchedule, Body(examples=[EXAMPLES["put_schedule"]])],
) -> Response:
    """Make a schedule, or replace it. It publishes the report of each period that falls due from now on, once."""

    def work(tx: Transaction) -> Reply:
        return 200, schedule_json(schedules.put_schedule(request.service, tx, code, command)), {}

    return request.write(work)


@router.delete(
    "/report-schedules/{code}",
    status_code=204,
    dependencies=[require_right(Right.CONFIGURE)],
    responses=refusals(not_found="There is no such schedule."),
)
def delete_report_schedule(request: CurrentRequest, code: ScheduleCode) -> Response:
    """Delete a schedule. The reports that it has published stay."""

    def work(tx: Transaction) -> Reply:
        schedules.delete_schedule(tx, code)
        return 204, None, {}

    return request.write(work)
