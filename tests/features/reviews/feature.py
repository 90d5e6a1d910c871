"""What the annex declares: a review is asked for, and somebody answers it within 24 hours."""

from datetime import datetime
from fractions import Fraction
from uuid import UUID

from complaints.api.feature import Feature
from complaints.domain.complaint.change import SubjectChange
from complaints.domain.complaint.subject import Subject
from complaints.domain.policy.policy import Policy, Step
from complaints.domain.policy.subject_kinds import DeadlineDeclaration, SubjectKind
from complaints.domain.rules.subjects import change_state, meet_deadline, start_deadline
from complaints.domain.time.working_time import Target, Unit
from complaints.domain.vocabulary import RecipientRole
from complaints.use_cases.access import Caller
from complaints.use_cases.service import Service, Transaction
from complaints.use_cases.subjects import add_subject, change_subject

HOUR = 3600
LADDER = (
    Step("50%", 0, (RecipientRole.ASSIGNEE,), share=Fraction(1, 2)),
    Step("100%", 1, (RecipientRole.TEAM_LEAD,), share=Fraction(1)),
    Step("+12h", 2, (RecipientRole.DEPARTMENT_HEAD,), offset_seconds=12 * HOUR),
)
KIND = SubjectKind(
    "review",
    "R",
    states=("asked", "answered"),
    open_states=frozenset({"asked"}),
    deadlines=(DeadlineDeclaration("answer", Target(24 * HOUR, Unit.ELAPSED_SECONDS), ladder=LADDER),),
    event_types=("review.answered",),
)
FEATURE = Feature("reviews", subjects=(KIND,))


def ask(
    service: Service, tx: Transaction, caller: Caller, *, since: datetime, owner: str = "admin"
) -> Subject:
    """Ask for a review. Its deadline runs from `since`."""

    def step(change: SubjectChange, policy: Policy) -> None:
        start_deadline(change, policy, KIND, "answer", since)

    return add_subject(service, tx, caller, KIND, team="operations", owner=owner, step=step, text="Is it so?")


def answer(service: Service, tx: Transaction, caller: Caller, review_id: UUID) -> Subject:
    """Answer a review: it has ended."""

    def step(change: SubjectChange, policy: Policy) -> None:
        meet_deadline(change, KIND, "answer", tx.now)
        change_state(change, KIND, "answered", "review.answered", tx.now)

    return change_subject(service, tx, caller, KIND, review_id, step)
