"""Pages of complaint lists in SQL: the index that serves each, and the number of statements."""

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from itertools import product
from random import Random
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert, select, text

from complaints.domain.complaint.facts import Complaint
from complaints.domain.complaint.search_terms import (
    full_query,
    index_terms,
    name_query,
    person_terms,
    query_terms,
)
from complaints.domain.rules.intake import NewComplaint
from complaints.domain.scope import Scope, ScopeKind
from complaints.domain.vocabulary import Channel, DeadlineKind, DeadlineStatus, Priority, Severity, Status
from complaints.storage.database.bulk import Inserts
from complaints.storage.database.look_ups import look_up
from complaints.storage.database.transactions import Transaction
from complaints.storage.load import ask_for_registrations
from complaints.storage.queries import complaint_lists, complaint_search
from complaints.storage.queries.complaint_filters import Filters, Order, SortKey
from complaints.storage.queries.complaint_lists import ComplaintSlice, find_page
from complaints.storage.queries.due_counts import count_overdue
from complaints.storage.queries.list_order import ListPosition
from complaints.storage.rows import search
from complaints.storage.rows.complaint import complaint, complaint_tag
from complaints.storage.rows.configuration import policy
from complaints.storage.rows.deadline import deadline
from complaints.storage.rows.person import person
from complaints.use_cases.access import SYSTEM
from complaints.use_cases.complaints import lists
from complaints.use_cases.complaints.filters import ComplaintFilter
from complaints.use_cases.service import Service
from complaints.use_cases.upkeep.health import count_work, examine
from complaints.wiring import new_id, wall_now
from tests.conftest import DATABASE_KINDS, Databases
from tests.support import START, Scenario, count_statements, opened_service

ROWS = 2_000
OVERDUE = Order(SortKey.NEXT_DUE_AT)
NEWEST = Order(SortKey.RECEIVED_AT, descending=True)
TEAMS = ("operations", "customer_service", "management")


@pytest.fixture(scope="module", params=DATABASE_KINDS)
def filled(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    migrated_template: Callable[[str], str],
) -> Iterator[Service]:
    """Two thousand complaints: one in five open, one in ten overdue. The tests only read them."""
    databases = Databases(tmp_path_factory.mktemp("filled"), request.config)
    url = databases.make(request.param, template=migrated_template(request.param))
    with opened_service(url) as service:
        service.write(_fill)
        if service.database.is_postgresql:
            with service.database.engine.begin() as connection:
                connection.execute(text("ANALYZE"))
        yield service
    databases.drop_all()


def _fill(tx: Transaction) -> None:
    code, version = tx.connection.execute(select(policy.c.code, policy.c.version)).first() or ("", 0)
    rows = [_row(n, code, version) for n in range(1, ROWS + 1)]
    tx.connection.execute(insert(complaint), rows)
    open_rows = [row for row in rows if row["overdue_after_at"]]
    tx.connection.execute(insert(deadline), [_clock(row) for row in open_rows])
    late = {
        "status": DeadlineStatus.MET_LATE,
        "due_at": START - timedelta(hours=2),
        "breached_at": START - timedelta(hours=2),
        "met_at": START,
    }
    tx.connection.execute(insert(deadline), [_clock(rows[6]) | late])
    people = [
        {
            "complaint_id": row["id"],
            "role": "complainant",
            "account_no": f"A{row['sequence']}",
            "phone_e164": f"+861380000{row['sequence']:04d}",
            "email_normal": f"u{row['sequence']}@example.com",
            "vulnerable": False,
        }
        for row in rows
    ]
    tx.connection.execute(insert(person), people)
    tx.connection.execute(
        insert(complaint_tag), [{"complaint_id": row["id"], "tag": f"t{row['sequence']}"} for row in rows]
    )
    inserts = Inserts(tx)
    terms = [
        (
            n := row["sequence"],
            [
                *index_terms(f"网络 word{n} third{n % 3} rest{n % 41}{' old' if n < 300 else ''}"),
                *person_terms(name=f"person{n}", contacts=(), phones=[f"+861380000{n:04d}"]),
            ],
        )
        for row in rows
    ]
    search.index_terms(tx, inserts, terms)
    inserts.write()


