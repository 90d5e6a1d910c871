"""The deadlines of one complaint with their pauses, and with the steps of their ladders, taken and to come."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from complaints.domain.complaint.facts import Complaint, Deadline
from complaints.domain.policy.policy import Policy
from complaints.domain.rules import deadlines
from complaints.domain.rules.passing_time import find_told
from complaints.domain.staff import Directory
from complaints.domain.time.working_time import Pause
from complaints.domain.vocabulary import DeadlineKind
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows.deadline import find_promises
from complaints.storage.rows.escalation import find_of_complaint
from complaints.use_cases.complaints.explanation import ExplainedStep, explain_taken, plan_steps
from complaints.use_cases.service import Service

_MOST_STEPS = 500


@dataclass(frozen=True, slots=True)
class DeadlineDetail:
    """A deadline, the pauses that move its due time, and the steps of its ladder by planned time.

    `promise` is the text of a promise, and "" for another deadline. `recipients` of a step to come are the users who
    would hear of it as things stand now.
    """

    deadline: Deadline
    policy: Policy
    pauses: Sequence[Pause]
    steps: Sequence[ExplainedStep]
    promise: str = ""


def load_deadline_details(service: Service, tx: Transaction, complaint: Complaint) -> list[DeadlineDetail]:
    """The deadlines of a complaint that the caller may know of, in the order in which they were started.

    Of the taken steps, at most the last 500 are there.
    """
    configuration = service.configuration(tx)
    taken: defaultdict[UUID, list[ExplainedStep]] = defaultdict(list)
    for row in find_of_complaint(tx, complaint.id, limit=_MOST_STEPS):
        taken[row["deadline_id"]].append(explain_taken(row))
    promised = [one.id for one in complaint.deadlines if one.kind == DeadlineKind.PROMISE]
    promises = find_promises(tx, promised) if promised else {}
    found = []
    for deadline in complaint.deadlines:
        policy = configuration.policy(deadline.policy_code, deadline.policy_version)
        planned = _find_planned(deadline, complaint, policy, configuration.directory)
        steps = sorted([*taken[deadline.id], *planned], key=lambda one: one.planned_at)
        pauses = deadlines.terms_of(deadline, complaint, policy).pauses
        promise = promises[deadline.id].text if deadline.id in promises else ""
        found.append(DeadlineDetail(deadline, policy, pauses, steps, promise))
    return found


def _find_planned(
    deadline: Deadline, complaint: Complaint, policy: Policy, directory: Directory
) -> list[ExplainedStep]:
    """The steps to come, each with the users who would hear of it."""
    return [
        replace(
            one,
            recipients=find_told(complaint, one.level, one.notify, policy, directory, one.planned_at),
        )
        for one in plan_steps(deadline, complaint, policy)
    ]
