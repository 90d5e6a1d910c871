"""Follow-ups: contacts by local day, whose they are, the call sheet, and what follows from a call."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from complaints.api.problems.languages import Language
from complaints.console.locale import Locale
from complaints.console.views.call_sheets import group_of
from complaints.domain.complaint.facts import Complaint
from complaints.domain.complaint.numbers import number_of
from complaints.domain.vocabulary import AccessRole, DeadlineKind
from tests.api_client import ApiClient
from tests.console.conftest import Reader
from tests.support import Scenario

pytestmark = pytest.mark.usefixtures("everything_holds")
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
PERSON = {"name": "Wang Min", "phone": "+8613800000001", "preferred_contact": "phone"}


@pytest.mark.parametrize(
    ("zone", "hours", "group"),
    [
        ("UTC", -1, "overdue"),
        ("UTC", 11, "today"),
        ("Asia/Shanghai", 3, "today"),
        ("Asia/Shanghai", 5, "tomorrow"),  # 01:00 of the third of March in Shanghai
        ("UTC", 13, "tomorrow"),
        ("UTC", 37, "week"),
    ],
)
def test_a_contact_stands_on_the_local_day_of_the_reader(zone: str, hours: int, group: str) -> None:
    assert group_of(NOON + timedelta(hours=hours), NOON, Locale(Language.ENGLISH, zone)) == group


def _followed_up(scenario: Scenario, **members: Any) -> Complaint:
    """A complaint whose result was told, and whose first follow-up is due now."""
    given = {"category": "network.outage", "complainant": PERSON, **members}
    complaint = scenario.post(**given)
    scenario.act(complaint, "respond", message="We look.", contact_channel="phone")
    scenario.act(complaint, "resolve", resolution="A new cable.", outcome="not_upheld", cause="technical")
    return scenario.act(complaint, "notify_result", message="A new cable.", contact_channel="phone")


def _address(complaint: Complaint) -> str:
    due = next(one for one in complaint.deadlines if one.kind == DeadlineKind.FOLLOW_UP)
    return f"/follow-ups/{number_of(complaint.sequence)}/{due.id}"


def test_contacts_are_listed_by_day_and_by_owner(scenario: Scenario, sign_in: Callable[..., Reader]) -> None:
    agent = sign_in("chen.jie", AccessRole.AGENT, teams=["operations"], scope="all")
    mine = _followed_up(scenario, subject="My call", first_owner="chen.jie")
    _followed_up(scenario, subject="Call of the lead")
    assert "You have no contact to make" in agent.get("/follow-ups").text
    due = next(one.due_at for one in mine.deadlines if one.kind == DeadlineKind.FOLLOW_UP)
    scenario.advance(seconds=(due - scenario.now()).total_seconds() - 3 * 86400)
    page = agent.get("/follow-ups").text
    assert "My call" in page
    assert "Call of the lead" not in page
    assert "Later this week" in page.partition('class="day"')[2]
    assert "tel:+8613800000001" in page
    for whose in ("operations", "all"):
        assert "Call of the lead" in agent.get("/follow-ups", whose=whose).text
    assert agent.get("/follow-ups", whose="nothing").status_code in (400, 422)
    scenario.advance(days=3, hours=1)
    assert "My call" in agent.get("/follow-ups", when="overdue").text
    for when in ("today", "tomorrow", "week"):
        assert "My call" not in agent.get("/follow-ups", when=when).text


@pytest.mark.parametrize(
    ("outcome", "fields", "said"),
    [
        ("solved", {"csat": "4", "nps": "10"}, "No contact is left. It is to be closed by"),
        ("not_solved", {"note": "Still dead."}, "Reopened. The new result is due"),
        ("unreachable", {}, "Call again on"),
    ],
)
def test_an_outcome_is_recorded_once_and_the_row_says_what_follows(
    client: ApiClient,
    scenario: Scenario,
    sign_in: Callable[..., Reader],
    outcome: str,
    fields: dict[str, str],
    said: str,
) -> None:
    complaint = _followed_up(scenario)
    due = next(one.due_at for one in complaint.deadlines if one.kind == DeadlineKind.FOLLOW_UP)
    scenario.advance(seconds=(due - scenario.now()).total_seconds())
    agent = sign_in("chen.jie", AccessRole.AGENT, scope="all")
    form = {"attempt": "a", "outcome": outcome, **fields}
    answer = agent.post(_address(complaint), form, partial=True)
    assert answer.status_code == 200
    assert said in answer.text
    assert agent.post(_address(complaint), form, partial=True).text == answer.text
    later = agent.post(_address(complaint), {**form, "attempt": "b"}, partial=True)
    assert later.status_code == 409
    assert "Somebody made this contact meanwhile" in later.text
    events = client.get(f"/v1/complaints/{complaint.id}/timeline").json()["items"]
    [contact] = [one["data"] for one in events if one["type"] == "complaint.contact_recorded"]
    assert contact["outcome"] == outcome
    assert (contact.get("csat"), contact.get("nps")) == ((4, 10) if "csat" in fields else (None, None))
    assert contact.get("note") == fields.get("note")


def test_a_score_out_of_range_is_refused_beside_it(
    scenario: Scenario, sign_in: Callable[..., Reader]
) -> None:
    complaint, agent = _followed_up(scenario), sign_in("chen.jie", AccessRole.AGENT, scope="all")
    fields = {"outcome": "solved", "csat": "9", "note": "It works."}
    answer = agent.post(_address(complaint), fields, partial=True)
    assert answer.status_code == 422
    assert 'value="It works."' in answer.text
    assert "csat should be less than or equal to 5" in answer.text
    for sent in ({"note": "x", "note.a": "y"}, {"note.a": "y", "note": "x"}):
        assert agent.post(_address(complaint), sent).status_code == 400
    assert agent.post(_address(complaint), fields | {"csat": "1" * 5000}).status_code == 422


def test_without_scripts_a_refused_form_is_a_page_and_the_list_stays_as_it_was_asked(
    scenario: Scenario, sign_in: Callable[..., Reader]
) -> None:
    complaint, agent = _followed_up(scenario), sign_in("chen.jie", AccessRole.AGENT, scope="all")
    due = next(one.due_at for one in complaint.deadlines if one.kind == DeadlineKind.FOLLOW_UP)
    scenario.advance(seconds=(due - scenario.now()).total_seconds() - 3 * 86400)
    page = agent.get("/follow-ups", whose="all", when="week").text
    sent = re.search(rf'action="/console({_address(complaint)}[^"]*)"', page)
    assert sent
    address = sent[1].replace("&amp;", "&")
    refused = agent.post(address, {"outcome": "solved", "csat": "9", "note": "It works."})
    assert refused.status_code == 422
    assert "<html" in refused.text
    assert 'value="It works."' in refused.text
    assert f'action="/console{sent[1]}"' in refused.text
    done = agent.post(address, {"outcome": "solved", "csat": "5"})
    assert (done.status_code, done.headers["location"]) == (303, "/console/follow-ups?whose=all&when=week")


def test_a_reader_without_the_right_sees_masks_and_the_sheet_but_no_buttons(
    client: ApiClient, scenario: Scenario, sign_in: Callable[..., Reader]
) -> None:
    complaint = _followed_up(scenario)
    due_at = (scenario.now() + timedelta(days=1)).isoformat()
    client.post(
        f"/v1/complaints/{complaint.id}/promises", json={"text": "A visit", "due_at": due_at}
    ).raise_for_status()
    scenario.advance(days=40)
    auditor = sign_in("lei.jing", AccessRole.AUDITOR)
    page = auditor.get("/follow-ups", whose="all").text
    assert number_of(complaint.sequence) in page
    assert "13800000001" not in page
    assert "Wang Min" not in page
    assert 'name="outcome"' not in page
    assert auditor.post(_address(complaint), {"outcome": "solved"}).status_code == 403
    sheet = auditor.get(f"/follow-ups/{number_of(complaint.sequence)}/sheet", partial=True).text
    for said in ("A new cable.", "A visit", "Not upheld", "none yet"):
        assert said in sheet