def _row(n: int, policy_code: str, policy_version: int) -> dict[str, Any]:
    received_at = START - timedelta(hours=ROWS - n)
    is_open = n > 1_600
    due_at = START + timedelta(hours=n - 1_800) if is_open else None
    return {
        "id": new_id(),
        "sequence": n,
        "version": 1,
        "status": Status.RECEIVED if is_open else Status.CLOSED if n % 2 else Status.WITHDRAWN,
        "csat": 1 if n == 7 else None,
        "cycle": 1,
        "channel": Channel.PHONE,
        "subject": f"Complaint {n}",
        "source": "north",
        "external_id": f"E{n}",
        "received_at": received_at,
        "created_at": received_at,
        "updated_at": received_at,
        "severity": Severity.NORMAL,
        "priority": list(Priority)[n % 4],
        "priority_given": False,
        "tags": [],
        "attributes": {},
        "team": TEAMS[n % 3],
        "first_owner": "admin",
        "policy_code": policy_code,
        "policy_version": policy_version,
        "ended_at": None if is_open else START if n == 7 else received_at,
        "next_due_at": due_at,
        "overdue_after_at": due_at,
        "escalation_level": 0,
        "history_count": 0,
        "history_digest": b"",
    }


def _clock(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": new_id(),
        "complaint_id": row["id"],
        "policy_code": row["policy_code"],
        "policy_version": row["policy_version"],
        "kind": DeadlineKind.RESOLUTION,
        "cycle": 1,
        "sequence": 1,
        "attempt": 1,
        "status": DeadlineStatus.RUNNING,
        "started_at": row["received_at"],
        "due_at": row["overdue_after_at"],
        "paused_seconds": 0,
        "level": 0,
        "steps_taken": [],
    }


def _page(
    service: Service, filters: Filters, order: Order, *, after: ListPosition | None = None, limit: int = 50
) -> ComplaintSlice:
    return service.read(lambda tx: find_page(tx, filters, order, after=after, limit=limit))


def _planned_page(
    service: Service, filters: Filters, order: Order, *, after: ListPosition | None = None, limit: int = 50
) -> tuple[ComplaintSlice, str]:
    """A page, and the plan of the database for it."""
    with count_statements(service) as executed:
        page = _page(service, filters, order, after=after, limit=limit)
    return page, _plan(service, *_reading("FROM complaint", executed))


def _reading(what: str, executed: Sequence[tuple[str, Any]]) -> tuple[str, Any]:
    return next(one for one in executed if what in one[0].replace("\n", ""))


def _plan(service: Service, statement: str, bound: Any) -> str:
    with service.database.engine.connect() as connection:
        if not service.database.is_postgresql:
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", bound)
            return "\n".join(row[3] for row in rows)
        return "\n".join(row[0] for row in connection.exec_driver_sql(f"EXPLAIN {statement}", bound))


def _is_sorted_by_hand(plan: str) -> bool:
    return "Sort" in plan or "TEMP B-TREE" in plan


@pytest.mark.parametrize("descending", [False, True])
def test_the_overdue_page_is_read_off_its_index(filled: Service, descending: bool) -> None:
    order = Order(SortKey.NEXT_DUE_AT, descending)
    for team, priority in product((None, "operations"), (None, Priority.URGENT)):
        filters = Filters(overdue=True, team=team, priority=priority)
        first, plan = _planned_page(filled, filters, order, limit=7)
        second, plan_of_second = _planned_page(filled, filters, order, after=first.end, limit=7)

        assert (len(first.complaints), len(second.complaints)) == (7, 7)
        for one in (plan, plan_of_second):
            assert "ix_complaint__overdue" in one
            assert "Seq Scan on complaint" not in one
            assert not _is_sorted_by_hand(one)


