"""Mail: messages go to the mail server of the installation."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from complaints.features.notifications.model import (
    Acceptance,
    ChannelOutage,
    Message,
    MessageRefusal,
    SendResult,
)
from complaints.outbound.mail import Mail, MailOutcome, send_mail
from complaints.use_cases.mail_account import MailAccount


@dataclass(frozen=True, slots=True)
class MailChannel:
    """Sends messages by the mail server of `account`."""

    account: MailAccount
    wall: Callable[[], datetime]

    def send(self, message: Message) -> SendResult:
        """Send a message. The id of a mail follows from the id of its message, so a repetition has the same."""
        result = send_mail(self.account, self._mail(message))
        answer = f"{result.code} {result.answer}" if result.code else result.answer
        if result.outcome is MailOutcome.ACCEPTED:
            return Acceptance(self._message_id(message))
        if result.outcome is MailOutcome.REFUSED:
            return MessageRefusal(answer)
        return ChannelOutage(answer)

    def _mail(self, message: Message) -> Mail:
        return Mail(
            to=message.address,
            subject=message.title,
            text=message.text,
            html=message.html,
            message_id=self._message_id(message),
            sent_at=self.wall(),
            language=message.language,
            reply_to=message.reply_to,
            return_path=message.return_path,
            in_reply_to=message.in_reply_to,
        )

    def _message_id(self, message: Message) -> str:
        return f"{message.id}@{self.account.sender.domain}"
