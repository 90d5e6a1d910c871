"""Mail out: a mail becomes a message with safe headers, and one mail server takes it or not."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from enum import StrEnum
from unicodedata import category

import aiosmtplib

from complaints.use_cases.mail_account import Encryption, MailAccount, parse_address

LONGEST_SECONDS = 30.0  # for one mail, from the connection to the answer of the server
_STEP_SECONDS = 15.0  # for one step of the dialogue
_POLICY = SMTP.clone(cte_type="7bit")
_LONGEST_ANSWER = 200
_GOODBYE_SECONDS = 2.0
_ACCEPTED = 250
_TOO_LARGE = 552


class UnsafeHeader(ValueError):
    """A value cannot stand in a header: it has a control character, or is no address."""


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail to one recipient.

    `message_id` and `in_reply_to` have no angle brackets. `reply_to` is the address for answers; without it, the
    sender gets them. `return_path` gets the bounces; without it, the sender gets them. `language` is a tag such as
    `zh`. `html` says the same as `text`.
    """

    to: str
    subject: str
    text: str
    message_id: str
    sent_at: datetime
    html: str | None = None
    language: str | None = None
    reply_to: str | None = None
    return_path: str | None = None
    in_reply_to: str | None = None


class MailOutcome(StrEnum):
    """What became of a mail."""

    ACCEPTED = "accepted"  # the server took it over
    REFUSED = "refused"  # for good: it makes no sense to try again
    LATER = "later"  # the server was away or busy, or refused us and not the mail


@dataclass(frozen=True, slots=True)
class MailResult:
    """The outcome with the answer of the server: its code, if it gave one, and a short text."""

    outcome: MailOutcome
    answer: str
    code: int | None = None


def compose(account: MailAccount, mail: Mail) -> EmailMessage:
    """The message for the wire. Raises UnsafeHeader.

    `Auto-Submitted` keeps other programs from answering it (RFC 3834).
    """
    message = EmailMessage(policy=_POLICY)
    _set_header(message, "From", account.sender)
    _set_header(message, "To", _safe_address(mail.to))
    _set_header(message, "Subject", mail.subject)
    _set_header(message, "Date", format_datetime(mail.sent_at))
    _set_header(message, "Message-ID", f"<{mail.message_id}>")
    if mail.reply_to:
        _set_header(message, "Reply-To", _safe_address(mail.reply_to))
    if mail.in_reply_to:
        _set_header(message, "In-Reply-To", f"<{mail.in_reply_to}>")
        _set_header(message, "References", f"<{mail.in_reply_to}>")
    _set_header(message, "Auto-Submitted", "auto-replied" if mail.in_reply_to else "auto-generated")
    _set_header(message, "X-Auto-Response-Suppress", "All")
    message.set_content(mail.text)
    if mail.html is not None:
        message.add_alternative(mail.html, subtype="html")
    if mail.language:  # after the content, which takes such headers along into its part
        _set_header(message, "Content-Language", mail.language)
    return message


def _safe_address(text: str) -> Address:
    try:
        return parse_address(text)
    except ValueError as error:
        raise UnsafeHeader(str(error)) from error


def _set_header(message: EmailMessage, name: str, value: str | Address) -> None:
    """Set a header. The parser decodes encoded words, so a line break may also come out of one."""
    _refuse_control_characters(name, str(value))
    message[name] = value
    _refuse_control_characters(name, str(message[name]))


def _refuse_control_characters(name: str, value: str) -> None:
    if any(category(character) in {"Cc", "Zl", "Zp", "Cs"} for character in value):
        raise UnsafeHeader(f"the header {name} would have a control character")


def send_mail(account: MailAccount, mail: Mail) -> MailResult:
    """Hand a mail to the server, within `LONGEST_SECONDS`. A fault is an outcome, not an exception.

    An answer that got lost after the whole mail was sent gives `LATER`. The next try has the same `message_id`.
    """
    try:
        message = compose(account, mail)
    except UnsafeHeader as error:
        return MailResult(MailOutcome.REFUSED, str(error))
    return asyncio.run(_send(account, mail, message))


async def _send(account: MailAccount, mail: Mail, message: EmailMessage) -> MailResult:
    server = _client(account)
    sender = mail.return_path or account.sender.addr_spec
    recipient = parse_address(mail.to).addr_spec
    try:
        async with asyncio.timeout(LONGEST_SECONDS):
            await server.connect()
            _, answer = await server.send_message(message, sender=sender, recipients=[recipient])
    except (aiosmtplib.SMTPException, OSError) as error:
        server.close()
        return _judge(error)
    await _say_goodbye(server)
    return MailResult(MailOutcome.ACCEPTED, _short(answer), _ACCEPTED)


async def _say_goodbye(server: aiosmtplib.SMTP) -> None:
    """End the dialogue. The server has the mail: a fault here changes nothing."""
    with suppress(aiosmtplib.SMTPException, OSError):
        await server.quit(timeout=_GOODBYE_SECONDS)
    server.close()


class _Client(aiosmtplib.SMTP):
    """A client of a mail server that closes its connection at once.

    The library ends TLS by an exchange with the server. The event loop would end before, and leave the socket open.
    """

    def close(self) -> None:
        """Close the connection. Nothing that was sent waits any more."""
        if isinstance(self.transport, asyncio.WriteTransport):
            self.transport.abort()
        super().close()


def _client(account: MailAccount) -> _Client:
    return _Client(
        hostname=account.host,
        port=account.port,
        username=account.username,
        password=account.password,
        use_tls=account.encryption is Encryption.TLS,
        start_tls=account.encryption is Encryption.STARTTLS,
        timeout=_STEP_SECONDS,
    )


def _judge(error: Exception) -> MailResult:
    """Only an answer to the recipient or to the content speaks of this mail. Any other fault may pass."""
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        error = error.recipients[0]
    if isinstance(error, aiosmtplib.SMTPNotSupported):
        return MailResult(MailOutcome.REFUSED, _short(error.message))
    if not isinstance(error, aiosmtplib.SMTPResponseException):
        return MailResult(MailOutcome.LATER, _short(f"{type(error).__name__}: {error}"))
    speaks_of_mail = isinstance(error, aiosmtplib.SMTPRecipientRefused | aiosmtplib.SMTPDataError)
    is_final = 500 <= error.code < 600 and (speaks_of_mail or error.code == _TOO_LARGE)
    outcome = MailOutcome.REFUSED if is_final else MailOutcome.LATER
    return MailResult(outcome, _short(error.message), error.code)


def _short(answer: str) -> str:
    return " ".join(answer.split())[:_LONGEST_ANSWER]
