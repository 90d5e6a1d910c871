"""The loop that reads the mailbox of the settings."""

from complaints.features.notifications.settings import NotificationSettings
from complaints.use_cases.mail_account import MailboxAccount
from complaints.use_cases.service import Service


def take_from_mailbox(service: Service, settings: NotificationSettings) -> int:
    """Take the next mails, if there is a mailbox. Returns how many were taken."""
    if settings.mailbox_url is None:
        return 0
    # Most installations read no mailbox, and the libraries take time to load.
    from complaints.features.notifications.mailbox.taking import MailboxOptions, take_mails

    options = MailboxOptions(
        MailboxAccount.parse(settings.mailbox_url.get_secret_value()),
        settings.mailbox_source,
        settings.mailbox_bytes,
        settings.mailbox_quarantine,
    )
    return take_mails(service, options)
