"""A policy as values. `use_cases.configuration.policy_document` reads it from a document."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction

from complaints.domain.time.calendars import WorkCalendar
from complaints.domain.time.working_time import Target
from complaints.domain.vocabulary import (
    AccessRole,
    Cause,
    DeadlineKind,
    HoldReason,
    Priority,
    RecipientRole,
    Severity,
)


@dataclass(frozen=True, slots=True)
class Step:
    """One rung of a ladder.

    Exactly one of `share` (of the target's open time, 1 = due) and `offset` (from due) is set. An offset is
    in `offset_seconds` of the deadline's own time, or in `offset_days` of calendar days at the same local
    time.
    """

    name: str
    level: int
    notify: tuple[RecipientRole, ...]
    share: Fraction | None = None
    offset_seconds: int | None = None
    offset_days: int | None = None
    raise_priority: bool = False
    move_to_team: str | None = None


@dataclass(frozen=True, slots=True)
class TargetChoice:
    """A target for some complaints; None means any. The first choice that fits is taken."""

    target: Target
    priority: Priority | None = None
    category: str | None = None


@dataclass(frozen=True, slots=True)
class DeadlineRule:
    """How deadlines of one kind run. `targets` is empty for kinds whose due time comes from elsewhere."""

    kind: DeadlineKind
    targets: tuple[TargetChoice, ...]
    calendar: WorkCalendar
    ladder: tuple[Step, ...]
    pauses_on: frozenset[HoldReason] = frozenset()
    pause_budget_seconds: int | None = None
    step_offsets: dict[Target, Mapping[str, timedelta]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    """What `escalation` has reckoned before: from the start to each step, for clocks that never stand still."""

    def target_for(self, priority: Priority, category: str | None) -> Target:
        """The first target that fits; a category also fits its children (`network` fits `network.outage`)."""
        parent = category.partition(".")[0] if category else None
        return next(
            choice.target
            for choice in self.targets
            if choice.priority in (None, priority) and choice.category in (None, category, parent)
        )


@dataclass(frozen=True, slots=True)
class Route:
    """Complaints that fit go to `team`; None means any. The first route that fits is taken."""

    team: str
    cause: Cause | None = None
    category: str | None = None
    region: str | None = None


@dataclass(frozen=True, slots=True)
class PriorityRule:
    """How a priority is derived where none is given (see `classification.derive_priority`)."""

    from_severity: Mapping[Severity, Priority]
    raised_by: frozenset[str]  # of "vulnerable", "repeat", "regulator"
    repeat_window_days: int


@dataclass(frozen=True, slots=True)
class HolidayTable:
    """Where a calendar's holidays of one year come from, and whether they are official (published) or a
    guess.
    """

    year: int
    source: str
    confirmed: bool


@dataclass(frozen=True, slots=True)
class Policy:
    """One version of one policy, in force from `effective_at` until another takes over.

    `follow_ups` gives, by priority, the targets of follow-ups 1…n, all counted from the result fed back.
    `closure` is counted from the last follow-up's due time. `acknowledgement` is the text by language that
    tells the complainant it was received; "{number}" in it stands for the complaint's number.
    `holiday_tables` are by calendar name.
    """

    code: str
    version: int
    title: Mapping[str, str]
    effective_at: datetime
    timezone: str
    phone_region: str
    calendars: Mapping[str, WorkCalendar]
    rules: Mapping[DeadlineKind, DeadlineRule]
    priorities: PriorityRule
    follow_ups: Mapping[Priority, tuple[Target, ...]]
    closure: Target
    contact_match_days: int
    unreachable_retry: Target
    unreachable_attempts: int
    hold_maximum: Target
    reopen_window: Target
    routes: tuple[Route, ...]
    default_team: str
    early_close_roles: frozenset[AccessRole]
    acknowledgement: Mapping[str, str]
    holiday_tables: Mapping[str, tuple[HolidayTable, ...]] = field(default_factory=dict)

    def acknowledgement_for(self, language: str | None, *, number: str) -> str:
        """The acknowledgement of complaint `number` in `language` (BCP 47), else in its primary one, else
        English.
        """
        tags = [language, language.partition("-")[0].lower()] if language else []
        text = next((self.acknowledgement[tag] for tag in tags if tag in self.acknowledgement), None)
        return (text or self.acknowledgement["en"]).replace("{number}", number)
