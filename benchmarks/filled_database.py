"""A database with many complaints and a server of it, shared by the rows that only read."""

import http.client
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from benchmarks.context import BenchContext
from benchmarks.data.dataset import SAMPLES, Shares, make_dataset
from benchmarks.errors import CannotMeasure
from benchmarks.processes import SECRET, Process, serving
from complaints.storage.database.connections import open_engine
from complaints.storage.database.transactions import Database
from complaints.use_cases.service import Service
from complaints.wiring import new_id, wall_clock

_FEWEST_SAMPLES = 28


@dataclass(slots=True)
class FilledDatabase:
    """A database with complaints, the engine on it, and a server of it with one client."""

    url: str
    service: Service
    server: Process
    client: http.client.HTTPConnection
    headers: dict[str, str] = field(default_factory=lambda: {"Authorization": f"Bearer {SECRET}"})

    def get(self, path: str) -> bytes:
        """The body of an answer. Raises CannotMeasure unless it is 200."""
        self.client.request("GET", path, headers=self.headers)
        answer = self.client.getresponse()
        body = answer.read()
        if answer.status != http.HTTPStatus.OK:
            raise CannotMeasure(f"{path} was answered with {answer.status}: {body[:300]!r}")
        return body

    def time_get(self, path: str) -> float:
        """Milliseconds until the whole answer is there."""
        began = time.perf_counter()
        self.get(path)
        return (time.perf_counter() - began) * 1000


@contextmanager
def _filled(context: BenchContext, shares: Shares, *, on_sqlite: bool) -> Iterator[FilledDatabase]:
    if on_sqlite:
        with _served(context, shares, f"sqlite:///{context.new_directory() / 'complaints.db'}") as filled:
            yield filled
        return
    with context.own_database() as url, _served(context, shares, url) as filled:
        yield filled


@contextmanager
def _served(context: BenchContext, shares: Shares, url: str) -> Iterator[FilledDatabase]:
    context.tell(f"making {shares.complaints} complaints")
    began = time.perf_counter()
    make_dataset(url, shares, samples=max(_FEWEST_SAMPLES, min(SAMPLES, shares.complaints // 20)))
    context.tell(f"made in {time.perf_counter() - began:.0f} s")
    opened = open_engine(url)
    try:
        with serving(1, context.new_directory(), url) as [server]:
            client = http.client.HTTPConnection("127.0.0.1", server.port(), timeout=60)
            yield FilledDatabase(url, Service(Database(opened, wall_clock), new_id), server, client)
            client.close()
    finally:
        opened.dispose()


def filled_database(
    context: BenchContext, complaints: int, *, on_sqlite: bool, sparse: bool = False, folded: bool = False
) -> FilledDatabase:
    """The same for every run and row of an invocation, none of which changes it: it takes minutes to make."""
    shares = Shares.of(complaints, sparse=sparse, folded=folded)
    name = f"complaints-{'sqlite' if on_sqlite else 'postgresql'}-{shares}"
    return context.keep(name, lambda: _filled(context, shares, on_sqlite=on_sqlite))
