"""Working calendars: documents, boundaries, gaps and folds (rules 2.4 and 2.5)."""

import copy
import pickle
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any

import pytest

from complaints.domain.errors import InvalidContent
from complaints.domain.time.calendar_document import parse_calendar
from complaints.domain.time.calendars import (
    ALWAYS_OPEN,
    Interval,
    Span,
    WorkCalendar,
    always_open,
    check_opens,
    check_stays_open,
    open_intervals,
)
from complaints.domain.time.working_time import add_time
from complaints.domain.time.zones import CalendarExhausted, TimeOutOfRange

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
WEEK = {"mon": [["09:00", "18:00"]], "tue": [["09:00", "12:00"], ["13:00", "24:00"]]}


def faults_of(document: Any, pointer: str = "") -> list[str]:
    with pytest.raises(InvalidContent) as refusal:
        parse_calendar(document, pointer=pointer)
    assert all(fault.message for fault in refusal.value.faults)
    return [fault.pointer for fault in refusal.value.faults]


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def opened(calendar: WorkCalendar, start: str, count: int) -> list[Interval]:
    return list(islice(open_intervals(calendar, utc(start)), count))


def local(*pairs: tuple[str, str]) -> list[Interval]:
    return [(utc(start), utc(end)) for start, end in pairs]


# Documents --------------------------------------------------------------------------------------------------


def test_a_document_becomes_a_calendar() -> None:
    calendar = parse_calendar(
        {
            "timezone": "Europe/Berlin",
            "hours": WEEK | {"wed": None, "thu": []},
            "holidays": ["2026-12-25"],
            "overrides": {"2026-12-24": [["13:00", "14:00"], ["09:00:30", "12:00"]], "2026-12-31": []},
        },
        name="office",
    )
    hours = {0: ((32_400, 64_800),), 1: ((32_400, 43_200), (46_800, 86_400)), 3: ()}
    overrides: dict[date, tuple[Span, ...]] = {
        date(2026, 12, 24): ((32_430, 43_200), (46_800, 50_400)),
        date(2026, 12, 31): (),
    }
    assert calendar == WorkCalendar("Europe/Berlin", hours, {date(2026, 12, 25): ""}, overrides, "office")


def test_holidays_may_be_named_and_dates_may_be_dates() -> None:
    calendar = parse_calendar(
        {"timezone": "UTC", "holidays": {"2026-10-01": "国庆节", date(2026, 10, 2): None}, "overrides": None}
    )
    assert calendar.holidays == {date(2026, 10, 1): "国庆节", date(2026, 10, 2): ""}
    assert calendar.hours is None


def test_touching_spans_are_allowed() -> None:
    document = {"timezone": "UTC", "hours": {"mon": [["12:00", "24:00"], ["00:00", "12:00"]]}}
    assert parse_calendar(document).hours == {0: ((0, 43_200), (43_200, 86_400))}


@pytest.mark.parametrize(
    ("span", "pointer"),
    [
        (["18:00", "09:00"], ""),  # a night shift is two spans
        (["09:00", "09:00"], ""),
        (["22:00", "00:00"], ""),
        (["24:00", "24:00"], "/0"),  # only an end
        (["09:00", "24:01"], "/1"),
        (["09:00", "24:00:01"], "/1"),
        (["9:00", "18:00"], "/0"),
        (["09:00", "18:60"], "/1"),
        (["09:00", "25:00"], "/1"),
        (["09:00", "18:00 "], "/1"),
        (["09:00", "18:00\n"], "/1"),
        (["０9:00", "18:00"], "/0"),
        ([540, "18:00"], "/0"),
        (["09:00", None], "/1"),
        (["09:00"], ""),
        (["09:00", "10:00", "11:00"], ""),
        ("09:00-18:00", ""),
        (None, ""),
    ],
)
def test_a_bad_span_is_named(span: Any, pointer: str) -> None:
    fine = ["00:00", "01:00"]
    document = {"timezone": "UTC", "hours": {"mon": [fine, span]}, "overrides": {"2026-12-24": [span]}}
    assert faults_of(document) == [f"/hours/mon/1{pointer}", f"/overrides/2026-12-24/0{pointer}"]


def test_an_overlap_names_the_later_span() -> None:
    spans = [["13:00", "18:00"], ["09:00", "13:01"]]
    assert faults_of({"timezone": "UTC", "hours": {"sun": spans}}) == ["/hours/sun/0"]


