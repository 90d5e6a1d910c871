"""The explanation of a due time, with the taken and the planned steps of its ladder (rule 2.13)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from complaints.domain.complaint.facts import AnySubject, Deadline
from complaints.domain.errors import NotFound
from complaints.domain.policy.policy import Policy
from complaints.domain.rules import deadlines
from complaints.domain.rules.ladder import PlannedStep, plan_remaining_steps
from complaints.domain.time.working_time import Segment
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows.escalation import find_of_deadline
from complaints.use_cases.access import Caller
from complaints.use_cases.complaints.known import load_known_complaint
from complaints.use_cases.service import Service


@dataclass(frozen=True, slots=True)
class ExplainedStep:
    """A step of the ladder. `taken_at` is None while the step is planned.

    A planned step with `repeat` is taken again each time after this interval (rule 3.9). `recipients` are the logins
    of the users who were notified. A user acknowledged a taken step as actor `acknowledged_by`.
    """

    step: str
    level: int
    notify: tuple[str, ...]
    planned_at: datetime
    taken_at: datetime | None = None
    superseded: bool = False
    repeat: str | None = None
    recipients: tuple[str, ...] = ()
    acknowledged_by: str | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """The counted and skipped intervals up to a due time, and the steps of the ladder by planned time.

    `policy` is the policy of the deadline. `chosen_by` is the rule that chose it; it is None if the complaint has
    another policy meanwhile. `other_policy` is the policy that the members of the complaint choose now, if it is
    another.
    """

    due_at: datetime
    segments: Sequence[Segment]
    steps: Sequence[ExplainedStep]
    policy: Policy
    chosen_by: Mapping[str, str] | None = None
    other_policy: Policy | None = None


def explain(
    service: Service, tx: Transaction, caller: Caller, reference: str, deadline_id: UUID
) -> Explanation:
    """Explain a deadline of a complaint. Raises NotFound, also for a deadline of another complaint."""
    complaint = load_known_complaint(tx, caller, reference).complaint
    deadline = next((d for d in complaint.deadlines if d.id == deadline_id), None)
    if deadline is None:
        raise NotFound(f"The complaint has no deadline {str(deadline_id)!r}.")
    configuration = service.configuration(tx)
    policy = configuration.policy(deadline.policy_code, deadline.policy_version)
    is_own = policy is configuration.policy_of(complaint)
    return replace(
        explain_deadline(tx, deadline, complaint, policy),
        chosen_by=complaint.policy_chosen_by if is_own else None,
        other_policy=configuration.find_other_policy(complaint),
    )


def explain_deadline(tx: Transaction, deadline: Deadline, subject: AnySubject, policy: Policy) -> Explanation:
    """Explain a deadline of a complaint or other subject."""
    taken = [explain_taken(row) for row in find_of_deadline(tx, deadline.id)]
    steps = sorted([*taken, *plan_steps(deadline, subject, policy)], key=lambda s: s.planned_at)
    return Explanation(deadline.due_at, deadlines.explain_due_time(deadline, subject, policy), steps, policy)


def explain_taken(row: Mapping[Any, Any]) -> ExplainedStep:
    """The step of a row of an escalation."""
    return ExplainedStep(
        row["step"],
        row["level"],
        tuple(row["roles"]),
        row["planned_at"],
        row["taken_at"],
        row["superseded"],
        recipients=tuple(row["recipients"]),
        acknowledged_by=row["acknowledged_by"],
    )


def plan_steps(deadline: Deadline, subject: AnySubject, policy: Policy) -> list[ExplainedStep]:
    """The steps that are still planned. None remain once the deadline is met or cancelled."""
    if not deadline.unmet:
        return []
    terms = deadlines.terms_of(deadline, subject, policy)
    return [explain_planned(planned) for planned in plan_remaining_steps(deadline, terms, policy)]


def explain_planned(planned: PlannedStep) -> ExplainedStep:
    """A step that is not taken yet."""
    step = planned.step
    repeat = step.repeat.name if step.repeat else None
    return ExplainedStep(step.name, step.level, step.notify, planned.planned_at, repeat=repeat)
