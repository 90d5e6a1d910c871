"""Publishing reports: a snapshot that is kept, and restatements that say what they change (rules 12.1 to 12.5)."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from complaints.domain.errors import Conflict, Forbidden, InvalidContent, NotFound
from complaints.domain.scope import Scope
from complaints.features.reports.publishing import tables
from complaints.features.reports.publishing.collecting import Collector
from complaints.features.reports.publishing.commands import PublishReport
from complaints.features.reports.publishing.coverages import admits_report, choose_coverage
from complaints.features.reports.publishing.periods import ReportPeriod, read_period
from complaints.features.reports.publishing.snapshots import (
    Coverage,
    NumberChange,
    ReportSnapshot,
    compare_snapshots,
)
from complaints.features.reports.publishing.tables import PublishedReport, ReportSummary
from complaints.use_cases.access import Caller, Right
from complaints.use_cases.named_filters import check_member
from complaints.use_cases.service import Service, Transaction


class ReportPublished(Conflict):
    """The report was published before, with other numbers, and no reason was given."""

    code: ClassVar[str] = "report-published"


@dataclass(frozen=True, slots=True)
class ReportDraft:
    """A report that is not published yet. `newest` is the newest version on record, `changes` what differs from it."""

    snapshot: ReportSnapshot
    newest: PublishedReport | None = None
    changes: list[NumberChange] = field(default_factory=list)


def draft_report(
    service: Service, tx: Transaction, period: ReportPeriod, coverage: Coverage, scope: Scope
) -> ReportDraft:
    """The numbers of a report as they are now. It reads much, and writes nothing."""
    configuration = service.configuration(tx)
    collector = Collector(tx, configuration, period, coverage=coverage, scope=scope)
    snapshot = ReportSnapshot.model_validate_json(collector.collect().model_dump_json(by_alias=True))
    newest = tables.find_newest(tx, period.code, coverage.code)
    if newest is None:
        return ReportDraft(snapshot)
    return ReportDraft(snapshot, newest, compare_snapshots(snapshot_of(newest), snapshot))


def snapshot_of(report: PublishedReport) -> ReportSnapshot:
    """The numbers of a published report."""
    return ReportSnapshot.model_validate(report.snapshot)


def draft_for_caller(
    service: Service, tx: Transaction, caller: Caller, command: PublishReport
) -> ReportDraft:
    """The draft of what a caller wants to publish. Raises Forbidden, and InvalidContent.

    The period must be over, and all complaints of the report must be within the scope of the caller.
    """
    configuration = service.configuration(tx)
    period = read_period(command.period)
    zone = configuration.policy_at(tx.now).timezone
    if period.ends_at(zone) > tx.now:
        raise InvalidContent.at("/period", f"This period ends on {period.to_on}: publish it after that.")
    coverage = choose_coverage(configuration.directory, team=command.team, department=command.department)
    for number, login in enumerate(command.recipients):
        users = configuration.directory.users
        check_member(login, users, pointer=f"/recipients/{number}", thing="user")
    scope = caller.scope_for(Right.READ_REPORTS)
    if not admits_report(scope, coverage.teams):
        raise Forbidden(
            "Some complaints of this report are outside your scope: name a team or a department of yours."
        )
    return draft_report(service, tx, period, coverage, scope)


def publish_draft(
    service: Service, tx: Transaction, caller: Caller, draft: ReportDraft, command: PublishReport
) -> tuple[PublishedReport, bool]:
    """Publish a draft. Returns the report, and True if it is new: without a changed number nothing is written.

    Raises ReportPublished for a restatement without a reason, InvalidContent for a reason without a restatement, and
    Conflict if somebody else published the report meanwhile.
    """
    if draft.newest is not None and not draft.changes:
        return draft.newest, False
    if draft.newest is None and command.reason is not None:
        raise InvalidContent.at(
            "/reason", "This report was not published before: there is nothing to restate."
        )
    if draft.newest is not None and command.reason is None:
        raise ReportPublished(
            f"This report was published before, and {len(draft.changes)} of its numbers have changed. "
            "Give a reason to publish a restatement."
        )
    report = insert_draft(service, tx, draft, actor=caller.actor, reason=command.reason)
    if report is None:
        raise Conflict("Somebody else published this report just now: look at it, and try again.")
    language = command.language
    for login in dict.fromkeys(command.recipients):
        tables.add_recipient(tx, service.new_id(), report.id, login, language)
    return report, True


def insert_draft(
    service: Service, tx: Transaction, draft: ReportDraft, *, actor: str, reason: str | None = None
) -> PublishedReport | None:
    """Write a report. Recipients of a version before hear of this one too.

    None: there is such a version already.
    """
    snapshot = draft.snapshot
    version = draft.newest.version + 1 if draft.newest else 1
    report = PublishedReport(
        id=service.new_id(),
        period=snapshot.period,
        coverage=snapshot.coverage.code,
        version=version,
        teams=snapshot.coverage.teams,
        published_at=tx.now,
        published_by=actor,
        reason=reason,
        snapshot=snapshot.model_dump(mode="json", by_alias=True),
        changes=[change.model_dump(mode="json") for change in draft.changes],
        newest=version,
    )
    if not tables.insert_report(tx, report):
        return None
    for login, language in tables.find_recipients(tx, report.period, report.coverage).items():
        tables.add_recipient(tx, service.new_id(), report.id, login, language)
    return report


def load_report(tx: Transaction, caller: Caller, report_id: UUID) -> PublishedReport:
    """A report that the caller may read. Raises NotFound."""
    found = tables.find_report(tx, report_id)
    if found is None or not admits_report(caller.scope_for(Right.READ_REPORTS), found.teams):
        raise NotFound(f"There is no report {str(report_id)!r}.")
    return found


def find_newest_id(tx: Transaction, report: PublishedReport) -> UUID:
    """The id of the newest version of a report."""
    newest = tables.find_newest(tx, report.period, report.coverage)
    return newest.id if newest else report.id


_READ_AT_ONCE = 200


def list_reports(
    tx: Transaction,
    caller: Caller,
    *,
    period: str | None,
    before: tuple[datetime, UUID] | None,
    limit: int,
) -> list[ReportSummary]:
    """The reports that the caller may read, newest first. Raises InvalidContent for a period that is none."""
    if period is not None:
        read_period(period, parameter="period")
    scope = caller.scope_for(Right.READ_REPORTS)
    shown: list[ReportSummary] = []
    while len(shown) < limit:
        found = tables.list_reports(tx, period=period, before=before, limit=_READ_AT_ONCE)
        shown += [report for report in found if admits_report(scope, report.teams)]
        if len(found) < _READ_AT_ONCE:
            break
        before = found[-1].published_at, found[-1].id
    return shown[:limit]
