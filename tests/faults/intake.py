"""Clients that post complaints whatever happens, and the proof from their journal that nothing was lost or doubled."""

import itertools
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import uuid4

import httpx2
from sqlalchemy import select

from complaints.storage.rows.complaint import complaint
from complaints.use_cases.service import Service
from tests.faults.fleet import Member
from tests.faults.journal import Entry, Journal
from tests.support import ADMIN_SECRET

MARK = "journal"  # the attribute that shows whose complaint it is
CATEGORIES = ("network.outage", "billing.wrong_charge", "billing.unexplained")
WAIT = (409, 503, 507)  # not acknowledged, to be tried again
_HEADERS = {"Authorization": f"Bearer {ADMIN_SECRET}"}


def make_body(number: int, run: str) -> dict[str, Any]:
    """A complaint unlike any other, the same for the same number."""
    dice = random.Random(f"{run}/{number}")
    body: dict[str, Any] = {
        "channel": dice.choice(["phone", "web", "app", "email", "sms", "social", "on_site", "letter"]),
        "subject": f"No signal at mast {number} 没有信号",
        "description": "\n".join(f"Line {dice.random()} 漏水" for _ in range(dice.randrange(4))) or "-",
        "severity": dice.choice(["low", "normal", "high", "critical"]),
        "category": dice.choice(CATEGORIES),
        "region": f"CN-{dice.randrange(99)}",
        "source": f"{run}-{number % 3}",
        "tags": sorted({f"t{dice.randrange(9)}" for _ in range(3)}),
        "attributes": {MARK: number, "run": run, "cell": {"id": dice.random(), "name": "上海"}},
        "service": {"type": "mobile", "id": f"M-{dice.randrange(10**6)}"},
        "complainant": {
            "name": f"王芳 {number}",
            "phone": f"+86138{dice.randrange(10**8):08}",
            "account_no": f"A-{number}",
            "language": "zh-CN",
            "vulnerable": dice.random() < 0.1,
        },
    }
    if number % 2:
        body["external_id"] = f"CALL-{number}"
    return body


