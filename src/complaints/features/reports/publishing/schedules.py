"""Schedules: the report of each period is published once, whatever crashes, and users hear of it (rules 12.7, 12.8)."""

import logging
from collections.abc import Iterator, Sequence
from datetime import datetime

from complaints.api.feature import News
from complaints.domain.complaint.change import ENGINE
from complaints.domain.errors import ComplaintError, NotFound
from complaints.domain.scope import ALL_COMPLAINTS
from complaints.features.reports.publishing import tables
from complaints.features.reports.publishing.commands import PutReportSchedule
from complaints.features.reports.publishing.coverages import choose_coverage, read_coverage
from complaints.features.reports.publishing.periods import ReportPeriod, list_due
from complaints.features.reports.publishing.tables import ReportSchedule
from complaints.features.reports.publishing.use_cases import ReportDraft, draft_report, insert_draft
from complaints.features.reports.publishing.wording import TEXTS, Writer
from complaints.use_cases.figures.keeping import keep_facts
from complaints.use_cases.named_filters import check_member
from complaints.use_cases.service import Service, Transaction

PATH = "/v1/published-reports"
_TEMPLATES = {True: "report_restated", False: "report_published"}
log = logging.getLogger(__name__)


def put_schedule(service: Service, tx: Transaction, code: str, command: PutReportSchedule) -> ReportSchedule:
    """Make a schedule, or replace it. A new one begins with the first period that falls due after now.

    Raises InvalidContent for an unknown team, department or user.
    """
    directory = service.configuration(tx).directory
    coverage = choose_coverage(directory, team=command.team, department=command.department)
    for number, login in enumerate(command.recipients):
        check_member(login, directory.users, pointer=f"/recipients/{number}", thing="user")
    known = tables.find_schedule(tx, code)
    is_same = known is not None and known.kind is command.kind and known.active
    made = ReportSchedule(
        code=code,
        kind=command.kind,
        coverage=coverage.code,
        language=command.language,
        recipients=tuple(dict.fromkeys(command.recipients)),
        hours_after=command.hours_after,
        active=command.active,
        begins_at=known.begins_at if known is not None and is_same else tx.now,
    )
    tables.write_schedule(tx, made)
    return made


def delete_schedule(tx: Transaction, code: str) -> None:
    """Delete a schedule. Its reports stay. Raises NotFound."""
    if not tables.delete_schedule(tx, code):
        raise NotFound(f"There is no schedule {code!r}.")


def run_schedules(service: Service) -> int:
    """Publish every report that is due and was not published by its schedule; how many. A missed one is made up.

    One that cannot be made is logged, and holds up no other.
    """
    done = 0
    for schedule, period in service.read(lambda tx: list(_find_due(service, tx))):
        try:
            done += _run(service, schedule, period)
        except ComplaintError as error:
            text = "a report could not be published"
            log.warning(text, extra={"schedule": schedule.code, "period": period.code, "fault": error.detail})
    return done


def _find_due(service: Service, tx: Transaction) -> Iterator[tuple[ReportSchedule, ReportPeriod]]:
    zone = service.configuration(tx).policy_at(tx.now).timezone
    for schedule in tables.list_schedules(tx):
        if not schedule.active:
            continue
        runs = tables.find_runs(tx, schedule.code)
        due = list_due(schedule.kind, zone, schedule.hours_after, begins_at=schedule.begins_at, now=tx.now)
        yield from ((schedule, period) for period in due if period.code not in runs)


def _run(service: Service, schedule: ReportSchedule, period: ReportPeriod) -> int:
    """Publish the report of a period, unless it is on record, and note that the schedule has done so."""

    def read(tx: Transaction) -> tables.PublishedReport | None:
        return tables.find_newest(tx, period.code, schedule.coverage)

    draft = None
    if service.read(read) is None:
        while keep_facts(service):  # after downtime, the facts must catch up with the feed first
            service.database.give_way()
        draft = service.read(lambda tx: _draft(service, tx, schedule, period))

    def write(tx: Transaction) -> int:
        report = read(tx)
        if report is None and draft is not None:
            report = insert_draft(service, tx, draft, actor=ENGINE)
        if report is None or not tables.insert_run(tx, schedule.code, period.code, report.id):
            return 0
        for login in schedule.recipients:
            tables.add_recipient(tx, service.new_id(), report.id, login, schedule.language)
        return 1

    return service.write(write)


def _draft(service: Service, tx: Transaction, schedule: ReportSchedule, period: ReportPeriod) -> ReportDraft:
    coverage = read_coverage(service.configuration(tx).directory, schedule.coverage)
    return draft_report(service, tx, period, coverage, ALL_COMPLAINTS)


def find_news(tx: Transaction, since: datetime) -> Sequence[News]:
    """Who shall hear of which reports that were published since then."""
    return [
        News(
            one.id,
            one.login,
            _TEMPLATES[one.version > 1],
            link=f"{PATH}/{one.report_id}?format=html&language={one.language}",
            facts={"version": one.version, **_words_of(one.period, one.coverage)},
        )
        for one in tables.find_news(tx, since)
    ]


def _words_of(period: str, coverage: str) -> dict[str, str]:
    """The name of the period in each language, and the code of the coverage."""
    names = {f"period_{language}": Writer(language).period(period) for language in TEXTS}
    return {**names, "coverage": coverage}
