"""A real mail server for the tests: it keeps what it takes, and answers some recipients as a bad day would."""

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

_ANSWERS = {
    "unknown": "550 5.1.1 no such mailbox",
    "busy": "451 4.3.0 try again later",
    "full": "552 5.2.2 the mailbox is full",
}


@dataclass
class TakenMail:
    """A mail that the server took: its envelope and its message."""

    sender: str
    recipients: list[str]
    content: bytes

    @property
    def message(self) -> EmailMessage:
        return message_from_bytes(self.content, policy=policy.default)  # type: ignore[return-value]


@dataclass
class MailServerDouble:
    """`refused_senders` and `content_answer` make it refuse; `silent` makes it hang after the content."""

    port: int = 0
    taken: list[TakenMail] = field(default_factory=list)
    content_answer: str | None = None
    sender_answer: str | None = None
    silent: bool = False

    async def handle_MAIL(
        self, _server: Any, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.sender_answer:
            return self.sender_answer
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(
        self, _server: Any, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if answer := _ANSWERS.get(address.partition("@")[0]):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Session, envelope: Envelope) -> str:
        if self.silent:
            await asyncio.sleep(3600)
        if self.content_answer:
            return self.content_answer
        assert isinstance(envelope.content, bytes)
        self.taken.append(TakenMail(envelope.mail_from or "", envelope.rcpt_tos, envelope.content))
        return "250 taken"


def _authenticate(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
    is_right = data.login == b"user" and data.password == b"pass word"
    return AuthResult(success=is_right, handled=False)


class _OnFreePort(Controller):
    def _trigger_server(self) -> None:
        assert isinstance(self.server, asyncio.Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()

    def stop(self, no_assert: bool = False) -> None:
        """Stop when the last connection is closed: a loop that ends before leaves its socket open."""
        asyncio.run_coroutine_threadsafe(self._close(), self.loop).result(timeout=10)
        super().stop(no_assert)

    async def _close(self) -> None:
        assert isinstance(self.server, asyncio.Server)
        is_closed = asyncio.ensure_future(self.server.wait_closed())
        await asyncio.sleep(0)  # Python 3.11 waits only where the wait began before the end
        self.server.close()
        await is_closed


@contextmanager
def mail_server(*, has_accounts: bool = False, **options: Any) -> Iterator[MailServerDouble]:
    """A server on a free port of this host. `options` are those of aiosmtpd's SMTP and Controller."""
    handler = MailServerDouble()
    if has_accounts:  # the library takes a connection that is TLS from the start for a plain one
        options |= {"authenticator": _authenticate, "auth_require_tls": "tls_context" in options}
    controller = _OnFreePort(handler, hostname="127.0.0.1", port=0, **options)
    controller.start()
    try:
        handler.port = controller.port
        yield handler
    finally:
        controller.stop()


def make_certificate(directory: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate for `localhost`: the file for those who trust it, and the context of its server."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime(2020, 1, 1, tzinfo=UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=36500))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    certificate, secret = directory / "certificate.pem", directory / "key.pem"
    certificate.write_bytes(built.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, secret)
    return certificate, context
