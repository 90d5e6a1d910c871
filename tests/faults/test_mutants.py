"""The harness can fail: with one defence of the product taken away it finds what is wrong.

Defences stand behind each other, so those that would hide it are taken away too; a second run with the one defence
in its place shows that it is the one that counts.
"""

import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest
from sqlalchemy import inspect, text

from complaints.storage.database.transactions import Transaction
from complaints.use_cases.service import Service
from tests.faults.conftest import opened
from tests.faults.fleet import Fleet
from tests.faults.intake import at_once
from tests.faults.repetition import same_external_id
from tests.journeys.storm import Storm
from tests.support import check_all

HISTORY_KEY = ("event", {"complaint_id", "ordinal"})
STEP_KEY = ("escalation", {"deadline_id", "step"})
EXTERNAL_KEYS = (
    ("complaint", {"external_id", "source"}),
    ("complaint_external_id", {"external_id", "system"}),
)


def _drop_key(service: Service, table: str, columns: set[str]) -> None:
    """Take the unique or primary key over these columns out of the database, from each month of the history too."""
    months = text("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = to_regclass(:table)")
    with service.database.begin() as tx:
        tables = [table, *tx.connection.execute(months, {"table": table}).scalars()]
        dropped = [name for one in tables for name in _drop_from(tx, one, columns)]
    assert dropped


def _drop_from(tx: Transaction, table: str, columns: set[str]) -> set[str]:
    known = inspect(tx.connection)
    named = {
        str(key["name"]) for key in known.get_unique_constraints(table) if columns <= set(key["column_names"])
    }
    primary = known.get_pk_constraint(table)
    if columns == set(primary["constrained_columns"]):
        named.add(str(primary["name"]))
    for name in named:
        tx.connection.execute(text(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"'))
    for index in known.get_indexes(table):
        if index["unique"] and columns <= set(index["column_names"]) and index["name"] not in named:
            tx.connection.execute(text(f'DROP INDEX "{index["name"]}"'))
            named.add(str(index["name"]))
    return named


def test_without_the_unique_keys_of_an_external_id(
    postgres_url: str, start_fleet: Callable[[str], Any]
) -> None:
    with opened(postgres_url) as service, start_fleet(postgres_url) as fleet, ExitStack() as stack:
        for key in EXTERNAL_KEYS:
            _drop_key(service, *key)
        for _ in range(2):
            fleet.add_api()
        fleet.await_ready()
        clients = [stack.enter_context(fleet.client(api)) for api in fleet.apis]

        assert any(same_external_id(clients, n) for n in range(30))


@pytest.mark.parametrize("has_key", [True, False], ids=["with", "without"])
def test_the_unique_key_of_a_step(
    postgres_url: str, start_fleet: Callable[[str], Any], has_key: bool
) -> None:
    with opened(postgres_url) as service, start_fleet(postgres_url) as fleet:
        _drop_key(service, *HISTORY_KEY)
        if not has_key:
            _drop_key(service, *STEP_KEY)
        for _ in range(3):
            fleet.add_worker(patches=["no_lock", "no_version_guard"])
        fleet.await_ready()
        storm = Storm(service)
        for _ in range(2 if has_key else 30):
            # Ahead of now, so that all workers know the wake and sleep until the same instant.
            storm.raise_wave(50, seconds=0.2, steps_at=[12], later_hours=2 / 3600)
            storm.await_end()
            twice = [breach for breach in storm.breaches() if "once too often" in breach]
            if twice:
                break

        assert bool(twice) != has_key


@pytest.mark.parametrize("has_guard", [True, False], ids=["with", "without"])
def test_the_guard_on_the_version(
    postgres_url: str, start_fleet: Callable[[str], Any], has_guard: bool
) -> None:
    with opened(postgres_url) as service, start_fleet(postgres_url) as fleet:
        _drop_key(service, *HISTORY_KEY)
        for _ in range(2):
            fleet.add_api(patches=["no_lock"] if has_guard else ["no_lock", "no_version_guard"])
        fleet.await_ready()
        breaches: list[str] = []
        for _ in range(3 if has_guard else 30):
            breaches += _race(fleet)
            if breaches:
                break
        breaches += [violation.message for violation in check_all(service)]

        assert (breaches == []) == has_guard, breaches


def _race(fleet: Fleet) -> list[str]:
    """Many change a complaint at once: each change that was acknowledged raised its version by one."""
    with ExitStack() as stack:
        clients = [stack.enter_context(fleet.client(api)) for api in fleet.apis]
        made = clients[0].post("/v1/complaints", json={"channel": "phone", "subject": "No signal"})
        path = made.headers["Location"]

        def change(number: int) -> int:
            answer = clients[number % 2].patch(path, json={"region": f"CN-{number}"})
            return int(answer.status_code)

        statuses = at_once(12, change)
        version = clients[0].get(path).json()["version"]
    found = [f"a change was answered {status}" for status in statuses if status not in (200, 412)]
    if version != 1 + statuses.count(200):
        found.append(f"{statuses.count(200)} changes were acknowledged, and the version is {version}")
    return found


@pytest.mark.parametrize("as_it_is", [True, False], ids=["one", "two"])
def test_claiming_and_acting_in_one_transaction(
    postgres_url: str, start_fleet: Callable[[str], Any], as_it_is: bool
) -> None:
    with opened(postgres_url) as service, start_fleet(postgres_url) as fleet:
        storm = Storm(service)
        storm.raise_wave(20, with_reviews=False)
        if as_it_is:
            fleet.add_worker(arming=["claimed", "SIGKILL"])
        else:
            fleet.add_worker(patches=["two_transactions", "death_between"])
        while not fleet.ended:
            time.sleep(0.02)
        fleet.add_worker(patches=[] if as_it_is else ["two_transactions"])
        storm.await_end()

        assert (storm.breaches() == []) == as_it_is
