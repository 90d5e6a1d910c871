"""Policy documents (domain §4): what they may hold, what is refused with which line, and the way back."""

import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from fractions import Fraction
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from complaints.domain.errors import Fault, InvalidContent
from complaints.domain.policy.policy import HolidayTable, Policy
from complaints.domain.time.calendar_document import calendar_document, parse_calendar
from complaints.domain.time.calendars import always_open
from complaints.domain.time.notation import (
    Repeat,
    length_text,
    parse_length,
    parse_step_place,
    parse_target,
    target_text,
)
from complaints.domain.time.working_time import Target, Unit
from complaints.domain.vocabulary import (
    AccessRole,
    DeadlineKind,
    HoldReason,
    Priority,
    RecipientRole,
    Severity,
)
from complaints.use_cases.policy_document.document import from_document, read_policy, to_document
from complaints.use_cases.policy_document.yaml_document import LARGEST_DOCUMENT_BYTES
from complaints.use_cases.upkeep.seeding import load_seed_data

Document = dict[str, Any]

OFFICE = {
    "hours": {day: [["09:00", "18:00"]] for day in ("mon", "tue", "wed", "thu", "fri")},
    "holidays": {"2026-10-01": "国庆节"},
    "overrides": {"2026-10-10": [["09:00", "12:00"]]},
}
TEAMS = ("operations", "customer_service", "management")


def shipped(name: str) -> str:
    return files("complaints").joinpath(f"policies/{name}.yaml").read_text("utf-8")


@pytest.fixture(scope="module")
def handbook() -> Policy:
    return read_policy(shipped("telecom-handbook")).policy


@pytest.fixture
def document(handbook: Policy) -> Document:
    """The handbook as data, to be spoiled."""
    return to_document(handbook)


def faults_of(text: str | Document, **known: Any) -> tuple[Fault, ...]:
    text = text if isinstance(text, str) else json.dumps(text, ensure_ascii=False, indent=1)
    with pytest.raises(InvalidContent) as refused:
        read_policy(text, **known)
    assert all(fault.message.startswith("line ") for fault in refused.value.faults)
    return refused.value.faults


def place(document: Document, pointer: str) -> tuple[Any, Any]:
    """What holds the member at `pointer`, and its key there."""
    *path, last = pointer.split("/")[1:]
    holder: Any = document
    for name in path:
        holder = holder[int(name) if isinstance(holder, list) else name]
    return holder, int(last) if isinstance(holder, list) and last != "-" else last


def put(document: Document, pointer: str, value: Any) -> None:
    holder, key = place(document, pointer)
    if key == "-":
        holder.append(value)
    else:
        holder[key] = value


# The shipped policies ---------------------------------------------------------------------------------------


def days(amount: int) -> Target:
    return Target(amount, Unit.CALENDAR_DAYS)


def months(*amounts: int) -> tuple[Target, ...]:
    return tuple(Target(amount, Unit.CALENDAR_MONTHS) for amount in amounts)


def test_the_handbook_is_as_the_rule_book_says(handbook: Policy) -> None:
    # domain §2 to §5
    assert (handbook.code, handbook.timezone, handbook.phone_region) == (
        "telecom-handbook",
        "Asia/Shanghai",
        "CN",
    )
    assert handbook.effective_at == datetime(1970, 1, 1, tzinfo=UTC)
    assert list(handbook.rules) == list(DeadlineKind)
    assert all(rule.calendar.hours is None for rule in handbook.rules.values())
    assert handbook.follow_ups == {
        Priority.URGENT: months(1, 2, 3),
        Priority.HIGH: months(1, 2, 3),
        Priority.NORMAL: months(1),
        Priority.LOW: months(1),
    }
    assert handbook.closure == days(7)
    assert (handbook.contact_match_days, handbook.unreachable_retry, handbook.unreachable_attempts) == (
        7,
        days(3),
        3,
    )
    assert (handbook.hold_maximum, handbook.reopen_window) == (days(7), days(90))
    assert handbook.early_close_roles == {AccessRole.SUPERVISOR, AccessRole.MANAGER, AccessRole.ADMIN}
    assert handbook.priorities.from_severity == {
        Severity.CRITICAL: Priority.URGENT,
        Severity.HIGH: Priority.HIGH,
        Severity.NORMAL: Priority.NORMAL,
        Severity.LOW: Priority.LOW,
    }
    assert handbook.priorities.raised_by == {"vulnerable", "repeat", "regulator"}
    assert handbook.priorities.repeat_window_days == 30
    assert {route.cause: route.team for route in handbook.routes} == dict(
        zip(("technical", "service", "management"), TEAMS, strict=True)
    )
    assert handbook.default_team == "customer_service"


@pytest.mark.parametrize(
    ("kind", "hours"), [(DeadlineKind.FIRST_RESPONSE, 24), (DeadlineKind.RESOLUTION, 48)]
)
def test_the_handbooks_targets(handbook: Policy, kind: DeadlineKind, hours: int) -> None:
    for priority in Priority:
        target = handbook.rules[kind].target_for(priority, "network.outage")
        assert target == Target(hours * 3600, Unit.ELAPSED_SECONDS)


def test_only_the_handbooks_resolution_pauses(handbook: Policy) -> None:
    resolution = handbook.rules[DeadlineKind.RESOLUTION]
    assert resolution.pauses_on == {HoldReason.AWAITING_COMPLAINANT}
    assert resolution.pause_budget_seconds == 72 * 3600
    others = [rule for kind, rule in handbook.rules.items() if kind is not DeadlineKind.RESOLUTION]
    assert all(not rule.pauses_on and rule.pause_budget_seconds is None for rule in others)


