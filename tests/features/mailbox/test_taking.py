"""Mails of a real IMAP server become complaints and contacts; other mails are noted, and none is lost or loops."""

import json
from collections.abc import Iterator
from dataclasses import replace
from email.message import EmailMessage
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from complaints.domain.errors import Unavailable
from complaints.domain.vocabulary import Channel, Status
from complaints.features.notifications.delivery_use_cases import enqueue
from complaints.features.notifications.mailbox import taking
from complaints.features.notifications.mailbox.tables import MailFate
from complaints.features.notifications.model import (
    COMPLAINANT,
    Audience,
    MessageChannel,
    MessageStatus,
    NewDelivery,
)
from complaints.use_cases.access import SYSTEM
from complaints.use_cases.attachments.reading import list_attachments
from complaints.use_cases.complaints.signed_addresses import AddressPurpose
from complaints.use_cases.mail_account import MailboxAccount
from tests.api_client import ApiClient
from tests.features.mailbox.conftest import BOX, MailboxScenario
from tests.features.notifications.conftest import WallClock, all_deliveries
from tests.imap_server import CLOSED, REFUSED, FaultyRelay, ImapServer, faulty_relay
from tests.support import START

pytestmark = pytest.mark.usefixtures("everything_holds")


def mail(body: str = "The line is dead.", *files: tuple[str, bytes], **headers: str) -> bytes:
    message = EmailMessage()
    given = {"From": "李 <li@example.com>", "To": BOX, "Subject": "没有网络", "Message-ID": f"<{uuid4()}@mx>"}
    for name, value in (given | {key.replace("_", "-"): value for key, value in headers.items()}).items():
        if value:
            message[name] = value
    message.set_content(body)
    for name, content in files:
        message.add_attachment(content, maintype="image", subtype="png", filename=name)
    return message.as_bytes()


def count(box: MailboxScenario, table: str) -> int:
    statement = text(f"SELECT count(*) FROM {table}")
    return int(box.service.read(lambda tx: tx.connection.execute(statement).scalar_one()))


def files_of(box: MailboxScenario, complaint_id: Any) -> list[tuple[str | None, int, str]]:
    found = box.service.read(lambda tx: list_attachments(tx, SYSTEM, str(complaint_id), limit=50))
    return [(one.name, one.size, one.visibility) for one in found]


def test_a_mail_becomes_a_complaint_once(box: MailboxScenario, imap: ImapServer) -> None:
    uid = imap.put(mail("坏了。", ("photo.png", b"png"), Message_ID="<m1@mx>"))
    [taken] = box.take()
    assert (taken.fate, taken.uid, taken.message_id) == (MailFate.COMPLAINT, uid, "m1@mx")
    assert (taken.files, taken.files_kept) == (1, 1)
    view = box.view(taken.complaint_id)
    complaint, person = view.complaint, view.persons["complainant"]
    assert (complaint.channel, complaint.source, complaint.external_id) == (Channel.EMAIL, "email", "m1@mx")
    assert (complaint.subject, complaint.description) == ("没有网络", "坏了。")
    assert (person.name, person.email, person.language) == ("李", "li@example.com", "zh")
    assert complaint.received_at == START
    assert files_of(box, taken.complaint_id) == [("photo.png", 3, "public")]
    assert "Seen" in imap.list_flags()[uid]
    assert len(box.take()) == 1
    assert count(box, "complaint") == 1


def test_a_mail_to_the_signed_address_is_a_contact(box: MailboxScenario, imap: ImapServer) -> None:
    posted = box.post(source="phone")
    signed = box.address(AddressPurpose.CONTACT, posted.id)
    imap.put(mail("Still dead.\n\nOn Monday A wrote:\n> old", ("a.png", b"1"), To=f"Box <{signed.upper()}>"))
    [taken] = box.take()
    assert (taken.fate, taken.complaint_id) == (MailFate.CONTACT, posted.id)
    assert box.texts("complaint.contact_repeated")[-1]["description"] == "Still dead."
    assert files_of(box, posted.id) == [("a.png", 1, "public")]
    assert count(box, "escalation") == 1


