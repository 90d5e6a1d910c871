"""Who of the staff hears of what, when, by which way, and how often: with a real mail server and real receivers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from complaints.api.feature import Annexes
from complaints.features.notifications import following, outlets, tables
from complaints.features.notifications.feature import FEATURE
from complaints.features.notifications.model import MessageChannel, MessageDelivery
from complaints.features.notifications.preferences import (
    NotificationPreference,
)
from complaints.features.notifications.settings import NotificationSettings
from complaints.use_cases.access import SYSTEM
from complaints.use_cases.commands.configuration import PatchUser
from complaints.use_cases.configuration.staff import USERS
from complaints.use_cases.mail_account import MailAccount
from complaints.use_cases.service import Service
from tests.mail_server import MailServerDouble, mail_server
from tests.support import Scenario

MAIL, SMS, ROBOT = MessageChannel.MAIL, MessageChannel.SMS, MessageChannel.ROBOT


@dataclass
class House:
    """An installation that tells its staff: one step after the other, when a test says so."""

    scenario: Scenario
    annexes: Annexes
    settings: NotificationSettings = field(default_factory=NotificationSettings)

    @property
    def service(self) -> Service:
        return self.scenario.service

    def tell(self) -> int:
        """Follow the history, and send what is due on every channel; how much was tried."""
        while following.follow_history(self.service, self.settings, self.annexes):
            pass
        sends = (outlets.send_mails, outlets.send_sms, outlets.send_to_robots)
        return sum(send(self.service, self.settings, self.annexes) for send in sends)

    def prefer(self, login: str, **wishes: Any) -> None:
        preference = NotificationPreference(**{"language": "en", **wishes})
        self.service.write(lambda tx: tables.write_preference(tx, login, preference))

    def deliveries(self) -> Sequence[MessageDelivery]:
        return self.service.read(tables.list_all)


@pytest.fixture
def mails() -> Iterator[MailServerDouble]:
    with mail_server() as running:
        yield running


@pytest.fixture
def house(staff: Scenario, mails: MailServerDouble) -> House:
    account = MailAccount.parse(f"smtp+plain://127.0.0.1:{mails.port}", "Complaints <c@house.example>")
    service = replace(staff.service, mail=account)
    command = PatchUser(email="admin@house.example")
    service.configure(lambda tx: USERS.change(service, tx, SYSTEM, "admin", command))
    made = House(Scenario(service), Annexes((FEATURE,)))
    made.tell()  # it follows from now on
    return made


def titles(mails: MailServerDouble) -> list[str]:
    return [str(mail.message["Subject"]) for mail in mails.taken]


def test_a_step_of_level_1_is_sent_at_once_and_reminders_wait_for_the_digest(
    house: House, mails: MailServerDouble
) -> None:
    """Rules 10.1 and 10.2. The digest comes at 09:00 in Shanghai, and has what is still waiting."""
    house.prefer("admin")
    made = house.scenario.post(first_owner="admin")
    house.scenario.advance(hours=24, seconds=1)
    assert house.tell() == 1
    assert [title.split(": ", 1)[1] for title in titles(mails)] == ["step 100%, level 1"]
    house.scenario.advance(hours=23, minutes=58)
    house.tell()
