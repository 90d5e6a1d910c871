"""A process that follows the history until it is killed.

    python -m tests.features.following_process URL BATCH [handled|committed]

With the last argument it kills itself: when it has first written rows of the annex, or when they are first committed.
"""

import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from complaints.domain.errors import Unavailable
from complaints.storage.database.connections import open_engine
from complaints.storage.database.transactions import Database
from complaints.use_cases.complaints.history import EventRecord
from complaints.use_cases.service import Service, Transaction
from complaints.wiring import new_id, wall_clock
from tests.features.category_counts import use_cases


class DeadlyDatabase(Database):
    """A database that kills the process after the first commit of rows of the annex, or before it."""

    point: str | None = None
    has_counted = False

    @contextmanager
    def begin(self, *, late: bool = False) -> Iterator[Transaction]:
        """As the database's own."""
        with super().begin(late=late) as tx:
            yield tx
        if self.has_counted and self.point == "committed":
            os.kill(os.getpid(), signal.SIGKILL)

    def arm(self, point: str) -> None:
        """Kill the process at this point."""
        self.point, count_events = point, use_cases.count_events

        def count(tx: Transaction, events: Sequence[EventRecord]) -> None:
            count_events(tx, events)
            self.has_counted = True
            if point == "handled":
                os.kill(os.getpid(), signal.SIGKILL)

        use_cases.count_events = count


def main() -> None:
    """Count, and again at once while there is more."""
    url, batch, *points = sys.argv[1:]
    database = DeadlyDatabase(open_engine(url), wall_clock)
    for point in points:
        database.arm(point)
    service = Service(database, new_id)
    while True:
        try:
            if not use_cases.count_next(service, limit=int(batch)):
                time.sleep(0.001)
        except Unavailable:  # another process has the embedded database
            time.sleep(0.001)


if __name__ == "__main__":
    main()
