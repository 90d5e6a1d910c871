"""The preferences of a user for the console: language, zone, theme and single keys."""

from complaints.storage.database.transactions import Transaction
from complaints.storage.rows.user_preference import UserPreference as UserPreference
from complaints.storage.rows.user_preference import find_preference, write_preference
from complaints.use_cases.commands.work import ChangePreference


def load_preference(tx: Transaction, login: str) -> UserPreference:
    """The preferences of a user; those of the browser hold where there is none."""
    return find_preference(tx, login)


def change_preference(tx: Transaction, login: str, command: ChangePreference) -> None:
    """Change the given members of the preferences of a user; a member that is None leaves the choice to the browser."""
    if command.model_fields_set:
        write_preference(tx, login, command.model_dump(exclude_unset=True))
