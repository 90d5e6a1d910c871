"""Subscriptions to events in the form of TMF621. They are webhooks."""
