"""The mailbox by TLS: a server without a trusted certificate gets no password."""

from pathlib import Path

import pytest

from complaints.outbound import mailbox
from complaints.outbound.mailbox import MailboxUnavailable, open_mailbox
from complaints.use_cases.mail_account import MailboxAccount
from tests.imap_server import imap_server
from tests.mail_server import make_certificate


def test_a_server_without_a_trusted_certificate_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, context = make_certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with imap_server(context) as server:
        account = MailboxAccount.parse(f"imaps://box:pass%20word@localhost:{server.port}")
        wrong = MailboxAccount.parse(f"imaps://box:wrong@localhost:{server.port}")
        plain = MailboxAccount.parse(f"imap://box:pass%20word@localhost:{server.port}")
        with open_mailbox(account) as box:
            assert box.list_after(0, limit=5) == []
        with pytest.raises(MailboxUnavailable), open_mailbox(wrong):
            pass
        with monkeypatch.context() as patched:
            patched.setattr(mailbox, "LONGEST_SECONDS", 0.3)
            with pytest.raises(MailboxUnavailable), open_mailbox(plain):
                pass
        monkeypatch.delenv("SSL_CERT_FILE")
        with pytest.raises(MailboxUnavailable, match="SSLCertVerificationError"), open_mailbox(account):
            pass


@pytest.mark.parametrize("url", ["http://a:b@host", "imaps://host", "imaps://a:b@", "imaps://a:b@host?x"])
def test_a_mailbox_that_cannot_work_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="must"):
        MailboxAccount.parse(url)
    assert "secret" not in repr(MailboxAccount.parse("imaps://a:secret@host/Box%20one"))
