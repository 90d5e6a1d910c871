"""`GET /v1/reports`: figures, the facts behind them, and exposures, on both engines."""

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import openpyxl
import pytest
from sqlalchemy import select

from complaints.api.cursors import encode
from complaints.domain.complaint.facts import Complaint
from complaints.domain.complaint.numbers import number_of
from complaints.domain.figures.answers import FigureAnswer, FigureGroup, FigureRequest, GroupBy
from complaints.domain.figures.catalogue import FIGURES, ValueKind
from complaints.domain.scope import ALL_COMPLAINTS
from complaints.domain.vocabulary import AccessRole
from complaints.features.reports.checks import check_facts
from complaints.storage.rows.event import event
from complaints.storage.rows.figure_fact import figure_fact
from complaints.use_cases.access import SYSTEM
from complaints.use_cases.commands.complaints import PatchComplaint
from complaints.use_cases.complaints import edit
from complaints.use_cases.figures import keeping, rebuilding
from complaints.use_cases.figures.answering import answer_figure
from complaints.use_cases.figures.fact_rows import FigureFactRow, Side, WantedRows, list_fact_rows
from complaints.use_cases.figures.keeping import keep_facts, keep_facts_after_sweep
from complaints.use_cases.figures.rebuilding import FoldedWindow, RebuildTaken, rebuild_all, rebuild_facts
from complaints.use_cases.service import Service, Transaction
from complaints.use_cases.table_files.cells import text_of
from tests.api_client import ApiClient
from tests.support import Scenario, count_statements
from tests.use_cases.test_history_import import HEADER, MAPPED, take

ANN = {"complainant": {"name": "Ann", "phone": "+8613912345678"}}
BOB = {"complainant": {"name": "Bob", "phone": "+8613712345678"}}
TOLD = {"message": "Done.", "contact_channel": "phone"}
WINTER = {"from": "2025-11-01", "to": "2026-03-01"}
FAR_CURSOR = encode(
    {"kind": "figure rows", "day": 10**30, "id": str(UUID(int=1)), "fact": "received", "place": 0}
)
HISTORY = (
    "H1,No signal,2025-12-03T08:00:00Z,closed,2025-12-05T09:00:00Z,2025-12-04T10:00:00Z,upheld,13800138000\n"
    "H2,No dial tone,2025-12-03T08:00:00Z,Storniert,,,,13800138001\n"
)


def follow(service: Service) -> None:
    """Keep the facts of everything that is in the feed."""
    while keep_facts(service):
        pass


def finish_rebuild(service: Service, *, limit: int) -> None:
    """Rebuild the facts to the end."""
    while rebuild_facts(service, limit=limit):
        pass


def ask(service: Service, figure: str, group_by: GroupBy | None = None, **filters: list[str]) -> FigureAnswer:
    """The answer of a figure over the winter, for a caller who sees all."""
    request = FigureRequest(figure, date(2025, 11, 1), date(2026, 3, 1), group_by, filters)
    return service.read(
        lambda tx: answer_figure(tx, request, configuration=service.configuration(tx), scope=ALL_COMPLAINTS)
    )


def sum_rows(
    service: Service, answer: FigureAnswer, group: FigureGroup, *, is_total: bool
) -> tuple[int, Decimal]:
    """The number of the facts behind a group, and the sum of their values, read in pages of two."""
    wanted = WantedRows(answer.request, group=None if is_total else group.key or "")
    rows = [row for page in _pages(service, wanted) for row in page]
    return len(rows), sum((row.value for row in rows), Decimal(0))


def _pages(service: Service, wanted: WantedRows) -> Iterator[Sequence[FigureFactRow]]:
    after = None

    def read(tx: Transaction) -> Sequence[FigureFactRow]:
        known = service.configuration(tx)
        return list_fact_rows(tx, wanted, configuration=known, scope=ALL_COMPLAINTS, after=after, limit=2)

    while rows := service.read(read):
        yield rows
        after = rows[-1].place


