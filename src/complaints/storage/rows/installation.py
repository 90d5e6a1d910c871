"""The secret of the installation, one random value. The migration that makes the table makes it too."""

from sqlalchemy import CheckConstraint, Column, LargeBinary, SmallInteger, Table, select

from complaints.storage.database.transactions import Transaction
from complaints.storage.database.types import metadata

installation = Table(
    "installation",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("secret", LargeBinary(32), nullable=False),
    CheckConstraint("id = 1", name="one_row"),
)


def load_secret(tx: Transaction) -> bytes:
    """The secret with which texts are digested. No answer and no log line shows it."""
    secret: bytes = tx.connection.execute(select(installation.c.secret)).scalar_one()
    return secret
