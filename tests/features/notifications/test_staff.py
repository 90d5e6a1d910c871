"""Who of the staff hears of what, when, by which way and how often: with a real mail server and real receivers."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from complaints.api.feature import Annexes, Feature, Notice
from complaints.domain.vocabulary import AccessRole, EventType, RecipientRole
from complaints.features.notifications import following, imports, outlets, robots
from complaints.features.notifications.delivery_use_cases import record_receipt
from complaints.features.notifications.feature import FEATURE
from complaints.features.notifications.model import (
    MessageChannel,
    MessageDelivery,
    MessageStatus,
    ReceiptStatus,
    RobotAccount,
    RobotKind,
)
from complaints.features.notifications.preferences import (
    ChosenChannel,
    NotificationPreference,
    QuietHours,
)
from complaints.features.notifications.settings import NotificationSettings
from complaints.features.notifications.tables import deliveries
from complaints.features.notifications.tables.preferences import write_preference
from complaints.features.notifications.tables.robots import Robot, write_robot
from complaints.storage.database.connections import open_engine
from complaints.storage.database.transactions import Database
from complaints.storage.rows import follower as follower_rows
from complaints.storage.rows import import_job
from complaints.use_cases.access import SYSTEM
from complaints.use_cases.commands.complaints import Acknowledge
from complaints.use_cases.commands.configuration import CreateUser, PatchUser
from complaints.use_cases.commands.work import PutDutyRota
from complaints.use_cases.complaints import escalations
from complaints.use_cases.complaints.escalations import EscalationSearch
from complaints.use_cases.configuration.staff import USERS
from complaints.use_cases.mail_account import MailAccount
from complaints.use_cases.replica import Replica
from complaints.use_cases.service import Service, keep_configuration
from complaints.use_cases.work.duty import put_rota
from tests.api_client import ApiClient
from tests.features.notifications.conftest import WallClock, all_deliveries
from tests.http_receiver import HttpReceiver, ReceiverAnswer, http_receiver
from tests.mail_server import MailServerDouble, mail_server
from tests.support import START, Scenario

MAIL, SMS, ROBOT = MessageChannel.MAIL, MessageChannel.SMS, MessageChannel.ROBOT
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BY_SMS = ChosenChannel(SMS, "+8613800000000")


@dataclass
class House:
    """An installation that tells its staff: one step after the other, when a test says so."""

    scenario: Scenario
    annexes: Annexes
    settings: NotificationSettings = field(default_factory=NotificationSettings)

    @property
    def service(self) -> Service:
        return self.scenario.service

    def follow(self) -> None:
        while following.follow_history(self.service, self.settings, self.annexes):
            pass

    def tell(self) -> int:
        """Follow the history, and send what is due on every channel; how much was tried."""
        self.follow()
        sends = (outlets.send_mails, outlets.send_sms, outlets.send_to_robots)
        return sum(send(self.service, self.settings, self.annexes) for send in sends)

    def prefer(self, login: str, **wishes: Any) -> None:
        preference = NotificationPreference(**{"language": "en", **wishes})
        self.service.write(lambda tx: write_preference(tx, login, preference))

    def add_user(self, login: str, **members: Any) -> None:
        command = CreateUser(login=login, name=login.title(), email=f"{login}@house.example", **members)
        self.service.configure(lambda tx: USERS.create(self.service, tx, SYSTEM, command))

    def add_robot(self, url: str, *, kind: RobotKind = RobotKind.WECOM, secret: str | None = None) -> None:
        made = Robot(
            code="chat",
            account=RobotAccount(kind, url, secret),
            teams=("customer_service",),
            language="en",
            active=True,
        )
        self.service.write(lambda tx: write_robot(tx, made))

    def deliveries(self, **members: Any) -> Sequence[MessageDelivery]:
        found = self.service.read(all_deliveries)
        return [one for one in found if all(getattr(one, name) == value for name, value in members.items())]

    def waiting_escalations(self) -> Sequence[Any]:
        asked = EscalationSearch(acknowledged=False)
        return self.service.read(
            lambda tx: escalations.list_escalations(self.service, tx, SYSTEM, asked, before=None, limit=100)
        )


@pytest.fixture
def mails() -> Iterator[MailServerDouble]:
    with mail_server() as running:
        yield running


@pytest.fixture
def receiver() -> Iterator[HttpReceiver]:
    with http_receiver() as running:
        yield running
        outlets._open_client("127.0.0.1").close()  # a process keeps it, with its connections


@pytest.fixture
def house(staff: Scenario, mails: MailServerDouble) -> House:
    account = MailAccount.parse(f"smtp+plain://127.0.0.1:{mails.port}", "Complaints <c@house.example>")
    service = replace(staff.service, mail=account, webhook_allow="127.0.0.1")
    command = PatchUser(email="admin@house.example")
    service.configure(lambda tx: USERS.change(service, tx, SYSTEM, "admin", command))
    made = House(Scenario(service), Annexes((FEATURE,)))
    made.tell()  # it follows from now on
    return made


@pytest.fixture
def house_with_sms(house: House, receiver: HttpReceiver) -> House:
    house.settings = NotificationSettings(sms_url=receiver.url, sms_secret=SECRET)
    return house


def titles(mails: MailServerDouble) -> list[str]:
    return [str(mail.message["Subject"]) for mail in mails.taken]


def html_of(mails: MailServerDouble, place: int = -1) -> str:
    part = mails.taken[place].message.get_body(("html",))
    assert part is not None
    text: str = part.get_content()
    return text


# When ----------------------------------------------------------------------------------------------------------------


def test_a_step_of_level_1_is_sent_at_once_and_reminders_wait_for_the_digest(
    house: House, mails: MailServerDouble
) -> None:
    """Rules 10.1 and 10.2. The digest comes at 09:00 in Shanghai, without the steps that were settled since."""
    house.prefer("admin")
    post = house.scenario.post(first_owner="admin")
    house.scenario.advance(hours=24, seconds=1)
    assert (house.tell(), house.tell()) == (1, 0)
    [title] = titles(mails)
    assert title.endswith(": escalation, level 1 (first response, 100%)")
    assert "Due: 2026-01-06 09:00 +0800" in html_of(mails)  # not the later time of the result
    house.scenario.act(post, "respond", message="We look.", contact_channel="phone")
    house.scenario.advance(hours=23, minutes=59, seconds=58)
    assert house.tell() == 0
    house.scenario.advance(seconds=1)
    house.tell()
    assert titles(mails)[1:] == ["2 messages about complaints"]
    assert html_of(mails).count("<li>") == 2
    assert len(house.deliveries(status=MessageStatus.MOOT)) == 2


def test_quiet_hours_hold_back_but_not_for_the_user_on_duty(house: House, mails: MailServerDouble) -> None:
    """Rule 10.3. By rule 3.11 the step of level 1 goes to the user on duty, and the lead hears of no other."""
    quiet = QuietHours("08:00", "20:00")
    house.add_user("night")
    house.prefer("night", quiet=quiet)
    house.prefer("admin", quiet=quiet)
    rota = {
        "login": "night",
        "on_duty_from": START + timedelta(hours=24),
        "on_duty_until": START + timedelta(hours=30),
    }
    command = PutDutyRota.model_validate({"shifts": [rota]})
    house.service.configure(lambda tx: put_rota(house.service, tx, SYSTEM, "customer_service", command))
    house.scenario.post(first_owner="admin")
    house.scenario.advance(hours=24, seconds=1)
    assert house.tell() == 1
    assert [mail.recipients for mail in mails.taken] == [["night@house.example"]]
    house.scenario.advance(hours=12)  # the step +12h, after the shift, at 21:00: no longer quiet
    house.scenario.advance(hours=12)  # the step +24h at 09:00: quiet until 20:00
    house.tell()
    late = house.deliveries(recipient="admin", level=3)
    assert [one.due_at for one in late] == [datetime(2026, 1, 7, 12, 0, tzinfo=UTC)]
    assert late[0].status is MessageStatus.WAITING


def test_a_user_is_reminded_until_somebody_acknowledges(house: House, mails: MailServerDouble) -> None:
    """Rule 10.4."""
    house.prefer("admin", remind_every_seconds=3 * 3600, language="zh")
    house.scenario.post(first_owner="admin")
    house.scenario.advance(hours=24, seconds=1)
    house.tell()
    for _ in range(2):
        house.scenario.advance(hours=2, minutes=59)
        assert house.tell() == 0
        house.scenario.advance(minutes=1)
        assert house.tell() == 1
    assert [title.startswith("再次提醒：") for title in titles(mails)] == [False, True, True]
    [step] = [row for row in house.waiting_escalations() if row["level"] == 1]
    house.service.write(
        lambda tx: escalations.acknowledge(house.service, tx, SYSTEM, step["id"], Acknowledge())
    )
    house.scenario.advance(hours=3)
    assert (house.tell(), len(titles(mails))) == (1, 3)  # the fourth message is moot
    assert house.tell() == 0


# Who -----------------------------------------------------------------------------------------------------------------


def test_users_hear_of_contacts_and_of_complaints_that_others_give_them(
    house: House, mails: MailServerDouble
) -> None:
    house.add_user("li.wei", teams=("customer_service",))
    house.prefer("li.wei", immediate_level=0)
    post = house.scenario.post(first_owner="admin", source="crm", external_id="1")
    house.scenario.act(post, "assign", assignee="li.wei")
    reach = house.service.read(house.service.configuration).reach_of("li.wei")
    taker = Scenario(house.service, replace(SYSTEM, login="li.wei", reach=reach))
    taker.act(house.scenario.post(first_owner="admin"), "assign", assignee="li.wei")
    house.scenario.post(first_owner="admin", source="crm", external_id="1", subject="Still no signal")
    house.tell()
    heard = [str(mail.message["Subject"]).split(" ", 1)[1] for mail in mails.taken]
    assert heard == ["was assigned to you", "the complainant made contact again"]
    assert "No signal" not in mails.taken[-1].content.decode()  # no text of a complaint
    assert "https://complaints.example/v1/complaints/C" in html_of(mails)


def test_an_annex_declares_a_notice_and_brings_its_text(
    house: House, mails: MailServerDouble, tmp_path: Path
) -> None:
    (tmp_path / "counted.en.txt").write_text(
        "{{ number }} <b>was counted</b>\n\nSee & count: {{ team }}", encoding="utf-8"
    )
    (tmp_path / "counted.zh.txt").write_text("{{ number }} 已计数\n", encoding="utf-8")
    notice = Notice(EventType.CREATED, (RecipientRole.TEAM_LEAD,), "counted", "/v1/category-counts")
    house.annexes = Annexes((FEATURE, Feature("counts", notices=(notice,), templates=tmp_path)))
    house.prefer("admin", immediate_level=0)
    house.scenario.post()
    assert house.tell() == 1
    assert titles(mails) == ["C000000013 <b>was counted</b>"]
    html = html_of(mails)
    assert "<b>" not in html
    assert "See &amp; count" in html
    assert 'href="https://complaints.example/v1/category-counts"' in html


def test_a_process_that_does_not_know_a_new_user_yet_reaches_the_user(
    house: House, mails: MailServerDouble
) -> None:
    other = replace(house.service, cache=keep_configuration())
    other.read(other.configuration)  # it is kept for half a second
    house.add_user("new.one", teams=["customer_service"])
    complaint = house.scenario.post()
    house.scenario.act(complaint, "assign", assignee="new.one")
    while following.follow_history(other, house.settings, house.annexes):
        pass
    [told] = house.deliveries(recipient="new.one")
    assert (told.status, told.channel) == (MessageStatus.WAITING, MessageChannel.MAIL)
    house.scenario.advance(hours=24)
    third = replace(house.service, cache=keep_configuration())
    third.read(third.configuration)
    house.add_user("newer.one", teams=["customer_service"])
    house.scenario.act(complaint, "assign", assignee="newer.one")
    house.prefer("newer.one", immediate_level=0)
    house.follow()
    outlets.send_mails(third, house.settings, house.annexes)
    assert [one.status for one in house.deliveries(recipient="newer.one")] == [MessageStatus.ACCEPTED]


def test_superseded_steps_notify_nobody_and_the_past_is_left_out(
    house: House, mails: MailServerDouble
) -> None:
    """Rule 3.3. An old complaint is born breached: of each deadline the highest step alone notifies."""
    house.prefer("admin", immediate_level=0)
    house.scenario.post(first_owner="admin", received_at=START - timedelta(days=9))
    assert house.tell() == 2
    assert all("level 3" in title and "+24h)" in title for title in titles(mails))


def test_who_started_an_import_hears_of_its_end(house: House, mails: MailServerDouble) -> None:
    house.prefer("admin")
    job = import_job.ImportJob(
        id=house.service.new_id(), status=import_job.ImportStatus.RUNNING, media_type="text/csv", charset=None,
        options=(), dry_run=False, source="crm", key_name="user:admin", key_roles=("admin",), login="admin",
        stops_with_key=False, rows=3, created_at=START,
    )  # fmt: skip
    file = import_job.StoredFile(b"x", None)
    house.service.write(lambda tx: import_job.insert_job(tx, job, file))
    assert imports.follow_imports(house.service, house.settings) == 0
    ended = replace(
        job, status=import_job.ImportStatus.COMPLETED, done=3, accepted=2, failed=1, finished_at=START
    )
    house.service.write(lambda tx: import_job.record_progress(tx, ended, claimed_until=START))
    assert [imports.follow_imports(house.service, house.settings) for _ in range(2)] == [1, 0]
    house.tell()
    assert titles(mails) == ["Your import has ended: 2 accepted, 1 failed"]


def test_without_a_channel_nothing_is_written(house: House) -> None:
    house.scenario = Scenario(replace(house.service, mail=None))
    house.scenario.post(first_owner="admin")
    house.scenario.advance(days=3)
    house.follow()
    assert house.deliveries() == []


# Once ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("moment", ["written", "accepted"])
def test_a_process_that_dies_writes_and_sends_each_message_once(
    house: House, mails: MailServerDouble, wall: WallClock, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rule 10.1. After a death behind the acceptance the mail comes again, with the same id."""

    class Killed(BaseException):
        """Nothing of the process goes on."""

    def die(*_args: Any, **_options: Any) -> None:
        raise Killed

    house.prefer("admin", immediate_level=0)
    house.scenario.post(first_owner="admin")
    house.scenario.advance(hours=24, seconds=1)
    with monkeypatch.context() as patch:
        patch.setattr(
            *((follower_rows, "move_follower") if moment == "written" else (deliveries, "save_settlement")),
            die,
        )
        with pytest.raises(Killed):
            house.tell()
    assert len(house.deliveries()) == (0 if moment == "written" else 4)
    wall.advance(seconds=121)
    house.tell()
    assert len(house.deliveries()) == len(house.deliveries(status=MessageStatus.ACCEPTED)) == 4
    ids = [mail.message["Message-ID"] for mail in mails.taken]
    assert (len(set(ids)), len(ids)) == (4, 4 if moment == "written" else 5)


