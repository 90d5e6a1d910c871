"""Mail out against a real mail server."""

import ssl
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr

from complaints.outbound import mail as outbound_mail
from complaints.outbound.mail import Mail, MailOutcome, UnsafeHeader, compose, send_mail
from complaints.settings import Settings
from complaints.use_cases.mail_account import MailAccount
from complaints.wiring import NotReady, read_mail_account
from tests.mail_server import MailServerDouble, mail_server, make_certificate

MAIL = Mail(
    to="li@example.com",
    subject="投诉 C-1 已受理",
    text="您好。\n" + "x" * 2000,
    html="<p>您好。</p>",
    message_id="m1@example.com",
    sent_at=datetime(2026, 1, 5, 1, 0, tzinfo=UTC),
    language="zh",
    reply_to="box@example.com",
    return_path="box+b1@example.com",
    in_reply_to="their@mail",
)


@pytest.fixture(scope="module")
def running() -> Iterator[MailServerDouble]:
    with mail_server() as server:
        yield server


@pytest.fixture
def server(running: MailServerDouble) -> MailServerDouble:
    running.taken.clear()
    running.content_answer = running.sender_answer = None
    return running


def account_at(port: int, scheme: str = "smtp+plain", host: str = "127.0.0.1", user: str = "") -> MailAccount:
    return MailAccount.parse(f"{scheme}://{user}{host}:{port}", "客服 <us@例子.cn>", "box@example.com")


def test_a_mail_arrives_with_both_bodies_and_safe_headers(server: MailServerDouble) -> None:
    result = send_mail(account_at(server.port), MAIL)
    assert (result.outcome, result.code) == (MailOutcome.ACCEPTED, 250)
    [taken] = server.taken
    assert (taken.sender, taken.recipients) == ("box+b1@example.com", ["li@example.com"])
    assert taken.content.isascii()
    assert max(map(len, taken.content.splitlines())) <= 998
    message = taken.message
    assert dict(message.items()) | {"Content-Type": "", "MIME-Version": ""} == {
        "From": "客服 <us@xn--fsqu00a.cn>",
        "To": "li@example.com",
        "Subject": "投诉 C-1 已受理",
        "Date": "Mon, 05 Jan 2026 01:00:00 +0000",
        "Message-ID": "<m1@example.com>",
        "Reply-To": "box@example.com",
        "In-Reply-To": "<their@mail>",
        "References": "<their@mail>",
        "Auto-Submitted": "auto-replied",
        "X-Auto-Response-Suppress": "All",
        "Content-Language": "zh",
        "MIME-Version": "",
        "Content-Type": "",
    }
    send_mail(account_at(server.port), replace(MAIL, reply_to=None))
    assert server.taken[-1].message["Reply-To"] is None  # the mailbox would take the answer for a complaint
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert plain.get_content().splitlines() == MAIL.text.splitlines()
    assert html is not None
    assert html.get_content().strip() == MAIL.html


@pytest.mark.parametrize(
    ("to", "outcome", "code"),
    [
        ("unknown@example.com", MailOutcome.REFUSED, 550),
        ("full@example.com", MailOutcome.REFUSED, 552),
        ("busy@example.com", MailOutcome.LATER, 451),
        ("not an address", MailOutcome.REFUSED, None),
    ],
)
def test_the_answer_to_the_recipient_decides(
    server: MailServerDouble, to: str, outcome: MailOutcome, code: int | None
) -> None:
    result = send_mail(account_at(server.port), replace(MAIL, to=to))
    assert (result.outcome, result.code, server.taken) == (outcome, code, [])


def test_a_refused_content_is_final_and_a_refused_sender_is_not(server: MailServerDouble) -> None:
    server.content_answer = "554 5.7.1 spam"
    assert send_mail(account_at(server.port), MAIL).outcome is MailOutcome.REFUSED
    server.content_answer = "452 4.3.1 no space"
    assert send_mail(account_at(server.port), MAIL).outcome is MailOutcome.LATER
    server.sender_answer = "550 5.7.1 you may not send"
    result = send_mail(account_at(server.port), MAIL)
    assert (result.outcome, result.answer) == (MailOutcome.LATER, "5.7.1 you may not send")
    server.sender_answer = "552 5.3.4 too large"
    assert send_mail(account_at(server.port), MAIL).outcome is MailOutcome.REFUSED


