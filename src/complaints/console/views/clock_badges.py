"""The badge of a deadline: its state as icon and words, such as `overdue 2 h 05 (result)`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from complaints.console.locale import Locale
from complaints.domain.vocabulary import DeadlineStatus

SOON = timedelta(hours=24)
UNMET = frozenset({DeadlineStatus.RUNNING, DeadlineStatus.PAUSED, DeadlineStatus.BREACHED})
"""The statuses of a deadline that still waits to be met."""


class Tone(StrEnum):
    """The tone of a badge. It names the style, and the icon too: no information is in the colour alone."""

    LATE = "late"
    SOON = "soon"
    RUNNING = "run"
    PAUSED = "pause"
    MET = "ok"
    CANCELLED = "none"


@dataclass(frozen=True, slots=True)
class ClockBadge:
    """What a badge shows. `words` hold at `now`; the browser writes them again while `counts`. `due_at` is in UTC."""

    kind: str
    tone: Tone
    words: str
    due_at: datetime
    counts: bool


def badge_of(deadline: Mapping[str, Any], now: datetime, locale: Locale) -> ClockBadge:
    """The badge of one deadline at `now`."""
    kind, status, due_at = str(deadline["kind"]), deadline["status"], deadline["due_at"]
    words, name = locale.texts.clock, locale.word("deadline_kind", kind)
    if status == DeadlineStatus.PAUSED:
        until = deadline["paused_until"]
        form = words.paused_until if until else words.paused
        text = form.format(kind=name, time=locale.time(until, now=now) if until else "")
        return ClockBadge(kind, Tone.PAUSED, text, due_at, counts=False)
    if status in UNMET:
        tone = Tone.LATE if now > due_at else Tone.SOON if due_at - now <= SOON else Tone.RUNNING
        form = words.late if tone is Tone.LATE else words.due
        text = form.format(kind=name, time=locale.duration(due_at - now))
        return ClockBadge(kind, tone, text, due_at, counts=True)
    if status == DeadlineStatus.CANCELLED:
        return ClockBadge(kind, Tone.CANCELLED, words.cancelled.format(kind=name), due_at, counts=False)
    form = words.met_late if status == DeadlineStatus.MET_LATE else words.met
    return ClockBadge(kind, Tone.MET, form.format(kind=name), due_at, counts=False)


def find_nearest_clock(deadlines: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The unmet deadline that is due first: a running or missed one before a paused one. None: all are met."""
    unmet = [one for one in deadlines if one["status"] in UNMET]
    return min(unmet, key=lambda one: (one["status"] == DeadlineStatus.PAUSED, one["due_at"]), default=None)


def clock_words(locale: Locale) -> dict[str, Any]:
    """The words with which the browser counts a badge on."""
    clock, units, kinds = locale.texts.clock, locale.texts.common.units, locale.texts.words.deadline_kind
    return {
        "late": clock.late,
        "due": clock.due,
        **{unit: units[unit] for unit in ("day", "hour", "minute")},
        "kinds": {kind: kinds[kind] for kind in kinds},
    }