# How -----------------------------------------------------------------------------------------------------------------


def test_a_mail_that_is_refused_goes_by_sms_with_a_signature(
    house_with_sms: House, receiver: HttpReceiver, mails: MailServerDouble
) -> None:
    """Rule 10.5. Every part of an SMS has a receipt; one that fails makes it undelivered."""
    house = house_with_sms
    house.service.configure(
        lambda tx: USERS.change(house.service, tx, SYSTEM, "admin", PatchUser(email="unknown@house.example"))
    )
    house.prefer("admin", channels=(ChosenChannel(MAIL), BY_SMS))
    receiver.answer = lambda _post: ReceiverAnswer(202, b'{"id": "sms-7"}')
    house.scenario.post(first_owner="admin")
    house.scenario.advance(hours=24, seconds=1)
    assert house.tell() == 2  # by mail in vain, then at once by SMS
    [post] = receiver.posts
    [told] = house.deliveries(status=MessageStatus.ACCEPTED)
    assert (told.channel, told.provider_id, told.fault) == (SMS, "sms-7", None)
    content = json.loads(post.body)
    assert (content["to"], content["id"]) == ("+8613800000000", str(told.id))
    assert content["receipt_url"] == f"https://complaints.example/v1/deliveries/{told.id}/receipt"
    sent_at = datetime.fromtimestamp(int(post.headers["webhook-timestamp"]), UTC)
    expected = Webhook(SECRET).sign(str(told.id), sent_at, post.body.decode())
    assert (post.headers["webhook-signature"], post.headers["webhook-id"]) == (expected, str(told.id))

    def receipt(part: int, status: ReceiptStatus) -> MessageDelivery:
        house.service.write(lambda tx: record_receipt(house.service, tx, told.id, status, part=part, parts=3))
        return next(one for one in house.deliveries() if one.id == told.id)

    assert receipt(2, ReceiptStatus.DELIVERED).receipt is None
    assert receipt(2, ReceiptStatus.FAILED).receipt is None  # the first word about a part counts
    assert receipt(1, ReceiptStatus.DELIVERED).receipt is None
    assert receipt(3, ReceiptStatus.DELIVERED).receipt is ReceiptStatus.DELIVERED


