"""One verb on many complaints: forms, results, repetitions, and the way back."""

import html
import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from complaints.domain.complaint.facts import Complaint
from complaints.domain.complaint.numbers import number_of
from complaints.domain.vocabulary import AccessRole, Status
from tests.console.conftest import Reader
from tests.support import Scenario

pytestmark = pytest.mark.usefixtures("everything_holds")
UNTIL = "2026-01-08T12:00"


@pytest.fixture
def three(scenario: Scenario) -> list[Complaint]:
    """Three complaints of the team operations. The first two are investigated, and admin has the second."""
    made = [scenario.post(subject=f"one {n}", category="network.slow") for n in range(3)]
    for one in made[:2]:
        scenario.act(one, "respond", message="We look into it.", contact_channel="phone")
    scenario.act(made[1], "assign", assignee="admin")
    return made


def _do(reader: Reader, verb: str, some: list[Complaint], **fields: Any) -> str:
    answer = reader.post(f"/bulk/{verb}", {"id": [str(one.id) for one in some], **fields}, partial=True)
    assert answer.status_code == 200, answer.text
    return answer.text


def _undo(reader: Reader, results: str, attempt: str = "undo") -> str:
    steps = [html.unescape(step) for step in re.findall(r'name="step" value="([^"]*)"', results)]
    answer = reader.post("/bulk/undo", {"step": steps, "attempt": attempt, "verb": "assign"}, partial=True)
    assert answer.status_code == 200, answer.text
    return answer.text


def _said(results: str) -> tuple[str, list[str]]:
    """The message, and the numbers of the complaints that were refused."""
    message = re.search(r"<p>([^<]*)</p>", results)
    assert message
    return message[1], re.findall(r"<li [^>]*><a [^>]*>(C\d+)", results)


def test_an_assignment_is_undone_by_assigning_back(
    sign_in: Callable[..., Reader], three: list[Complaint], scenario: Scenario
) -> None:
    reader = sign_in()
    done = _do(reader, "assign", three, team="management", assignee="chen.jie", attempt="a")
    assert _said(done) == ("3 assigned", [])
    assert {(one.team, one.assignee) for one in map(scenario.load, three)} == {("management", "chen.jie")}
    scenario.act(three[2], "assign", assignee="admin")
    undone = _undo(reader, done)
    assert _said(undone) == ("2 assigned as before", [number_of(three[2].sequence)])
    found = [scenario.load(one) for one in three]
    assert [(one.team, one.assignee) for one in found] == [
        ("operations", None), ("operations", "admin"), ("management", "admin"),
    ]  # fmt: skip
    assert _said(_undo(reader, done)) == _said(undone)  # the same attempt again


def test_a_hold_and_a_resumption_are_undone_by_each_other(
    sign_in: Callable[..., Reader], three: list[Complaint], scenario: Scenario
) -> None:
    reader = sign_in()
    held = _do(reader, "hold", three, reason="outage", until=UNTIL, attempt="h")
    assert _said(held) == ("2 put on hold", [number_of(three[2].sequence)])
    [before, *_] = scenario.load(three[0]).holds
    resumed = _do(reader, "resume", three[:2], attempt="r")
    assert _said(resumed)[0] == "2 resumed"
    assert _said(_undo(reader, held, "too late"))[1] == [number_of(one.sequence) for one in three[:2]]
    _undo(reader, resumed)
    again = scenario.load(three[0])
    assert again.current_hold is not None
    assert (again.current_hold.reason, again.current_hold.until_at) == (before.reason, before.until_at)
    assert scenario.load(three[2]).status is Status.RECEIVED


@pytest.mark.parametrize(
    ("verb", "fields", "message"),
    [
        ("respond", {"message": "We are on it.", "contact_channel": "sms"}, "已登记 3 次响应"),
        ("escalate", {"role": "team_lead", "reason": "Too late."}, "已升级 3 件"),
        ("note", {"text": "Looked at.", "visibility": "public"}, "已添加 3 条备注"),
    ],
)
def test_other_verbs_have_results_without_a_way_back(
    sign_in: Callable[..., Reader], three: list[Complaint], verb: str, fields: dict[str, str], message: str
) -> None:
    ids = {"id": [str(one.id) for one in three]}
    answer = sign_in().post(f"/bulk/{verb}", ids | fields, language="zh", partial=True)
    assert (answer.status_code, _said(answer.text)[0]) == (200, message)
    assert 'class="undo"' not in answer.text