LONG = [
    ("50%", 0, ("assignee",)),
    ("80%", 0, ("assignee", "team_lead")),
    ("100%", 1, ("team_lead",)),
    ("+12h", 2, ("department_head",)),
    ("+24h", 3, ("executive",)),
]
TRACKING = [
    ("-3d", 0, ("assignee",)),
    ("100%", 1, ("team_lead",)),
    ("+3d", 2, ("department_head",)),
]


@pytest.mark.parametrize(
    ("kind", "ladder"),
    [
        (DeadlineKind.FIRST_RESPONSE, LONG),
        (DeadlineKind.RESOLUTION, LONG),
        (DeadlineKind.FOLLOW_UP, TRACKING),
        (DeadlineKind.CLOSURE, TRACKING),
        (DeadlineKind.PROMISE, [("-1h", 0, ("assignee",)), ("100%", 1, ("team_lead",))]),
    ],
)
def test_the_handbooks_ladders_are_those_of_the_rule_book(
    handbook: Policy, kind: DeadlineKind, ladder: Any
) -> None:
    # domain §3
    steps = handbook.rules[kind].ladder
    assert [(step.name, step.level, step.notify) for step in steps] == ladder


def test_a_step_has_its_place_in_numbers(handbook: Policy) -> None:
    half, *_, day_late = handbook.rules[DeadlineKind.RESOLUTION].ladder
    reminder = handbook.rules[DeadlineKind.CLOSURE].ladder[0]
    assert (half.share, half.offset_seconds, half.offset_days) == (Fraction(1, 2), None, None)
    assert (day_late.share, day_late.offset_seconds, day_late.offset_days) == (None, 86_400, None)
    assert (reminder.share, reminder.offset_seconds, reminder.offset_days) == (None, None, -3)


@pytest.mark.parametrize("name", ["telecom-handbook", "working-hours"])
def test_shipped_policies_name_only_what_a_fresh_database_has(name: str) -> None:
    # rule 4.3
    categories = [category.code for category in load_seed_data().categories]
    assert read_policy(shipped(name), teams=TEAMS, categories=categories).policy.code == name


def test_the_handbook_needs_no_second_look() -> None:
    assert read_policy(shipped("telecom-handbook")).warnings == ()


def test_the_working_hours_example_knows_chinese_holidays_and_make_up_days() -> None:
    calendar = read_policy(shipped("working-hours")).policy.calendars["office"]
    assert calendar.holidays[date(2026, 2, 17)] == "春节"
    make_up = [day for day in calendar.overrides if day.weekday() >= 5]
    assert len(make_up) == len(calendar.overrides) == 6
    assert date(2026, 10, 10) in make_up


def test_an_unconfirmed_year_of_holidays_is_a_warning_with_its_line() -> None:
    text = shipped("working-hours")
    reading = read_policy(text)
    (warning,) = reading.warnings
    line = text.splitlines().index("      - year: 2027") + 1
    assert warning.pointer == "/calendars/office/holiday_tables/1"
    assert warning.message.startswith(f"line {line}: the holidays of 2027 are not confirmed")
    assert [(table.year, table.confirmed) for table in reading.policy.holiday_tables["office"]] == [
        (2026, True),
        (2027, False),
    ]


DOCUMENTATION = Path(__file__).parents[2] / "docs" / "policies.md"


def test_the_small_policy_of_the_documentation_is_accepted() -> None:
    (example,) = re.findall(r"```yaml\n(code: .*?)```", DOCUMENTATION.read_text("utf-8"), re.DOTALL)
    reading = read_policy(example, teams=TEAMS, categories=["network"])
    assert (reading.policy.code, reading.warnings) == ("small", ())


def test_the_calendars_of_the_documentation_are_accepted() -> None:
    (example,) = re.findall(r"```yaml\n(calendars:\n.*?)```", DOCUMENTATION.read_text("utf-8"), re.DOTALL)
    text = shipped("telecom-handbook")
    assert "calendars:\n  always:\n    hours: null\n" in text
    text = text.replace("calendars:\n  always:\n    hours: null\n", example)
    reading = read_policy(text, calendars={"shanghai-branch": always_open("Asia/Shanghai")})
    assert list(reading.policy.calendars) == ["always", "branch", "office"]
    assert reading.policy.calendars["office"].overrides[date(2027, 1, 4)] == ()


def test_a_policy_says_what_a_contact_does_after_the_end(document: Document) -> None:
    """The built-in value is not written, because the program of before refuses the member."""
    # rule 1.14
    assert "contact_after_end" not in document
    for word, written in (("reopen", {}), ("new", {"contact_after_end": "new"})):
        policy = from_document({**document, "contact_after_end": word}, version=1)
        assert policy.contact_after_end == word
        assert to_document(policy) == {**document, **written}


def test_the_documentation_explains_every_member(document: Document) -> None:
    explained = set(re.findall(r"`([a-z_]+)`", DOCUMENTATION.read_text("utf-8")))
    step = ("at", "level", "notify", "raise_priority", "move_to_team")
    rule = ("calendar", "targets", "ladder", "pauses_on", "pause_budget")
    calendar = ("timezone", "hours", "holidays", "overrides", "holiday_tables", "use")
    words = [
        word for words in (DeadlineKind, Priority, Severity, HoldReason, RecipientRole) for word in words
    ]
    assert explained >= {*document, *document["priorities"], *step, *rule, *calendar, *words}


# There and back ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["telecom-handbook", "working-hours"])
def test_a_policy_written_out_reads_back_equal(name: str) -> None:
    policy = read_policy(shipped(name), version=7).policy
    stored = json.loads(json.dumps(to_document(policy)))
    assert from_document(stored, version=7) == policy


