"""Watches PostgreSQL while it is tormented: nothing may stay idle in a transaction, nor outlive its process."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg

from tests.faults.fleet import Fleet

IDLE_SECONDS = 5.0
GONE_SECONDS = 10.0
_SLACK_SECONDS = 1.0  # between the server's own limit and our look at it
_IDLE = """
SELECT application_name, extract(epoch FROM clock_timestamp() - state_change) FROM pg_stat_activity
WHERE datname = current_database() AND state LIKE 'idle in transaction%' AND pid <> pg_backend_pid()
"""
_CONNECTED = """
SELECT application_name, count(*) FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
GROUP BY 1
"""
_LOCKS = """
SELECT application_name, mode, locktype FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE datname = current_database() AND pid <> pg_backend_pid()
  AND application_name ~ '^(api|worker)[0-9]+-[0-9]+$'
"""


@dataclass
class Watch:
    """Samples the connections of a fleet. `most_idle_seconds` is the longest any stood idle in a transaction."""

    url: str
    fleet: Fleet
    is_down: Callable[[], bool] = lambda: False
    most_idle_seconds: float = 0.0
    samples: int = 0
    breaches: list[str] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)

    def work(self) -> None:
        """Sample until `_stop` is set; a server that is down is asked again."""
        while not self._stop.is_set():
            try:
                with psycopg.connect(self.url, autocommit=True, connect_timeout=5) as connection:
                    while not self._stop.wait(0.25):
                        self._sample(connection)
            except psycopg.OperationalError:
                self._stop.wait(0.1)

    def _sample(self, connection: psycopg.Connection) -> None:
        self.samples += 1
        for name, seconds in connection.execute(_IDLE).fetchall():
            self.most_idle_seconds = max(self.most_idle_seconds, float(seconds))
            if seconds > IDLE_SECONDS + _SLACK_SECONDS:
                self._note(f"{name} stood idle in a transaction for more than {IDLE_SECONDS:.0f} s")
        now, dead = time.monotonic(), dict(self.fleet.dead)
        for name, _ in connection.execute(_CONNECTED).fetchall():
            if name in dead and now - dead[name] > GONE_SECONDS:
                self._note(f"{name} is dead and still connected after {GONE_SECONDS:.0f} s")

    def _note(self, breach: str) -> None:
        if breach not in self.breaches:
            self.breaches.append(breach)

    def leftovers(self) -> list[str]:
        """Connections, locks and prepared transactions that the fleet, all dead by now, left behind for 10 s."""
        deadline = time.monotonic() + GONE_SECONDS
        while (found := self._left()) and time.monotonic() < deadline:
            time.sleep(0.1)
        return found

    def _left(self) -> list[str]:
        dead = set(self.fleet.dead)
        with psycopg.connect(self.url, autocommit=True) as connection:
            names = [name for name, _ in connection.execute(_CONNECTED).fetchall() if name in dead]
            locks = connection.execute(_LOCKS).fetchall()
            prepared = connection.execute("SELECT gid FROM pg_prepared_xacts").fetchall()
        found = [f"{name} is dead and still connected" for name in names]
        found += [f"{name} is dead and holds a lock: {mode} on a {kind}" for name, mode, kind in locks]
        return found + [f"transaction {gid} is prepared and nobody's" for (gid,) in prepared]

    def stop(self) -> None:
        """Sample no more."""
        self._stop.set()


@contextmanager
def watching(url: str, fleet: Fleet) -> Iterator[Watch]:
    """A watch over a fleet's connections until the block ends."""
    watch = Watch(url, fleet)
    thread = threading.Thread(target=watch.work, daemon=True)
    thread.start()
    try:
        yield watch
    finally:
        watch.stop()
        thread.join()