def test_the_same_form_sent_again_does_nothing_twice(
    sign_in: Callable[..., Reader], three: list[Complaint], scenario: Scenario
) -> None:
    reader, fields = sign_in(), {"message": "Repaired.", "contact_channel": "phone", "attempt": "same"}
    first = _do(reader, "respond", three, **fields)
    versions = [scenario.load(one).version for one in three]
    assert _said(_do(reader, "respond", three, **fields)) == _said(first)
    assert [scenario.load(one).version for one in three] == versions
    endless = _do(reader, "respond", three, **fields | {"attempt": "other", "done": "1" * 5000})
    assert _said(endless) == _said(first)


def test_a_fault_stands_beside_its_field_and_nothing_is_done(
    sign_in: Callable[..., Reader], three: list[Complaint], scenario: Scenario
) -> None:
    reader, ids = sign_in(), {"id": [str(one.id) for one in three]}
    answer = reader.post("/bulk/hold", {**ids, "reason": "outage", "until": "soon"}, partial=True)
    assert answer.status_code == 422
    assert re.search(r'id="note-until">must be a date and a time', answer.text)
    assert '<option value="outage" selected>' in answer.text
    many = reader.post(
        "/bulk/respond", {**ids, "message": "x", "contact_channel": "sms", "count": "21"}, language="zh"
    )
    assert (many.status_code, "请确认要处理全部" in many.text, "<html" in many.text) == (422, True, True)
    assert many.text.count('name="id"') == 3
    assert reader.post("/bulk/assign", {"team": "management"}).status_code == 422
    assert reader.post("/bulk/close", ids).status_code == 404
    assert reader.post("/bulk/undo", {"step": "{"}).status_code == 422
    back = {"action": "assign", "assignee": "a\0"}
    for step in ({"complaint": str(three[0].id), "version": 1, "back": back}, int("9" * 4000)):
        assert reader.post("/bulk/undo", {"step": json.dumps(step)}).status_code == 422
    close = json.dumps(
        {"complaint": str(three[0].id), "version": 1, "back": {"action": "withdraw", "reason": "x"}}
    )
    assert reader.post("/bulk/undo", {"step": close}).status_code == 422
    assert [scenario.load(one).version for one in three[2:]] == [three[2].version]


def test_all_that_match_are_named_if_their_number_is_as_expected(
    sign_in: Callable[..., Reader], three: list[Complaint], scenario: Scenario
) -> None:
    scenario.advance(days=4)
    reader = sign_in()
    found = reader.get("/bulk/matching?expected=3&category=network").json()
    assert [(number, status) for _, number, status, _ in found] == [
        (number_of(three[0].sequence), "Investigating"), (number_of(three[1].sequence), "Investigating"),
        (number_of(three[2].sequence), "Received"),
    ]  # fmt: skip
    assert "hold" in found[0][3]
    assert "hold" not in found[2][3]
    other = reader.get("/bulk/matching?expected=2&category=network", partial=True)
    assert (other.status_code, other.headers["hx-retarget"]) == (409, "#flash")
    assert reader.get("/bulk/matching?expected=5001").status_code == 422


def test_only_who_works_on_complaints_may_do_anything(
    sign_in: Callable[..., Reader], three: list[Complaint], scenario: Scenario
) -> None:
    scenario.advance(days=4)
    auditor = sign_in("aud", AccessRole.AUDITOR)
    assert 'id="bulk"' not in auditor.get("/overdue").text
    for answer in (
        auditor.get("/bulk?verb=assign"),
        auditor.get("/bulk/matching?expected=3"),
        auditor.post("/bulk/assign", {"id": str(three[0].id), "team": "management"}),
        auditor.post("/bulk/undo", {"step": "{}"}),
    ):
        assert answer.status_code in (403, 422)
    agent = sign_in("agent", AccessRole.AGENT, teams=["customer_service"])
    assert _said(_do(agent, "note", three[:1], text="x")) == ("0 notes added", [])


def test_without_scripts_the_form_is_a_page_and_names_the_complaints(
    sign_in: Callable[..., Reader], three: list[Complaint]
) -> None:
    page = sign_in().get(f"/bulk?verb=assign&id={three[0].id}&id={three[1].id}").text
    assert page.count('name="id"') == 2
    assert "Assign · <span" in page
    assert "<html" in page
