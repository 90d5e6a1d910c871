"""Published reports: to read, to print, to download; publish one now; schedules that publish the next ones."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import RedirectResponse, Response

from complaints.api.http.prefixed_router import PrefixedRouter
from complaints.console.forms import FormFields, FormState, SentForm, refused_form
from complaints.console.page_request import PageRequest, SignedIn
from complaints.domain.errors import ComplaintError
from complaints.features.reports.publishing import schedules, tables, use_cases
from complaints.features.reports.publishing.commands import PublishReport, PutReportSchedule
from complaints.features.reports.publishing.periods import PeriodKind, period_at
from complaints.features.reports.publishing.tables import ReportSummary
from complaints.features.reports.publishing.wording import Writer
from complaints.use_cases.access import Right
from complaints.use_cases.commands.configuration import Identifier
from complaints.use_cases.commands.messages import read_command
from complaints.use_cases.once import Answer
from complaints.use_cases.service import Transaction

router = PrefixedRouter(prefix="/reports")
_HERE = "/console/reports"
_SHOWN = 50
_LISTS = ("recipients",)


class _ScheduleForm(PutReportSchedule):
    """The form of a schedule: its code is a part of the address in the API."""

    code: Identifier


@router.get("")
def list_reports(request: SignedIn) -> Response:
    """The reports in the scope of the user, newest first, with the forms for those who may publish."""
    request.caller.require(Right.READ_REPORTS)
    return _page(request, FormState(), FormState())


@router.post("")
def publish_report(request: SignedIn, form: SentForm) -> Response:
    """Publish the report of a month or a quarter, or a restatement with a reason."""
    request.caller.require(Right.SUPERVISE)
    service, caller = request.service, request.caller
    try:
        command = read_command(PublishReport, _members(form))
        draft = service.read(lambda tx: use_cases.draft_for_caller(service, tx, caller, command))

        def work(tx: Transaction) -> Answer:
            use_cases.publish_draft(service, tx, caller, draft, command)
            return Answer(303, b"", {"Location": _HERE})

        answer = request.submit(form.attempt, form.body, work)
    except ComplaintError as refusal:
        state = refused_form(form, refusal, request.locale)
        return _page(request, state, FormState(), status=422)
    return RedirectResponse(answer.headers["Location"], 303)


@router.post("/schedules")
def put_schedule(request: SignedIn, form: SentForm) -> Response:
    """Make or change the schedule with this code."""
    request.caller.require(Right.CONFIGURE)
    service = request.service
    members = _members(form)
    members["active"] = "active" in members
    try:
        code = read_command(_ScheduleForm, members).code
        command = read_command(PutReportSchedule, {name: members[name] for name in members if name != "code"})

        def work(tx: Transaction) -> Answer:
            schedules.put_schedule(service, tx, code, command)
            return Answer(303, b"", {"Location": _HERE})

        answer = request.submit(form.attempt, form.body, work)
    except ComplaintError as refusal:
        state = refused_form(form, refusal, request.locale)
        return _page(request, FormState(), state, status=422)
    return RedirectResponse(answer.headers["Location"], 303)


def _members(form: FormFields) -> dict[str, Any]:
    """The fields as members of a command: recipients stand one in a line."""
    members = form.members()
    for name in _LISTS:
        if name in members:
            members[name] = [login for login in str(members[name]).replace(",", "\n").split() if login]
    return members


def _page(
    request: PageRequest, publishing: FormState, scheduling: FormState, *, status: int = 200
) -> Response:
    writer = Writer(request.locale.language)

    def work(tx: Transaction) -> dict[str, Any]:
        configuration = request.service.configuration(tx)
        found = use_cases.list_reports(tx, request.caller, period=None, before=None, limit=_SHOWN)
        zone = configuration.policy_at(tx.now).timezone
        names = configuration.directory
        return {
            "reports": [_line(request, writer, one, names.teams, names.departments) for one in found],
            "schedules": tables.list_schedules(tx) if Right.CONFIGURE in request.caller.rights else [],
            "teams": [
                (code, request.locale.name(team.names, code)) for code, team in sorted(names.teams.items())
            ],
            "periods": [
                (period.before.code, writer.period(period.before.code))
                for period in (period_at(tx.now, kind, zone) for kind in PeriodKind)
            ],
        }

    return request.page(
        "pages/reports.html",
        status=status,
        publishing=publishing,
        scheduling=scheduling,
        may_publish=Right.SUPERVISE in request.caller.rights,
        may_schedule=Right.CONFIGURE in request.caller.rights,
        kinds=[str(kind) for kind in PeriodKind],
        **request.read(work),
    )


def _line(
    request: PageRequest,
    writer: Writer,
    report: ReportSummary,
    teams: Mapping[str, Any],
    departments: Mapping[str, Any],
) -> dict[str, Any]:
    """The texts of one report in the list."""
    kind, _, code = report.coverage.partition(":")
    named = {"team": teams, "department": departments}.get(kind, {}).get(code)
    name = request.locale.name(named.names, code) if named else code
    words: Any = writer.texts["coverage"]
    return {
        "id": report.id,
        "period": writer.period(report.period),
        "coverage": str(words[kind]).format(name=name),
        "version": report.version,
        "is_newest": report.version == report.newest,
        "published_at": report.published_at,
        "published_by": report.published_by.partition(":")[2] or report.published_by,
        "reason": report.reason or "",
    }
