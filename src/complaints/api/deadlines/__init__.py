"""Routes of deadlines, escalations, follow-ups and the deadline calculator."""
