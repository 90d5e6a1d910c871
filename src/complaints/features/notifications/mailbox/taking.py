"""Takes the mails of a mailbox: each becomes rows in one transaction with the note that it was taken.

A crash loses no mail and takes none twice: the number of the mail and its complaint are committed together. Files
follow one by one, each together with the count of files that were kept. A mail that cannot be read is noted and set
aside. One that the server does not show is tried again for a day before, while the mails behind it are taken.
"""

import hashlib
import hmac
import logging
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from uuid import UUID

from complaints.domain.complaint.attachments import Attachment
from complaints.domain.errors import ComplaintError, Unavailable
from complaints.domain.visibility import has_visible_character
from complaints.domain.vocabulary import AccessRole, Channel, Visibility
from complaints.features.notifications.delivery_use_cases import record_receipt
from complaints.features.notifications.mailbox import tables
from complaints.features.notifications.mailbox.reading import IncomingMail, MailFile, MailKind, read_mail
from complaints.features.notifications.mailbox.tables import MailFate, ReceivedMail
from complaints.features.notifications.model import ReceiptStatus
from complaints.outbound.mailbox import (
    Mailbox,
    MailboxUnavailable,
    MailEntry,
    MailRefused,
    open_mailbox,
)
from complaints.storage.rows.external_id import find_holders
from complaints.storage.rows.installation import load_secret
from complaints.use_cases.access import Caller
from complaints.use_cases.attachments.adding import NewAttachment, begin_upload
from complaints.use_cases.commands.complaints import AddNote, CreateComplaint, PersonIn
from complaints.use_cases.complaints.history import add_note
from complaints.use_cases.complaints.intake import ContactWords, add_contact, register_one
from complaints.use_cases.complaints.signed_addresses import AddressPurpose, find_signed_ids
from complaints.use_cases.mail_account import MailboxAccount
from complaints.use_cases.service import Service, Transaction

MOST_AT_ONCE = 20
MOST_OF_SENDER = 20
SENDER_TIME = timedelta(hours=1)
REFUSAL_TIME = timedelta(days=1)
_WITH_FILES = (MailFate.COMPLAINT, MailFate.CONTACT)
WHOLE_MAIL = "mail.eml"
_LONGEST_REASON = 200
_NO_SUBJECT = {"zh": "（无主题）", None: "(no subject)"}
_REFUSED_FILE = """邮件中的文件“{name}”未能保存，原件仍在邮箱中。
The file "{name}" of the mail was not kept: {reason} It is still in the mailbox."""
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class MailboxOptions:
    """The mailbox that is read. `source` is the source of its complaints; `most_bytes` are the bytes of one mail.

    Mails that need a person are moved to `quarantine`, a folder of the account.
    """

    account: MailboxAccount
    source: str = "email"
    most_bytes: int = 30 * 1024**2
    quarantine: str = "Quarantine"

    @property
    def caller(self) -> Caller:
        """The caller in whose name mails are taken."""
        return Caller("mailbox", frozenset({AccessRole.ADMIN}), self.source)


def take_mails(service: Service, options: MailboxOptions) -> int:
    """Take the next mails of the mailbox. Returns how many were taken; 0 also if the server does not answer."""
    try:
        with open_mailbox(options.account) as box:
            return _MailTaker(service, options, box).take_next()
    except MailboxUnavailable as error:
        log.warning("the mailbox cannot be read", extra={"raised": str(error)})
        return 0


