"""Clocks against a naive oracle that looks at every minute, in random calendars (rules 2.3–2.6)."""

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from complaints.domain.time.calendars import Span, WorkCalendar, always_open, open_intervals
from complaints.domain.time.working_time import (
    Pause,
    Target,
    Unit,
    add_time,
    due_at,
    elapsed_seconds,
    explain,
    pause_extension_seconds,
    share_at,
    subtract_time,
)
from tests.examples import examples

MINUTE = timedelta(minutes=1)
DAYS = 6
MINUTES = DAYS * 24 * 60

# Where the zone does something, and a day some time before it.
PLACES = [
    ("UTC", datetime(2026, 3, 27, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 3, 27, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 10, 23, tzinfo=UTC)),
    ("America/New_York", datetime(2024, 11, 1, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 4, 2, tzinfo=UTC)),  # 30 minutes back
    ("Australia/Lord_Howe", datetime(2026, 10, 1, tzinfo=UTC)),
    ("America/Sao_Paulo", datetime(2018, 11, 2, tzinfo=UTC)),  # midnight does not exist
    ("America/Sao_Paulo", datetime(2015, 2, 19, tzinfo=UTC)),  # 23:00 comes twice
    ("America/Havana", datetime(2025, 10, 31, tzinfo=UTC)),  # midnight comes twice
    ("America/St_Johns", datetime(2010, 11, 5, tzinfo=UTC)),  # 00:01 back to 23:01 of the day before
    ("America/Scoresbysund", datetime(2024, 3, 28, tzinfo=UTC)),  # over midnight in one leap
    ("America/Toronto", datetime(1919, 3, 28, tzinfo=UTC)),  # 23:30 to 00:30
    ("Pacific/Apia", datetime(2011, 12, 27, tzinfo=UTC)),  # 30 December did not happen
    ("Asia/Kathmandu", datetime(2026, 3, 27, tzinfo=UTC)),
]


# The oracle -------------------------------------------------------------------------------------------------


@lru_cache(maxsize=64)
def walls(zone: str, base: datetime) -> tuple[datetime, ...]:
    """The wall time of every minute, two days around included."""
    info = ZoneInfo(zone)
    first = base - timedelta(days=2)
    return tuple(
        (first + n * MINUTE).astimezone(info).replace(tzinfo=None, fold=0)
        for n in range(MINUTES + 4 * 24 * 60)
    )


@lru_cache(maxsize=64)
def first_shown(zone: str, base: datetime) -> dict[datetime, int]:
    """The minute at which the wall clock first shows each time."""
    return {wall: index for index, wall in reversed(list(enumerate(walls(zone, base))))}


@lru_cache(maxsize=64)
def dates(zone: str, base: datetime) -> list[date]:
    """The local dates that happened."""
    return sorted({wall.date() for wall in walls(zone, base)})


@lru_cache(maxsize=65_536)
def boundary(zone: str, base: datetime, wall: datetime) -> int:
    """The minute at which the wall clock first shows `wall`, or would have, had it not leapt over it."""
    shown = walls(zone, base)
    if wall in first_shown(zone, base):
        return first_shown(zone, base)[wall]
    if wall < shown[0]:
        return 0
    for index in range(1, len(shown)):
        if shown[index - 1] < wall < shown[index]:
            return index + (wall - shown[index - 1] - MINUTE) // MINUTE
    return len(shown)


def open_minutes(calendar: WorkCalendar, base: datetime) -> list[bool]:
    """Whether each minute counts, index 0 two days before `base`."""
    shown = walls(calendar.timezone, base)
    if calendar.hours is None:
        return [True] * len(shown)
    opened = [False] * len(shown)
    for on in dates(calendar.timezone, base):
        spans = calendar.hours.get(on.weekday(), ())
        if on in calendar.holidays:
            spans = ()
        spans = calendar.overrides.get(on, spans)
        midnight = datetime.combine(on, datetime.min.time())
        for start, end in spans:
            first = boundary(calendar.timezone, base, midnight + timedelta(seconds=start))
            last = boundary(calendar.timezone, base, midnight + timedelta(seconds=end))
            opened[first:last] = [True] * len(opened[first:last])
    return opened


