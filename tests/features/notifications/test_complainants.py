"""Mails to complainants, as a real mail server gets them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from complaints.api.feature import NO_ANNEXES
from complaints.domain.complaint.facts import Complaint
from complaints.domain.complaint.numbers import number_of
from complaints.features.notifications import following, outlets
from complaints.features.notifications.model import MessageDelivery, MessageStatus
from complaints.features.notifications.settings import NotificationSettings
from complaints.use_cases.access import SYSTEM
from complaints.use_cases.complaints.page_token import make_page_token
from complaints.use_cases.complaints.signed_addresses import AddressPurpose, find_signed_ids
from complaints.use_cases.importing.uploads import ImportRequest, check_file, start_import
from complaints.use_cases.mail_account import MailAccount
from complaints.use_cases.service import Service
from complaints.wiring import open_import_worker
from tests.features.notifications.conftest import WallClock, all_deliveries
from tests.mail_server import MailServerDouble, TakenMail, mail_server
from tests.support import Scenario, apply_calendar_zone

BOX = "box@example.com"
LI = {"name": "李", "email": "li@example.com", "language": "zh"}
ANN = {"name": "Ann", "email": "ann@example.com", "language": "en-GB"}
ON = NotificationSettings(acknowledge=True, send_results=True, ask_complainants=True)

pytestmark = pytest.mark.usefixtures("everything_holds")


@pytest.fixture(scope="module")
def running() -> Iterator[MailServerDouble]:
    with mail_server() as server:
        yield server


@dataclass(frozen=True)
class Correspondence(Scenario):
    """A house that writes to complainants by a mail server."""

    server: MailServerDouble | None = None
    settings: NotificationSettings = ON

    def tell(self) -> list[TakenMail]:
        """Follow the history and send what is due. The mails since the last call."""
        assert self.server is not None
        self.server.taken.clear()
        while following.follow_history(self.service, self.settings, NO_ANNEXES):
            pass
        while outlets.send_mails(self.service, self.settings, NO_ANNEXES):
            pass
        return list(self.server.taken)

    def deliveries(self) -> list[MessageDelivery]:
        return list(self.service.read(all_deliveries))


@pytest.fixture
def house(service: Service, wall: WallClock, running: MailServerDouble) -> Correspondence:
    url = f"smtp+plain://127.0.0.1:{running.port}"
    account = MailAccount.parse(url, "Complaints <us@example.com>", BOX)
    made = replace(service, wall=wall, mail=account, public_url="https://complaints.example")
    begun = Correspondence(made, server=running)
    begun.tell()
    return begun


def number(complaint: Complaint) -> str:
    return number_of(complaint.sequence)


def bodies(mail: TakenMail) -> tuple[str, str]:
    """The text and the HTML of a mail."""
    plain, html = (mail.message.get_body((kind,)) for kind in ("plain", "html"))
    assert plain is not None
    assert html is not None
    return plain.get_content().replace("\r", ""), html.get_content().replace("\r", "")


@pytest.mark.parametrize(
    ("person", "title", "texts"),
    [
        (
            LI,
            "您的投诉 {number} 已受理",
            ("将在 24 小时内与您联系", "最晚 2026年1月6日（星期二）09:00", "均为北京时间"),
        ),
        (
            ANN,
            "We have received your complaint {number}",
            (
                "contact you within 24 hours",
                "by Tuesday, 6 January 2026, 09:00",
                "those of China (Beijing time).",
            ),
        ),
    ],
)
def test_rule_10_09_the_acknowledgement_has_number_due_times_and_link(
    house: Correspondence, person: dict[str, Any], title: str, texts: tuple[str, ...]
) -> None:
    posted = house.post(complainant=person)
    [mail] = house.tell()
    shown = number(posted)
    message = mail.message
    assert message["Subject"] == title.format(number=shown)
    assert message["To"] == person["email"]
    assert message["Auto-Submitted"] == "auto-generated"
    token = house.service.read(lambda tx: make_page_token(tx, posted.id))
    for body in bodies(mail):
        for part in (*texts, shown, f"https://complaints.example/c/{token}"):
            assert part in body
    [delivery] = house.deliveries()
    assert delivery.status is MessageStatus.ACCEPTED

    def named(text: str) -> list[Any]:
        return house.service.read(lambda tx: list(find_signed_ids(tx, BOX, text)))

    assert named(message["Reply-To"]) == [(AddressPurpose.CONTACT, posted.id)]
    assert named(mail.sender) == [(AddressPurpose.BOUNCE, delivery.id)]
    assert house.load(posted).version == posted.version  # no response: a program wrote it
    assert house.tell() == []


def test_rule_10_09_times_are_in_the_zone_of_the_policy(house: Correspondence) -> None:
    """The footer names one zone. A calendar may have another one."""
    apply_calendar_zone(house.service, "America/New_York")
    house.post(complainant=ANN)
    [mail] = house.tell()
    assert "by Tuesday, 6 January 2026, 09:00" in bodies(mail)[0]
    assert "those of China (Beijing time)" in bodies(mail)[0]


def test_rule_10_09_who_gets_no_acknowledgement(house: Correspondence) -> None:
    house.post()
    house.post(complainant={"phone": "13812345678"})
    request = ImportRequest(
        b"channel,subject,complainant.email,received_at\nphone,Dead,li@example.com,2020-01-01T00:00:00Z\n",
        "text/csv",
        None,
        (),
    )
    checked = check_file(SYSTEM, request)
    job = house.service.write(lambda tx: start_import(house.service, tx, SYSTEM, checked))
    assert open_import_worker(house.service).work_on(job.id)
    assert house.tell() == []
    off = replace(house, settings=NotificationSettings())
    off.post(complainant=LI)
    assert off.tell() == []
    assert house.deliveries() == []


def test_rule_10_09_a_result_that_is_told_by_mail_is_sent(house: Correspondence) -> None:
    words = "{{ 7*7 }} {number} <b>已更换</b>\n第二行"
    by_mail = house.post(complainant=LI)
    by_phone = house.post(complainant=LI)
    house.tell()
    for posted, channel in ((by_mail, "email"), (by_phone, "phone")):
        house.act(posted, "resolve", resolution="x", outcome="upheld", cause="technical", root_cause="y")
        house.act(posted, "notify_result", message=words, contact_channel=channel)
    [mail] = house.tell()
    plain, html = bodies(mail)
    assert "    {{ 7*7 }} {number} <b>已更换</b>\n    第二行" in plain
    assert "{{ 7*7 }} {number} &lt;b&gt;已更换&lt;/b&gt;<br>\n第二行" in html
    assert "最晚 2026年2月5日（星期四）09:00" in plain
    assert mail.message["Subject"] == f"您的投诉 {number(by_mail)} 的处理结果"


def test_rule_10_09_a_rejection_is_sent(house: Correspondence) -> None:
    posted = house.post(complainant=ANN)
    house.tell()
    house.act(posted, "reject", reason="not_ours", message="Ask the bank.", contact_channel="email")
    [mail] = house.tell()
    assert "Ask the bank." in bodies(mail)[0]
    assert mail.message["Subject"] == f"About your complaint {number(posted)}"


def test_rule_10_09_a_question_is_sent_and_repeated_while_it_waits(house: Correspondence) -> None:
    def hold(days: int) -> Any:
        posted = house.post(complainant=ANN)
        house.act(posted, "respond", message="Hello", contact_channel="phone")
        until = (house.now() + timedelta(days=days)).isoformat()
        return house.act(posted, "hold", reason="awaiting_complainant", until=until)

    waits, answered, short = hold(3), hold(3), hold(1)
    numbers = {number(one) for one in (waits, answered, short)}
    house.tell()
    sent = [one for one in house.deliveries() if one.template == "question"]
    assert [one.status for one in sent].count(MessageStatus.ACCEPTED) == 3
    house.act(answered, "resume")
    house.advance(days=2, minutes=1)
    [mail] = house.tell()
    assert "This is a reminder" in bodies(mail)[0]
    assert number(waits) in mail.message["Subject"]
    assert len(numbers) == 3
    moot = [one for one in house.deliveries() if one.status is MessageStatus.MOOT]
    assert [one.complaint_id for one in moot] == [answered.id]


def test_rule_10_09_a_reminder_of_a_hold_that_ended_is_not_sent_for_the_next_hold(
    house: Correspondence,
) -> None:
    begun_at = house.now()
    posted = house.post(complainant=ANN)
    house.act(posted, "respond", message="Hello", contact_channel="phone")

    def hold_until(days: int) -> None:
        until = (begun_at + timedelta(days=days)).isoformat()
        house.act(posted, "hold", reason="awaiting_complainant", until=until)

    hold_until(6)
    house.tell()
    house.advance(days=2)
    house.act(posted, "resume")
    house.advance(days=2)
    hold_until(10)
    [question] = house.tell()
    assert "This is a reminder" not in bodies(question)[0]
    house.advance(days=1, minutes=1)
    assert house.tell() == []
    house.advance(days=4)
    [reminder] = house.tell()
    assert "This is a reminder" in bodies(reminder)[0]
    moot = [one for one in house.deliveries() if one.status is MessageStatus.MOOT]
    assert [(one.template, one.repetition) for one in moot] == [("question", 1)]


def test_rule_10_06_an_unknown_mailbox_makes_an_escalation(house: Correspondence) -> None:
    posted = house.post(complainant={"email": "unknown@example.com"})
    assert house.tell() == []
    [delivery, *_] = house.deliveries()
    assert (delivery.status, delivery.fault) == (MessageStatus.UNDELIVERED, "550 5.1.1 no such mailbox")
    with house.service.database.read() as tx:
        steps = tx.connection.execute(text("SELECT step FROM escalation")).scalars().all()
    assert steps == ["undelivered"]
    assert house.load(posted).version == posted.version


def test_without_a_mailbox_nobody_is_asked_to_answer(house: Correspondence) -> None:
    account = MailAccount.parse(f"smtp+plain://127.0.0.1:{house.server.port}", "us@example.com")  # type: ignore[union-attr]
    deaf = replace(house, service=replace(house.service, mail=account, public_url=None))
    deaf.post(complainant=ANN)
    [mail] = deaf.tell()
    assert mail.message["Reply-To"] is None
    assert mail.sender == "us@example.com"
    for body in bodies(mail):
        assert "Please do not answer this mail" in body
        assert "/c/" not in body