@pytest.mark.parametrize(
    "zone",
    [
        None, "", "Mars/Olympus", "Europe", "/etc/passwd", "../UTC", "utc+8", "right/UTC", "posix/UTC",
        "localtime", "UTC\0", "\ud800", 8, "x" * 5_000,
    ],
)  # fmt: skip
def test_an_unknown_zone_is_refused(zone: Any) -> None:
    assert faults_of({"timezone": zone, "hours": None}) == ["/timezone"]


@pytest.mark.parametrize(
    ("document", "pointers"),
    [
        ([], ["/calendar"]),
        (None, ["/calendar"]),
        ({}, ["/calendar/timezone"]),
        ({"timezone": "UTC", "hours": []}, ["/calendar/hours"]),
        ({"timezone": "UTC", "hours": {"Mon": []}}, ["/calendar/hours/Mon"]),
        ({"timezone": "UTC", "hours": {"a/b~c": []}}, ["/calendar/hours/a~1b~0c"]),
        ({"timezone": "UTC", "hours": {1: []}}, ["/calendar/hours/1"]),
        ({"timezone": "UTC", "hours": {"mon": "all day"}}, ["/calendar/hours/mon"]),
        ({"timezone": "UTC", "hours": {"mon": [["00:00", "24:00"]] * 97}}, ["/calendar/hours/mon"]),
        ({"timezone": "UTC", "hour": {}}, ["/calendar/hour"]),
        ({"timezone": "UTC", "holidays": "2026-12-25"}, ["/calendar/holidays"]),
        (
            {"timezone": "UTC", "holidays": ["2026-02-29", "20261225", "2026-W01-1", NOON, 1]},
            [f"/calendar/holidays/{index}" for index in range(5)],
        ),
        ({"timezone": "UTC", "holidays": {"2026-12-25": 1}}, ["/calendar/holidays/2026-12-25"]),
        ({"timezone": "UTC", "overrides": []}, ["/calendar/overrides"]),
        ({"timezone": "UTC", "overrides": {"Christmas": []}}, ["/calendar/overrides/Christmas"]),
        (
            {"timezone": "X", "hours": {"foo": 1}, "b": 1},
            ["/calendar/b", "/calendar/hours/foo", "/calendar/timezone"],
        ),
    ],
)  # fmt: skip
def test_every_fault_is_named_at_its_place(document: Any, pointers: list[str]) -> None:
    assert faults_of(document, "/calendar") == pointers


def test_a_calendar_needs_a_zone_that_exists() -> None:
    with pytest.raises(InvalidContent, match="IANA time zone"):
        WorkCalendar("Mars/Olympus", None)


def test_calendars_are_values() -> None:
    one = parse_calendar({"timezone": "Europe/Berlin", "hours": WEEK})
    other = parse_calendar({"timezone": "Europe/Berlin", "hours": WEEK})
    assert one == other
    assert hash(one) == hash(other)
    assert one != parse_calendar({"timezone": "Europe/Paris", "hours": WEEK})
    assert always_open("UTC") == ALWAYS_OPEN
    assert copy.deepcopy(one) == pickle.loads(pickle.dumps(one)) == one


# Open intervals ---------------------------------------------------------------------------------------------


