"""The deadlines of a complaint by one policy on a line of time: what counts, what does not, and the steps of ladders.

A drawing has places as shares of its width, so it fits every screen without smaller letters.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from complaints.console.locale import Locale
from complaints.domain.policy.policy import DeadlineRule, Step
from complaints.domain.rules.ladder import PlannedStep
from complaints.domain.rules.trial import TriedDeadline
from complaints.domain.time.calendars import WorkCalendar
from complaints.domain.time.working_time import Segment, Target, Unit

_ROOM = 1.04
"""The width of a drawing in lengths of its time: the last dot does not stand at the very edge."""
_MOST_MARKS = 6
_MARKS = [timedelta(hours=hours) for hours in (1, 2, 4, 6, 12, 24, 48, 72, 168, 336, 720, 1440, 2160)]
_REASONS = {
    "paused": "paused",
    "not started": "not_started",
    "closed": "closed",
    "override: closed": "closed",
}


@dataclass(frozen=True, slots=True)
class DrawnStretch:
    """A part of the line. `tone` is `counted`, `closed`, `holiday`, `paused` or `not_started`. `x` is in percent."""

    x: str
    width: str
    tone: str
    words: str


@dataclass(frozen=True, slots=True)
class Dot:
    """A step of a ladder on the line, or the due time if `level` is "". `x` is in percent."""

    x: str
    level: str
    words: str


@dataclass(frozen=True, slots=True)
class StepWords:
    """A step of a ladder in words. `at` is its planned time; None: on no complaint yet."""

    place: str
    level: int
    recipients: str
    more: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class DrawnDeadline:
    """A deadline with its line. `explanation` names the lengths of the stretches. `calendar` is in words."""

    name: str
    target: str
    calendar: str
    started_at: datetime
    due_at: datetime
    explanation: str
    stretches: Sequence[DrawnStretch]
    dots: Sequence[Dot]
    steps: Sequence[StepWords]


@dataclass(frozen=True, slots=True)
class Mark:
    """A time on the axis. `x` is in percent."""

    x: str
    words: str


@dataclass(frozen=True, slots=True)
class TimelinePanel:
    """Deadlines that start at one instant, on one scale. `marks` are times since that start."""

    title: str
    started_at: datetime
    marks: Sequence[Mark]
    deadlines: Sequence[DrawnDeadline]


def draw_timeline(
    tried: Sequence[TriedDeadline], locale: Locale, titles: Mapping[str, Mapping[str, str]]
) -> list[TimelinePanel]:
    """The deadlines in panels, by their start. `titles` are the names of own kinds, by kind and language."""
    words = locale.texts.policy_timeline
    panels: list[TimelinePanel] = []
    for start in sorted({one.started_at for one in tried}):
        own = [one for one in tried if one.started_at == start]
        ends = [one.due_at for one in own] + [step.planned_at for one in own for step in one.steps]
        scale = _Scale(start, max(ends) - start)
        title = words.from_receipt if not panels else words.from_result
        drawn = [_draw(one, scale, locale, titles) for one in own]
        panels.append(TimelinePanel(str(title), start, scale.marks(locale), drawn))
    return panels


@dataclass(frozen=True, slots=True)
class _Scale:
    start: datetime
    length: timedelta

    def place(self, at: datetime) -> str:
        return self._share(at - self.start)

    def width(self, first: datetime, last: datetime) -> str:
        return self._share(last - first)

    def _share(self, length: timedelta) -> str:
        return f"{100 * (length / (self.length * _ROOM)):.2f}%"

    def marks(self, locale: Locale) -> list[Mark]:
        fitting = (step for step in _MARKS if self.length / step <= _MOST_MARKS)
        step = next(fitting, self.length / _MOST_MARKS)
        count = int(self.length / step)
        return [
            Mark(self._share(step * number), f"+{locale.duration(step * number)}")
            for number in range(1, count + 1)
        ]


def _draw(
    tried: TriedDeadline, scale: _Scale, locale: Locale, titles: Mapping[str, Mapping[str, str]]
) -> DrawnDeadline:
    words = locale.texts.policy_timeline
    name = name_of_kind(tried.kind, locale, titles)
    numbered = (
        str(words.numbered).format(kind=name, number=tried.sequence) if tried.kind == "follow_up" else name
    )
    steps = [_step_words(planned, locale) for planned in tried.steps]
    due = Dot(scale.place(tried.due_at), "", f"{words.due} {locale.time(tried.due_at)}")
    dots = [
        Dot(scale.place(planned.planned_at), str(planned.step.level), _dot_words(said, locale))
        for planned, said in zip(tried.steps, steps, strict=True)
    ]
    return DrawnDeadline(
        name=numbered,
        target=str(words.then).join(target_words(one, locale) for one in tried.targets),
        calendar=calendar_words(tried.calendar, locale),
        started_at=tried.started_at,
        due_at=tried.due_at,
        explanation=_explain(tried.segments, locale),
        stretches=[_stretch(one, scale, locale) for one in tried.segments if one.end is not None],
        dots=[due, *dots],
        steps=steps,
    )


def name_of_kind(kind: str, locale: Locale, titles: Mapping[str, Mapping[str, str]]) -> str:
    """The name of a kind of deadlines, also of an own kind of a policy."""
    return locale.name(titles[kind], kind) if titles.get(kind) else locale.word("deadline_kind", kind)


def _tone(segment: Segment) -> str:
    if segment.counted:
        return "counted"
    return "holiday" if segment.reason.startswith("holiday") else _REASONS.get(segment.reason, "closed")


def _stretch(segment: Segment, scale: _Scale, locale: Locale) -> DrawnStretch:
    assert segment.end is not None  # the caller leaves out a pause without end
    tone = _tone(segment)
    _, _, holiday = segment.reason.partition("holiday: ")
    said = holiday or locale.texts.policy_timeline.stretches[tone]
    words = f"{said}: {locale.time(segment.start)} – {locale.time(segment.end)}"
    return DrawnStretch(scale.place(segment.start), scale.width(segment.start, segment.end), tone, words)


def _explain(segments: Iterable[Segment], locale: Locale) -> str:
    """The lengths of what counts and of what does not, such as `counted 48 h · closed 5 d`."""
    lengths: dict[str, timedelta] = {}
    for segment in segments:
        if segment.end is not None:
            tone = _tone(segment)
            lengths[tone] = lengths.get(tone, timedelta()) + (segment.end - segment.start)
    words = locale.texts.policy_timeline.stretches
    return " · ".join(f"{words[tone]} {locale.duration(length)}" for tone, length in lengths.items())


def _dot_words(step: StepWords, locale: Locale) -> str:
    at = f" {locale.time(step.at)}" if step.at else ""
    return f"{step.place}{at}: {step.recipients}"


# Words ------------------------------------------------------------------------------------------------------


def _step_words(planned: PlannedStep, locale: Locale) -> StepWords:
    said = describe_step(planned.step, locale)
    return StepWords(said.place, said.level, said.recipients, said.more, planned.planned_at)


def describe_step(step: Step, locale: Locale) -> StepWords:
    """A step of a ladder: its place, whom it notifies, and what else it does."""
    words = locale.texts.policy_timeline
    more = []
    if step.raise_priority:
        more.append(str(words.raises_priority))
    if step.move_to_team:
        more.append(str(words.moves).format(team=step.move_to_team))
    if step.repeat:
        more.append(str(words.repeats).format(interval=step.repeat.name))
    recipients = (locale.word("recipient_role", one) for one in step.notify)
    comma = str(locale.texts.settings.list_comma)
    return StepWords(step.name, step.level, comma.join(recipients), comma.join(more))


def target_words(target: Target, locale: Locale) -> str:
    """A target in words, such as `24 h` or `5 working days from the next day`."""
    words = locale.texts.policy_timeline
    amount: object = target.amount
    if target.unit in (Unit.ELAPSED_SECONDS, Unit.OPEN_SECONDS):
        amount = _hours(target.amount, locale)
    forms = words.unit if target.amount == 1 and target.unit in words.unit else words.units
    said = str(forms[target.unit]).format(amount=amount)
    return str(words.from_next_day).format(target=said) if target.from_next_day else said


def _hours(seconds: int, locale: Locale) -> str:
    """A length in hours, or in a smaller unit if it has no whole hours: 48 hours are not 2 days here."""
    hours, rest = divmod(seconds, 3600)
    return str(locale.texts.common.units.hour).format(count=hours) if not rest else locale.duration(seconds)


def calendar_words(calendar: WorkCalendar, locale: Locale) -> str:
    """The name of the calendar, and if its hours are all hours."""
    words = locale.texts.policy_timeline
    name = calendar.name or ""
    form = words.all_hours if calendar.hours is None else words.open_hours
    return str(form).format(name=name, zone=calendar.timezone).strip()


def pause_words(rule: DeadlineRule, locale: Locale) -> str:
    """When a hold stops the clock of a rule, and for how long at most; "" if never."""
    if not rule.pauses_on:
        return ""
    words = locale.texts.policy_timeline
    reasons = str(locale.texts.settings.list_comma).join(
        locale.word("hold_reason", reason) for reason in sorted(rule.pauses_on)
    )
    if rule.pause_budget_seconds is None:
        return str(words.pauses).format(reasons=reasons)
    budget = _hours(rule.pause_budget_seconds, locale)
    return str(words.pauses_at_most).format(reasons=reasons, budget=budget)
