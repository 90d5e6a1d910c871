"""Sending: one coordinator in a process leases subscriptions, threads send, and the coordinator writes the results.

No transaction is open while something is sent. A subscription is leased by one process at a time, so its messages
about one complaint keep their order. A slow receiver keeps only its own threads, and few of them.
"""

import logging
import queue
import random
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from complaints.api.feature import FormedMessage, MessageForm
from complaints.domain.errors import Unavailable
from complaints.features.webhooks import messages, planning
from complaints.features.webhooks.attempt import SendResult, open_client, send_message
from complaints.features.webhooks.messages import FAULT, FORMS, Lease, WebhookMessage
from complaints.features.webhooks.rules import (
    GONE,
    QUICK_SECONDS,
    DisabledReason,
    choose_next,
    choose_width,
)
from complaints.features.webhooks.settings import WebhookSettings
from complaints.features.webhooks.settling import settle
from complaints.features.webhooks.tables import deliveries, subscriptions
from complaints.features.webhooks.tables.subscriptions import Webhook
from complaints.use_cases.service import Service, Transaction

MESSAGES_AT_ONCE = 300
_CANDIDATES = 200
_DUE_AT_ONCE = 1000
_LOOK_SECONDS = 0.1
_GATHER_SECONDS = 0.03  # one commit for many batches that end together
_REST_SECONDS = 0.5
_DRAIN_SECONDS = 3.0
log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class Batch:
    """The messages that one lease sends. Chains are the messages of one complaint, in order.

    No message is begun after `seconds`, so the batch ends before its lease does.
    """

    webhook: Webhook
    chains: deque[Sequence[WebhookMessage]]
    width: int
    seconds: float
    begun: float = field(default_factory=time.monotonic)
    results: list[tuple[WebhookMessage, SendResult]] = field(default_factory=list)
    is_stopped: bool = False
    running: int = 0

    @property
    def is_over(self) -> bool:
        """True if no more messages are begun."""
        return self.is_stopped or time.monotonic() - self.begun > self.seconds


class _Threads:
    """Threads that send, made when they are needed. They are daemons: an open request does not keep a process alive."""

    def __init__(self) -> None:
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._idle = threading.Semaphore(0)
        self._count = 0

    def start(self, work: Callable[[], None]) -> None:
        """Let a thread do `work` now."""
        if not self._idle.acquire(blocking=False):
            self._count += 1
            threading.Thread(target=self._run, name="webhook sender", daemon=True).start()
        self._work.put(work)

    def _run(self) -> None:
        while (work := self._work.get()) is not None:
            work()
            self._idle.release()

    def end(self) -> None:
        """Let every thread end after its present work."""
        for _ in range(self._count):
            self._work.put(None)


def has_due(service: Service, settings: WebhookSettings, tx: Transaction) -> bool:
    """True if a subscription has messages to send now."""
    return subscriptions.has_due(tx, service.wall(), lease=settings.lease)