@dataclass(frozen=True, slots=True)
class _MailTaker:
    """Takes mails from one open folder."""

    service: Service
    options: MailboxOptions
    box: Mailbox

    def take_next(self) -> int:
        """Take new mails and those that the server refused, and keep the files that were left when a process died.

        Returns how many mails are done or refused for the first time.
        """
        name, validity = self._place
        refused = partial(tables.list_refused, mailbox=name, validity=validity, limit=MOST_AT_ONCE)
        done = [uid for uid in self.service.read(refused) if self._take_refused(uid)]
        last = self.service.read(lambda tx: tables.find_last_uid(tx, name, validity))
        new = self.box.list_after(last, limit=MOST_AT_ONCE)
        for uid in new:
            self._take(uid)
        unfinished = partial(tables.list_unfinished, mailbox=name, validity=validity, limit=MOST_AT_ONCE)
        for mail in self.service.read(unfinished):
            self._keep_files_again(mail)
        return len(done) + len(new)

    @property
    def _place(self) -> tuple[str, int]:
        """The mailbox, and the numbering of its mails."""
        return self.options.account.name, self.box.validity

    def _take_refused(self, uid: int) -> bool:
        """Try a mail again that the server did not show. False: it is tried once more later."""
        is_done = self._take(uid)
        if is_done:
            self.service.write(lambda tx: tables.forget_refusal(tx, *self._place, uid))
        return is_done

    def _take(self, uid: int) -> bool:
        """Take a mail. False if the server does not show it now."""
        try:
            entry = self.box.describe(uid)
            is_small = entry is not None and entry.size <= self.options.most_bytes
            content = self.box.fetch(uid) if is_small else None
        except MailRefused as refusal:
            return self._note_refusal(uid, refusal)
        if entry is not None and not is_small:
            self._set_aside(uid, f"it has {entry.size} bytes")
        if entry is not None and content is not None:
            self._take_shown(entry, content)
        return True

    def _note_refusal(self, uid: int, refusal: MailRefused) -> bool:
        """Note that the server did not show a mail. True if it was set aside, because this lasts for a day."""
        wall = self.service.wall()
        first = self.service.write(lambda tx: tables.note_refusal(tx, *self._place, uid, wall=wall))
        if wall - first >= REFUSAL_TIME:
            self._set_aside(uid, "the server does not show it")
            return True
        if first == wall:
            log.warning("the server refused a mail", extra={"uid": uid, "raised": str(refusal)})
        return False

    def _take_shown(self, entry: MailEntry, content: bytes) -> None:
        try:
            mail = read_mail(content)
            taken = self.service.write(lambda tx: self._decide(tx, entry, mail, content))
        except _DoneByOther:
            return
        except Unavailable:
            raise
        except ComplaintError as refusal:
            self._set_aside(entry.uid, f"refused: {refusal.code}")
            return
        except Exception as error:  # a mail that meets a fault of the program must not stop those behind it
            log.exception("a mail could not be taken", extra={"uid": entry.uid})
            self._set_aside(entry.uid, f"the program failed: {type(error).__name__}")
            return
        if taken.fate is MailFate.QUARANTINED:
            self._move_aside(entry.uid)
            return
        self._keep_files(taken, mail, content)
        self.box.mark_read(entry.uid)

    # What becomes of a mail ----------------------------------------------------------------------------------------

    def _decide(self, tx: Transaction, entry: MailEntry, mail: IncomingMail, content: bytes) -> ReceivedMail:
        """Act on a mail and note it. Raises _DoneByOther, and then nothing of it is committed."""
        if tables.is_taken(tx, self.options.account.name, self.box.validity, entry.uid):
            raise _DoneByOther
        fate, reason, complaint_id = self._act(tx, entry, mail)
        noted = ReceivedMail(
            id=self.service.new_id(),
            mailbox=self.options.account.name,
            validity=self.box.validity,
            uid=entry.uid,
            fate=fate,
            taken_at=self.service.wall(),
            reason=reason,
            message_id=mail.message_id,
            digest=mail.digest,
            sender_digest=_digest_sender(tx, mail),
            complaint_id=complaint_id,
            files=len(_files_to_keep(mail, content)) if fate in _WITH_FILES else 0,
        )
        if not tables.insert_mail(tx, noted):
            raise _DoneByOther
        return noted

    def _act(
        self, tx: Transaction, entry: MailEntry, mail: IncomingMail
    ) -> tuple[MailFate, str | None, UUID | None]:
        named = list(find_signed_ids(tx, self._address, mail.recipients)) if self._address else []
        bounced = [i for purpose, i in named if purpose is AddressPurpose.BOUNCE]
        if mail.kind is MailKind.BOUNCE and bounced:
            return MailFate.BOUNCE, self._report_bounce(tx, bounced[0]) or mail.reason, None
        if mail.kind is not MailKind.PERSON or bounced:
            return MailFate.AUTOMATIC, mail.reason or "sent to an address for bounces", None
        if self._is_own(mail):
            return MailFate.LOOP, "it came from an address of the house", None
        if copy := tables.find_copy(tx, mail.digest):
            return MailFate.DUPLICATE, None, copy.complaint_id
        if self._sends_too_many(tx, mail):
            return MailFate.QUARANTINED, "too many mails of one sender", None
        if named:
            words = ContactWords(Channel.EMAIL, mail.text.strip() or _subject_of(mail))
            return MailFate.CONTACT, None, add_contact(self.service, tx, named[0][1], words).complaint.id
        command = self._complaint_of(tx, entry, mail)
        made = register_one(self.service, tx, self.options.caller, command)
        return MailFate.COMPLAINT, None, made.complaint.id

    def _report_bounce(self, tx: Transaction, delivery_id: UUID) -> str | None:
        """Report that a sent mail came back. Returns the reason if the report is refused."""
        try:
            record_receipt(self.service, tx, delivery_id, ReceiptStatus.FAILED, reason="The mail came back.")
        except ComplaintError as refusal:  # the delivery was deleted, or somebody tries it again just now
            return str(refusal)[:_LONGEST_REASON]
        return None

    @property
    def _address(self) -> str | None:
        return self.service.mail.reply_to if self.service.mail else None

    def _is_own(self, mail: IncomingMail) -> bool:
        if self.service.mail is None or mail.sender is None:
            return False
        own = {self.service.mail.sender.addr_spec.lower(), (self._address or "").lower()}
        return mail.sender.lower() in own

    def _sends_too_many(self, tx: Transaction, mail: IncomingMail) -> bool:
        """True for a sender who fills the mailbox, such as a program that answers each acknowledgement."""
        digest, now = _digest_sender(tx, mail), self.service.wall()
        if digest is None:
            return False
        return tables.count_of_sender(tx, digest, since=now - SENDER_TIME, until=now) >= MOST_OF_SENDER

    def _complaint_of(self, tx: Transaction, entry: MailEntry, mail: IncomingMail) -> CreateComplaint:
        person = PersonIn(name=mail.sender_name, email=mail.sender, language=mail.language)
        return CreateComplaint(
            channel=Channel.EMAIL,
            subject=_subject_of(mail),
            description=mail.text or None,
            source=self.options.source,
            external_id=_external_id_of(tx, self.options.source, mail),
            received_at=min(entry.arrived_at, tx.now),
            complainant=person if mail.sender or mail.sender_name else None,
        )

    # Mails for a person --------------------------------------------------------------------------------------------

    def _set_aside(self, uid: int, reason: str) -> None:
        """Note a mail that could not be taken, and move it away."""
        noted = ReceivedMail(
            id=self.service.new_id(),
            mailbox=self.options.account.name,
            validity=self.box.validity,
            uid=uid,
            fate=MailFate.QUARANTINED,
            taken_at=self.service.wall(),
            reason=reason[:_LONGEST_REASON],
        )
        self.service.write(lambda tx: tables.insert_mail(tx, noted))
        self._move_aside(uid)

    def _move_aside(self, uid: int) -> None:
        """The mail stays where it is if the server does not move it: the note keeps it from being taken again."""
        log.warning("a mail was set aside", extra={"uid": uid, "folder": self.options.quarantine})
        try:
            self.box.set_aside(uid, self.options.quarantine)
        except MailboxUnavailable as error:
            log.warning("a mail could not be moved", extra={"uid": uid, "raised": str(error)})

    # Files ---------------------------------------------------------------------------------------------------------

    def _keep_files_again(self, taken: ReceivedMail) -> None:
        """Go on with the files of a mail after a crash. They are lost if the mail is gone."""
        try:
            content = self.box.fetch(taken.uid)
        except MailRefused as refusal:  # it may show the mail later, and must not stop the files of others
            log.warning(
                "the server refused a mail with files", extra={"uid": taken.uid, "raised": str(refusal)}
            )
            return
        if content is None:
            self.service.write(partial(_give_up_files, mail=taken))
            return
        mail = read_mail(content)
        self._keep_files(taken, mail, content)
        if len(_files_to_keep(mail, content)) < taken.files:  # another program read the mail before
            self.service.write(partial(_give_up_files, mail=taken))
        self.box.mark_read(taken.uid)

    def _keep_files(self, taken: ReceivedMail, mail: IncomingMail, content: bytes) -> None:
        if taken.files == 0:
            return
        for n, file in enumerate(_files_to_keep(mail, content)):
            if n >= taken.files_kept:
                self._keep_file(taken, n, file)

    def _keep_file(self, taken: ReceivedMail, n: int, file: MailFile) -> None:
        """Make a file an attachment. A file that is refused is named in a note for the staff."""
        new = NewAttachment(file.name, file.media_type, Visibility.PUBLIC)
        caller, reference = self.options.caller, str(taken.complaint_id)
        try:
            with begin_upload(self.service, caller, reference, new) as upload:
                upload.write(file.content)
                upload.finish()

                def record(tx: Transaction) -> Attachment:
                    _count_file(tx, taken, n)
                    return upload.record(tx)

                upload.keep(self.service.write(record))
        except _DoneByOther:
            return
        except Unavailable:
            raise
        except ComplaintError as refusal:
            self._note_refused_file(taken, n, file, str(refusal))
        except Exception as error:  # a file that meets a fault of the program must not stop those behind it
            log.exception("a file of a mail could not be kept", extra={"uid": taken.uid})
            self._note_refused_file(taken, n, file, f"The program failed: {type(error).__name__}.")

    def _note_refused_file(self, taken: ReceivedMail, n: int, file: MailFile, reason: str) -> None:
        note = AddNote(text=_REFUSED_FILE.format(name=file.name, reason=reason))

        def write(tx: Transaction) -> None:
            _count_file(tx, taken, n)
            add_note(self.service, tx, self.options.caller, str(taken.complaint_id), note)

        with suppress(_DoneByOther):
            self.service.write(write)


