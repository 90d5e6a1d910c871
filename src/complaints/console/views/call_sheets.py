"""The rows of follow-ups: when each is due, whom to call, and what follows from a call."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from complaints.console.locale import Locale
from complaints.console.views.clock_badges import ClockBadge, badge_of
from complaints.console.views.rows import name_of_user
from complaints.domain.complaint.facts import Complaint, Person
from complaints.domain.complaint.numbers import number_of
from complaints.domain.staff import Directory
from complaints.domain.vocabulary import ContactOutcome, DeadlineKind, DeadlineStatus
from complaints.use_cases.complaints.follow_ups import FollowUp

WEEK = timedelta(days=7)


class DayGroup(StrEnum):
    """A group of contacts by the local day of the reader."""

    OVERDUE = "overdue"
    TODAY = "today"
    TOMORROW = "tomorrow"
    WEEK = "week"


@dataclass(frozen=True, slots=True)
class CallRow:
    """A contact to make. `phone` may have a mask: then it is no number to call (`can_call`)."""

    deadline_id: UUID
    complaint_id: UUID
    number: str
    subject: str
    priority: str
    priority_word: str
    group: DayGroup
    badge: ClockBadge
    sequence: int
    attempt: int
    owner: str
    name: str
    phone: str
    email: str
    preferred: str
    vulnerable: bool
    can_call: bool


def call_row_of(found: FollowUp, *, now: datetime, locale: Locale, directory: Directory) -> CallRow:
    """The row of a contact."""
    person = found.complainant or Person()
    deadline = {
        "kind": DeadlineKind.FOLLOW_UP,
        "status": DeadlineStatus.RUNNING,
        "due_at": found.due_at,
        "paused_until": None,
    }
    return CallRow(
        deadline_id=found.deadline_id,
        complaint_id=found.complaint_id,
        number=number_of(found.complaint_sequence),
        subject=found.subject,
        priority=str(found.priority),
        priority_word=locale.word("priority", found.priority),
        group=group_of(found.due_at, now, locale),
        badge=badge_of(deadline, now, locale),
        sequence=found.sequence,
        attempt=found.attempt,
        owner=name_of_user(directory, found.owner),
        name=person.name or "",
        phone=person.phone or "",
        email=person.email or "",
        preferred=locale.word("channel", person.preferred_contact) if person.preferred_contact else "",
        vulnerable=person.vulnerable,
        can_call=found.in_clear and bool(person.phone),
    )


def group_of(due_at: datetime, now: datetime, locale: Locale) -> DayGroup:
    """The group of a due time: what is late is `overdue`, also on the present day."""
    if due_at < now:
        return DayGroup.OVERDUE
    days = (_local_day(due_at, locale) - _local_day(now, locale)).days
    return {0: DayGroup.TODAY, 1: DayGroup.TOMORROW}.get(days, DayGroup.WEEK)


def _local_day(instant: datetime, locale: Locale) -> date:
    return locale.local(instant).date()


def say_what_follows(complaint: Complaint, outcome: ContactOutcome, *, now: datetime, locale: Locale) -> str:
    """What follows from a contact with this outcome: another contact, work, or the closure."""
    words = locale.texts.follow_ups.follows
    if outcome is ContactOutcome.NOT_SOLVED:
        return str(words.reopened).format(time=_due(complaint, DeadlineKind.RESOLUTION, now, locale))
    if (again := _due(complaint, DeadlineKind.FOLLOW_UP, now, locale)) != "":
        form = words.again if outcome is ContactOutcome.UNREACHABLE else words.next
        return str(form).format(time=again)
    closure = _due(complaint, DeadlineKind.CLOSURE, now, locale)
    return str(words.closes if closure else words.nothing).format(time=closure)


def _due(complaint: Complaint, kind: DeadlineKind, now: datetime, locale: Locale) -> str:
    """The earliest due time of the unmet deadlines of a kind, in words; "" if there is none."""
    due = [one.due_at for one in complaint.deadlines if one.kind == kind and one.unmet]
    return locale.time(min(due), now=now) if due else ""
