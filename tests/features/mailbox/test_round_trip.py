"""A complaint by mail, from the first mail to an answer to the acknowledgement, with a real server on each side."""

from dataclasses import replace

import pytest

from complaints.api.feature import NO_ANNEXES
from complaints.features.notifications import following, outlets
from complaints.features.notifications.mailbox import polling
from complaints.features.notifications.mailbox.tables import MailFate
from complaints.features.notifications.model import MessageStatus
from complaints.features.notifications.settings import NotificationSettings
from complaints.use_cases.mail_account import MailAccount
from tests.features.mailbox.conftest import BOX, MailboxScenario
from tests.features.notifications.conftest import all_deliveries
from tests.imap_server import ImapServer
from tests.mail_server import mail_server

FIRST = b"From: Li <li@example.com>\r\nTo: box@example.com\r\nMessage-ID: <1@mx>\r\nSubject: No signal\r\n\r\nNone.\r\n"
ANSWER = b"From: Li <li@example.com>\r\nTo: %b\r\nMessage-ID: <2@mx>\r\nSubject: Re: x\r\n\r\nStill none.\r\n> old\r\n"
AWAY = b"From: Li <li@example.com>\r\nTo: %b\r\nAuto-Submitted: auto-replied\r\nSubject: Away\r\n\r\nI am away.\r\n"
BOUNCE = (
    b"From: mailer-daemon@mx\r\nTo: %b\r\nContent-Type: multipart/report; boundary=b\r\n\r\n--b\r\n\r\nNo\r\n"
)


@pytest.mark.usefixtures("everything_holds")
def test_rule_10_10_an_answer_to_the_acknowledgement_comes_back(
    box: MailboxScenario, imap: ImapServer
) -> None:
    with mail_server() as server:
        account = MailAccount.parse(f"smtp+plain://127.0.0.1:{server.port}", "us@example.com", BOX)
        service = replace(box.service, mail=account, public_url="https://complaints.example")
        settings = NotificationSettings(acknowledge=True, language="en", mailbox_url=imap.url)
        following.follow_history(service, settings, NO_ANNEXES)
        imap.put(FIRST)
        assert polling.take_from_mailbox(service, settings) == 1
        following.follow_history(service, settings, NO_ANNEXES)
        outlets.send_mails(service, settings, NO_ANNEXES)
        [sent] = server.taken
        assert sent.message["In-Reply-To"] == "<1@mx>"
        assert sent.message["Auto-Submitted"] == "auto-replied"
        for answer in (ANSWER, AWAY):
            imap.put(answer % sent.message["Reply-To"].encode())
        imap.put(BOUNCE % sent.sender.encode())
        taken = box.take()
        assert [one.fate for one in taken] == [
            MailFate.COMPLAINT,
            MailFate.CONTACT,
            MailFate.AUTOMATIC,
            MailFate.BOUNCE,
        ]
        assert taken[1].complaint_id == taken[0].complaint_id
        assert box.texts("complaint.contact_repeated")[-1]["description"] == "Still none."
        [delivery] = service.read(all_deliveries)
        assert delivery.status is MessageStatus.UNDELIVERED
        following.follow_history(service, settings, NO_ANNEXES)
        server.taken.clear()
        outlets.send_mails(service, settings, NO_ANNEXES)
        assert server.taken == []  # neither the contact nor the bounce is answered: no loop


def test_without_a_mailbox_nothing_is_read(box: MailboxScenario) -> None:
    assert polling.take_from_mailbox(box.service, NotificationSettings()) == 0