def test_every_member_survives_writing_and_reading(document: Document) -> None:
    # rule 4.4
    document["title"]["zh-TW"] = "手冊 🙂 \u2028"
    document["calendars"]["office"] = {
        **OFFICE,
        "timezone": "Asia/Urumqi",
        "holiday_tables": [{"year": 2026, "source": "国务院", "confirmed": True}],
    }
    rule = document["deadlines"]["first_response"]
    rule["calendar"] = "office"
    rule["targets"] = [
        {"target": "30 working minutes", "priority": "urgent", "category": "network"},
        {"target": "5 working days from the next day"},
    ]
    rule["ladder"][0] |= {"at": "33.5%", "raise_priority": True, "move_to_team": "operations"}
    rule["ladder"][-1]["repeat"] = "60m"
    document["deadlines"]["promise"].pop("calendar")
    document["routes"].insert(0, {"team": "north", "category": "network", "region": "CN-11"})
    policy = from_document(document, version=2)
    assert from_document(json.loads(json.dumps(to_document(policy))), version=2) == policy
    assert policy.rules[DeadlineKind.PROMISE].calendar == always_open("Asia/Shanghai")
    assert policy.rules[DeadlineKind.FIRST_RESPONSE].ladder[0].move_to_team == "operations"
    assert policy.rules[DeadlineKind.FIRST_RESPONSE].ladder[-1].repeat == Repeat("1h", seconds=3600)
    assert policy.title["zh-TW"] == "手冊 🙂 \u2028"
    assert policy.holiday_tables == {"office": (HolidayTable(2026, "国务院", True),)}


def test_json_with_tabs_and_escaped_pairs_of_surrogates_is_read(document: Document) -> None:
    document["title"]["en"] = "smile 🙂/"
    text = json.dumps(document, indent="\t").replace("/", "\\/")
    assert "\\ud83d\\ude42" in text
    assert read_policy(text).policy.title["en"] == "smile 🙂/"


def test_a_byte_order_mark_does_not_matter() -> None:
    assert read_policy("\ufeff" + shipped("telecom-handbook")).policy.code == "telecom-handbook"


def test_a_calendar_written_out_reads_back_equal() -> None:
    calendar = parse_calendar({"timezone": "Asia/Shanghai", **OFFICE, "hours": {"mon": [["00:00", "24:00"]]}})
    assert parse_calendar(calendar_document(calendar)) == calendar


def test_a_stored_calendar_is_taken_in_as_it_is(document: Document) -> None:
    stored = parse_calendar({"timezone": "Asia/Shanghai", **OFFICE})
    document["calendars"]["desk"] = {"use": "cn-office"}
    document["deadlines"]["resolution"]["calendar"] = "desk"
    policy = read_policy(json.dumps(document), calendars={"cn-office": stored}).policy
    calendar = policy.rules[DeadlineKind.RESOLUTION].calendar
    assert (calendar.name, calendar.hours, calendar.holidays) == ("desk", stored.hours, stored.holidays)
    assert from_document(to_document(policy), version=1) == policy


def test_a_calendar_without_zone_is_in_the_policys(document: Document) -> None:
    document["calendars"]["office"] = OFFICE
    assert from_document(document, version=1).calendars["office"].timezone == "Asia/Shanghai"


def test_complaints_may_be_named_by_one_value_or_by_a_list(document: Document) -> None:
    # rule 4.13
    document["applies_to"] = {"category": "billing", "region": ["CN-31", "CN-32", "CN-31"]}
    document["effective_until"] = "2030-01-01T00:00:00Z"
    policy = read_policy(json.dumps(document)).policy
    assert list(policy.applies_to.items()) == [("region", ("CN-31", "CN-32")), ("category", ("billing",))]
    assert from_document(to_document(policy), version=1) == policy
    document["effective_until"] = document["effective_at"]
    (fault,) = faults_of(document)
    assert (fault.pointer, "later than" in fault.message) == ("/effective_until", True)
    assert faults_of(document | {"applies_to": {"category": "x"}}, categories=["billing"])[0].pointer == (
        "/applies_to/category/0"
    )


def test_a_holiday_may_go_without_a_name(document: Document) -> None:
    document["calendars"]["office"] = {**OFFICE, "holidays": {"2026-10-01": None}}
    assert from_document(document, version=1).calendars["office"].holidays == {date(2026, 10, 1): ""}


@pytest.mark.parametrize(
    "pointer", ["/calendars", "/deadlines/promise/calendar", "/deadlines/resolution/pauses_on"]
)
def test_null_counts_as_absent(document: Document, pointer: str) -> None:
    if pointer == "/calendars":
        for rule in document["deadlines"].values():
            rule.pop("calendar")
    document["deadlines"]["resolution"].pop("pause_budget")
    put(document, pointer, None)
    assert from_document(document, version=1).code == "telecom-handbook"


# What is refused --------------------------------------------------------------------------------------------

