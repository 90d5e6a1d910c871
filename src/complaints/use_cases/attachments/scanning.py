"""Scanning attachments in quarantine: each is claimed for a while, scanned outside any transaction, and recorded."""

import logging
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from complaints.domain.complaint.attachments import Attachment
from complaints.domain.complaint.change import Change
from complaints.domain.errors import Unavailable
from complaints.domain.policy.policy import Policy
from complaints.domain.vocabulary import EventType
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows import attachment as attachment_rows
from complaints.use_cases.access import SYSTEM
from complaints.use_cases.complaints.changing import change_complaint
from complaints.use_cases.service import Service

LEASE = timedelta(minutes=5)
"""A scan that has no result after this time is begun again. It is longer than the longest scan."""

_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=5), timedelta(hours=1)
_FAILURES = 3  # a run ends after so many in a row: then it is the scanner, not the file
log = logging.getLogger(__name__)


class ScanFailed(Unavailable):
    """The scanner gave no answer about a file."""


class Scanner(Protocol):
    """A scanner for harmful files."""

    def scan(self, parts: Iterable[bytes]) -> str | None:
        """What it finds in a file; None: nothing. Raises ScanFailed without an answer."""


@dataclass(frozen=True, slots=True)
class ScanWorker:
    """Scans the attachments that wait, one after the other. Several processes may do so at once."""

    service: Service
    scanner: Scanner
    stopping: Callable[[], bool] = lambda: False

    def scan_waiting(self) -> None:
        """Scan all attachments that may be scanned now (rule 11.7). Ends early if the scanner does not answer."""
        failures = 0
        while failures < _FAILURES and not self.stopping():
            claimed = self.service.write(self._claim)
            if claimed is None:
                return
            failures = 0 if self._scan(claimed) else failures + 1

    def _claim(self, tx: Transaction) -> Attachment | None:
        now = self.service.wall()
        return attachment_rows.claim_scan(tx, now=now, until=now + LEASE)

    def _scan(self, claimed: Attachment) -> bool:
        """Scan one attachment and record the answer. False without an answer: then it waits, each time longer."""
        try:
            with closing(self.service.attachments.blobs.read(claimed.id)) as parts:
                finding = self.scanner.scan(parts)
        except Unavailable as failure:
            log.warning(
                "an attachment was not scanned", extra={"attachment": claimed.id, "why": failure.detail}
            )
            self.service.write(lambda tx: self._postpone(tx, claimed))
            return False
        self.service.write(lambda tx: self._record(tx, claimed, finding))
        return True

    def _postpone(self, tx: Transaction, claimed: Attachment) -> None:
        failures = attachment_rows.count_scan_failure(tx, claimed.id)
        pause = min(_FIRST_PAUSE * 2 ** min(failures, 20), _LONGEST_PAUSE)
        attachment_rows.postpone_scan(tx, claimed.id, until=self.service.wall() + pause)

    def _record(self, tx: Transaction, claimed: Attachment, finding: str | None) -> None:
        if finding is None:
            attachment_rows.record_clean(tx, claimed.id, at=tx.now)
            return
        told = attachment_rows.shorten_finding(finding)

        def step(tx: Transaction, change: Change, policy: Policy) -> None:
            if attachment_rows.record_finding(tx, claimed.id, told, at=tx.now):
                change.record(EventType.ATTACHMENT_INFECTED, tx.now, attachment_id=claimed.id, finding=told)
                log.error(
                    "the scanner found something in an attachment",
                    extra={"attachment": claimed.id, "finding": told},
                )

        change_complaint(self.service, tx, SYSTEM, str(claimed.complaint_id), step)
