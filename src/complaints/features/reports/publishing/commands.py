"""The contents of calls that publish reports or write schedules."""

from typing import Annotated

from pydantic import Field

from complaints.api.problems.languages import Language
from complaints.features.reports.publishing.periods import PeriodKind
from complaints.use_cases.commands.configuration import Identifier
from complaints.use_cases.commands.field_types import Content, Reason

_MOST_RECIPIENTS = 100
_Team = Annotated[Identifier | None, Field(description="Only the complaints of this team.")]
_Department = Annotated[
    Identifier | None, Field(description="Only the complaints of this department and those below it.")
]
_Recipients = Annotated[
    tuple[Identifier, ...],
    Field(max_length=_MOST_RECIPIENTS, description="The logins of the users who hear of the report."),
]
_ReportLanguage = Annotated[Language, Field(description="The language of the page to which messages link.")]


class PublishReport(Content):
    """Publish the report of a period, or a restatement of it."""

    period: Annotated[
        str, Field(max_length=7, description="A month or a quarter.", examples=["2026-10", "2026-Q4"])
    ]
    team: _Team = None
    department: _Department = None
    reason: Annotated[
        Reason | None, Field(description="Why numbers of a published report have changed. Only then.")
    ] = None
    recipients: _Recipients = ()
    language: _ReportLanguage = Language.ENGLISH


class PutReportSchedule(Content):
    """Publish the report of each period by itself, and say who hears of it."""

    kind: Annotated[PeriodKind, Field(description="The length of the periods.")]
    team: _Team = None
    department: _Department = None
    recipients: _Recipients
    language: _ReportLanguage = Language.ENGLISH
    hours_after: Annotated[
        int, Field(ge=1, le=240, description="The hours from the end of a period to its report.")
    ] = 72
    active: Annotated[bool, Field(description="False: it publishes nothing.")] = True
