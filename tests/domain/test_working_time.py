"""Clocks: targets of every unit, pauses, shares, explanations (rules 2.3–2.7, 2.13 and 3.2)."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import pytest

from complaints.domain.errors import InvalidContent
from complaints.domain.time.calendars import ALWAYS_OPEN, WorkCalendar, always_open
from complaints.domain.time.local_dates import add_months, shift_days, shift_local
from complaints.domain.time.working_time import (
    CalendarExhausted,
    Pause,
    Target,
    TimeOutOfRange,
    Unit,
    add_time,
    due_at,
    elapsed_seconds,
    explain,
    pause_extension_seconds,
    share_at,
    subtract_time,
)

HOUR = 3_600
OFFICE = WorkCalendar(
    "Europe/Berlin",
    dict.fromkeys(range(5), ((9 * HOUR, 12 * HOUR), (13 * HOUR, 18 * HOUR))),
    {date(2026, 12, 25): "Christmas", date(2026, 12, 28): ""},
    {date(2026, 12, 24): ((9 * HOUR, 12 * HOUR),), date(2026, 12, 26): ((10 * HOUR, 11 * HOUR),)},
)
BERLIN = always_open("Europe/Berlin")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def hours(amount: int) -> Target:
    return Target(amount * HOUR, Unit.OPEN_SECONDS)


def elapsed(amount: int) -> Target:
    return Target(amount * HOUR, Unit.ELAPSED_SECONDS)


# Open and elapsed time --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "amount", "expected"),
    [
        ("2026-11-23T09:00+01:00", 3, "2026-11-23T12:00+01:00"),  # at closing time, not after lunch
        ("2026-11-23T12:30+01:00", 5, "2026-11-23T18:00+01:00"),
        ("2026-11-27T17:00+01:00", 2, "2026-11-30T10:00+01:00"),
        ("2026-11-28T17:00+01:00", 8, "2026-11-30T18:00+01:00"),
        ("2026-12-23T17:00+01:00", 5, "2026-12-26T11:00+01:00"),  # half day, holiday, make-up day
        ("2026-12-23T17:00+01:00", 6, "2026-12-29T10:00+01:00"),  # the unnamed holiday too
        ("2026-03-27T17:00+01:00", 2, "2026-03-30T10:00+02:00"),
    ],
)
def test_open_hours(start: str, amount: int, expected: str) -> None:
    due = due_at(at(start), hours(amount), OFFICE)
    assert due == at(expected)
    assert due.tzinfo is UTC


@pytest.mark.parametrize("start", ["2026-10-24T22:00+02:00", "2026-03-28T22:00+01:00"])
def test_elapsed_time_counts_through_dst_and_whatever_the_calendar(start: str) -> None:
    for calendar in (OFFICE, BERLIN, ALWAYS_OPEN):
        assert due_at(at(start), elapsed(24), calendar) == at(start) + timedelta(hours=24)
    assert due_at(at(start), hours(24), BERLIN) == at(start) + timedelta(hours=24)


def test_microseconds_are_kept() -> None:
    start = at("2026-11-27T17:59:59.123457+01:00")
    assert due_at(start, Target(2, Unit.OPEN_SECONDS), OFFICE) == at("2026-11-30T09:00:01.123457+01:00")
    assert elapsed_seconds(start, at("2026-11-30T09:00:01+01:00"), OFFICE) == 1.876543
    assert add_time(start, 0.876543, OFFICE) == at("2026-11-27T18:00+01:00")
    assert add_time(start, 0.25, ALWAYS_OPEN) == start + timedelta(milliseconds=250)


def test_whole_seconds_are_integers() -> None:
    seconds = elapsed_seconds(at("2026-11-23T09:00+01:00"), at("2026-11-23T09:00:07+01:00"), OFFICE)
    assert seconds == 7
    assert isinstance(seconds, int)


def test_nothing_has_elapsed_backwards() -> None:
    start = at("2026-11-23T09:00Z")
    assert elapsed_seconds(start, start, BERLIN) == 0
    assert elapsed_seconds(start, start - timedelta(days=9), OFFICE) == 0


@pytest.mark.parametrize("unit", list(Unit))
def test_zero_is_due_at_the_start(unit: Unit) -> None:
    start = at("2026-11-28T03:00+01:00")
    pauses: list[Pause] = [(start - timedelta(days=1), None)]
    for amount in (0, -5):
        assert due_at(start, Target(amount, unit), OFFICE) == start
        assert due_at(start, Target(amount, unit), OFFICE, pauses) == start
    assert explain(start, Target(0, unit), OFFICE, pauses) == ()
    assert add_time(start, 0, OFFICE) == add_time(start, -1, BERLIN) == start


# Pauses -----------------------------------------------------------------------------------------------------

MONDAY = at("2026-11-23T09:00+01:00")


def pause(start: str, end: str | None) -> Pause:
    return at(f"2026-11-{start}+01:00"), at(f"2026-11-{end}+01:00") if end else None


@pytest.mark.parametrize(
    ("pauses", "due", "extension"),
    [
        ([pause("23T10:00", "23T11:00")], "23T16:00", HOUR),
        ([pause("23T11:30", "23T13:30")], "23T16:00", HOUR),  # lunch extends nothing
        ([pause("23T12:00", "23T13:00")], "23T15:00", 0),
        ([pause("20T10:00", "23T10:00")], "23T16:00", HOUR),  # what lies before the start does not count
        ([pause("20T10:00", "20T11:00")], "23T15:00", 0),
        ([pause("23T15:00", "23T16:00")], "23T15:00", 0),  # the target had run
        ([pause("23T15:00", None)], "23T15:00", 0),
        ([pause("23T14:00", "25T10:00")], "25T11:00", 4 * HOUR + 8 * HOUR + HOUR),
        ([pause("23T10:00", "23T11:00"), pause("23T10:30", "23T11:30")], "23T16:30", 5_400),
        ([pause("23T10:30", "23T11:30"), pause("23T10:00", "23T10:30")], "23T16:30", 5_400),
        ([pause("23T10:00", "23T10:00")], "23T15:00", 0),
        ([pause("23T11:00", "23T10:00")], "23T15:00", 0),
        ([pause("23T14:30", "23T15:30"), pause("23T15:45", "23T16:00")], "23T16:15", HOUR + 900),
    ],
)
def test_pauses_extend_by_their_open_time(pauses: list[Pause], due: str, extension: int) -> None:
    expected = at(f"2026-11-{due}+01:00")
    assert due_at(MONDAY, hours(5), OFFICE, pauses) == expected
    assert add_time(MONDAY, 5 * HOUR, OFFICE, pauses) == expected
    assert pause_extension_seconds(MONDAY, hours(5), OFFICE, pauses) == extension
    assert elapsed_seconds(MONDAY, expected, OFFICE, pauses) == 5 * HOUR


def test_an_endless_pause_holds_the_clock() -> None:
    pauses = [pause("23T10:00", "23T11:00"), pause("23T14:00", None), pause("24T10:00", "24T11:00")]
    assert due_at(MONDAY, hours(5), OFFICE, pauses) is None
    assert add_time(MONDAY, 5 * HOUR, OFFICE, pauses) is None
    assert share_at(MONDAY, hours(5), OFFICE, pauses, Fraction(1)) is None
    assert share_at(MONDAY, hours(5), OFFICE, pauses, Fraction(3, 5)) == at("2026-11-23T14:00+01:00")
    assert pause_extension_seconds(MONDAY, hours(5), OFFICE, pauses) == HOUR
    assert elapsed_seconds(MONDAY, at("2027-11-23T09:00Z"), OFFICE, pauses) == 3 * HOUR
    last = explain(MONDAY, hours(5), OFFICE, pauses)[-1]
    assert (last.start, last.end, last.counted, last.reason) == (
        at("2026-11-23T14:00+01:00"), None, False, "paused",
    )  # fmt: skip


def test_an_endless_pause_over_the_start_holds_it_from_there() -> None:
    pauses = [pause("20T10:00", None)]
    assert due_at(MONDAY, elapsed(1), BERLIN, pauses) is None
    (only,) = explain(MONDAY, hours(1), OFFICE, pauses)
    assert (only.start, only.end, only.reason) == (MONDAY, None, "paused")
    assert pause_extension_seconds(MONDAY, hours(1), OFFICE, pauses) == 0


@pytest.mark.parametrize(
    "target",
    [elapsed(48), Target(2, Unit.CALENDAR_DAYS), Target(1, Unit.CALENDAR_MONTHS)],
)
def test_clocks_of_real_time_are_extended_by_the_whole_pause(target: Target) -> None:
    pauses = [pause("23T17:00", "24T09:00")]
    unpaused = due_at(MONDAY, target, OFFICE)
    assert unpaused is not None
    assert due_at(MONDAY, target, OFFICE, pauses) == unpaused + timedelta(hours=16)
    assert pause_extension_seconds(MONDAY, target, OFFICE, pauses) == 16 * HOUR


def test_working_days_are_extended_by_the_open_time_of_the_pause() -> None:
    target, pauses = Target(2, Unit.WORKING_DAYS), [pause("23T17:00", "24T10:00")]
    assert due_at(MONDAY + timedelta(hours=1), target, OFFICE, pauses) == at("2026-11-25T12:00+01:00")
    assert pause_extension_seconds(MONDAY, target, OFFICE, pauses) == 2 * HOUR


# Days and months --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "months", "expected"),
    [
        ("2026-01-31T10:00+01:00", 1, "2026-02-28T10:00+01:00"),
        ("2024-01-31T10:00+01:00", 1, "2024-02-29T10:00+01:00"),
        ("2026-01-31T10:00+01:00", 2, "2026-03-31T10:00+02:00"),
        ("2026-12-31T23:30Z", 1, "2027-02-01T00:30+01:00"),  # the local date is 1 January
        ("2026-02-28T02:30+01:00", 1, "2026-03-28T02:30+01:00"),
        ("2026-02-28T02:30+01:00", -12, "2025-02-28T02:30+01:00"),
        ("2024-02-29T02:30+01:00", 12, "2025-02-28T02:30+01:00"),
        ("2026-09-25T02:30+02:00", 1, "2026-10-25T02:30+02:00"),  # in a fold the first
    ],
)
def test_months_are_calendar_months_at_the_same_local_time(start: str, months: int, expected: str) -> None:
    assert add_months(at(start), months, "Europe/Berlin") == at(expected)
    if months > 0:
        assert due_at(at(start), Target(months, Unit.CALENDAR_MONTHS), OFFICE) == at(expected)


@pytest.mark.parametrize(
    ("start", "days", "expected"),
    [
        ("2026-03-28T10:00+01:00", 1, "2026-03-29T10:00+02:00"),
        ("2026-03-28T02:30+01:00", 1, "2026-03-29T03:30+02:00"),  # in a gap later by the gap
        ("2026-10-24T02:30+02:00", 1, "2026-10-25T02:30+02:00"),
        ("2026-10-25T02:30+01:00", 1, "2026-10-26T02:30+01:00"),
        ("2026-10-26T09:00+01:00", -3, "2026-10-23T09:00+02:00"),
        ("2026-10-25T02:30+01:00", 0, "2026-10-25T02:30+01:00"),  # the second pass stays the second
    ],
)
def test_days_are_calendar_days_at_the_same_local_time(start: str, days: int, expected: str) -> None:
    assert shift_days(at(start), days, "Europe/Berlin") == at(expected)
    if days > 0:
        assert due_at(at(start), Target(days, Unit.CALENDAR_DAYS), BERLIN) == at(expected)


def test_months_come_before_days_and_nothing_in_between_must_exist() -> None:
    start = at("2026-02-28T02:30+01:00")
    assert shift_local(start, "Europe/Berlin", months=1, days=2) == at("2026-03-30T02:30+02:00")


@pytest.mark.parametrize(
    ("start", "days", "expected"),
    [
        ("2026-11-23T10:00+01:00", 1, "2026-11-24T10:00+01:00"),
        ("2026-11-26T10:00+01:00", 3, "2026-12-01T10:00+01:00"),
        ("2026-11-23T09:00+01:00", 1, "2026-11-24T09:00+01:00"),  # open then: not the closing before
        ("2026-11-23T12:00+01:00", 1, "2026-11-24T12:00+01:00"),
        ("2026-11-23T13:00+01:00", 1, "2026-11-24T13:00+01:00"),
        ("2026-11-23T12:30+01:00", 1, "2026-11-24T12:00+01:00"),  # closed then: the closing before
        ("2026-11-23T22:00+01:00", 3, "2026-11-26T18:00+01:00"),
        ("2026-11-23T06:00+01:00", 1, "2026-11-23T18:00+01:00"),  # the whole of Monday
        ("2026-11-28T10:00+01:00", 1, "2026-11-30T18:00+01:00"),  # Saturday begins with Monday
        ("2026-11-29T22:00+01:00", 1, "2026-11-30T18:00+01:00"),
        ("2026-12-23T10:00+01:00", 2, "2026-12-26T10:00+01:00"),  # half days and make-up days are days
        ("2026-12-23T10:00+01:00", 3, "2026-12-29T10:00+01:00"),
    ],
)
def test_working_days(start: str, days: int, expected: str) -> None:
    target = Target(days, Unit.WORKING_DAYS)
    assert due_at(at(start), target, OFFICE) == at(expected)
    assert share_at(at(start), target, OFFICE, (), Fraction(1)) == at(expected)
    assert explain(at(start), target, OFFICE)[-1].end == at(expected)


def test_working_days_that_end_at_an_opening_are_held_by_a_pause_before_it() -> None:
    target = Target(1, Unit.WORKING_DAYS)
    assert due_at(MONDAY, target, OFFICE, [pause("23T20:00", None)]) is None
    assert explain(MONDAY, target, OFFICE, [pause("23T20:00", None)])[-1].end is None
    assert due_at(MONDAY, target, OFFICE, [pause("24T08:00", "24T09:30")]) == at("2026-11-24T09:30+01:00")
    assert due_at(MONDAY, target, OFFICE, [pause("23T17:00", "23T18:30")]) == at("2026-11-24T10:00+01:00")


def test_every_day_is_a_working_day_of_a_calendar_that_never_closes() -> None:
    start = at("2026-03-28T10:00+01:00")
    assert due_at(start, Target(1, Unit.WORKING_DAYS), BERLIN) == at("2026-03-29T10:00+02:00")


@pytest.mark.parametrize(
    ("start", "target", "expected"),
    [
        ("2026-11-23T10:00+01:00", Target(24 * HOUR, Unit.ELAPSED_SECONDS, True), "2026-11-25T00:00+01:00"),
        ("2026-11-23T00:00+01:00", Target(24 * HOUR, Unit.ELAPSED_SECONDS, True), "2026-11-25T00:00+01:00"),
        ("2026-11-23T23:30Z", Target(HOUR, Unit.ELAPSED_SECONDS, True), "2026-11-25T01:00+01:00"),
        ("2026-11-27T10:00+01:00", Target(2 * HOUR, Unit.OPEN_SECONDS, True), "2026-11-30T11:00+01:00"),
        ("2026-11-23T10:00+01:00", Target(3, Unit.CALENDAR_DAYS, True), "2026-11-27T00:00+01:00"),
        ("2026-11-30T10:00+01:00", Target(1, Unit.CALENDAR_MONTHS, True), "2027-01-01T00:00+01:00"),
        ("2026-11-23T10:00+01:00", Target(3, Unit.WORKING_DAYS, True), "2026-11-26T18:00+01:00"),
        ("2026-11-27T10:00+01:00", Target(1, Unit.WORKING_DAYS, True), "2026-11-30T18:00+01:00"),
        ("2026-11-23T10:00+01:00", Target(0, Unit.OPEN_SECONDS, True), "2026-11-24T00:00+01:00"),
    ],
)
def test_a_target_may_begin_the_day_after(start: str, target: Target, expected: str) -> None:
    # rule 4.5
    assert due_at(at(start), target, OFFICE) == at(expected)
    segments = explain(at(start), target, OFFICE)
    assert (segments[0].start, segments[0].counted, segments[0].reason) == (at(start), False, "not started")
    assert segments[-1].end == at(expected)


# Backwards and shares ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("end", "minutes", "expected"),
    [
        ("23T11:00", 60, "23T10:00"),
        ("23T10:00", 60, "23T09:00"),  # the latest such instant, not Friday's closing
        ("23T10:00", 61, "20T17:59"),
        ("23T14:00", 120, "23T11:00"),
        ("23T12:30", 60, "23T11:00"),
        ("22T12:30", 60, "20T17:00"),
        ("22T12:30", 0, "22T12:30"),
    ],
)
def test_before_is_counted_in_open_time(end: str, minutes: int, expected: str) -> None:
    assert subtract_time(at(f"2026-11-{end}+01:00"), minutes * 60, OFFICE) == at(f"2026-11-{expected}+01:00")


def test_before_leaves_pauses_out() -> None:
    pauses = [pause("23T10:00", "23T11:00")]
    noon = at("2026-11-23T12:00+01:00")
    assert subtract_time(noon, 90 * 60, OFFICE, pauses) == at("2026-11-23T09:30+01:00")
    assert subtract_time(noon, HOUR, OFFICE, [pause("23T10:00", None)]) == MONDAY
    assert subtract_time(noon, 90 * 60, BERLIN, pauses) == at("2026-11-23T09:30+01:00")
    assert subtract_time(noon, 90 * 60, BERLIN) == at("2026-11-23T10:30+01:00")


def test_before_goes_back_years() -> None:
    sundays = WorkCalendar("Asia/Shanghai", {6: ((0, HOUR),)})
    end = at("2026-11-22T01:00+08:00")
    assert subtract_time(end, 200 * HOUR, sundays) == end - timedelta(days=199 * 7, hours=1)


def test_before_ends_where_nothing_was_ever_open() -> None:
    calendar = WorkCalendar("UTC", {}, {}, {date(2026, 11, 20): ((0, HOUR),)})
    assert subtract_time(MONDAY, HOUR, calendar) == at("2026-11-20T00:00Z")
    with pytest.raises(CalendarExhausted):
        subtract_time(MONDAY, HOUR + 1, calendar)


def test_shares_are_of_open_time_without_pauses() -> None:
    pauses = [pause("23T10:00", "23T11:00")]
    expected = {"0": "09:00", "1/8": "09:30", "1/2": "12:00", "1": "15:00", "2": "24T10:00"}
    for share, when in expected.items():
        moment = at(f"2026-11-{when if 'T' in when else f'23T{when}'}+01:00")
        assert share_at(MONDAY, hours(4), OFFICE, pauses, Fraction(share)) == moment


def test_shares_of_calendar_months_are_of_real_time() -> None:
    start, target = at("2026-02-01T00:00Z"), Target(1, Unit.CALENDAR_MONTHS)
    assert share_at(start, target, ALWAYS_OPEN, (), Fraction(1, 2)) == at("2026-02-15T00:00Z")
    assert share_at(start, elapsed(24), OFFICE, (), Fraction(4, 5)) == at("2026-02-01T19:12Z")


# Explanations -----------------------------------------------------------------------------------------------


def explained(
    start: str, target: Target, pauses: Sequence[Pause], calendar: WorkCalendar = OFFICE
) -> list[str]:
    return [
        f"{s.start:%d %H:%M} {s.end:%d %H:%M} {'+' if s.counted else '-'} {s.reason}"
        for s in explain(at(start), target, calendar, pauses)
        if s.end is not None
    ]


def test_an_explanation_names_what_counted_and_why_the_rest_did_not() -> None:
    pauses = [(at("2026-12-23T11:00+01:00"), at("2026-12-23T14:00+01:00"))]
    assert explained("2026-12-23T10:00+01:00", hours(10), pauses) == [  # in UTC
        "23 09:00 23 10:00 + open",
        "23 10:00 23 11:00 - paused",
        "23 11:00 23 12:00 - closed",
        "23 12:00 23 13:00 - paused",
        "23 13:00 23 17:00 + open",
        "23 17:00 23 23:00 - closed",
        "23 23:00 24 08:00 - override: closed",
        "24 08:00 24 11:00 + override: open",
        "24 11:00 24 23:00 - override: closed",
        "24 23:00 25 23:00 - holiday: Christmas",
        "25 23:00 26 09:00 - override: closed",
        "26 09:00 26 10:00 + override: open",
        "26 10:00 26 23:00 - override: closed",
        "26 23:00 27 23:00 - closed",
        "27 23:00 28 23:00 - holiday",
        "28 23:00 29 08:00 - closed",
        "29 08:00 29 09:00 + open",
    ]


def test_days_that_touch_are_one_segment() -> None:
    every = WorkCalendar("Europe/Berlin", dict.fromkeys(range(7), ((0, 86400),)))
    assert explained("2026-03-27T10:00Z", hours(96), [], every) == ["27 10:00 31 10:00 + open"]
    assert explained("2026-03-27T10:00Z", hours(96), [], BERLIN) == ["27 10:00 31 10:00 + open"]


def test_real_time_is_elapsed_time() -> None:
    pauses = [pause("24T00:00", "24T12:00")]
    assert explained("2026-11-23T10:00+01:00", Target(2, Unit.CALENDAR_DAYS), pauses) == [
        "23 09:00 23 23:00 + elapsed",
        "23 23:00 24 11:00 - paused",
        "24 11:00 25 21:00 + elapsed",
    ]


# Limits -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("unit", list(Unit))
def test_what_cannot_be_calculated_is_refused_as_such(unit: Unit) -> None:
    with pytest.raises(TimeOutOfRange):
        due_at(at("9990-01-01T00:00Z"), Target(10**9, unit), BERLIN)


def test_the_first_year_is_out_of_reach_of_a_zone() -> None:
    first = datetime.min.replace(tzinfo=UTC)
    assert due_at(first, elapsed(1), BERLIN) == first + timedelta(hours=1)
    with pytest.raises(TimeOutOfRange):
        shift_days(first, 1, "America/New_York")
    with pytest.raises(TimeOutOfRange):
        shift_days(at("2026-01-01T00:00Z"), -(10**30), "UTC")
    with pytest.raises(TimeOutOfRange):
        add_months(at("2026-01-01T00:00Z"), 10**30, "UTC")
    with pytest.raises(TimeOutOfRange):
        subtract_time(first, 1, ALWAYS_OPEN)


def test_an_unknown_zone_is_refused() -> None:
    with pytest.raises(InvalidContent):
        add_months(MONDAY, 1, "Mars/Olympus")
