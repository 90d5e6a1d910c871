"""The answer to "why this time?": a line of counted and skipped stretches up to a due time, and the same in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from complaints.console.locale import Locale
from complaints.domain.policy.policy import Policy
from complaints.domain.time.working_time import Segment
from complaints.use_cases.complaints.explanation import Explanation


class StretchKind(StrEnum):
    """What a stretch of time was. It names the style."""

    COUNTED = "counted"
    CLOSED = "closed"
    HOLIDAY = "holiday"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class TimeStretch:
    """A stretch of time from `x`, in percent of the line. `end` is None for a pause without an end."""

    kind: StretchKind
    x: float
    width: float
    words: str
    start: datetime
    end: datetime | None
    length: str


@dataclass(frozen=True, slots=True)
class ExplainedTime:
    """A due time with its stretches. `sums` are the lengths by kind, in words. `zone` is that of the policy."""

    due_at: datetime
    stretches: Sequence[TimeStretch]
    sums: Sequence[tuple[StretchKind, str]]
    zone: str
    policy: str
    other_policy: str


def explained_time_of(explained: Explanation, locale: Locale) -> ExplainedTime:
    """The explanation as a page shows it."""
    stretches = _stretches(explained, locale)
    words = locale.texts.explanation.sum
    lengths = {kind: _total(explained.segments, explained.due_at, kind) for kind in StretchKind}
    sums = [
        (kind, str(words[kind]).format(time=locale.duration(one))) for kind, one in lengths.items() if one
    ]
    return ExplainedTime(
        due_at=explained.due_at,
        stretches=stretches,
        sums=sums,
        zone=explained.policy.timezone,
        policy=name_of_policy(explained.policy, locale),
        other_policy=name_of_policy(explained.other_policy, locale) if explained.other_policy else "",
    )


def name_of_policy(policy: Policy, locale: Locale) -> str:
    """The title of a policy with its version."""
    return f"{locale.name(policy.title, policy.code)} · {policy.version}"


def _stretches(explained: Explanation, locale: Locale) -> list[TimeStretch]:
    if not explained.segments:
        return []
    start, end = explained.segments[0].start, explained.due_at
    whole = max(end - start, timedelta(seconds=1))
    made = []
    for one in explained.segments:
        last = one.end or end
        x = round((one.start - start) / whole * 100, 3)
        width = round(max(last - one.start, timedelta(0)) / whole * 100, 3)
        length = locale.duration(last - one.start) if one.end else ""
        made.append(TimeStretch(_kind_of(one), x, width, _words_of(one, locale), one.start, one.end, length))
    return made


def _kind_of(segment: Segment) -> StretchKind:
    if segment.counted:
        return StretchKind.COUNTED
    if segment.reason == "paused":
        return StretchKind.PAUSED
    return StretchKind.HOLIDAY if segment.reason.startswith("holiday") else StretchKind.CLOSED


def _words_of(segment: Segment, locale: Locale) -> str:
    """The reason of a stretch. A holiday keeps the name that the calendar gives it."""
    words = locale.texts.explanation.reason
    name, _, holiday = segment.reason.partition(": ")
    if name == "holiday" and holiday:
        return f"{words.holiday}: {holiday}"
    key = segment.reason.replace(": ", "_").replace(" ", "_")
    return str(words[key]) if key in words else segment.reason


def _total(segments: Sequence[Segment], due_at: datetime, kind: StretchKind) -> timedelta:
    found = ((one.end or due_at) - one.start for one in segments if _kind_of(one) is kind)
    return sum(found, timedelta(0))
