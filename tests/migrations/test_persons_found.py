"""Persons of complaints from before are compared and found by the new forms, whatever stops the work on the way."""

from collections.abc import Callable

import pytest
from sqlalchemy import select, text, update

from complaints.domain.complaint.facts import Complaint
from complaints.domain.vocabulary import Priority
from complaints.storage.database import migrate
from complaints.storage.rows.person import person
from complaints.storage.rows.reindexing import find_progress
from complaints.use_cases.access import SYSTEM
from complaints.use_cases.complaints.filters import ComplaintFilter
from complaints.use_cases.complaints.lists import Order, SortKey, list_complaints
from complaints.use_cases.service import Transaction
from complaints.use_cases.upkeep import reindexing
from tests.support import Scenario

PEOPLE = (
    ({"phone": "00000000000"}, {"phone_e164": "00000000000"}),
    ({"email": "u@straße.example"}, {"email_normal": "u@strasse.example"}),
    ({"email": "u@xn--mller-kva.example"}, {"email_normal": "u@xn--mller-kva.example"}),
    ({"phone": "010-65529988-12"}, {"phone_e164": "01065529988812"}),
    ({"account_no": "Ａ１", "name": "李小明"}, {"account_normal": None}),
)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, migrated_database_url: Callable[[str], str]) -> str:
    """A new database, because the test changes its schema."""
    return migrated_database_url(request.param)


def _posted_before(scenario: Scenario) -> list[Complaint]:
    """Complaints as the program before left them, in a database that was then migrated."""
    made = [scenario.post(category="network.slow", complainant=given) for given, _ in PEOPLE]
    engine = scenario.service.database.engine
    migrate.downgrade(engine, "0006")
    migrate.upgrade(engine)

    def make_old(tx: Transaction) -> None:
        for complaint, (_, marks) in zip(made, PEOPLE, strict=True):
            tx.connection.execute(update(person).where(person.c.complaint_id == complaint.id).values(marks))
        tx.connection.execute(text("DELETE FROM complaint_search"))

    scenario.service.write(make_old)
    return made


def _found(scenario: Scenario, **asked: str) -> list[int]:
    order = Order(SortKey.RECEIVED_AT)
    filters = ComplaintFilter.model_validate(asked)
    views, _ = scenario.service.read(
        lambda tx: list_complaints(scenario.service, tx, SYSTEM, filters, order, after=None, limit=50)
    )
    return [view.members["sequence"] for view in views]


def test_complaints_from_before_are_indexed_again_batch_by_batch(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = _posted_before(scenario)
    monkeypatch.setattr(reindexing, "PAUSE_SECONDS", 0)
    assert scenario.service.write(lambda tx: reindexing.reindex_batch(scenario.service, tx, limit=2)) == 2
    with pytest.raises(RuntimeError):
        scenario.service.write(lambda tx: _index_and_die(scenario, tx))
    reindexing.reindex(scenario.service)

    assert _found(scenario, q="李小明") == [made[4].sequence]
    assert _found(scenario, account_no="A1") == [made[4].sequence]
    assert _found(scenario, phone="01065529988") == [made[3].sequence]
    assert _found(scenario, email="u@müller.example") == [made[2].sequence]
    assert _found(scenario, email="u@strasse.example") == _found(scenario, phone="00000000000") == []
    again = scenario.post(category="network.slow", complainant={"email": "u@müller.example"})
    nobody = scenario.post(category="network.slow", complainant={"phone": "00000000000"})
    assert (again.priority, nobody.priority) == (Priority.HIGH, Priority.NORMAL)


def test_complaints_of_the_program_before_are_followed_for_an_hour(scenario: Scenario) -> None:
    _posted_before(scenario)
    reindexing.reindex(scenario.service)
    late = scenario.post(complainant={"name": "Late Writer"})
    scenario.service.write(lambda tx: tx.connection.execute(text("DELETE FROM complaint_search")))
    reindexing.reindex(scenario.service)
    assert _found(scenario, q="late writer") == [late.sequence]
    assert scenario.service.read(find_progress) is not None
    scenario.jump(hours=1)
    reindexing.reindex(scenario.service)
    assert scenario.service.read(find_progress) is None


def _index_and_die(scenario: Scenario, tx: Transaction) -> None:
    reindexing.reindex_batch(scenario.service, tx, limit=2)
    raise RuntimeError("the process is killed here")


def test_a_new_database_has_nothing_to_index_again(scenario: Scenario) -> None:
    scenario.post()
    assert scenario.service.read(find_progress) is None
    reindexing.reindex(scenario.service)
    with scenario.service.database.read() as tx:
        assert len(tx.connection.execute(select(person)).all()) == 0
