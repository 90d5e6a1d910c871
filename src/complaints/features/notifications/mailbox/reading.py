"""Reads a mail: who wrote what, with which files, and whether a program wrote it. Pure functions."""

import hashlib
import re
from dataclasses import dataclass
from email.utils import parseaddr
from enum import StrEnum

from complaints.domain.complaint.attachments import tidy_name
from complaints.domain.complaint.identity import find_email_fault
from complaints.domain.visibility import has_visible_character
from complaints.features.notifications.mailbox.parts import Part, TakenApart, first_of, take_apart
from complaints.features.notifications.mailbox.texts import decode_text, text_of_html, without_quote

MOST_FILES = 20
LONGEST_SUBJECT = 300
LONGEST_TEXT = 50_000
_LONGEST_HTML = 500_000
_LONGEST_NAME = 200
_MESSAGE_ID = re.compile(r"<([!-;=?-~]{3,200})>")
_RECIPIENTS = ("to", "cc", "delivered-to", "x-original-to", "envelope-to", "x-envelope-to")
_AUTOMATIC = ("x-autoreply", "x-autorespond", "x-autoresponder")
_BULK = {"bulk", "junk", "list", "auto_reply"}
_POSTMASTERS = ("mailer-daemon@", "postmaster@")
_FAILED_ACTION = re.compile(r"^action:\s*failed\b", re.IGNORECASE | re.MULTILINE)
_ANY_ACTION = re.compile(r"^action:", re.IGNORECASE | re.MULTILINE)
_HAN = re.compile("[\u4e00-\u9fff]")


class MailKind(StrEnum):
    """Who wrote a mail."""

    PERSON = "person"
    AUTOMATIC = "automatic"  # a program answered, or sent it to many
    BOUNCE = "bounce"  # a mail server says that it could not deliver
    DELAY = "delay"  # a mail server says that it delivered, or still tries


@dataclass(frozen=True, slots=True)
class MailFile:
    """A file in a mail."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class IncomingMail:
    """A mail in plain values.

    `sender` is None if no address could be read. `recipients` is the text of all headers that name recipients.
    `digest` is equal for two copies of one mail that came on different ways. `is_cut`: something was too long, too
    deep or too much, and is missing here. `reason` says what makes it no mail of a person.
    """

    kind: MailKind
    message_id: str | None
    sender: str | None
    sender_name: str | None
    recipients: str
    subject: str
    text: str
    files: tuple[MailFile, ...]
    digest: bytes
    is_cut: bool
    reason: str | None = None

    @property
    def language(self) -> str | None:
        """`zh` for a text in Chinese characters; None: the text does not say it."""
        return "zh" if _HAN.search(self.subject + self.text) else None


def read_mail(content: bytes) -> IncomingMail:
    """Read a mail. It takes any bytes."""
    mail = take_apart(content)
    text, is_text_cut = _text_of(mail)
    files = _files_of(mail)
    kind, reason = _judge(mail)
    name, sender = _sender_of(mail)
    subject = first_of(mail.headers, "subject")
    message_id = _MESSAGE_ID.search(first_of(mail.headers, "message-id"))
    return IncomingMail(
        kind=kind,
        message_id=message_id[1] if message_id else None,
        sender=sender,
        sender_name=name,
        recipients="\n".join(value for header in _RECIPIENTS for value in mail.headers.get(header, ())),
        subject=subject[:LONGEST_SUBJECT],
        text=text,
        files=tuple(files[:MOST_FILES]),
        digest=_digest_of(mail),
        is_cut=mail.is_cut or is_text_cut or len(files) > MOST_FILES or len(subject) > LONGEST_SUBJECT,
        reason=reason,
    )


def _digest_of(mail: TakenApart) -> bytes:
    """Headers that mail servers add on the way are left out."""
    digest = hashlib.sha256()
    for name in ("message-id", "from", "date", "subject"):
        digest.update(repr(mail.headers.get(name)).encode("utf-8", "replace"))
    for part in mail.parts:
        digest.update(hashlib.sha256(part.content).digest())
    return digest.digest()


def _sender_of(mail: TakenApart) -> tuple[str | None, str | None]:
    name, address = parseaddr(first_of(mail.headers, "from")[:1000])
    has_name = has_visible_character(name)
    is_address = bool(address) and len(address) <= 254 and find_email_fault(address) is None
    return name[:_LONGEST_NAME] if has_name else None, address if is_address else None


# Texts and files ---------------------------------------------------------------------------------------------------


def _text_of(mail: TakenApart) -> tuple[str, bool]:
    """The text that a person wrote, and True if it is longer."""
    plain = "\n\n".join(_decoded(part) for part in mail.parts if _is_text(part, "text/plain"))
    html = ""
    if not plain.strip():
        html = "".join(_decoded(part) for part in mail.parts if _is_text(part, "text/html"))
        plain = text_of_html(html[:_LONGEST_HTML])
    text = without_quote(plain.replace("\r\n", "\n").replace("\r", "\n"))
    return text[:LONGEST_TEXT], len(text) > LONGEST_TEXT or len(html) > _LONGEST_HTML


def _decoded(part: Part) -> str:
    return decode_text(part.content, part.charset)


def _is_text(part: Part, media_type: str) -> bool:
    return part.media_type == media_type and not part.is_attached and part.file_name is None


def _files_of(mail: TakenApart) -> list[MailFile]:
    return [
        MailFile(tidy_name(part.file_name or "") or f"part-{n}", part.media_type, part.content)
        for n, part in enumerate(mail.parts, start=1)
        if part.content and not _is_text(part, "text/plain") and not _is_text(part, "text/html")
    ]


# Persons and programs ----------------------------------------------------------------------------------------------


def _judge(mail: TakenApart) -> tuple[MailKind, str | None]:
    """Whether a person or a program wrote a mail, by the headers that RFC 3834 and RFC 3464 give programs."""
    if mail.media_type == "multipart/report":
        return _judge_report(mail)
    if _is_from_postmaster(mail):
        return MailKind.BOUNCE, "a mail server wrote it"
    automatic = first_of(mail.headers, "auto-submitted").partition(";")[0].strip().lower()
    if automatic not in ("", "no"):
        return MailKind.AUTOMATIC, f"Auto-Submitted: {automatic[:40]}"
    if first_of(mail.headers, "precedence").strip().lower() in _BULK:
        return MailKind.AUTOMATIC, "Precedence"
    for name in ("list-id", *_AUTOMATIC):
        if name in mail.headers:
            return MailKind.AUTOMATIC, name
    if first_of(mail.headers, "return-path").replace(" ", "") == "<>":
        return MailKind.AUTOMATIC, "empty Return-Path"
    return MailKind.PERSON, None


def _judge_report(mail: TakenApart) -> tuple[MailKind, str]:
    status = "\n".join(_decoded(part) for part in mail.parts if part.media_type == "message/delivery-status")
    if _ANY_ACTION.search(status) and not _FAILED_ACTION.search(status):
        return MailKind.DELAY, "a report of a delay or of a delivery"
    return MailKind.BOUNCE, "a report of a failed delivery"


def _is_from_postmaster(mail: TakenApart) -> bool:
    sender = parseaddr(first_of(mail.headers, "from")[:1000])[1].lower()
    return sender.startswith(_POSTMASTERS)
