"""Reading dates of an import, and noticing swapped day and month."""

import sys
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from complaints.domain.importing.date_swaps import DateCounts, SwapFinding
from complaints.domain.importing.dates import DateReader, MissingTimeZone, load_zone, swap_day_and_month

NEW_YORK = ZoneInfo("America/New_York")
SHANGHAI = ZoneInfo("Asia/Shanghai")


def instant(text: str, date_format: str | None, zone: ZoneInfo | None) -> str:
    reader = DateReader(date_format, zone)
    return reader.instant(reader.read(text)).isoformat()


@pytest.mark.parametrize(
    ("text", "date_format", "expected"),
    [
        ("22-04-15 3:53:50 PM", "%d-%m-%y %I:%M:%S %p", "2015-04-22T19:53:50+00:00"),
        ("04-08-15 12:00:00 AM", "%d-%m-%y %I:%M:%S %p", "2015-08-04T04:00:00+00:00"),
        ("4/22/2015 12:30 pm", "%m/%d/%Y %I:%M %p", "2015-04-22T16:30:00+00:00"),
        ("22-Apr-15", "%d-%b-%y", "2015-04-22T04:00:00+00:00"),
        ("Wed, 22 april 2015  08:05", "%a, %d %B %Y %H:%M", "2015-04-22T12:05:00+00:00"),
        ("2015年4月22日", "%Y年%m月%d日", "2015-04-22T04:00:00+00:00"),
        ("22042015", "%d%m%Y", "2015-04-22T04:00:00+00:00"),
        ("22.04.15 00:00:00.5", "%d.%m.%y %H:%M:%S.%f", "2015-04-22T04:00:00.500000+00:00"),
        ("2015-04-22 10:00 +0800", "%Y-%m-%d %H:%M %z", "2015-04-22T02:00:00+00:00"),
        ("2015-04-22 10:00 -05:30", "%Y-%m-%d %H:%M %z", "2015-04-22T15:30:00+00:00"),
        ("2015-04-22 10:00Z", "%Y-%m-%d %H:%M%z", "2015-04-22T10:00:00+00:00"),
        ("100% 22-04-68", "100%% %d-%m-%y", "2068-04-22T04:00:00+00:00"),
        ("22-04-69", "%d-%m-%y", "1969-04-22T05:00:00+00:00"),
        ("٢٢-٠٤-١٥", "%d-%m-%y", "2015-04-22T04:00:00+00:00"),
        ("2026/3/5 下午3:05", "%Y/%m/%d %p%I:%M", "2026-03-05T20:05:00+00:00"),
        ("2026年3月5日 上午12:05", "%Y年%m月%d日 %p%I:%M", "2026-03-05T05:05:00+00:00"),
        ("5/3/2026, 3:05 p.\u00a0m.", "%d/%m/%Y, %I:%M %p", "2026-03-05T20:05:00+00:00"),
        ("2026. 3. 5. 오후 3:05", "%Y. %m. %d. %p %I:%M", "2026-03-05T20:05:00+00:00"),
        ("'3/5/2026 9：05 A.M.", "%m/%d/%Y %I:%M %p", "2026-03-05T14:05:00+00:00"),
        ("２０２６－０３－０５ ０９：０５", "%Y-%m-%d %H:%M", "2026-03-05T14:05:00+00:00"),
        ("2026–03—05", "%Y-%m-%d", "2026-03-05T05:00:00+00:00"),
        ("2026/3/5 9:05", "％Y／％m／％d　％H：％M", "2026-03-05T14:05:00+00:00"),
        ("2026-03-05Ｔ09：05：00−05:00", None, "2026-03-05T14:05:00+00:00"),
        ("46086.628472222", "excel", "2026-03-05T20:05:00+00:00"),
        ("44624.628472222", "excel1904", "2026-03-05T20:05:00+00:00"),
        ("1772694300", "epoch", "2026-03-05T07:05:00+00:00"),
        ("1772694300.5", "epoch", "2026-03-05T07:05:00.500000+00:00"),
        ("1772694300500", "epoch", "2026-03-05T07:05:00.500000+00:00"),
        ("1772694300500000000", "epoch", "2026-03-05T07:05:00.500000+00:00"),
        ("2015-04-11T11:18:17+08:00", None, "2015-04-11T03:18:17+00:00"),
        ("2015-04-11t11:18:17.25z", None, "2015-04-11T11:18:17.250000+00:00"),
        ("2015-04-11 11:18:17", None, "2015-04-11T15:18:17+00:00"),
    ],
)
def test_a_date_is_read_as_the_format_says(text: str, date_format: str | None, expected: str) -> None:
    assert instant(text, date_format, NEW_YORK) == expected


