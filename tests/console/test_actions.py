"""The actions on one complaint by form: what is possible, what is refused, and what two people do at once."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from httpx2 import Response

from complaints.domain.vocabulary import AccessRole
from complaints.use_cases.service import Service
from tests.api_client import ApiClient
from tests.console.conftest import Reader
from tests.console.sent_forms import count_buttons, read_fields
from tests.support import count_statements

pytestmark = pytest.mark.usefixtures("everything_holds")
CHANGED = "console:complaint-changed"
RESPONSE = {"message": "We look at it.", "contact_channel": "phone"}
RESULT = {"resolution": "The cell is repaired.", "outcome": "upheld", "cause": "technical"}


@dataclass
class Desk:
    """A reader at the forms of one complaint."""

    reader: Reader
    number: str

    def open(self, action: str = "", **asked: Any) -> str:
        """The page with the panel, or with the form of an action."""
        path = f"/complaints/{self.number}/actions" + (f"/{action}" if action else "")
        answer = self.reader.get(path, **asked)
        assert answer.status_code == 200, answer.text
        return answer.text

    def send(self, action: str, fields: dict[str, Any], *, partial: bool = True, **headers: Any) -> Response:
        """The answer to a form as it is."""
        return self.reader.post(
            f"/complaints/{self.number}/actions/{action}", fields, partial=partial, **headers
        )

    def take(self, action: str, **typed: str) -> Response:
        """Fill in the form of an action and send it."""
        return self.send(action, read_fields(self.open(action)) | typed)

    def do(self, action: str, **typed: str) -> str:
        """As `take`, for an action that succeeds. Returns the new panel."""
        answer = self.take(action, **typed)
        assert answer.status_code == 200, answer.text
        assert CHANGED in answer.headers["hx-trigger"]
        assert "data-done" in answer.text
        return answer.text


@pytest.fixture
def desk(client: ApiClient, sign_in: Callable[..., Reader]) -> Desk:
    """A supervisor with all complaints, at a new complaint."""
    reader = sign_in("li.wei", AccessRole.SUPERVISOR, scope="all")
    posted = {
        "channel": "phone",
        "subject": "No signal",
        "description": "Since Monday",
        "complainant": {"name": "王小明", "phone": "13800000000", "language": "zh-CN"},
    }
    return Desk(reader, client.post("/v1/complaints", json=posted).raise_for_status().json()["number"])


@pytest.fixture
def read(client: ApiClient, desk: Desk) -> Callable[..., Any]:
    """Reads the complaint, or a part of it such as `/timeline`, by the API."""
    return lambda part="": client.get(f"/v1/complaints/{desk.number}{part}").raise_for_status().json()


def _events(read: Callable[..., Any]) -> list[str]:
    return [one["type"] for one in read("/timeline")["items"]]


def test_the_panel_has_every_action_allowed_or_with_its_reason(desk: Desk) -> None:
    panel = desk.open()
    possible = re.findall(rf"{desk.number}/actions/(\w+)\" data-key=\"(\w)\"", panel)
    assert dict(possible) == {
        "respond": "r", "assign": "a", "resolve": "e", "record_contact": "c", "note": "n",
    }  # fmt: skip
    assert "Resume · Tell the result · Reopen · Close" in panel
    assert "not while it is “Received”" in panel
    assert "状态为“已受理”时不可用" in desk.open(language="zh")
    assert "<html" not in desk.open(partial=True)


def test_a_reader_without_the_right_sees_no_button_and_is_refused(
    desk: Desk, sign_in: Callable[..., Reader]
) -> None:
    auditor = Desk(sign_in("lei.jing", AccessRole.AUDITOR), desk.number)
    wrong = auditor.reader.post(f"/complaints/{desk.number}/actions/note", {"text": ""})
    assert wrong.status_code == 403  # no form comes again
    panel = auditor.open()
    assert "Your roles let you read, not act." in panel
    assert "data-key" not in panel.partition("<main")[2]
    assert auditor.reader.get(f"/complaints/{desk.number}/actions/respond").status_code == 403
    assert auditor.send("respond", RESPONSE).status_code == 403
    outside = Desk(sign_in("an.li", AccessRole.AGENT, scope="own"), desk.number)
    assert outside.reader.get(f"/complaints/{desk.number}/actions").status_code == 404
    assert outside.send("respond", RESPONSE).status_code == 404
    assert desk.reader.get(f"/complaints/{desk.number}/actions/explode").status_code == 404


def test_a_refusal_names_an_instant_as_the_page_does(desk: Desk) -> None:
    desk.reader.post("/preferences", {"language": "en", "zone": "America/New_York", "theme": ""})
    desk.do("take")
    desk.do("respond", **RESPONSE)
    far = {"reason": "outage", "until": "2027-01-06T09:00", "zone": "America/New_York"}
    answer = desk.take("hold", **far)
    assert answer.status_code == 422
    assert "A hold lasts at most until Sun 11 Jan 2026 20:00." in answer.text


def test_a_whole_life_goes_by_forms(desk: Desk, read: Callable[..., Any], client: ApiClient) -> None:
    desk.do("take")
    desk.do("respond", **RESPONSE)
    desk.do("hold", reason="outage", until="2026-01-06T09:00", zone="Asia/Shanghai")
    assert read()["status"] == "on_hold"
    assert "Resume" in desk.open()
    desk.do("resume")
    desk.do("resolve", **RESULT, **{"compensation.amount": "12.50", "compensation.currency": "CNY"})
    assert read()["result"]["compensation"] == {"amount": "12.50", "currency": "CNY"}
    desk.do("notify_result", **RESPONSE)
    panel = desk.do("record_contact", outcome="solved", csat="5", nps="9", note="Glad")
    assert f'class="btn primary" href="/console/complaints/{desk.number}/actions/close"' in panel
    assert read()["satisfaction"] == {"outcome": "solved", "csat": 5, "nps": 9}
    answer = desk.take("close", early="true", **RESPONSE)
    assert (answer.status_code, "root cause" in answer.text) == (422, True)
    desk.do("close", early="true", root_cause="A cable", **RESPONSE)
    desk.do("reopen", reason="Again")
    desk.do("escalate", reason="Help", role="executive")
    desk.do("withdraw", reason="The complainant takes it back")
    assert 'data-key="n"' in desk.open()
    assert read()["status"] == "withdrawn"


def test_what_is_no_action_of_the_lifecycle_goes_by_forms_too(
    desk: Desk, read: Callable[..., Any], client: ApiClient
) -> None:
    posted = {"channel": "phone", "subject": "Slow", "complainant": {"phone": "13800000000"}}
    other = client.post("/v1/complaints", json=posted).json()["number"]
    desk.do("note", text="Called twice", visibility="internal")
    desk.do("promise", text="A call", due_at="2026-01-07T10:00", zone="UTC")
    promise = read("/promises")["items"][0]
    assert promise["due_at"] == "2026-01-07T10:00:00Z"
    assert "A call · due" in desk.open("keep_promise")
    desk.do("keep_promise", promise_id=promise["id"])
    assert "keep_promise" not in desk.open()
    desk.do("link", type="related", complaint_id=other)
    link = re.search(r'value="(related/[^"]+)"', desk.open("unlink"))
    assert link
    for forged in ("foo/x", "related/", "related"):
        assert desk.take("unlink", link=forged).status_code == 422
    desk.do("unlink", link=link[1])
    assert read()["links"] == []
    desk.do("replan", policy=re.findall(r'<option value="([\w-]+/\d+)"', desk.open("replan"))[0])
    desk.do("merge", into=other)
    desk.do("unmerge", reason="A mistake")
    desk.do("assign", assignee="li.wei")
    assert desk.take("take").status_code == 200  # who has it already may take it
    desk.do("assign", assignee=" ")
    assert read()["assignee"] is None


def test_an_escalation_is_acknowledged_by_whom_it_reached(
    desk: Desk, client: ApiClient, sign_in: Callable[..., Reader], read: Callable[..., Any]
) -> None:
    client.patch("/v1/departments/head_office", json={"head": "li.wei"}).raise_for_status()
    desk.do("escalate", reason="Help", role="executive")
    assert "acknowledge" in desk.open()
    escalation = re.search(r'<option value="([0-9a-f-]{36})"', desk.open("acknowledge"))
    assert escalation
    desk.do("acknowledge", escalation_id=escalation[1], note="I call")
    assert "actions/acknowledge" not in desk.open()
    assert "escalation.acknowledged" in _events(read)
    assert desk.send("acknowledge", {"escalation_id": "x"}).status_code == 422


def test_a_fault_stands_beside_its_field_and_everything_typed_stays(desk: Desk) -> None:
    desk.do("respond", **RESPONSE)
    fields = read_fields(desk.open("hold")) | {"until": "2020-01-01T09:00", "zone": "Asia/Shanghai"}
    answer = desk.send("hold", fields | {"reason": ""}, language="zh")
    assert answer.status_code == 422
    assert answer.headers["hx-retarget"] == "#action-form"
    again = read_fields(answer.text)
    assert (again["until"], again["version"]) == ("2020-01-01T09:00", fields["version"])
    assert again["attempt"] != fields["attempt"]
    assert '<p class="fault" id="note-reason">请填写。</p>' in answer.text
    answer = desk.send("hold", again | {"reason": "outage"}, language="zh")
    assert re.search(r'id="note-until">[^<A-Za-z]+<', answer.text)
    answer = desk.send("assign", read_fields(desk.open("assign")), language="zh")
    assert re.search(r'class="fault" role="alert">[^<]*[一-鿿]', answer.text)


STRANGE = [
    b"message=%00",
    b"version=99999999999999999999&attempt=%F0%9F%98%80&message=x&contact_channel=fax&zone=Mars",
    b"attempt=" + b"a" * 4000,
    b"message=%ff",
    b"a.b=1&a.b.c=2&message=x&was.subject=x&subject=",
    b"until=9999-99-99T99%3A99&reason=outage&zone=UTC",
    b"message=" + b"x" * 10_001 + b"&contact_channel=phone",
]


def test_a_strange_form_is_no_failure(desk: Desk, read: Callable[..., Any]) -> None:
    for sent in STRANGE:
        for action in ("hold", "respond", "edit", "unlink"):
            path = f"/complaints/{desk.number}/actions/{action}"
            assert desk.reader.post(path, sent, partial=True).status_code < 500, (action, sent[:60])
    assert read()["version"] == 1


def test_a_form_does_its_work_once(desk: Desk, read: Callable[..., Any]) -> None:
    fields = read_fields(desk.open("respond")) | RESPONSE
    first, again = desk.send("respond", fields), desk.send("respond", fields)
    assert (first.status_code, again.status_code) == (200, 200)
    assert _events(read).count("complaint.responded") == 1
    answer = desk.send("respond", fields | {"message": "Other words"})
    assert answer.status_code == 422
    assert "sent before with other content" in answer.text
    assert read_fields(answer.text)["message"] == "Other words"


def test_who_gives_a_complaint_away_leaves_its_page(
    desk: Desk, sign_in: Callable[..., Reader], read: Callable[..., Any]
) -> None:
    team = read()["team"]
    member = Desk(
        sign_in("an.li", AccessRole.AGENT, teams=[team], scope="teams", scope_names=[team]), desk.number
    )
    away = next(one for one in ("operations", "customer_service") if one != team)
    answer = member.take("assign", team=away)
    assert (answer.status_code, answer.headers["hx-redirect"]) == (204, "/console/")
    assert read()["team"] == away


def test_a_form_of_another_site_does_nothing(desk: Desk, read: Callable[..., Any]) -> None:
    fields = read_fields(desk.open("respond")) | RESPONSE
    answer = desk.send("respond", fields, **{"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert _events(read).count("complaint.responded") == 0


# Two people -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def colleague(desk: Desk, sign_in: Callable[..., Reader]) -> Desk:
    """Another user at the same complaint."""
    return Desk(sign_in("wang.min", AccessRole.AGENT, name="Wang Min", scope="all"), desk.number)


def test_a_colleague_who_was_quicker_is_named_and_the_text_stays(
    desk: Desk, colleague: Desk, read: Callable[..., Any], client: ApiClient
) -> None:
    desk.do("respond", **RESPONSE)
    fields = read_fields(desk.open("resolve")) | RESULT
    colleague.do("hold", reason="outage", until="2026-01-06T09:00", zone="Asia/Shanghai")
    client.post("/v1/sandbox/clock/advance", json={"by": "PT40S"}).raise_for_status()
    answer = desk.send("resolve", fields)
    assert answer.status_code == 412
    assert answer.headers["hx-retarget"] == "#action-notice"  # the form itself stays as it is
    assert "Wang Min put it on hold 40 s ago." in answer.text
    assert "Status is On hold." in answer.text
    assert "textarea" not in answer.text
    assert read()["status"] == "on_hold"
    # Send anyway: the notice brought the present version.
    notice = read_fields(f'<form id="act">{answer.text}</form>')
    assert desk.send("resolve", fields | notice).status_code == 200
    assert read()["status"] == "resolved"


def test_without_scripts_the_form_comes_again_with_the_text_and_the_notice(
    desk: Desk, colleague: Desk
) -> None:
    fields = read_fields(desk.open("respond")) | RESPONSE
    colleague.do("reject", reason="not_ours", **RESPONSE)
    answer = desk.send("respond", fields, partial=False, language="zh")
    assert answer.status_code == 412
    assert "Wang Min在0 秒前决定不予受理。" in answer.text
    assert "已不能提交" in answer.text
    assert read_fields(answer.text)["message"] == RESPONSE["message"]
    assert count_buttons(answer.text) == 0
    refused = desk.send("respond", read_fields(answer.text), partial=False)
    assert refused.status_code == 409  # no longer possible: the text still stays
    assert read_fields(refused.text)["message"] == RESPONSE["message"]
    into_messages = desk.send("respond", read_fields(answer.text))
    assert (into_messages.status_code, into_messages.headers["hx-retarget"]) == (409, "#flash")


def test_an_action_without_a_form_shows_the_notice_in_a_form(desk: Desk, colleague: Desk) -> None:
    desk.do("respond", **RESPONSE)
    desk.do("hold", reason="outage", until="2026-01-06T09:00", zone="Asia/Shanghai")
    version = re.search(r'name="version" value="(\d+)"', desk.open())
    assert version
    colleague.do("assign", assignee="wang.min")
    answer = desk.send("resume", {"version": version[1], "attempt": "a1"})
    assert answer.status_code == 412
    assert answer.headers["hx-retarget"] == "#action-form"
    assert "Wang Min assigned it" in answer.text
    assert desk.send("resume", read_fields(answer.text)).status_code == 200


# The members of a complaint -------------------------------------------------------------------------------------------


def test_only_changed_members_are_changed_and_those_of_a_colleague_stay(
    desk: Desk, colleague: Desk, read: Callable[..., Any]
) -> None:
    fields = read_fields(desk.open("edit"))
    assert (fields["complainant.name"], fields["description"]) == ("王小明", "Since Monday")
    colleague.do("edit", region="CN-31", tags="roof, urgent")
    fields |= {"subject": "No signal at all", "complainant.email": "w@example.com", "description": ""}
    answer = desk.send("edit", fields, partial=False)
    assert answer.status_code == 412
    again = read_fields(answer.text)
    assert (again["subject"], again["region"]) == ("No signal at all", "CN-31")
    assert desk.send("edit", again, partial=False).headers["location"].endswith(desk.number)
    now = read()
    assert (now["subject"], now["description"], now["region"]) == ("No signal at all", None, "CN-31")
    assert now["tags"] == ["roof", "urgent"]
    assert now["complainant"]["email"] == "w@example.com"
    updated = [one for one in read("/timeline")["items"] if one["type"] == "complaint.updated"]
    assert set(updated[-1]["data"]["changes"]) == {"subject", "description"}
    desk.do("edit", priority="urgent", severity="critical")
    answer = desk.take("edit", subject="")
    assert answer.status_code == 422
    assert 'id="note-subject"' in answer.text
    assert 'name="first_owner"' not in colleague.open("edit")


# Templates ------------------------------------------------------------------------------------------------------------


def test_a_template_fills_the_answer_with_the_next_follow_ups(desk: Desk) -> None:
    desk.do("edit", priority="urgent")
    desk.do("resolve", **RESULT)
    form = desk.open("notify_result", template="solved.zh")
    text = read_fields(form)["message"]
    assert desk.number in text
    # An urgent complaint has more than one follow-up. Its dates are in the zone of the policy.
    assert re.search(r"：2026年2月5日周四、2026年3月5日周四、2026年4月5日周日。", text)
    codes = re.findall(r"template=([\w.]+)", form.partition("<main")[2])
    assert codes[0].endswith(".zh")  # the language of the complainant comes first
    assert len(codes) == 4
    assert "{" not in "".join(re.findall(r'data-into="[^"]*" data-text="([^"]*)"', form))
    assert "Thu 5 Feb 2026" in read_fields(desk.open("notify_result", template="solved.en"))["message"]


def test_the_panel_and_a_form_take_few_statements(desk: Desk, service: Service) -> None:
    desk.open()
    with count_statements(service) as panel:
        desk.open()
    with count_statements(service) as form:
        desk.open("respond", partial=True)
    assert (len(panel) <= 14, len(form) <= 16) == (True, True), (len(panel), len(form))
