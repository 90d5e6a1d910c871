"""Instants as text: one reader, one writer."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from complaints.domain.instants import MOMENT, MalformedInstant, read_instant, write_instant

NINE = datetime(2026, 1, 5, 9, 30, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-05T09:30:15Z", NINE),
        ("2026-01-05t09:30:15z", NINE),
        ("2026-01-05T17:30:15+08:00", NINE),
        ("2026-01-05T09:30:15-00:00", NINE),
        ("2026-01-05T09:30:15.5Z", NINE + timedelta(seconds=0.5)),
        ("2026-01-05T09:30:15.000001Z", NINE + MOMENT),
        ("2026-01-05T09:30:15.0000019999Z", NINE + MOMENT),
    ],
)
def test_an_instant_is_read(text: str, expected: datetime) -> None:
    assert read_instant(text) == expected


@pytest.mark.parametrize(
    ("text", "option", "expected"),
    [
        ("2026-01-05 09:30:15Z", "allow_space", NINE),
        ("2026-01-05T09:30Z", "allow_minutes", NINE.replace(second=0)),
        ("2026-01-05T09:30:15", "allow_local", NINE.replace(tzinfo=None)),
    ],
)
def test_a_shorter_form_is_read_only_if_it_is_allowed(text: str, option: str, expected: datetime) -> None:
    assert read_instant(text, **{option: True}) == expected
    with pytest.raises(MalformedInstant):
        read_instant(text)
    others = {"allow_space", "allow_minutes", "allow_local"} - {option}
    with pytest.raises(MalformedInstant):
        read_instant(text, **dict.fromkeys(others, True))


@pytest.mark.parametrize(
    "text",
    ["", "now", "2026-01-05", "20260105T093015Z", "2026-W02-1T09:30:15Z", " 2026-01-05T09:30:15Z",
     "2026-01-05T09:30:15Z\n", "2026-01-05T09:30:15,5Z", "2026-01-05T09:30:15+0800", "2026-01-05T09:30:15.Z",
     "٢٠٢٦-01-05T09:30:15Z"],
)  # fmt: skip
def test_another_form_is_refused(text: str) -> None:
    with pytest.raises(MalformedInstant):
        read_instant(text, allow_space=True, allow_minutes=True, allow_local=True)


@pytest.mark.parametrize(
    "text",
    ["2026-02-30T09:30:15Z", "2026-01-05T25:30:15Z", "2026-01-05T09:30:60Z", "2026-01-05T09:30:15+24:00"],
)
def test_a_time_that_does_not_exist_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_instant(text)


def test_an_instant_is_written_in_utc() -> None:
    assert write_instant(NINE) == "2026-01-05T09:30:15Z"
    assert write_instant(NINE + MOMENT) == "2026-01-05T09:30:15.000001Z"
    assert write_instant(NINE.astimezone(ZoneInfo("Asia/Shanghai"))) == "2026-01-05T09:30:15Z"
    assert write_instant(NINE.astimezone(ZoneInfo("UTC"))) == "2026-01-05T09:30:15Z"


def test_a_naive_time_is_not_written() -> None:
    with pytest.raises(ValueError, match="needs a zone"):
        write_instant(NINE.replace(tzinfo=None))


@given(
    st.datetimes(NINE.replace(year=2, tzinfo=None), NINE.replace(year=9998, tzinfo=None)),
    st.integers(-1439, 1439),
)
def test_a_written_instant_reads_back(local: datetime, offset_minutes: int) -> None:
    instant = local.replace(tzinfo=timezone(timedelta(minutes=offset_minutes)))
    assert read_instant(write_instant(instant)) == instant
