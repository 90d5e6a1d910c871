"""The migrations of webhooks, notifications, mail, exports, attachments and figures, on a database that was at work."""

from collections.abc import Callable

import pytest
from sqlalchemy import Engine, inspect, text

from complaints.storage.database import migrate
from tests.support import Scenario, api_client, check_all

BEFORE = "0027"
NEW = {
    "attachment", "deleted_ticket", "draft", "figure_exposure", "figure_fact", "message_delivery",
    "notification_preference", "received_mail", "refused_mail", "robot", "saved_view", "ticket_specification",
    "user_preference", "webhook", "webhook_attempt", "webhook_delivery",
}  # fmt: skip


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, migrated_database_url: Callable[[str], str]) -> str:
    """A new database, because emptying a shared one would not undo a change of its schema."""
    return migrated_database_url(request.param)


def _counts(engine: Engine) -> dict[str, int]:
    with engine.connect() as connection:
        return {name: n for name, n in migrate.row_counts(connection).items() if name not in NEW}


def _numbers_in_view(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.execute(text("SELECT number FROM v1_complaint ORDER BY number")).scalars())


def test_a_database_at_work_goes_back_and_forth(scenario: Scenario) -> None:
    """Histories, escalations and the access log stay. An entry of an export, which no complaint has, stays too."""
    service, engine = scenario.service, scenario.service.database.engine
    posts = [scenario.post(complainant={"name": "Wang", "phone": "+8613800000000"}) for _ in range(3)]
    scenario.advance(hours=25)
    scenario.act(posts[0], "respond", message="We look.", contact_channel="phone")
    with api_client(service) as client:
        revealed = client.post(f"/v1/complaints/{posts[1].id}/reveal", json={"reason": "He calls."})
        exported = client.get("/v1/exports?format=ndjson&full=true")
        webhook = client.post("/v1/webhooks", json={"url": "https://example.com/"})
        assert (revealed.status_code, exported.status_code, webhook.status_code) == (200, 200, 201)
    before, shown = _counts(engine), _numbers_in_view(engine)
    assert before["access_log"] == 2
    assert len(shown) == 3

    service.database.close()
    migrate.downgrade(engine, BEFORE)
    assert not NEW & set(inspect(engine).get_table_names())
    assert not inspect(engine).get_view_names()
    assert _counts(engine) == before
    service.database.close()
    migrate.upgrade(engine)

    assert _counts(engine) == before
    assert _numbers_in_view(engine) == shown
    assert list(check_all(service)) == []
    with api_client(service) as client:
        kinds = [entry["kind"] for entry in client.get("/v1/access-log").json()["items"]]
        assert sorted(kinds) == ["export", "reveal"]
        assert client.get("/v1/webhooks").json()["items"] == []
        assert client.post("/v1/webhooks", json={"url": "https://example.com/"}).status_code == 201