def test_always_open_is_one_interval_whatever_the_holidays() -> None:
    calendar = WorkCalendar("UTC", None, {date(2026, 1, 1): ""}, {date(2026, 1, 2): ()})
    assert opened(calendar, "2026-01-01T08:00+08:00", 9) == [
        (datetime(2026, 1, 1, tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
    ]


def test_intervals_are_lazy_local_and_cut_at_the_start() -> None:
    calendar = parse_calendar({"timezone": "Asia/Shanghai", "hours": WEEK})
    assert opened(calendar, "2026-11-23T10:00+08:00", 4) == local(
        ("2026-11-23T10:00+08:00", "2026-11-23T18:00+08:00"),
        ("2026-11-24T09:00+08:00", "2026-11-24T12:00+08:00"),
        ("2026-11-24T13:00+08:00", "2026-11-25T00:00+08:00"),
        ("2026-11-30T09:00+08:00", "2026-11-30T18:00+08:00"),
    )


def test_a_holiday_is_a_local_date_and_an_override_wins_over_it() -> None:
    every = dict.fromkeys(range(7), ((0, 86400),))
    calendar = WorkCalendar(
        "America/Los_Angeles",
        every,
        {date(2024, 7, 4): "Independence Day", date(2024, 7, 6): ""},
        {date(2024, 7, 6): ((36_000, 43_200),)},
    )
    assert opened(calendar, "2024-07-03T12:00-07:00", 4) == local(
        ("2024-07-03T12:00-07:00", "2024-07-04T00:00-07:00"),
        ("2024-07-05T00:00-07:00", "2024-07-06T00:00-07:00"),
        ("2024-07-06T10:00-07:00", "2024-07-06T12:00-07:00"),
        ("2024-07-07T00:00-07:00", "2024-07-08T00:00-07:00"),
    )


SUNDAY = "2026-03-29T00:00+01:00"  # 02:00 to 03:00 is left out in Berlin


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([(1, 4)], [("2026-03-29T01:00+01:00", "2026-03-29T04:00+02:00")]),
        ([(2, 4)], [("2026-03-29T03:00+02:00", "2026-03-29T04:00+02:00")]),
        ([(1, 2.5)], [("2026-03-29T01:00+01:00", "2026-03-29T03:30+02:00")]),
        ([(2, 2.5)], [("2026-03-29T03:00+02:00", "2026-03-29T03:30+02:00")]),
        ([(2, 2.5), (3, 4)], [("2026-03-29T03:00+02:00", "2026-03-29T04:00+02:00")]),  # counted once
        (
            [(2.5, 3.25), (5, 6)],
            [("2026-03-29T05:00+02:00", "2026-03-29T06:00+02:00")],
        ),  # ends before it starts
    ],
)
def test_a_boundary_in_a_gap_moves_forward_by_the_gap(
    spans: list[tuple[float, float]], expected: list[tuple[str, str]]
) -> None:
    hours = {6: tuple((int(start * 3_600), int(end * 3_600)) for start, end in spans)}
    assert opened(WorkCalendar("Europe/Berlin", hours), SUNDAY, len(expected)) == local(*expected)


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        ((2.5, 4), ("2026-10-25T02:30+02:00", "2026-10-25T04:00+01:00")),
        ((1, 2.5), ("2026-10-25T01:00+02:00", "2026-10-25T02:30+02:00")),
        ((2.25, 2.5), ("2026-10-25T02:15+02:00", "2026-10-25T02:30+02:00")),
        ((0, 24), ("2026-10-25T00:00+02:00", "2026-10-26T00:00+01:00")),
    ],
)
def test_a_boundary_in_a_fold_is_the_first(span: tuple[float, float], expected: tuple[str, str]) -> None:
    hours = {6: ((int(span[0] * 3_600), int(span[1] * 3_600)),)}
    assert opened(WorkCalendar("Europe/Berlin", hours), "2026-10-24T12:00Z", 1) == local(expected)


def test_a_date_that_a_zone_left_out_has_no_hours() -> None:
    weekdays = dict.fromkeys(range(5), ((32400, 61200),))
    assert opened(WorkCalendar("Pacific/Apia", weekdays), "2011-12-29T00:00-10:00", 2) == local(
        ("2011-12-29T09:00-10:00", "2011-12-29T17:00-10:00"),
        ("2012-01-02T09:00+14:00", "2012-01-02T17:00+14:00"),  # not on Saturday 31, though Friday 30 fell out
    )


def test_a_gap_across_midnight_counts_each_moment_once() -> None:
    # Toronto went from 23:30 of 30 March to 00:30 of 31 March.
    calendar = WorkCalendar("America/Toronto", {6: ((84_900, 85_800),), 0: ((1_800, 3_000), (7_200, 9_000))})
    # Sunday's 23:35 to 23:50 becomes 00:35 to 00:50, within Monday's 00:30 to 00:50.
    assert opened(calendar, "1919-03-31T04:00Z", 2) == local(
        ("1919-03-31T00:30-04:00", "1919-03-31T00:50-04:00"),
        ("1919-03-31T02:00-04:00", "1919-03-31T02:30-04:00"),
    )
    assert opened(calendar, "1919-03-31T00:40-04:00", 1) == local(
        ("1919-03-31T00:40-04:00", "1919-03-31T00:50-04:00"),
    )


