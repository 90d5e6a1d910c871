"""The rehearsal of an absence: what falls due for a user in a time, and who inherits it (rule 3.12)."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from complaints.domain.complaint.facts import Complaint, Deadline
from complaints.domain.policy.policy import Policy
from complaints.domain.rules.deadlines import terms_of
from complaints.domain.rules.ladder import plan_remaining_steps
from complaints.domain.rules.passing_time import find_told
from complaints.domain.staff import Directory
from complaints.domain.vocabulary import RecipientRole

_OWNER = (RecipientRole.ASSIGNEE,)


@dataclass(frozen=True, slots=True)
class Absence:
    """An absence of a user that is rehearsed: from `since` until before `until`, both in UTC."""

    login: str
    since: datetime
    until: datetime

    def contains(self, instant: datetime) -> bool:
        """True if the user is absent at `instant`."""
        return self.since <= instant < self.until

    def in_directory(self, directory: Directory, *, is_absent: bool) -> Directory:
        """The directory in which the user has this absence and no other, or none."""
        since, until = (self.since, self.until) if is_absent else (None, None)
        user = replace(directory.users[self.login], absent_from=since, absent_until=until)
        return replace(directory, users={**directory.users, self.login: user})


@dataclass(frozen=True, slots=True)
class InheritedTask:
    """Something that falls due for the absent user at `at`, in UTC.

    It is a deadline, with `step` None, or a step of its ladder. `heirs` are the users who get it. Without heirs it is
    a gap: nobody gets it.
    """

    at: datetime
    kind: str
    step: str | None
    level: int
    heirs: tuple[str, ...]


def rehearse(
    complaint: Complaint, policy: Policy, directory: Directory, absence: Absence
) -> list[InheritedTask]:
    """The tasks of a complaint that fall to the user during the absence, by time (rule 3.12). Nothing changes.

    A task falls to the user if the user would get it without the absence.
    """
    present = absence.in_directory(directory, is_absent=False)
    absent = absence.in_directory(directory, is_absent=True)
    found = []
    for deadline in complaint.deadlines:
        for at, step, level, roles in _list_tasks(deadline, complaint, policy, absence):
            if absence.login in find_told(complaint, level, roles, policy, present, at):
                heirs = find_told(complaint, level, roles, policy, absent, at)
                found.append(InheritedTask(at, deadline.kind, step, level, heirs))
    return sorted(found, key=lambda task: (task.at, task.kind, task.level))


def _list_tasks(
    deadline: Deadline, complaint: Complaint, policy: Policy, absence: Absence
) -> Iterator[tuple[datetime, str | None, int, tuple[str, ...]]]:
    """The due time and the steps of a deadline during the absence: instant, step, level and roles."""
    if not deadline.unmet:
        return
    if absence.contains(deadline.due_at):
        yield deadline.due_at, None, 0, _OWNER
    terms = terms_of(deadline, complaint, policy)
    for planned in plan_remaining_steps(deadline, terms, policy, repetitions_until=absence.until):
        if absence.contains(planned.planned_at):
            yield planned.planned_at, planned.step.name, planned.step.level, planned.step.notify