def test_a_prepared_plan_serves_the_overdue_page_as_well(filled: Service) -> None:
    """psycopg prepares frequent statements. Their plan is made without the values."""
    if not filled.database.is_postgresql:
        pytest.skip("SQLite always plans without the values")
    filters = Filters(overdue=True, team="operations", priority=Priority.URGENT)
    with count_statements(filled) as executed:
        _page(filled, filters, OVERDUE)
    statement, bound = _reading("FROM complaint", executed)
    with filled.database.engine.connect() as connection:
        connection.exec_driver_sql("SET plan_cache_mode = force_generic_plan")
        cursor = connection.connection.cursor()
        cursor.execute(statement, bound, prepare=True)
        [(name,)] = cursor.execute(
            "SELECT name FROM pg_prepared_statements WHERE statement LIKE '%%ORDER BY complaint.overdue%%'"
        ).fetchall()
        values = ", ".join("NULL" for _ in bound)
        rows = cursor.execute(f'EXPLAIN EXECUTE "{name}" ({values})').fetchall()
    plan = "\n".join(row[0] for row in rows)
    assert "ix_complaint__overdue" in plan
    assert not _is_sorted_by_hand(plan)


def test_what_belongs_to_a_page_is_found_by_indexes(filled: Service) -> None:
    """No statement of the page scans a table that grows."""
    filled.read(filled.configuration)
    with filled.database.read() as tx, count_statements(filled) as executed:
        views, _ = lists.list_complaints(
            filled, tx, SYSTEM, ComplaintFilter(overdue=True), OVERDUE, after=None, limit=2
        )
    plans = [_plan(filled, *one) for one in executed]
    assert len(views) == 2
    assert len(plans) == 3
    for plan in plans:
        assert not re.search(r"(?m)^SCAN (complaint|deadline|party|link)\b|Seq Scan", plan), plan


def test_what_probes_ask_is_answered_by_indexes(filled: Service) -> None:
    """Anybody may ask /readyz and /metrics, so they must not cost more as the tables grow."""
    filled.read(filled.configuration)
    with count_statements(filled) as executed:
        examine(filled, wall_now)
        count_work(filled)
    plans = [_plan(filled, *one) for one in executed if "FROM complaint" in one[0]]
    indexes = ("ix_complaint__parked", "ix_complaint__overdue", "ix_complaint__status_received")
    assert len(plans) == 3
    for index, plan in zip(indexes, plans, strict=True):
        assert index in plan
        assert "Seq Scan" not in plan


def test_words_are_planned_for_each_time(filled: Service) -> None:
    """A prepared plan does not know the words. For a rare word it would scan all complaints."""
    if not filled.database.is_postgresql:
        pytest.skip("SQLite always plans without the values")
    terms = tuple(query_terms("word7 it's 100% 漏水"))
    with count_statements(filled) as executed:
        _page(filled, Filters(terms=terms), NEWEST)
    statement, bound = _reading("FROM complaint", executed)
    assert all(term.text in statement for term in terms)
    assert not bound


@pytest.mark.parametrize(
    "scope",
    [Scope.sources(["north"]), Scope.teams(["operations"]), Scope.teams(["operations", "management"])],
)
def test_a_scope_leaves_the_order_to_its_index(filled: Service, scope: Scope) -> None:
    for filters, order, index in (
        (Filters(overdue=True, scope=scope), OVERDUE, "ix_complaint__overdue"),
        (Filters(scope=scope), NEWEST, "received"),
    ):
        page, plan = _planned_page(filled, filters, order, limit=7)
        assert len(page.complaints) == 7
        assert all(map(scope.admits, page.complaints))
        assert index in plan
        assert not _is_sorted_by_hand(plan)


def test_every_order_is_read_off_its_index(filled: Service) -> None:
    indexes = {
        SortKey.RECEIVED_AT: "ix_complaint__received",
        SortKey.NEXT_DUE_AT: "ix_complaint__next_due",
        SortKey.PRIORITY: "ix_complaint__priority",
    }
    for (key, index), descending in product(indexes.items(), (False, True)):
        order = Order(key, descending)
        first, plan = _planned_page(filled, Filters(), order)
        _, plan_of_second = _planned_page(filled, Filters(), order, after=first.end)
        for one in (plan, plan_of_second):
            assert index in one
            assert not _is_sorted_by_hand(one)


