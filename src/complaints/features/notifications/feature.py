"""What the annex declares."""

from complaints.api.feature import Feature, FeatureLoop
from complaints.features.notifications import following, outlets, tables, use_cases
from complaints.features.notifications.mailbox import polling
from complaints.features.notifications.settings import NotificationSettings

FEATURE = Feature(
    name=use_cases.NAME,
    tables=tables.metadata,
    settings=NotificationSettings,
    loops=(
        FeatureLoop("follow", following.follow_history, seconds=1, needs_annexes=True),
        FeatureLoop("mail", outlets.send_mails, seconds=1, needs_annexes=True),
        FeatureLoop("sms", outlets.send_sms, seconds=1, needs_annexes=True),
        FeatureLoop("mailbox", polling.take_from_mailbox, seconds=15),
        FeatureLoop("robots", outlets.send_to_robots, seconds=1, needs_annexes=True),
    ),
)
