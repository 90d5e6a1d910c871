"""What the annex declares."""

from complaints.api.feature import Feature
from complaints.features.notifications import use_cases
from complaints.features.notifications.mailbox.tables import metadata

FEATURE = Feature(name=use_cases.NAME, tables=metadata)
