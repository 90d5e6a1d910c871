"""The account that mails are sent by."""

from complaints.settings import Settings
from complaints.use_cases.mail_account import MailAccount
from complaints.wiring.not_ready import NotReady


def read_mail_account(settings: Settings) -> MailAccount | None:
    """The account that mails are sent by; None without COMPLAINTS_SMTP_URL. Raises NotReady."""
    if settings.smtp_url is None:
        return None
    if not settings.mail_from:
        raise NotReady("COMPLAINTS_MAIL_FROM is missing: mails need a sender.")
    try:
        return MailAccount.parse(
            settings.smtp_url.get_secret_value(), settings.mail_from, settings.mail_reply_to
        )
    except ValueError as error:
        raise NotReady(
            f"COMPLAINTS_SMTP_URL, COMPLAINTS_MAIL_FROM or COMPLAINTS_MAIL_REPLY_TO: {error}."
        ) from error