LADDER = "/deadlines/resolution/ladder"
REFUSED: list[tuple[str, Any, str, str]] = [
    # what is put where, where the fault is, what it says
    ("/cod", "x", "/cod", "unknown member 'cod'; did you mean 'code'?"),
    ("/code", "Telecom Handbook", "/code", "lower-case"),
    ("/code", None, "", "lacks 'code'"),
    ("/title", {"en": "x"}, "/title", "lacks the text in 'zh'"),
    ("/title", "x", "/title", "must be a mapping"),
    ("/title/english", "x", "/title/english", "not a language tag"),
    ("/title/en", " ", "/title/en", "not all of them blank"),
    ("/effective_at", "2026-10-01", "/effective_at", "an instant with its offset"),
    ("/effective_at", "2026-10-01T00:00:00", "/effective_at", "an instant with its offset"),
    ("/effective_at", "2026-13-01T00:00:00Z", "/effective_at", "an instant with its offset"),
    ("/effective_at", 1790000000, "/effective_at", "an instant with its offset"),
    ("/effective_at", "0001-01-01T00:00:00+14:00", "/effective_at", "an instant with its offset"),
    ("/timezone", "Asia/Peking", "/timezone", "Asia/Peking"),
    ("/phone_region", "China", "/phone_region", "two letters of a country"),
    ("/calendars/always/hours", {"mon": [["18:00", "09:00"]]}, "/calendars/always/hours/mon/0", "end"),
    ("/calendars/always", {}, "/calendars/always", "write 'hours: null'"),
    ("/calendars/always", {"use": "cn"}, "/calendars/always/use", "unknown stored calendar 'cn'"),
    ("/calendars/always", {"use": "cn", "hours": None}, "/calendars/always", "'use' takes a stored calendar"),
    ("/calendars/a b", {"hours": None}, "/calendars/a b", "a calendar's name"),
    ("/calendars/office", {**OFFICE, "hours": {}}, "/calendars/office", "no open hour within 366 days"),
    (
        "/calendars/office",
        {**OFFICE, "holiday_tables": [{"year": "2026", "source": "x", "confirmed": True}]},
        "/calendars/office/holiday_tables/0/year",
        "whole number",
    ),
    (
        "/calendars/office",
        {**OFFICE, "holiday_tables": [{"year": 2026, "source": "x", "confirmed": "yes"}]},
        "/calendars/office/holiday_tables/0/confirmed",
        "true or false",
    ),
    ("/priorities/from_severity/high", "hihg", "/priorities/from_severity/high", "did you mean 'high'?"),
    (
        "/priorities/from_severity/low",
        None,
        "/priorities/from_severity/low",
        "must be the name of a priority",
    ),
    (
        "/priorities/from_severity",
        {"critical": "urgent"},
        "/priorities/from_severity",
        "lacks 'high', 'normal', 'low'",
    ),
    (
        "/priorities/from_severity/worst",
        "urgent",
        "/priorities/from_severity/worst",
        "unknown member 'worst'",
    ),
    ("/priorities/raised_by/0", "vip", "/priorities/raised_by/0", "unknown reason 'vip'; there are"),
    ("/priorities/repeat_window_days", 0, "/priorities/repeat_window_days", "out of range: from 1"),
    ("/deadlines/closures", {"ladder": []}, "/deadlines/closures", "did you mean 'closure'?"),
    (
        "/deadlines/resolution/calendar",
        "office",
        "/deadlines/resolution/calendar",
        "unknown calendar 'office'",
    ),
    ("/deadlines/resolution/targets", None, "/deadlines/resolution", "lacks 'targets'"),
    ("/deadlines/resolution/targets", [], "/deadlines/resolution/targets", "1 to 200 items"),
    (
        "/deadlines/resolution/targets/0/target",
        "24 hours",
        "/deadlines/resolution/targets/0/target",
        "'24 elapsed hours'",
    ),
    (
        "/deadlines/resolution/targets/0/priority",
        "high",
        "/deadlines/resolution/targets/0",
        "the last target must be for every complaint",
    ),
    (
        "/deadlines/resolution/targets/-",
        {"priority": "high", "target": "1 calendar day"},
        "/deadlines/resolution/targets/1",
        "an earlier target is for every complaint",
    ),
    (
        "/deadlines/follow_up/targets",
        [{"target": "1 calendar day"}],
        "/deadlines/follow_up/targets",
        "'follow_ups'",
    ),
    ("/deadlines/promise/targets", [{"target": "1 calendar day"}], "/deadlines/promise/targets", "promised"),
    (
        "/deadlines/resolution/pauses_on/0",
        "lunch",
        "/deadlines/resolution/pauses_on/0",
        "unknown hold reason 'lunch'",
    ),
    ("/deadlines/resolution/pause_budget", "3 days", "/deadlines/resolution/pause_budget", "'72 hours'"),
    ("/deadlines/resolution/pauses_on", [], "/deadlines/resolution/pause_budget", "'pauses_on' names none"),
    (f"{LADDER}/0/at", "half", f"{LADDER}/0/at", "a share of the target such as '80%'"),
    (f"{LADDER}/0/at", "90%", f"{LADDER}/1/at", "80% must come after 90% above it"),
    (f"{LADDER}/3/at", "+24h", f"{LADDER}/4/at", "+24h must come after +24h above it"),
    (f"{LADDER}/3/at", "+1440m", f"{LADDER}/4/at", "+24h must come after +24h above it"),
    (f"{LADDER}/4/at", "-1d", f"{LADDER}/4/at", "-1d must come after 100% above it"),
    (f"{LADDER}/0/repeat", "24h", f"{LADDER}/0/repeat", "only the last step of a ladder may repeat"),
    (f"{LADDER}/4/repeat", "59m", f"{LADDER}/4/repeat", "at least one hour"),
    (f"{LADDER}/4/repeat", "daily", f"{LADDER}/4/repeat", "write one such as '24h', '90m' or '1d'"),
    (f"{LADDER}/4/repeat", "+24h", f"{LADDER}/4/repeat", "is not a time between repetitions"),
    (f"{LADDER}/4/repeat", "3661d", f"{LADDER}/4/repeat", "at most ten years"),
    (f"{LADDER}/4/repeat", 24, f"{LADDER}/4/repeat", "at least one hour"),
    (f"{LADDER}/0/level", -1, f"{LADDER}/0/level", "out of range"),
    (f"{LADDER}/0/level", 1.5, f"{LADDER}/0/level", "whole number"),
    (f"{LADDER}/0/notify", [], f"{LADDER}/0/notify", "1 to 20 items"),
    (f"{LADDER}/0/notify", ["boss"], f"{LADDER}/0/notify/0", "unknown recipient role 'boss'"),
    (f"{LADDER}/0/raise_priority", "true", f"{LADDER}/0/raise_priority", "true or false"),
    (LADDER, [{"at": "80%", "level": 0, "notify": ["assignee"]}], LADDER, "a step at or after 100%"),
    (LADDER, [{"at": "-1h", "level": 0, "notify": ["assignee"]}], LADDER, "a step at or after 100%"),
    ("/follow_ups/low", [], "/follow_ups/low", "1 to 12 items"),
    (
        "/follow_ups/urgent/1",
        "1 calendar month",
        "/follow_ups/urgent/1",
        "later than the follow-up before it",
    ),
    ("/follow_ups/urgent/1", "5 calendar days", "/follow_ups/urgent/1", "later than the follow-up before it"),
    ("/follow_ups", {"urgent": ["1 calendar month"]}, "/follow_ups", "lacks 'high', 'normal', 'low'"),
    ("/contact_match_days", "7", "/contact_match_days", "whole number from 0 to 366"),
    ("/unreachable_attempts", 0, "/unreachable_attempts", "out of range"),
    ("/hold_maximum", "3 working days", "/hold_maximum", "no calendar"),
    ("/reopen_window", "90 days", "/reopen_window", "'3 calendar days'"),
    ("/contact_after_end", "reopne", "/contact_after_end", "did you mean 'reopen'?"),
    ("/early_close_roles/0", "boss", "/early_close_roles/0", "unknown access role 'boss'; there are"),
    ("/assignment", {"operations": "round-robin"}, "/assignment/operations", "did you mean 'round_robin'?"),
    ("/assignment", {" ": "round_robin"}, "/assignment/ ", "1 to 200 characters"),
    ("/assignment", ["operations"], "/assignment", "must"),
    ("/duty_outside", "night", "/duty_outside", "calendar"),
    ("/routes/0", {"team": "operations"}, "/routes/0", "'default_team'"),
    ("/routes/-", {"team": "operations", "cause": "service"}, "/routes/3", "never taken"),
    ("/routes/0/cause", "technic", "/routes/0/cause", "did you mean 'technical'?"),
    ("/applies_to", {}, "/applies_to", "names no member"),
    ("/applies_to", {"regoin": "CN-31", "channel": "web"}, "/applies_to/regoin", "did you mean 'region'?"),
    ("/applies_to", {"region": []}, "/applies_to/region", "1 to 1000 items"),
    ("/applies_to", {"region": ["CN-31", " "]}, "/applies_to/region/1", "1 to 200 characters"),
    ("/applies_to", {"channel": "pigeon"}, "/applies_to/channel/0", "unknown channel 'pigeon'"),
    ("/effective_until", "2026-10-01T00:00:00Z", "/effective_until", "is for policies with 'applies_to'"),
    ("/example", "yes", "/example", "true or false"),
    ("/sources", [], "/sources", "1 to 50 items"),
    ("/acknowledgement", {"zh": "好"}, "/acknowledgement", "lacks the text in 'en'"),
    ("/acknowledgement/en", "Dear {name}", "/acknowledgement/en", "unknown placeholder '{name}'"),
]