def test_a_bounce_makes_the_step_unheard_and_it_is_listed(
    house_with_sms: House, receiver: HttpReceiver, client: ApiClient
) -> None:
    """Rule 10.8: `check`, a measure and the body of /readyz list it, and the status of /readyz stays."""
    house = house_with_sms
    house.prefer("admin", channels=(BY_SMS,))
    house.scenario.post(first_owner="admin")
    house.scenario.advance(hours=24, seconds=1)
    house.tell()
    assert list(FEATURE.checks[0](house.service)) == []
    [told] = house.deliveries(status=MessageStatus.ACCEPTED)
    receipt = {"status": "failed", "part": 1, "parts": 2, "reason": "No such number +8613800000000."}
    assert client.post(f"/v1/deliveries/{told.id}/receipt", json=receipt).status_code == 204
    asked = {"status": "undelivered", "recipient": "admin", "fields": "receipt,fault"}
    shown = client.get("/v1/deliveries", params=asked).json()["items"]
    assert shown == [{"receipt": "failed", "fault": "No such number ****."}]
    [breach] = FEATURE.checks[0](house.service)
    assert (breach.number, breach.message) == ("C000000013", "no message about step 100% reached anybody")
    ready = client.get("/readyz")
    assert ready.json()["unheard_steps"] == 1
    assert "complaints_unheard_steps 1.0" in client.get("/metrics").text
    [step] = [row for row in house.waiting_escalations() if row["level"] == 1]
    house.service.write(
        lambda tx: escalations.acknowledge(house.service, tx, SYSTEM, step["id"], Acknowledge())
    )
    assert list(FEATURE.checks[0](house.service)) == []


