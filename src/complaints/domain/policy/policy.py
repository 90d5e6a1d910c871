"""A policy as values. `use_cases.policy_document` reads it from a document."""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import chain

from complaints.domain.policy.circumstances import NARROWING, Circumstances, choose_closest
from complaints.domain.time.calendars import WorkCalendar
from complaints.domain.time.notation import Repeat
from complaints.domain.time.working_time import Target
from complaints.domain.vocabulary import (
    AccessRole,
    Action,
    AssignmentMethod,
    Cause,
    ContactAfterEnd,
    DeadlineStart,
    HoldReason,
    Priority,
    Severity,
)


@dataclass(frozen=True, slots=True)
class Step:
    """One rung of a ladder.

    Exactly one of `share`, `offset_seconds` and `offset_days` is set. `share` is a share of the target; 1 is
    the due time. `offset_seconds` counts from the due time in the time that the deadline counts. `offset_days`
    are calendar days from the due time, at the same local time. Only the last step of a ladder has `repeat`.
    `notify` has recipient roles and named recipients, such as `user:zhang.wei` (`recipients`).
    """

    name: str
    level: int
    notify: tuple[str, ...]
    share: Fraction | None = None
    offset_seconds: int | None = None
    offset_days: int | None = None
    raise_priority: bool = False
    move_to_team: str | None = None
    repeat: Repeat | None = None


@dataclass(frozen=True, slots=True)
class TargetChoice(Circumstances):
    """A target for some complaints. The one that fits a complaint most closely is taken (rule 4.12)."""

    target: Target


@dataclass(frozen=True, slots=True)
class PlanChoice(Circumstances):
    """The follow-up plan for some complaints: the targets of follow-ups 1 to n."""

    plan: tuple[Target, ...]


@dataclass(frozen=True, slots=True)
class DeadlineRule:
    """The rule for deadlines of one kind. `targets` is empty for a kind that takes its due time from elsewhere.

    An own kind has `starts`. Only the actions in `met_by` meet its deadlines (rule 4.7). `title` is its name for
    people, by language; it may be empty.
    """

    kind: str
    targets: tuple[TargetChoice, ...]
    calendar: WorkCalendar
    ladder: tuple[Step, ...]
    pauses_on: frozenset[HoldReason] = frozenset()
    pause_budget_seconds: int | None = None
    starts: DeadlineStart | None = None
    met_by: frozenset[Action] = frozenset()
    title: Mapping[str, str] = field(default_factory=dict, hash=False)
    step_offsets: dict[Target, Mapping[str, timedelta]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    """A cache of `rules.ladder`: the time from the start to each step, for targets that never pause."""
    step_times: dict[Hashable, dict[str, datetime]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    """A cache of `rules.ladder`: the times of the steps of the last deadlines whose time may stop."""

    def target_for(self, priority: Priority | None, category: str | None, **narrowing: str | None) -> Target:
        """The target that fits most closely. A category also fits its children: `network` fits `network.outage`.

        `narrowing` are the channel, the region and the source. A subject that is no complaint has none of these.
        """
        chosen = choose_closest(self.targets, {"priority": priority, "category": category, **narrowing})
        assert chosen is not None  # the last target fits every complaint
        return chosen.target


@dataclass(frozen=True, slots=True)
class Route:
    """A route sends complaints that fit to `team`. None means any. The first route that fits is taken."""

    team: str
    cause: Cause | None = None
    category: str | None = None
    region: str | None = None


@dataclass(frozen=True, slots=True)
class PriorityRule:
    """The rule for the priority of a complaint without a given one (`classification.derive_priority`)."""

    from_severity: Mapping[Severity, Priority]
    raised_by: frozenset[str]  # of "vulnerable", "repeat", "regulator"
    repeat_window_days: int


@dataclass(frozen=True, slots=True)
class HolidayTable:
    """The source of the holidays of one year. `confirmed` is true if they were officially published."""

    year: int
    source: str
    confirmed: bool


@dataclass(frozen=True, slots=True)
class Policy:
    """One version of one policy. It is in force from `effective_at` until another policy takes over.

    `follow_ups` has the targets of follow-ups 1 to n by priority. All count from the time of the result.
    `closure` counts from the due time of the last follow-up. `acknowledgement` is the text, by language, that
    confirms the receipt to the complainant; "{number}" stands for the number of the complaint.
    `holiday_tables` are by calendar name. `contact_after_end` says what a contact does within the reopen window.
    `assignment` is by the code of the team; in other teams, complaints wait for somebody to take them. The duty rota
    counts while the calendar named `duty_outside` is closed, and without such a calendar always.
    `follow_ups_where` and `closure_where` are for some complaints, in place of `follow_ups` and `closure`.
    `own_rules` are the rules of the own kinds. `narrowing` names those of channel, region and source by which a
    target is chosen. `applies_to` has the values by which complaints are chosen, by member; it is empty for a policy
    that fits every complaint. A policy that does not fit every complaint may end at `effective_until`. An `example` is
    to be checked by the operator. `sources` name the laws and regulations that the policy follows.
    """

    code: str
    version: int
    title: Mapping[str, str]
    effective_at: datetime
    timezone: str
    phone_region: str
    calendars: Mapping[str, WorkCalendar]
    rules: Mapping[str, DeadlineRule]
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
    contact_after_end: ContactAfterEnd = ContactAfterEnd.REOPEN
    assignment: Mapping[str, AssignmentMethod] = field(default_factory=dict)
    duty_outside: str | None = None
    applies_to: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    effective_until: datetime | None = None
    example: bool = False
    sources: tuple[str, ...] = ()
    follow_ups_where: tuple[PlanChoice, ...] = ()
    closure_where: tuple[TargetChoice, ...] = ()
    own_rules: tuple[DeadlineRule, ...] = field(init=False, repr=False, compare=False)
    narrowing: tuple[str, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Find what follows from the rules, once for all complaints."""
        rules = self.rules.values()
        own = tuple(rule for rule in rules if rule.starts is not None)
        object.__setattr__(self, "own_rules", own)
        object.__setattr__(self, "narrowing", _narrowing_of(chain.from_iterable(r.targets for r in rules)))

    def acknowledgement_for(self, language: str | None, *, number: str) -> str:
        """The acknowledgement text of complaint `number` in `language` (a BCP 47 tag).

        If there is none: in the main language of the tag, or else in English.
        """
        tags = [language, language.partition("-")[0].lower()] if language else []
        text = next((self.acknowledgement[tag] for tag in tags if tag in self.acknowledgement), None)
        return (text or self.acknowledgement["en"]).replace("{number}", number)


def _narrowing_of(choices: Iterable[Circumstances]) -> tuple[str, ...]:
    used = {name for choice in choices for name in choice.conditions}
    return tuple(name for name in NARROWING if name in used)