@pytest.mark.parametrize(
    ("pointer", "value", "fault_pointer", "message"),
    REFUSED,
    ids=[f"{row[0]}={row[1]!s:.20}" for row in REFUSED],
)
def test_refused(document: Document, pointer: str, value: Any, fault_pointer: str, message: str) -> None:
    put(document, pointer, value)
    (fault,) = faults_of(document)
    assert fault.pointer == fault_pointer
    assert message in fault.message


def _required(document: Document) -> list[str]:
    return [name for name in document if name != "calendars"]


def test_every_member_but_calendars_is_needed(document: Document) -> None:
    # rule 4.4
    for name in _required(document):
        without = {key: value for key, value in document.items() if key != name}
        (fault,) = faults_of(without)
        assert fault.message.endswith(f"lacks '{name}'")


def test_unknown_teams_and_categories_are_refused_where_they_are_known(document: Document) -> None:
    document["routes"] = [{"team": "operation", "category": "netwrok"}]
    document["deadlines"]["resolution"]["targets"].insert(0, {"category": "x", "target": "1 calendar day"})
    document["deadlines"]["resolution"]["ladder"][0]["move_to_team"] = "y"
    document["default_team"] = "z"
    assert from_document(document, version=1).default_team == "z"
    faults = faults_of(document, teams=TEAMS, categories=["network", "billing"])
    assert {fault.pointer: fault.message.partition(": ")[2] for fault in faults} == {
        "/deadlines/resolution/targets/0/category": "unknown category 'x'; there are 'network', 'billing'",
        "/deadlines/resolution/ladder/0/move_to_team": (
            "unknown team 'y'; there are 'operations', 'customer_service', 'management'"
        ),
        "/routes/0/team": "unknown team 'operation'; did you mean 'operations'?",
        "/routes/0/category": "unknown category 'netwrok'; did you mean 'network'?",
        "/default_team": "unknown team 'z'; there are 'operations', 'customer_service', 'management'",
    }


