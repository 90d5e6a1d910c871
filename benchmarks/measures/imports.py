"""Bulk import: complaints a second by the engine's import, beside COPY of the rows it wrote."""

import json
import time
from collections.abc import Mapping
from datetime import timedelta
from itertools import islice
from typing import Any
from uuid import uuid4

import psycopg

from benchmarks.context import BenchContext
from benchmarks.data import samples
from benchmarks.data.table_copies import columns_of, copy_in, copy_out, make_copies, row_counts
from benchmarks.databases import plain_url, server_cpu_seconds
from benchmarks.errors import CannotMeasure
from benchmarks.measures.measure import Cost, Measurement, Row
from benchmarks.processes import migrate
from complaints import wiring
from complaints.domain.importing.import_file import NDJSON
from complaints.storage.database.connections import open_engine
from complaints.storage.database.transactions import Database
from complaints.use_cases.access import SYSTEM
from complaints.use_cases.importing import uploads
from complaints.use_cases.service import Service

_COPIES = "bench_copies"
_PASSED_OVER = {"import_job"}  # the file itself, which the limit has no part in
# Received over the last hours, and before the first reminder: a step on record would be no import's work.
_OVER = timedelta(hours=6)


def measure_import(context: BenchContext) -> Measurement:
    """Import a file on a new database, then COPY what that wrote into empty tables like those it went to."""
    rows = context.options["rows"]
    with context.own_database() as url:
        migrate(context.new_directory(), url)
        with psycopg.connect(plain_url(url)) as connection:
            before = row_counts(connection)
        content = _file(rows)
        seconds, details = _import(url, content, rows)
        with psycopg.connect(plain_url(url)) as connection:
            counts = row_counts(connection)
            written = {name: count - before[name] for name, count in counts.items() if count > before[name]}
            copy_seconds = _copy(connection, [name for name in written if name not in _PASSED_OVER])
    details |= {"rows_written": written, "copy_seconds": copy_seconds}
    return Measurement(rows / seconds, rows / copy_seconds, details)


def _file(rows: int) -> bytes:
    """NDJSON, one complaint a line."""
    now, mark = wiring.wall_now(), uuid4().hex[:8]
    lines = []
    for n, body in enumerate(islice(samples.complaints(mark=mark), rows)):
        at = now - _OVER * (n / rows)
        person = {**body["complainant"], "phone": f"137{n:08d}"}
        complaint = {
            **body,
            "external_id": f"{mark}-{n}",
            "received_at": at.isoformat(),
            "complainant": person,
        }
        lines.append(json.dumps(complaint, ensure_ascii=False))
    return ("\n".join(lines) + "\n").encode()


def _import(url: str, content: bytes, rows: int) -> tuple[float, dict[str, Any]]:
    """From the file's arrival to its last row; the engine works in this process, as in a worker's."""
    database = Database(open_engine(url), wiring.wall_clock)
    service = Service(database, wiring.new_id)
    request = uploads.ImportRequest(content, NDJSON, None, ())
    cpu, database_cpu, started = time.process_time(), server_cpu_seconds(url), time.perf_counter()
    checked = uploads.check_file(SYSTEM, request)
    job = service.write(lambda tx: uploads.start_import(service, tx, SYSTEM, checked))
    wiring.open_import_worker(service).work_on(job.id)
    seconds = time.perf_counter() - started
    cpu, database_cpu = time.process_time() - cpu, server_cpu_seconds(url) - database_cpu
    done = service.read(lambda tx: uploads.load_import(tx, SYSTEM, job.id))
    database.engine.dispose()
    if done.accepted != rows:
        raise CannotMeasure(f"Of {rows} rows, {done.accepted} were imported, {done.failed} failed.")
    return seconds, {
        "import_seconds": seconds,
        "cpu_ms_per_complaint": round(1000 * cpu / rows, 3),
        "database_cpu_ms_per_complaint": round(1000 * database_cpu / rows, 3),
    }


def _copy(connection: "psycopg.Connection[Any]", tables: list[str]) -> float:
    """The seconds that COPY takes to write the rows of these tables into copies of them, commit included."""
    columns = {table: [name for name, _ in columns_of(connection, table)] for table in tables}
    blocks = {table: copy_out(connection, table, columns[table]) for table in tables}
    make_copies(connection, _COPIES, tables)
    connection.commit()
    started = time.perf_counter()
    for table in tables:
        copy_in(connection, _COPIES, table, columns[table], blocks[table])
    connection.commit()
    return time.perf_counter() - started


def _cpu_of_complaint(details: Mapping[str, Any]) -> float:
    return float(details["cpu_ms_per_complaint"] + details["database_cpu_ms_per_complaint"])


IMPORT = Row(
    name="import",
    measures="bulk import of NDJSON on PostgreSQL, beside COPY of the rows it wrote",
    unit="complaints/s",
    floor=0.30,
    aim=0.45,
    measure=measure_import,
    options={"rows": 20_000},
    cost=Cost("processor time of a complaint, worker and database", "ms", _cpu_of_complaint),
)
