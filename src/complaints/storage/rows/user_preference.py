"""The preferences of users for the console."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Boolean, Column, ForeignKey, String, Table, select

from complaints.storage.database.transactions import Transaction
from complaints.storage.database.types import metadata
from complaints.storage.database.upsert import insert_or_update

user_preference = Table(
    "user_preference",
    metadata,
    Column("login", ForeignKey("user_account.login"), primary_key=True),
    Column("language", String(8)),
    Column("zone", String(64)),
    Column("theme", String(8)),
    Column("single_keys", Boolean),
)
p = user_preference.c


@dataclass(frozen=True, slots=True)
class UserPreference:
    """The preferences of a user. None: the browser decides.

    `language` is a tag, `zone` a name of the IANA list, `theme` is `light` or `dark`. With `single_keys` False, no
    key without Ctrl or Command does anything outside fields.
    """

    language: str | None = None
    zone: str | None = None
    theme: str | None = None
    single_keys: bool = True


def find_preference(tx: Transaction, login: str) -> UserPreference:
    """The preferences of a user."""
    row = tx.connection.execute(
        select(p.language, p.zone, p.theme, p.single_keys).where(p.login == login)
    ).first()
    if row is None:
        return UserPreference()
    return UserPreference(row.language, row.zone, row.theme, row.single_keys is not False)


def write_preference(tx: Transaction, login: str, values: dict[str, Any]) -> None:
    """Change some preferences of a user. The others stay."""
    insert_or_update(tx, user_preference, {"login": login, **values})