def test_a_server_that_is_away_or_silent_costs_bounded_time(
    server: MailServerDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert send_mail(account_at(1), MAIL).outcome is MailOutcome.LATER
    monkeypatch.setattr(outbound_mail, "LONGEST_SECONDS", 0.2)
    with mail_server() as silent:
        silent.silent = True
        assert send_mail(account_at(silent.port), MAIL).outcome is MailOutcome.LATER


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_a_connection_with_tls_is_closed_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    """Also if the server does not answer the end of TLS: the event loop ends before that."""

    def wait(_: ssl.SSLObject) -> None:
        raise ssl.SSLWantReadError

    certificate, context = make_certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    monkeypatch.setattr(ssl.SSLObject, "unwrap", wait)
    options = {"ssl_context": context} if scheme == "smtps" else {"tls_context": context}
    with mail_server(**options) as encrypted:
        assert (
            send_mail(account_at(encrypted.port, scheme, "localhost"), MAIL).outcome is MailOutcome.ACCEPTED
        )


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_passwords_go_through_tls_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: MailServerDouble, scheme: str
) -> None:
    certificate, context = make_certificate(tmp_path)
    starttls = {"tls_context": context, "require_starttls": True}
    options = {"ssl_context": context} if scheme == "smtps" else starttls
    with mail_server(has_accounts=True, **options) as encrypted:
        account = account_at(encrypted.port, scheme, "localhost", "user:pass%20word@")
        assert send_mail(account, MAIL).outcome is MailOutcome.LATER  # nobody vouches for the certificate
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert send_mail(account, MAIL).outcome is MailOutcome.ACCEPTED
        wrong = send_mail(replace(account, password="wrong"), MAIL)
        assert (wrong.outcome, wrong.code) == (MailOutcome.LATER, 535)
        assert len(encrypted.taken) == 1
    assert send_mail(account_at(server.port, scheme), MAIL).outcome is MailOutcome.LATER
    assert server.taken == []


@pytest.mark.parametrize(
    "changed",
    [
        {"subject": "Hello\r\nBcc: x@example.com"},
        {"subject": "=?utf-8?q?Hello=0D=0ABcc:_x@example.com?="},
        {"subject": "a\x0bb"},
        {"subject": "a\u2028b"},
        {"subject": "a\ud800b"},
        {"to": "a@example.com\nBcc: x@example.com"},
        {"to": "a@example.com>,<x@example.com"},
        {"to": "a@" + "x" * 70 + ".com"},
        {"in_reply_to": "a\r\n b"},
        {"message_id": "a\nb"},
        {"reply_to": "x\r\n@example.com"},
    ],
)
def test_no_header_takes_a_line_break(changed: dict[str, str]) -> None:
    account = account_at(25)
    with pytest.raises(UnsafeHeader):
        compose(account, replace(MAIL, **changed))
    assert send_mail(account, replace(MAIL, **changed)).outcome is MailOutcome.REFUSED


@pytest.mark.parametrize(
    ("url", "sender", "message"),
    [
        ("http://host", "a@b.cn", "must begin with"),
        ("smtp://", "a@b.cn", "must have the form"),
        ("smtp://host/path", "a@b.cn", "must have the form"),
        ("smtp://host:99999", "a@b.cn", "Port"),
        ("smtp://host", "nobody", "is not a mail address"),
        ("smtp://host", "a\r\nb <a@b.cn>", "printed"),
    ],
)
def test_an_account_that_cannot_work_is_refused(url: str, sender: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MailAccount.parse(url, sender)
    for mailbox in ("a-name-that-is-too-long@b.cn", "box+x@b.cn", "box"):
        with pytest.raises(ValueError, match=r"before @|no mail address|not a mail address"):
            MailAccount.parse("smtp://host", "a@b.cn", mailbox)
    assert "secret" not in repr(MailAccount.parse("smtp://u:secret@host", "a@b.cn"))


def test_wiring_reads_the_account_of_the_settings() -> None:
    settings = Settings(smtp_url=SecretStr("smtp://u:secret@host"), mail_from="a@b.cn")
    account = read_mail_account(settings)
    assert account is not None
    assert (account.host, account.port, account.sender.addr_spec) == ("host", 587, "a@b.cn")
    assert read_mail_account(Settings()) is None
    for broken in (
        Settings(smtp_url=SecretStr("smtp://host")),
        settings.model_copy(update={"mail_from": "x"}),
    ):
        with pytest.raises(NotReady, match="COMPLAINTS_MAIL_FROM"):
            read_mail_account(broken)
