"""A mailbox on a real IMAP server, and a service that reads it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from complaints.domain.complaint.attachments import AttachmentLimits
from complaints.domain.complaint.texts import join_texts
from complaints.features.notifications.mailbox import tables
from complaints.features.notifications.mailbox.tables import ReceivedMail
from complaints.features.notifications.mailbox.taking import MailboxOptions, take_mails
from complaints.storage.blobs.directory import BlobDirectory
from complaints.storage.rows.event_text import read_texts
from complaints.use_cases.access import SYSTEM
from complaints.use_cases.complaints.known import load_known_complaint
from complaints.use_cases.complaints.signed_addresses import AddressPurpose, make_signed_address
from complaints.use_cases.complaints.views import ComplaintView, view_one
from complaints.use_cases.mail_account import MailAccount, MailboxAccount
from complaints.use_cases.service import AttachmentStore, Service, Transaction
from tests.features.notifications.conftest import WallClock, wall
from tests.imap_server import ImapServer, imap_server
from tests.support import Scenario

__all__ = ["wall"]
BOX = "box@example.com"


@pytest.fixture(scope="session")
def running_imap() -> Iterator[ImapServer]:
    with imap_server() as server:
        yield server


@pytest.fixture
def imap(running_imap: ImapServer) -> ImapServer:
    running_imap.empty()
    return running_imap


@dataclass(frozen=True)
class MailboxScenario(Scenario):
    """A scenario with a mailbox."""

    options: MailboxOptions | None = None

    def take(self) -> list[ReceivedMail]:
        """Take the mails that wait. Every mail that was ever taken."""
        assert self.options is not None
        while take_mails(self.service, self.options):
            pass
        newest_first = self.service.read(lambda tx: tables.list_mails(tx, limit=100))
        return sorted(newest_first, key=lambda mail: (mail.validity, mail.uid))

    def view(self, complaint_id: UUID | None) -> ComplaintView:
        """A complaint with its persons."""
        service = self.service

        def read(tx: Transaction) -> ComplaintView:
            found = load_known_complaint(tx, SYSTEM, str(complaint_id)).complaint
            return view_one(service, tx, SYSTEM, found)

        return service.read(read)

    def texts(self, kind: str) -> list[dict[str, Any]]:
        """The data of the events of a type, with their texts."""
        statement = text(
            "SELECT data, texts FROM event LEFT JOIN event_text t ON t.complaint_id = event.complaint_id"
            " AND t.ordinal = event.ordinal WHERE type = :kind ORDER BY sequence"
        )
        rows = self.service.read(lambda tx: tx.connection.execute(statement, {"kind": kind}).all())
        return [join_texts(kind, json.loads(data), read_texts(texts)) for data, texts in rows]

    def execute(self, statement: str) -> None:
        """Change rows as no use case does."""
        self.service.write(lambda tx: tx.connection.execute(text(statement)) and None)

    def address(self, purpose: AddressPurpose, named_id: UUID) -> str:
        """The signed address of a complaint or a message."""
        made: str = self.service.read(lambda tx: make_signed_address(tx, BOX, purpose, named_id))
        return made


@pytest.fixture
def box(service: Service, imap: ImapServer, wall: WallClock, tmp_path: Path) -> MailboxScenario:
    limits = AttachmentLimits(most_bytes=10_000_000, most_of_complaint=10, most_bytes_of_complaint=30_000_000)
    reading = replace(
        service,
        wall=wall,
        mail=MailAccount.parse("smtp+plain://127.0.0.1:1", "Complaints <us@example.com>", BOX),
        attachment_store=AttachmentStore(BlobDirectory(tmp_path / "attachments"), limits),
    )
    return MailboxScenario(reading, options=MailboxOptions(MailboxAccount.parse(imap.url)))
