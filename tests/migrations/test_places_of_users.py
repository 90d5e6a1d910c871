"""The migration that gives users roles, teams and a scope."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from complaints.domain.vocabulary import AuditSubject, UserScope
from complaints.storage.database import migrate
from complaints.storage.database.connections import open_engine
from complaints.storage.database.transactions import Database
from complaints.storage.rows import audit_event
from complaints.use_cases.service import Service
from complaints.use_cases.upkeep.configuration_checks import check_configuration
from complaints.use_cases.upkeep.seeding import begin_audit
from complaints.wiring import new_id
from tests.support import START

BEFORE, NEW = "0019", ("roles", "teams", "scope", "scope_names")


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_users_of_before_see_all_and_the_log_says_so(
    kind: str, migrated_database_url: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = open_engine(migrated_database_url(kind))
    service = Service(Database(engine, lambda _connection: START), new_id)
    state_of = audit_event._state_of

    def state_of_before(subject: AuditSubject, row: Any) -> dict[str, Any]:
        new = NEW if subject is AuditSubject.USER else ()
        return {name: value for name, value in state_of(subject, row).items() if name not in new}

    def begin(*statements: str) -> None:
        with service.database.begin() as tx:
            for statement in statements:
                tx.connection.execute(text(statement))
            begin_audit(tx)

    with monkeypatch.context() as patch:
        patch.setattr(audit_event, "_state_of", state_of_before)
        begin("DELETE FROM audit_event")
    migrate.downgrade(engine, BEFORE)
    migrate.upgrade(engine)
    assert ["scope" in one.message for one in check_configuration(service)] == [True]
    begin()
    [user] = service.read(service.configuration).directory.users.values()
    assert (user.scope, user.teams, user.roles) == (UserScope.ALL, (), None)
    assert not list(check_configuration(service))

    begin("UPDATE user_account SET name = 'Forged'")
    assert ["name" in one.message for one in check_configuration(service)] == [True]
    engine.dispose()
