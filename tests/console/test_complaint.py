"""The page of one complaint: what it shows to whom, its parts, the explanation of a due time, and revealing persons."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from complaints.domain.complaint.facts import Complaint
from complaints.domain.complaint.numbers import number_of
from complaints.domain.vocabulary import AccessRole
from complaints.use_cases.access import SYSTEM
from complaints.use_cases.complaints.deadline_details import load_deadline_details
from complaints.use_cases.complaints.erasing import erase_texts
from complaints.use_cases.service import Service
from tests.api_client import ApiClient
from tests.console.conftest import Reader
from tests.support import Scenario, count_statements

pytestmark = pytest.mark.usefixtures("everything_holds")
RECEIVED = {"en": "Mon 5 Jan 2026 09:00", "zh": "2026年1月5日周一 09:00"}
EARLIER = {"en": "Received", "zh": "已受理"}
SignIn = Callable[..., Reader]
ADDRESS = "/complaints"
MOST_STATEMENTS = 30  # 6 of them begin transactions and read the test clock
PERSON = {"name": "Zhang Wei", "phone": "+8613800000000", "language": "zh", "vulnerable": True}
MEMBERS: dict[str, Any] = {
    "subject": "No signal <b>here</b>", "description": "Since Monday.", "category": "network.outage",
    "complainant": PERSON, "reporter": {"name": "Li Hua"}, "service": {"type": "mobile", "id": "+8613900000000"},
    "region": "CN-31", "tags": ["tower"], "attributes": {"cell": "SH-0423"}, "external_id": "T-1",
}  # fmt: skip


def address_of(complaint: Complaint) -> str:
    return f"{ADDRESS}/{number_of(complaint.sequence)}"


@pytest.fixture
def complaint(client: ApiClient, scenario: Scenario) -> Complaint:
    """A complaint in its second cycle, with everything that a page can show."""
    earlier = scenario.post(complainant=PERSON)
    made = scenario.post(**MEMBERS)
    path = f"/v1/complaints/{made.id}"
    scenario.advance(hours=30)
    scenario.act(made, "respond", message="We look at it.", contact_channel="phone")
    promised = {"text": "A technician comes", "due_at": "2026-02-01T01:00:00Z"}
    client.post(f"{path}/promises", json=promised).raise_for_status()
    client.post(f"{path}/notes", json={"text": "Ring twice."}).raise_for_status()
    client.post(
        f"{path}/links", json={"type": "recurrence_of", "complaint_id": str(earlier.id)}
    ).raise_for_status()
    name = {"Content-Disposition": "attachment; filename=bill.png", "Content-Type": "image/png"}
    client.post(f"{path}/attachments", content=b"png", headers=name).raise_for_status()
    scenario.act(made, "hold", reason="awaiting_complainant", until="2026-01-07T01:00:00Z")
    scenario.advance(hours=30)
    scenario.act(made, "resolve", resolution="Mended", outcome="upheld", cause="technical", root_cause="Wind")
    scenario.act(made, "notify_result", message="It is mended.", contact_channel="phone")
    scenario.advance(days=29)
    answers = {"outcome": "not_solved", "csat": 2, "nps": 3, "note": "Still dead"}
    return scenario.act(made, "record_contact", **answers)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "en",
            [
                "Investigating",
                "cycle 2",
                "Contacts",
                "why this time?",
                "Recurrence of",
                "2 of 5",
                "by the clock",
            ],
        ),
        ("zh", ["调查处理中", "第 2 轮", "联系", "为什么是这个时间？", "再次发生", "2/5", "系统计时"]),
    ],
)
def test_everything_stands_on_one_page(
    sign_in: SignIn, complaint: Complaint, language: str, words: list[str]
) -> None:
    answer = sign_in().get(address_of(complaint), language=language)
    text = answer.text
    assert answer.status_code == 200
    assert f'data-complaint="{complaint.id}" data-version="{complaint.version}"' in text
    said = [
        "No signal &lt;b&gt;here&lt;/b&gt;", "Since Monday.", "Zhang Wei", "Li Hua", "+8613900000000", "CN-31", "tower",
        "cell SH-0423", "A technician comes", "We look at it.", "Ring twice.", "Still dead", "bill.png", "/c/",
        f"/v1/complaints/{complaint.id}/attachments/",
    ]  # fmt: skip
    assert [one for one in [*said, *words] if one not in text] == []
    ids = set(re.findall(r' id="([a-z]+)"', text))
    assert {"head", "actions", "clocks", "timeline", "persons", "facts", "attachments"} <= ids
    assert text.count('class="bar"') == len(complaint.deadlines)
    assert f'title="{RECEIVED[language]} Asia/Shanghai"' in text
    assert f"{number_of(complaint.sequence - 1)}</a> {EARLIER[language]}" in text
    assert re.search("<script>|style=| on[a-z]+=", text) is None


@pytest.mark.parametrize(("language", "word"), [("en", "Not upheld (assumed)"), ("zh", "不属实（推定）")])
def test_rule_1_20_the_page_says_that_an_outcome_is_assumed(
    scenario: Scenario, sign_in: SignIn, language: str, word: str
) -> None:
    made = scenario.resolve_assumed(scenario.post())
    scenario.act(made, "notify_result", message="It is mended.", contact_channel="phone")
    reader, sheet = sign_in(), f"/follow-ups/{number_of(made.sequence)}/sheet"
    assert reader.get(address_of(made), language=language).text.count(word) == 2  # the result, and its event
    assert word in reader.get(sheet, language=language, partial=True).text
    scenario.act(made, "reopen", reason="Why?")
    scenario.act(made, "resolve", resolution="Mended", outcome="upheld", cause="technical")
    assert reader.get(address_of(made), language=language).text.count(word) == 1  # the past stays


def test_a_deadline_has_its_pauses_its_promise_and_who_hears_of_its_steps(
    client: ApiClient, scenario: Scenario, service: Service
) -> None:
    for login in ("lead.one", "stand.in"):
        client.post("/v1/users", json={"login": login, "name": login}).raise_for_status()
    client.patch("/v1/teams/operations", json={"lead": "lead.one"}).raise_for_status()
    made = scenario.post(category="network.outage")
    promised = {"text": "Soon", "due_at": "2026-01-09T01:00:00Z"}
    client.post(f"/v1/complaints/{made.id}/promises", json=promised).raise_for_status()
    scenario.advance(hours=30)
    scenario.act(made, "respond", message="We look at it.", contact_channel="web")
    scenario.act(made, "hold", reason="awaiting_complainant", until="2026-01-07T01:00:00Z")
    away = {"absent_from": "2026-01-01T00:00:00Z", "deputy": "stand.in"}
    client.patch("/v1/users/lead.one", json=away).raise_for_status()
    now = scenario.load(made)

    details = service.read(lambda tx: load_deadline_details(service, tx, now))

    by_kind = {one.deadline.kind: one for one in details}
    first, result = by_kind["first_response"], by_kind["resolution"]
    heard = {one.step: (one.taken_at is not None, one.recipients) for one in result.steps}
    assert heard["50%"] == (True, ("lead.one",))
    assert heard["100%"] == (False, ("stand.in",))
    assert [len(one.pauses) for one in (first, result)] == [0, 1]
    assert {kind: one.promise for kind, one in by_kind.items() if one.promise} == {"promise": "Soon"}


def test_a_page_costs_few_statements(sign_in: SignIn, complaint: Complaint, service: Service) -> None:
    reader = sign_in()
    reader.get(address_of(complaint))
    with count_statements(service) as statements:
        reader.get(address_of(complaint))
    assert len(statements) <= MOST_STATEMENTS, [
        statement.split("WHERE")[0][-60:] for statement, _ in statements
    ]


def test_the_parts_go_each_to_its_place_and_keep_what_is_chosen(
    sign_in: SignIn, complaint: Complaint
) -> None:
    reader, address = sign_in(), address_of(complaint)
    parts = reader.get(f"{address}/parts", show="contacts", after=1, partial=True).text
    assert re.findall(r'<hx-partial hx-target="#([a-z]+)" hx-swap="outerMorph"', parts) == [
        "head", "clocks", "timeline", "persons", "facts", "attachments", "actions",
    ]  # fmt: skip
    assert "<html" not in parts
    assert 'aria-current="true"' in parts.partition("show=contacts")[2][:200]
    assert "Assigned" not in parts
    alone = reader.get(f"{address}/timeline", show="contacts", partial=True).text
    assert alone.lstrip().startswith('<section id="timeline"')
    assert "<html" in reader.get(f"{address}/timeline", show="contacts").text
    assert reader.get(address, show="everything").status_code == 400
    assert reader.get(address, after="-1").status_code == 400


def test_why_a_time_is_in_its_place_or_on_a_page_of_its_own(sign_in: SignIn, complaint: Complaint) -> None:
    reader, address = sign_in(), address_of(complaint)
    paused = next(one for one in complaint.deadlines if one.paused_seconds)
    part = reader.get(f"{address}/deadlines/{paused.id}", partial=True).text
    assert part.lstrip().startswith('<details class="explained" open')
    for said in (
        "not counted: paused",
        "counted: every hour counts",
        "2 d counted",
        "Asia/Shanghai",
        'class="paused"',
    ):
        assert said in part, said
    assert "<html" in reader.get(f"{address}/deadlines/{paused.id}").text
    with_key = re.findall(r'/deadlines/([^"]+)" data-key="w"', reader.get(address).text)
    running = [
        one for one in complaint.deadlines if one.status in ("running", "breached") and one.met_at is None
    ]
    assert with_key == [str(min(running, key=lambda one: one.due_at).id)]
    assert reader.get(f"{address}/deadlines/{complaint.id}").status_code == 404


def test_whoever_sees_masks_may_look_for_a_reason(
    client: ApiClient, sign_in: SignIn, complaint: Complaint
) -> None:
    auditor, address = sign_in("lei.jing", AccessRole.AUDITOR), address_of(complaint)
    page = auditor.get(address).text
    for hidden in ("Zhang Wei", "+8613800000000", "+8613900000000", "Ring twice.", "SH-0423", "bill.png"):
        assert hidden not in page, hidden
    assert 'class="form upload"' not in page
    assert (
        'hx-target="#persons" hx-swap="outerMorph"' not in auditor.get(f"{address}/parts", partial=True).text
    )
    assert "/c/" not in page
    before = client.get("/v1/access-log").json()["items"]
    for reason in ("", " " * 9, "x" * 2001):
        refused = auditor.post(f"{address}/reveal", {"reveal_reason": reason}, partial=True)
        assert (refused.status_code, "must have 1 to 2000 characters" in refused.text) == (422, True)
        assert "Zhang Wei" not in refused.text
    shown = auditor.post(f"{address}/reveal", {"reveal_reason": "A call back"}, partial=True)
    assert shown.status_code == 200
    assert {"Zhang Wei", "Li Hua", "+8613900000000"} <= set(re.findall(r"<dd[^>]*>([^<]+)</dd>", shown.text))
    assert "<html" in auditor.post(f"{address}/reveal", {"reveal_reason": "Once more"}).text
    after = client.get("/v1/access-log").json()["items"]
    assert [(one["actor"], one["reason"]) for one in after[: len(after) - len(before)]] == [
        ("user:lei.jing", "Once more"), ("user:lei.jing", "A call back"),
    ]  # fmt: skip


def test_rights_and_scope_are_those_of_the_api(sign_in: SignIn, complaint: Complaint) -> None:
    stranger = sign_in("zhou.an", AccessRole.AGENT, teams=["customer_service"])
    deadline = f"{address_of(complaint)}/deadlines/{complaint.deadlines[0].id}"
    for path in (address_of(complaint), f"{ADDRESS}/{complaint.id}/parts", deadline, f"{ADDRESS}/C000000022"):
        assert stranger.get(path).status_code == 404, path
    refused = stranger.post(f"{address_of(complaint)}/reveal", {"reveal_reason": "I want to"})
    assert refused.status_code == 403
    agent = sign_in("qin.lan", AccessRole.AGENT, teams=["operations"])
    assert agent.get(address_of(complaint)).status_code == 200


def test_a_long_history_begins_with_its_end(
    client: ApiClient, sign_in: SignIn, scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("complaints.console.pages.complaint._EVENTS", 3)
    made, reader = scenario.post(), sign_in()
    for text in "abcd":
        client.post(f"/v1/complaints/{made.id}/notes", json={"text": f"note {text}"}).raise_for_status()

    def notes(**query: Any) -> list[str]:
        return re.findall("note ([a-d])", reader.get(address_of(made), **query).text)

    assert notes() == ["b", "c", "d"]
    assert "Show the 2 earlier events" in reader.get(address_of(made)).text
    assert notes(after=0) == ["a", "b"]
    assert "Show the 2 later events" in reader.get(address_of(made), after=0).text
    assert notes(show="people", after=3) == ["c", "d"]
    assert "Nothing of this kind" in reader.get(address_of(made), show="clocks").text


def test_erased_texts_are_said_to_be_erased(
    sign_in: SignIn, scenario: Scenario, complaint: Complaint, service: Service
) -> None:
    service.write(lambda tx: erase_texts(service, tx, SYSTEM, str(complaint.id), reason="Asked for"))
    page = sign_in().get(address_of(complaint)).text
    for gone in (
        "No signal",
        "Since Monday.",
        "We look at it.",
        "Ring twice.",
        "Still dead",
        "A technician comes",
    ):
        assert gone not in page, gone
    assert "<h1>[erased]</h1>" in page
    assert 'Note:</span> <span class="none">[erased]' in page
    assert "Asked for" in page