@given(st.datetimes(datetime(1970, 1, 1), datetime(2068, 12, 31)).map(lambda at: at.replace(microsecond=0)))  # noqa: DTZ001
def test_a_format_reads_what_it_writes(written: datetime) -> None:
    for date_format in (
        "%d-%m-%y %I:%M:%S %p",
        "%m/%d/%Y %H:%M:%S",
        "%d %b %Y %H:%M:%S",
        "%A %B %d %Y %H:%M:%S",
    ):
        assert DateReader(date_format, NEW_YORK).read(written.strftime(date_format)) == written


@cache
def by_category() -> dict[str, list[str]]:
    """Every character by its category; spaces of any kind under "space"."""
    found: dict[str, list[str]] = defaultdict(list)
    for char in map(chr, range(sys.maxunicode)):
        found["space" if char.isspace() else unicodedata.category(char)].append(char)
    return found


COLONS = [":", "：", "\ufe13", "\ufe55", "∶"]


@given(st.datetimes(datetime(1970, 1, 1), datetime(2068, 12, 31)), st.data())  # noqa: DTZ001
def test_digits_spaces_dashes_and_marks_of_any_kind_are_read(at: datetime, data: st.DataObject) -> None:
    forms = {
        digit: [char for char in by_category()["Nd"] if unicodedata.decimal(char) == int(digit)]
        for digit in "0123456789"
    }
    forms |= {" ": by_category()["space"], "-": by_category()["Pd"], ":": COLONS}
    written = at.replace(second=0, microsecond=0)
    text = "".join(
        data.draw(st.sampled_from(["", *by_category()["Cf"]]))
        + data.draw(st.sampled_from(forms.get(char, [char])))
        for char in f"{written:%d-%m-%Y %I:%M %p}"
    )
    assert DateReader("%d-%m-%Y %I:%M %p", NEW_YORK).read(text) == written


@pytest.mark.parametrize(
    ("text", "date_format", "words"),
    [
        ("31-02-15", "%d-%m-%y", "no such date"),
        ("22-13-15", "%d-%m-%y", "no such date: month"),
        ("22-04-15 13:00 PM", "%d-%m-%y %I:%M %p", "1 to 12"),
        ("22-04-15 0:00 AM", "%d-%m-%y %I:%M %p", "1 to 12"),
        ("22-04-15 25:00", "%d-%m-%y %H:%M", "no such date: hour"),
        ("22/04/15", "%d-%m-%y", "does not read as %d-%m-%y"),
        ("22-04-15 noon", "%d-%m-%y", "does not read as"),
        ("46086", "%d-%m-%y", r"with date_format=excel \(--date-format excel\) it is 2026-03-05 00:00"),
        ("1772694300", None, "with date_format=epoch .* it is 2026-03-05 07:05"),
        ("60", "excel", "from 1900-03-01 on"),
        ("9999999", "excel", "no such date"),
        ("3/5/2026", "excel", "it is no number"),
        ("1e9", "epoch", "it is no number"),
        ("2015-04-22", None, "no RFC 3339 time"),
        ("1429700030", None, "no RFC 3339 time"),
        ("2015-02-30T00:00:00Z", None, "no such date"),
        ("2015-04-22T00:00:00+25:00", None, "no such date"),
    ],
)
def test_what_is_no_such_date_is_reported(text: str, date_format: str | None, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        DateReader(date_format, NEW_YORK).read(text)


def test_a_time_without_offset_needs_a_zone() -> None:
    with pytest.raises(ValueError, match="give timezone"):
        instant("2015-04-22T10:00:00", None, None)
    with pytest.raises(MissingTimeZone, match="has no %z"):
        DateReader("%d-%m-%y", None)
    with pytest.raises(MissingTimeZone, match="excel has no offset"):
        DateReader("excel", None)
    assert instant("0", "epoch", None) == "1970-01-01T00:00:00+00:00"


def test_an_instant_outside_the_years_that_can_be_written_is_no_date() -> None:
    with pytest.raises(ValueError, match="outside the years"):
        instant("0001-01-01T00:00:00+10:00", None, None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2015-03-08 02:30:00", "2015-03-08T07:30:00+00:00"),  # skipped: 03:30 in summer time
        ("2015-11-01 01:30:00", "2015-11-01T05:30:00+00:00"),  # comes twice: the first, in summer time
    ],
)
def test_a_local_time_in_a_change_of_the_clocks(text: str, expected: str) -> None:
    assert instant(text, None, NEW_YORK) == expected


