"""The feed of changes, while writers on other connections commit out of order."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

import pytest

from complaints.domain.complaint.facts import Complaint
from complaints.domain.scope import ALL_COMPLAINTS
from complaints.domain.vocabulary import AccessRole, EventType
from complaints.storage import load
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows.event_text import find_texts
from complaints.use_cases.access import SYSTEM
from complaints.use_cases.commands.complaints import AddNote
from complaints.use_cases.complaints import history
from complaints.use_cases.service import Service
from tests.support import Scenario, opened_service

BLOCKED_SECONDS = 0.3


@pytest.fixture
def postgres(migrated_database_url: Callable[[str], str]) -> Iterator[Service]:
    """A service on PostgreSQL. SQLite has one writer, and so one order."""
    with opened_service(migrated_database_url("postgresql")) as service:
        yield service


def note(service: Service, tx: Transaction, complaint: Complaint, text: str) -> None:
    history.add_note(service, tx, SYSTEM, str(complaint.id), AddNote(text=text))


class Reader:
    """Polls the feed like an integrator: each time from the end of the last answer."""

    def __init__(self, service: Service, *, limit: int = 200) -> None:
        self.service = service
        self.limit = limit
        self.after = 0
        self.sequences: list[int] = []
        self.texts: list[str] = []

    def poll(self) -> list[str]:
        """The texts of new notes."""
        found, self.after = self.service.read(
            lambda tx: history.changes(tx, SYSTEM, after=self.after, limit=self.limit)
        )
        self.sequences += [one.sequence for one in found]
        fresh = [self._text_of(one) for one in found if one.type is EventType.NOTE_ADDED]
        self.texts += fresh
        return fresh

    def _text_of(self, noted: history.EventRecord) -> str:
        """The text of a note, which the feed itself does not have."""
        texts = self.service.read(lambda tx: find_texts(tx, [noted.complaint_id]))
        return str(texts[noted.complaint_id][noted.ordinal].texts["text"])


def test_one_that_begins_first_and_commits_last_is_seen(postgres: Service) -> None:
    scenario, reader = Scenario(postgres), Reader(postgres)
    slow, quick = scenario.post(), scenario.post()

    with postgres.database.begin() as tx:  # begins and locks its complaint before the other begins
        load.load_complaint(tx, slow.id, scope=ALL_COMPLAINTS, lock=True)
        postgres.write(lambda other: note(postgres, other, quick, "quick"))
        assert reader.poll() == ["quick"]
        note(postgres, tx, slow, "slow")
        assert reader.poll() == []

    assert reader.poll() == ["slow"]
    assert reader.poll() == []


def test_nobody_overtakes_one_that_is_numbered_but_not_committed(postgres: Service) -> None:
    scenario, reader = Scenario(postgres), Reader(postgres)
    first, second = scenario.post(), scenario.post()
    reader.poll()

    with ThreadPoolExecutor(1) as pool:
        with postgres.database.begin() as tx:
            note(postgres, tx, first, "first")
            other: Future[None] = pool.submit(postgres.write, lambda tx: note(postgres, tx, second, "second"))
            time.sleep(BLOCKED_SECONDS)
            assert not other.done()
            assert reader.poll() == []
        other.result(timeout=10)

    assert reader.poll() == ["first", "second"]


def test_what_is_rolled_back_leaves_a_gap_nobody_waits_for(postgres: Service) -> None:
    scenario, reader = Scenario(postgres), Reader(postgres)
    complaint = scenario.post()

    def fail(tx: Transaction) -> None:
        note(postgres, tx, complaint, "lost")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        postgres.write(fail)
    postgres.write(lambda tx: note(postgres, tx, complaint, "kept"))

    reader.poll()

    assert reader.texts == ["kept"]


def test_a_reader_among_eight_writers_sees_every_event_once_in_order(postgres: Service) -> None:
    scenario, reader = Scenario(postgres), Reader(postgres, limit=7)
    complaints = [scenario.post() for _ in range(8)]
    expected = {f"{n}/{k}" for n in range(8) for k in range(12)}
    finished = threading.Event()

    def write(n: int) -> None:
        for k in range(12):

            def work(tx: Transaction, k: int = k) -> None:
                time.sleep((n * 7 + k * 3) % 5 / 1000)
                note(postgres, tx, complaints[n], f"{n}/{k}")
                time.sleep((n * 3 + k * 5) % 7 / 1000)

            postgres.write(work)

    def read() -> None:
        while not finished.is_set():
            reader.poll()

    with ThreadPoolExecutor(9) as pool:
        reading = pool.submit(read)
        for writing in [pool.submit(write, n) for n in range(8)]:
            writing.result(timeout=60)
        finished.set()
        reading.result(timeout=60)
    while reader.poll():
        pass

    assert len(reader.texts) == len(expected)
    assert set(reader.texts) == expected
    assert reader.sequences == sorted(set(reader.sequences))


def test_one_sources_reader_goes_on_past_what_is_not_for_it(service: Service) -> None:
    scenario = Scenario(service)
    for source in ("a", "b", "a", "b", "b"):
        scenario.post(source=source)

    rows = service.read(lambda tx: _sources(tx, "a", limit=1))

    assert rows == ["a", "a"]


def _sources(tx: Transaction, source: str, *, limit: int) -> list[str]:
    caller = replace(SYSTEM, roles=frozenset({AccessRole.INTAKE}), source=source)
    found, after, seen = [], 0, -1
    while after != seen:
        seen = after
        page, after = history.changes(tx, caller, after=after, limit=limit)
        found += [one.data["changes"]["source"] for one in page]
    return found
