"""The tables of webhooks: subscriptions, deliveries and attempts. No message is stored."""

from typing import Any

from complaints.storage.database.types import new_metadata

metadata = new_metadata()
Values = dict[str, Any]