def tell_result(scenario: Scenario, one: Complaint, **members: Any) -> Complaint:
    """Resolve a complaint and tell the result."""
    resolved = {"resolution": "Repaired.", "outcome": "upheld", "cause": "technical", "root_cause": "Cable."}
    scenario.act(one, "resolve", **resolved | members)
    return scenario.act(one, "notify_result", **TOLD)


def patch(service: Service, one: Complaint, **members: Any) -> None:
    """Change members of a complaint."""
    command = PatchComplaint.model_validate(members)
    service.write(lambda tx: edit.patch(service, tx, SYSTEM, str(one.id), command, None))


@pytest.fixture
def winter(scenario: Scenario) -> dict[str, Complaint]:
    """Complaints in all situations that figures tell apart, with the clock at 2026-01-08."""
    take(scenario, (HEADER + HISTORY).encode(), MAPPED)
    outage = {"category": "network.outage", "region": "east"}
    solved = scenario.post(**outage, **ANN, first_owner="admin")
    late = scenario.post(category="billing.refund", priority="urgent", region="west")
    scenario.advance(hours=1)
    repeat = scenario.post(**outage, **ANN)
    double = scenario.post(**outage, **ANN)
    appeal = scenario.post(channel="regulator", **BOB)
    scenario.act(double, "merge", into=str(repeat.id))
    for one in (solved, repeat):
        scenario.act(one, "respond", **TOLD)
    scenario.act(appeal, "withdraw", reason="Never mind.")
    scenario.act(repeat, "hold", reason="awaiting_complainant", until="2026-01-06T01:00:00Z")
    scenario.advance(hours=30)
    scenario.act(late, "assign", team="operations")
    tell_result(scenario, solved, compensation={"amount": "12.50", "currency": "CNY"})
    tell_result(scenario, late, outcome="not_upheld", compensation={"amount": "3", "currency": "USD"})
    scenario.act(solved, "record_contact", outcome="solved", csat=5, nps=10)
    scenario.act(late, "record_contact", outcome="not_solved", csat=2, nps=3)
    scenario.act(solved, "close", early=True, **TOLD)
    scenario.advance(hours=40)
    found = {"solved": solved, "late": late, "repeat": repeat, "double": double, "appeal": appeal}
    return {name: scenario.load(one) for name, one in found.items()}


@pytest.mark.usefixtures("winter")
def test_groups_sum_to_the_total_and_facts_prove_each_figure(service: Service) -> None:
    """Rules 6.2 and 6.3."""
    follow(service)
    for name, figure in FIGURES.items():
        if figure.measure is not None:
            continue
        for group_by in GroupBy:
            answer = ask(service, name, group_by)
            total = answer.total
            assert sum(one.numerator for one in answer.groups) == total.numerator, (name, group_by)
            if total.denominator is not None:
                assert sum(one.denominator or 0 for one in answer.groups) == total.denominator
            excluded = [one for group in answer.groups for one in group.excluded]
            for why in total.excluded:
                assert sum(one.count for one in excluded if one.reason == why.reason) == why.count
            if group_by in (GroupBy.TEAM, GroupBy.WEEK):
                shown = [*((one, False) for one in answer.groups), (total, True)]
                for group, is_total in shown:
                    count, added = sum_rows(service, answer, group, is_total=is_total)
                    expected = count if figure.kind is ValueKind.MEDIAN else added
                    assert expected == group.numerator, (name, group_by, group)


@pytest.mark.usefixtures("winter")
def test_each_figure_has_its_value(service: Service) -> None:
    """Rules 6.4 to 6.22: the values that a person counts in the scenario."""
    follow(service)
    expected = {
        "inflow": (6, None, {"merged": 1}),
        "response_rate": (2, 3, {"merged": 1, "imported_history": 2, "cancelled": 1}),
        "resolution_rate": (2, 2, {"merged": 1, "imported_history": 2, "cancelled": 1, "not_yet_due": 1}),
        "first_contact_resolution": (0, 2, {"imported_history": 1}),
        "repeat_rate": (1, 6, {"merged": 1}),
        "reopen_rate": (0, 2, {}),
        "backlog": (2, None, {}),
        "omissions": (0, None, {}),
        "csat": (1, 2, {}),
        "nps": (0, 2, {}),
        "closed_loop_rate": (1, 1, {"imported_history": 1}),
        "follow_up_rate": (0, 0, {"cancelled": 2}),
        "upheld_rate": (2, 3, {}),
        "compensation": (Decimal("12.5"), None, {"no_compensation": 1, "other_currency": 1}),
        "time_to_result": (3, None, {}),
        "transfers": (1, None, {}),
        "first_responsibility_breaches": (1, None, {"not_handed_over": 1}),
        "weak_points": (6, None, {"merged": 1}),
    }
    found = {}
    for name in expected:
        total = ask(service, name).total
        found[name] = (total.numerator, total.denominator, {one.reason: one.count for one in total.excluded})
    assert found == expected


