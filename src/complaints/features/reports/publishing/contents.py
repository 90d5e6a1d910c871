"""What a report has: figures, each by the members that it is split by, in this order."""

from dataclasses import dataclass

from complaints.domain.figures.answers import GroupBy
from complaints.features.reports.publishing.periods import PeriodKind


@dataclass(frozen=True, slots=True)
class ReportItem:
    """A figure of the report. Without `group_by` it has a line in the overview alone."""

    figure: str
    group_by: tuple[GroupBy, ...] = ()


_BY_TIME = {PeriodKind.MONTH: GroupBy.DAY, PeriodKind.QUARTER: GroupBy.WEEK}


def list_items(kind: PeriodKind) -> tuple[ReportItem, ...]:
    """The figures of a report on a period of this kind."""
    return (
        ReportItem("inflow", (_BY_TIME[kind], GroupBy.CATEGORY, GroupBy.CHANNEL)),
        ReportItem("response_rate", (GroupBy.TEAM,)),
        ReportItem("resolution_rate", (GroupBy.TEAM, GroupBy.CATEGORY)),
        ReportItem("time_to_result", (GroupBy.TEAM,)),
        ReportItem("backlog", (GroupBy.TEAM,)),
        ReportItem("weak_points", (GroupBy.CATEGORY, GroupBy.CAUSE, GroupBy.REGION)),
        ReportItem("escalations", (GroupBy.TEAM,)),
        ReportItem("first_contact_resolution"),
        ReportItem("repeat_rate"),
        ReportItem("reopen_rate"),
        ReportItem("closed_loop_rate"),
        ReportItem("follow_up_rate"),
        ReportItem("upheld_rate"),
        ReportItem("compensation"),
        ReportItem("csat"),
        ReportItem("nps"),
        ReportItem("transfers"),
        ReportItem("complaints_per_10000_services"),
        ReportItem("appeals_per_million_users"),
    )
