"""The list of the annexes: one line each. No other module imports an annex."""

from complaints.api.feature import Feature
from complaints.features.complainant_page.feature import FEATURE as COMPLAINANT_PAGE
from complaints.features.exports.feature import FEATURE as EXPORTS
from complaints.features.notifications.feature import FEATURE as NOTIFICATIONS

FEATURES: tuple[Feature, ...] = (NOTIFICATIONS, EXPORTS, COMPLAINANT_PAGE)
