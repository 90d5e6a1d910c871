"""The invariants of the configuration, for `complaints check`: it is as the audit log says, and the log is unbroken."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from complaints.domain.complaint.history import GENESIS
from complaints.domain.rules.recipients import is_gone
from complaints.domain.vocabulary import AuditSubject
from complaints.storage.database.transactions import Transaction
from complaints.storage.queries.usage import find_policies_of_open_complaints
from complaints.storage.rows import audit_event
from complaints.storage.rows.audit_event import AuditEvent, State
from complaints.use_cases.service import Service
from complaints.use_cases.upkeep.violation import Violation

_UNBROKEN, _RECORDED = "audit log unbroken", "configuration recorded"
_PRESENT = "recipients present"


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
    yield from service.read(lambda tx: list(_check_recipients(service, tx)))


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


def _check_recipients(service: Service, tx: Transaction) -> Iterator[Violation]:
    """Named recipients of steps who left (rule 3.13): of the policy in force, and of those of open complaints."""
    configuration = service.cache.current(tx, certain=True)
    in_force = configuration.policy_at(tx.now)
    used = {(in_force.code, in_force.version), *find_policies_of_open_complaints(tx)}
    for key in sorted(used & configuration.policies.keys()):
        named = {
            recipient
            for rule in configuration.policies[key].rules.values()
            for step in rule.ladder
            for recipient in step.notify
        }
        for recipient in sorted(named):
            if is_gone(recipient, configuration.directory):
                yield Violation(
                    _PRESENT, "", f"policy {key[0]} version {key[1]} notifies {recipient}, who left"
                )