@dataclass
class Clients:
    """Clients at concurrency, each with one request under way. `unexpected` lists answers that no client should get.

    `longest_seconds` is the time of the slowest answer.
    """

    targets: Sequence[Member]
    journal: Journal
    pause_seconds: float = 0.0
    run: str = field(default_factory=lambda: f"run-{uuid4().hex[:8]}")
    unexpected: list[str] = field(default_factory=list)
    statuses: Counter[int | str] = field(default_factory=Counter)
    longest_seconds: float = 0.0
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    _stop: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def working(self, count: int) -> Iterator["Clients"]:
        """So many clients post until the block ends, and then finish what they have under way."""
        with ThreadPoolExecutor(count) as pool:
            running = [pool.submit(self._work, n) for n in range(count)]
            try:
                yield self
            finally:
                self._stop.set()
        for one in running:
            one.result()

    def _work(self, seed: int) -> None:
        dice = random.Random(seed)
        with httpx2.Client(headers=_HEADERS, timeout=30) as http:
            while not self._stop.is_set():
                self._post_new(http, dice)
                time.sleep(dice.uniform(0, 2 * self.pause_seconds))

    def _post_new(self, http: httpx2.Client, dice: random.Random) -> None:
        """Half of those whose request breaks repeat it at once, the others leave its outcome unknown."""
        number, key = next(self._numbers), uuid4().hex
        body = make_body(number, self.run)
        self.journal.sending(number, key, body)
        entry = Entry(number, key, body)
        while not self.post(http, entry, dice.choice(self.targets).url):
            if self._stop.wait(0.1) or dice.random() < 0.5:
                return

    def post(self, http: httpx2.Client, entry: Entry, url: str) -> bool:
        """Send a request, put its outcome on record; whether it is settled."""
        headers = {"Idempotency-Key": entry.key}
        began = time.monotonic()
        try:
            answer = http.post(f"{url}/v1/complaints", json=entry.body, headers=headers)
        except httpx2.TransportError as error:
            self.statuses[type(error).__name__] += 1
            self.journal.broke(entry.number, error)
            return False
        self.longest_seconds = max(self.longest_seconds, time.monotonic() - began)
        self.statuses[answer.status_code] += 1
        if answer.status_code == 201:
            self.journal.answered(entry.number, 201, answer.json()["id"])
            return True
        self.journal.answered(entry.number, answer.status_code, None)
        if answer.status_code in WAIT:
            return not self._is_orderly(answer)
        self.unexpected.append(
            f"request {entry.number} was answered {answer.status_code}: {answer.text[:200]}"
        )
        return True

    def _is_orderly(self, answer: httpx2.Response) -> bool:
        orderly = answer.headers.get("content-type") == "application/problem+json"
        if not (orderly and "retry-after" in answer.headers):
            self.unexpected.append(
                f"{answer.status_code} without problem or Retry-After: {answer.text[:200]}"
            )
        return orderly

    def settle(self) -> list[Entry]:
        """Repeat every request of unknown outcome with its key until it is answered; all that are on record."""
        open_ones = [entry for entry in self.journal.read() if not entry.acknowledged]
        with httpx2.Client(headers=_HEADERS, timeout=30) as http:
            for n, entry in enumerate(open_ones):
                deadline = time.monotonic() + 60
                while not self.post(http, entry, self.targets[n % len(self.targets)].url):
                    assert time.monotonic() < deadline, f"request {entry.number} cannot be settled"
                    time.sleep(0.1)
        return self.journal.read()

    def breaches(self, service: Service) -> list[str]:
        """What contradicts the journal, once every outcome is known: lost, altered or doubled complaints."""
        entries = self.settle()
        found = list(self.unexpected)
        found += [f"request {e.number} was never acknowledged" for e in entries if not e.acknowledged]
        found += self._miscounted(service, entries)
        acknowledged = [entry for entry in entries if entry.acknowledged]
        with httpx2.Client(headers=_HEADERS, timeout=30) as http, ThreadPoolExecutor(4) as pool:
            for altered in pool.map(partial(self._altered, http), acknowledged):
                found += altered
        return found

    def _miscounted(self, service: Service, entries: Sequence[Entry]) -> list[str]:
        c = complaint.c
        with service.database.read() as tx:
            rows = tx.connection.execute(
                select(c.id, c.attributes).where(c.source.in_([f"{self.run}-{n}" for n in range(3)]))
            ).all()
        counts = Counter(attributes[MARK] for _, attributes in rows)
        found = [f"request {n} made {count} complaints" for n, count in counts.items() if count > 1]
        unsent = counts.keys() - {entry.number for entry in entries}
        return found + [f"complaint {n} was never sent" for n in unsent]

    def _altered(self, http: httpx2.Client, entry: Entry) -> list[str]:
        url = f"{self.targets[entry.number % len(self.targets)].url}/v1/complaints/{entry.complaint_id}"
        answer = http.get(url)
        if answer.status_code != 200:
            return [f"complaint {entry.number} was acknowledged, and is answered {answer.status_code}"]
        shown = answer.json()
        return [
            f"complaint {entry.number} has {name} {shown.get(name)!r}, posted was {value!r}"
            for name, value in entry.body.items()
            if not holds(shown.get(name), value)
        ]

    def count_acknowledged(self) -> int:
        """How many complaints are on record as acknowledged."""
        return sum(entry.acknowledged for entry in self.journal.read())


def holds(shown: Any, posted: Any) -> bool:
    """Whether what is shown holds all that was posted, member by member."""
    if isinstance(posted, dict):
        return isinstance(shown, dict) and all(holds(shown.get(k), v) for k, v in posted.items())
    return bool(shown == posted)


def at_once(count: int, act: Callable[[int], Any]) -> list[Any]:
    """What `act(0)`, `act(1)`, … give, begun at the same moment in as many threads."""
    gate = threading.Barrier(count)

    def begin(number: int) -> Any:
        gate.wait()
        return act(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(begin, range(count)))