@pytest.mark.parametrize(
    ("holidays", "overrides"),
    [
        ({}, {"2026-10-10": [["09:00", "12:00"]]}),  # never again after the last override
        ({}, {}),
    ],
)
def test_a_calendar_that_stops_opening_is_refused(document: Document, holidays: Any, overrides: Any) -> None:
    document["calendars"]["office"] = {"hours": {}, "holidays": holidays, "overrides": overrides}
    document["effective_at"] = "2026-09-01T00:00:00Z"
    (fault,) = faults_of(document)
    assert fault.pointer == "/calendars/office"
    assert "no open hour within 366 days" in fault.message


def test_a_year_and_more_of_holidays_far_ahead_is_refused(document: Document) -> None:
    closed = {date.fromordinal(date(2031, 1, 1).toordinal() + n).isoformat(): "" for n in range(370)}
    document["calendars"]["office"] = {**OFFICE, "holidays": closed}
    (fault,) = faults_of(document)
    assert fault.pointer == "/calendars/office"
    assert "from 2031-01-01 on there is no open hour within 366 days" in fault.message


@pytest.mark.parametrize(("closed_mondays", "refused"), [(51, False), (52, True)])
def test_closed_days_before_a_holiday_count_too(
    document: Document, closed_mondays: int, refused: bool
) -> None:
    """Open on Mondays only: 52 of them closed make 370 days without an open hour, 364 of them from the
    first.
    """
    first = date(2031, 1, 6).toordinal()
    closed = {date.fromordinal(first + 7 * n).isoformat(): "" for n in range(closed_mondays)}
    document["calendars"]["office"] = {"hours": {"mon": [["09:00", "18:00"]]}, "holidays": closed}
    if refused:
        (fault,) = faults_of(document)
        assert "from 2030-12-31 on there is no open hour within 366 days" in fault.message
    else:
        assert len(from_document(document, version=1).calendars["office"].holidays) == closed_mondays


@pytest.mark.parametrize("day", ["1899-12-31", "9999-12-31"])
def test_special_days_far_away_are_refused(document: Document, day: str) -> None:
    document["calendars"]["office"] = {**OFFICE, "holidays": {day: "x"}}
    (fault,) = faults_of(document)
    assert f"{day} is too far away" in fault.message


def test_a_policy_larger_than_a_document_may_be_is_still_read_back(document: Document) -> None:
    """A stored calendar taken in by `use` may be larger than its name was."""
    days = {
        date.fromordinal(date(2026, 1, 1).toordinal() + 2 * n).isoformat(): "国庆节" * 60 for n in range(3000)
    }
    document["calendars"]["office"] = {**OFFICE, "holidays": days}
    assert len(json.dumps(document)) > LARGEST_DOCUMENT_BYTES
    assert len(from_document(document, version=1).calendars["office"].holidays) == len(days)


def test_all_faults_are_reported_at_once_each_with_its_line() -> None:
    # rule 4.2
    text = shipped("telecom-handbook")
    for right, wrong in (
        ("timezone: Asia/Shanghai", "timezone: Asia/Shangahi"),
        ("    pause_budget: 72 hours", "    pause_budget: 3 days"),
        ("closure: 7 calendar days", "closure: a week"),
        ("default_team: customer_service", "default_tem: customer_service"),
    ):
        assert right in text
        text = text.replace(right, wrong)
    lines = text.splitlines()
    faults = faults_of(text)
    line_numbers = {
        fault.pointer: int(fault.message.removeprefix("line ").partition(":")[0]) for fault in faults
    }
    assert line_numbers == {
        "": lines.index("code: telecom-handbook") + 1,
        "/timezone": lines.index("timezone: Asia/Shangahi") + 1,
        "/deadlines/resolution/pause_budget": lines.index("    pause_budget: 3 days") + 1,
        "/closure": lines.index("closure: a week") + 1,
        "/default_tem": lines.index("default_tem: customer_service") + 1,
    }
    assert [line_numbers[fault.pointer] for fault in faults] == sorted(line_numbers.values())


def test_a_member_on_several_lines_is_found_by_its_name() -> None:
    text = shipped("telecom-handbook").replace(
        "      - target: 24 elapsed hours\n", "      - priority: high\n"
    )
    line = text.splitlines().index("      - priority: high") + 1
    (fault,) = faults_of(text)
    assert (fault.pointer, fault.message) == (
        "/deadlines/first_response/targets/0",
        f"line {line}: lacks 'target'",
    )


def test_scalars_are_read_as_written() -> None:
    text = shipped("telecom-handbook")
    text = text.replace("hours: null", "hours: {mon: [[09:00, 18:00]]}\n    holidays: {2026-10-01: no}")
    text = text.replace("default_team: customer_service", "default_team: on").replace(
        "team: management", "team: 0x1F"
    )
    policy = read_policy(text).policy
    assert policy.calendars["always"].hours == {0: ((9 * 3600, 18 * 3600),)}
    assert policy.calendars["always"].holidays == {date(2026, 10, 1): "no"}
    assert policy.default_team == "on"
    assert policy.routes[2].team == "0x1F"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: the document is empty"),
        ("# nothing\n", "line 1: the document is empty"),
        ("42", "line 1: must be a mapping"),
        ("[]", "line 1: must be a mapping"),
        ("a: 1\n---\nb: 2\n", "line 2: there is a second document"),
        ("a: &x 1\nb: *x\n", "line 1: anchors and aliases"),
        ("a: *x\n", "line 1: anchors and aliases"),
        ("a: 1\n? !!python/name:os.system x\n", "line 2: tags (!) are not read here"),
        ("a: 1\nb: !!python/object/apply:os.system ['true']\n", "line 2: tags (!) are not read here"),
        ("a: 1\n? [x, y]\n: 2\n", "line 2: a name must be text"),
        ("a: [1,\n", "line 2: not YAML or JSON"),
        ("a: 'x\n", "line 2: not YAML or JSON"),
        ("a: 1\n\tb: 2\n", "line 2: not YAML or JSON"),
        ("a: 1\nb: \x00\n", "line 2: there is a character"),
        ('a: "\\0"\n', "line 1: there is a control character"),
        ('a: 1\nb: "\\ud83d"\n', "line 2: there is half a character"),
        ('a: 1\nb: "\\UFFFFFFFF"\n', "line 1: not YAML or JSON"),
        ("a: \ud83d\n", "line 1: there is a character"),
        ("[" * 100_000, "is more than 32 deep"),
        ("- " * 100_000, "is more than 32 deep"),
        ("[" + "1," * 25_000 + "]", "more than 20000 values"),
        ("a" * (LARGEST_DOCUMENT_BYTES + 1), "line 1: the document is larger than 256 KiB"),
        ("好" * (LARGEST_DOCUMENT_BYTES // 2), "line 1: the document is larger than 256 KiB"),
    ],
)
def test_what_is_no_policy_at_all_is_refused(text: str, message: str) -> None:
    (fault,) = faults_of(text)
    assert message in fault.message


