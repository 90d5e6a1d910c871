"""A new complaint: what the form says before it is saved, what is saved, and for whom."""

from collections.abc import Callable
from typing import Any

import pytest

from complaints.domain.complaint.numbers import number_of
from complaints.domain.vocabulary import AccessRole
from complaints.use_cases.service import Service
from tests.api_client import ApiClient
from tests.console.conftest import Reader
from tests.support import Scenario, count_statements

pytestmark = pytest.mark.usefixtures("everything_holds")
PERSON = {"name": "Wang Min", "phone": "13800000001", "account_no": "A-1"}
CALL = {
    "attempt": "first",
    "channel": "phone",
    "subject": "The network is out again",
    "description": "Since Monday.",
    "severity": "normal",
    "category": "Network › Outage",
    "tags": "vip, again",
    "received_at": "2026-01-05T00:30",
    "complainant.name": "Wang Min",
    "complainant.phone": "+86 138 0000 0001",
    "complainant.vulnerable": "true",
    "reporter.name": "",
}
ADVICE = {"channel": "phone", "severity": "normal"}


def _count(client: ApiClient) -> int:
    found: int = client.get("/v1/complaints", params={"count": "true"}).json()["count"]
    return found


def test_a_call_is_saved_once_and_tells_its_number_its_words_and_its_due_times(
    client: ApiClient, sign_in: Callable[..., Reader]
) -> None:
    agent = sign_in("chen.jie", AccessRole.AGENT, scope="all")
    answer = agent.post("/new", CALL)
    assert answer.status_code == 303
    assert agent.post("/new", {"complainant": "x", **CALL, "attempt": "b", "subject": ""}).status_code == 422
    assert agent.post("/new", CALL).headers["location"] == answer.headers["location"]
    assert agent.post("/new", CALL, partial=True).headers["hx-redirect"] == answer.headers["location"]
    changed = agent.post("/new", {**CALL, "subject": "Something else"})
    assert "This form was saved before with other words" in changed.text
    assert _count(client) == 1
    number = answer.headers["location"].removeprefix("/console/new/")
    saved = client.get(f"/v1/complaints/{number}").json()
    assert (saved["category"], saved["tags"]) == ("network.outage", ["vip", "again"])
    assert saved["first_owner"] == "chen.jie"
    assert saved["received_at"] == "2026-01-05T00:30:00Z"
    assert saved["complainant"] == saved["complainant"] | {"name": "Wang Min", "vulnerable": True}
    assert saved["reporter"] is None
    page = agent.get(f"/new/{number}").text
    assert f"its number is {number}" in page
    assert "Tue 6 Jan 2026 00:30" in page  # the response, 24 hours after the receipt
    assert "(severity, vulnerable complainant)" in page
    assert "Operations" in page
    assert f"编号 {number}" in agent.get(f"/new/{number}", language="zh").text


def test_the_page_tells_earlier_complaints_categories_and_due_times_and_saves_nothing(
    client: ApiClient, scenario: Scenario, service: Service, sign_in: Callable[..., Reader]
) -> None:
    known = scenario.post(category="network.outage", complainant=PERSON, subject="Dead since Friday")
    scenario.post(complainant={"email": "w@example.org", "name": "Wang"}, subject="A letter")
    agent = sign_in("chen.jie", AccessRole.AGENT, scope="all")
    half = agent.post("/new/advice", {**ADVICE, "complainant.phone": "138"}, partial=True)
    assert "Dead since Friday" not in half.text
    assert "Tue 6 Jan 2026 01:00" in half.text
    typed = {
        **ADVICE,
        "complainant.phone": "+8613800000001",
        "complainant.account_no": "A-1",
        "complainant.email": "w@example.org",
        "subject": "An outage again",
    }
    with count_statements(service) as statements:
        told = agent.post("/new/advice", typed, partial=True).text
    assert len(statements) < 30
    assert "Earlier complaints: 2" in told
    assert told.count("Dead since Friday") == 1
    assert "same account number · Wang Min" in told
    assert f'name="contact_to" value="{number_of(known.sequence)}"' in told
    assert 'value="Network › Outage"' in told
    assert "repeated complaint" not in told
    told = agent.post("/new/advice", {**typed, "category": "Outage"}, partial=True).text
    assert "(severity, repeated complaint)" in told
    assert "data-fills" not in told
    assert _count(client) == 2


