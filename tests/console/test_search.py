"""Search: numbers open complaints, words and filters find them, page by page."""

import re
from collections.abc import Callable
from urllib.parse import parse_qsl

import pytest

from complaints.console.pages import search as search_page
from complaints.domain.complaint.numbers import number_of
from complaints.domain.vocabulary import AccessRole
from tests.console.conftest import Reader
from tests.support import Scenario

pytestmark = pytest.mark.usefixtures("everything_holds")


def test_a_number_opens_its_complaint_and_a_mistyped_one_is_called_so(
    scenario: Scenario, sign_in: Callable[..., Reader]
) -> None:
    number = number_of(scenario.post().sequence)
    agent = sign_in("chen.jie", AccessRole.AGENT, scope="all")
    for written in (number, f" {number.lower()} ", f"{number[:4]} {number[4:]}"):
        assert agent.get("/search", q=written).headers["location"] == f"/console/complaints/{number}"
    wrong = number[:-1] + str((int(number[-1]) + 1) % 10)
    assert f"There is no complaint {wrong} that you may see" in agent.get("/search", q=wrong).text
    stranger = sign_in("li.na", AccessRole.AGENT, scope="teams", scope_names=["management"])
    assert f"There is no complaint {number} that you may see" in stranger.get("/search", q=number).text


def test_words_and_filters_find_complaints(scenario: Scenario, sign_in: Callable[..., Reader]) -> None:
    person = {"name": "Wang Min", "phone": "+8613800000001"}
    scenario.post(subject="No signal", category="network.outage", complainant=person)
    scenario.post(subject="Wrong bill", channel="web", received_at="2026-01-03T23:30:00Z")
    agent = sign_in("chen.jie", AccessRole.AGENT, scope="all")
    for query, found in (
        ({"q": "signal"}, "No signal"),
        ({"category": "network"}, "No signal"),
        ({"phone": "138 0000 0001"}, "No signal"),
        ({"name": "wang"}, "No signal"),
        ({"team": "operations", "status": "received"}, "No signal"),
        ({"from": "2026-01-04"}, "No signal"),
        ({"channel": "web"}, "Wrong bill"),
        ({"to": "2026-01-03"}, "Wrong bill"),
    ):
        page = agent.get("/search", **query).text
        assert "1 found" in page, query
        assert found in page, query
    assert "Leave a filter out" in agent.get("/search", q="nothing").text
    assert "Type words of the subject" in agent.get("/search").text
    auditor = sign_in("lei.jing", AccessRole.AUDITOR)
    assert 'name="phone"' not in auditor.get("/search").text
    assert auditor.get("/search", phone="+8613800000001").status_code == 403


UNREADABLE = [
    ({"phone": "12"}, "at least 5 characters"),
    ({"from": "2026-02-30"}, "names a day that does not exist"),
    ({"team": "operation"}, "There is no team"),
    ({"status": "lost"}, "should be"),
]


def test_a_filter_that_cannot_be_read_is_told_in_the_form(
    sign_in: Callable[..., Reader], subtests: pytest.Subtests
) -> None:
    reader = sign_in()
    for query, fault in UNREADABLE:
        with subtests.test(str(query)):
            answer = reader.get("/search", **query)
            assert answer.status_code == 422
            assert fault in answer.text


def test_a_long_result_has_pages_and_a_bounded_count(
    scenario: Scenario, sign_in: Callable[..., Reader], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_page, "_PAGE", 2)
    monkeypatch.setattr(search_page, "_MOST_COUNTED", 3)
    for n in range(5):
        scenario.post(subject=f"Call {n}")
    reader, seen = sign_in(), list[int]()
    query = {"q": "call"}
    while query:
        page = reader.get("/search", **query).text
        assert ("more than 3 found" in page) is (not seen)
        seen += [n for n in range(5) if f"Call {n}" in page]
        query = dict(parse_qsl(re.findall(r'href="\?([^"]*cursor=[^"]*)"|$', page)[0].replace("&amp;", "&")))
    assert sorted(seen) == [*range(5)]
    assert reader.get("/search", q="other", cursor="x").status_code == 400
