"""Imports the rows of stored files. Each transaction saves a chunk of rows with the progress.

So a crash loses and doubles no row. A worker claims an import before it reads the file, and it reads and parses
rows outside any transaction.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from uuid import UUID

from complaints.domain.errors import InvalidContent
from complaints.domain.importing.import_file import (
    START,
    ImportFile,
    ImportRow,
    Place,
    open_import,
    parse_options,
    reopen_import,
)
from complaints.storage.configuration import Configuration
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows import import_job
from complaints.storage.rows.import_job import ImportJob, ImportStatus, StoredFile
from complaints.use_cases.importing.chunks import ChunkResult, ParsedRow, import_rows, parse_row
from complaints.use_cases.service import Service

CHUNK = 200
SKIP = 20_000
CLAIM = timedelta(seconds=10)
# SQLite has one write lock. Small chunks keep each wait for it short.
SQLITE_CHUNK = 25
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ImportWorker:
    """Imports files, one after the other. `name` tells the workers apart.

    `wall` is the wall clock, also in a sandbox: a claim ends ten seconds after the last sign of its worker.
    """

    service: Service
    name: str
    wall: Callable[[], datetime]
    stopping: Callable[[], bool] = lambda: False

    def work_on_all(self) -> None:
        """Finish the imports that no other worker has claimed, oldest first, until `stopping` is true.

        An import that fails by surprise stays claimed for a while, so it holds up no other import.
        """
        while not self.stopping():
            import_id = self.service.read(lambda tx: import_job.find_unclaimed(tx, self.wall()))
            if import_id is None:
                return
            self.work_on(import_id)

    def work_on(self, import_id: UUID, *, progress: Callable[[ImportJob], None] = lambda job: None) -> bool:
        """Work on an import to its end, chunk by chunk. True if it has ended.

        False if this worker was stopped or another one has claimed it. `progress` is called after each chunk.
        """
        job = self.service.write(lambda tx: self._claim(tx, import_id))
        if job is None:
            found = self.service.read(lambda tx: import_job.find_job(tx, import_id))
            return found is not None and found.status is not ImportStatus.RUNNING
        try:
            ended = self._work_through(job, progress)
        except InvalidContent as refusal:  # the file cannot be read after all: trying again would not help
            ended = self.service.write(
                partial(self._stop_claimed, import_id=import_id, because=refusal.detail)
            )
        if ended is None:
            self.service.write(lambda tx: import_job.release(tx, import_id, self.name))
            return False
        _log_end(ended)
        return True

    def _claim(self, tx: Transaction, import_id: UUID) -> ImportJob | None:
        """Claim an import. A dry run that was interrupted begins again: the database has none of its rows."""
        now = self.wall()
        job = import_job.claim(tx, import_id, self.name, now=now, until=now + CLAIM)
        if job is None or not (job.dry_run and job.done):
            return job
        return import_job.begin_again(tx, job, rows=job.rows)

    def _begin_again(self, tx: Transaction, *, import_id: UUID, rows: int) -> ImportJob | None:
        job = import_job.lock_claimed(tx, import_id, self.name)
        return import_job.begin_again(tx, job, rows=rows) if job else None

    def _work_through(self, job: ImportJob, progress: Callable[[ImportJob], None]) -> ImportJob | None:
        """Import the rows that are left. Returns the ended import. None if the worker stopped or lost its claim."""
        rows = _RowReader(self._open(job))
        if len(rows.file) != job.rows:  # an older program counted rows without values too: its numbers differ
            again = self.service.write(partial(self._begin_again, import_id=job.id, rows=len(rows.file)))
            if again is None:
                return None
            job = again
        rows.start_at(self._seek(job, rows.file))
        seen: set[object] = set()
        size = CHUNK if self.service.database.is_postgresql else min(CHUNK, SQLITE_CHUNK)
        while not self.stopping():
            start, chunk = rows.place, rows.read(size)
            saved = self.service.write(
                partial(self._save, import_id=job.id, start=start, end=rows.place, chunk=chunk, seen=seen)
            )
            if saved is None:
                return None
            job, result = saved
            seen |= result.identities
            progress(job)
            if job.status is not ImportStatus.RUNNING:
                return job
            self.service.database.give_way()
        return None

    def _open(self, job: ImportJob) -> ImportFile:
        stored: StoredFile = self.service.read(lambda tx: import_job.find_file(tx, job.id))
        options = parse_options(job.options)
        if stored.facts is None:
            return open_import(
                stored.content, media_type=job.media_type, charset=job.charset, options=options
            )
        return reopen_import(
            stored.content,
            media_type=job.media_type,
            charset=job.charset,
            options=options,
            facts=stored.facts,
        )

    def _seek(self, job: ImportJob, file: ImportFile) -> Place:
        """The place after the rows that are done. Rows after the recorded place are skipped, if there are any."""
        place = job.place if job.place.row <= job.done else START
        while (left := job.done - place.row) > 0:
            reached = file.skip(place, min(left, SKIP))
            if reached == place:
                break
            place = reached
            self.service.write(
                partial(import_job.prolong, import_id=job.id, worker=self.name, until=self.wall() + CLAIM)
            )
        return place

    def _save(
        self,
        tx: Transaction,
        *,
        import_id: UUID,
        start: Place,
        end: Place,
        chunk: list[ParsedRow],
        seen: set[object],
    ) -> tuple[ImportJob, ChunkResult] | None:
        """Import a chunk and save the progress. None if the claim or the place is lost."""
        job = import_job.lock_claimed(tx, import_id, self.name)
        if job is None or job.done != start.row:
            return None
        if because := _reason_to_stop(self.service.configuration(tx), job, tx.now):
            return self._stop(tx, job, because), ChunkResult()
        result = import_rows(self.service, tx, job, chunk, seen)
        done = job.done + len(chunk)
        finished = done >= job.rows or not chunk
        job = replace(
            job,
            done=done,
            accepted=job.accepted + result.accepted,
            duplicates=job.duplicates + result.duplicates,
            failed=job.failed + len(result.errors),
            place=end,
            status=ImportStatus.COMPLETED if finished else ImportStatus.RUNNING,
            finished_at=tx.now if finished else None,
        )
        import_job.insert_errors(tx, job.id, result.errors)
        import_job.record_progress(tx, job, claimed_until=self.wall() + CLAIM)
        _count_work(tx, job, result)
        return job, result

    def _stop_claimed(self, tx: Transaction, *, import_id: UUID, because: str) -> ImportJob | None:
        """Stop an import for good. None if the claim is lost: another worker has ended it, or goes on with it."""
        job = import_job.lock_claimed(tx, import_id, self.name)
        return self._stop(tx, job, because) if job else None

    def _stop(self, tx: Transaction, job: ImportJob, because: str) -> ImportJob:
        """Stop a locked import for good. The rows that are done stay."""
        stopped = replace(job, status=ImportStatus.STOPPED, stopped_because=because, finished_at=tx.now)
        import_job.record_progress(tx, stopped, claimed_until=self.wall())
        return stopped


def _count_work(tx: Transaction, job: ImportJob, result: ChunkResult) -> None:
    """For the measures of this process. Rows of a dry run do not count."""
    if not job.dry_run:
        tx.count("import_rows", "accepted", result.accepted)
        tx.count("import_rows", "duplicate", result.duplicates)
        tx.count("import_rows", "failed", len(result.errors))
    if job.status is ImportStatus.COMPLETED:
        tx.count("imports", "dry run" if job.dry_run else "import")


def _log_end(job: ImportJob) -> None:
    counts = {"rows": job.rows, "accepted": job.accepted, "duplicates": job.duplicates, "failed": job.failed}
    about = {"id": str(job.id), "source": job.source, "dry_run": job.dry_run, "status": job.status.value}
    log.info("an import ended", extra={**about, **counts})


def _reason_to_stop(configuration: Configuration, job: ImportJob, now: datetime) -> str | None:
    """The reason why the caller of an import may not go on, or None."""
    key = next((key for key in configuration.keys.values() if key.name == job.key_name), None)
    if job.stops_with_key and (key is None or not key.usable(now)):
        return "The key of this import was revoked or has expired."
    user = configuration.directory.users.get(job.login) if job.login else None
    if user is not None and not user.active:
        return "The user of this import was deactivated."
    if user is not None and key is None and not set(job.key_roles) <= set(user.roles or ()):
        return "The user of this import lost a role."
    return None


@dataclass(slots=True)
class _RowReader:
    """Reads and parses rows of a file. `place` is the place after the last row that was read."""

    file: ImportFile
    place: Place = START
    _rows: Iterator[ImportRow] = field(default=iter(()), init=False)

    def start_at(self, place: Place) -> None:
        """Read from `place` on."""
        self.place = place
        self._rows = self.file.rows(place)

    def read(self, count: int) -> list[ParsedRow]:
        """At most `count` rows."""
        rows = list(islice(self._rows, count))
        if rows:
            self.place = rows[-1].end
        return [parse_row(row) for row in rows]
