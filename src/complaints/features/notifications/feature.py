"""What the annex declares."""

from complaints.api.feature import Feature
from complaints.features.notifications import tables, use_cases

FEATURE = Feature(name=use_cases.NAME, tables=tables.metadata)