def test_rule_6_35_an_assumed_outcome_is_left_out_of_the_upheld_rate_alone(scenario: Scenario) -> None:
    assumed, named = scenario.post(), scenario.post()
    scenario.resolve_assumed(assumed)
    scenario.act(assumed, "notify_result", **TOLD)
    tell_result(scenario, named, outcome="not_upheld")
    follow(scenario.service)

    def total(name: str) -> tuple[Any, ...]:
        found = ask(scenario.service, name).total
        return found.numerator, found.denominator, {one.reason: one.count for one in found.excluded}

    assert total("upheld_rate") == (0, 1, {"outcome_assumed": 1})
    assert total("time_to_result") == (2, None, {})
    parts = ask(scenario.service, "upheld_rate").total.parts
    assert parts == {"upheld": 0, "partly_upheld": 0, "not_upheld": 1}
    wanted = WantedRows(ask(scenario.service, "upheld_rate").request, Side.DENOMINATOR)
    [[row]] = _pages(scenario.service, wanted)
    assert row.number == number_of(named.sequence)

    scenario.act(assumed, "reopen", reason="Was it right?")
    tell_result(scenario, assumed)
    follow(scenario.service)
    assert total("upheld_rate") == (1, 2, {"outcome_assumed": 1})  # the first result stays as it was told


@pytest.mark.new_database
@pytest.mark.usefixtures("winter")
def test_a_past_backlog_reads_only_what_was_open(service: Service) -> None:
    """Rule 6.13: by two ranges of indexes, however many complaints had ended before."""
    follow(service)
    with count_statements(service) as executed:
        ask(service, "backlog")
    statement, bound = next(one for one in executed if "figure_fact" in one[0])
    explain = "EXPLAIN" if service.database.is_postgresql else "EXPLAIN QUERY PLAN"
    with service.database.engine.connect() as connection:
        if service.database.is_postgresql:  # over so few rows the planner takes what it likes
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
            connection.exec_driver_sql("DROP INDEX ix_figure_fact__day")
        plan = str(connection.exec_driver_sql(f"{explain} {statement}", bound).all())
        connection.rollback()
    for index in ("ix_figure_fact__open", "ix_figure_fact__until_day"):
        assert index in plan
    if not service.database.is_postgresql:
        assert "ix_figure_fact__day" not in plan
        assert "until_day>" in plan


@pytest.mark.usefixtures("winter")
def test_percentiles_of_groups_and_of_all_are_read_once(service: Service) -> None:
    """Rule 6.9: one statement sums the facts, and one ranks them."""
    follow(service)
    with count_statements(service) as executed:
        answer = ask(service, "time_to_result", GroupBy.TEAM)
    assert len([one for one in executed if "FROM figure_fact" in one[0].replace("\n", "")]) == 2
    assert answer.total.parts.keys() == answer.groups[0].parts.keys() == {"p80", "p90"}


def _rows_of_facts(service: Service) -> list[Any]:
    statement = select(figure_fact).order_by(*figure_fact.primary_key)
    return [tuple(row) for row in service.read(lambda tx: tx.connection.execute(statement).all())]


