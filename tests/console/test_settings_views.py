"""What the pages of settings draw: policies on a line of time, and months of calendars. No HTTP."""

from datetime import date, timedelta

import pytest

from complaints.api.problems.languages import Language
from complaints.console.locale import Locale
from complaints.console.views.months import show_month
from complaints.console.views.policy_timeline import (
    describe_step,
    draw_timeline,
    pause_words,
    target_words,
)
from complaints.domain.policy.circumstances import Circumstances
from complaints.domain.rules.trial import plan_deadlines
from complaints.domain.time.notation import parse_target
from complaints.domain.vocabulary import Priority
from tests.domain.builders import HANDBOOK, START, WORKING

ENGLISH, CHINESE = (Locale(language, "Asia/Shanghai") for language in Language)
NORMAL = Circumstances(priority=Priority.NORMAL)


def _percent(text: str) -> float:
    return float(text.removesuffix("%"))


def test_each_deadline_is_a_line_on_the_scale_of_its_start() -> None:
    receipt, result = draw_timeline(plan_deadlines(HANDBOOK, START, told=NORMAL), ENGLISH, {})
    assert (receipt.title, result.title) == ("From the receipt", "From the result")
    assert [one.name for one in receipt.deadlines] == ["response", "result"]
    assert [one.name for one in result.deadlines] == ["follow-up 1", "closure"]
    response, answer = receipt.deadlines
    assert (response.target, response.explanation) == ("24 h", "counted 1 d")
    assert [dot.level for dot in answer.dots] == ["", "0", "0", "1", "2", "3"]  # the due time first
    places = [_percent(dot.x) for dot in answer.dots[1:]]
    assert places == sorted(places)
    assert places[2] == _percent(answer.dots[0].x)  # the step at 100 %
    assert places[2] == pytest.approx(2 * _percent(response.dots[0].x), abs=0.02)  # 48 h and 24 h
    assert places[-1] < 100
    assert [mark.words for mark in receipt.marks][:2] == ["+12 h", "+1 d"]
    assert answer.steps[3].recipients == "head of department"


def test_working_time_shows_what_counts_and_what_does_not() -> None:
    received_at = START - timedelta(days=5)  # New Year's Eve, a Wednesday
    panels = draw_timeline(plan_deadlines(WORKING, received_at, told=NORMAL), CHINESE, {})
    result = panels[0].deadlines[1]
    assert result.target == "5 个工作日（次日起算）"
    assert {one.tone for one in result.stretches} == {"counted", "closed", "holiday", "not_started"}
    assert "节假日" in result.explanation
    assert any("元旦" in one.words for one in result.stretches)
    ends = [_percent(one.x) + _percent(one.width) for one in result.stretches]
    assert max(ends) == pytest.approx(_percent(result.dots[0].x), abs=0.02)


@pytest.mark.parametrize(
    ("text", "english", "chinese"),
    [
        ("48 elapsed hours", "48 h", "48 小时"),
        ("90 elapsed minutes", "1 h 30 min", "1 小时 30 分钟"),
        ("8 working hours", "8 h of open time", "工作时间 8 小时"),
        ("1 working day", "1 working day", "1 个工作日"),
        ("5 working days from the next day", "5 working days from the next day", "5 个工作日（次日起算）"),
        ("1 calendar month", "1 month", "1 个月"),
        ("7 calendar days", "7 days", "7 天"),
    ],
)
def test_a_target_is_said_in_words(text: str, english: str, chinese: str) -> None:
    assert target_words(parse_target(text), ENGLISH) == english
    assert target_words(parse_target(text), CHINESE) == chinese


def test_pauses_and_the_actions_of_steps_are_said_in_words() -> None:
    assert pause_words(HANDBOOK.rules["resolution"], ENGLISH) == (
        "stops for at most 72 h while: Waiting for the complainant"
    )
    assert pause_words(HANDBOOK.rules["first_response"], ENGLISH) == ""
    raising = [step for step in WORKING.rules["first_response"].ladder if step.raise_priority]
    assert all("raises the priority" in describe_step(step, ENGLISH).more for step in raising)


def test_a_month_tells_holidays_and_make_up_days_from_other_days() -> None:
    calendar = WORKING.calendars["office"]
    month = show_month(calendar, date(2026, 2, 1), ENGLISH)
    days = {day.number: day for week in month.weeks for day in week if day}
    assert (month.title, month.before, month.after) == ("Feb 2026", "2026-01", "2026-03")
    assert {len(week) for week in month.weeks} == {7}
    assert (days[16].kind, days[16].words) == ("holiday", "春节")
    assert (days[14].kind, days[14].words) == ("made_up", "09:00-12:00, 13:30-18:00")  # a Saturday
    assert (days[7].kind, days[4].kind) == ("closed", "open")
    always = show_month(HANDBOOK.calendars["always"], date(2026, 12, 1), CHINESE)
    assert (always.title, always.after) == ("2026年12月", "2027-01")
    assert {day.kind for week in always.weeks for day in week if day} == {"open"}
