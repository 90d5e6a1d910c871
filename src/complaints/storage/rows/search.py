"""Full text: the words and Chinese bigrams of each complaint, in a tsvector with GIN index or an FTS5 table.

Terms of persons stand beside the terms of texts, with a mark that tells them apart.

`domain.complaint.search_terms` makes the same terms for both databases; their own parsers are not used. Only
a migration makes the table, because its form differs between the databases.
"""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import (
    ARRAY,
    CTE,
    BigInteger,
    Column,
    Integer,
    MetaData,
    Table,
    Text,
    any_,
    bindparam,
    cast,
    column,
    func,
    literal_column,
    select,
    table,
)
from sqlalchemy.dialects.postgresql import TSQUERY, TSVECTOR
from sqlalchemy.sql.elements import ColumnElement

from complaints.domain.complaint.search_terms import QueryPart, Term
from complaints.domain.json_text import encode
from complaints.storage.database.bulk import Inserts
from complaints.storage.database.transactions import Transaction
from complaints.storage.database.types import Serial
from complaints.storage.rows.complaint import complaint

_search = Table("complaint_search", MetaData(), Column("sequence", Serial), Column("terms", TSVECTOR))
_fts = table("complaint_search", column("rowid", Integer))

_WRITE = {
    "postgresql": "INSERT INTO complaint_search (sequence, terms) SELECT sequence, array_to_tsvector(terms)"
    " FROM json_to_recordset(%s) AS indexed(sequence bigint, terms text[])"
    " ON CONFLICT (sequence) DO UPDATE SET terms = excluded.terms",
    "sqlite": "INSERT OR REPLACE INTO complaint_search (rowid, terms) VALUES (?, ?)",
}


def index_terms(tx: Transaction, inserts: Inserts, indexed: Sequence[tuple[int, Sequence[str]]]) -> None:
    """Index the terms of complaints, which are named by their sequence."""
    if not indexed:
        return
    rows: Any = [(sequence, " ".join(terms)) for sequence, terms in indexed]
    if tx.connection.dialect.name == "postgresql":
        rows = encode([{"sequence": s, "terms": terms} for s, terms in indexed]).decode()
    inserts.add_statement(_WRITE[tx.connection.dialect.name], rows)


def find_terms(tx: Transaction, sequences: Collection[int]) -> dict[int, set[str]]:
    """The indexed terms of complaints, by sequence."""
    if tx.connection.dialect.name == "postgresql":
        statement = "SELECT sequence, tsvector_to_array(terms) FROM complaint_search WHERE sequence = ANY(%s)"
        return {
            key: set(terms) for key, terms in tx.connection.exec_driver_sql(statement, (list(sequences),))
        }
    statement = "SELECT rowid, terms FROM complaint_search WHERE rowid IN (SELECT value FROM json_each(?))"
    found = tx.connection.exec_driver_sql(statement, (encode(list(sequences)).decode(),))
    return {key: set(terms.split(" ")) - {""} for key, terms in found}


def matches(tx: Transaction, parts: Sequence[QueryPart]) -> ColumnElement[bool]:
    """The condition that a complaint fits all `parts` of a query. The planner chooses the way to its rows."""
    key, found = _index(tx, parts)
    return complaint.c.sequence.in_(select(key).where(found))


def find_matching(tx: Transaction, parts: Sequence[QueryPart], *, most: int) -> str | None:
    """The sequences of complaints that fit all `parts`, in one text for `is_listed`. None: more than `most` fit.

    Nothing but the full-text index can serve this statement, so the planner has no choice. The numbers stay as the
    database writes them: to read thousands of them takes longer than to find them.
    """
    key, found = _index(tx, parts)
    few = select(key).where(found).limit(literal_column(str(most + 1))).subquery()
    listed: ColumnElement[str] = func.json_group_array(few.c[0])
    if tx.connection.dialect.name == "postgresql":
        listed = func.coalesce(cast(func.array_agg(few.c[0]), Text), "{}")
    count, numbers = tx.connection.execute(select(func.count(), listed).select_from(few)).one()
    return None if count > most else numbers


def is_listed(tx: Transaction, listed: str) -> ColumnElement[bool]:
    """The condition that a complaint is one of those in a text of `find_matching`."""
    if tx.connection.dialect.name == "postgresql":
        return complaint.c.sequence == any_(cast(bindparam(None, listed, Text()), ARRAY(BigInteger)))
    return complaint.c.sequence.in_(select(column("value")).select_from(func.json_each(listed)))


def matches_among(tx: Transaction, parts: Sequence[QueryPart], some: CTE) -> ColumnElement[bool]:
    """The condition that a row of `some`, which has a column `sequence`, fits all `parts`.

    PostgreSQL looks up each row by its key. FTS5 is slow at that, but reads a range of keys fast.
    """
    key, found = _index(tx, parts)
    if tx.connection.dialect.name == "postgresql":
        return select(found).where(key == some.c.sequence).scalar_subquery()
    first, last = (select(end(some.c.sequence)).scalar_subquery() for end in (func.min, func.max))
    return some.c.sequence.in_(select(key).where(found, key.between(first, last)))


def _index(tx: Transaction, parts: Sequence[QueryPart]) -> tuple[ColumnElement[int], ColumnElement[bool]]:
    """The key of the full-text index, and the condition that an entry fits all `parts`."""
    if tx.connection.dialect.name == "postgresql":
        # A cast to tsquery takes quoted lexemes unchanged; no parser splits them.
        query = _written(parts, quote="'", prefix=":*", both=" & ", either=" | ")
        # A literal: a prepared plan does not know the words, so it takes them for frequent ones and scans the table.
        literal = bindparam("terms", query, type_=Text(), literal_execute=True)
        return _search.c.sequence, _search.c.terms.op("@@")(cast(literal, TSQUERY))
    query = _written(parts, quote='"', prefix="*", both=" AND ", either=" OR ")
    return _fts.c.rowid, literal_column("complaint_search").op("MATCH")(query)


def _written(parts: Sequence[QueryPart], *, quote: str, prefix: str, both: str, either: str) -> str:
    """The query in the language of a database."""

    def word(term: Term) -> str:
        return quote + term.text.replace(quote, quote * 2) + quote + (prefix if term.prefix else "")

    def part(one: QueryPart) -> str:
        if isinstance(one, Term):
            return word(one)
        return f"({either.join(f'({both.join(map(word, terms))})' for terms in one.alternatives if terms)})"

    return both.join(map(part, parts))
