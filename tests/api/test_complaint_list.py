"""`GET /v1/complaints` and `GET /v1/overdue/summary`, on both engines."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from complaints.api.complaints.schemas import ComplaintPage, ComplaintShown, DueSummaryShown
from complaints.domain.complaint.facts import Complaint
from complaints.domain.complaint.numbers import number_of
from complaints.domain.errors import Conflict
from complaints.domain.vocabulary import AccessRole, Priority, Status
from complaints.use_cases.complaints import lists
from tests.api_client import ApiClient
from tests.generate import ROOT
from tests.support import Scenario

Found = Callable[..., list[str]]


@pytest.fixture
def found(client: ApiClient) -> Found:
    """The subjects of the complaints that fit a query, in the order of the list."""

    def ask(**query: Any) -> list[str]:
        answer = client.get("/v1/complaints", params=query)
        assert answer.status_code == 200, answer.text
        return [item["subject"] for item in answer.json()["items"]]

    return ask


def _problem(client: ApiClient, **query: Any) -> tuple[int, str]:
    answer = client.get("/v1/complaints", params=query)
    return answer.status_code, answer.json()["type"].removeprefix("/problems/")


def _with_result_told(scenario: Scenario, complaint: Complaint) -> Complaint:
    scenario.act(complaint, "respond", message="We look into it.", contact_channel="phone")
    scenario.act(complaint, "resolve", resolution="Repaired.", outcome="not_upheld", cause="technical")
    return scenario.act(complaint, "notify_result", message="Repaired.", contact_channel="sms")


# Filters --------------------------------------------------------------------------------------------------


def test_each_filter_finds_what_it_names(scenario: Scenario, found: Found) -> None:
    scenario.post(
        subject="one",
        channel="web",
        source="north",
        external_id="E1",
        priority="urgent",
        category="network.outage",
        region="CN-31",
        tags=["vip", "press"],
        complainant={"account_no": "A-1", "phone": "138 0000 0000"},
    )
    scenario.post(subject="two", source="south", external_id="E2", category="billing.refund")

    assert found(channel="web") == found(source="north") == found(external_id="E1") == ["one"]
    assert found(channel="phone") == found(source="south") == found(external_id="E2") == ["two"]
    assert (
        found(priority="urgent") == found(region="CN-31") == found(tag="vip") == found(tag="press") == ["one"]
    )
    assert (
        found(category="network.outage") == found(category="network") == found(cause="technical") == ["one"]
    )
    assert (
        found(category="billing.refund") == found(category="billing") == found(cause="management") == ["two"]
    )
    assert found(team="operations") == ["one"]
    assert found(team="management") == ["two"]
    assert found(first_owner="admin") == ["two", "one"]
    assert found(channel="web", source="south") == []
    assert found(tag="VIP") == found(region="CN") == []
    assert found(number=number_of(1)) == found(number=number_of(1).lower()) == ["one"]


def test_a_phone_number_is_found_in_any_notation(scenario: Scenario, found: Found) -> None:
    scenario.post(subject="cn", complainant={"phone": "13800000000", "account_no": "A-1"})
    scenario.post(subject="de", complainant={"phone": "+49 (30) 1234567"})
    scenario.post(subject="reporter", complainant={"phone": "13900000000"}, reporter={"phone": "13800000000"})

    for written in ("13800000000", "+86 138-0000-0000", " 8613800000000", "008613800000000"):
        assert found(phone=written) == ["cn"]
    assert found(phone="+49301234567") == found(phone="0049 30 1234567") == ["de"]
    assert found(account_no="A-1") == found(account_no=" A-1 ") == ["cn"]
    assert found(account_no="A-2") == found(phone="+8613700000000") == []


def test_other_marks_find_their_complainant(scenario: Scenario, found: Found) -> None:
    """Rule 5.6: what is asked for is folded like what is stored."""
    scenario.post(subject="wide", complainant={"phone": "１３８００１３８０００", "account_no": "Ａ－1 "})
    scenario.post(
        subject="desk 12", complainant={"phone": "010-65529988 ext 12", "email": "u@müller.example"}
    )
    scenario.post(subject="desk 13", complainant={"phone": "（010）65529988转13"})
    scenario.post(subject="nobody", complainant={"phone": "00000000000", "account_no": "0000"})

    assert found(phone="13800138000") == found(phone="１３８ 0013 8000") == ["wide"]
    assert found(account_no="A-1") == found(account_no="Ａ－1 ") == ["wide"]
    assert found(phone="01065529988") == ["desk 13", "desk 12"]
    assert found(phone="010-65529988#12") == ["desk 12"]
    assert found(email="U@xn--mller-kva.EXAMPLE") == ["desk 12"]
    assert found(phone="00000000000") == found(email="v@müller.example") == []


def test_who_is_one_complainant_follows_the_stored_marks(scenario: Scenario) -> None:
    """Rule 5.6, as the look-ups of repeats and merges apply it."""

    def is_repeat(first: dict[str, str], second: dict[str, str]) -> bool:
        old = scenario.post(category="network.slow", complainant=first)
        new = scenario.post(category="network.slow", complainant=second)
        raised = new.priority is not Priority.NORMAL
        try:
            merged = scenario.act(new, "merge", into=str(old.id)).status is Status.MERGED
        except Conflict:
            merged = False
        assert raised is merged
        scenario.act(old, "withdraw", reason="another case")
        return raised

    same = [
        ({"email": "u@müller.example"}, {"email": "u@xn--mller-kva.example"}),
        ({"account_no": "Ａ1"}, {"account_no": "A1"}),
        ({"account_no": " A2"}, {"account_no": "Ａ2"}),
        ({"phone": "１３８００１３８０００"}, {"phone": "+86 138-0013-8000"}),
        ({"phone": "010-65529988 ext 12"}, {"phone": "010-65529988转12"}),
        ({"phone": "010-65529977 ext 12"}, {"phone": "010-65529977"}),
    ]
    different = [
        ({"email": "u@straße.example"}, {"email": "u@strasse.example"}),
        ({"phone": "00000000000"}, {"phone": "00000000000"}),
        ({"phone": "99999999", "account_no": "00000"}, {"phone": "99999999", "account_no": "00000"}),
        ({"phone": "010-65529966 ext 12"}, {"phone": "010-65529966#13"}),
    ]
    assert [pair for pair in same if not is_repeat(*pair)] == []
    assert [pair for pair in different if is_repeat(*pair)] == []


def test_several_statuses_may_be_asked_for(scenario: Scenario, client: ApiClient, found: Found) -> None:
    scenario.post(subject="new")
    scenario.act(
        scenario.post(subject="at work"), "respond", message="We are on it.", contact_channel="phone"
    )
    scenario.act(scenario.post(subject="gone"), "withdraw", reason="never mind")

    assert found(status="received") == ["new"]
    assert found(status=["received", "withdrawn"]) == ["gone", "new"]
    assert found(status=["received", "investigating", "received"]) == ["at work", "new"]
    assert found(status="closed") == []


def test_users_and_cycles_are_filters(scenario: Scenario, found: Found) -> None:
    mine = scenario.post(subject="mine")
    scenario.act(mine, "assign", assignee="admin")
    again = scenario.post(subject="again")
    scenario.act(again, "withdraw", reason="never mind")
    scenario.act(again, "reopen", reason="it is back")

    assert found(assignee="admin") == ["mine"]
    assert found(cycle_min=2) == ["again"]
    assert found(cycle_min=1) == ["again", "mine"]
    assert found(escalation_level_min=1) == []
    scenario.advance(hours=25)
    assert found(escalation_level_min=1) == found(escalation_level_min=0) == ["again", "mine"]
    scenario.advance(hours=12)
    assert found(escalation_level_min=2) == ["again", "mine"]
    assert found(escalation_level_min=4) == []


def test_only_unmet_deadlines_count_for_the_escalation_level(scenario: Scenario, found: Found) -> None:
    answered, withdrawn, left = (
        scenario.post(subject=subject) for subject in ("answered", "withdrawn", "left")
    )
    scenario.advance(hours=25)
    assert found(escalation_level_min=1) == ["left", "withdrawn", "answered"]

    scenario.act(answered, "respond", message="We look.", contact_channel="phone")
    scenario.act(withdrawn, "withdraw", reason="never mind")

    assert found(escalation_level_min=1) == ["left"]
    for complaint in (answered, withdrawn, left):
        assert max(deadline.level for deadline in scenario.load(complaint).deadlines) == 1


def test_unknown_names_are_refused_and_the_nearest_is_asked_for(
    scenario: Scenario, client: ApiClient
) -> None:
    scenario.post()
    for name, value, said in (
        ("team", "operatons", "There is no team 'operatons': did you mean 'operations'?"),
        ("category", "netwrk", "There is no category 'netwrk': did you mean 'network'?"),
        ("assignee", "amin", "There is no user 'amin': did you mean 'admin'?"),
        ("first_owner", "zzz", "There is no user 'zzz': write a login or 'me'."),
        ("assignee", "me", "assignee=me needs a key of a user; the key 'bootstrap' belongs to none."),
        ("first_owner", "me", "first_owner=me needs a key of a user; the key 'bootstrap' belongs to none."),
        ("attributes.a", "", "must have one value of 1 to 200 characters, without NUL."),
    ):
        answer = client.get("/v1/complaints", params={name: value})
        assert (answer.status_code, answer.json()["errors"]) == (
            422,
            [{"pointer": "", "in": "query", "parameter": name, "message": said}],
        )


DOCUMENT = json.loads((ROOT / "openapi/complaints.json").read_text(encoding="utf-8"))
SINGLE = [
    (method.upper(), path, parameter["name"])
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
    for parameter in operation.get("parameters", ())
    if path.startswith("/v1/")
    and parameter.get("in") == "query"
    and (parameter["schema"].get("type") != "array" or not parameter.get("explode", True))
]


def test_a_parameter_that_takes_one_value_is_refused_if_it_is_sent_twice(client: ApiClient) -> None:
    assert ("GET", "/v1/exports", "team") in SINGLE
    for method, path, name in SINGLE:
        answer = client.request(method, f"{path}?{name}=a&{name}=b")
        said = f"{name} must be sent once only."
        assert (answer.status_code, answer.json()["detail"], answer.json()["errors"]) == (
            400,
            said,
            [{"pointer": "", "in": "query", "parameter": name, "message": said}],
        ), (method, path, name)
    answer = client.get("/v1/complaints?team=a&colour=red&limit=1&team=b&limit=1")
    assert [error["parameter"] for error in answer.json()["errors"]] == ["team", "limit"]
    answer = client.get("/v1/complaints?attributes.a=1&attributes.a=2")
    assert answer.json()["errors"][0]["parameter"] == "attributes.a"


def test_a_parameter_that_takes_several_values_may_be_sent_twice(client: ApiClient) -> None:
    for query in (
        "complaints?status=received&status=closed",
        "exports?status=received&status=closed",
        "changes?type=complaint.created&type=complaint.closed",
        "reports/inflow?from=2026-01-01&to=2026-02-01&team=operations&team=management",
    ):
        assert client.get(f"/v1/{query}").status_code == 200, query


def test_me_and_nobody_are_users_too(scenario: Scenario, client: ApiClient) -> None:
    client.post("/v1/users", json={"login": "li.wei", "name": "Li Wei", "scope": "all"})
    mine = scenario.post(subject="mine", first_owner="li.wei")
    scenario.act(mine, "assign", assignee="li.wei")
    scenario.post(subject="nobody's")
    li_wei = scenario.key(AccessRole.AGENT, login="li.wei")

    def found(**query: Any) -> list[str]:
        answer = client.get("/v1/complaints", params=query, headers=li_wei)
        return [item["subject"] for item in answer.json()["items"]]

    assert found(assignee="me") == found(first_owner="me") == ["mine"]
    assert found(assignee="none") == found(first_owner="admin") == ["nobody's"]


def test_filters_by_what_happened(scenario: Scenario, found: Found) -> None:
    scenario.post(subject="slow", category="service.attitude")
    good, bad = (scenario.post(subject=name, category="network.outage") for name in ("good", "bad"))
    for complaint in (good, bad):
        _with_result_told(scenario, complaint)
    scenario.advance(days=30)
    for complaint, csat in ((good, 5), (bad, 2)):
        scenario.act(complaint, "record_contact", outcome="solved", csat=csat)
    closed_at = scenario.jump(hours=1)
    scenario.act(bad, "close", early=True, message="Done.", contact_channel="phone")

    assert found(nature="technical") == ["bad", "good"]
    assert found(csat_max=2) == ["bad"]
    assert found(csat_max=5) == ["bad", "good"]
    assert found(closed_from=closed_at.isoformat()) == ["bad"]
    assert found(closed_to=closed_at.isoformat()) == []
    assert found(updated_from=closed_at.isoformat()) == ["bad"]
    assert found(met_late="true") == []
    scenario.advance(days=3)
    slow = scenario.post(subject="late", received_at="2026-01-05T01:00:00Z")
    scenario.act(slow, "respond", message="At last.", contact_channel="phone")
    assert found(met_late="true") == ["late"]
    assert found(met_late="false") == ["bad", "good", "slow"]


def test_attributes_are_a_filter(scenario: Scenario, found: Found) -> None:
    odd = "a.\"b\\'c 断"
    scenario.post(subject="text", attributes={"crm": "4711", odd: "ja"})
    scenario.post(subject="number", attributes={"crm": 4711, "flag": True, "deep": {"crm": "1"}})
    scenario.post(subject="null", attributes={"crm": None, "list": ["4711"]})

    assert found(**{"attributes.crm": "4711"}) == ["number", "text"]
    assert found(**{"attributes.crm": "4711", "attributes.flag": "true"}) == ["number"]
    assert found(**{f"attributes.{odd}": "ja"}) == ["text"]
    for key, value in (("crm", "null"), ("list", "4711"), ("deep", "1"), ("CRM", "4711"), ("crm", "471")):
        assert found(**{f"attributes.{key}": value}) == []


def test_a_list_is_counted_on_demand(
    scenario: Scenario, client: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for team in ("web", "web", "phone"):
        scenario.post(channel=team)
    plain = client.get("/v1/complaints").json()
    web = client.get("/v1/complaints", params={"channel": "web", "count": "true", "limit": 1}).json()
    monkeypatch.setattr(lists, "MOST_COUNTED", 2)
    cut = client.get("/v1/complaints", params={"count": "true"}).json()

    assert set(plain) == {"items", "next_cursor"}
    assert (len(web["items"]), web["count"], web["count_is_minimum"]) == (1, 2, False)
    assert (cut["count"], cut["count_is_minimum"]) == (2, True)


def test_items_say_how_late_they_are(scenario: Scenario, client: ApiClient) -> None:
    scenario.post()
    scenario.jump(hours=24)
    [due] = client.get("/v1/complaints").json()["items"]
    scenario.jump(hours=1)
    [late] = client.get("/v1/complaints", params={"fields": "overdue,overdue_seconds"}).json()["items"]
    assert due["overdue_seconds"] is None
    assert late == {"overdue": True, "overdue_seconds": 3600}


# Persons and numbers in full text ---------------------------------------------------------------------------


def test_full_text_finds_numbers_and_persons(scenario: Scenario, found: Found) -> None:
    li = {
        "name": "李小明",
        "phone": "（010）6552 9988 转 12",
        "email": "Li.Wei@müller.example",
        "account_no": "Ｘ-77",
    }
    first = scenario.post(subject="宽带漏水", complainant=li)
    scenario.post(subject="other", reporter={"name": "Anna O'Neill", "phone": "+49 30 1234567"})
    number = number_of(first.sequence)

    for q in (
        number, number.lower(), f"C {number[1:5]} {number[5:]}", "Ｃ" + number[1:],
        "李小明", "小明", "李", "01065529988", "+86 10 6552-9988", "０１０ 65529988", "李小明 01065529988 漏水",
        "li.wei@müller.example", "li.wei@xn--mller-kva.example", "x-77", "小明 宽带",
    ):  # fmt: skip
        assert found(q=q) == ["宽带漏水"], q
    assert found(q="anna o'neill") == found(q="0049 30 1234567") == found(q="ANNA other") == ["other"]
    assert found(name="小明") == found(name="李小明", q="漏水") == ["宽带漏水"]
    for nothing in (
        {"q": "小明 other"},
        {"name": "müller"},
        {"name": "宽带"},
        {"name": "!"},
        {"q": "王小明"},
    ):
        assert found(**nothing) == []


def test_persons_are_found_only_by_those_who_may_see_them(scenario: Scenario, client: ApiClient) -> None:
    scenario.post(subject="mine", source="mine", complainant={"name": "Zhang Wei", "phone": "13800138000"})
    scenario.post(subject="other", source="other", complainant={"name": "Zhang Wei", "phone": "13800138000"})

    def found(role: AccessRole, **query: str) -> list[str] | int:
        answer = client.get("/v1/complaints", params=query, headers=scenario.key(role, source="mine"))
        return [i["subject"] for i in answer.json()["items"]] if answer.is_success else answer.status_code

    for q in (
        "zhang",
        "Zhang Wei",
        "13800138000",
        "+86 138 0013 8000",
        "z",
        "\ue000zhang",
        "\ue00113800138000",
    ):
        assert found(AccessRole.AUDITOR, q=q) == [], q
    assert found(AccessRole.AUDITOR, name="zhang") == found(AccessRole.AUDITOR, email="a@b.cn") == 403
    assert found(AccessRole.AUDITOR, q="mine") == ["mine"]
    assert found(AccessRole.INTAKE, q="zhang") == found(AccessRole.INTAKE, q="13800138000") == ["mine"]
    assert found(AccessRole.AGENT, q="zhang 13800138000") == ["other", "mine"]


def test_the_index_follows_changes_of_persons_and_texts(
    scenario: Scenario, client: ApiClient, found: Found
) -> None:
    number = number_of(scenario.post(subject="one", complainant={"name": "Old Name"}).sequence)
    assert found(q="old") == ["one"]
    client.patch(f"/v1/complaints/{number}", json={"complainant": {"name": "New Name"}})
    assert (found(q="old"), found(q="new")) == ([], ["one"])
    client.patch(f"/v1/complaints/{number}", json={"subject": "two"})
    assert (found(q="new two"), found(q="one"), found(q=number)) == (["two"], [], ["two"])


def test_times_of_receipt_are_half_open(scenario: Scenario, found: Found) -> None:
    scenario.post(subject="early", received_at="2026-01-04T10:00:00Z")
    scenario.post(subject="late", received_at="2026-01-04T11:00:00Z")

    assert found(received_from="2026-01-04T10:00:00Z", received_to="2026-01-04T11:00:00Z") == ["early"]
    assert found(received_from="2026-01-04T18:00:00.000001+08:00") == ["late"]
    assert found(received_from="2026-01-04T18:00:00 08:00") == ["late", "early"]  # "+" not escaped
    assert found(received_to="2026-01-04T11:00:00Z", sort="received_at") == ["early"]


# Overdue and due ------------------------------------------------------------------------------------------------


def test_overdue_follows_from_the_clock_without_a_sweep(
    scenario: Scenario, client: ApiClient, found: Found
) -> None:
    scenario.post(subject="first")
    scenario.jump(hours=1)
    scenario.post(subject="second")
    scenario.jump(hours=23)
    assert found(overdue="true") == []
    assert found(overdue="false") == ["second", "first"]

    scenario.jump(microseconds=1)
    assert found(overdue="true") == ["first"]
    assert found(overdue="false") == ["second"]
    [shown] = client.get("/v1/complaints", params={"overdue": "true"}).json()["items"]
    assert shown["overdue"] is True
    assert shown["next_due_at"] == "2026-01-06T01:00:00Z"
    assert [one["status"] for one in shown["deadlines"]] == ["breached", "running"]

    scenario.jump(hours=2)
    assert found(overdue="true") == ["first", "second"]  # most overdue first
    assert found(overdue="true", sort="-next_due_at") == ["second", "first"]
    assert found(overdue="true", sort="-received_at") == ["second", "first"]
    scenario.advance(hours=0)
    assert found(overdue="true") == ["first", "second"]


def test_a_kind_of_deadline_is_found_unmet_or_overdue(scenario: Scenario, found: Found) -> None:
    answered = scenario.post(subject="answered")
    scenario.act(answered, "respond", message="We are on it.", contact_channel="phone")
    scenario.post(subject="silent")
    _with_result_told(scenario, scenario.post(subject="told"))

    assert found(deadline_kind="first_response") == ["silent"]
    assert found(deadline_kind="resolution") == ["silent", "answered"]
    assert found(deadline_kind="follow_up") == found(deadline_kind="closure") == ["told"]
    assert found(deadline_kind="promise") == []
    scenario.jump(hours=30)
    assert found(deadline_kind="first_response", overdue="true") == ["silent"]
    assert found(deadline_kind="resolution", overdue="true") == []
    assert found(deadline_kind="resolution", overdue="false") == ["answered"]
    scenario.jump(hours=20)
    assert found(deadline_kind="resolution", overdue="true") == ["silent", "answered"]


def test_due_before_compares_the_next_due_time(scenario: Scenario, found: Found) -> None:
    scenario.post(subject="tomorrow")
    held = scenario.post(subject="held")
    scenario.act(held, "respond", message="Which house?", contact_channel="phone")
    scenario.act(held, "hold", reason="awaiting_complainant", until="2026-01-05T11:00:00Z")
    # Its resolution deadline is paused for 10 hours: due at 2026-01-07T11:00Z instead of 01:00Z.

    assert found(due_before="2026-01-06T01:00:00Z") == []
    assert found(due_before="2026-01-06T01:00:00.000001Z") == ["tomorrow"]
    assert found(due_before="2026-01-08T00:00:00Z") == [
        "tomorrow"
    ]  # next_due_at leaves out a paused deadline
    scenario.jump(hours=10)
    assert found(due_before="2026-01-08T00:00:00Z") == [
        "held",
        "tomorrow",
    ]  # its pause is over, with or without a sweep
    assert found(due_before="2026-01-07T11:00:00Z") == ["tomorrow"]


def test_a_hold_that_ended_is_overdue_without_a_sweep(scenario: Scenario, found: Found) -> None:
    held = scenario.post(subject="held")
    scenario.act(held, "respond", message="Which house?", contact_channel="phone")
    scenario.act(held, "hold", reason="awaiting_complainant", until="2026-01-05T11:00:00Z")
    scenario.jump(hours=58)
    assert found(overdue="true") == []
    scenario.jump(seconds=1)
    assert found(overdue="true") == ["held"]


# Full text ------------------------------------------------------------------------------------------------


def test_words_are_found_in_chinese_and_english(scenario: Scenario, found: Found) -> None:
    scenario.post(
        subject="家里漏水了", description="The router broke: 网络中断 since Monday", external_id="CALL-88123"
    )
    scenario.post(subject="Refund of an UNKNOWN charge", description="客服态度差")

    one, two = ["家里漏水了"], ["Refund of an UNKNOWN charge"]
    assert found(q="漏水") == found(q="漏") == found(q="水") == found(q="了") == one
    assert found(q="网络中断") == found(q="中断") == one
    assert found(q="router") == found(q="ROUTER") == found(q="Router 漏水") == found(q="router网络") == one
    assert found(q="unknown") == found(q="refund charge") == found(q="态度 Refund") == two
    assert found(q="漏网") == found(q="router refund") == found(q="rout") == found(q="水漏") == []
    assert found(q="88123") == found(q="call-88123") == one
    assert found(q="ｒｏｕｔｅｒ") == one  # full-width letters count as plain letters
    assert found(q="router", overdue="false", team="customer_service") == one


def test_the_result_is_found_too(scenario: Scenario, found: Found) -> None:
    complaint = scenario.post(subject="dead line")
    scenario.act(
        complaint, "resolve", resolution="更换光纤", outcome="upheld", cause="technical", root_cause="rodents"
    )
    assert found(q="光纤") == found(q="rodents") == found(q="dead") == ["dead line"]


ODD_TEXTS = [
    "...",
    "'",
    '"',
    "&|!()",
    "a:*",
    "NOT OR AND",
    "NEAR(",
    "%",
    "\\",
    "* ",
    "—",
    "𝟘",
    "\u200b",
    "<->",
    "a" * 5000,
]


def test_any_text_is_accepted(scenario: Scenario, found: Found, subtests: pytest.Subtests) -> None:
    scenario.post(subject="No signal")
    for text in ODD_TEXTS:
        with subtests.test(ascii(text)[:60]):
            assert found(q=text) == []


def test_a_blank_question_asks_nothing_and_nul_is_refused(
    scenario: Scenario, client: ApiClient, found: Found
) -> None:
    scenario.post(subject="No signal")
    assert found(q="") == found(q="  ") == ["No signal"]
    assert _problem(client, q="a\0b") == _problem(client, team="a\0b") == (422, "invalid-content")


# Order and pages ------------------------------------------------------------------------------------------


def _pages(client: ApiClient, between: Callable[[], object] = lambda: None, **query: Any) -> list[list[str]]:
    pages: list[list[str]] = []
    cursor: str | None = None
    while True:
        asked = {**query, **({"cursor": cursor} if cursor else {})}
        answer = client.get("/v1/complaints", params=asked)
        assert answer.status_code == 200, answer.text
        pages.append([item["subject"] for item in answer.json()["items"]])
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            return pages
        between()


SORTS = ("next_due_at", "-next_due_at", "received_at", "-received_at", "priority", "-priority")


def test_pages_over_equal_keys_miss_and_repeat_nothing(
    scenario: Scenario, client: ApiClient, subtests: pytest.Subtests
) -> None:
    """The test clock stands still, so every complaint has the same times of receipt and due times."""
    posted = [scenario.post(subject=f"{n}") for n in range(7)]
    scenario.act(posted[2], "withdraw", reason="never mind")  # it has no due time any more
    scenario.act(posted[4], "withdraw", reason="never mind")
    for sort in SORTS:
        with subtests.test(sort):
            pages = _pages(client, sort=sort, limit=2)
            assert [len(page) for page in pages] == [2, 2, 2, 1]
            together = [subject for page in pages for subject in page]
            assert sorted(together) == [f"{n}" for n in range(7)]
            assert together == _pages(client, sort=sort, limit=200)[0]
            if "due" in sort:
                assert set(together[-2:]) == {"2", "4"}  # last in both directions


def test_the_last_page_has_no_next_cursor_even_if_it_is_full(scenario: Scenario, client: ApiClient) -> None:
    scenario.post(subject="1")
    scenario.post(subject="2")
    assert _pages(client, limit=2) == [["2", "1"]]
    assert _pages(client, limit=1) == [["2"], ["1"]]


def test_complaints_added_between_pages_shift_nothing(scenario: Scenario, client: ApiClient) -> None:
    for n in range(6):
        scenario.post(subject=f"{n}")
        scenario.jump(minutes=1)

    def arrive() -> None:
        scenario.post(subject="newer")
        scenario.post(subject="older", received_at="2026-01-04T00:00:00Z")

    pages = _pages(client, arrive, limit=2)
    listed = [subject for page in pages for subject in page if subject not in ("newer", "older")]
    assert listed == ["5", "4", "3", "2", "1", "0"]
    assert "newer" not in [subject for page in pages for subject in page]


def test_urgent_comes_first(scenario: Scenario, found: Found) -> None:
    for priority in ("low", "urgent", "normal", "high"):
        scenario.post(subject=priority, priority=priority)
    assert found(sort="priority") == ["urgent", "high", "normal", "low"]
    assert found(sort="-priority") == ["low", "normal", "high", "urgent"]
    scenario.jump(hours=25)
    assert found(sort="priority", overdue="true") == ["urgent", "high", "normal", "low"]
    assert found(sort="priority", overdue="true", priority="high") == ["high"]


def test_the_overdue_list_is_paged_in_every_order(
    scenario: Scenario, client: ApiClient, subtests: pytest.Subtests
) -> None:
    for n in range(5):
        scenario.post(subject=f"{n}", priority=("high", "low")[n % 2])
    scenario.jump(hours=30)
    for sort in SORTS:
        with subtests.test(sort):
            pages = _pages(client, overdue="true", sort=sort, limit=2)
            assert sorted(subject for page in pages for subject in page) == ["0", "1", "2", "3", "4"]


def _cursor(client: ApiClient, **query: Any) -> str:
    cursor = client.get("/v1/complaints", params={**query, "limit": 1}).json()["next_cursor"]
    assert isinstance(cursor, str)
    return cursor


def test_a_cursor_belongs_to_its_filters_and_sort(
    scenario: Scenario, client: ApiClient, found: Found
) -> None:
    for n in range(3):
        scenario.post(subject=f"{n}")
    cursor = _cursor(client, status="received")

    assert found(status="received", cursor=cursor) == ["1", "0"]
    assert found(status="received", cursor=cursor, limit=1, fields="subject") == ["1"]
    assert found(status=["received", "received"], cursor=cursor, sort="-received_at") == ["1", "0"]
    for query in ({}, {"status": "closed"}, {"status": "received", "sort": "priority"}, {"q": "x"}):
        assert _problem(client, cursor=cursor, **query) == (400, "bad-request")


def test_a_fault_of_a_page_names_its_parameter(scenario: Scenario, client: ApiClient) -> None:
    scenario.post()
    scenario.post()
    cursor = _cursor(client, status="received")
    for path, name, value in (
        ("complaints", "sort", "colour"),
        ("complaints", "cursor", "x"),
        ("complaints", "cursor", cursor),
        ("complaints", "fields", "id,colour"),
        ("exports", "fields", "colour"),
        ("teams", "cursor", "x"),
        ("teams", "fields", "colour"),
        ("teams/operations/queue", "cursor", "x"),
        ("inbox", "cursor", "x"),
        ("changes", "after", "x"),
        ("changes", "fields", "colour"),
    ):
        answer = client.get(f"/v1/{path}", params={name: value})
        said = {"pointer": "", "in": "query", "parameter": name, "message": answer.json()["detail"]}
        assert (answer.status_code, answer.json().get("errors")) == (400, [said]), (path, name)
    stream = {"Accept": "text/event-stream", "Last-Event-ID": "x"}
    [fault] = client.get("/v1/changes", headers=stream).json()["errors"]
    assert (fault["in"], fault["parameter"]) == ("header", "Last-Event-ID")


def test_a_text_that_is_no_cursor_is_refused(scenario: Scenario, client: ApiClient) -> None:
    scenario.post(subject="1")
    scenario.post(subject="2")
    cursor = _cursor(client, sort="next_due_at")
    position = json.loads(base64.urlsafe_b64decode(cursor + "=="))

    def remade(**changes: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps({**position, **changes}).encode()).decode().rstrip("=")

    assert client.get("/v1/complaints", params={"sort": "next_due_at", "cursor": remade()}).status_code == 200
    for bad in (
        "", "x", "é", cursor[:-3], cursor + "!", "bnVsbA", "W10", "A" * 3000,
        remade(kind="keys"), remade(id="1"), remade(id=None), remade(id=7), remade(value=7),
        remade(value="now"),
    ):  # fmt: skip
        assert _problem(client, sort="next_due_at", cursor=bad) == (400, "bad-request"), bad


# Items and rights -------------------------------------------------------------------------------------


def test_an_item_is_the_complaint(scenario: Scenario, client: ApiClient) -> None:
    complaint = _with_result_told(scenario, scenario.post(complainant={"name": "王芳"}, tags=["vip"]))
    scenario.act(complaint, "record_contact", outcome="solved", csat=5)
    answer = client.get("/v1/complaints").json()

    ComplaintPage.model_validate(answer, extra="forbid")
    assert answer["items"] == [client.get(f"/v1/complaints/{complaint.id}").json()]


def test_fields_pick_members(scenario: Scenario, client: ApiClient) -> None:
    scenario.post()
    for name in ComplaintShown.model_fields:
        [item] = client.get("/v1/complaints", params={"fields": name}).json()["items"]
        assert list(item) == [name]
    [item] = client.get("/v1/complaints", params={"fields": "number,overdue"}).json()["items"]
    assert item == {"number": number_of(1), "overdue": False}
    for fields in ("nope", "id,nope", "", "id,", "ID"):
        assert _problem(client, fields=fields) == (400, "bad-request")


UNKNOWN_NAMES = [
    {"nope": "1"},
    {"Status": "received"},
    {"sort": "subject"},
    {"sort": "+priority"},
    {"offset": "2"},
]


def test_unknown_names_are_bad_requests(client: ApiClient, subtests: pytest.Subtests) -> None:
    for query in UNKNOWN_NAMES:
        with subtests.test(str(query)):
            assert _problem(client, **query) == (400, "bad-request")


BAD_VALUES = [
    {"status": "open"}, {"status": ""}, {"overdue": "1"}, {"overdue": ""}, {"deadline_kind": "x"},
    {"due_before": "2026-01-05"}, {"due_before": "2026-01-05T00:00:00"}, {"priority": "1"}, {"team": ""},
    {"number": "C000000429"}, {"phone": "abc"}, {"phone": "12"}, {"limit": "0"}, {"limit": "201"},
    {"limit": "x"}, {"cycle_min": "-1"}, {"escalation_level_min": "two"}, {"received_from": "1767571200"},
    {"cause": "Technical"}, {"channel": "fax"}, {"tag": "x" * 201},
]  # fmt: skip


def test_bad_values_are_invalid_content(client: ApiClient, subtests: pytest.Subtests) -> None:
    for query in BAD_VALUES:
        with subtests.test(str(query)[:60]):
            assert _problem(client, **query) == (422, "invalid-content")


def test_intake_keys_list_their_own_source_only(scenario: Scenario, client: ApiClient) -> None:
    scenario.post(subject="north", source="north")
    scenario.post(subject="south", source="south")
    key = scenario.key(AccessRole.INTAKE, source="north")

    def subjects(**query: Any) -> list[str]:
        answer = client.get("/v1/complaints", params=query, headers=key)
        return [item["subject"] for item in answer.json()["items"]]

    assert subjects() == subjects(source="north") == subjects(sort="next_due_at") == ["north"]
    assert subjects(source="south") == subjects(q="south") == subjects(number=number_of(2)) == []
    assert client.get("/v1/overdue/summary", headers=key).status_code == 403


def test_auditors_see_no_personal_data_and_cannot_filter_by_it(scenario: Scenario, client: ApiClient) -> None:
    scenario.post(complainant={"name": "王芳", "phone": "13800000000", "account_no": "A-1"})
    key = scenario.key(AccessRole.AUDITOR)
    answer = client.get("/v1/complaints", headers=key)

    assert "王芳" not in answer.text
    assert "A-1" not in answer.text
    [item] = answer.json()["items"]
    assert (item["complainant"]["name"], item["complainant"]["email"]) == ("王****", None)
    assert item["allowed_actions"] == []
    for query in ({"phone": "13800000000"}, {"account_no": "A-1"}):
        assert client.get("/v1/complaints", params=query, headers=key).status_code == 403


def test_without_a_key_there_is_no_list(client: ApiClient) -> None:
    for path in ("/v1/complaints", "/v1/overdue/summary"):
        assert client.get(path, headers={"Authorization": "Bearer wrong"}).status_code == 401


# Counts of overdue complaints -----------------------------------------------------------------------------------------


def _counts(summary: dict[str, Any], member: str) -> dict[str, int]:
    name = member.removeprefix("by_")
    return {one[name]: one["count"] for one in summary[member] if one["count"]}


def test_the_summary_counts_what_the_lists_find(scenario: Scenario, client: ApiClient, found: Found) -> None:
    scenario.post(subject="late twice", priority="high", category="network.outage")
    answered = scenario.post(subject="late once")
    scenario.act(answered, "respond", message="We are on it.", contact_channel="phone")
    scenario.jump(hours=44)
    scenario.post(subject="soon")
    scenario.jump(hours=5)

    answer = client.get("/v1/overdue/summary").json()
    DueSummaryShown.model_validate(answer, extra="forbid")
    late = answer["overdue"]
    assert late["total"] == len(found(overdue="true")) == 2
    assert _counts(late, "by_team") == {"operations": 1, "customer_service": 1}
    assert _counts(late, "by_priority") == {"high": 1, "normal": 1}
    assert _counts(late, "by_kind") == {"first_response": 1, "resolution": 2}
    assert _counts(late, "by_age") == {"0-4h": 1, "1-3d": 1}
    soon = answer["soon_due"]
    assert soon["total"] == 1
    assert _counts(soon, "by_kind") == {"first_response": 1}
    assert answer["soon_until"] == "2026-01-08T02:00:00Z"
    for kind, count in _counts(late, "by_kind").items():
        assert len(found(overdue="true", deadline_kind=kind)) == count


HOW_SOON = [("PT18H", 0), ("PT20H", 1), ("20", 1), ("P1D", 1), ("PT19H0.5S", 1), ("PT19H", 0)]


def test_the_caller_says_how_soon(scenario: Scenario, client: ApiClient, subtests: pytest.Subtests) -> None:
    scenario.post()
    scenario.jump(hours=5)
    for soon, total in HOW_SOON:
        with subtests.test(soon):
            answer = client.get("/v1/overdue/summary", params={"soon": soon})
            assert answer.json()["soon_due"]["total"] == total


def test_a_paused_deadline_is_not_soon_due(scenario: Scenario, client: ApiClient) -> None:
    held = scenario.post()
    scenario.act(held, "respond", message="Which house?", contact_channel="phone")
    scenario.act(held, "hold", reason="awaiting_complainant", until="2026-01-05T11:00:00Z")

    def soon() -> dict[str, Any]:
        counted: dict[str, Any] = client.get("/v1/overdue/summary", params={"soon": "P3D"}).json()["soon_due"]
        return counted

    assert (soon()["total"], _counts(soon(), "by_kind")) == (0, {})
    scenario.jump(hours=10)
    assert (soon()["total"], _counts(soon(), "by_kind")) == (1, {"resolution": 1})


NO_LENGTHS = ["", "P1M", "P1Y", "-PT1H", "PT0S", "0", "P400D", "24h", "x", "１"]


def test_a_soon_without_a_length_is_refused(client: ApiClient, subtests: pytest.Subtests) -> None:
    for soon in NO_LENGTHS:
        with subtests.test(soon):
            answer = client.get("/v1/overdue/summary", params={"soon": soon})
            assert answer.status_code == 422
            assert answer.json()["errors"][0]["parameter"] == "soon"
            assert client.get("/v1/overdue/summary", params={"sooner": "PT1H"}).status_code == 400
