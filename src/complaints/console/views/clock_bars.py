"""A deadline as a bar: the time that was used, paused and late, the due time, the present, and the steps as dots.

The places are percentages of the width of the bar, so that a drawing takes them as attributes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from complaints.console.locale import Locale
from complaints.console.views.clock_badges import ClockBadge, badge_of
from complaints.console.views.inbox_rows import describe_length, describe_step
from complaints.console.views.names import ShownNames
from complaints.domain.complaint.facts import Deadline
from complaints.domain.time.working_time import Pause
from complaints.domain.vocabulary import DeadlineKind, DeadlineStatus
from complaints.use_cases.complaints.deadline_details import DeadlineDetail
from complaints.use_cases.complaints.explanation import ExplainedStep

_MARGIN = 1.03  # the line at the end of a bar stays visible
_LOOK_AHEAD = 1.25  # steps to come are drawn up to this multiple of the length without them
_Span = tuple[datetime, datetime]


class PieceKind(StrEnum):
    """What the time of a piece was. It names the style."""

    USED = "used"
    PAUSED = "paused"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class BarPiece:
    """A piece of a bar from `x`, in percent."""

    kind: PieceKind
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class StepDot:
    """A step of the ladder at `x`, in percent."""

    x: float
    taken: bool


@dataclass(frozen=True, slots=True)
class LadderLine:
    """A step of the ladder in words. `at` is when it was taken, or is planned. `state` says what became of it."""

    name: str
    level: str
    at: datetime
    recipients: str
    roles: str
    taken: bool
    state: str


@dataclass(frozen=True, slots=True)
class ClockBar:
    """What the bar of a deadline shows. `now_x` is None once it is met or cancelled. `zone` is that of its policy.

    `used` says how long it took until it was met; "" before. `paused` is the length of its pauses; "" without any.
    """

    id: UUID
    name: str
    promise: str
    badge: ClockBadge
    started_at: datetime
    due_at: datetime
    met_at: datetime | None
    used: str
    paused: str
    zone: str
    pieces: Sequence[BarPiece]
    dots: Sequence[StepDot]
    due_x: float
    now_x: float | None
    ladder: Sequence[LadderLine]
    ladder_words: str


def bar_of(detail: DeadlineDetail, now: datetime, names: ShownNames) -> ClockBar:
    """The bar of one deadline at `now`."""
    deadline, locale = detail.deadline, names.locale
    scale = _scale_of(detail, now)
    stop = _stop_of(deadline, now)
    words = locale.texts.clock
    paused = timedelta(seconds=deadline.paused_seconds)
    ladder = [_line_of(step, names) for step in detail.steps]
    return ClockBar(
        id=deadline.id,
        name=name_of_deadline(deadline, names),
        promise=names.text(detail.promise),
        badge=badge_of({**vars(deadline), "kind": names.own_kind(deadline.kind)}, now, locale),
        started_at=deadline.started_at,
        due_at=deadline.due_at,
        met_at=deadline.met_at,
        used=locale.duration(deadline.met_at - deadline.started_at) if deadline.met_at else "",
        paused=str(words.paused_for).format(time=locale.duration(paused)) if paused else "",
        zone=detail.policy.timezone,
        pieces=[piece for piece in _pieces(deadline, detail.pauses, stop, scale) if piece.width > 0],
        dots=[StepDot(_place(step.planned_at, scale), step.taken_at is not None) for step in detail.steps
              if step.planned_at <= scale[1]],
        due_x=_place(deadline.due_at, scale),
        now_x=_place(now, scale) if deadline.unmet else None,
        ladder=ladder,
        ladder_words=_ladder_words(detail.steps, now, locale),
    )  # fmt: skip


def name_of_deadline(deadline: Deadline, names: ShownNames) -> str:
    """The name of a deadline, with the number of a follow-up and of its attempt."""
    words, name = names.locale.texts.clock, names.kind(deadline.kind)
    if deadline.kind == DeadlineKind.FOLLOW_UP:
        name = str(words.numbered).format(kind=name, number=deadline.sequence)
    if deadline.attempt > 1:
        name = str(words.attempt).format(kind=name, number=deadline.attempt)
    return name


def _stop_of(deadline: Deadline, now: datetime) -> datetime:
    """The end of the time that is drawn as used: when it was met, or the present."""
    if deadline.status is DeadlineStatus.CANCELLED:
        return deadline.started_at
    return deadline.met_at or now


def _scale_of(detail: DeadlineDetail, now: datetime) -> _Span:
    """The first and the last instant of the bar."""
    start = detail.deadline.started_at
    end = max(detail.deadline.due_at, _stop_of(detail.deadline, now))
    ahead = start + (end - start) * _LOOK_AHEAD
    end = max([end, *(step.planned_at for step in detail.steps if step.planned_at <= ahead)])
    return start, start + max((end - start) * _MARGIN, timedelta(seconds=1))


def _place(instant: datetime, scale: _Span) -> float:
    start, end = scale
    share = (instant - start) / (end - start)
    return round(min(max(share, 0.0), 1.0) * 100, 2)


def _pieces(deadline: Deadline, pauses: Sequence[Pause], stop: datetime, scale: _Span) -> Iterable[BarPiece]:
    used_until, at = min(stop, deadline.due_at), deadline.started_at
    for start, end in pauses:
        last = min(end or deadline.due_at, deadline.due_at)
        if start < used_until:
            yield _piece(PieceKind.USED, at, start, scale)
            at = max(at, last)
        yield _piece(PieceKind.PAUSED, start, last, scale)
    yield _piece(PieceKind.USED, at, used_until, scale)
    yield _piece(PieceKind.OVER, deadline.due_at, stop, scale)


def _piece(kind: PieceKind, start: datetime, end: datetime, scale: _Span) -> BarPiece:
    x = _place(start, scale)
    return BarPiece(kind, x, round(_place(end, scale) - x, 2))


def _line_of(step: ExplainedStep, names: ShownNames) -> LadderLine:
    words = names.locale.texts.clock.step
    level = words.level.format(level=step.level) if step.level else words.reminder
    place = describe_step(step.step, names.locale, due=words.at_due)
    name = (
        words.repeated.format(step=place, every=describe_length(step.repeat, names.locale))
        if step.repeat
        else place
    )
    return LadderLine(
        name=name,
        level=str(level),
        at=step.taken_at or step.planned_at,
        recipients=names.users(step.recipients),
        roles=names.roles(step.notify),
        taken=step.taken_at is not None,
        state=_state_of(step, names),
    )


def _state_of(step: ExplainedStep, names: ShownNames) -> str:
    words = names.locale.texts.clock.step
    if step.taken_at is None:
        return str(words.planned)
    if step.superseded:
        return str(words.superseded)
    if step.acknowledged_by:
        return str(words.acknowledged).format(name=names.actor(step.acknowledged_by))
    return str(words.taken)


def _ladder_words(steps: Sequence[ExplainedStep], now: datetime, locale: Locale) -> str:
    """How many steps were taken, and when the next one is due. "" without steps."""
    words = locale.texts.clock.step
    taken = sum(step.taken_at is not None for step in steps)
    following = next((step for step in steps if step.taken_at is None), None)
    if not steps:
        return ""
    said = str(words.count).format(taken=taken, total=len(steps))
    if following is None or following.planned_at <= now:
        return said
    when = locale.duration(following.planned_at - now)
    return f"{said} · {str(words.next).format(step=describe_step(following.step, locale, due=words.at_due), time=when)}"
