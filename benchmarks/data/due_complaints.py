"""Complaints whose first response falls due at a time that a benchmark chooses, made by the engine itself.

Many complaints at one time are copies of a few prototypes. Every id of a prototype ends in one marker. A copy is the
same row with another marker in its ids, in its texts and in the JSON of its history. Then its digests are computed.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from benchmarks.data import samples
from benchmarks.data.table_copies import columns_of
from benchmarks.databases import plain_url
from benchmarks.errors import CannotMeasure
from complaints import wiring
from complaints.domain.complaint.facts import Complaint
from complaints.domain.complaint.history import canonical
from complaints.domain.complaint.numbers import number_of
from complaints.domain.complaint.search_terms import index_terms
from complaints.domain.errors import ComplaintError
from complaints.domain.json_text import to_json
from complaints.domain.vocabulary import DeadlineKind
from complaints.storage.database.connections import open_engine
from complaints.storage.database.transactions import Database
from complaints.use_cases.access import SYSTEM
from complaints.use_cases.commands.complaints import CreateComplaint
from complaints.use_cases.complaints.intake import register
from complaints.use_cases.complaints.intake_checks import IntakeRequest
from complaints.use_cases.service import Service

_BATCH = 250
_PROTOTYPES = 500
_MARKER = "c0ffee000000"
_MARGIN = timedelta(seconds=3)
_PATIENCE = 3
_BEFORE_DUE = timedelta(hours=1)
_FIRST_SEQUENCE = 1_000_000  # no other number in a history is as large
_TEXTS = {"text", "varchar", "json", "jsonb", "tsvector"}
# The columns that distinguish the copies, in tables with a number as primary key.
_NUMBERED = {("complaint", "sequence"), ("complaint_search", "sequence")}
_COPIED = ("complaint", "complaint_tag", "complaint_external_id", "party", "deadline", "escalation",
           "escalation_recipient", "complaint_search", "event_text")  # fmt: skip


@contextmanager
def _service(url: str, now: datetime | None, *, marked: bool = False) -> Iterator[Service]:
    """The engine on a migrated database. `now` stops its clock; with `marked` its ids end in the marker."""
    clock = (lambda _: now) if now else wiring.wall_clock
    numbers = count(1)
    new_id = (lambda: UUID(f"{next(numbers):08x}-0000-7000-8000-{_MARKER}")) if marked else wiring.new_id
    database = Database(open_engine(url), clock)
    try:
        yield Service(database, new_id)
    finally:
        database.engine.dispose()


def _post(service: Service, received: Sequence[datetime], *, mark: str) -> list[Complaint]:
    """Make complaints received at these instants. Their external ids contain `mark`."""
    bodies = samples.complaints(mark="")
    made: list[Complaint] = []
    for start in range(0, len(received), _BATCH):
        commands = [
            CreateComplaint.model_validate(
                {
                    **body,
                    "received_at": at,
                    "external_id": f"{mark}-{n}",
                    "complainant": _person(body, n, mark),
                }
            )
            for n, (at, body) in enumerate(zip(received[start : start + _BATCH], bodies, strict=False), start)
        ]
        made += service.write(partial(_register, service, commands=commands))
    return made


def _person(body: dict[str, Any], n: int, mark: str) -> dict[str, Any]:
    # Without the marker: the copies of a complaint have the same person, whose digest stands in the history.
    return {**body["complainant"], "phone": f"139{n:08d}", "account_no": f"{mark.replace(_MARKER, '')}-{n}"}


def _register(service: Service, tx: Any, *, commands: list[CreateComplaint]) -> list[Complaint]:
    made = []
    for outcome in register(service, tx, [IntakeRequest(SYSTEM, command) for command in commands]):
        if isinstance(outcome, ComplaintError):
            raise CannotMeasure(f"A complaint of the benchmark's data was refused: {outcome.detail}")
        made.append(outcome.complaint)
    return made


def _first_due(complaint: Complaint) -> datetime:
    return next(d.due_at for d in complaint.deadlines if d.kind is DeadlineKind.FIRST_RESPONSE)


def _response_time(service: Service) -> timedelta:
    """The time from receipt to the due time of the first response. Its sample complaint stays in the database."""
    now = service.read(lambda tx: tx.now)
    [complaint] = _post(service, [now], mark=f"sample-{_MARKER}-{now.timestamp()}")
    return _first_due(complaint) - now


def make_due(url: str, wanted: int, per_second: float) -> list[datetime]:
    """Make complaints whose first responses soon fall due one after the other; the due times.

    The first due time depends on how long the complaints take to make. Raises CannotMeasure if they take much longer.
    """
    with _service(url, None) as service:
        response_time = _response_time(service)
        began = service.read(lambda tx: tx.now)
        tried = min(wanted, _BATCH)
        _post(service, [began] * tried, mark="tried")
        took = service.read(lambda tx: tx.now) - began
        start = began + took + _MARGIN + _PATIENCE * took * (wanted / tried)
        due = [start + timedelta(seconds=n / per_second) for n in range(wanted)]
        made = _post(service, [at - response_time for at in due], mark="due")
        if service.read(lambda tx: tx.now) >= start:
            raise CannotMeasure("The data took longer to make than there was time before the first fell due.")
    if [_first_due(complaint) for complaint in made] != due:
        raise CannotMeasure("The policy does not count the time to the first response in elapsed hours.")
    return due


def make_many_due(url: str, due_at: datetime, wanted: int, *, prototypes: int = _PROTOTYPES) -> int:
    """Make `wanted` complaints, or a few more, whose first response falls due at one instant; their number."""
    prototypes = min(wanted, prototypes)
    with psycopg.connect(plain_url(url)) as connection:
        connection.execute("SELECT setval('complaint_sequence', %s)", [_FIRST_SEQUENCE])
    with _service(url, due_at - _BEFORE_DUE, marked=True) as service:
        response_time = _response_time(service)
        made = _post(service, [due_at - response_time] * prototypes, mark=f"due-{_MARKER}")
    if {_first_due(complaint) for complaint in made} != {due_at}:
        raise CannotMeasure("The policy does not count the time to the first response in elapsed hours.")
    copies = -(-wanted // prototypes) - 1
    if copies:
        with psycopg.connect(plain_url(url)) as connection:
            _copy(connection, made, copies)
        with psycopg.connect(plain_url(url), autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
    return prototypes * (copies + 1)


# Copies ------------------------------------------------------------------------------------------------------------


def _copy(connection: "psycopg.Connection[Any]", made: Sequence[Complaint], copies: int) -> None:
    """Copy every row of the prototypes `copies` times."""
    connection.execute("SET LOCAL synchronous_commit = off")
    connection.execute("CREATE TEMP TABLE prototype (id uuid PRIMARY KEY, sequence bigint) ON COMMIT DROP")
    with connection.cursor() as cursor, cursor.copy("COPY prototype FROM STDIN") as rows:
        for complaint in made:
            rows.write_row((complaint.id, complaint.sequence))
    for table in _COPIED:
        connection.execute(_copying(connection, table), {"copies": copies, "step": len(made)})
    _number_terms(connection, made, copies)
    _copy_history(connection, copies, len(made))
    connection.execute("SELECT setval('complaint_sequence', (SELECT max(sequence) FROM complaint))")


def _copying(connection: "psycopg.Connection[Any]", table: str) -> sql.Composed:
    columns = columns_of(connection, table)
    return sql.SQL("INSERT INTO {table} ({names}) SELECT {values} FROM {table} t {which}").format(
        table=sql.Identifier(table),
        names=sql.SQL(", ").join(sql.Identifier(name) for name, _ in columns),
        values=sql.SQL(", ").join(_copied(table, name, kind) for name, kind in columns),
        which=sql.SQL(_WHICH[table] if table in _WHICH else _WHICH["*"]),
    )


_COPIES = "CROSS JOIN generate_series(1, %(copies)s) k"
_WHICH = {
    "*": f"JOIN prototype p ON p.id = t.complaint_id {_COPIES}",
    "complaint": f"JOIN prototype p ON p.id = t.id {_COPIES}",
    "complaint_search": f"JOIN prototype p ON p.sequence = t.sequence {_COPIES}",
    "escalation_recipient": "JOIN escalation e ON e.id = t.escalation_id"
    f" JOIN prototype p ON p.id = e.complaint_id {_COPIES}",
}
_NEW_MARKER = f"'{_MARKER[:6]}' || lpad(to_hex(k), 6, '0')"


def _copied(table: str, name: str, kind: str) -> sql.Composable:
    """The value of a column in copy `k`."""
    column = sql.SQL("t.{}").format(sql.Identifier(name))
    if (table, name) in _NUMBERED:
        return column + sql.SQL(" + k * %(step)s")
    if kind != "uuid" and kind not in _TEXTS:
        return column
    return sql.SQL("replace({}::text, {}, {})::{}").format(
        column, sql.Literal(_MARKER), sql.SQL(_NEW_MARKER), sql.Identifier(kind)
    )


def _number_terms(connection: "psycopg.Connection[Any]", made: Sequence[Complaint], copies: int) -> None:
    """Let each copy be found by its own number, not by the number of its prototype."""
    connection.execute(
        "CREATE TEMP TABLE number_term (sequence bigint PRIMARY KEY, old text, new text) ON COMMIT DROP"
    )
    with connection.cursor() as cursor, cursor.copy("COPY number_term FROM STDIN") as rows:
        for complaint in made:
            [old] = index_terms(number_of(complaint.sequence))
            for k in range(1, copies + 1):
                sequence = complaint.sequence + k * len(made)
                rows.write_row((sequence, old, *index_terms(number_of(sequence))))
    connection.execute(
        "UPDATE complaint_search s SET terms = ts_delete(s.terms, n.old) || array_to_tsvector(ARRAY[n.new])"
        " FROM (SELECT sequence, old, new FROM number_term) n WHERE n.sequence = s.sequence"
    )


def _copy_history(connection: "psycopg.Connection[Any]", copies: int, step: int) -> None:
    """Copy the events, ordinal by ordinal: each digest covers the digest before it (`domain.complaint.history`)."""
    connection.execute("CREATE TEMP TABLE head (id uuid PRIMARY KEY, head text) ON COMMIT DROP")
    events = connection.execute(
        "SELECT e.id, e.ordinal, e.type, e.version, e.at, e.actor FROM event e"
        " JOIN prototype p ON p.id = e.complaint_id"
    ).fetchall()
    with connection.cursor() as cursor, cursor.copy("COPY head FROM STDIN") as rows:
        for event_id, ordinal, kind, version, at, actor in events:
            head = {"ordinal": ordinal, "type": kind, "version": version, "at": to_json(at), "actor": actor}
            rows.write_row((event_id, canonical(head)))
    for ordinal in range(1, max(event[1] for event in events) + 1):
        connection.execute(
            _HISTORY, {"copies": copies, "step": step, "ordinal": ordinal, "genesis": bytes(32)}
        )
    connection.execute(_TIPS)


def _marked(column: str) -> str:
    return f"replace({column}::text, '{_MARKER}', {_NEW_MARKER})"


def _sequence_text(sequence: str) -> str:
    return f"""'"sequence":' || ({sequence}) || ','"""


# The data of an event, with the ids of this copy, and with its sequence if the data has one.
_DATA = f"replace({_marked('t.data')}, {_sequence_text('p.sequence')}, {_sequence_text('p.sequence + k * %(step)s')})"
_HISTORY = f"""
INSERT INTO event (id, complaint_id, ordinal, version, type, at, actor, data, digest)
SELECT {_marked("t.id")}::uuid, {_marked("t.complaint_id")}::uuid, t.ordinal, t.version, t.type, t.at, t.actor,
       {_DATA},
       sha256(coalesce(b.digest, %(genesis)s) || convert_to(h.head || E'\\n' || {_DATA}, 'UTF8'))
FROM event t JOIN prototype p ON p.id = t.complaint_id JOIN head h ON h.id = t.id {_COPIES}
LEFT JOIN event b ON b.complaint_id = {_marked("t.complaint_id")}::uuid AND b.ordinal = t.ordinal - 1
WHERE t.ordinal = %(ordinal)s
"""
_TIPS = """
UPDATE complaint c SET history_digest = e.digest FROM event e
WHERE e.complaint_id = c.id AND e.ordinal = c.history_count AND e.digest <> c.history_digest
"""
