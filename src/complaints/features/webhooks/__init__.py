"""Webhooks: other systems subscribe to the history. Each change is sent to them, signed, in order, at least once."""
