"""The content of the page: pure functions. They name texts by keys; `wording` has the words."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from complaints.domain.complaint.facts import Complaint, Deadline
from complaints.domain.complaint.texts import ERASED
from complaints.domain.policy.policy import Policy
from complaints.domain.rules.actions import ActionContext
from complaints.domain.rules.contacts import makes_new_complaint
from complaints.domain.time import working_time
from complaints.domain.time.calendars import always_open
from complaints.domain.vocabulary import DeadlineKind, DeadlineStatus, Status

_TOLD = frozenset({Status.FOLLOWING_UP, Status.CLOSED})


class StepKind(StrEnum):
    """Something that the house does next. A text of the same name stands in each language."""

    FIRST_RESPONSE = "first_response"
    RESUME = "resume"
    RESULT = "result"
    RESULT_EXPECTED = "result_expected"
    TELL_RESULT = "tell_result"
    PROMISE = "promise"
    FOLLOW_UP = "follow_up"
    CLOSE = "close"


class ContactEffect(StrEnum):
    """What a message from the page does. A text of the same name stands in each language."""

    ADDS = "adds"
    RESUMES = "resumes"
    REOPENS = "reopens"
    BEGINS_NEW = "begins_new"


@dataclass(frozen=True, slots=True)
class NextStep:
    """A step with the latest time for it. `promise` is the text of a promise."""

    kind: StepKind
    due_at: datetime
    is_late: bool = False
    promise: str | None = None


@dataclass(frozen=True, slots=True)
class ToldResult:
    """The result of the present cycle as the complainant was told it. `message` is None if it is no longer there."""

    told_at: datetime
    outcome: str | None
    message: str | None
    compensation: tuple[Decimal, str] | None


@dataclass(frozen=True, slots=True)
class PageContent:
    """Everything that the page tells. All instants are in UTC; `zone` is the time zone in which they are written.

    `number` is that of the link. `merged_into` is the number of the complaint into which it was merged, whose state
    the page tells then. `situation` is the key of the text for the state. `refusal` is the message of a rejection.
    `until` is the end of the time in which a message reopens the complaint.
    """

    number: str
    merged_into: str | None
    situation: str
    received_at: datetime
    ended_at: datetime | None
    steps: tuple[NextStep, ...]
    result: ToldResult | None
    refusal: str | None
    is_erased: bool
    effect: ContactEffect
    until: datetime | None
    zone: str


def name_situation(complaint: Complaint) -> str:
    """The key of the text for the state: the status, or the reason of the hold."""
    hold = complaint.current_hold
    return str(hold.reason if complaint.status is Status.ON_HOLD and hold else complaint.status)


def list_steps(complaint: Complaint, promises: Mapping[UUID, str], now: datetime) -> tuple[NextStep, ...]:
    """The steps that are still to come, earliest first. `promises` are the texts of promises by deadline.

    `complaint` has its deadlines as they stand at `now`.
    """
    if not complaint.open:
        return ()
    found = [*_promised_steps(complaint, promises), *_next_of_kinds(complaint)]
    hold = complaint.current_hold
    if hold is not None and hold.until_at > now:
        found.append(NextStep(StepKind.RESUME, hold.until_at))
    return tuple(sorted(found, key=lambda step: step.due_at))


def _promised_steps(complaint: Complaint, promises: Mapping[UUID, str]) -> Iterator[NextStep]:
    for deadline in complaint.deadlines:
        if deadline.unmet and deadline.id in promises:
            yield _step(StepKind.PROMISE, deadline, promise=promises[deadline.id])


def _next_of_kinds(complaint: Complaint) -> Iterator[NextStep]:
    """A step for the earliest unmet deadline of each kind that concerns the complainant."""
    unmet = sorted((d for d in complaint.deadlines if d.unmet), key=lambda d: (d.due_at, d.id), reverse=True)
    by_kind = {deadline.kind: deadline for deadline in unmet}
    if deadline := by_kind.get(DeadlineKind.FIRST_RESPONSE):
        yield _step(StepKind.FIRST_RESPONSE, deadline)
    if deadline := by_kind.get(DeadlineKind.RESOLUTION):
        yield _step(_result_step(complaint, deadline), deadline)
    if deadline := by_kind.get(DeadlineKind.FOLLOW_UP):
        yield _step(StepKind.FOLLOW_UP, deadline)
    elif deadline := by_kind.get(DeadlineKind.CLOSURE):
        yield _step(StepKind.CLOSE, deadline)


def _result_step(complaint: Complaint, deadline: Deadline) -> StepKind:
    if complaint.status is Status.RESOLVED:
        return StepKind.TELL_RESULT
    return StepKind.RESULT_EXPECTED if deadline.status is DeadlineStatus.PAUSED else StepKind.RESULT


def _step(kind: StepKind, deadline: Deadline, *, promise: str | None = None) -> NextStep:
    return NextStep(kind, deadline.due_at, deadline.status is DeadlineStatus.BREACHED, promise)


def result_of(complaint: Complaint, find_message: Callable[[], str | None]) -> ToldResult | None:
    """The result of the present cycle. None: the complainant was told none.

    `find_message` finds the words with which the complainant was told. The page leaves out an assumed outcome
    (rule 1.20).
    """
    if complaint.status not in _TOLD or complaint.result_told_at is None:
        return None
    amount, currency = complaint.compensation_amount, complaint.compensation_currency
    compensation = (amount, currency) if amount is not None and currency is not None else None
    outcome = None if complaint.outcome_assumed else complaint.outcome
    return ToldResult(complaint.result_told_at, outcome, find_message(), compensation)


def find_effect(complaint: Complaint, context: ActionContext) -> ContactEffect:
    """What a message does now (rules 1.12 to 1.14)."""
    if makes_new_complaint(complaint, context):
        return ContactEffect.BEGINS_NEW
    if not complaint.open:
        return ContactEffect.REOPENS
    waits = name_situation(complaint) == "awaiting_complainant"
    return ContactEffect.RESUMES if waits else ContactEffect.ADDS


def find_reopen_end(complaint: Complaint, policy: Policy) -> datetime | None:
    """The end of the time in which a message reopens an ended complaint. None: it has not ended."""
    if complaint.ended_at is None:
        return None
    return working_time.due_at(complaint.ended_at, policy.reopen_window, always_open(policy.timezone))


def is_erased(complaint: Complaint) -> bool:
    """True if the texts of the complaint were erased."""
    return complaint.subject == ERASED
