"""The preferences of a user for the console: language, zone, theme and single keys."""

from complaints.storage.database.transactions import Transaction
from complaints.storage.rows.user_preference import UserPreference as UserPreference
from complaints.storage.rows.user_preference import find_preference


def load_preference(tx: Transaction, login: str) -> UserPreference:
    """The preferences of a user; those of the browser hold where there is none."""
    return find_preference(tx, login)
