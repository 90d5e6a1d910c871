"""The accounts by which the program sends and reads mail: the servers, the way in, and the addresses of mails."""

from dataclasses import dataclass, field
from email.headerregistry import Address
from email.utils import parseaddr
from enum import StrEnum
from typing import Self
from urllib.parse import unquote, urlsplit

_LONGEST_REPLY_NAME = 20  # a signed part follows it, and the part before @ has at most 64 characters


class Encryption(StrEnum):
    """How the connection to the mail server is protected."""

    TLS = "tls"  # from the first byte
    STARTTLS = "starttls"  # after the greeting; a server without it is refused
    NONE = "none"  # for a relay on the same host


_SCHEMES = {
    "smtps": (Encryption.TLS, 465),
    "smtp": (Encryption.STARTTLS, 587),
    "smtp+plain": (Encryption.NONE, 25),
}


@dataclass(frozen=True, slots=True)
class MailAccount:
    """A mail server with the addresses of our mails.

    `reply_to` is the address of the mailbox that the program reads. None: answers go to `sender`, and nobody reads
    them by machine.
    """

    host: str
    port: int
    encryption: Encryption
    sender: Address
    reply_to: str | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    @classmethod
    def parse(cls, url: str, sender: str, reply_to: str | None = None) -> Self:
        """The account at `url`: `smtps://`, `smtp://` (with STARTTLS) or `smtp+plain://`, `user:password@host:port`.

        `sender` is an address, or a name and an address in angle brackets. Raises ValueError, without the password.
        """
        parts = urlsplit(url)
        if parts.scheme not in _SCHEMES:
            raise ValueError("must begin with smtps://, smtp:// or smtp+plain://")
        if not parts.hostname or parts.path.strip("/") or parts.query or parts.fragment:
            raise ValueError("must have the form smtp://user:password@host:port")
        encryption, port = _SCHEMES[parts.scheme]
        return cls(
            parts.hostname,
            parts.port or port,
            encryption,
            _parse_sender(sender),
            _parse_reply_to(reply_to) if reply_to else None,
            unquote(parts.username) if parts.username else None,
            unquote(parts.password) if parts.password else None,
        )


def parse_address(text: str, name: str = "") -> Address:
    """A mail address in the form for headers; its domain is in ASCII. Raises ValueError."""
    local, at, domain = text.rpartition("@")
    if not at or not text.isprintable():
        raise ValueError(f"{text!r} is not a mail address")
    try:
        found = Address(name, addr_spec=f"{local}@{domain.encode('idna').decode('ascii')}")
    except Exception as error:
        raise ValueError(f"{text!r} is not a mail address") from error
    return found


def _parse_reply_to(text: str) -> str:
    address = parse_address(text)
    if len(address.username) > _LONGEST_REPLY_NAME or "+" in address.username:
        raise ValueError(
            f"the address for answers needs at most {_LONGEST_REPLY_NAME} characters before @, without +"
        )
    return address.addr_spec


def _parse_sender(text: str) -> Address:
    if not text.isprintable():
        raise ValueError("the sender has a character that cannot be printed")
    name, address = parseaddr(text)
    return parse_address(address, name)


class ImapEncryption(StrEnum):
    """How the connection to the IMAP server is protected."""

    TLS = "imaps"
    STARTTLS = "imap"
    NONE = "imap+plain"


_PORTS = {ImapEncryption.TLS: 993, ImapEncryption.STARTTLS: 143, ImapEncryption.NONE: 143}


@dataclass(frozen=True, slots=True)
class MailboxAccount:
    """A folder of a mail account."""

    host: str
    port: int
    encryption: ImapEncryption
    username: str
    password: str = field(repr=False)
    folder: str = "INBOX"

    @classmethod
    def parse(cls, url: str) -> Self:
        """The account at `imaps://user:password@host/folder`, `imap://` (with STARTTLS) or `imap+plain://`.

        Raises ValueError, without the password.
        """
        parts = urlsplit(url)
        if parts.scheme not in list(ImapEncryption):
            raise ValueError("must begin with imaps://, imap:// or imap+plain://")
        if not (parts.hostname and parts.username and parts.password) or parts.query or parts.fragment:
            raise ValueError("must have the form imaps://user:password@host/folder")
        encryption = ImapEncryption(parts.scheme)
        port = parts.port or _PORTS[encryption]
        folder = unquote(parts.path.strip("/")) or "INBOX"
        return cls(parts.hostname, port, encryption, unquote(parts.username), unquote(parts.password), folder)

    @property
    def name(self) -> str:
        """The folder in a form that stays the same when the password changes."""
        return f"{self.username}@{self.host}/{self.folder}"
