"""The page of overdue complaints: rows, figures, filters, pages, and rows by id."""

import re
from collections.abc import Callable

import pytest

from complaints.domain.complaint.facts import Complaint
from complaints.domain.complaint.numbers import number_of
from complaints.domain.vocabulary import AccessRole
from tests.api_client import ApiClient
from tests.console.conftest import Reader
from tests.support import Scenario, count_statements

pytestmark = pytest.mark.usefixtures("everything_holds")
Ids = list[str]


@pytest.fixture
def late(scenario: Scenario) -> list[Complaint]:
    """Four overdue complaints, each received an hour after the one before, of two teams; the first is urgent."""
    made = []
    for n, category in enumerate(("network.outage", "billing.refund", "network.slow", "billing.refund")):
        members = {"priority": "urgent"} if n == 0 else {}
        made.append(scenario.post(subject=f"late {n}", category=category, region=f"R{n}", **members))
        scenario.advance(hours=1)
    scenario.advance(days=3)
    return made


def _shown(page: str) -> list[str]:
    return re.findall(r'<td class="subject"><a href="[^"]*">([^<]*)', page)


def test_the_most_overdue_stand_first_and_each_figure_leads_to_its_complaints(
    sign_in: Callable[..., Reader], late: list[Complaint], scenario: Scenario
) -> None:
    scenario.act(late[1], "assign", assignee="admin")
    scenario.post(subject="new", category="network.slow")
    scenario.advance(hours=1)
    reader = sign_in()
    page = reader.get("/overdue").text
    assert _shown(page) == ["late 0", "late 1", "late 2", "late 3"]
    links = re.findall(r'class="fig [a-z]*" href="([^"]*)"[^>]*><b>([^<]*)', page)
    assert [value for _, value in links] == ["4", "2 d 5 h", "1", "3"]
    for address, value in (links[0], links[2], links[3]):
        assert len(_shown(reader.get(address.removeprefix("/console")).text)) == int(value)
    assert re.findall(r"<b>(\d+)</b></a>", page) == ["2", "2"]
    strip = reader.get("/overdue/strip?assignee=none", partial=True).text
    assert re.findall(r'aria-current="true"><b>(\d+)', strip) == ["3"]


FILTERED = [
    ("?priority=urgent", [0]),
    ("?category=billing", [1, 3]),
    ("?region=R2&assignee=none", [2]),
    ("?sort=-next_due_at", [3, 2, 1, 0]),
    ("?sort=priority&deadline_kind=resolution", [0, 1, 2, 3]),
    ("?q=late+2", [2]),
    ("?team=operations&assignee=me", []),
    ("?show=soon", []),
]  # fmt: skip


def test_filters_and_order_stand_in_the_address(
    sign_in: Callable[..., Reader], late: list[Complaint], subtests: pytest.Subtests
) -> None:
    reader = sign_in()
    for query, found in FILTERED:
        with subtests.test(query):
            page = reader.get(f"/overdue{query}")
            assert page.status_code == 200, page.text
            shown = _shown(page.text)
            assert sorted(shown) == [f"late {n}" for n in sorted(found)]
            if "sort=-" in query:
                assert shown == [f"late {n}" for n in found]


def test_an_empty_field_of_the_form_leaves_the_address_and_a_wrong_value_is_named(
    sign_in: Callable[..., Reader],
) -> None:
    reader = sign_in()
    answer = reader.get("/overdue?team=&priority=high&columns=team&columns=clock")
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        "/console/overdue?priority=high&columns=team,clock",
    )
    assert "None" not in reader.get("/overdue").text
    for query, word in (
        ("team=nowhere", "nowhere"),
        ("colour=red", "colour"),
        ("sort=size", "size"),
        ("cursor=x", "cursor"),
    ):
        answer = reader.get(f"/overdue?{query}")
        assert answer.status_code in (400, 422)
        assert word in answer.text


def test_pages_follow_each_other_and_cost_a_fixed_number_of_statements(
    sign_in: Callable[..., Reader], late: list[Complaint], scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("complaints.console.pages.overdue._ROWS", 2)
    reader = sign_in()
    reader.get("/overdue")
    with count_statements(scenario.service) as statements:
        first = reader.get("/overdue?sort=-next_due_at").text
    assert len(statements) <= 15, [text for text, _ in statements]
    assert _shown(first) == ["late 3", "late 2"]
    following = re.search(r'rel="next" href="/console([^"]*)"', first)
    assert following
    address = following[1].replace("&amp;", "&")
    second = reader.get(address).text
    assert _shown(second) == ["late 1", "late 0"]
    assert 'rel="next"' not in second
    assert reader.get(address.replace("sort=-next_due_at", "sort=next_due_at")).status_code == 400


def test_the_columns_are_chosen_in_the_address_and_the_export_has_the_same_filter(
    sign_in: Callable[..., Reader], client: ApiClient, late: list[Complaint]
) -> None:
    page = sign_in().get("/overdue?category=billing&columns=status,received", language="zh").text
    assert 'class="state"' in page
    assert 'class="due"' not in page
    export = re.search(r'href="(/v1/exports[^"]*)"', page)
    assert export
    lines = client.get(export[1].replace("&amp;", "&")).text.splitlines()
    assert [re.search("late .", line)[0] for line in lines[1:]] == ["late 1", "late 3"]  # type: ignore[index]


def test_rows_by_id_have_the_class_gone_when_they_fit_no_more(
    sign_in: Callable[..., Reader], late: list[Complaint], scenario: Scenario
) -> None:
    scenario.act(late[2], "assign", assignee="admin")
    ids = [str(one.id) for one in (late[2], late[0])]
    text = sign_in().get(f"/rows?ids={','.join(ids)}&assignee=none", partial=True).text
    rows = re.findall(r'<tr id="row-([^"]*)" .*?(class="gone")?>', text)
    assert rows == [(ids[0], 'class="gone"'), (ids[1], "")]
    assert text.startswith("<tr")
    assert number_of(late[0].sequence) in text
    agent = sign_in("agent.a", AccessRole.AGENT, teams=["customer_service"])
    assert "<tr" not in agent.get(f"/rows?ids={late[0].id}").text
    assert sign_in().get("/rows?ids=7").status_code == 422


def test_a_reader_sees_only_complaints_of_the_own_scope(
    sign_in: Callable[..., Reader], late: list[Complaint]
) -> None:
    agent = sign_in("agent.a", AccessRole.AGENT, teams=["customer_service"])
    page = agent.get("/overdue").text
    assert _shown(page) == []
    assert "Nothing is overdue" in page
    assert sign_in("aud", AccessRole.INTAKE).get("/overdue").status_code == 403
