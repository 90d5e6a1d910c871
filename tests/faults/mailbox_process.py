"""A process that takes mails until it is killed.

python -m tests.faults.mailbox_process DATABASE_URL MAILBOX_URL DIRECTORY
"""

import sys
import time
from pathlib import Path

from complaints.domain.errors import Unavailable
from complaints.features.notifications.mailbox.taking import MailboxOptions, take_mails
from complaints.storage.blobs.directory import BlobDirectory
from complaints.storage.database.connections import open_engine
from complaints.storage.database.transactions import Database
from complaints.use_cases.mail_account import MailboxAccount
from complaints.use_cases.service import AttachmentStore, Service
from complaints.wiring import new_id, wall_clock, wall_now


def main() -> None:
    """Take mails, and again at once while there are more."""
    url, mailbox, directory = sys.argv[1:]
    store = AttachmentStore(BlobDirectory(Path(directory)))
    database = Database(open_engine(url), wall_clock)
    service = Service(database, new_id, wall=wall_now, attachment_store=store)
    options = MailboxOptions(MailboxAccount.parse(mailbox))
    while True:
        try:
            if not take_mails(service, options):
                time.sleep(0.05)
        except Unavailable:
            time.sleep(0.05)


if __name__ == "__main__":
    main()