def test_filters_by_few_values_leave_the_order_to_its_index(filled: Service) -> None:
    for filters in (
        Filters(team="operations"),
        Filters(team="nobody's"),
        Filters(priority=Priority.URGENT),
        Filters(statuses=(Status.RECEIVED, Status.WITHDRAWN)),
        Filters(statuses=(Status.RECEIVED,), team="management"),
    ):
        page, plan = _planned_page(filled, filters, NEWEST)
        assert len(page.complaints) == (0 if filters.team == "nobody's" else 50)
        assert "received" in plan
        assert not _is_sorted_by_hand(plan)


@pytest.mark.parametrize(
    ("filters", "index"),
    [
        (Filters(sequence=7), "sequence"),
        (Filters(plain={"external_id": "E7"}), "uq_complaint__external_id__source"),
        (Filters(plain={"external_id": "E7"}, source="north"), "uq_complaint__external_id__source"),
        (Filters(account_nos=("A7",)), "ix_party__account_no"),
        (Filters(phone_e164="+8613800000007"), "ix_party__phone_e164"),
        (Filters(account_nos=("A7", "Ａ7")), "ix_party__account_normal"),
        (Filters(phone_e164="+8613800000007", phone_extension="12"), "ix_party__phone_e164"),
        (Filters(email="u7@example.com"), "ix_party__email_normal"),
        (Filters(closed_from=START), "ix_complaint__ended"),
        (Filters(csat_max=2), "ix_complaint__csat"),
        (Filters(met_late=True), "ix_deadline__met_late"),
        (Filters(terms=tuple(name_query("person7"))), "complaint_search"),
        (Filters(terms=tuple(full_query("person7 138 0000 0007", region="CN"))), "complaint_search"),
        (Filters(tag="t7"), "ix_complaint_tag__tag__complaint_id"),
        (Filters(terms=tuple(query_terms("word7"))), "complaint_search"),
    ],
)
def test_what_names_one_complaint_is_found_by_an_index(filled: Service, filters: Filters, index: str) -> None:
    with count_statements(filled) as executed:
        found = _page(filled, filters, NEWEST)
    plan = _plan(filled, *_reading("FROM complaint", executed))

    assert [one.subject for one in found.complaints] == ["Complaint 7"]
    assert index in plan
    assert "Seq Scan" not in plan
    assert not re.search(r"^SCAN complaint$", plan, re.MULTILINE)


_WORDS = (
    "网络", "网", "third1", "third2", "rest7", "old", "word1999", "nowhere", "third1 third2", "网络 third2 rest7",
    "old third0", "person1500", "C-1",
)  # fmt: skip
_ASKED: tuple[dict[str, Any], ...] = (
    {"team": "operations"}, {"priority": Priority.URGENT}, {"statuses": (Status.RECEIVED, Status.CLOSED)},
    {"statuses": (Status.WITHDRAWN,)}, {"overdue": True}, {"overdue": False}, {"source": "south"},
    {"source": "north"}, {"first_owner": "admin"}, {"unassigned": True}, {"met_late": False}, {"met_late": True},
    {"received_from": START - timedelta(hours=700)}, {"received_to": START - timedelta(hours=1_800)},
    {"due_before": START + timedelta(hours=50)}, {"account_nos": ("A7", "A1805")}, {"tag": "t1900"},
    {"plain": {"channel": Channel.PHONE}}, {"categories": ("billing",)}, {"attributes": {"area": "1"}},
    {"deadline_kind": DeadlineKind.RESOLUTION}, {"csat_max": 3}, {"cycle_min": 1}, {"updated_from": START},
    {"scope": Scope.teams(["operations"])}, {"scope": Scope.teams(["operations", "management"])},
    {"scope": Scope.sources(["north"])}, {"scope": Scope.own(ScopeKind.ASSIGNEE, "admin")},
    {"scope": Scope.own(ScopeKind.FIRST_OWNER, "admin")}, {"scope": Scope.own(ScopeKind.RECIPIENT, "admin")},
)  # fmt: skip