def test_a_user_without_an_address_is_reached_by_nobody(house: House) -> None:
    house.prefer("admin", channels=(BY_SMS,))  # the installation has no gateway
    house.scenario.post(first_owner="admin")
    house.scenario.advance(hours=24, seconds=1)
    house.tell()
    assert {one.status for one in house.deliveries()} == {MessageStatus.UNDELIVERED}
    assert len(list(FEATURE.checks[0](house.service))) == 4


# Robots --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", RobotKind)
def test_a_robot_gets_signed_messages_and_its_code_counts(
    house: House, receiver: HttpReceiver, wall: WallClock, kind: RobotKind
) -> None:
    """Rule 10.7. A real receiver checks the signature. Status 200 with a code is a failure; level 1 is sent at once."""
    house.prefer("admin", digest_times=("23:59",))
    house.add_robot(f"{receiver.url}?key=1", kind=kind, secret="SEC0123456789abcdef")
    answers = [b'{"errcode": 310000, "errmsg": "sign not match"}', b'{"code": 0}']
    receiver.answer = lambda _post: ReceiverAnswer(200, answers.pop(0))
    house.scenario.post(first_owner="admin")
    house.scenario.advance(hours=24, seconds=1)
    house.tell()
    [refused] = house.deliveries(recipient="robot:chat", level=1)
    assert (refused.status, refused.fault) == (
        MessageStatus.UNDELIVERED,
        "The robot answered with code 310000.",
    )
    house.scenario.advance(minutes=1)
    house.tell()  # three reminders, in one message
    assert len(receiver.posts) == 2
    path, body = receiver.posts[1].path, json.loads(receiver.posts[1].body)
    seconds = int(wall().timestamp())
    if kind is RobotKind.WECOM:
        text = body["markdown"]["content"]
    elif kind is RobotKind.DINGTALK:
        text = body["markdown"]["text"]
        signature = robots.sign_for_dingtalk("SEC0123456789abcdef", seconds * 1000)
        assert path.endswith(f"?key=1&timestamp={seconds * 1000}&sign={signature}")
    else:
        text = body["content"]["text"]
        assert body["sign"] == robots.sign_for_feishu("SEC0123456789abcdef", seconds)
        assert body["timestamp"] == str(seconds)
    assert text.count("C000000013") == 6  # three lines, each with a link
    assert text.count("https://complaints.example/v1/complaints/") == 3


