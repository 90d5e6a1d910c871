"""Writes the reference data of a fresh database."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import insert, select

from complaints.domain.vocabulary import AccessRole
from complaints.storage.database.transactions import Transaction
from complaints.storage.database.upsert import insert_if_absent
from complaints.storage.rows import configuration


def try_claim(tx: Transaction) -> bool:
    """Begin to fill a fresh database: write the first version of the reference data. Returns False if it was filled.

    If another process is filling the database, this call waits for it.
    """
    return insert_if_absent(tx, configuration.reference_version, {"id": 1, "version": 1})


def is_seeded(tx: Transaction) -> bool:
    """True if the database was filled."""
    return tx.connection.execute(select(configuration.reference_version.c.id)).first() is not None


def insert_staff(
    tx: Transaction,
    *,
    login: str,
    name: str,
    departments: Sequence[dict[str, Any]],
    teams: Sequence[dict[str, Any]],
) -> None:
    """Write one user who heads every department and leads every team."""
    tx.connection.execute(
        insert(configuration.user_account).values(
            login=login, name=name, active=True, roles=[AccessRole.ADMIN]
        )
    )
    for department in departments:  # row by row: a parent comes before its children
        tx.connection.execute(insert(configuration.department).values(**department, head=login))
    tx.connection.execute(
        insert(configuration.team), [{**team, "lead": login, "active": True} for team in teams]
    )


def insert_categories(tx: Transaction, categories: Sequence[dict[str, Any]]) -> None:
    """Write categories. Parents come before their children."""
    tx.connection.execute(insert(configuration.category), list(categories))
