"""A subject that is no complaint: an incident, an improvement, or what else an annex declares."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from complaints.domain.complaint.facts import AnySubject, Deadline, Hold
from complaints.domain.complaint.numbers import number_of

COMPLAINT_KIND = "complaint"
"""The kind of complaints, wherever subjects of all kinds are shown together."""


@dataclass(frozen=True, slots=True)
class SubjectName:
    """What names a subject outside: its kind, its id and its number, which users read."""

    kind: str
    id: UUID
    number: str


@dataclass(frozen=True, kw_only=True)
class Subject(AnySubject):
    """One subject that is no complaint, with its deadlines. Further members stand in the tables of its annex.

    `owner` is the login of the user who answers for it. It is open until `ended_at`. Nothing pauses its deadlines.
    """

    id: UUID
    kind: str
    number: str
    sequence: int
    version: int
    status: str
    cycle: int
    created_at: datetime
    updated_at: datetime
    team: str
    owner: str
    policy_code: str
    policy_version: int
    ended_at: datetime | None = None
    deadlines: tuple[Deadline, ...] = ()
    holds: ClassVar[tuple[Hold, ...]] = ()  # type: ignore[misc]

    @property
    def open(self) -> bool:
        """True if somebody still works on it."""
        return self.ended_at is None

    @property
    def assignee(self) -> str:
        """The owner: a step of a ladder that notifies the assignee notifies the owner."""
        return self.owner

    @property
    def first_owner(self) -> str:
        """The owner."""
        return self.owner


def name_of(fact: AnySubject) -> SubjectName:
    """The name of a complaint or of another subject."""
    if isinstance(fact, Subject):
        return SubjectName(fact.kind, fact.id, fact.number)
    return SubjectName(COMPLAINT_KIND, fact.id, number_of(fact.sequence))