def counted_minutes(calendar: WorkCalendar, base: datetime, pauses: list[Pause]) -> list[bool]:
    """Whether each minute from `base` on counts."""
    counted = open_minutes(calendar, base)[2 * 24 * 60 :][:MINUTES]
    for start, end in pauses:
        first = (start - base) // MINUTE
        last = MINUTES if end is None else (end - base) // MINUTE
        within = slice(max(0, first), max(0, min(MINUTES, last)))
        counted[within] = [False] * len(counted[within])
    return counted


# Random worlds ----------------------------------------------------------------------------------------------


@st.composite
def some_spans(draw: st.DrawFn) -> tuple[Span, ...]:
    bounds = draw(st.lists(st.integers(0, 96), max_size=6, unique=True).map(sorted))
    pairs = zip(bounds[::2], bounds[1::2], strict=False)
    return tuple((start * 900, end * 900) for start, end in pairs)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[WorkCalendar, datetime]:
    zone, base = draw(st.sampled_from(PLACES))
    days = st.integers(0, DAYS).map(lambda n: (base + timedelta(days=n)).date())
    hours = draw(
        st.one_of(
            st.just(dict.fromkeys(range(7), ((0, 86400),))),
            st.dictionaries(st.integers(0, 6), some_spans(), min_size=3),
            st.dictionaries(st.integers(0, 6), some_spans(), min_size=6),
            st.none(),
        )
    )
    holidays = draw(st.dictionaries(days, st.just("fair"), max_size=2))
    overrides = draw(st.dictionaries(days, some_spans(), max_size=2))
    return WorkCalendar(zone, hours, holidays, overrides), base


@st.composite
def some_pauses(draw: st.DrawFn) -> list[tuple[int, int | None]]:
    starts = draw(st.lists(st.integers(-600, MINUTES), max_size=4))
    return [(start, start + draw(st.integers(0, 2_000))) for start in starts]


def in_world(base: datetime, pauses: list[tuple[int, int | None]]) -> list[Pause]:
    return [(base + a * MINUTE, None if b is None else base + b * MINUTE) for a, b in pauses]


minutes_in = st.integers(0, MINUTES)


# Against the oracle -----------------------------------------------------------------------------------------


@settings(max_examples=examples(35))
@given(worlds(), minutes_in, minutes_in, some_pauses())
def test_elapsed_is_the_sum_of_the_minutes_that_count(
    world: tuple[WorkCalendar, datetime], first: int, last: int, paused: list[tuple[int, int | None]]
) -> None:
    calendar, base = world
    pauses = in_world(base, paused)
    expected = sum(counted_minutes(calendar, base, pauses)[first:last]) * 60
    assert elapsed_seconds(base + first * MINUTE, base + last * MINUTE, calendar, pauses) == expected


@settings(max_examples=examples(35))
@given(worlds(), minutes_in, st.integers(1, 3_000), some_pauses(), st.booleans())
def test_due_is_the_end_of_the_last_minute_needed(
    world: tuple[WorkCalendar, datetime],
    first: int,
    amount: int,
    paused: list[tuple[int, int | None]],
    endless: bool,
) -> None:
    calendar, base = world
    if endless:
        paused = [*paused, (min(first + amount, MINUTES - 1), None)]
    pauses = in_world(base, paused)
    counted = counted_minutes(calendar, base, pauses)
    needed = [minute for minute in range(first, MINUTES) if counted[minute]]
    start, target = base + first * MINUTE, Target(amount * 60, Unit.OPEN_SECONDS)
    if len(needed) >= amount:
        due = due_at(start, target, calendar, pauses)
        assert due == base + (needed[amount - 1] + 1) * MINUTE
        assert explain(start, target, calendar, pauses)[-1].end == due
    elif endless:
        assert due_at(start, target, calendar, pauses) is None
        assert explain(start, target, calendar, pauses)[-1].end is None
    else:
        assert elapsed_seconds(start, base + MINUTES * MINUTE, calendar, pauses) < amount * 60


