"""Clients that add attachments, each again and again under one idempotency key until it is answered."""

import hashlib
import os
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx2

from tests.faults.fleet import Fleet, Member

_HEAD = {"Content-Type": "application/octet-stream", "Content-Disposition": "attachment; filename=a.bin"}


@dataclass
class Uploaders:
    """The digests of acknowledged attachments by id, and how often each status was answered.

    `largest` is the most bytes of one attachment.
    """

    fleet: Fleet
    apis: Sequence[Member]
    address: str
    acknowledged: dict[str, str] = field(default_factory=dict)
    statuses: Counter[int] = field(default_factory=Counter)
    breaks: int = 0
    largest: int = 2_000_000
    _done: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def working(self, count: int) -> Iterator[None]:
        """So many clients upload until the end of the block. What they began, they finish."""
        threads = [threading.Thread(target=self._work, args=(n,)) for n in range(count)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._done.set()
            for thread in threads:
                thread.join()

    def _work(self, number: int) -> None:
        while not self._done.is_set():
            self._upload(os.urandom(1 + int.from_bytes(os.urandom(3), "big") % self.largest), number)

    def _upload(self, content: bytes, number: int) -> None:
        head: dict[str, Any] = {**_HEAD, "Idempotency-Key": str(uuid4())}
        turn = number
        while True:
            turn += 1
            try:
                with self.fleet.client(self.apis[turn % len(self.apis)]) as http:
                    answer = http.post(self.address, content=content, headers=head)
            except httpx2.TransportError:
                self.breaks += 1
                continue
            self.statuses[answer.status_code] += 1
            if answer.status_code == httpx2.codes.CREATED:
                self.acknowledged[answer.json()["id"]] = hashlib.sha256(content).hexdigest()
                return
            if answer.status_code == httpx2.codes.SERVICE_UNAVAILABLE and self._done.wait(0.05):
                return
