"""The dashboard: rates, backlog, inflow and scores of a period, each with its formula and the complaints behind it.

The page comes at once, and its parts are loaded after it. Each part is a link to the page of its figure.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Annotated, Any, TypeVar
from urllib.parse import urlencode

from fastapi import Query
from pydantic import Field
from starlette.responses import Response

from complaints.api.http.prefixed_router import PrefixedRouter
from complaints.api.pages import cut_page
from complaints.console.page_request import PageRequest, SignedIn
from complaints.console.views.figures import FactLine, fact_line
from complaints.domain.errors import InvalidContent
from complaints.domain.figures.answers import FigureAnswer, FigureRequest, GroupBy
from complaints.domain.figures.catalogue import FIGURES, load_figure
from complaints.domain.figures.days import period_before
from complaints.domain.time.zones import zone_of
from complaints.domain.vocabulary import Channel
from complaints.features.reports.fact_places import content_of_cursor, place_in
from complaints.features.reports.publishing.collecting import make_table
from complaints.features.reports.publishing.snapshots import ReportTable, row_of
from complaints.features.reports.publishing.views import OverviewRow, TableView, view_table, view_total
from complaints.features.reports.publishing.wording import Writer
from complaints.use_cases.access import Right
from complaints.use_cases.commands.field_types import Content, Day, FilterText
from complaints.use_cases.figures.answering import answer_figure
from complaints.use_cases.figures.asking import resolve_filters
from complaints.use_cases.figures.exposures import ExposureMissing
from complaints.use_cases.figures.fact_rows import Side, WantedRows, list_fact_rows
from complaints.use_cases.service import Transaction

router = PrefixedRouter(prefix="/dashboard")
TILES = (
    "response_rate", "resolution_rate", "follow_up_rate", "closed_loop_rate", "csat", "nps", "time_to_result",
    "reopen_rate", "first_contact_resolution", "omissions",
)  # fmt: skip
CHARTS = (
    ("inflow", GroupBy.DAY),
    ("weak_points", GroupBy.CATEGORY),
    ("backlog", GroupBy.TEAM),
    ("escalations", GroupBy.TEAM),
    ("response_rate", GroupBy.TEAM),
    ("resolution_rate", GroupBy.TEAM),
)
T = TypeVar("T")
_DAYS = timedelta(days=30)
_ROWS = 25


class DashboardQuery(Content):
    """The period, with its last day, and the complaints that the figures are over."""

    from_on: Annotated[Day | None, Field(alias="from")] = None
    until: Day | None = None
    team: FilterText | None = None
    category: FilterText | None = None
    channel: FilterText | None = None

    def filters(self) -> dict[str, Sequence[str]]:
        """The filters that were given, by name."""
        given = {"team": self.team, "category": self.category, "channel": self.channel}
        return {name: [value] for name, value in given.items() if value}


class FigurePageQuery(DashboardQuery):
    """As `DashboardQuery`, with the group by which a figure is split, and the place in its facts."""

    group_by: GroupBy | None = None
    side: Side = Side.NUMERATOR
    group: Annotated[str | None, Field(max_length=210)] = None
    cursor: str | None = None


class _Period:
    """The period of a request in days, with the query string that names it."""

    def __init__(self, request: PageRequest, tx: Transaction, query: DashboardQuery) -> None:
        zone = request.service.configuration(tx).policy_at(tx.now).timezone
        today = tx.now.astimezone(zone_of(zone).info).date()
        self.until = query.until or today
        self.from_on = query.from_on or self.until - _DAYS + timedelta(days=1)
        if self.from_on > self.until:
            raise InvalidContent.in_query("from", "from must not be after until.")
        self._query = query

    @property
    def to_on(self) -> date:
        """The day after the last one."""
        return self.until + timedelta(days=1)

    def values(self, **others: str) -> dict[str, str]:
        """The values of the query string."""
        filters = {name: values[0] for name, values in self._query.filters().items()}
        return {"from": self.from_on.isoformat(), "until": self.until.isoformat(), **filters, **others}

    def address(self, path: str, **others: str) -> str:
        """A path of the dashboard over the same period and complaints."""
        return f"/console/dashboard{path}?{urlencode(self.values(**others))}"

    def file(self, figure: str, form: str, group_by: GroupBy | None) -> str:
        """The address of a figure as a file of the API."""
        values = {**self.values(), "to": self.to_on.isoformat(), "format": form}
        del values["until"]
        if group_by is not None:
            values["group_by"] = group_by
        return f"/v1/reports/{figure}?{urlencode(values)}"


@router.get("")
def show_dashboard(request: SignedIn, query: Annotated[DashboardQuery, Query()]) -> Response:
    """The page without its numbers: each tile and each chart is loaded after it."""
    request.caller.require(Right.READ)
    period = request.read(lambda tx: _Period(request, tx, query))
    language = request.locale.language
    tiles = [
        {
            "title": FIGURES[name].title[language],
            "page": period.address(f"/{name}"),
            "part": period.address(f"/tiles/{name}"),
        }
        for name in TILES
    ]
    charts = [
        {
            "title": FIGURES[name].title[language],
            "page": period.address(f"/{name}", group_by=group_by),
            "part": period.address(f"/charts/{name}/{group_by}"),
        }
        for name, group_by in CHARTS
    ]
    return request.page(
        "pages/dashboard.html",
        period=period,
        query=query,
        tiles=tiles,
        charts=charts,
        may_read_reports=Right.READ_REPORTS in request.caller.rights,
        **_choices(request),
    )


@router.get("/tiles/{figure}")
def show_tile(request: SignedIn, figure: str, query: Annotated[DashboardQuery, Query()]) -> Response:
    """One figure in total, beside the period of the same length before."""
    request.caller.require(Right.READ)

    def work(tx: Transaction) -> OverviewRow | None:
        period = _Period(request, tx, query)
        answer = _answer(request, tx, query, figure, (period.from_on, period.to_on), None)
        if answer is None:
            return None
        before = period_before(period.from_on, period.to_on)
        earlier = _answer(request, tx, query, figure, before, None)
        return view_total(_table(request, tx, answer, earlier), Writer(request.locale.language))

    return request.page("fragments/tile.html", tile=request.read(work), figure=load_figure(figure))


@router.get("/charts/{figure}/{group_by}")
def show_chart(
    request: SignedIn, figure: str, group_by: GroupBy, query: Annotated[DashboardQuery, Query()]
) -> Response:
    """The chart of one figure by group."""
    request.caller.require(Right.READ)
    table = request.read(lambda tx: _view(request, tx, query, figure, group_by)[0])
    return request.page("fragments/chart.html", table=table)


@router.get("/{figure}")
def show_figure(request: SignedIn, figure: str, query: Annotated[FigurePageQuery, Query()]) -> Response:
    """One figure: its formula, its value with the number of cases, its groups, and the complaints behind it."""
    request.caller.require(Right.READ)
    known = load_figure(figure)
    group_by = query.group_by or known.group_by

    def work(tx: Transaction) -> dict[str, Any]:
        period = _Period(request, tx, query)
        table, total = _view(request, tx, query, figure, group_by)
        facts, more = _find_facts(request, tx, query, figure, period)
        if more is not None:
            others = {"group_by": group_by, "group": query.group, "side": query.side, "cursor": more}
            more = period.address(
                f"/{figure}", **{name: str(v) for name, v in others.items() if v is not None}
            )
        return {"period": period, "table": table, "total": total, "facts": facts, "more": more}

    return request.page(
        "pages/figure.html",
        figure=known,
        query=query,
        group_by=group_by,
        groups=list(GroupBy),
        **request.read(work),
        **_choices(request),
    )


def _view(
    request: PageRequest, tx: Transaction, query: DashboardQuery, figure: str, group_by: GroupBy | None
) -> tuple[TableView | None, OverviewRow | None]:
    """The table by group (None: it is not split), and the total. Both None: an exposure is missing."""
    period, writer = _Period(request, tx, query), Writer(request.locale.language)
    answer = _answer(request, tx, query, figure, (period.from_on, period.to_on), group_by)
    if answer is None:
        return None, None
    table = _table(request, tx, answer, None)
    place = CHARTS.index((figure, group_by)) if (figure, group_by) in CHARTS else 0
    split = view_table(table, writer, place) if table.group_by is not None else None
    return split, view_total(table, writer)


def _answer(
    request: PageRequest,
    tx: Transaction,
    query: DashboardQuery,
    figure: str,
    days: tuple[date, date],
    group_by: GroupBy | None,
) -> FigureAnswer | None:
    """The answer over `days`; None if the figure needs an exposure that is not known."""
    configuration = request.service.configuration(tx)
    filters, scope = resolve_filters(tx, request.caller, query.filters(), configuration=configuration)
    asked = FigureRequest(figure, days[0], days[1], group_by, filters)
    try:
        return answer_figure(tx, asked, configuration=configuration, scope=scope)
    except ExposureMissing:
        return None


def _table(
    request: PageRequest, tx: Transaction, answer: FigureAnswer, earlier: FigureAnswer | None
) -> ReportTable:
    before = row_of(earlier.total, {}) if earlier else None
    return make_table(request.service.configuration(tx), answer, before=before)


def _find_facts(
    request: PageRequest, tx: Transaction, query: FigurePageQuery, figure: str, period: _Period
) -> tuple[list[FactLine], str | None]:
    """The complaints behind the figure, and the cursor of the next page."""
    configuration = request.service.configuration(tx)
    filters, scope = resolve_filters(tx, request.caller, query.filters(), configuration=configuration)
    group_by = query.group_by or load_figure(figure).group_by
    asked = FigureRequest(figure, period.from_on, period.to_on, group_by, filters)
    found = list_fact_rows(
        tx,
        WantedRows(asked, query.side, query.group),
        configuration=configuration,
        scope=scope,
        after=place_in(query.cursor),
        limit=_ROWS + 1,
    )
    shown, cursor = cut_page(found, _ROWS, content_of_cursor)
    return [fact_line(row, request.locale) for row in shown], cursor


def _choices(request: PageRequest) -> dict[str, Any]:
    """The choices of the filters: (code, name) of teams, categories and channels."""
    configuration, locale = request.read(request.service.configuration), request.locale
    return {
        "teams": [
            (team.code, locale.name(team.names, team.code))
            for team in _by_code(configuration.directory.teams)
        ],
        "categories": [
            (one.code, locale.name(one.names, one.code)) for one in _by_code(configuration.categories)
        ],
        "channels": [(str(one), locale.word("channel", one)) for one in Channel],
    }


def _by_code(found: Mapping[str, T]) -> list[T]:
    return [found[code] for code in sorted(found)]
