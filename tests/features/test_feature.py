"""A feature that is registered takes part everywhere; a feature that is not registered takes part nowhere."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from pydantic_settings import BaseSettings
from sqlalchemy import text

from complaints.api.feature import NO_ANNEXES, Annexes, Feature, FeatureLoop, FeatureMeasure
from complaints.api.problems.catalogue import PROBLEMS, render_catalogue
from complaints.domain.vocabulary import EventType
from complaints.features.registry import FEATURES
from complaints.settings import Settings
from complaints.storage.database import migrate
from complaints.storage.database.transactions import Database
from complaints.use_cases.service import Service
from complaints.wiring import NotReady, build_app, build_loops, check, open_annexes
from tests.api_client import ApiClient
from tests.features.category_counts import tables, use_cases
from tests.features.category_counts.feature import FEATURE
from tests.features.category_counts.settings import CountSettings
from tests.features.conftest import url_with_counts
from tests.support import ADMIN_SECRET, Scenario, opened_service

database_url = url_with_counts


@contextmanager
def client(service: Service, annexes: Annexes) -> Iterator[ApiClient]:
    app = build_app(service, Settings(scheduler=False), CollectorRegistry(), annexes)
    with ApiClient(app, headers={"Authorization": f"Bearer {ADMIN_SECRET}"}) as opened:
        yield opened


def find_breaches(service: Service, annexes: Annexes) -> list[tuple[str, str]]:
    found = check(service, annexes, progress=lambda _count: None)
    return [(violation.invariant, violation.message) for violation in found]


def run_loops(service: Service, annexes: Annexes, *, until: Any) -> None:
    loops = build_loops(service, CollectorRegistry(), Settings(), annexes)
    deadline = time.monotonic() + 20
    loops.start()
    try:
        while not until():
            assert time.monotonic() < deadline
            time.sleep(0.02)
    finally:
        loops.stop()


def test_the_routes_answer_and_the_loop_runs(scenario: Scenario, annexes: Annexes) -> None:
    for category in ("network.outage", "network.outage", "billing.wrong_charge"):
        scenario.post(category=category)
    with client(scenario.service, annexes) as api:
        assert api.get("/v1/category-counts").json() == {"counts": {}}
        expected = {"billing.wrong_charge": 1, "network.outage": 2}
        run_loops(
            scenario.service,
            annexes,
            until=lambda: api.get("/v1/category-counts").json() == {"counts": expected},
        )
        assert api.post("/v1/category-counts/reset").status_code == 204
        assert api.get("/v1/category-counts").json() == {"counts": {}}


def test_a_loop_goes_on_at_once_while_there_is_more(service: Service) -> None:
    left, times = [3, 2, 1, 0], []

    def work(_service: Service, _settings: None) -> int:
        times.append(time.monotonic())
        return left.pop(0) if left else 0

    feature = Feature("busy", loops=(FeatureLoop("work", work, seconds=0.5),))
    run_loops(service, Annexes((feature,)), until=lambda: len(times) >= 4)
    assert times[3] - times[0] < 0.4


def test_a_loop_stops_between_batches(service: Service) -> None:
    begun = threading.Event()

    def work(_service: Service, _settings: None) -> int:
        begun.set()
        time.sleep(0.01)
        return 1  # there is always more

    feature = Feature("endless", loops=(FeatureLoop("work", work, seconds=0.1),))
    run_loops(service, Annexes((feature,)), until=begun.is_set)


def test_a_loop_with_much_to_do_gives_way_after_each_round(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On SQLite, a writer that waits looks for the lock only now and then: it would wait until the loop ends."""
    left, done = [3, 2, 1, 0], []
    monkeypatch.setattr(Database, "give_way", lambda _database: done.append("gave way"))

    def work(_service: Service, _settings: None) -> int:
        done.append("worked")
        return left.pop(0) if left else 0

    feature = Feature("busy", loops=(FeatureLoop("work", work, seconds=0.5),))
    run_loops(service, Annexes((feature,)), until=lambda: not left)
    assert done[:7] == ["worked", "gave way"] * 3 + ["worked"]


def test_a_long_loop_learns_that_the_process_stops(service: Service) -> None:
    begun = threading.Event()

    def work(_service: Service, _settings: None, is_stopping: Callable[[], bool]) -> int:
        begun.set()
        while not is_stopping():
            time.sleep(0.01)
        return 1

    feature = Feature("patient", loops=(FeatureLoop("work", work, seconds=0.1, is_long=True),))
    run_loops(service, Annexes((feature,)), until=begun.is_set)


def test_its_measures_are_shown_and_do_not_make_a_process_unready(service: Service) -> None:
    measure = FeatureMeasure("things_broken", "Things that are broken.", lambda tx: 3)
    with client(service, Annexes((Feature("fragile", measures=(measure,)),))) as api:
        ready = api.get("/readyz")
        assert (ready.status_code, ready.json()["things_broken"]) == (200, 3)
        assert "complaints_things_broken 3.0" in api.get("/metrics").text