@settings(max_examples=examples(40))
@given(worlds(), minutes_in, st.integers(1, 2_000), some_pauses())
def test_subtracting_finds_the_beginning_of_the_earliest_minute_needed(
    world: tuple[WorkCalendar, datetime], last: int, amount: int, paused: list[tuple[int, int | None]]
) -> None:
    calendar, base = world
    pauses = in_world(base, paused)
    counted = counted_minutes(calendar, base, pauses)
    needed = [minute for minute in range(last - 1, -1, -1) if counted[minute]]
    if len(needed) >= amount:
        expected = base + needed[amount - 1] * MINUTE
        assert subtract_time(base + last * MINUTE, amount * 60, calendar, pauses) == expected


# Laws -------------------------------------------------------------------------------------------------------

STEADY = st.sampled_from(
    [
        WorkCalendar("Europe/Berlin", dict.fromkeys(range(5), ((32400, 64800),))),
        WorkCalendar(
            "Australia/Lord_Howe",
            dict.fromkeys(range(7), ((0, 21600), (79200, 86400))),
            {date(2026, 4, 5): "fair"},
        ),
        WorkCalendar(
            "America/Sao_Paulo", {6: ((0, 3_600), (7_200, 86_400))}, {}, {date(2018, 11, 5): ((0, 9),)}
        ),
        always_open("Asia/Shanghai"),
    ]
)
instants = st.integers(0, 16 * 366 * 86_400).map(
    lambda s: datetime(2015, 1, 1, tzinfo=UTC) + timedelta(seconds=s)
)
amounts = st.integers(1, 40 * 86_400)


@st.composite
def short_pauses(draw: st.DrawFn, start: datetime) -> list[Pause]:
    offsets = draw(st.lists(st.tuples(st.integers(-90_000, 900_000), st.integers(0, 400_000)), max_size=3))
    return [(start + timedelta(seconds=a), start + timedelta(seconds=a + b)) for a, b in offsets]


@settings(max_examples=examples(60))
@given(STEADY, instants, amounts, st.data())
def test_elapsed_until_due_is_the_target_and_one_moment_before_it_is_less(
    calendar: WorkCalendar, start: datetime, amount: int, data: Any
) -> None:
    pauses = data.draw(short_pauses(start))
    due = add_time(start, amount, calendar, pauses)
    assert due is not None
    assert elapsed_seconds(start, due, calendar, pauses) == amount
    assert elapsed_seconds(start, due - timedelta(microseconds=1), calendar, pauses) < amount


@settings(max_examples=examples(40))
@given(STEADY, instants, amounts, st.data())
def test_subtracting_and_adding_are_inverse(
    calendar: WorkCalendar, start: datetime, amount: int, data: Any
) -> None:
    pauses = data.draw(short_pauses(start))
    due = add_time(start, amount, calendar, pauses)
    assert due is not None
    back = subtract_time(due, amount, calendar, pauses)
    assert back >= start
    assert elapsed_seconds(start, back, calendar, pauses) == 0
    assert add_time(back, amount, calendar, pauses) == due


@settings(max_examples=examples(40))
@given(STEADY, instants, amounts, amounts, st.data())
def test_due_never_moves_back_for_a_later_start_or_a_longer_target(
    calendar: WorkCalendar, start: datetime, amount: int, more: int, data: Any
) -> None:
    pauses = data.draw(short_pauses(start))
    target = Target(amount, Unit.OPEN_SECONDS)
    due = due_at(start, target, calendar, pauses)
    later = due_at(start + timedelta(seconds=more), target, calendar, pauses)
    longer = due_at(start, Target(amount + more, Unit.OPEN_SECONDS), calendar, pauses)
    assert due is not None
    assert later is not None
    assert longer is not None
    assert due <= later
    assert due < longer


