"""Inserts that meet an existing row, on both databases."""

from datetime import timedelta

from sqlalchemy import select

from complaints.storage.database.upsert import insert_if_absent, insert_or_update
from complaints.storage.rows.heartbeat import heartbeat
from complaints.use_cases.service import Service


def _beats(service: Service) -> list[tuple[str, float]]:
    statement = select(heartbeat.c.node, heartbeat.c.lag_seconds).order_by(heartbeat.c.node)
    return service.read(lambda tx: [(row.node, row.lag_seconds) for row in tx.connection.execute(statement)])


def test_a_row_is_inserted_only_where_its_key_is_free(service: Service) -> None:
    with service.database.begin() as tx:
        row = {"node": "a", "ticked_at": tx.now, "lag_seconds": 1.0}
        assert insert_if_absent(tx, heartbeat, row)
        assert not insert_if_absent(tx, heartbeat, row | {"lag_seconds": 2.0})
    assert _beats(service) == [("a", 1.0)]


def test_a_row_takes_the_place_of_the_row_with_its_key(service: Service) -> None:
    with service.database.begin() as tx:
        row = {"node": "a", "ticked_at": tx.now, "lag_seconds": 1.0}
        insert_or_update(tx, heartbeat, row)
        insert_or_update(tx, heartbeat, row | {"node": "b"})
        later = tx.now + timedelta(seconds=1)
        insert_or_update(tx, heartbeat, row | {"ticked_at": later, "lag_seconds": 2.0})
    assert _beats(service) == [("a", 2.0), ("b", 1.0)]