def test_its_problem_is_in_the_catalogue_and_in_the_answer(service: Service, monkeypatch: Any) -> None:
    monkeypatch.setenv("COMPLAINTS_CATEGORY_COUNTS_FROZEN", "1")
    with client(service, open_annexes((FEATURE,))) as api:
        refused = api.post("/v1/category-counts/reset")
        assert (refused.status_code, refused.json()["type"]) == (409, "/problems/counts-frozen")
        codes = [problem["code"] for problem in api.get("/problems").json()["items"]]
        assert sorted(codes) == sorted([*PROBLEMS, "counts-frozen"])
        assert api.get("/problems/counts-frozen").json()["title_zh"] == "计数已冻结"
    assert "## counts-frozen" in render_catalogue(open_annexes((FEATURE,)).problems)


def test_the_description_has_it_only_where_it_is_registered(
    migrated_database_url: Callable[[str], str], annexes: Annexes
) -> None:
    """On one engine: no database is asked, and to make a description takes half a second."""
    described = []
    with opened_service(migrated_database_url("sqlite")) as service:
        for registered in (annexes, NO_ANNEXES):
            with client(service, registered) as api:
                described.append(api.get("/openapi.json").json()["paths"])
    with_it, without_it = described
    operation = with_it["/v1/category-counts/reset"]["post"]
    refusal = "The counts are frozen (`/problems/counts-frozen`)."
    assert operation["responses"]["409"]["description"] == refusal
    assert not [path for path in without_it if path.startswith("/v1/category-counts")]


def test_the_catalogue_stays_in_the_order_of_status(annexes: Annexes) -> None:
    codes = list(annexes.problems)
    assert [code for code in codes if code != "counts-frozen"] == list(PROBLEMS)
    assert codes[codes.index("counts-frozen") - 1] == "idempotency-in-progress"


def test_its_settings_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMPLAINTS_CATEGORY_COUNTS_BATCH", "7")
    annexes = open_annexes((FEATURE,))
    assert annexes.settings_for(FEATURE) == CountSettings(batch=7)


def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMPLAINTS_CATEGORY_COUNTS_BATCH", "0")
    with pytest.raises(NotReady, match=r"^COMPLAINTS_CATEGORY_COUNTS_BATCH: .*greater than or equal to 1"):
        open_annexes((FEATURE,))


def test_its_notice_is_found(annexes: Annexes) -> None:
    assert annexes.notices_for(EventType.CREATED) == FEATURE.notices
    assert annexes.notices_for(EventType.CLOSED) == ()
    assert NO_ANNEXES.notices_for(EventType.CREATED) == ()


def test_its_check_is_run(scenario: Scenario, annexes: Annexes) -> None:
    scenario.post(category="network.outage")
    use_cases.count_next(scenario.service, limit=10)
    assert find_breaches(scenario.service, annexes) == []
    with scenario.service.database.begin() as tx:
        tx.connection.execute(text("UPDATE category_count SET complaints = 0"))
    expected = ("counts positive", "category network.outage has the count 0")
    assert find_breaches(scenario.service, annexes) == [expected]


def test_a_migration_that_loses_its_rows_is_taken_back(
    scenario: Scenario, annexes: Annexes, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenario.post(category="network.outage")
    use_cases.count_next(scenario.service, limit=10)

    def lose(config: Any, _revision: str) -> None:
        config.attributes["connection"].execute(text("DELETE FROM category_count"))

    monkeypatch.setattr(migrate, "step_up", lose)
    monkeypatch.setattr(migrate, "judge_schema", lambda connection: migrate.SchemaFit.OLDER)
    with pytest.raises(RuntimeError, match=r"would lose rows, .*: {'category_count': 1}"):
        migrate.upgrade(scenario.service.database.engine, annex_tables=annexes.table_names)
    assert scenario.service.read(tables.find_counts) == {"network.outage": 1}


def test_an_unregistered_feature_takes_part_nowhere(scenario: Scenario) -> None:
    scenario.post()
    with client(scenario.service, NO_ANNEXES) as api:
        assert api.get("/v1/category-counts").status_code == 404
        assert api.get("/problems/counts-frozen").status_code == 404
    names = [
        loop.name for loop in build_loops(scenario.service, CollectorRegistry(), Settings(), NO_ANNEXES).loops
    ]
    assert names == [
        "sweep", "imports", "leaving", "attachments", "attachment orphans", "reindexing", "housekeeping", "key uses",
    ]  # fmt: skip
    assert FEATURE not in FEATURES


@pytest.mark.parametrize(
    ("features", "message"),
    [
        ((FEATURE, replace(FEATURE, problems=())), "two features have the same name: category_counts"),
        (
            (FEATURE, Feature("other", problems=FEATURE.problems)),
            "two problems have the same name: counts-frozen",
        ),
        ((Feature("other", problems=(PROBLEMS["conflict"],)),), "two problems have the same name: conflict"),
        (
            (Feature("other", settings=BaseSettings),),
            "the settings of other need the prefix COMPLAINTS_OTHER_",
        ),
        (
            (Feature("other", settings=CountSettings),),
            "the settings of other need the prefix COMPLAINTS_OTHER_",
        ),
    ],
)
def test_features_that_clash_are_refused(features: tuple[Feature, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        open_annexes(features)


def test_every_loop_has_the_name_of_its_annex(service: Service, annexes: Annexes) -> None:
    names = [loop.name for loop in build_loops(service, CollectorRegistry(), Settings(), annexes).loops]
    assert names == [
        "sweep", "imports", "leaving", "attachments", "attachment orphans", "reindexing", "housekeeping", "key uses",
        "category_counts.count",
    ]  # fmt: skip