def test_a_robot_gets_18_messages_a_minute_within_its_size_and_is_left_alone_when_it_bars_us(
    house: House, receiver: HttpReceiver, wall: WallClock
) -> None:
    """Steps of level 1 at once, and reminders at the next minute, are gathered into messages of at most 4,096 bytes."""
    house.prefer("admin", digest_times=("23:59",))
    house.add_robot(receiver.url)
    receiver.answer = lambda _post: ReceiverAnswer(200, b'{"errcode": 0}')
    sender = replace(house.service)
    for _ in range(20):
        house.scenario.post(first_owner="admin")
    house.scenario.advance(hours=24, seconds=1)
    house.follow()

    def send() -> int:
        send_all = lambda: outlets.send_to_robots(sender, house.settings, house.annexes)  # noqa: E731
        return sum(iter(send_all, 0))

    assert send() == 20
    assert len(receiver.posts) == 1
    house.scenario.advance(minutes=1)
    receiver.posts.clear()
    filled = Robot(
        code="chat", account=RobotAccount(RobotKind.WECOM, receiver.url), teams=("customer_service",), language="en",
        active=True, sent_at=(wall(),) * 17,
    )  # fmt: skip
    house.service.write(lambda tx: write_robot(tx, filled))
    send()
    [post] = receiver.posts
    assert 4000 < len(json.loads(post.body)["markdown"]["content"].encode()) <= 4096
    assert len(receiver.posts) == 1  # the 18th of this minute; the rest waits without an attempt
    left = house.deliveries(recipient="robot:chat", status=MessageStatus.WAITING)
    assert {one.attempts for one in left} == {0}
    receiver.answer = lambda _post: ReceiverAnswer(200, b'{"errcode": 45009}')
    wall.advance(seconds=60)
    assert send() > 0
    wall.advance(seconds=599)
    assert send() == 0
    receiver.answer = lambda _post: ReceiverAnswer(200, b'{"errcode": 0}')
    wall.advance(seconds=2)
    assert send() > 0
    assert house.deliveries(recipient="robot:chat", status=MessageStatus.UNDELIVERED) == []


