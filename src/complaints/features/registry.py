"""The list of the annexes: one line each. No other module imports an annex."""

from complaints.api.feature import Feature
from complaints.features.complainant_page.feature import FEATURE as COMPLAINANT_PAGE
from complaints.features.exports.feature import FEATURE as EXPORTS
from complaints.features.notifications.feature import FEATURE as NOTIFICATIONS
from complaints.features.reports.feature import FEATURE as REPORTS
from complaints.features.webhooks.feature import FEATURE as WEBHOOKS

FEATURES: tuple[Feature, ...] = (NOTIFICATIONS, WEBHOOKS, EXPORTS, REPORTS, COMPLAINANT_PAGE)
