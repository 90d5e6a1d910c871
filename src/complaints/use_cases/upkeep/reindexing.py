"""Indexes old complaints again: the marks by which persons are compared, and the terms by which they are found.

A loop does it in small transactions, so that nobody waits for it. It can stop and go on at any complaint.
"""

import time
from collections.abc import Callable
from datetime import timedelta

from complaints.storage import indexing, load
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows import person, reindexing
from complaints.storage.rows.reindexing import Progress
from complaints.use_cases.complaints.identities import identity_of
from complaints.use_cases.service import Configuration, Service

BATCH = 200
PAUSE_SECONDS = 0.05  # between batches: on SQLite everybody else waits for the write lock
FOLLOWED = timedelta(hours=1)  # the program before may still run for so long


def reindex(service: Service, stopping: Callable[[], bool] = lambda: False) -> None:
    """Index all complaints that are left, batch by batch."""
    while service.read(_has_work) and not stopping():
        service.write(lambda tx: reindex_batch(service, tx))
        time.sleep(PAUSE_SECONDS)


def _has_work(tx: Transaction) -> bool:
    progress = reindexing.find_progress(tx)
    if progress is None:
        return False
    is_over = progress.ends_at is not None and progress.ends_at <= tx.now
    return progress.ends_at is None or is_over or bool(load.find_sequences(tx, after=progress.after, limit=1))


def reindex_batch(service: Service, tx: Transaction, *, limit: int = BATCH) -> int:
    """Index up to `limit` complaints again; returns their number."""
    progress = reindexing.find_progress(tx, lock=True)
    if progress is None:
        return 0
    sequences = load.find_sequences(tx, after=progress.after, limit=limit)
    if sequences:
        _index_again(tx, service.configuration(tx), sequences)
        reindexing.note_progress(tx, Progress(sequences[-1], progress.ends_at))
    elif progress.ends_at is None:
        reindexing.note_progress(tx, Progress(progress.after, tx.now + FOLLOWED))
    elif progress.ends_at <= tx.now:
        reindexing.end(tx)
    return len(sequences)


def _index_again(tx: Transaction, configuration: Configuration, sequences: list[int]) -> None:
    complaints = load.lock_by_sequence(tx, sequences)
    rows = person.find_rows(tx, [complaint.id for complaint in complaints])
    changed = []
    for complaint in complaints:
        policy = configuration.policy(complaint.policy_code, complaint.policy_version)
        for row in rows.get(complaint.id, ()):
            fact = person.fact_of(row)
            marks = person.marks_of(fact, identity_of(fact, policy))
            if any(row[name] != value for name, value in marks.items()):
                changed.append(marks | {"key_complaint_id": complaint.id, "key_role": row["role"]})
    person.write_marks(tx, changed)
    indexing.reindex_complaints(tx, complaints)
