"""Imports that run to their end: which rows they keep, which they only count, and how they go on after a stop."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Table, func, select, update

from complaints.domain.importing import files, separators
from complaints.domain.importing.import_file import CSV, NDJSON
from complaints.domain.vocabulary import AccessRole
from complaints.storage.database import transactions
from complaints.storage.queries.audit import count_complaints
from complaints.storage.rows import all_tables, import_job
from complaints.storage.rows.import_job import ImportJob
from complaints.use_cases.access import SYSTEM, Caller
from complaints.use_cases.configuration import keys
from complaints.use_cases.importing import uploads as uploads_module
from complaints.use_cases.importing import worker as worker_module
from complaints.use_cases.importing.uploads import ImportRequest, check_file, list_errors, start_import
from complaints.use_cases.importing.worker import ImportWorker
from complaints.wiring import wall_now
from tests.api_client import ApiClient
from tests.support import Scenario, check_all

FILE = b"channel,subject,external_id\nphone,one,E1\nphone,two,E2\nphone,one again,E1\npigeon,three,E3\n"
REPEATED = (("repeated_ids", "accept"),)
# Ten rows of one content and no id, a blank line, a row with line breaks and a broken row.
LONG = (
    "channel,subject\n"
    + "phone,断网\n" * 5
    + '\nweb,"two\n\nlines"\n'
    + "phone,断网\n" * 5
    + "web\nweb,last\n"
)
LINES = (
    '{"channel": "web", "subject": "断网"}\n' * 5
    + "\n[\n"
    + '{"channel": "web", "subject": "last", "region": "A"}'
)


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transactions, "PAUSE_SECONDS", 0)


def _start(scenario: Scenario, request: ImportRequest, caller: Caller = SYSTEM) -> ImportJob:
    checked = check_file(caller, request)
    return scenario.service.write(lambda tx: start_import(scenario.service, tx, caller, checked))


def _errors(scenario: Scenario, client: ApiClient, job: ImportJob) -> tuple[Any, Any]:
    """The failed rows of an import, as they are stored and as the API shows them."""
    table = import_job.import_error
    stored = scenario.service.read(
        lambda tx: (
            tx.connection.execute(select(table.c.errors).where(table.c.import_id == job.id)).scalars().all()
        )
    )
    return stored, client.get(f"/v1/imports/{job.id}/errors").json()["items"]


def _find(scenario: Scenario, job: ImportJob) -> ImportJob:
    found = scenario.service.read(lambda tx: import_job.find_job(tx, job.id))
    assert found is not None
    return found


def _worker(scenario: Scenario, name: str = "one", *, chunks: int | None = None) -> ImportWorker:
    """A worker that stops after some chunks."""
    left = iter(range(chunks)) if chunks is not None else None
    return ImportWorker(
        scenario.service, name, wall_now, lambda: left is not None and next(left, None) is None
    )


def _set(scenario: Scenario, job: ImportJob, **values: Any) -> None:
    statement = update(import_job.import_job).where(import_job.j.id == job.id).values(values)
    scenario.service.write(lambda tx: tx.connection.execute(statement))


def _run(scenario: Scenario, *, dry_run: bool) -> ImportJob:
    """The import after its end."""
    job = _start(scenario, ImportRequest(FILE, CSV, None, REPEATED, dry_run))
    assert _worker(scenario).work_on(job.id)
    return _find(scenario, job)


def _count_rows(scenario: Scenario) -> dict[str, int]:
    """The number of rows in every table, apart from the tables about imports."""

    def count(table: Table) -> int:
        statement = select(func.count()).select_from(table)
        return scenario.service.read(lambda tx: tx.connection.execute(statement).scalar_one())

    tables = all_tables.metadata.sorted_tables
    return {table.name: count(table) for table in tables if not table.name.startswith("import_")}


def test_a_dry_run_keeps_no_event_and_no_row(scenario: Scenario) -> None:
    scenario.post(external_id="E2", source="system")
    before = _count_rows(scenario)

    tried = _run(scenario, dry_run=True)

    assert (tried.status, tried.done) == ("completed", 4)
    assert _count_rows(scenario) == before
    assert list(check_all(scenario.service)) == []

    taken = _run(scenario, dry_run=False)
    assert (taken.accepted, taken.duplicates, taken.failed) == (
        tried.accepted,
        tried.duplicates,
        tried.failed,
    )
    assert scenario.service.read(count_complaints) == 1 + taken.accepted


def test_all_faulty_options_are_named_at_once_as_parameters_of_the_query(client: ApiClient) -> None:
    def refused(query: str, content: str) -> dict[str, str]:
        headers = {"Content-Type": "text/csv"}
        answer = client.post(f"/v1/imports?{query}", content=content, headers=headers)
        assert answer.status_code == 422, answer.text
        errors = answer.json()["errors"]
        places = {(one["pointer"], one.get("in")) for one in errors if "parameter" in one}
        assert places == {("", "query")}
        return {one.get("parameter", ""): one["message"] for one in errors}

    rows = "Title,when\na,05-06-2026\n"
    faults = refused("map.subject=Titel&set.channel=fone&unmapped=drop", rows)
    assert [*faults] == ["unmapped", "map.subject", "set.channel"]
    assert faults["map.subject"].endswith("Did you mean 'Title'?")
    assert faults["unmapped"].startswith("unmapped: 'drop' is not one of refuse, ")
    # A format that cannot be read hides no other fault, and makes none.
    faults = refused("map.subject=Title&set.channel=fone&date_format=%25q&set.received_at=05-06-2026", rows)
    assert [*faults] == ["date_format", "set.channel"]
    # The fault of a file has no option.
    assert [*refused("unmapped=drop", "")] == ["unmapped", ""]
    assert [*refused("dry_run=perhaps", rows)] == ["dry_run"]
    # A misspelt member may be the one that lacks.
    assert [*refused("map.subjet=Title&set.channel=phone", rows)] == ["map.subjet"]
    # Without a faulty option, what is missing is named.
    assert [*refused("set.channel=phone", rows)] == ["unmapped", "map.subject"]


@pytest.mark.parametrize("by_an_older_program", [False, True])
def test_a_fault_of_a_row_has_a_pointer_and_a_message_alone(
    scenario: Scenario, client: ApiClient, by_an_older_program: bool
) -> None:
    job = _run(scenario, dry_run=False)
    assert job.failed == 1
    if by_an_older_program:
        older = [
            {"pointer": "/channel", "message": "channel is required.", "parameter": None, "place": "query"}
        ]
        change = update(import_job.import_error).values(errors=older)
        scenario.service.write(lambda tx: tx.connection.execute(change))
    else:
        [stored], _ = _errors(scenario, client, job)
        assert [one.keys() for one in stored] == [{"pointer", "message"}]
    _, [row] = _errors(scenario, client, job)
    assert [(one.keys(), one["pointer"]) for one in row["errors"]] == [({"pointer", "message"}, "/channel")]


@pytest.fixture
def read_lines(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The offset of each line that is read."""
    read: list[int] = []

    class CountedLines(files.Lines):
        def __iter__(self) -> Any:
            for text in super().__iter__():
                read.append(self.end)
                yield text

    monkeypatch.setattr(files, "Lines", CountedLines)
    return read


