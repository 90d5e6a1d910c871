"""What lists show, without HTTP: addresses, the strip of figures, chips and rows."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from complaints.api.problems.languages import Language
from complaints.console.locale import Locale
from complaints.console.views.addresses import ListAddress
from complaints.console.views.bulk_forms import fields_of, members_of
from complaints.console.views.due_strip import strip_of
from complaints.console.views.list_filters import (
    FilterReference,
    clock_chips,
    filter_fields,
    other_chips,
    quick_chips,
)
from complaints.console.views.list_queries import DueListQuery
from complaints.console.views.rows import USUAL_COLUMNS, choose_columns, row_of
from complaints.console.views.saved_view_links import link_views
from complaints.domain.errors import InvalidContent
from complaints.domain.policy.categories import Category
from complaints.domain.staff import Directory, Team, User
from complaints.domain.vocabulary import Action, DeadlineStatus, Priority, PriorityReason, Status
from complaints.use_cases.complaints.lists import DueFigures, ListCount
from complaints.use_cases.complaints.views import ComplaintParts
from complaints.use_cases.work.saved_views import SavedView

NOW = datetime(2026, 3, 2, 1, tzinfo=UTC)
ENGLISH, CHINESE = Locale(Language.ENGLISH, "UTC"), Locale(Language.CHINESE, "Asia/Shanghai")
TEAMS = {f"t{n}": Team(f"t{n}", {"en": f"Team {n}", "zh": f"团队{n}"}, "house") for n in range(6)}
USERS = {"li.wei": User("li.wei", "Li Wei", teams=("t0",)), "gone": User("gone", "Gone", active=False)}
CATEGORIES = {
    "network": Category("network", None, {"en": "Network", "zh": "网络"}),
    "network.outage": Category("network.outage", "network", {"en": "Outage", "zh": "中断"}),
}
KNOWN = FilterReference(
    Directory(USERS, TEAMS, {}), CATEGORIES, ("resolution", "visit"), {"visit": {"en": "visit"}}
)


def _address(query: str) -> ListAddress:
    pairs = [tuple(pair.split("=")) for pair in query.split("&") if pair]
    return ListAddress.of("/console/overdue", pairs)  # type: ignore[arg-type]


def _parts(*deadlines: Mapping[str, Any], **members: Any) -> ComplaintParts:
    usual = {
        "id": UUID(int=1), "sequence": 42, "version": 3, "subject": "No signal", "category": "network.outage",
        "region": "CN-31", "channel": "phone", "status": Status.RECEIVED, "priority": Priority.HIGH, "team": "t0",
        "assignee": None, "received_at": NOW, "priority_reasons": (PriorityReason.SEVERITY,),
    }  # fmt: skip
    return ComplaintParts(usual | members, deadlines, {}, (), (Action.ASSIGN,), NOW, in_clear=True)


def _deadline(
    kind: str, hours: float, status: DeadlineStatus = DeadlineStatus.RUNNING, level: int = 0
) -> dict[str, Any]:
    due_at = NOW + timedelta(hours=hours)
    return {"kind": kind, "status": status, "due_at": due_at, "paused_until": None, "level": level}


def test_an_address_has_no_empty_parameters_and_its_links_begin_at_the_first_page() -> None:
    address = _address("team=a b&region=&columns=team&columns=clock&cursor=xyz&priority=high")
    assert str(address) == "/console/overdue?team=a%20b&cursor=xyz&priority=high&columns=team,clock"
    assert address.query == "team=a%20b&priority=high&columns=team,clock"
    assert (
        address.link(team="", sort="priority")
        == "/console/overdue?priority=high&columns=team,clock&sort=priority"
    )
    assert address.clean("columns") == "/console/overdue?columns=team,clock"
    assert address.others("team") == [("priority", "high"), ("columns", "team,clock")]


def test_the_strip_says_how_many_how_late_and_whose_and_marks_what_is_shown() -> None:
    found = DueFigures(
        1200, NOW - timedelta(days=6, hours=4), 58, {f"t{n}": 600 - n * 100 for n in range(6)}, 0
    )
    strip = strip_of(found, NOW, _address("assignee=none"), ENGLISH, TEAMS)
    assert [(one.value, one.address, one.tone, one.is_shown) for one in strip.figures] == [
        ("1,200", "/console/overdue", "late", False),
        ("6 d 4 h", "/console/overdue?sort=next_due_at", "late", False),
        ("0", "/console/overdue?show=soon", "", False),
        ("58", "/console/overdue?assignee=none", "", True),
    ]
    assert [(bar.name, bar.count, bar.share) for bar in strip.teams][:2] == [
        ("Team 0", "600", 50),
        ("Team 1", "500", 42),
    ]
    assert (len(strip.teams), strip.other_teams) == (4, 2)


def test_a_strip_of_nothing_has_no_colour_and_no_teams() -> None:
    strip = strip_of(DueFigures(0, None, 0, {}, 0), NOW, _address(""), CHINESE, TEAMS)
    assert [(one.value, one.tone) for one in strip.figures] == [("0", ""), ("–", ""), ("0", ""), ("0", "")]
    assert strip.teams == ()


def test_chips_turn_filters_on_and_off() -> None:
    address = _address("deadline_kind=visit&priority=urgent&team=t1&category=network.outage&show=soon")
    clocks = clock_chips(address, ENGLISH, KNOWN)
    assert [(chip.label, chip.is_on) for chip in clocks] == [
        ("All clocks", False),
        ("Result", False),
        ("Visit", True),
    ]
    quick = quick_chips(address, ENGLISH)
    assert [chip.label for chip in quick if chip.is_on] == ["Urgent"]
    assert "priority" not in quick[0].address
    others = other_chips(address, CHINESE, KNOWN)
    assert [chip.label for chip in others] == ["团队: 团队1", "类别: 网络 · 中断"]
    assert all("show=soon" in chip.address for chip in [*clocks, *quick, *others])


def test_the_form_offers_people_and_teams_who_work() -> None:
    fields = {field.name: field for field in filter_fields(_address("team=t2"), ENGLISH, KNOWN)}
    assert fields["team"].value == "t2"
    assert [value for value, _ in fields["assignee"].choices] == ["none", "me", "li.wei"]
    assert fields["region"].choices == ()


@pytest.mark.parametrize(
    ("deadlines", "tone", "words", "level"),
    [
        (
            [_deadline("resolution", 3.2), _deadline("first_response", -2.1, level=2)],
            "late", "response 2 h 6 min late", 2,
        ),
        (
            [_deadline("first_response", -9, DeadlineStatus.MET_LATE, level=3), _deadline("resolution", 30)],
            "run", "result in 1 d 6 h", 0,
        ),
        ([_deadline("resolution", 1, DeadlineStatus.PAUSED)], "pause", "result paused", 0),
    ],
    ids=["late", "met", "paused"],
)  # fmt: skip
def test_a_row_names_the_nearest_clock_and_the_level(
    deadlines: list[dict[str, Any]], tone: str, words: str, level: int
) -> None:
    row = row_of(_parts(*deadlines), locale=ENGLISH, directory=KNOWN.directory, categories=CATEGORIES)
    assert row.badge is not None
    assert (row.badge.tone, row.badge.words, row.level) == (tone, words, level)
    assert (row.about, row.team, row.assignee) == ("Network · Outage · CN-31 · Phone", "Team 0", "")


def test_a_row_marks_a_repeated_complaint() -> None:
    repeated = _parts(priority_reasons=(PriorityReason.SEVERITY, PriorityReason.REPEAT), assignee="li.wei")
    row = row_of(repeated, locale=CHINESE, directory=KNOWN.directory, categories=CATEGORIES)
    assert row.about == "网络 · 中断 · CN-31 · 电话 · 重复投诉"
    assert (row.assignee, row.badge) == ("Li Wei", None)


def test_columns_keep_their_order_and_a_wrong_name_is_left_out() -> None:
    assert choose_columns(["clock", "status", "nothing"]) == ("status", "clock")
    assert choose_columns([""]) == USUAL_COLUMNS


def test_soon_is_within_24_hours_and_not_overdue() -> None:
    asked = DueListQuery(show="soon", team="t1").asked(NOW)  # type: ignore[arg-type]
    assert (asked.overdue, asked.due_before, asked.team) == (False, NOW + timedelta(hours=24), "t1")
    assert DueListQuery().asked(NOW).overdue is True


def test_a_form_for_many_reads_local_times_and_offers_a_short_list_of_people() -> None:
    members = members_of("hold", {"reason": "outage", "until": "2026-03-02T10:00"}, CHINESE)
    assert members == {"action": "hold", "reason": "outage", "until": NOW + timedelta(hours=1)}
    with pytest.raises(InvalidContent) as refused:
        members_of("hold", {"until": "tomorrow"}, CHINESE)
    assert [fault.pointer for fault in refused.value.faults] == ["/until"]
    assert members_of("note", {"text": "x", "visibility": ""}, ENGLISH) == {"text": "x"}
    many = {f"u{n}": User(f"u{n}", f"User {n}", teams=("t0",)) for n in range(201)}
    for users, kind in ((USERS, "select"), (many, "line")):
        [_, assignee] = fields_of("assign", ENGLISH, Directory(users, TEAMS, {}))
        assert assignee.kind == kind
    assert fields_of("resume", ENGLISH, KNOWN.directory) == ()


def test_a_saved_view_says_for_whom_it_is_and_which_one_is_shown() -> None:
    views = [
        SavedView(UUID(int=1), "Mine", "overdue", "", "li.wei", None, True, NOW),
        SavedView(UUID(int=2), "Ours", "overdue", "team=t1", "wang.min", "t1", True, NOW),
    ]
    counts = {UUID(int=1): ListCount(999, True)}
    shown = "/console/overdue?team=t1"
    links = link_views(
        views, login="li.wei", shown=shown, counts=counts, directory=KNOWN.directory, locale=CHINESE
    )
    assert [(one.count, one.team, one.owner, one.is_own, one.is_home, one.is_shown) for one in links] == [
        ("999+", "", "Li Wei", True, True, False),
        ("", "团队1", "wang.min", False, False, True),
    ]
