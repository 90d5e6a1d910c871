"""A mailbox by IMAP: its newest mails by number, the bytes of one, and a folder for mails that are set aside."""

import imaplib
import re
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from imap_tools import BaseMailBox, MailBox, MailBoxStartTls, MailBoxUnencrypted
from imap_tools.errors import ImapToolsError

from complaints.use_cases.mail_account import ImapEncryption, MailboxAccount

LONGEST_SECONDS = 30.0  # for one answer of the server
_SIZE = re.compile(rb"RFC822\.SIZE (\d+)")
_ARRIVAL = re.compile(rb'INTERNALDATE " ?([^"]+)"')
_ARRIVAL_FORM = "%d-%b-%Y %H:%M:%S %z"
_NO_BODY = b"BODY[] NIL"
_SEEN = "\\Seen"


class MailboxUnavailable(Exception):
    """The server did not answer, or not as IMAP demands. A later try may succeed. The message has no password."""


class MailRefused(MailboxUnavailable):
    """The server works, but does not show this mail. The mail may be damaged, or a later try may succeed."""


@dataclass(frozen=True, slots=True)
class MailEntry:
    """A mail in a folder: its number there, its size in bytes, and the time at which the server got it, in UTC."""

    uid: int
    size: int
    arrived_at: datetime


class Mailbox:
    """An open folder. `validity` changes when the server numbers its mails again."""

    def __init__(self, box: BaseMailBox, folder: str) -> None:
        self._box = box
        self._folder = folder
        status = box.folder.status(folder, ["UIDVALIDITY"])
        self.validity: int = status["UIDVALIDITY"]

    def list_after(self, uid: int, *, limit: int) -> Sequence[int]:
        """The numbers of mails above `uid`, lowest first. Raises MailboxUnavailable."""
        with _translated():
            return sorted(n for n in map(int, self._box.uids(f"UID {uid + 1}:*")) if n > uid)[:limit]

    def describe(self, uid: int) -> MailEntry | None:
        """A mail without its bytes; None: it is gone. Raises MailRefused and MailboxUnavailable."""
        with _translated():
            for item in self._fetch(uid, "(RFC822.SIZE INTERNALDATE)"):
                line = item[0] if isinstance(item, tuple) else item
                if isinstance(line, bytes) and (size := _SIZE.search(line)):
                    return MailEntry(uid, int(size[1]), _arrival_in(line))
        return None

    def fetch(self, uid: int) -> bytes | None:
        """The bytes of a mail; None: it is gone. It stays unread. Raises MailRefused and MailboxUnavailable."""
        with _translated():
            for item in self._fetch(uid, "(BODY.PEEK[])"):
                if isinstance(item, tuple):
                    return bytes(item[1])
                if item is not None and _NO_BODY in item:
                    raise MailRefused("the server did not show the bytes of a mail")
        return None

    def mark_read(self, uid: int) -> None:
        """Mark a mail as read. Raises MailboxUnavailable."""
        with _translated():
            self._box.flag([str(uid)], [_SEEN], True)

    def set_aside(self, uid: int, folder: str) -> None:
        """Move a mail to a folder, which is made if it is missing. Raises MailboxUnavailable."""
        with _translated():
            if not self._box.folder.exists(folder):
                self._box.folder.create(folder)
            self._box.move([str(uid)], folder)

    def _fetch(self, uid: int, what: str) -> Sequence[tuple[bytes, bytes] | bytes | None]:
        status, items = self._box.client.uid("fetch", str(uid), what)
        if status != "OK":
            raise MailRefused("the server did not show a mail")
        return items


def _arrival_in(line: bytes) -> datetime:
    found = _ARRIVAL.search(line)
    try:
        return datetime.strptime(found[1].decode("ascii") if found else "", _ARRIVAL_FORM).astimezone(UTC)
    except ValueError as error:
        raise MailRefused("the server did not say when a mail arrived") from error


@contextmanager
def open_mailbox(account: MailboxAccount) -> Iterator[Mailbox]:
    """The folder of an account, until the end of the block. Raises MailboxUnavailable."""
    with _translated():
        box = _connect(account)
    try:
        with _translated():
            login = box.login if (account.username + account.password).isascii() else box.login_utf8
            login(account.username, account.password, initial_folder=account.folder)
            mailbox = Mailbox(box, account.folder)
        yield mailbox
    finally:
        with suppress(ImapToolsError, imaplib.IMAP4.error, OSError):
            box.logout()


def _connect(account: MailboxAccount) -> BaseMailBox:
    host, port = account.host, account.port
    if account.encryption is ImapEncryption.NONE:
        return MailBoxUnencrypted(host, port, timeout=LONGEST_SECONDS)
    # Without a context, the library would trust any certificate.
    context = ssl.create_default_context()
    if account.encryption is ImapEncryption.STARTTLS:
        return MailBoxStartTls(host, port, timeout=LONGEST_SECONDS, ssl_context=context)
    return MailBox(host, port, timeout=LONGEST_SECONDS, ssl_context=context)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (ImapToolsError, imaplib.IMAP4.error, OSError, EOFError) as error:
        raise MailboxUnavailable(f"the mailbox did not answer: {type(error).__name__}") from error
