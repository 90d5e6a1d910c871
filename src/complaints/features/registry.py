"""The list of the annexes: one line each. No other module imports an annex."""

from complaints.api.feature import Feature
from complaints.features.exports.feature import FEATURE as EXPORTS

FEATURES: tuple[Feature, ...] = (EXPORTS,)
