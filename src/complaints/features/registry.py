"""The list of the annexes: one line each. No other module imports an annex."""

from complaints.api.feature import Feature
from complaints.features.webhooks.feature import FEATURE as WEBHOOKS

FEATURES: tuple[Feature, ...] = (WEBHOOKS,)
