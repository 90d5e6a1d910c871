"""The list of the annexes: one line each. No other module imports an annex."""

from complaints.api.feature import Feature

FEATURES: tuple[Feature, ...] = ()
