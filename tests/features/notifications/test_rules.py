"""The pure rules: vectors of signatures, cutting and packing, quiet hours, digests, and what answers mean."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from complaints.features.notifications.model import (
    Acceptance,
    ChannelOutage,
    MessageRefusal,
    ReceiptStatus,
    SendResult,
)
from complaints.features.notifications.preferences import (
    NotificationPreference,
    QuietHours,
    choose_reminder_time,
    choose_time,
)
from complaints.features.notifications.robots import (
    count_free,
    cut_text,
    is_barred,
    judge,
    pack_lines,
    sign_for_dingtalk,
    sign_for_feishu,
)
from complaints.features.notifications.rules import hide_addresses, judge_receipts
from complaints.features.notifications.settings import NotificationSettings
from complaints.features.notifications.sms import judge as judge_gateway
from complaints.features.notifications.texts import TextWriter, name_kind
from complaints.outbound.reply import ReceiverReply

SECRET = "SEC0123456789abcdef"
BARRED = 600


def test_the_signatures_are_those_of_the_vectors() -> None:
    assert sign_for_dingtalk(SECRET, 1700000000000) == "TSZbRFUuvaSQaRKUpF970OPCb2%2FLcQAP3wOvwZIzBZk%3D"
    assert sign_for_feishu(SECRET, 1700000000) == "PiO7POLlSx/DM2qf8Dy/XCWeJK3exVnevp5G99LEN2M="


@pytest.mark.parametrize(
    ("text", "most"), [("a" * 50, 20), ("投诉" * 20, 20), ("投诉" * 20, 21), ("😀" * 9, 22)]
)
def test_a_text_is_cut_behind_a_whole_character(text: str, most: int) -> None:
    cut = cut_text(text, most)
    assert most - 6 < len(cut.encode()) <= most
    assert cut.endswith("…")
    assert text.startswith(cut[:-1])
    assert cut_text("投诉", 6) == "投诉"


@pytest.mark.parametrize("most", [30, 31, 64, 4096])
def test_lines_are_packed_into_pages_that_fit(most: int) -> None:
    lines = [f"{'行' * (n % 9)}{n}" for n in range(200)]
    pages = pack_lines(lines, most)
    assert [line for page in pages for line in page] == lines
    assert all(len("\n\n".join(page).encode()) <= most for page in pages)
    assert pack_lines(["x" * 100], 30) == [["x" * 27 + "…"]]


def test_18_messages_a_minute_are_free() -> None:
    now = datetime(2026, 1, 5, tzinfo=UTC)
    sent = [now - timedelta(seconds=n * 4) for n in range(18)]
    assert count_free([], now) == 18
    assert count_free(sent, now) == 3
    assert count_free([now] * 18, now + timedelta(seconds=59)) == 0


def test_a_clock_that_is_set_back_silences_no_robot() -> None:
    now = datetime(2026, 1, 5, tzinfo=UTC)
    assert count_free([now + timedelta(days=1)] * 18, now) == 18
    assert [is_barred(now + timedelta(seconds=n), now) for n in (-1, 1, 600, 86_000)] == [
        False,
        True,
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, b'{"errcode": 0, "errmsg": "ok"}', Acceptance()),
        (200, b'{"code": 0, "msg": "success"}', Acceptance()),
        (200, b'{"StatusCode": 0}', Acceptance()),
        (200, b'{"errcode": 93000}', MessageRefusal("The robot answered with code 93000.")),
        (200, b'{"code": 19021}', MessageRefusal("The robot answered with code 19021.")),
        (200, b'{"errcode": 45009}', ChannelOutage("The robot answered with code 45009.", BARRED)),
        (200, b'{"errcode": 130101}', ChannelOutage("The robot answered with code 130101.", BARRED)),
        (200, b'{"code": 9499}', ChannelOutage("The robot answered with code 9499.", BARRED)),
        (200, b'{"errcode": -1}', ChannelOutage("The robot answered with code -1.")),
        (200, b"<html>", ChannelOutage("The robot answered with something else.")),
        (200, b"[]", ChannelOutage("The robot answered with something else.")),
        (404, b"", MessageRefusal("The robot answered with status 404.")),
        (429, b"", ChannelOutage("The robot answered with status 429.")),
        (503, b"", ChannelOutage("The robot answered with status 503.")),
    ],
)
def test_status_200_with_another_code_is_a_failure(status: int, body: bytes, expected: SendResult) -> None:
    assert judge(ReceiverReply(status, {}, body)) == expected


@pytest.mark.parametrize(
    ("status", "headers", "body", "expected"),
    [
        (202, {}, b'{"id": "sms-1"}', Acceptance("sms-1")),
        (204, {}, b"", Acceptance()),
        (200, {}, b'{"id": 7}', Acceptance()),
        (400, {}, b"", MessageRefusal("The gateway answered with status 400.")),
        (302, {}, b"", ChannelOutage("The gateway answered with status 302.")),
        (429, {"retry-after": "90"}, b"", ChannelOutage("The gateway answered with status 429.", 90)),
        (503, {"retry-after": "soon"}, b"", ChannelOutage("The gateway answered with status 503.")),
    ],
)
def test_what_the_answers_of_a_gateway_mean(
    status: int, headers: dict[str, str], body: bytes, expected: SendResult
) -> None:
    assert judge_gateway(ReceiverReply(status, headers, body)) == expected


def local(text: str) -> datetime:
    """An instant from a local time in Shanghai, on 5 January 2026."""
    return datetime.fromisoformat(f"2026-01-{text}+08:00").astimezone(UTC)


QUIET = QuietHours("22:00", "07:00")


@pytest.mark.parametrize(
    ("now", "level", "quiet", "on_duty", "expected"),
    [
        ("05T12:00", 1, None, False, "05T12:00"),
        ("05T12:00", 0, None, False, "06T09:00"),
        ("05T08:59", 0, None, False, "05T09:00"),
        ("05T09:00", 0, None, False, "06T09:00"),  # the digest of now is being sent
        ("05T21:59", 2, QUIET, False, "05T21:59"),
        ("05T22:00", 2, QUIET, False, "06T07:00"),
        ("06T06:59", 2, QUIET, False, "06T07:00"),
        ("06T07:00", 2, QUIET, False, "06T07:00"),
        ("05T23:00", 2, QUIET, True, "05T23:00"),
        ("05T10:00", 2, QuietHours("22:00", "22:00"), False, "05T10:00"),  # never quiet
        ("05T22:00", 2, QuietHours("22:00", "22:00"), False, "05T22:00"),
        ("05T12:00", 0, QuietHours("08:00", "12:00"), False, "06T12:00"),  # a digest in quiet hours
    ],
)
def test_when_a_message_is_sent(
    now: str, level: int, quiet: QuietHours | None, on_duty: bool, expected: str
) -> None:
    """Rules 10.2 and 10.3."""
    preference = NotificationPreference(quiet=quiet)
    at = choose_time(preference, level, local(now), timezone="Asia/Shanghai", on_duty=on_duty)
    assert (at.due_at, at.digest) == (local(expected), level == 0)


def test_local_times_follow_summer_time() -> None:
    """In New York the clocks jump from 02:00 to 03:00 on 8 March 2026, and back on 1 November."""
    preference = NotificationPreference(timezone="America/New_York", digest_times=("02:30",))

    def digest_after(now: datetime) -> datetime:
        return choose_time(preference, 0, now, timezone="UTC", on_duty=False).due_at

    assert digest_after(datetime(2026, 3, 8, 5, tzinfo=UTC)) == datetime(2026, 3, 8, 7, 30, tzinfo=UTC)
    assert digest_after(datetime(2026, 11, 1, 4, tzinfo=UTC)) == datetime(2026, 11, 1, 7, 30, tzinfo=UTC)


def test_a_reminder_waits_for_the_end_of_quiet_hours() -> None:
    """Rule 10.4."""
    every = NotificationPreference(quiet=QUIET, remind_every_seconds=4 * 3600)
    asked: dict[str, Any] = {"timezone": "Asia/Shanghai", "on_duty": False}
    assert choose_reminder_time(every, local("05T12:00"), **asked) == local("05T16:00")
    assert choose_reminder_time(every, local("05T20:00"), **asked) == local("06T07:00")
    assert choose_reminder_time(NotificationPreference(), local("05T12:00"), **asked) is None


@pytest.mark.parametrize(
    ("receipts", "parts", "expected"),
    [
        ({"1": "delivered"}, 1, ReceiptStatus.DELIVERED),
        ({"1": "delivered", "3": "delivered"}, 3, None),
        ({"1": "delivered", "3": "failed"}, 3, ReceiptStatus.FAILED),
    ],
)
def test_every_part_has_a_receipt(
    receipts: dict[str, str], parts: int, expected: ReceiptStatus | None
) -> None:
    assert judge_receipts(receipts, parts) is expected


def test_a_fault_shows_no_address() -> None:
    answer = "550 <li.wei@example.com>: no such user; call +86 (10) 1234-5678 or 10086."
    assert hide_addresses(answer) == "550 ****: no such user; call **** or 10086."


@pytest.mark.parametrize(
    "values",
    [
        {"sms_url": "https://sms.example/send"},
        {"sms_url": "https://sms.example/send", "sms_secret": "secret"},
        {"sms_url": "https://sms.example/send", "sms_secret": "whsec_c2hvcnQ="},
        {"sms_url": "https://sms.example/send", "sms_secret": "whsec_%%%"},
        {"language": "fr"},
        {"keep_days": 3},
    ],
)
def test_wrong_settings_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        NotificationSettings(**values)


@pytest.mark.parametrize(
    ("language", "title", "note"),
    [
        ("en", "53 messages about complaints", "… and 3 more"),
        ("zh", "投诉消息汇总：53 条", "… 另有 3 条"),
    ],
)
def test_a_long_digest_says_how_many_are_left_out(language: str, title: str, note: str) -> None:
    writer = TextWriter()
    facts = {"number": "C<13>", "step": "80%", "level": 0}
    texts = [writer.write("step", language, "https://complaints.example/1", facts)] * 53
    digest = writer.gather(texts, language)
    html = writer.html(digest, language, texts)
    assert (digest.title, digest.body.splitlines()[-1]) == (title, note)
    assert (html.count("<li>"), html.count("C&lt;13&gt;"), note in html) == (50, 50, True)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("template", ["step", "contact", "undelivered", "assigned", "import_ended"])
def test_every_text_stands_in_both_languages(template: str, language: str) -> None:
    """A fact that is not known leaves no empty line behind."""
    figures = dict.fromkeys(("rows", "accepted", "duplicates", "failed"), 7)
    text = TextWriter().write(template, language, None, {"number": "C000000013", "team": "T", **figures})
    assert ("C000000013" in text.title) is (template != "import_ended")
    assert "\n\n\n" not in text.body
    assert bool(re.search("[一-鿿]", text.title)) is (language == "zh")


@pytest.mark.parametrize(
    ("kind", "language", "name"),
    [
        ("regulator", "zh-CN", "监管答复"),
        ("regulator", "en", "Answer to the regulator"),
        ("evaluation", "zh", "evaluation"),
        ("resolution", "zh", "处理结果"),
        (None, "zh", ""),
    ],
)
def test_a_message_names_an_own_kind_by_its_title(kind: str | None, language: str, name: str) -> None:
    titles = {"regulator": {"en": "Answer to the regulator", "zh": "监管答复"}}
    assert name_kind(kind, language, titles) == name