# What callers send ---------------------------------------------------------------------------------------------------


WRONG_WISHES: list[tuple[dict[str, Any], str]] = [
    ({"channels": [{"channel": "fax"}]}, "/channels/0/channel"),
    ({"channels": [{"channel": "sms"}]}, "/channels/0/address"),
    ({"channels": [{"channel": "sms", "address": "12"}]}, "/channels/0/address"),
    ({"channels": [{"channel": "mail", "address": "a@b.example"}]}, "/channels/0/address"),
    ({"channels": [{"channel": "robot", "address": "nobody"}]}, "/channels/0/address"),
    ({"channels": [{"channel": "mail"}, {"channel": "mail"}]}, "/channels"),
    ({"timezone": "Mars/Base"}, "/timezone"),
    ({"digest_times": ["9:00"]}, "/digest_times/0"),
    ({"digest_times": []}, "/digest_times"),
    ({"quiet_hours": {"from_time": "22:00", "until_time": "24:00"}}, "/quiet_hours/until_time"),
    ({"quiet_hours": {"from_time": "22:00", "until_time": "22:00"}}, "/quiet_hours/until_time"),
    ({"remind_every": "5m"}, "/remind_every"),
    ({"remind_every": "1d"}, "/remind_every"),
    ({"immediate_level": -1}, "/immediate_level"),
    ({"immediate_level": 1.5}, "/immediate_level"),
    ({"language": "fr"}, "/language"),
    ({"unknown": 1}, "/unknown"),
]


