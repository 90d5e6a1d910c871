"""Mails are read without trust: hostile ones cost little and become plain values."""

import time
from email.message import EmailMessage

import pytest

from complaints.features.notifications.mailbox.reading import IncomingMail, MailKind, read_mail
from complaints.features.notifications.mailbox.texts import decode_text, text_of_html, without_quote

HEAD = b"From: Li <li@example.com>\r\nSubject: s\r\n"
MIXED = HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
NESTED = b"".join(
    b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(10_000)
)
EMPTY_HEADERS = b"a:\r\n" * 21_000
HOSTILE = {
    "100 parts of 21,000 headers": MIXED
    + (b"--b\r\n" + EMPTY_HEADERS + b"\r\nhello\r\n") * 100
    + b"--b--\r\n",
    "10,000 parts": MIXED + b"--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n" * 10_000 + b"--b--\r\n",
    "10,000 levels": HEAD + NESTED,
    "a header line of 5 MB": HEAD + b"X-Long: " + b"x" * 5_000_000 + b"\r\n\r\nbody",
    "a body line of 5 MB": HEAD + b"\r\n" + b"y" * 5_000_000,
    "a subject of 5 MB": b"Subject: " + b"x" * 5_000_000 + b"\r\n\r\nbody",
    "tags that never close": HEAD + b"Content-Type: text/html\r\n\r\n" + b"<script>" * 600_000,
    "ends of tags that never begin": HEAD + b"Content-Type: text/html\r\n\r\n<style>" + b"</style" * 600_000,
    "headers alone": b"a:" * 2_000_000,
    "an empty boundary": HEAD + b'Content-Type: multipart/mixed; boundary=""\r\n\r\n' + b"--\r\n" * 1_000_000,
    "a broken transfer encoding": HEAD + b"Content-Transfer-Encoding: base64\r\n\r\n" + b"=!a" * 1_000_000,
    "broken parameters": HEAD + b"Content-Type: text/plain; " + b"a*0*=x'y'%41;" * 500 + b"\r\n\r\nx",
    "no mail at all": bytes(range(256)) * 1_000,
    "nothing": b"",
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_mail_costs_little(content: bytes) -> None:
    before = time.process_time()
    mail = read_mail(content)
    assert time.process_time() - before < 5  # the limits stop what would take minutes
    assert len(mail.text) <= 50_000
    assert len(mail.subject) <= 300
    assert "\x00" not in mail.subject + mail.text


def test_what_is_too_much_is_cut_and_said() -> None:
    many = read_mail(HOSTILE["10,000 parts"])
    assert (many.is_cut, many.text.count("hello")) == (True, 200)
    assert read_mail(HOSTILE["10,000 levels"]).is_cut
    long = read_mail(HOSTILE["a body line of 5 MB"])
    assert (long.is_cut, long.text) == (True, "y" * 50_000)
    assert read_mail(EMPTY_HEADERS[:6000] + b"\r\nhello").is_cut
    header = read_mail(HOSTILE["a header line of 5 MB"])
    assert (header.is_cut, header.subject, header.text) == (True, "s", "body")


def test_a_mail_has_text_files_and_sender() -> None:
    message = EmailMessage()
    message["From"] = "李 明 <li@example.com>"
    message["To"] = "Box <box@example.com>"
    message["Subject"] = "宽带 很慢"
    message["Message-ID"] = "<1@example.com>"
    message.set_content("昨天开始没有网络。\n\n> quoted\n")
    message.add_alternative("<p>昨天</p>", subtype="html")
    message.add_attachment(b"photo", maintype="image", subtype="jpeg", filename="账单/七月.jpg")
    mail = read_mail(message.as_bytes())
    assert (mail.kind, mail.sender, mail.sender_name) == (MailKind.PERSON, "li@example.com", "李 明")
    assert (mail.subject, mail.text, mail.language) == ("宽带 很慢", "昨天开始没有网络。", "zh")
    assert (mail.message_id, mail.recipients) == ("1@example.com", "Box <box@example.com>")
    assert [(file.name, file.media_type, file.content) for file in mail.files] == [
        ("账单/七月.jpg", "image/jpeg", b"photo")
    ]
    assert not mail.is_cut


def test_the_digest_ignores_the_way_of_a_mail() -> None:
    mail = b"Message-ID: <1@a.example>\r\nSubject: s\r\n\r\nbody"
    digest = read_mail(mail).digest
    assert read_mail(b"Received: by x\r\nDelivered-To: y@b.example\r\n" + mail).digest == digest
    assert read_mail(mail + b"!").digest != digest
    assert read_mail(mail.replace(b"<1", b"<2")).digest != digest


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        (b"", MailKind.PERSON),
        (b"Auto-Submitted: no", MailKind.PERSON),
        (b"Auto-Submitted: auto-replied (vacation)", MailKind.AUTOMATIC),
        (b"Auto-Submitted: auto-generated; x=y", MailKind.AUTOMATIC),
        (b"Precedence: bulk", MailKind.AUTOMATIC),
        (b"List-Id: <a.example>", MailKind.AUTOMATIC),
        (b"X-Autoreply: yes", MailKind.AUTOMATIC),
        (b"Return-Path: <>", MailKind.AUTOMATIC),
        (b"Return-Path: <li@example.com>", MailKind.PERSON),
        (b"From: MAILER-DAEMON@mx.example", MailKind.BOUNCE),
        (b"Content-Type: multipart/report; report-type=delivery-status; boundary=b", MailKind.BOUNCE),
    ],
)
def test_programs_are_told_from_persons(header: bytes, kind: MailKind) -> None:
    assert read_mail(header + b"\r\nSubject: s\r\n\r\nbody").kind is kind


