"""The snapshot of a report, collected from the figures on one snapshot of the database."""

from collections.abc import Iterator

from complaints.domain.figures.answers import FigureAnswer, FigureRequest, GroupBy
from complaints.domain.figures.catalogue import FIGURES, Figure, ValueKind
from complaints.domain.scope import Scope
from complaints.features.reports.publishing.contents import ReportItem, list_items
from complaints.features.reports.publishing.periods import ReportPeriod, list_keys
from complaints.features.reports.publishing.snapshots import (
    Coverage,
    MissingFigure,
    ReportRow,
    ReportSnapshot,
    ReportTable,
    empty_row,
    row_of,
)
from complaints.features.reports.publishing.wording import names_of_key
from complaints.use_cases.figures.answering import answer_figure, find_as_of
from complaints.use_cases.figures.exposures import ExposureMissing
from complaints.use_cases.service import Configuration, Transaction


class Collector:
    """Asks for the figures of one period, coverage and scope in one transaction."""

    def __init__(
        self,
        tx: Transaction,
        configuration: Configuration,
        period: ReportPeriod,
        *,
        coverage: Coverage,
        scope: Scope,
    ) -> None:
        self._tx = tx
        self._configuration = configuration
        self._period = period
        self._coverage = coverage
        self._scope = scope
        self._as_of = find_as_of(tx)
        self._missing: list[MissingFigure] = []

    def collect(self) -> ReportSnapshot:
        """The snapshot. A figure that needs an exposure, and has none, is listed as missing. Raises ComplaintError."""
        tables = [table for item in list_items(self._period.kind) for table in self._tables_of(item)]
        return ReportSnapshot(
            period=self._period.code,
            from_on=self._period.from_on,
            to_on=self._period.to_on,
            zone=self._configuration.policy_at(self._tx.now).timezone,
            as_of=self._as_of,
            coverage=self._coverage,
            tables=tables,
            missing=self._missing,
        )

    def _tables_of(self, item: ReportItem) -> Iterator[ReportTable]:
        figure = FIGURES[item.figure]
        before = self._find_total(figure, self._period.before)
        for group_by in item.group_by or (None,):
            try:
                answer = self._ask(figure, self._period, group_by)
            except ExposureMissing as refusal:
                titles = dict(figure.title)
                self._missing.append(MissingFigure(figure=figure.name, titles=titles, reason=refusal.detail))
                return
            yield make_table(self._configuration, answer, before=before)

    def _find_total(self, figure: Figure, period: ReportPeriod) -> ReportRow | None:
        """The total of another period. None: it could not be computed."""
        try:
            return row_of(self._ask(figure, period, None).total, {})
        except ExposureMissing:
            return None

    def _ask(self, figure: Figure, period: ReportPeriod, group_by: GroupBy | None) -> FigureAnswer:
        teams = self._coverage.teams
        request = FigureRequest(
            figure=figure.name,
            from_on=period.from_on,
            to_on=period.to_on,
            group_by=group_by,
            filters={} if teams is None else {"team": teams},
        )
        return answer_figure(
            self._tx, request, configuration=self._configuration, scope=self._scope, as_of=self._as_of
        )


def make_table(
    configuration: Configuration, answer: FigureAnswer, *, before: ReportRow | None = None
) -> ReportTable:
    """The table of an answer, with the names of its groups as they are now. `before`: the total of another period."""
    figure, request = FIGURES[answer.request.figure], answer.request
    return ReportTable(
        figure=figure.name,
        titles=dict(figure.title),
        kind=figure.kind,
        unit=answer.unit,
        better=figure.better,
        group_by=request.group_by,
        formula=dict(answer.formula),
        formula_version=answer.formula_version,
        rows=_rows_of(configuration, figure, answer),
        total=row_of(answer.total, {}),
        before=before,
    )


def _rows_of(configuration: Configuration, figure: Figure, answer: FigureAnswer) -> list[ReportRow]:
    """A row for each group. A count has a row for each day or week, also if nothing happened then."""
    request, group_by = answer.request, answer.request.group_by
    rows = [row_of(group, _names_of(configuration, group_by, group.key)) for group in answer.groups]
    if figure.kind is not ValueKind.COUNT or group_by not in (GroupBy.DAY, GroupBy.WEEK):
        return rows
    known = {row.key: row for row in rows}
    keys = list_keys(request.from_on, request.to_on, group_by)
    return [known.get(key) or empty_row(key) for key in keys]


def _names_of(configuration: Configuration, group_by: GroupBy | None, key: str | None) -> dict[str, str]:
    """The names of a group as they are now. A group without names is shown by its key."""
    if group_by is None or key is None:
        return {}
    match group_by:
        case GroupBy.TEAM:
            named = configuration.directory.teams.get(key)
            return dict(named.names) if named else {}
        case GroupBy.DEPARTMENT:
            department = configuration.directory.departments.get(key)
            return dict(department.names) if department else {}
        case GroupBy.CATEGORY:
            category = configuration.categories.get(key)
            return dict(category.names) if category else {}
        case _:
            return names_of_key(group_by, key) or {}
