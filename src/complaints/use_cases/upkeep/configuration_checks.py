"""The invariants of the configuration, for `complaints check`: it is as the audit log says, and the log is unbroken."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from complaints.domain.complaint.history import GENESIS
from complaints.domain.vocabulary import AuditSubject
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows import audit_event
from complaints.storage.rows.audit_event import AuditEvent, State
from complaints.use_cases.service import Service
from complaints.use_cases.upkeep.violation import Violation

_UNBROKEN, _RECORDED = "audit log unbroken", "configuration recorded"


@dataclass(slots=True)
class _LogReading:
    """The log so far: its last entry, and the last state of every subject."""

    sequence: int = 0
    digest: bytes = GENESIS
    states: dict[tuple[AuditSubject, str], State] = field(default_factory=dict)

    def add(self, event: AuditEvent) -> Iterator[str]:
        """Take the next entry. Yields what is wrong with it."""
        if event.sequence != self.sequence + 1:
            yield f"after entry {self.sequence} of the audit log comes entry {event.sequence}"
        if audit_event.chained_digest(self.digest, event) != event.digest:
            yield f"entry {event.sequence} of the audit log is not what was written"
        self.sequence, self.digest = event.sequence, event.digest
        self.states[event.subject, event.code] = event.state


def check_configuration(service: Service) -> Iterator[Violation]:
    """Every breach of an invariant of the configuration and of its audit log."""
    yield from service.read(lambda tx: list(_check(tx)))


def _check(tx: Transaction) -> Iterator[Violation]:
    reading = _LogReading()
    for event in audit_event.read_all(tx):
        for message in reading.add(event):
            yield Violation(_UNBROKEN, "", message)
    present = audit_event.read_states(tx)
    for subject, code in sorted(present.keys() | reading.states.keys()):
        if wrong := _compare(present.get((subject, code)), reading.states.get((subject, code))):
            yield Violation(_RECORDED, "", f"{subject} {code} {wrong}")


def _compare(present: State | None, recorded: State | None) -> str | None:
    if present is None:
        return "is in the audit log and not in the database"
    if recorded is None:
        return "has no entry in the audit log"
    wrong = sorted(name for name in present if present[name] != recorded.get(name))
    return f"is not what the audit log says: {', '.join(wrong)}" if wrong else None
