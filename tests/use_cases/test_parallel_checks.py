"""Several processes check ranges of complaints, and find the same as one process, in the same order."""

import os
import signal

import pytest
from sqlalchemy import text

from complaints.use_cases.upkeep import checks, parallel_checks
from complaints.use_cases.upkeep.checks import find_ranges
from complaints.use_cases.upkeep.parallel_checks import BrokenProcessPool, check_ranges
from tests.support import Scenario, check_all


@pytest.fixture
def ranges_of_two(scenario: Scenario, monkeypatch: pytest.MonkeyPatch) -> Scenario:
    """Seven complaints, and ranges of two."""
    monkeypatch.setattr(checks, "BATCH", 2)
    for _ in range(7):
        scenario.post()
    return scenario


def test_processes_find_what_one_process_finds_in_the_same_order(ranges_of_two: Scenario) -> None:
    service = ranges_of_two.service
    with service.database.begin() as tx:
        tx.connection.execute(text("UPDATE complaint SET escalation_level = 7"))
    ranges = find_ranges(service)
    checked = list(check_ranges(service, ranges, processes=3))
    found = [violation for one in checked for violation in one.violations]
    assert found == list(check_all(service))
    assert [violation.number for violation in found] == sorted(violation.number for violation in found)
    assert [one.proof.complaints for one in checked] == [2, 2, 2, 1]
    rest = check_ranges(service, find_ranges(service, after=checked[1].up_to), processes=3)
    assert list(rest) == checked[2:]


def test_a_killed_process_ends_the_check(ranges_of_two: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    service = ranges_of_two.service
    monkeypatch.setattr(parallel_checks, "check_range", lambda *_: os.kill(os.getpid(), signal.SIGKILL))
    with pytest.raises(BrokenProcessPool):
        list(check_ranges(service, find_ranges(service), processes=2))