class _DoneByOther(Exception):
    """Another process has taken the mail, or has kept the file."""


def _count_file(tx: Transaction, taken: ReceivedMail, n: int) -> None:
    if not tables.note_file(tx, taken, n):
        raise _DoneByOther


def _give_up_files(tx: Transaction, mail: ReceivedMail) -> None:
    """Note that the other files of a mail cannot be kept any more."""
    log.warning("files of a mail are lost: they are not there any more", extra={"uid": mail.uid})
    tables.give_up_files(tx, mail)


def _files_to_keep(mail: IncomingMail, content: bytes) -> tuple[MailFile, ...]:
    """The files of a mail. A mail that was cut is kept as a whole too, so that nothing is lost."""
    whole = (MailFile(WHOLE_MAIL, "message/rfc822", content),) if mail.is_cut else ()
    return (*whole, *mail.files)


def _subject_of(mail: IncomingMail) -> str:
    return mail.subject if has_visible_character(mail.subject) else _NO_SUBJECT[mail.language]


def _external_id_of(tx: Transaction, source: str, mail: IncomingMail) -> str:
    """The Message-ID. Anybody can repeat that of another mail, so one that is taken gives way to the digest."""
    if mail.message_id and not find_holders(tx, [(source, mail.message_id)]):
        return mail.message_id
    return f"mail:{mail.digest.hex()}"


def _digest_sender(tx: Transaction, mail: IncomingMail) -> bytes | None:
    if mail.sender is None:
        return None
    return hmac.digest(load_secret(tx), b"mail sender" + mail.sender.lower().encode(), hashlib.sha256)