def test_faults_stand_beside_their_fields_and_what_was_typed_is_kept(
    client: ApiClient, sign_in: Callable[..., Reader]
) -> None:
    agent = sign_in("chen.jie", AccessRole.AGENT, scope="all")
    faulty = {**CALL, "complainant.phone": "twelve", "category": "Nothing like it"}
    for fields, fault in (
        ({**CALL, "category": "Nothing like it"}, "There is no category of this name"),
        ({**CALL, "complainant.phone": "twelve"}, "must be 5 to 32 digits"),
        ({**CALL, "received_at": "soon"}, "must be a date and a time"),
        ({**CALL, "received_at": "0001-01-01T00:00"}, "must lie between the years 1900 and 2999"),
        ({**CALL, "subject": ""}, "subject is required"),
    ):
        answer = agent.post("/new", fields, partial=True)
        assert answer.status_code == 422
        assert fault in answer.text
        assert "Since Monday." in answer.text
        assert answer.text.count('aria-invalid="true"') == 1
        assert "complainant.phone:" not in answer.text
    page = agent.post("/new", faulty, language="zh").text
    assert page.count('aria-invalid="true"') == 2
    assert "没有这个名称的类别" in page
    assert _count(client) == 0


def test_a_call_about_an_open_complaint_is_added_to_it(
    client: ApiClient, scenario: Scenario, sign_in: Callable[..., Reader]
) -> None:
    """A user adds the words of a call: rule 1.12."""
    known = scenario.post(complainant=PERSON)
    agent = sign_in("chen.jie", AccessRole.AGENT, scope="all")
    number = number_of(known.sequence)
    answer = agent.post("/new", {**CALL, "contact_to": number})
    assert answer.headers["location"] == f"/console/new/{number}?added=1"
    assert "The call is added" in agent.get(f"/new/{number}", added="1").text
    assert _count(client) == 1
    last = client.get(f"/v1/complaints/{number}/timeline").json()["items"][-1]
    assert (last["type"], last["actor"]) == ("complaint.contact_repeated", "user:chen.jie")
    assert last["data"]["description"] == "The network is out again\nSince Monday."


def test_a_problem_that_came_again_is_linked_to_the_ended_complaint(
    client: ApiClient, scenario: Scenario, sign_in: Callable[..., Reader]
) -> None:
    ended = scenario.act(scenario.post(complainant=PERSON), "withdraw", reason="It works.")
    agent, number = sign_in("chen.jie", AccessRole.AGENT, scope="all"), number_of(ended.sequence)
    told = agent.post("/new/advice", {**CALL, "recurrence_of": number}, partial=True).text
    assert f'name="recurrence_of" value="{number}" checked' in told
    made = agent.post("/new", {**CALL, "recurrence_of": number}).headers["location"].rpartition("/")[2]
    [link] = client.get(f"/v1/complaints/{made}").json()["links"]
    assert (link["type"], link["number"]) == ("recurrence_of", number)
    refused = agent.post("/new", {**CALL, "attempt": "b", "recurrence_of": "C000000099"})
    assert refused.status_code == 422
    assert _count(client) == 2


@pytest.mark.parametrize(
    ("role", "members", "sees"),
    [
        (AccessRole.AGENT, {"scope": "teams", "scope_names": ["management"]}, False),
        (AccessRole.AGENT, {"scope": "teams", "scope_names": ["operations"]}, True),
        (AccessRole.INTAKE, {}, False),  # complaints of another source
    ],
)
def test_earlier_complaints_keep_the_scope_of_the_reader(
    scenario: Scenario,
    sign_in: Callable[..., Reader],
    role: AccessRole,
    members: dict[str, Any],
    sees: bool,
) -> None:
    known = scenario.post(category="network.outage", complainant=PERSON, subject="Dead since Friday")
    agent = sign_in("li.na", role, **members)
    told = agent.post("/new/advice", {**ADVICE, "complainant.account_no": "A-1"}, partial=True).text
    assert ("Dead since Friday" in told) is sees
    answer = agent.post("/new", {**CALL, "contact_to": number_of(known.sequence)})
    assert answer.status_code == (303 if sees else 404)


def test_who_may_not_post_gets_no_form_and_no_button(sign_in: Callable[..., Reader]) -> None:
    auditor = sign_in("lei.jing", AccessRole.AUDITOR)
    assert auditor.get("/new").status_code == 403
    assert auditor.post("/new", CALL).status_code == 403
    assert 'href="/console/new"' not in auditor.get("/overdue").text
    assert 'href="/console/new"' in sign_in("chen.jie", AccessRole.AGENT, scope="all").get("/overdue").text
