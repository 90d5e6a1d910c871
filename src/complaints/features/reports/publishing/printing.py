"""The page of a published report: HTML to read and to print, in one language."""

from starlette.responses import HTMLResponse

from complaints.api.problems.languages import Language
from complaints.features.reports.pages import print_page
from complaints.features.reports.publishing.snapshots import NumberChange, ReportSnapshot
from complaints.features.reports.publishing.tables import PublishedReport
from complaints.features.reports.publishing.views import (
    list_formulas,
    view_changes,
    view_overview,
    view_tables,
)
from complaints.features.reports.publishing.wording import Writer


def print_report(report: PublishedReport, language: Language, *, newest_link: str) -> HTMLResponse:
    """The page of a report. `newest_link` is the path of the newest version."""
    snapshot = ReportSnapshot.model_validate(report.snapshot)
    changes = [NumberChange.model_validate(one) for one in report.changes]
    writer = Writer(language)
    return print_page(
        "report.html",
        language,
        title=writer.texts["title"],
        report=report,
        newest_link=newest_link,
        period=writer.period(snapshot.period),
        coverage=writer.coverage(snapshot),
        teams=", ".join(snapshot.coverage.teams or ()),
        days=writer.days(snapshot),
        zone=snapshot.zone,
        as_of=snapshot.as_of,
        published=writer.texts["facts"]["by"].format(
            at=writer.instant(report.published_at, snapshot.zone), actor=report.published_by
        ),
        changes=view_changes(changes, snapshot, writer),
        overview=view_overview(snapshot, writer),
        tables=view_tables(snapshot, writer),
        missing=[(one.titles.get(language, one.figure), one.reason) for one in snapshot.missing],
        formulas=list_formulas(snapshot, writer),
    )