def test_wrong_wishes_are_refused_and_named(client: ApiClient, subtests: pytest.Subtests) -> None:
    path = "/v1/users/admin/notifications"
    for body, pointer in WRONG_WISHES:
        with subtests.test(str(body)):
            answer = client.put(path, json=body)
            assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)
            assert client.get(path).json()["channels"] == [{"channel": "mail", "address": None}]


def test_wishes_are_kept_and_robots_show_no_secret(client: ApiClient) -> None:
    url = "https://oapi.dingtalk.com/robot/send?access_token=the-token"
    body = {"kind": "dingtalk", "url": url, "secret": "the-secret", "teams": ["operations"]}
    for sent in (body, {**body, "secret": None, "active": False}):
        made = client.put("/v1/robots/ops", json=sent)
        assert made.status_code == 200, made.text
        assert made.json()["has_secret"] is True
        assert made.json()["host"] == "oapi.dingtalk.com"
    assert "the-" not in client.get("/v1/robots").text + made.text
    for faulty, pointer in (
        ({"url": "http://169.254.169.254/"}, "/url"),
        ({"url": "https://10.0.0.1/"}, "/url"),
        ({"teams": ["nowhere"]}, "/teams/0"),
        ({"kind": "slack"}, "/kind"),
    ):
        answer = client.put("/v1/robots/ops", json=body | faulty)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)
    wishes = {
        "channels": [{"channel": "robot", "address": "ops"}],
        "remind_every": "90m",
        "timezone": "Asia/Shanghai",
    }
    assert client.put("/v1/users/admin/notifications", json=wishes).status_code == 200
    shown = client.get("/v1/users/admin/notifications").json()
    assert (shown["remind_every"], shown["channels"]) == ("90m", wishes["channels"])
    assert client.put("/v1/users/nobody/notifications", json={}).status_code == 404
    assert client.get("/v1/me/notifications").status_code == 403
    assert [client.delete("/v1/robots/ops").status_code for _ in range(2)] == [204, 404]


WRONG_RECEIPTS: list[tuple[dict[str, Any], int]] = [
    ({"status": "read"}, 422),
    ({"status": "delivered", "part": 3, "parts": 2}, 422),
    ({"status": "delivered", "part": 0}, 422),
    ({"status": "delivered", "parts": 100}, 422),
    ({"status": "failed", "reason": ""}, 422),
    ({"status": "delivered"}, 409),
]


