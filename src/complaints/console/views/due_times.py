"""The due times of a complaint as a person tells them, and the reasons of its priority."""

from dataclasses import dataclass
from datetime import datetime

from complaints.console.locale import Locale
from complaints.domain.complaint.facts import Complaint
from complaints.domain.staff import Directory


@dataclass(frozen=True, slots=True)
class DueTime:
    """A deadline by its name. `due_at` is in UTC; `is_past`: it is missed already."""

    name: str
    due_at: datetime
    is_past: bool


@dataclass(frozen=True, slots=True)
class IntakeOutlook:
    """What becomes of a complaint when it is saved. `chosen_by` is empty if the policy fits every complaint."""

    times: tuple[DueTime, ...]
    priority: str
    priority_word: str
    reasons: tuple[str, ...]
    team: str
    policy: str
    chosen_by: str


def outlook_of(complaint: Complaint, *, now: datetime, directory: Directory, locale: Locale) -> IntakeOutlook:
    """The outlook of a complaint. Its due times are those of unmet deadlines, the earliest first."""
    unmet = sorted((one for one in complaint.deadlines if one.unmet), key=lambda one: (one.due_at, one.kind))
    team = directory.teams.get(complaint.team)
    return IntakeOutlook(
        times=tuple(
            DueTime(locale.word("deadline_kind", one.kind), one.due_at, one.due_at < now) for one in unmet
        ),
        priority=str(complaint.priority),
        priority_word=locale.word("priority", complaint.priority),
        reasons=tuple(locale.word("priority_reason", reason) for reason in complaint.priority_reasons),
        team=locale.name(team.names, team.code) if team else complaint.team,
        policy=f"{complaint.policy_code} {complaint.policy_version}",
        chosen_by=", ".join(complaint.policy_chosen_by.values()),
    )