def test_whole_weeks_in_one_step_stop_at_what_is_special() -> None:
    calendar = WorkCalendar(
        "Europe/Berlin", {0: ((32_400, 36_000),)}, {date(2027, 5, 3): ""}, {date(2027, 6, 1): ((0, 3_600),)}
    )
    # 60 Mondays from 2026-01-05 on, less the holiday on the 70th, with the override after the 74th.
    assert add_time(utc("2026-01-01T00:00Z"), 60 * 3_600, calendar) == utc("2027-02-22T10:00+01:00")
    assert add_time(utc("2026-01-01T00:00Z"), 70 * 3_600, calendar) == utc("2027-05-10T10:00+02:00")
    assert add_time(utc("2026-01-01T00:00Z"), 74 * 3_600, calendar) == utc("2027-06-01T01:00+02:00")
    assert add_time(utc("2026-01-01T00:00Z"), 75 * 3_600, calendar) == utc("2027-06-07T10:00+02:00")


def test_far_years_follow_the_zone_s_rule() -> None:
    calendar = WorkCalendar("Europe/Berlin", dict.fromkeys(range(7), ((32400, 36000),)))
    due = add_time(utc("2500-01-01T00:00Z"), 3_600 * 365 * 3, calendar)
    assert due == datetime(2502, 12, 31, 9, tzinfo=UTC)
    summer = add_time(utc("2500-01-01T00:00Z"), 3_600 * 180, calendar)
    assert summer == datetime(2500, 6, 29, 8, tzinfo=UTC)


# Calendars that never open ----------------------------------------------------------------------------------


def test_a_calendar_that_never_opens_is_refused() -> None:
    never = parse_calendar({"timezone": "UTC", "hours": {}})
    with pytest.raises(InvalidContent) as refusal:
        check_opens(never, start_on=date(2026, 1, 1), pointer="/calendar")
    assert [fault.pointer for fault in refusal.value.faults] == ["/calendar"]
    assert opened(never, "2026-01-01T00:00Z", 1) == []
    with pytest.raises(CalendarExhausted):
        add_time(utc("2026-01-01T00:00Z"), 1, never)


@pytest.mark.parametrize(("days", "opens"), [(0, True), (366, True), (367, False)])
def test_one_open_hour_within_366_days_is_enough(days: int, opens: bool) -> None:
    start_on = date(2026, 1, 1)
    calendar = WorkCalendar("UTC", {}, {}, {start_on + timedelta(days=days): ((0, 3_600),)})
    if opens:
        check_opens(calendar, start_on=start_on)
    else:
        with pytest.raises(InvalidContent):
            check_opens(calendar, start_on=start_on)


def test_always_open_opens() -> None:
    check_opens(ALWAYS_OPEN, start_on=date.min)


@pytest.mark.parametrize(("closed_mondays", "stays_open"), [(51, True), (52, False)])
def test_a_closed_period_counts_from_its_first_day(closed_mondays: int, stays_open: bool) -> None:
    """Rule 2.5: the closed days before the first holiday of the period belong to it."""
    first = date(2031, 1, 6)
    closed = {first + timedelta(weeks=week): "" for week in range(closed_mondays)}
    calendar = WorkCalendar("UTC", {0: ((32_400, 64_800),)}, closed)
    if stays_open:
        check_stays_open(calendar, first_on=date(2026, 1, 1))
    else:
        with pytest.raises(InvalidContent, match="from 2030-12-31 on") as refusal:
            check_stays_open(calendar, first_on=date(2026, 1, 1), pointer="/hours")
        assert [fault.pointer for fault in refusal.value.faults] == ["/hours"]


def test_a_calendar_that_is_always_open_stays_open() -> None:
    check_stays_open(WorkCalendar("UTC", None, {date(9999, 1, 1): ""}), first_on=date(2026, 1, 1))


def test_long_closed_periods_with_an_open_day_between_them_are_allowed() -> None:
    days = [date(2030, 1, 1) + timedelta(days=n) for n in range(14 * 366)]
    closed = {day: "" for n, day in enumerate(days) if n % 366 != 365}
    calendar = WorkCalendar("UTC", dict.fromkeys(range(7), ((32_400, 64_800),)), closed)
    check_stays_open(calendar, first_on=date(2026, 1, 1))


def test_the_end_of_the_calculation_is_reported() -> None:
    calendar = WorkCalendar("UTC", {0: ((0, 3_600),)})
    with pytest.raises(TimeOutOfRange):
        add_time(utc("9990-01-01T00:00Z"), 10**9, calendar)
    with pytest.raises(TimeOutOfRange):
        add_time(datetime.min.replace(tzinfo=UTC), 1, calendar)
    with pytest.raises(InvalidContent):
        check_opens(calendar, start_on=date.max)
