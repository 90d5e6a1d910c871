"""What the annex declares."""

from complaints.api.feature import Feature, FeatureLoop
from complaints.features.notifications import following, outlets, use_cases
from complaints.features.notifications.mailbox.tables import metadata
from complaints.features.notifications.settings import NotificationSettings

FEATURE = Feature(
    name=use_cases.NAME,
    tables=metadata,
    settings=NotificationSettings,
    loops=(
        FeatureLoop("follow", following.follow_history, seconds=1, needs_annexes=True),
        FeatureLoop("mail", outlets.send_mails, seconds=1, needs_annexes=True),
        FeatureLoop("sms", outlets.send_sms, seconds=1, needs_annexes=True),
        FeatureLoop("robots", outlets.send_to_robots, seconds=1, needs_annexes=True),
    ),
)