def test_rule_10_10_a_header_that_can_be_forged_names_no_complaint(
    box: MailboxScenario, imap: ImapServer
) -> None:
    posted = box.post(source="email", external_id="m1@mx")
    signed = box.address(AddressPurpose.CONTACT, posted.id)
    forged: list[dict[str, str]] = [
        {"In_Reply_To": f"<{posted.id}@example.com>", "References": "<m1@mx>"},
        {"Subject": f"Re: {posted.id}"},
        {"Message_ID": "<m1@mx>"},
        {"To": signed.replace("+c", "+ca")},
        {"To": box.address(AddressPurpose.BOUNCE, posted.id).replace("+b", "+c")},
        {"To": signed + ".evil.example"},
    ]
    for headers in forged:
        imap.put(mail("I am somebody else.", **headers))
    taken = box.take()
    assert [one.fate for one in taken] == [MailFate.COMPLAINT] * len(forged)
    assert posted.id not in {one.complaint_id for one in taken}
    assert box.load(posted).version == posted.version


NOT_OF_PERSONS = [
    ({"Auto_Submitted": "auto-replied"}, MailFate.AUTOMATIC, "Auto-Submitted: auto-replied"),
    ({"Precedence": "list"}, MailFate.AUTOMATIC, "Precedence"),
    ({"Return_Path": "<>"}, MailFate.AUTOMATIC, "empty Return-Path"),
    ({"From": "Complaints <US@example.com>"}, MailFate.LOOP, "it came from an address of the house"),
    ({"From": BOX}, MailFate.LOOP, "it came from an address of the house"),
    ({"From": "MAILER-DAEMON@mx.example"}, MailFate.AUTOMATIC, "a mail server wrote it"),
]


def test_rule_10_11_loops_and_automatic_answers_are_noted_and_nothing_follows(
    box: MailboxScenario, imap: ImapServer
) -> None:
    posted = box.post()
    for headers, _, _ in NOT_OF_PERSONS:
        imap.put(mail("I am away.", **({"To": box.address(AddressPurpose.CONTACT, posted.id)} | headers)))
    taken = box.take()
    assert [(one.fate, one.reason) for one in taken] == [(fate, reason) for _, fate, reason in NOT_OF_PERSONS]
    assert {one.complaint_id for one in taken} == {None}
    assert (count(box, "complaint"), count(box, "escalation")) == (1, 0)


def test_a_sender_who_fills_the_mailbox_is_stopped(
    box: MailboxScenario, imap: ImapServer, monkeypatch: pytest.MonkeyPatch, wall: Any
) -> None:
    monkeypatch.setattr(taking, "MOST_OF_SENDER", 2)
    for n in range(4):
        imap.put(mail(f"Answer {n}", From="robot@example.com"))
    imap.put(mail("I too"))
    fates = [taken.fate for taken in box.take()]
    assert fates == [MailFate.COMPLAINT] * 2 + [MailFate.QUARANTINED] * 2 + [MailFate.COMPLAINT]
    assert len(imap.list_flags("Quarantine")) == 2
    wall.advance(hours=2)
    aside = imap.read("Quarantine", 0)
    imap.put(aside)  # as a person does who moves it back
    assert box.take()[-1].fate is MailFate.COMPLAINT
    wall.advance(hours=-26)  # the clock is set back: the mails from its future do not count
    imap.put(mail("Still here", From="robot@example.com"))
    assert box.take()[-1].fate is MailFate.COMPLAINT


