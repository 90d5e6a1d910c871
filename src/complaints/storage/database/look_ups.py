"""Look-ups: questions that do not depend on each other. PostgreSQL gets them in one statement, so in one round trip."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Generic, TypeVar

from complaints.domain.json_text import encode
from complaints.storage.database.transactions import Transaction

Found = TypeVar("Found")
Rows = Sequence[Sequence[Any]]


@dataclass(frozen=True, slots=True)
class LookUp(Generic[Found]):
    """A question about the items of `asked`.

    `statements` has its SELECT by the name of the database. The only parameter of the SELECT is `asked` as JSON, and
    each of its columns has a name of its own. `read` makes the result from the rows. Their values have the forms that
    JSON has: an id and an instant are texts.
    """

    statements: Mapping[str, str]
    asked: Sequence[Any]
    read: Callable[[Rows], Found]


def instant_text(instant: datetime) -> str:
    """An instant as both databases compare it: in UTC, with six digits of the second."""
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


def read_instant(text: str) -> datetime:
    """The instant of a row, in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def look_up(tx: Transaction, question: LookUp[Found]) -> Found:
    """The result of one look-up."""
    found: Found = look_up_together(tx, question)[0]
    return found


def look_up_together(tx: Transaction, *questions: LookUp[Any]) -> list[Any]:
    """The result of each look-up. One that asks about nothing is not sent."""
    sent = [question for question in questions if question.asked]
    rows = dict(zip(map(id, sent), _find_rows(tx, sent), strict=True)) if sent else {}
    return [question.read(rows.get(id(question), ())) for question in questions]


def _find_rows(tx: Transaction, questions: Sequence[LookUp[Any]]) -> Sequence[Rows]:
    database = tx.connection.dialect.name
    statements = tuple(question.statements[database] for question in questions)
    asked = tuple(encode(question.asked).decode() for question in questions)
    if database == "postgresql":
        found = tx.connection.exec_driver_sql(_joined(statements), asked).one()
        return [[tuple(row.values()) for row in rows or ()] for rows in found]
    run = tx.connection.exec_driver_sql
    return [run(one, (values,)).all() for one, values in zip(statements, asked, strict=True)]


@lru_cache(maxsize=64)
def _joined(statements: tuple[str, ...]) -> str:
    """One SELECT with a column for each statement: its rows, as an array of JSON objects."""
    columns = (
        f"(SELECT json_agg(found) FROM ({statement}) AS found)"  # noqa: S608 - statements of ours
        for statement in statements
    )
    return f"SELECT {', '.join(columns)}"