@pytest.mark.parametrize("first_walk", [3, 60])
def test_a_search_in_turns_finds_what_one_statement_finds(
    filled: Service, monkeypatch: pytest.MonkeyPatch, first_walk: int
) -> None:
    """Page by page: the same complaints in the same order, with the same cursors between. Counts are the same too."""
    random = Random(first_walk)
    monkeypatch.setattr(complaint_search, "_FIRST_WALK", first_walk)
    for _ in range(25):
        asked: dict[str, Any] = {}
        for members in random.sample(_ASKED, random.choice((0, 0, 1, 1, 2, 3))):
            asked |= members
        terms = tuple(full_query(random.choice(_WORDS), region=random.choice((None, "CN"))))
        filters = Filters(**asked, terms=terms)
        order = Order(random.choice(list(SortKey)), random.random() < 0.5)
        limit = random.choice((1, 7, 60, 500))
        pages, count = _pages(filled, filters, order, limit=limit), _count(filled, filters, most=limit)
        with monkeypatch.context() as patch:
            patch.setattr(complaint_lists, "find_searched", complaint_lists._listed)
            assert pages == _pages(filled, filters, order, limit=limit), (filters, order, limit)
        assert count == len(pages[0].complaints)


def _count(service: Service, filters: Filters, *, most: int) -> int:
    return service.read(lambda tx: complaint_lists.count_complaints(tx, filters, most=most))


def _pages(service: Service, filters: Filters, order: Order, *, limit: int) -> list[ComplaintSlice]:
    """The first pages of a list: the complaints of each, and the position at its end."""
    pages: list[ComplaintSlice] = []
    while len(pages) < 4 and (not pages or pages[-1].end is not None):
        after = pages[-1].end if pages else None
        pages.append(_page(service, filters, order, after=after, limit=limit))
    return pages