def test_a_report_of_a_delay_is_no_bounce() -> None:
    def report(action: bytes) -> IncomingMail:
        return read_mail(
            b"Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nSorry\r\n"
            b"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\nAction: "
            + action
            + b"\r\n--b--\r\n"
        )

    assert report(b"failed").kind is MailKind.BOUNCE
    assert report(b"delayed").kind is MailKind.DELAY


@pytest.mark.parametrize(
    ("content", "charset", "text"),
    [
        ("宽带故障".encode("gb18030"), "gb2312", "宽带故障"),
        ("宽带故障".encode("gb18030"), None, "宽带故障"),
        ("宽带故障".encode(), "no-such-charset", "宽带故障"),
        ("宽带故障".encode("big5", "replace"), "idna", decode_text("宽带故障".encode("big5", "replace"))),
        ("é".encode("latin-1"), "iso-8859-1", "é"),
        (b"\xff\xff\xff", "utf-8", "\ufffd\ufffd\ufffd"),
        (b"a\x00b\x1bc", "base64", "abc"),
    ],
)
def test_bytes_in_any_encoding_are_read(content: bytes, charset: str | None, text: str) -> None:
    assert decode_text(content, charset) == text


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        (b"=?gb2312?B?1tC5?= =?GB2312?B?+sjLw/E=?=", "中国人民"),  # cut within a character
        (b"=?utf-8?q?a_b=0D=0AX-Evil:_1?=", "a b X-Evil: 1"),
        (b"=?utf-8?b?A?= tail", "A tail"),
        ("直接 UTF-8".encode(), "直接 UTF-8"),
        ("直接 GB".encode("gb18030"), "直接 GB"),
        (b"folded\r\n  line", "folded line"),
    ],
)
def test_subjects_are_one_line_of_text(subject: bytes, text: str) -> None:
    assert read_mail(b"Subject: " + subject + b"\r\n\r\nx").subject == text


def test_html_becomes_text() -> None:
    html = (
        "<html><head><title>T</title><style>p{}</style></head><p>One &lt;two&gt;<br>three</p><div>4</div><a b"
    )
    assert text_of_html(html) == "One <two>\nthree\n\n4"


def test_a_quote_at_the_end_is_left_out() -> None:
    assert without_quote("Thanks\n\nOn Monday A wrote:\n> one\n> two\n") == "Thanks"
    assert without_quote("> first\nanswer") == "> first\nanswer"
    assert without_quote("> only a quote") == "> only a quote"