@pytest.mark.parametrize(
    ("date_format", "words"),
    [
        ("%d-%m", "year"),
        ("%m-%Y", "day"),
        ("%d %Y", "month"),
        ("", "day"),
        ("%d-%m-%y %I:%M", "%I .* and %p"),
        ("%d-%m-%y %H:%M %p", "%I .* and %p"),
        ("%d-%m-%y %d", "twice"),
        ("%d-%m-%b-%y", "twice"),
        ("%d-%m-%y %Y", "twice"),
        ("%d-%m-%y %j", "'%j' is not one of"),
        ("%d-%m-%y %", "'%' is not one of"),
        ("%d-%m-%y" + " " * 100, "at most 100"),
    ],
)
def test_a_format_that_leaves_a_date_open_is_refused(date_format: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        DateReader(date_format, NEW_YORK)


@pytest.mark.parametrize("name", ["Mars/Base", "../etc/passwd", "", "America", "\0"])
def test_what_is_no_zone_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no time zone"):
        load_zone(name)


def test_exchanging_a_format_leaves_the_rest() -> None:
    reader = DateReader("%%d %d/%m/%y", SHANGHAI)
    assert reader.numeric
    assert reader.swap_format().date_format == "%%d %m/%d/%y"
    assert not DateReader("%d %b %y", SHANGHAI).numeric
    assert not DateReader(None, None).numeric


def test_only_a_date_that_can_be_read_both_ways_is_swapped() -> None:
    assert swap_day_and_month(datetime(2015, 8, 4, 10, tzinfo=UTC)) == datetime(2015, 4, 8, 10, tzinfo=UTC)
    assert swap_day_and_month(datetime(2015, 8, 13, 10, tzinfo=UTC)) == datetime(2015, 8, 13, 10, tzinfo=UTC)


# Exchanged day and month


def days(first: date, last: date, *, step: int = 1) -> list[date]:
    return [first + timedelta(days=n) for n in range(0, (last - first).days + 1, step)]


def through_a_spreadsheet(dates: Iterable[date]) -> list[date]:
    return [swap_day_and_month(day) if day.day <= 12 else day for day in dates]


def find(dates: Iterable[date], *, rows_a_day: int = 1, numeric: bool = True) -> SwapFinding | None:
    counts = DateCounts()
    row = 0
    for day in dates:
        for _ in range(rows_a_day):
            row += 1
            counts.add(datetime(day.year, day.month, day.day, 9, tzinfo=UTC), row=row, text=f"{day:%d-%m-%y}")
    return counts.find_swap(numeric=numeric)


SPRING = days(date(2015, 4, 1), date(2015, 6, 30))


def test_a_quarter_that_went_through_a_spreadsheet_is_noticed() -> None:
    finding = find(through_a_spreadsheet(SPRING), rows_a_day=10)
    assert finding is not None
    assert (finding.dated, finding.ambiguous, finding.same) == (910, 360, 30)
    assert (finding.first, finding.last) == (date(2015, 4, 13), date(2015, 6, 30))
    assert finding.still_astray == 0
    assert [(day, count.row) for day, count in finding.examples] == [
        (date(2015, 1, 4), 1),
        (date(2015, 2, 4), 11),
    ]


@pytest.mark.parametrize(
    "dates",
    [
        days(date(2015, 6, 1), date(2015, 6, 30)),
        days(date(2015, 3, 5), date(2015, 7, 8)),
        days(date(2015, 1, 1), date(2015, 10, 31)),
        days(date(2015, 10, 1), date(2016, 2, 29)),
        days(date(2015, 6, 9), date(2015, 6, 20)),
        days(date(2015, 4, 1), date(2015, 6, 30), step=3),
    ],
    ids=["month", "odd ends", "ten months", "over new year", "twelve days", "every third day"],
)
def test_other_spans_that_went_through_a_spreadsheet_are_noticed(dates: list[date]) -> None:
    assert find(through_a_spreadsheet(dates), rows_a_day=4) is not None
    assert find(dates, rows_a_day=4) is None


def test_an_exchange_in_a_part_of_the_file_is_noticed_and_distinguished() -> None:
    part = days(date(2015, 4, 1), date(2015, 5, 15))
    finding = find([*through_a_spreadsheet(part), *days(date(2015, 5, 16), date(2015, 6, 30))])
    assert finding is not None
    assert finding.still_astray == 8  # 1 to 3 and 8 to 12 June, which were right, would leave the quarter


def test_a_slip_of_the_pen_in_either_kind_does_not_hide_the_exchange() -> None:
    assert (
        find([*through_a_spreadsheet(SPRING), date(2013, 12, 24), date(1999, 1, 1)], rows_a_day=2) is not None
    )


def test_a_short_run_without_any_day_above_12_is_noticed_in_a_numeric_format() -> None:
    dates = through_a_spreadsheet(days(date(2015, 6, 1), date(2015, 6, 8)))
    finding = find(dates, rows_a_day=2)
    assert finding is not None
    assert (finding.first, finding.last, finding.still_astray) == (None, None, 0)
    assert find(dates, rows_a_day=2, numeric=False) is None


@pytest.mark.parametrize(
    "dates",
    [
        [],
        days(date(2015, 1, 1), date(2015, 12, 31)),
        days(date(2014, 2, 3), date(2016, 11, 5)),
        days(date(2015, 1, 1), date(2015, 12, 31), step=7),
        days(date(2015, 1, 1), date(2015, 12, 31), step=30),
        days(date(2015, 6, 1), date(2015, 6, 5)),
        days(date(2015, 5, 30), date(2015, 6, 11)),
        days(date(2015, 6, 1), date(2015, 7, 12)),
        [date(2015, 6, 4)],
        SPRING,
        [*SPRING, *days(date(2014, 1, 1), date(2015, 3, 31), step=25)],
        [*SPRING, date(2015, 8, 4), date(2015, 9, 5)],
        [date(2015, 1, 5), date(2015, 2, 20), date(2015, 5, 9), date(2015, 8, 11), date(2015, 11, 30)],
        [date(year, month, 1) for year in (2014, 2015) for month in range(1, 13)],
    ],
)
@pytest.mark.parametrize("rows_a_day", [1, 20])
def test_a_proper_file_raises_no_alarm(dates: list[date], rows_a_day: int) -> None:
    assert find(dates, rows_a_day=rows_a_day) is None


@given(
    first=st.dates(date(2000, 1, 1), date(2030, 1, 1)),
    length=st.integers(1, 800),
    step=st.integers(1, 10),
    rows_a_day=st.integers(1, 20),
)
def test_no_regular_run_of_days_raises_an_alarm(first: date, length: int, step: int, rows_a_day: int) -> None:
    run = days(first, first + timedelta(days=length), step=step)
    assert find(run, rows_a_day=rows_a_day) is None


@given(st.lists(st.dates(date(2015, 1, 1), date(2015, 12, 31)), max_size=40))
def test_no_scatter_over_a_year_raises_an_alarm(dates: list[date]) -> None:
    assert find([*dates, *days(date(2015, 1, 13), date(2015, 12, 31), step=20)]) is None
