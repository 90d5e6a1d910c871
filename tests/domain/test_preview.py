"""Due times of nothing stored: durations, limits and faults (`POST /v1/deadlines/preview` and `/elapsed`)."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from complaints.domain.errors import InvalidContent
from complaints.domain.time.calendar_document import parse_calendar
from complaints.domain.time.calendars import WorkCalendar
from complaints.domain.time.preview import Duration, parse_duration, plan_elapsed, plan_preview
from complaints.domain.time.working_time import Pause

START = datetime(2026, 11, 23, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
MORNINGS = parse_calendar({"timezone": "Europe/Berlin", "hours": {"mon": [["09:00", "12:00"]]}})
NEVER = parse_calendar({"timezone": "Europe/Berlin", "hours": {}})
ALL_WEEK = parse_calendar(
    {
        "timezone": "Europe/Berlin",
        "hours": {day: [["00:00", "24:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")},
    }
)


def fault_of(call: Any, *args: Any) -> str:
    with pytest.raises(InvalidContent) as refusal:
        call(*args)
    (fault,) = refusal.value.faults
    assert fault.message
    return fault.pointer


# Durations --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "months", "days", "seconds"),
    [
        ("PT4H", 0, 0, 14_400),
        ("PT1H30M", 0, 0, 5_400),
        ("PT90S", 0, 0, 90),
        ("P1D", 0, 1, 0),
        ("P1M", 1, 0, 0),
        ("P1Y", 12, 0, 0),
        ("P1Y2M3W4DT5H6M7S", 14, 25, 18_367),
        ("P1M2DT3H", 1, 2, 10_800),
        ("P2W", 0, 14, 0),
        ("PT0S", 0, 0, 0),
        ("P0D", 0, 0, 0),
        ("PT0.5H", 0, 0, 1_800),
        ("PT0,5H", 0, 0, 1_800),
        ("PT1.25M", 0, 0, 75),
        ("PT1H0.000001S", 0, 0, Fraction(3_600_000_001, 1_000_000)),
        ("PT876600H", 0, 0, 876_600 * 3_600),
        ("P100Y", 1_200, 0, 0),
    ],
)
def test_durations(text: str, months: int, days: int, seconds: Fraction) -> None:
    duration = parse_duration(text)
    assert duration == Duration(months, days, int(seconds * 1_000_000))
    assert duration.seconds == seconds


@pytest.mark.parametrize(
    "text",
    [
        "", "P", "PT", "P1DT", "-PT4H", "P-1D", "+P1D", "4h", "pt4h", "PT4", "PT4h", "P1H", "PT1D", "PT1M1H",
        "P1D1M", " PT4H", "PT4H\n", "PT4H ", "PT.5H", "PT1.H", "PT1.5H30M", "P0.5D", "P0.5M", "P1.5W",
        "P1.5Y", "PT0.0000001S", "PT0.3333333333H", "PT1e3S", "PT１H", "PT" + "9" * 5_000 + "H",
        "PT0." + "0" * 5_000 + "H",
        "PT1000000000H", "PT876601H", "P101Y", "P1201M", "P36526D", "P99Y400D", "P" + "9" * 90 + "Y",
    ],
)  # fmt: skip
def test_what_is_no_duration_is_refused(text: str) -> None:
    assert fault_of(parse_duration, text) == "/target"


def test_a_duration_elsewhere_is_named_there() -> None:
    with pytest.raises(InvalidContent) as refusal:
        parse_duration("P", pointer="/by")
    assert refusal.value.faults[0].pointer == "/by"


def test_a_duration_that_is_too_long_is_called_a_duration() -> None:
    with pytest.raises(InvalidContent, match=r"^A duration is at most 100 years long\.$"):
        parse_duration("P200Y", pointer="/by")


def test_a_negative_duration_says_so() -> None:
    with pytest.raises(InvalidContent, match="negative"):
        parse_duration("-PT4H")


# Previews ---------------------------------------------------------------------------------------------------


def test_open_time_of_a_calendar() -> None:
    result = plan_preview(MORNINGS, START, "PT4H")
    assert result.due_at == datetime(2026, 11, 30, 10, tzinfo=UTC)
    assert result.status == "running"
    assert [(s.counted, s.reason) for s in result.segments] == [
        (True, "open"), (False, "closed"), (True, "open"),
    ]  # fmt: skip


def test_without_a_calendar_every_second_counts_in_utc() -> None:
    berlin_time = datetime.fromisoformat("2026-10-24T12:00+02:00")
    for target in ("PT48H", "P2D"):
        result = plan_preview(None, berlin_time, target)
        assert result.due_at == berlin_time + timedelta(hours=48)
        assert len(result.segments) == 1
    assert plan_preview(ALL_WEEK, berlin_time, "P2D").due_at == berlin_time + timedelta(hours=49)


def test_days_and_months_are_at_the_same_local_time_open_or_not() -> None:
    start = datetime(2026, 1, 31, 10, tzinfo=UTC)
    result = plan_preview(MORNINGS, start, "P2M")
    assert result.due_at == datetime(2026, 3, 31, 9, tzinfo=UTC)
    assert [(s.counted, s.reason) for s in result.segments] == [(True, "elapsed")]
    assert plan_preview(NEVER, start, "P2M").due_at == result.due_at


def test_the_calendar_part_comes_before_the_open_time() -> None:
    result = plan_preview(MORNINGS, START, "P1DT2H")
    assert result.due_at == datetime(2026, 11, 30, 10, tzinfo=UTC)
    assert [s.reason for s in result.segments] == ["elapsed", "closed", "open"]
    assert all(a.end == b.start for a, b in zip(result.segments, result.segments[1:], strict=False))


def test_zero_is_due_at_once() -> None:
    start = START.astimezone(ZoneInfo("Europe/Berlin"))
    for target in ("PT0S", "P0D"):
        result = plan_preview(NEVER, start, target, [(START, None)])
        assert (result.due_at, result.status, result.segments) == (START, "running", ())
        assert result.due_at is not None
        assert result.due_at.tzinfo is UTC


@pytest.mark.parametrize(
    ("pauses", "expected"),
    [
        ([(START + HOUR, START + 2 * HOUR)], START + 5 * HOUR),
        ([(START + HOUR, START + HOUR)], START + 4 * HOUR),
        ([(START + HOUR, None)], None),
        ([(START - HOUR, None)], None),
        ([(START + 4 * HOUR, None)], START + 4 * HOUR),
        ([(START + 5 * HOUR, None)], START + 4 * HOUR),
        ([(START + HOUR, START + 2 * HOUR), (START + 4 * HOUR, None)], None),
    ],
)
@pytest.mark.parametrize("calendar", [None, ALL_WEEK])
def test_pauses(calendar: Any, pauses: list[Pause], expected: datetime | None) -> None:
    result = plan_preview(calendar, START, "PT4H", pauses)
    assert result.due_at == expected
    assert result.status == ("paused" if expected is None else "running")
    assert result.segments[-1].end == expected


def test_a_pause_without_an_end_holds_the_calendar_part_too() -> None:
    result = plan_preview(MORNINGS, START, "P1DT2H", [(START + HOUR, None)])
    assert (result.due_at, result.status) == (None, "paused")
    assert [s.reason for s in result.segments] == ["elapsed", "paused"]


# Faults and limits ------------------------------------------------------------------------------------------


def test_a_pause_that_ends_before_it_starts_is_refused() -> None:
    pauses = [(START, START + HOUR), (START + HOUR, START)]
    assert fault_of(plan_preview, None, START, "PT4H", pauses) == "/pauses/1"
    assert fault_of(plan_elapsed, None, START, START + HOUR, pauses) == "/pauses/1"
    assert fault_of(plan_elapsed, None, START, START, [(START, START)] * 10_001) == "/pauses"


def test_a_calendar_that_never_opens_is_refused() -> None:
    assert fault_of(plan_preview, NEVER, START, "PT4H") == "/calendar"
    once = parse_calendar({"timezone": "UTC", "hours": {}, "overrides": {"2026-11-24": [["09:00", "12:00"]]}})
    assert plan_preview(once, START, "PT3H").due_at == datetime(2026, 11, 24, 12, tzinfo=UTC)
    assert fault_of(plan_preview, once, START, "PT4H") == "/calendar"


@pytest.mark.parametrize(
    "far",
    [
        datetime.min.replace(tzinfo=UTC),
        datetime(1899, 12, 31, tzinfo=UTC),
        datetime(2400, 1, 2, tzinfo=UTC),
        datetime.max.replace(tzinfo=UTC),
    ],
)
def test_instants_far_away_are_refused(far: datetime) -> None:
    assert fault_of(plan_preview, MORNINGS, far, "PT4H") == "/start"
    assert fault_of(plan_preview, None, far, "P1D") == "/start"
    assert fault_of(plan_elapsed, MORNINGS, far, START) == "/start"
    assert fault_of(plan_elapsed, None, START, far) == "/end"


def test_a_due_time_too_far_away_is_refused() -> None:
    end_of_time = datetime.max.replace(tzinfo=UTC)
    assert fault_of(plan_preview, MORNINGS, START, "PT876600H") == "/target"
    assert fault_of(plan_preview, None, START, "PT4H", [(START, end_of_time)]) == "/target"
    assert fault_of(plan_preview, MORNINGS, START, "PT4H", [(START, end_of_time)]) == "/target"
    assert plan_preview(None, START, "PT4H", [(START + 5 * HOUR, end_of_time)]).due_at == START + 4 * HOUR


def test_the_work_for_elapsed_time_is_bounded_as_for_a_preview() -> None:
    busy = WorkCalendar("UTC", {day: tuple((n * 900, n * 900 + 450) for n in range(96)) for day in range(7)})
    long_ago, pauses = START - timedelta(days=40_000), [(START, START + HOUR)] * 6_000
    assert fault_of(plan_elapsed, MORNINGS, long_ago, START) == "/end"
    assert fault_of(plan_elapsed, busy, START, START + timedelta(days=5_000)) == "/end"
    assert fault_of(plan_elapsed, busy, START, START + HOUR, pauses) == "/end"
    assert plan_elapsed(None, long_ago, START, pauses) == 40_000 * 86_400
    assert plan_elapsed(MORNINGS, START, START + timedelta(days=7), pauses) == 2 * 3_600


@pytest.mark.parametrize(
    "target", ["3660 working days", "87840 working hours", "PT876000H", "20 working days"]
)
def test_a_target_that_would_take_long_to_find_is_refused(target: str) -> None:
    """The work is bounded by pieces and by days: these took seconds, and now less than 0.3 s."""
    yearly = {str(START.date() + 360 * n * timedelta(days=1)): [["09:00", "12:00"]] for n in range(1, 200)}
    rare = parse_calendar({"timezone": "UTC", "hours": {}, "overrides": yearly})
    long_pause = [(START, datetime(2399, 1, 1, tzinfo=UTC))]
    assert fault_of(plan_preview, rare, START, target, long_pause) == "/target"


def test_elapsed() -> None:
    assert plan_elapsed(MORNINGS, START, START + timedelta(days=7)) == 3 * 3_600
    assert plan_elapsed(None, START, START + 2 * HOUR, [(START + HOUR, None)]) == 3_600
    assert plan_elapsed(None, START, START - HOUR) == 0
    assert plan_elapsed(NEVER, START, START + timedelta(days=9_000)) == 0