def test_the_ways_of_a_search_leave_no_choice_to_the_planner(
    filled: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL takes words that stand together for rare, and words that never do for frequent."""
    monkeypatch.setattr(complaint_search, "_FIRST_WALK", 5)
    filters = Filters(terms=tuple(query_terms("rest7 third2 old")))
    with count_statements(filled) as executed:
        assert len(_page(filled, filters, NEWEST, limit=3).complaints) == 2
    walk, end, entries, in_order, *_ = (_plan(filled, *one) for one in executed if "complaint" in one[0])
    assert "ix_complaint__received" in walk
    assert "ix_complaint__received" in end
    if filled.database.is_postgresql:
        assert "pk_complaint_search" in walk
        assert "ix_complaint_search__terms" in entries
    else:
        assert "VIRTUAL TABLE INDEX" in walk
        assert "VIRTUAL TABLE INDEX" in entries
    assert re.search(r"uq_complaint__sequence|sqlite_autoindex_complaint_2 \(sequence=\?\)", in_order)


def test_what_was_posted_before_is_found_by_an_index(filled: Service) -> None:
    in_force = filled.read(filled.configuration).policy_at(START)
    new = [
        NewComplaint(
            channel=Channel.PHONE,
            subject="No signal",
            source=source,
            external_id=external_id,
            received_at=START,
            policy=in_force,
            actor="key:test",
        )
        for source, external_id in (("north", "E7"), ("north", "E8"), ("south", "E9"))
    ]
    with filled.database.begin() as tx, count_statements(filled) as executed:
        known, known_too, number = look_up(tx, ask_for_registrations(new)).received
    assert isinstance(known, UUID)
    assert isinstance(known_too, UUID)
    assert isinstance(number, int)
    plan = _plan(filled, *_reading("FROM complaint", executed))
    assert "uq_complaint__external_id__source" in plan
    assert "Seq Scan" not in plan


def test_a_page_takes_few_statements_whatever_its_size(filled: Service) -> None:
    filled.read(filled.configuration)
    for key, limit in product(SortKey, (2, 200)):
        with filled.database.read() as tx, count_statements(filled) as executed:
            views, end = lists.list_complaints(
                filled, tx, SYSTEM, ComplaintFilter(), Order(key), after=None, limit=limit
            )
        assert len(views) == limit
        assert len(executed) <= 6
        assert end is not None


def test_the_page_between_due_and_not_due_takes_few_statements_too(filled: Service) -> None:
    filled.read(filled.configuration)
    order = Order(SortKey.NEXT_DUE_AT)
    after = _page(filled, Filters(), order, limit=350).end
    with filled.database.read() as tx, count_statements(filled) as executed:
        views, _ = lists.list_complaints(filled, tx, SYSTEM, ComplaintFilter(), order, after=after, limit=100)
    assert [one.members["next_due_at"] is None for one in views] == [False] * 50 + [True] * 50
    assert len(executed) <= 6


def test_one_complaint_takes_few_statements(filled: Service) -> None:
    filled.read(filled.configuration)
    [one] = _page(filled, Filters(sequence=1_900), NEWEST).complaints
    with filled.database.read() as tx, count_statements(filled) as executed:
        lists.load_view(filled, tx, SYSTEM, str(one.id))
    assert len(executed) <= 6


def test_pages_together_are_the_whole_list_in_order(filled: Service) -> None:
    filters = Filters(received_from=START - timedelta(hours=500))
    for key, descending in product(SortKey, (False, True)):
        found = _walk(filled, Order(key, descending), filters, limit=137)
        ranks = [rank for one in found if (rank := _rank(one, key)) is not None]

        assert len(found) == len({one.id for one in found}) == 501
        assert ranks == sorted(ranks, reverse=descending)
        assert all(_rank(one, key) is None for one in found[len(ranks) :])


def _walk(service: Service, order: Order, filters: Filters, *, limit: int) -> list[Complaint]:
    found: list[Complaint] = []
    page = _page(service, filters, order, limit=limit)
    found += page.complaints
    while page.end is not None:
        page = _page(service, filters, order, after=page.end, limit=limit)
        found += page.complaints
    return found


def _rank(one: Complaint, key: SortKey) -> float | None:
    if key is SortKey.PRIORITY:
        return list(Priority).index(one.priority)
    at = one.next_due_at if key is SortKey.NEXT_DUE_AT else one.received_at
    return at.timestamp() if at else None


def test_the_summary_counts_by_few_statements_and_indexes(filled: Service) -> None:
    with filled.database.read() as tx, count_statements(filled) as executed:
        summary = lists.summarise_due(filled, tx, SYSTEM, timedelta(hours=24))

    assert len(executed) == 4
    assert summary.by_age == (4, 20, 48, 96, 31)
    assert summary.overdue.total == summary.overdue.by_kind[DeadlineKind.RESOLUTION] == 199
    assert sum(summary.overdue.by_team.values()) == sum(summary.overdue.by_priority.values()) == 199
    assert summary.soon_due.total == summary.soon_due.by_kind[DeadlineKind.RESOLUTION] == 24
    plans = [_plan(filled, *one) for one in executed]
    assert "ix_complaint__overdue" in plans[0]
    assert "ix_deadline__unmet_by_kind" in plans[1]
    assert "ix_complaint__overdue" in plans[2]
    if not filled.database.is_postgresql:  # PostgreSQL decides by how much was vacuumed
        assert "USING COVERING INDEX ix_complaint__overdue" in plans[0]
        assert "USING COVERING INDEX ix_complaint__overdue" in plans[2]


def test_bands_of_age_begin_where_they_say(scenario: Scenario) -> None:
    def ages() -> list[tuple[int, ...]]:
        return scenario.service.read(lambda tx: [one.by_age for one in count_overdue(tx, lists.AGES)])

    scenario.post()
    scenario.jump(hours=24)
    assert ages() == []  # due now is not past due
    scenario.jump(hours=4)
    assert ages() == [(1, 0, 0, 0, 0)]
    scenario.jump(microseconds=1)
    assert ages() == [(0, 1, 0, 0, 0)]