@pytest.mark.parametrize(
    ("media_type", "content", "rows", "failed"), [(CSV, LONG, 13, 1), (NDJSON, LINES, 7, 1)]
)
@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_an_import_goes_on_at_the_offset_where_it_stopped(
    scenario: Scenario,
    monkeypatch: pytest.MonkeyPatch,
    read_lines: list[int],
    media_type: str,
    content: str,
    rows: int,
    failed: int,
    encoding: str,
) -> None:
    monkeypatch.setattr(worker_module, "CHUNK", 2)
    monkeypatch.setattr(separators, "_SAMPLE_LINES", 1)
    job = _start(
        scenario,
        ImportRequest(content.encode(encoding), media_type, "gb18030" if encoding != "utf-8" else None, ()),
    )
    stops = 0
    while not _worker(scenario, f"worker {stops}", chunks=1).work_on(job.id):
        stops += 1
        stopped = _find(scenario, job)
        assert stopped.place.row == stopped.done == 2 * stops
        read_lines.clear()
        assert not _worker(scenario, "nobody", chunks=0).work_on(job.id)
        assert len(set(read_lines)) <= 1  # the header: nothing that is done is read again
    ended = _find(scenario, job)
    assert (stops, ended.status, ended.done) == (rows // 2, "completed", rows)
    assert (ended.accepted, ended.failed) == (rows - failed, failed)

    again = _start(scenario, ImportRequest(content.encode(), media_type, None, ()))
    assert _worker(scenario).work_on(again.id)
    assert _find(scenario, again).duplicates == rows - failed


@pytest.mark.parametrize("done", [3, 12])
def test_an_import_that_was_set_to_another_row_finishes(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch, done: int
) -> None:
    """As after a backup, or as an older program leaves it: the offset is behind or ahead, or unknown."""
    monkeypatch.setattr(worker_module, "CHUNK", 5)
    monkeypatch.setattr(worker_module, "SKIP", 2)
    job = _start(scenario, ImportRequest(LONG.encode(), CSV, None, ()))
    assert not _worker(scenario, chunks=1).work_on(job.id)
    _set(scenario, job, done=done, accepted=done)
    assert _worker(scenario).work_on(job.id)
    ended = _find(scenario, job)
    assert (ended.done, ended.failed, ended.accepted + ended.duplicates) == (
        13,
        1 if done < 12 else 0,
        12 if done < 12 else 13,
    )
    assert scenario.service.read(count_complaints) == (12 if done < 12 else 6)


def test_an_import_of_an_older_program_is_checked_and_finished(scenario: Scenario) -> None:
    job = _start(scenario, ImportRequest(LONG.encode(), CSV, None, ()))
    _set(scenario, job, columns=None, repeats=None)
    assert _worker(scenario).work_on(job.id)
    assert _find(scenario, job).accepted == 12


def test_an_import_of_an_older_program_that_counted_empty_rows_begins_again(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its row 4 is row 2 now: a worker that skips four rows would lose the last one."""
    monkeypatch.setattr(worker_module, "CHUNK", 2)
    content = b"channel,subject\nweb,one\n,\n,\nweb,two\nweb,three\n"
    job = _start(scenario, ImportRequest(content, CSV, None, ()))
    assert not _worker(scenario, chunks=1).work_on(job.id)
    _set(
        scenario,
        job,
        columns=None,
        repeats=None,
        rows=5,
        done=4,
        accepted=2,
        failed=2,
        place_row=0,
        place_byte=0,
    )
    assert _worker(scenario).work_on(job.id)
    ended = _find(scenario, job)
    assert (ended.rows, ended.done, ended.accepted, ended.duplicates, ended.failed) == (3, 3, 1, 2, 0)
    assert scenario.service.read(count_complaints) == 3


def test_a_dry_run_that_was_interrupted_begins_again(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "CHUNK", 1)
    job = _start(scenario, ImportRequest(FILE, CSV, None, REPEATED, dry_run=True))
    assert not _worker(scenario, chunks=3).work_on(job.id)
    assert _worker(scenario).work_on(job.id)
    ended = _find(scenario, job)
    assert (ended.accepted, ended.duplicates, ended.failed) == (2, 1, 1)


def test_a_claimed_import_is_neither_read_nor_waited_for(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch, read_lines: list[int]
) -> None:
    """Another worker takes the next import. After ten silent seconds it takes the claimed one too."""
    monkeypatch.setattr(worker_module, "CHUNK", 1)
    first, second = (_start(scenario, ImportRequest(FILE, CSV, None, REPEATED)) for _ in range(2))
    now = wall_now()
    claimed = scenario.service.write(
        lambda tx: import_job.claim(tx, first.id, "crashed", now=now, until=now + timedelta(seconds=10))
    )
    assert claimed is not None
    read_lines.clear()
    assert not _worker(scenario).work_on(first.id)
    assert read_lines == []
    _worker(scenario).work_on_all()
    assert [_find(scenario, job).status for job in (first, second)] == ["running", "completed"]

    late = ImportWorker(scenario.service, "late", lambda: now + timedelta(seconds=11))
    late.work_on_all()
    assert _find(scenario, first).status == "completed"


def test_a_worker_that_lost_its_claim_saves_nothing(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "CHUNK", 1)
    job = _start(scenario, ImportRequest(FILE, CSV, None, REPEATED))

    def rob(_job: ImportJob) -> None:
        _set(scenario, job, claimed_by="thief")

    assert not _worker(scenario).work_on(job.id, progress=rob)
    assert _find(scenario, job).done == 1


def test_a_worker_that_stalls_does_not_stop_an_import_that_another_has_finished(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file of an import that has ended is empty, so it cannot be read."""
    job = _start(scenario, ImportRequest(FILE, CSV, None, REPEATED))
    late = ImportWorker(scenario.service, "late", lambda: wall_now() + timedelta(seconds=11))
    open_file = ImportWorker._open

    def stall(worker: ImportWorker, job: ImportJob) -> Any:
        monkeypatch.setattr(ImportWorker, "_open", open_file)
        late.work_on_all()
        return worker._open(job)

    monkeypatch.setattr(ImportWorker, "_open", stall)
    _worker(scenario).work_on_all()
    ended = _find(scenario, job)
    assert (ended.status, ended.accepted, ended.stopped_because) == ("completed", 2, None)


def test_an_import_that_fails_by_surprise_holds_up_no_other(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, sound = (_start(scenario, ImportRequest(FILE, CSV, None, REPEATED)) for _ in range(2))
    opened: Callable[..., Any] = worker_module.reopen_import

    def fail_first(*args: Any, **named: Any) -> Any:
        monkeypatch.setattr(worker_module, "reopen_import", opened)
        raise RuntimeError("out of memory")

    monkeypatch.setattr(worker_module, "reopen_import", fail_first)
    with pytest.raises(RuntimeError):
        _worker(scenario).work_on_all()
    _worker(scenario).work_on_all()
    assert [_find(scenario, job).status for job in (broken, sound)] == ["running", "completed"]


def test_a_file_that_cannot_be_read_after_all_stops_its_import(scenario: Scenario) -> None:
    job = _start(scenario, ImportRequest(FILE, CSV, None, REPEATED))
    _set(scenario, job, options=[["colour", "red"]])
    assert _worker(scenario).work_on(job.id)
    stopped = _find(scenario, job)
    assert (stopped.status, stopped.done) == ("stopped", 0)
    assert "colour: unknown option" in str(stopped.stopped_because)


@pytest.mark.parametrize("lost", ["key", "user"])
def test_the_import_of_a_caller_who_lost_access_stops(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    monkeypatch.setattr(worker_module, "CHUNK", 1)
    service = scenario.service
    key, _ = service.configure(
        lambda tx: keys.create_key(service, tx, SYSTEM, name="crm", roles=[AccessRole.AGENT], login="admin")
    )
    caller = Caller(key.name, key.roles, key.source, key.login)
    job = _start(scenario, ImportRequest(FILE, CSV, None, REPEATED, stops_with_key=True), caller)

    def lose(_job: ImportJob) -> None:
        if lost == "key":
            service.configure(lambda tx: keys.revoke_key(service, tx, SYSTEM, key.id))
        else:
            users = all_tables.configuration.user_account
            service.configure(
                lambda tx: (
                    tx.connection.execute(update(users).values(active=False)),
                    all_tables.configuration.raise_version(tx),
                )
            )

    assert _worker(scenario).work_on(job.id, progress=lose)
    stopped = _find(scenario, job)
    assert (stopped.status, stopped.done) == ("stopped", 1)
    assert lost in str(stopped.stopped_because)
    assert scenario.service.read(count_complaints) == 1


def test_an_import_that_has_ended_keeps_its_errors_and_no_file(scenario: Scenario) -> None:
    job = _run(scenario, dry_run=False)
    stored = scenario.service.read(lambda tx: import_job.find_file(tx, job.id))
    assert (stored.content, stored.facts) == (b"", None)
    [error] = scenario.service.read(lambda tx: list_errors(tx, job, after=0, limit=9))
    assert error["row"] == 4


def test_no_transaction_is_open_while_a_file_is_read(
    scenario: Scenario, client: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another caller writes meanwhile: while a file with an idempotency key is checked, and while rows are parsed."""
    check, parse = uploads_module.open_import, worker_module.parse_row

    def check_beside(*args: Any, **named: Any) -> Any:
        scenario.post()
        return check(*args, **named)

    def parse_beside(row: Any) -> Any:
        scenario.post()
        return parse(row)

    monkeypatch.setattr(uploads_module, "open_import", check_beside)
    monkeypatch.setattr(worker_module, "parse_row", parse_beside)
    headers = {"Content-Type": CSV, "Idempotency-Key": "one-file"}
    begun = client.post("/v1/imports?repeated_ids=accept", content=FILE, headers=headers)
    again = client.post("/v1/imports?repeated_ids=accept", content=FILE, headers=headers)
    assert (begun.status_code, again.content) == (202, begun.content)
    assert _worker(scenario).work_on(UUID(begun.json()["id"]))
    shown = client.get(f"/v1/imports/{begun.json()['id']}").json()
    assert (shown["status"], shown["accepted"], shown["stopped_because"]) == ("completed", 2, None)
    assert scenario.service.read(count_complaints) == 2 + 2 + 4


def test_an_import_on_sqlite_waits_for_the_writers_of_its_process(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL has no such lock, so nobody waits there."""
    database, posted = scenario.service.database, threading.Event()
    monkeypatch.setattr(transactions, "LONGEST_PAUSE_SECONDS", 60)

    def post() -> None:
        scenario.post()
        posted.set()

    poster = threading.Thread(target=post)

    def hold_up(_tx: Any) -> None:
        poster.start()
        while not (database.has_waiting_writers or posted.wait(0.005)):
            pass

    scenario.service.write(hold_up)
    database.give_way()
    assert database.is_postgresql or not database.has_waiting_writers
    poster.join(10)
    assert posted.is_set()
