"""Every clock jumps by an hour and by a day, back and ahead, while complaints come in and steps fall due.

What is promised: a step is never taken before its time by the clock of the process that takes it, and never twice.
A clock that is ahead lets steps be taken early by the true time; set right again it takes them no second time.
"""

import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from complaints.storage.database.transactions import Database
from complaints.use_cases.service import Service
from complaints.wiring import new_id, wall_now
from tests.faults.conftest import ScenarioReport, Size, opened
from tests.faults.fleet import Fleet
from tests.faults.intake import Clients
from tests.faults.journal import Journal
from tests.faults.patches import CLOCK_FILE
from tests.journeys.storm import Storm
from tests.support import is_any_due

HOUR, DAY = 3600, 86400


class Clock:
    """The clock of all processes; `offset` is in seconds."""

    def __init__(self, file: Path, storm: Storm) -> None:
        self._file = file
        self._storm = storm
        self.set(0)

    def set(self, offset: float) -> None:
        """Jump."""
        written = self._file.with_suffix(".new")
        written.write_text(str(offset))
        written.replace(self._file)
        self.offset = timedelta(seconds=offset)

    def live_through(self, offset: float, *, seconds: float) -> None:
        """Jump, stay there for a while, and then until every step due by that clock has been taken."""
        self.set(offset)
        time.sleep(seconds)
        shifted = Database(self._storm.service.database.engine, lambda _connection: wall_now() + self.offset)
        deadline = time.monotonic() + 60
        while Service(shifted, new_id).read(is_any_due):
            assert time.monotonic() < deadline, f"steps are left at {offset} s that nobody takes"
            time.sleep(0.05)
        self._storm.ends_at = max(self._storm.ends_at, wall_now() + self.offset)


@pytest.mark.parametrize("database_kind", ["postgresql", "sqlite"])
def test_jumping_clocks(
    database_kind: str,
    request: pytest.FixtureRequest,
    start_fleet: Callable[[str], Any],
    journal: Journal,
    tmp_path: Path,
    size: Size,
    report: ScenarioReport,
) -> None:
    report.fault = f"Clocks moved by an hour and a day, back and ahead ({database_kind})"
    url = request.getfixturevalue("postgres_url" if database_kind == "postgresql" else "sqlite_url")
    file, rounds = tmp_path / "clock", size.pick(1, 10)
    with opened(url) as service, start_fleet(url) as fleet:
        storm = Storm(service)
        clock = Clock(file, storm)
        storm.raise_wave(40)
        storm.raise_wave(40, later_hours=0.5)
        storm.raise_wave(40, later_hours=12)
        options = {"patches": ["shifted_clock"], CLOCK_FILE: file}
        if database_kind == "postgresql":
            fleet.add_api(**options)
            fleet.add_worker(**options)
            fleet.add_worker(**options)
        else:
            fleet.add_api(scheduler=1, **options)
        clients = Clients(fleet.apis, journal, pause_seconds=0.03)
        fleet.await_ready()
        with clients.working(3):
            # The furthest ahead comes last: what is due by then is due for good.
            for offset in [0, *[-HOUR, -DAY, 0] * rounds, HOUR, 0, DAY]:
                clock.live_through(offset, seconds=0.7)
        clock.set(0)
        refused = _answer_some(fleet, clients, journal)
        storm.raise_wave(20, steps_at=[72], with_reviews=False)  # the last of their steps
        clock.live_through(0, seconds=0.5)

        report.count(
            jumps=4 + 3 * rounds,
            complaints_acknowledged=clients.count_acknowledged(),
            steps_taken=storm.count_taken(),
        )
        assert clients.breaches(service) + storm.breaches() + fleet.failures() + refused == []


def _answer_some(fleet: Fleet, clients: Clients, journal: Journal) -> Sequence[str]:
    """Act, by the right time, on complaints that were received when the clock was a day ahead."""
    refused = []
    with fleet.client(fleet.apis[0]) as http:
        for entry in [e for e in clients.settle() if e.acknowledged][-8:]:
            body = {"action": "respond", "message": "We look into it.", "contact_channel": "phone"}
            answer = http.post(f"/v1/complaints/{entry.complaint_id}/transitions", json=body)
            if answer.status_code != 200:
                refused.append(f"request {entry.number} cannot be answered: {answer.text[:300]}")
    return refused