def test_names_that_are_there_twice_are_reported_with_the_rest(document: Document) -> None:
    document["closure"] = "a week"
    text = json.dumps(document, indent=0).replace('"title"', '"code": "x",\n"title"')
    assert {fault.pointer: "twice" in fault.message for fault in faults_of(text)} == {
        "/code": True,
        "/closure": False,
    }


def test_the_first_hundred_faults_of_a_document_are_reported(document: Document) -> None:
    document["routes"] = [{f"x{n}": "y" for n in range(20)} for _ in range(50)]
    with pytest.raises(InvalidContent, match="1100 faults; the first: line") as refused:
        read_policy(json.dumps(document, indent=1))
    lines = [int(fault.message.split(":")[0].removeprefix("line ")) for fault in refused.value.faults]
    assert len(lines) == 100
    assert lines == sorted(lines)


def test_a_fault_quotes_no_more_than_a_little_of_what_was_written(document: Document) -> None:
    document["closure"] = document["code"] = document["x" * 5000] = "y" * 199
    assert all(len(fault.message) < 400 for fault in faults_of(document))


Warned = Callable[[Document], None]


def _working_time_by_an_open_calendar(document: Document) -> None:
    document["deadlines"]["resolution"]["targets"] = [{"target": "8 working hours"}]


def _calendar_in_another_zone(document: Document) -> None:
    document["calendars"]["always"]["timezone"] = "Asia/Tokyo"


def _year_without_table(document: Document) -> None:
    tables = [{"year": 2025, "source": "x", "confirmed": True}]
    document["calendars"]["office"] = {**OFFICE, "holiday_tables": tables}


@pytest.mark.parametrize(
    ("change", "pointer", "message"),
    [
        (_working_time_by_an_open_calendar, "/deadlines/resolution", "a calendar that is always open"),
        (_calendar_in_another_zone, "/calendars/always", "is in Asia/Tokyo, not in Asia/Shanghai"),
        (_year_without_table, "/calendars/office", "where the days of 2026 come from"),
    ],
)
def test_what_deserves_a_look_is_a_warning(
    document: Document, change: Warned, pointer: str, message: str
) -> None:
    change(document)
    (warning,) = read_policy(json.dumps(document, indent=1)).warnings
    assert warning.pointer == pointer
    assert message in warning.message


# Targets by priority and category ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("priority", "category", "hours"),
    [
        (Priority.URGENT, "network.outage", 1),
        (Priority.URGENT, "billing.refund", 2),
        (Priority.URGENT, None, 2),
        (Priority.LOW, "network.outage", 4),
        (Priority.LOW, "network", 4),
        (Priority.LOW, "billing.refund", 8),
        (Priority.LOW, None, 8),
    ],
)
def test_the_first_target_that_fits_is_taken(
    document: Document, priority: Priority, category: str | None, hours: int
) -> None:
    # rule 4.4
    document["deadlines"]["resolution"]["targets"] = [
        {"target": "1 elapsed hour", "priority": "urgent", "category": "network.outage"},
        {"target": "2 elapsed hours", "priority": "urgent"},
        {"target": "4 elapsed hours", "category": "network"},
        {"target": "8 elapsed hours"},
    ]
    rule = from_document(document, version=1).rules[DeadlineKind.RESOLUTION]
    assert rule.target_for(priority, category) == Target(hours * 3600, Unit.ELAPSED_SECONDS)


# Notation ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("24 elapsed hours", Target(86_400, Unit.ELAPSED_SECONDS)),
        ("90 elapsed minutes", Target(5_400, Unit.ELAPSED_SECONDS)),
        ("8 working hours", Target(28_800, Unit.OPEN_SECONDS)),
        ("30 working minutes", Target(1_800, Unit.OPEN_SECONDS)),
        ("45 working seconds", Target(45, Unit.OPEN_SECONDS)),
        ("5 working days", Target(5, Unit.WORKING_DAYS)),
        ("1 working day from the next day", Target(1, Unit.WORKING_DAYS, from_next_day=True)),
        ("3 calendar days", Target(3, Unit.CALENDAR_DAYS)),
        ("1 calendar month", Target(1, Unit.CALENDAR_MONTHS)),
        ("12 calendar months", Target(12, Unit.CALENDAR_MONTHS)),
    ],
)
def test_a_target_is_read_and_written(text: str, target: Target) -> None:
    # rule 4.5
    assert parse_target(text) == target
    assert target_text(target) == text