def test_a_rebuild_that_was_cut_off_goes_on_and_gives_the_same_facts(
    service: Service, winter: dict[str, Complaint], scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rule 6.26. Facts that were lost come back, and facts that the follower writes meanwhile are not set back."""
    follow(service)
    kept = _rows_of_facts(service)
    service.write(lambda tx: tx.connection.execute(figure_fact.delete()))
    assert rebuild_facts(service, limit=2) == 2
    write, calls = keeping.figure_fact.insert_facts, []

    def die(*arguments: Any) -> None:
        write(*arguments)
        calls.append(arguments)
        if len(calls) == 2:
            raise RuntimeError("killed")

    monkeypatch.setattr(keeping.figure_fact, "insert_facts", die)
    with pytest.raises(RuntimeError, match="killed"):
        finish_rebuild(service, limit=2)
    monkeypatch.undo()
    assert 0 < len(_rows_of_facts(service)) < len(kept)
    scenario.act(winter["appeal"], "reopen", reason="Still there.")
    follow(service)
    finish_rebuild(service, limit=2)
    rebuilt = _rows_of_facts(service)
    service.write(lambda tx: tx.connection.execute(figure_fact.delete()))
    finish_rebuild(service, limit=1_000)
    assert _rows_of_facts(service) == rebuilt
    others = [row for row in kept if row[0] != winter["appeal"].id]
    assert [row for row in rebuilt if row[0] != winter["appeal"].id] == others


def test_a_rebuild_takes_changes_along_and_gives_way_to_another(
    service: Service, winter: dict[str, Complaint], scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rule 6.26. What happens between reading and writing is not lost. Of two rebuilds, one stops and says so."""
    follow(service)
    fold, kept = rebuilding._fold, []

    def fold_early(*arguments: Any) -> FoldedWindow:
        folded = fold(*arguments)
        scenario.act(winter["appeal"], "reopen", reason="Still there.")
        follow(service)
        kept.append(_rows_of_facts(service))
        return folded

    with monkeypatch.context() as patched:
        patched.setattr(rebuilding, "_fold", fold_early)
        assert rebuild_facts(service, limit=1_000) > 0
    assert [_rows_of_facts(service)] == kept
    finish_rebuild(service, limit=1_000)

    monkeypatch.setattr(rebuilding, "WINDOW", 5)
    ours = rebuild_all(service, processes=1)
    assert next(ours) == 5
    assert rebuild_facts(service, limit=5) == 5
    with pytest.raises(RebuildTaken, match="Another process"):
        next(ours)
    finish_rebuild(service, limit=1_000)
    assert [_rows_of_facts(service)] == kept


@pytest.mark.usefixtures("winter")
def test_a_rebuild_makes_all_facts_of_a_database_that_was_never_served(service: Service) -> None:
    """Rule 6.26."""
    assert sum(rebuild_all(service)) > 0
    assert service.read(keeping.count_waiting) == 0
    kept = _rows_of_facts(service)
    assert kept
    follow(service)
    finish_rebuild(service, limit=1_000)
    assert _rows_of_facts(service) == kept


def test_the_same_events_twice_change_nothing(service: Service, winter: dict[str, Complaint]) -> None:
    """Rule 6.25."""
    follow(service)
    kept = _rows_of_facts(service)
    service.write(
        lambda tx: tx.connection.exec_driver_sql("UPDATE follower SET after = 3 WHERE name = 'reports'")
    )
    follow(service)
    assert _rows_of_facts(service) == kept


def test_facts_wait_while_deadlines_are_late(service: Service, scenario: Scenario) -> None:
    """Rule 6.25."""
    while keep_facts_after_sweep(service):
        pass
    scenario.post()
    scenario.jump(hours=13)
    assert keep_facts_after_sweep(service) == 0
    scenario.advance(seconds=1)
    assert keep_facts_after_sweep(service) > 0


def test_a_complaint_with_a_spoilt_history_stops_no_figure(
    service: Service, winter: dict[str, Complaint], scenario: Scenario, client: ApiClient
) -> None:
    """Rule 6.25. Events that wait are a measure, `check` names the complaint without facts, a rebuild makes them."""
    assert client.get("/readyz").json()["figures_waiting"] > 0
    follow(service)
    whole = ask(service, "inflow").total.numerator
    assert service.read(keeping.count_waiting) == 0 == len([*check_facts(service)])
    spoilt = winter["late"]
    first = (event.c.complaint_id == spoilt.id) & (event.c.ordinal == 1)
    data = service.read(lambda tx: tx.connection.execute(select(event.c.data).where(first)).scalar_one())

    def write(text: str) -> None:
        service.write(lambda tx: tx.connection.execute(event.update().where(first).values(data=text)))

    write('{"changes": {}}')
    patch(service, spoilt, subject="Still no refund.", region="south")
    scenario.post()
    follow(service)
    assert ask(service, "inflow").total.numerator == whole  # one more, and the spoilt one less
    assert [(one.invariant, one.number) for one in check_facts(service)] == [
        ("figures complete", number_of(spoilt.sequence))
    ]
    write(data)
    finish_rebuild(service, limit=1_000)
    assert ask(service, "inflow").total.numerator == whole + 1
    assert not [*check_facts(service)]


def test_a_repeat_is_found_by_receipt_and_taken_back(service: Service, scenario: Scenario) -> None:
    """Rule 6.6: whatever the order of recording; a merged complaint takes no part."""

    def repeats() -> set[str]:
        return {str(row.complaint_id) for row in _facts("received") if row.repeat_of}

    def _facts(kind: str) -> Any:
        statement = select(figure_fact).where(figure_fact.c.kind == kind)
        return service.read(lambda tx: tx.connection.execute(statement).all())

    outage = {"category": "network.outage", **ANN}
    late = scenario.post(**outage)
    follow(service)
    assert repeats() == set()
    early = scenario.post(**outage, received_at="2025-12-20T00:00:00Z")
    scenario.post(**outage, received_at="2025-11-01T00:00:00Z")
    follow(service)
    assert repeats() == {str(late.id)}
    patch(service, early, category="billing.refund")
    follow(service)
    assert repeats() == set()
    patch(service, early, category="network.outage")
    follow(service)
    assert repeats() == {str(late.id)}
    patch(service, early, complainant=BOB["complainant"])
    follow(service)
    assert repeats() == set()


def test_a_shared_mark_makes_no_repeat_if_a_stronger_one_differs(
    service: Service, scenario: Scenario
) -> None:
    """Rules 5.8 and 6.6: the account number decides if both have it, then the phone number, then the address."""
    agency = {"email": "desk@agency.example"}
    posts = [
        scenario.post(category="network.outage", complainant=agency | own)
        for own in (
            {"account_no": "A1"},
            {"account_no": "A2"},
            {"phone": "+8613912345678"},
            {},
            {"account_no": "A2"},
        )
    ]
    follow(service)
    statement = select(figure_fact.c.complaint_id, figure_fact.c.repeat_of).where(
        figure_fact.c.kind == "received"
    )
    found = {row[0]: row[1] for row in service.read(lambda tx: tx.connection.execute(statement).all())}
    places = {one.id: n for n, one in enumerate(posts)} | {None: None}
    assert {places[one]: places[other] for one, other in found.items()} == {
        0: None,
        1: None,
        2: 1,
        3: 2,
        4: 3,
    }


def test_the_api_answers_json_csv_and_xlsx_alike(
    service: Service, winter: dict[str, Complaint], client: ApiClient
) -> None:
    """Rules 6.2 and 6.27: the members of the answer, and one table in three formats. `as_of` is their cursor."""
    before = client.get("/v1/reports/inflow", params=WINTER).json()
    assert (before["total"]["value"], before["groups"]) == (0, [])
    follow(service)
    query = WINTER | {"group_by": "team"}
    shown = client.get("/v1/reports/response_rate", params=query).json()
    assert {name: shown[name] for name in ("figure", "formula_version", "from", "to", "zone", "unit")} == {
        "figure": "response_rate", "formula_version": 1, "from": WINTER["from"], "to": WINTER["to"],
        "zone": "Asia/Shanghai", "unit": "share",
    }  # fmt: skip
    assert set(shown["formula"]) == {"en", "zh"}
    feed = client.get("/v1/changes", params={"limit": 200}).json()
    assert shown["as_of"] == feed["next_cursor"] != before["as_of"]
    tables = [
        client.get("/v1/reports/response_rate", params=query | {"format": name}) for name in ("csv", "xlsx")
    ]
    tables.append(client.get("/v1/reports/response_rate", params=query, headers={"Accept": "text/csv"}))
    assert tables[0].content == tables[2].content
    assert {one.headers["X-Feed-Cursor"] for one in tables} == {shown["as_of"]}
    sheet = openpyxl.load_workbook(io.BytesIO(tables[1].content)).worksheets[0]
    cells = [[text_of(cell.value) for cell in row] for row in sheet.iter_rows()]
    lines = list(csv.reader(io.StringIO(tables[0].text, newline="")))
    assert cells == lines
    groups = [*shown["groups"], shown["total"]]
    columns = dict(zip(lines[0], zip(*lines[1:], strict=True), strict=True))
    for name in ("key", "value", "numerator", "denominator"):
        assert list(columns[name]) == [text_of(one[name]) for one in groups]
    assert columns["row"] == (*("group",) * len(shown["groups"]), "total")
    for group in groups:
        for side in ("numerator", "denominator"):
            items = client.get(group["rows"][side]).json()["items"]
            assert sum(one["value"] for one in items) == group[side]
    address = shown["total"]["rows"]["denominator"] + "&limit=2"
    first = client.get(address).json()
    second = client.get(f"{address}&cursor={first['next_cursor']}").json()
    assert (len(first["items"]), len(second["items"]), second["next_cursor"]) == (2, 1, None)


BAD_REQUESTS: list[tuple[str, dict[str, str], int, str]] = [
    ("/respons_rate", WINTER, 404, "did you mean 'response_rate'?"),
    ("/respons_rate/rows", WINTER, 404, "did you mean"),
    ("/inflow", WINTER | {"colour": "red"}, 400, "colour"),
    ("/inflow", {"to": "2026-01-01"}, 422, "from"),
    ("/inflow", {"from": "2026-01-01", "to": "2026-01-01"}, 422, "to"),
    ("/inflow", {"from": "2026-02-30", "to": "2026-03-01"}, 422, "from"),
    ("/inflow", {"from": "1767225600", "to": "2026-03-01"}, 422, "from: must be a date, as YYYY-MM-DD"),
    ("/inflow", {"from": "2020-01-01", "to": "2026-01-01"}, 422, "1461"),
    ("/inflow", WINTER | {"group_by": "mood"}, 422, "group_by"),
    ("/inflow", WINTER | {"team": "nobody"}, 422, "team"),
    ("/inflow", WINTER | {"priority": "uregnt"}, 422, "urgent"),
    ("/inflow/rows", WINTER | {"group": "x"}, 422, "group_by"),
    ("/inflow/rows", WINTER | {"group_by": "week", "group": "2026-60"}, 422, "week"),
    ("/inflow/rows", WINTER | {"group_by": "month", "group": "2026-13"}, 422, "month"),
    ("/inflow/rows", WINTER | {"side": "left"}, 422, "side"),
    ("/inflow/rows", WINTER | {"side": "denominator"}, 422, "side"),
    ("/time_to_result/rows", WINTER | {"side": "denominator"}, 422, "side"),
    ("/appeals_per_million_users/rows", WINTER | {"side": "denominator"}, 422, "side"),
    ("/inflow/rows", WINTER | {"cursor": "bm9wZQ"}, 400, "cursor"),
    ("/inflow/rows", WINTER | {"cursor": FAR_CURSOR}, 400, "cursor"),
    ("/appeals_per_million_users", WINTER, 409, "users"),
    ("/complaints_per_10000_services", WINTER, 409, "services"),
]  # fmt: skip


def test_a_bad_request_is_refused_by_name(client: ApiClient, subtests: pytest.Subtests) -> None:
    """Rule 6.29."""
    for path, query, status, named in BAD_REQUESTS:
        with subtests.test(f"{path} {query}"):
            answer = client.get(f"/v1/reports{path}", params=query)
            assert (answer.status_code, named in answer.text) == (status, True), answer.text
            assert answer.headers["content-type"] == "application/problem+json"


def test_a_figure_has_the_complaints_within_the_scope_of_the_caller(
    service: Service, winter: dict[str, Complaint], scenario: Scenario, client: ApiClient
) -> None:
    """Rules 6.24 and 7.3."""
    follow(service)
    ann_joins = {"login": "ann", "name": "Ann", "roles": ["agent"], "teams": ["operations"]}
    assert client.post("/v1/users", json=ann_joins).status_code == 201
    ann = scenario.key(AccessRole.AGENT, login="ann")
    query = WINTER | {"group_by": "team"}
    whole = client.get("/v1/reports/inflow", params=query).json()
    own = client.get("/v1/reports/inflow", params=query, headers=ann).json()
    assert len(whole["groups"]) > 1
    assert [one["numerator"] for one in own["groups"]] == [
        one["numerator"] for one in whole["groups"] if one["key"] == "operations"
    ]
    rows = client.get("/v1/reports/inflow/rows", params=WINTER, headers=ann).json()["items"]
    assert len(rows) == own["total"]["value"] < whole["total"]["value"]
    partner = scenario.key(AccessRole.INTAKE)
    assert client.get("/v1/reports/inflow", params=WINTER, headers=partner).status_code == 403
    mine = client.get("/v1/reports/inflow", params=WINTER | {"first_owner": "me"}, headers=ann).json()
    assert mine["total"]["value"] == 0


def test_exposures_are_averaged_over_the_days(
    service: Service, winter: dict[str, Complaint], client: ApiClient
) -> None:
    """Rules 6.17 and 6.28."""
    follow(service)

    def put(**members: Any) -> Any:
        return client.put("/v1/reports/exposures", json={"measure": "services", "source": "CRM", **members})

    january = {"from": "2026-01-01", "to": "2026-02-01"}
    assert put(**{"from": "2026-01-01", "value": 100}).status_code == 200
    assert put(**{"from": "2026-01-01", "value": 1000}).json()["value"] == 1000
    put(**{"from": "2026-01-17", "value": 3000})
    path = "/v1/reports/complaints_per_10000_services"
    total = client.get(path, params=january).json()["total"]
    average = Decimal(1000 * 16 + 3000 * 15) / 31
    assert total["denominator"] == float(round(average, 6))
    assert total["value"] == float(round(4 * 10_000 / Decimal(str(total["denominator"])), 6))
    assert client.get(path, params=WINTER).status_code == 409
    users = {"measure": "users", "from": "2026-01-01", "value": 10, "group": "east"}
    assert put(**users).status_code == 200
    appeals = "/v1/reports/appeals_per_million_users"
    # The number of one region is not that of all.
    assert client.get(appeals, params=january).status_code == 409
    assert client.get(appeals, params=january | {"group_by": "region"}).json()["total"]["denominator"] is None
    put(**{"from": "2026-01-01", "value": 10, "group": "east"})
    by_region = client.get(path, params=january | {"group_by": "region"}).json()
    values = {one["key"]: (one["denominator"], one["value"]) for one in by_region["groups"]}
    assert values == {"east": (10, 2000), "west": (None, None), None: (None, None)}
    assert client.get(path, params=january | {"region": "east"}).json()["total"]["denominator"] == 10
    twice = client.get(path, params=january | {"region": ["east", "east"]}).json()
    assert twice["total"]["denominator"] == 10
    put(**{"from": "2026-01-01", "value": 40, "group_by": "category", "group": "network"})
    for asked in (["network"], ["network", "network.outage"]):
        of_parent = client.get(path, params=january | {"category": asked}).json()
        assert of_parent["total"]["denominator"] == 40
    by_week = client.get(path, params=january | {"group_by": "week"}).json()
    assert [one["denominator"] for one in by_week["groups"]] == [1000]
    assert len(client.get("/v1/reports/exposures").json()["items"]) == 5
    for bad in (
        {"from": "1767225600"},
        {"value": -1},
        {"measure": "cats"},
        {"group_by": "day", "group": "x"},
        {"group_by": "team"},
    ):
        assert put(**{"from": "2026-01-01", "value": 1, **bad}).status_code == 422, bad
