"""Whose complaints are found before a user leaves."""

from sqlalchemy import update

from complaints.storage.database.any_of import any_of
from complaints.storage.queries.usage import count_owned, find_owned
from complaints.storage.rows.complaint import complaint
from complaints.use_cases.access import SYSTEM
from complaints.use_cases.commands.configuration import CreateUser
from complaints.use_cases.configuration.staff import USERS
from tests.support import Scenario


def test_owned_complaints_are_found_once_and_up_to_a_limit(scenario: Scenario) -> None:
    service, login = scenario.service, "wang.fang"
    user = CreateUser(login=login, name="Wang Fang")
    service.configure(lambda tx: USERS.create(service, tx, SYSTEM, user))
    ids = [scenario.post().id for _ in range(6)]  # the last one is nobody's
    with service.database.begin() as tx:
        for name, owned in (("assignee", ids[:3]), ("first_owner", ids[2:5])):
            statement = update(complaint).where(any_of(complaint.c.id, owned)).values({name: login})
            tx.connection.execute(statement)
    found = service.read(lambda tx: find_owned(tx, login))
    assert (len(found), {*found}) == (5, {*ids[:5]})
    for limit in (1, 4):
        some = service.read(lambda tx, limit=limit: find_owned(tx, login, limit=limit))  # type: ignore[misc]
        assert len(some) == limit
        assert {*some} <= {*found}
    assert service.read(lambda tx: count_owned(tx, login)) == 5