@pytest.mark.parametrize("text", ["1 Working Days", " 1  working day ", "01 working days"])
def test_a_target_may_be_written_loosely(text: str) -> None:
    assert parse_target(text) == Target(1, Unit.WORKING_DAYS)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "24",
        "24 hours",
        "24h",
        "PT24H",
        "-1 calendar days",
        "0 calendar days",
        "1.5 calendar days",
        "3661 calendar days",
        "121 calendar months",
        "999999999 elapsed hours",
        "9999999999 elapsed hours",
        "1 elapsed day",
        "1 working month",
        "1 calendar hour",
        "1 working day from tomorrow",
        "１ working day",
    ],
)
def test_what_is_no_target_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="target"):
        parse_target(text)


@given(
    st.builds(Target, st.integers(1, 120), st.sampled_from(Unit), st.booleans())
    | st.builds(
        Target,
        st.integers(1, 3660 * 86_400),
        st.sampled_from([Unit.ELAPSED_SECONDS, Unit.OPEN_SECONDS]),
        st.booleans(),
    )
)
def test_every_target_can_be_written(target: Target) -> None:
    assert parse_target(target_text(target)) == target


@given(st.integers(1, 3660 * 86_400))
def test_every_length_of_time_can_be_written(seconds: int) -> None:
    assert parse_length(length_text(seconds)) == seconds


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("50%", "50%"),
        ("050%", "50%"),
        ("100%", "100%"),
        ("150.0%", "150%"),
        ("33.30%", "33.3%"),
        ("0.5%", "0.5%"),
        ("-3d", "-3d"),
        ("+03d", "+3d"),
        ("+12h", "+12h"),
        ("+60m", "+1h"),
        ("+90m", "+90m"),
        ("-24h", "-24h"),
    ],
)
def test_a_place_has_one_name(text: str, name: str) -> None:
    place = parse_step_place(text)
    assert place.name == name
    assert parse_step_place(place.name) == place


@pytest.mark.parametrize(
    "text", ["", "50", "0%", "0.0%", "1001%", "-50%", "3d", "+0h", "-0d", "+3w", "+3661d", "+1.5h"]
)
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not the place of a step"):
        parse_step_place(text)


# What the policy says itself --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "beginning"),
    [
        ("zh", "您的投诉已受理，编号 C1。"),
        ("zh-CN", "您的投诉已受理，编号 C1。"),
        ("ZH-Hans", "您的投诉已受理，编号 C1。"),
        ("en-GB", "We have received your complaint; its number is C1."),
        ("fr", "We have received"),
        (None, "We have received"),
        ("", "We have received"),
    ],
)
def test_the_acknowledgement_is_in_the_complainants_language(
    handbook: Policy, language: str | None, beginning: str
) -> None:
    assert handbook.acknowledgement_for(language, number="C1").startswith(beginning)


def test_every_ladder_of_the_shipped_policies_reaches_a_person_at_or_after_due() -> None:
    for name in ("telecom-handbook", "working-hours"):
        for rule in read_policy(shipped(name)).policy.rules.values():
            late = [step for step in rule.ladder if step.level > 0]
            assert late
            assert all(set(step.notify) <= set(RecipientRole) for step in late)


# Times that no calendar reaches -----------------------------------------------------------------------------

SPARSE = {"timezone": "UTC", "hours": {"mon": [["09:00", "09:01"]]}}


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("/deadlines/resolution/targets/0/target", "87000 working hours"),
        ("/deadlines/resolution/ladder/2/at", "+80000h"),
        ("/follow_ups/urgent/2", "87000 working hours"),
        ("/unreachable_retry", "87000 working hours"),
        ("/closure", "87000 working hours"),
    ],
)
def test_a_time_that_the_calendar_never_reaches_is_refused_at_its_member(
    document: Document, pointer: str, value: str
) -> None:
    # rule 4.6
    put(document, "/calendars/sparse", SPARSE)
    for kind in ("resolution", "follow_up", "closure"):
        put(document, f"/deadlines/{kind}/calendar", "sparse")
    put(document, "/deadlines/resolution/targets/0/target", "1 working minute")
    put(document, pointer, value)
    for step in (4, 3):
        del document["deadlines"]["resolution"]["ladder"][step]
    (fault,) = faults_of(document)
    assert fault.pointer == pointer
    assert re.search(r"line \d+: (is not due within 150 years|cannot be computed)", fault.message)


def test_a_policy_is_tried_from_now_and_with_the_longest_hold(document: Document) -> None:
    # rule 4.6
    place, resolution = "/deadlines/resolution/targets/0/target", document["deadlines"]["resolution"]
    document["hold_maximum"] = "3660 calendar days"
    resolution["targets"] = [{"target": "30000 elapsed hours"}]
    assert read_policy(json.dumps(document)).policy.hold_maximum.amount == 3660
    late, later = datetime(9988, 1, 1, tzinfo=UTC), datetime(9997, 1, 1, tzinfo=UTC)
    assert place in {fault.pointer for fault in faults_of(document, now=late)}
    del resolution["pauses_on"], resolution["pause_budget"]
    assert read_policy(json.dumps(document), now=late).policy.hold_maximum.amount == 3660
    assert place in {fault.pointer for fault in faults_of(document, now=later)}


def test_a_policy_stored_before_is_read_as_it_was(document: Document) -> None:
    # rule 4.6
    put(document, "/calendars/sparse", SPARSE)
    document["deadlines"]["resolution"] |= {
        "calendar": "sparse",
        "targets": [{"target": "87000 working hours"}],
    }
    with pytest.raises(InvalidContent):
        read_policy(json.dumps(document))
    assert from_document(document, version=1).rules[DeadlineKind.RESOLUTION].targets[0].target.amount > 0