class Sender:
    """Sends until there is nothing to do. Only one thread calls its methods."""

    def __init__(
        self,
        service: Service,
        settings: WebhookSettings,
        *,
        forms: Mapping[str, MessageForm] = FORMS,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._service, self._settings, self._chance = service, settings, chance
        self._forms = forms
        self._lease_id = service.new_id()
        self._threads = _Threads()
        self._ended: queue.SimpleQueue[Batch] = queue.SimpleQueue()
        self._under_way: dict[UUID, Batch] = {}
        self._widths: defaultdict[UUID, int] = defaultdict(lambda: 1)

    def run(self, is_stopping: Callable[[], bool]) -> int:
        """Send what is due, and go on until nothing is due or under way. Returns how many batches were sent."""
        sent = 0
        try:
            while not is_stopping():
                ended = self._wait()
                if not ended and not self._has_due():
                    if not self._under_way:
                        break
                    continue
                sent += len(ended)
                self._turn(ended, is_stopping)
            self._drain()
        finally:
            self._threads.end()
        return sent

    def _has_due(self) -> bool:
        try:
            return self._service.read(lambda tx: has_due(self._service, self._settings, tx))
        except Unavailable:
            time.sleep(_REST_SECONDS)
            return False

    def _wait(self) -> list[Batch]:
        """The batches that ended, at least one if some end soon."""
        ended: list[Batch] = []
        try:
            if self._under_way:
                ended.append(self._ended.get(timeout=_LOOK_SECONDS))
            if len(self._under_way) > 1:
                time.sleep(_GATHER_SECONDS)
            while True:
                ended.append(self._ended.get_nowait())
        except queue.Empty:
            return ended

    def _turn(self, ended: Sequence[Batch], is_stopping: Callable[[], bool]) -> None:
        """Write results, lease what is due, and begin to send it."""
        for batch in ended:
            self._learn(batch)
        leases = self._write(ended, is_stopping, claim=True)
        for batch in ended:
            del self._under_way[batch.webhook.id]
        built = self._build(leases)
        for lease in leases:
            self._begin(lease, built.get(lease.webhook.id, ()))
        if not ended and not leases:
            time.sleep(_LOOK_SECONDS)  # another process is about to lease what is due

    def _drain(self) -> None:
        """Wait a little for what is under way, and write its results."""
        end = time.monotonic() + _DRAIN_SECONDS
        for batch in self._under_way.values():
            batch.is_stopped = True
        while self._under_way and time.monotonic() < end:
            if ended := self._wait():
                self._write(ended, lambda: True, claim=False)
                for batch in ended:
                    del self._under_way[batch.webhook.id]

    def _write(
        self, ended: Sequence[Batch], is_stopping: Callable[[], bool], *, claim: bool
    ) -> Sequence[Lease]:
        """One transaction with the results of ended batches and new leases, repeated while the database is away."""

        def work(tx: Transaction) -> Sequence[Lease]:
            results = {batch.webhook.id: batch.results for batch in ended}
            settle(tx, results, self._lease_id, chance=self._chance)
            return self._claim(tx, {batch.webhook.id for batch in ended}) if claim else ()

        while True:
            try:
                return self._service.write(work)
            except Unavailable:
                if is_stopping():
                    raise
                log.warning("the results of webhooks are written when the database is back")
                time.sleep(_REST_SECONDS)

    def _claim(self, tx: Transaction, ended: set[UUID]) -> Sequence[Lease]:
        now = self._service.wall()
        busy = [batch for key, batch in self._under_way.items() if key not in ended]
        free = self._settings.threads - sum(batch.width for batch in busy)
        # Receivers in trouble get a quarter of the threads, so they never take those of the others.
        free_for_troubled = self._settings.threads // 4
        free_for_troubled -= sum(batch.width for batch in busy if _is_troubled(batch))
        chosen: list[Webhook] = []
        for webhook in subscriptions.claim_candidates(tx, now, lease=self._settings.lease, limit=_CANDIDATES):
            is_troubled = webhook.failing_since is not None
            if webhook.id in self._under_way and webhook.id not in ended:
                continue  # the clock was set back or forth: this process still sends to it
            if len(chosen) < free and not (is_troubled and free_for_troubled < 1):
                chosen.append(webhook)
                free_for_troubled -= is_troubled
        leases = self._choose_messages(tx, chosen, now, free=free)
        if leases:
            until = now + self._settings.lease
            subscriptions.lease_webhooks(tx, [one.webhook.id for one in leases], self._lease_id, until)
        return leases

    def _choose_messages(
        self, tx: Transaction, webhooks: Sequence[Webhook], now: datetime, *, free: int
    ) -> list[Lease]:
        """The leases of subscriptions that have messages to send now. `free` threads are shared by them."""
        due = (
            deliveries.find_due(tx, [one.id for one in webhooks], now, limit=_DUE_AT_ONCE) if webhooks else {}
        )
        is_whole = sum(map(len, due.values())) < _DUE_AT_ONCE
        leases, spare = [], free - len(webhooks)
        for webhook in webhooks:
            owner = planning.owner_of(self._service, tx, webhook)
            if owner is None:
                planning.disable(tx, webhook.id, DisabledReason.ACCESS_LOST, now)
                continue
            pending = due.get(webhook.id, [])
            ids, waiting = choose_next(pending, now)
            deliveries.postpone(tx, waiting)
            if ids:
                most = min(self._widths[webhook.id], len({one.owner_id for one in pending}))
                width = min(most, 1 + spare)
                spare -= width - 1
                leases.append(Lease(webhook, owner, ids[:MESSAGES_AT_ONCE], width))
            elif pending or is_whole:
                subscriptions.end_leases(tx, [webhook.id])  # it has work later, or none
        return leases

    def _build(self, leases: Sequence[Lease]) -> dict[UUID, list[WebhookMessage]]:
        """The messages by subscription. None if the database is away: then the batches are over, and come again."""
        if not leases:
            return {}
        try:
            return self._service.read(
                lambda tx: messages.build_messages(self._service, tx, leases, self._forms)
            )
        except Unavailable:
            time.sleep(_REST_SECONDS)
            return {}

    def _begin(self, lease: Lease, built: Sequence[WebhookMessage]) -> None:
        chains: dict[UUID, list[WebhookMessage]] = {}
        for message in built:
            chains.setdefault(message.owner_id, []).append(message)
        width = min(lease.width, len(chains))
        batch = Batch(
            lease.webhook, deque(chains.values()), width, self._settings.timeout_seconds, running=width
        )
        self._under_way[lease.webhook.id] = batch
        lock = threading.Lock()
        for _ in range(width):
            self._threads.start(lambda: self._send_chains(batch, lock))
        if not width:
            self._ended.put(batch)

    def _send_chains(self, batch: Batch, lock: threading.Lock) -> None:
        """Send chains until there are no more. The last thread of a batch hands it back."""
        try:
            while not batch.is_over:
                try:
                    chain = batch.chains.popleft()
                except IndexError:
                    break
                self._send_chain(batch, chain)
        finally:
            with lock:
                batch.running -= 1
                is_last = batch.running == 0
            if is_last:
                self._ended.put(batch)

    def _send_chain(self, batch: Batch, chain: Sequence[WebhookMessage]) -> None:
        for message in chain:
            if batch.is_over:
                return
            result = self._send(batch, message)
            if result is None:
                return
            batch.results.append((message, result))
            if result.was_sent and result.status in (None, GONE):
                batch.is_stopped = True
            if not result.is_success:
                return

    def _send(self, batch: Batch, message: WebhookMessage) -> SendResult | None:
        """Send the messages of a delivery until one fails. None: the batch is over, and it comes again as a whole."""
        result, duration_ms = SendResult(self._service.wall(), 0, failure=message.failure), 0
        for number, part in enumerate(message.parts):
            if number and batch.is_over:
                return None
            result = self._send_part(batch.webhook, part)
            duration_ms += result.duration_ms
            if not result.is_success:
                break
        return replace(result, duration_ms=duration_ms)

    def _send_part(self, webhook: Webhook, part: FormedMessage) -> SendResult:
        now = self._service.wall
        client = open_client(self._service.webhook_allow, self._settings.timeout_seconds)
        try:
            return send_message(client, webhook, part, self._forms[webhook.format].content_type, now)
        except Exception:  # a fault of the program: without a result, the message would be sent again at once
            log.exception("a webhook could not be sent", extra={"webhook": str(webhook.id)})
            return SendResult(now(), 0, failure=FAULT)

    def _learn(self, batch: Batch) -> None:
        """Choose how many messages the receiver gets at a time from now on."""
        webhook_id = batch.webhook.id
        results = [result for _, result in batch.results if not result.is_empty]
        durations = [result.duration_ms for result in results if result.is_success]
        is_well = len(durations) == len(results)
        self._widths[webhook_id] = choose_width(self._widths[webhook_id], durations) if is_well else 1


def _is_troubled(batch: Batch) -> bool:
    return batch.webhook.failing_since is not None or time.monotonic() - batch.begun > QUICK_SECONDS
