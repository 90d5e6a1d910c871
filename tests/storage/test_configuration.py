"""The configuration that a process keeps: a change of it reads it again only if another process changed it."""

from dataclasses import replace

import pytest

from complaints.domain.errors import Conflict
from complaints.use_cases.access import SYSTEM
from complaints.use_cases.commands.configuration import CreateTeam, Names
from complaints.use_cases.configuration.staff import TEAMS
from complaints.use_cases.service import Service, keep_configuration
from tests.support import count_statements


def create_team(service: Service, code: str) -> None:
    command = CreateTeam(code=code, names=Names(en=code, zh=code), department="service")
    service.configure(lambda tx: TEAMS.create(service, tx, SYSTEM, command))


def test_a_change_reads_the_configuration_again_only_if_it_is_newer(service: Service) -> None:
    create_team(service, "first")
    service.read(service.configuration)
    with count_statements(service) as known:
        create_team(service, "second")
    with count_statements(service) as changed_since:
        create_team(service, "third")

    assert len(changed_since) - len(known) >= 10


def test_a_change_sees_what_another_process_changed(service: Service) -> None:
    other = replace(service, cache=keep_configuration())
    other.read(other.configuration)
    create_team(service, "first")

    with pytest.raises(Conflict, match="first"):
        create_team(other, "first")
