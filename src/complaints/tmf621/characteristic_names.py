"""The names of the characteristics that the product itself reads or writes."""

STATE, NUMBER = "complaintState", "complaintNumber"
OUTCOME, ROOT_CAUSE = "outcome", "root_cause"
CONTACT_CHANNEL, HOLD_UNTIL, REJECT_REASON = "contact_channel", "hold_until", "reject_reason"
READ_ONLY = (STATE, NUMBER)
"""Characteristics that the product writes."""
CARRIED = (OUTCOME, ROOT_CAUSE, CONTACT_CHANNEL, HOLD_UNTIL, REJECT_REASON)
"""Characteristics that actions carry. No attribute has such a name in a ticket."""
