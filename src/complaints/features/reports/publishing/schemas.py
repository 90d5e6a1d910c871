"""The shapes of published reports and of schedules in the API."""

from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from complaints.api.openapi.example_files import read_examples
from complaints.api.pages import PageQuery
from complaints.api.problems.languages import Language
from complaints.domain.json_text import to_json
from complaints.features.reports.publishing.periods import PeriodKind
from complaints.features.reports.publishing.snapshots import NumberChange, ReportSnapshot
from complaints.features.reports.publishing.tables import PublishedReport, ReportSchedule, ReportSummary

EXAMPLES = read_examples("complaints.features.reports.publishing")
_Coverage = Annotated[
    str, Field(description="`all`, `department:<code>` or `team:<code>`.", examples=["team:operations"])
]


class ReportFormat(StrEnum):
    """The formats of a published report."""

    JSON = "json"
    HTML = "html"
    XLSX = "xlsx"


class ReportListQuery(PageQuery):
    """The query parameters of the list of reports."""

    period: Annotated[str | None, Field(max_length=7, description="Only reports of this period.")] = None


class ReportFileQuery(BaseModel):
    """How a report is shown."""

    model_config = ConfigDict(extra="forbid")

    format: Annotated[
        ReportFormat | None,
        Field(description="Absent: `Accept` decides, and without it the answer is JSON."),
    ] = None
    language: Annotated[
        Language | None,
        Field(description="The language of HTML and XLSX. Absent: `Accept-Language` decides."),
    ] = None


class ReportShown(BaseModel):
    """A published report without its numbers."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLES["report"]]})

    id: UUID
    period: Annotated[str, Field(description="The month or quarter.", examples=["2026-10", "2026-Q4"])]
    coverage: _Coverage
    version: Annotated[int, Field(description="1, and one more for each restatement.")]
    newest_version: Annotated[int, Field(description="The newest version of this report.")]
    published_at: AwareDatetime
    published_by: Annotated[str, Field(description="The actor; `engine` for a schedule.")]
    reason: Annotated[str | None, Field(description="Why it restates the version before. Null: it does not.")]
    changed_numbers: Annotated[int, Field(description="How many numbers differ from the version before.")]


class PublishedReportShown(ReportShown):
    """A published report with its numbers, and with each number that it restates."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLES["published_report"]]})

    changes: Annotated[list[NumberChange], Field(description="The numbers that it restates.")]
    snapshot: ReportSnapshot


class ReportScheduleShown(BaseModel):
    """A schedule by which reports are published."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLES["schedule"]]})

    code: str
    kind: Annotated[PeriodKind, Field(description="The length of the periods.")]
    coverage: _Coverage
    language: Annotated[Language, Field(description="The language of the page to which messages link.")]
    recipients: Annotated[list[str], Field(description="The logins of the users who hear of the report.")]
    hours_after: Annotated[int, Field(description="The hours from the end of a period to its report.")]
    active: bool
    begins_at: Annotated[AwareDatetime, Field(description="It publishes what falls due from this time on.")]


def summary_json(report: ReportSummary) -> dict[str, Any]:
    """A report as lists show it."""
    return {
        "id": str(report.id),
        "period": report.period,
        "coverage": report.coverage,
        "version": report.version,
        "newest_version": report.newest,
        "published_at": to_json(report.published_at),
        "published_by": report.published_by,
        "reason": report.reason,
        "changed_numbers": len(report.changes),
    }


def report_json(report: PublishedReport) -> dict[str, Any]:
    """A report with its numbers."""
    return {**summary_json(report), "changes": list(report.changes), "snapshot": report.snapshot}


def schedule_json(schedule: ReportSchedule) -> dict[str, Any]:
    """A schedule."""
    members = {name: getattr(schedule, name) for name in ReportScheduleShown.model_fields}
    return dict(to_json(members))