TARGETS = st.one_of(
    st.builds(Target, amounts, st.sampled_from([Unit.ELAPSED_SECONDS, Unit.OPEN_SECONDS]), st.booleans()),
    st.builds(Target, st.integers(1, 30), st.just(Unit.WORKING_DAYS), st.booleans()),
    st.builds(Target, st.integers(1, 90), st.just(Unit.CALENDAR_DAYS), st.booleans()),
    st.builds(Target, st.integers(1, 14), st.just(Unit.CALENDAR_MONTHS), st.booleans()),
)


@settings(max_examples=examples(60))
@given(STEADY, instants, TARGETS, st.data())
def test_the_explanation_covers_the_time_to_due_and_its_sums_agree(
    calendar: WorkCalendar, start: datetime, target: Target, data: Any
) -> None:
    pauses = data.draw(short_pauses(start))
    due = due_at(start, target, calendar, pauses)
    segments = explain(start, target, calendar, pauses)
    ends = [segment.end for segment in segments]
    assert [segment.start for segment in segments] == [start, *ends[:-1]]
    assert ends[-1] == due
    assert all(s.end is not None and s.start < s.end for s in segments)
    paused = sum((s.end - s.start for s in segments if s.end and s.reason == "paused"), timedelta())
    assert paused // timedelta(seconds=1) == pause_extension_seconds(start, target, calendar, pauses)
    counted = sum((s.end - s.start for s in segments if s.end and s.counted), timedelta())
    unpaused = explain(start, target, calendar)
    assert counted == sum((s.end - s.start for s in unpaused if s.end and s.counted), timedelta())


@settings(max_examples=examples(40))
@given(STEADY, instants, TARGETS, st.data())
def test_shares_are_in_order_and_the_whole_is_due(
    calendar: WorkCalendar, start: datetime, target: Target, data: Any
) -> None:
    pauses = data.draw(short_pauses(start))
    shares = [Fraction(0), Fraction(1, 2), Fraction(4, 5), Fraction(1), Fraction(3, 2)]
    at = [share_at(start, target, calendar, pauses, share) for share in shares]
    moments = [moment for moment in at if moment is not None]
    assert len(moments) == len(shares)
    assert moments == sorted(moments)
    assert moments[3] == due_at(start, target, calendar, pauses)


@settings(max_examples=examples(25))
@given(STEADY, instants, st.integers(0, 3_000), st.integers(1, 3_600 * 9))
def test_weeks_taken_in_one_step_are_the_sum_of_their_days(
    calendar: WorkCalendar, start: datetime, days: int, seconds: int
) -> None:
    end = start + timedelta(days=days, seconds=seconds)
    total = timedelta()
    for first, last in open_intervals(calendar, start):
        if first >= end:
            break
        total += min(last, end) - first
        if last >= end:
            break
    assert timedelta(seconds=elapsed_seconds(start, end, calendar)) == pytest.approx(
        total, abs=timedelta(microseconds=1)
    )
    whole = int(total.total_seconds())
    if whole > 0:
        due = add_time(start, whole, calendar)
        assert due is not None
        assert due <= end
        assert elapsed_seconds(start, due, calendar) == whole


@settings(max_examples=examples(15))
@given(worlds(), minutes_in)
def test_open_intervals_ascend_and_are_the_minutes_that_count(
    world: tuple[WorkCalendar, datetime], first: int
) -> None:
    calendar, base = world
    start, stop = base + first * MINUTE, base + MINUTES * MINUTE
    counted = [False] * MINUTES
    before = start
    for begin, end in open_intervals(calendar, start):
        if begin >= stop:
            break
        assert before <= begin < end
        before = end
        last = min(MINUTES, (min(end, stop) - base) // MINUTE)
        for minute in range((begin - base) // MINUTE, last):
            counted[minute] = True
    expected = counted_minutes(calendar, base, [])
    assert counted[first:] == expected[first:]