def test_what_is_too_large_or_fails_is_set_aside_and_never_loops(
    box: MailboxScenario, imap: ImapServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = taking.read_mail

    def fail(content: bytes) -> Any:
        if b"poison" in content:
            raise RecursionError("too deep")
        return read(content)

    monkeypatch.setattr(taking, "read_mail", fail)
    assert box.options is not None
    small = replace(box, options=replace(box.options, most_bytes=2_000))
    imap.put(mail("x" * 5_000))
    imap.put(mail("poison"))
    imap.put(mail("good"))
    large, poison, good = small.take()
    assert (large.fate, poison.fate, good.fate) == (
        MailFate.QUARANTINED,
        MailFate.QUARANTINED,
        MailFate.COMPLAINT,
    )
    assert large.reason is not None
    assert large.reason.startswith("it has ")
    assert poison.reason == "the program failed: RecursionError"
    assert len(imap.list_flags()) == 1
    assert len(small.take()) == 3


@pytest.fixture
def relay(imap: ImapServer) -> Iterator[FaultyRelay]:
    with faulty_relay(imap) as opened:
        yield opened


@pytest.fixture
def damaged(box: MailboxScenario, relay: FaultyRelay) -> MailboxScenario:
    """The scenario at a server that has damaged mails."""
    assert box.options is not None
    return replace(box, options=replace(box.options, account=MailboxAccount.parse(relay.url)))


NO_BODY = b"* 1 FETCH (UID 1 BODY[] NIL)\r\nTAG OK Done.\r\n"
NO_ARRIVAL = b'* 1 FETCH (UID 1 RFC822.SIZE 5 INTERNALDATE "00-Foo-0000 00:00:00 +0000")\r\nTAG OK Done.\r\n'


@pytest.mark.parametrize(
    ("part", "answer"),
    [(b"BODY", REFUSED), (b"SIZE", REFUSED), (b"BODY", NO_BODY), (b"SIZE", NO_ARRIVAL)],
)
def test_rule_10_12_a_mail_that_the_server_does_not_show_stops_no_other_and_is_tried_again(
    damaged: MailboxScenario, imap: ImapServer, relay: FaultyRelay, part: bytes, answer: bytes
) -> None:
    first, hidden, last = (imap.put(mail(f"No. {n}")) for n in range(3))
    relay.answers[hidden, part] = answer
    for _ in range(3):
        taken = damaged.take()
        assert [(one.uid, one.fate) for one in taken] == [
            (first, MailFate.COMPLAINT),
            (last, MailFate.COMPLAINT),
        ]
    relay.answers.clear()
    assert [(one.uid, one.fate) for one in damaged.take()][1] == (hidden, MailFate.COMPLAINT)
    assert count(damaged, "complaint") == 3
    assert count(damaged, "refused_mail") == 0


def test_rule_10_12_a_mail_that_the_server_does_not_show_for_a_day_is_set_aside(
    damaged: MailboxScenario, imap: ImapServer, relay: FaultyRelay, wall: WallClock
) -> None:
    hidden = imap.put(mail("No. 1"))
    relay.answers[hidden, b"BODY"] = REFUSED
    assert damaged.take() == []
    wall.advance(hours=23)
    assert damaged.take() == []
    assert hidden in imap.list_flags()
    wall.advance(hours=2)
    [taken] = damaged.take()
    assert (taken.uid, taken.fate) == (hidden, MailFate.QUARANTINED)
    assert taken.reason == "the server does not show it"
    assert len(imap.list_flags("Quarantine")) == 1
    assert damaged.take() == [taken]
    assert count(damaged, "refused_mail") == 0


def test_a_mail_that_is_gone_before_the_server_showed_it_is_forgotten(
    damaged: MailboxScenario, imap: ImapServer, relay: FaultyRelay
) -> None:
    relay.answers[imap.put(mail()), b"BODY"] = REFUSED
    damaged.take()
    assert count(damaged, "refused_mail") == 1
    imap.empty()
    relay.answers.clear()
    assert damaged.take() == []
    assert count(damaged, "refused_mail") == 0


def test_a_lost_connection_is_no_fault_of_the_mail(
    damaged: MailboxScenario, imap: ImapServer, relay: FaultyRelay, wall: WallClock
) -> None:
    relay.answers[imap.put(mail()), b"BODY"] = CLOSED
    for _ in range(3):
        assert damaged.take() == []
        wall.advance(days=2)
    assert count(damaged, "refused_mail") == 0
    relay.answers.clear()
    assert [one.fate for one in damaged.take()] == [MailFate.COMPLAINT]


def test_files_of_a_mail_that_the_server_does_not_show_stop_no_others(
    damaged: MailboxScenario, imap: ImapServer, relay: FaultyRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> Any:
        raise Unavailable("the store is away")

    hidden, shown = (imap.put(mail("坏了。", ("1.png", b"1"), Subject=str(n))) for n in range(2))
    with monkeypatch.context() as patched:
        patched.setattr(taking, "begin_upload", fail)
        for _ in range(2):
            with pytest.raises(Unavailable):
                damaged.take()
    relay.answers[hidden, b"BODY"] = REFUSED
    assert [(one.uid, one.files_kept) for one in damaged.take()] == [(hidden, 0), (shown, 1)]
    relay.answers.clear()
    assert [one.files_kept for one in damaged.take()] == [1, 1]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_mail_of_too_many_parts_and_a_line_of_5_mb_are_kept_whole(
    box: MailboxScenario, imap: ImapServer
) -> None:
    # 10,000 parts are read in `test_reading`: the IMAP server of the tests takes seconds for them.
    head = b"From: li@example.com\r\nSubject: s\r\n"
    parts = head + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    parts += b"--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n" * 300 + b"--b--\r\n"
    line = head + b"\r\n" + b"y" * 5_000_000
    imap.put(parts)
    imap.put(line)
    for taken, content in zip(box.take(), (parts, line), strict=True):
        assert taken.fate is MailFate.COMPLAINT
        assert files_of(box, taken.complaint_id) == [("mail.eml", len(content), "public")]


def test_rule_10_12_a_crash_loses_no_mail_and_takes_none_twice(
    box: MailboxScenario, imap: ImapServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process dies before the commit, and then between two files."""
    uploads, upload = [], taking.begin_upload

    def fail(*_: Any) -> Any:
        raise Unavailable("the process was killed")

    def fail_at_second(*args: Any) -> Any:
        uploads.append(args)
        return fail() if len(uploads) == 2 else upload(*args)

    imap.put(mail("坏了。", ("1.png", b"1"), ("2.png", b"22"), ("3.png", b"333")))
    with monkeypatch.context() as patched:
        patched.setattr(taking, "register_one", fail)
        with pytest.raises(Unavailable):
            box.take()
    assert count(box, "complaint") == count(box, "received_mail") == 0
    with monkeypatch.context() as patched:
        patched.setattr(taking, "begin_upload", fail_at_second)
        with pytest.raises(Unavailable):
            box.take()
    assert count(box, "attachment") == 1
    [taken] = box.take()
    assert (taken.files_kept, count(box, "complaint")) == (3, 1)
    assert [name for name, _, _ in files_of(box, taken.complaint_id)] == ["1.png", "2.png", "3.png"]


def test_files_of_a_mail_that_is_gone_are_given_up(
    box: MailboxScenario, imap: ImapServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> Any:
        raise Unavailable("the store is away")

    imap.put(mail("坏了。", ("1.png", b"1")))
    with monkeypatch.context() as patched:
        patched.setattr(taking, "begin_upload", fail)
        with pytest.raises(Unavailable):
            box.take()
    imap.empty()
    [taken] = box.take()
    assert (taken.files, taken.files_kept) == (0, 0)


def test_a_file_that_meets_a_fault_is_named_in_a_note(
    box: MailboxScenario, imap: ImapServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> Any:
        raise RecursionError

    monkeypatch.setattr(taking, "begin_upload", fail)
    imap.put(mail("坏了。", ("1.png", b"1")))
    [taken] = box.take()
    assert (taken.files, taken.files_kept) == (1, 1)
    assert "RecursionError" in box.texts("complaint.note_added")[0]["text"]


def test_two_processes_take_a_mail_once(
    box: MailboxScenario, imap: ImapServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    imap.put(mail("坏了。", ("1.png", b"1")))
    box.take()
    monkeypatch.setattr(taking.tables, "find_last_uid", lambda *_: 0)  # it listed the mails before
    assert box.options is not None
    assert taking.take_mails(box.service, box.options) == 1
    monkeypatch.setattr(taking.tables, "is_taken", lambda *_: False)  # the other commits at the last moment
    monkeypatch.setattr(taking.tables, "find_copy", lambda *_: None)
    monkeypatch.setattr(taking, "find_holders", lambda *_: {"taken": "by the other"})
    assert taking.take_mails(box.service, box.options) == 1
    assert (count(box, "complaint"), count(box, "received_mail"), count(box, "attachment")) == (1, 1, 1)


def test_a_mailbox_that_numbers_its_mails_again_gives_no_complaint_twice(
    box: MailboxScenario, imap: ImapServer
) -> None:
    content = mail("坏了。", ("1.png", b"1"))
    imap.put(content)
    [first] = box.take()
    imap.put(b"Received: by another.example\r\n" + content)
    _, second = box.take()
    assert (second.fate, second.complaint_id) == (MailFate.DUPLICATE, first.complaint_id)
    assert count(box, "attachment") == 1


def test_administrators_see_what_became_of_mails(
    box: MailboxScenario, imap: ImapServer, client: ApiClient
) -> None:
    for n in range(3):
        imap.put(mail(f"No. {n}", Precedence="bulk" if n else ""))
    taken = box.take()
    first = client.get("/v1/received-mails", params={"limit": 2}).json()
    rest = client.get("/v1/received-mails", params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert [one["uid"] for one in first["items"] + rest["items"]] == [one.uid for one in reversed(taken)]
    [shown] = client.get("/v1/received-mails", params={"fate": "complaint"}).json()["items"]
    assert shown["complaint_id"] == str(taken[0].complaint_id)
    assert "li@example.com" not in json.dumps(shown)
    assert client.get("/v1/received-mails", params={"fate": "none"}).status_code == 422
    assert client.get("/v1/received-mails", params={"cursor": "x"}).status_code == 400


def test_the_database_refuses_nonsense(box: MailboxScenario, imap: ImapServer) -> None:
    imap.put(mail())
    box.take()
    for change in ("files_kept = files + 1", "complaint_id = NULL", "fate = 'lost'"):
        with pytest.raises(IntegrityError):
            box.execute(f"UPDATE received_mail SET {change}")


def test_refused_files_are_named_in_a_note(box: MailboxScenario, imap: ImapServer) -> None:
    imap.put(mail("Look", *((f"{n}.png", b"x") for n in range(12))))
    [taken] = box.take()
    assert (taken.files_kept, len(files_of(box, taken.complaint_id))) == (12, 10)
    notes = box.texts("complaint.note_added")
    assert len(notes) == 2
    assert "“11.png”未能保存" in notes[-1]["text"]
    assert '"11.png" of the mail was not kept' in notes[-1]["text"]


def test_rule_10_06_a_bounce_makes_the_delivery_undelivered(box: MailboxScenario, imap: ImapServer) -> None:
    posted = box.post()
    new = NewDelivery(
        event_id=uuid4(),
        audience=Audience.COMPLAINANT,
        recipient=COMPLAINANT,
        template="acknowledgement",
        language="en",
        channels=(MessageChannel.MAIL,),
        due_at=START,
        complaint_id=posted.id,
    )
    box.service.write(lambda tx: enqueue(box.service, tx, new))
    box.execute(
        "UPDATE message_delivery SET status = 'accepted', next_attempt_at = NULL, settled_at = due_at"
    )
    [delivery] = box.service.read(all_deliveries)
    report = (
        b"From: MAILER-DAEMON@mx.example\r\nTo: %b\r\nContent-Type: multipart/report; boundary=b\r\n\r\n"
        b"--b\r\n\r\nSorry\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nAction: failed\r\n--b--\r\n"
    )
    address = box.address(AddressPurpose.BOUNCE, delivery.id).encode()
    imap.put(report % address)
    imap.put(report % address + b"\r\n")
    assert [taken.fate for taken in box.take()] == [MailFate.BOUNCE] * 2
    [after] = box.service.read(all_deliveries)
    assert (after.status, after.receipt) == (MessageStatus.UNDELIVERED, "failed")
    assert count(box, "escalation") == 1
    assert box.load(posted).status is Status.RECEIVED


def test_a_server_that_is_away_is_asked_again(box: MailboxScenario) -> None:
    away = MailboxAccount.parse("imap+plain://a:b@127.0.0.1:1")
    assert box.options is not None
    assert taking.take_mails(box.service, replace(box.options, account=away)) == 0