def test_wrong_receipts_are_refused(house: House, client: ApiClient, subtests: pytest.Subtests) -> None:
    house.scenario.post(first_owner="admin")
    house.scenario.advance(hours=20)
    house.follow()
    waiting = house.deliveries()[0]
    for body, status in WRONG_RECEIPTS:
        with subtests.test(str(body)):
            answer = client.post(f"/v1/deliveries/{waiting.id}/receipt", json=body)
            assert answer.status_code == status, answer.text
            assert house.deliveries()[0] == waiting


def test_the_list_of_deliveries_has_pages_filters_and_a_scope(house: House, client: ApiClient) -> None:
    """Rule 7.1: an agent sees what is about complaints of the own teams, and the own messages."""
    mine = house.scenario.post(first_owner="admin", category="service.attitude")
    house.scenario.post(first_owner="admin", category="network.outage")
    house.add_user("agent", teams=("operations",))
    house.scenario.advance(hours=24, seconds=1)
    house.follow()
    first = client.get("/v1/deliveries", params={"limit": 3}).json()
    rest = client.get("/v1/deliveries", params={"limit": 200, "cursor": first["next_cursor"]}).json()
    found = [one["id"] for page in (first, rest) for one in page["items"]]
    assert (len(found), len(set(found)), rest["next_cursor"]) == (8, 8, None)
    of_one = client.get(
        "/v1/deliveries", params={"complaint": str(mine.id), "fields": "complaint_id"}
    ).json()["items"]
    assert of_one == [{"complaint_id": str(mine.id)}] * 4
    key = house.scenario.key(AccessRole.AGENT, login="agent")
    seen = client.get("/v1/deliveries", headers=key).json()["items"]
    assert len(seen) == 4
    assert str(mine.id) not in str(seen)
    assert client.get("/v1/deliveries", params={"complaint": str(mine.id)}, headers=key).status_code == 404
    wrong = [{"status": "lost"}, {"recipient": "nobody"}, {"cursor": "x"}, {"fields": "text"}, {"phone": "1"}]
    assert [client.get("/v1/deliveries", params=one).status_code for one in wrong] == [
        422,
        422,
        400,
        400,
        400,
    ]


def test_an_auditor_chooses_too_although_a_replica_answers_auditors(house: House, client: ApiClient) -> None:
    key = house.scenario.key(AccessRole.AUDITOR, login="admin")
    app: Any = client.app
    nowhere = Database(open_engine("sqlite:////nowhere/none.db"), house.service.database.clock)
    app.state.replica = Replica(nowhere, house.service.new_id, primary=house.service)
    try:
        answer = client.put("/v1/me/notifications", json={"language": "en"}, headers=key)
        assert (answer.status_code, answer.json()["language"]) == (200, "en")
        assert client.get("/v1/me/notifications", headers=key).json()["language"] == "en"
    finally:
        app.state.replica = None


def test_a_user_may_choose_a_robot_and_old_deliveries_are_deleted(
    house: House, receiver: HttpReceiver, wall: WallClock
) -> None:
    receiver.answer = lambda _post: ReceiverAnswer(200, b'{"errcode": 0}')
    house.add_robot(receiver.url)
    house.prefer("admin", channels=(ChosenChannel(ROBOT, "chat"),), digest_times=("23:59",))
    house.scenario.post(first_owner="admin")
    house.scenario.advance(hours=24, seconds=1)
    assert house.tell() == 2  # to the user and to the group, in one message
    [post] = receiver.posts
    lines = json.loads(post.body)["markdown"]["content"].split("\n\n")
    assert sorted(line.split(": ")[0] for line in lines) == ["C000000013", "admin"]
    [forget] = [loop.work for loop in FEATURE.loops if loop.name == "forget"]
    wall.advance(days=399)
    assert forget(house.service, house.settings) == 0
    wall.advance(days=1, seconds=1)
    assert [forget(house.service, house.settings) for _ in range(2)] == [2, 0]
    assert {one.status for one in house.deliveries()} == {MessageStatus.WAITING}
