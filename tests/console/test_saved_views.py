"""Saved views: for a user or a team, with counts, and one as the first page."""

import re
from collections.abc import Callable
from secrets import token_hex

import pytest

from complaints.domain.vocabulary import AccessRole
from tests.api_client import ApiClient
from tests.console.conftest import Reader
from tests.support import Scenario

pytestmark = pytest.mark.usefixtures("everything_holds")


@pytest.fixture
def lead(sign_in: Callable[..., Reader], scenario: Scenario) -> Reader:
    """A supervisor of operations, where two complaints are overdue."""
    for n in range(2):
        scenario.post(subject=f"late {n}", category="network.slow", region=f"R{n}")
    scenario.advance(days=3)
    return sign_in("lead", AccessRole.SUPERVISOR, teams=["operations"])


def _save(reader: Reader, name: str, query: str = "", **fields: str) -> tuple[int, str, str]:
    answer = reader.post("/views", {"name": name, "query": query, "attempt": token_hex(8), **fields})
    return answer.status_code, answer.headers.get("location", ""), answer.text


def _views(reader: Reader) -> list[tuple[str, str, str]]:
    """Address, name and count of each view, as a script gets them."""
    text = reader.get("/views?shown=/console/overdue?region=R1", partial=True).text
    return re.findall(r'<a href="([^"]*)"[^>]*>([^<]*?) <span class="count">([^<]*)', text)


def test_a_view_is_saved_without_its_page_and_leads_back_to_the_list(lead: Reader) -> None:
    status, address, _ = _save(lead, " East ", "region=R1&sort=priority&cursor=abc&columns=team,clock")
    assert (status, address) == (303, "/console/overdue?region=R1&sort=priority&columns=team,clock")
    assert _save(lead, "All")[:2] == (303, "/console/overdue")
    assert _views(lead) == [("/console/overdue", "All", "2"), (address.replace("&", "&amp;"), "East", "1")]
    page = lead.get(address.removeprefix("/console")).text
    assert re.search(r'aria-current="page">East', page)
    assert lead.get("/").headers["location"] == "/console/overdue"


def test_a_team_sees_the_view_of_a_colleague_and_only_its_owner_changes_it(
    lead: Reader, sign_in: Callable[..., Reader]
) -> None:
    _save(lead, "Ours", "region=R0", team="operations", is_home="yes")
    _save(lead, "Mine")
    assert lead.get("/").headers["location"] == "/console/overdue?region=R0"
    colleague = sign_in("other", AccessRole.AGENT, teams=["operations"])
    page = colleague.get("/views", language="zh").text
    assert "Ours" in page
    assert "由 Lead 保存" in page
    assert "Mine" not in page
    assert "Ours" not in sign_in("far", AccessRole.AGENT, teams=["management"]).get("/views").text
    found = re.search(r"/console(/views/[^/]*)/home", lead.get("/views").text)
    assert found
    for part in ("home", "delete"):
        assert colleague.post(f"{found[1]}/{part}", {"is_home": "yes", "attempt": part}).status_code == 404
    assert colleague.get("/").headers["location"] == "/console/work"


def test_the_first_page_is_chosen_and_a_view_is_deleted(lead: Reader) -> None:
    _save(lead, "A", "region=R0", is_home="yes")
    _save(lead, "B", "region=R1")
    [of_a, of_b] = dict.fromkeys(re.findall(r"/console(/views/[^/]*)/home", lead.get("/views").text))
    assert lead.post(f"{of_b}/home", {"is_home": "yes", "attempt": "1"}).status_code == 303
    assert lead.get("/").headers["location"] == "/console/overdue?region=R1"
    lead.post(f"{of_b}/home", {"attempt": "2"})
    assert lead.get("/").headers["location"] == "/console/overdue"
    for _ in range(2):  # the same form again is no fault
        assert lead.post(f"{of_a}/delete", {"attempt": "3"}).headers["location"] == "/console/views"
    assert [name for _, name, _ in _views(lead)] == ["B"]


def test_a_clerk_who_may_read_no_lists_begins_with_the_form_of_a_new_complaint(
    sign_in: Callable[..., Reader],
) -> None:
    clerk = sign_in("an.clerk", AccessRole.INTAKE)
    assert clerk.get("/").headers["location"] == "/console/new"
    assert clerk.get("/new").status_code == 200


BAD_VIEWS = [
    ("", "", {}, "note-name", "name is required"),
    ("\u200b", "", {}, "note-name", "visible character"),
    ("x" * 101, "", {}, "note-name", "100"),
    ("Taken", "", {}, "note-name", "You have a view with this name."),
    ("A", "phone=13800000000", {}, "note-name", "A view keeps no filter by a person."),
    ("A", "", {"team": "management"}, 'class="fault"', "your own teams"),
    ("A", "colour=red", {}, 'class="fault"', "colour"),
]  # fmt: skip


def test_a_bad_view_is_refused_beside_its_field_and_what_was_typed_stays(
    lead: Reader, subtests: pytest.Subtests
) -> None:
    _save(lead, "Taken")
    for name, query, fields, place, words in BAD_VIEWS:
        with subtests.test(ascii(f"{name} {query} {fields}")):
            status, _, page = _save(lead, name, query, **fields)
            assert status == 422
            assert re.search(rf"{place}[^>]*>[^<]*{words}", page), page
            assert f'name="name" type="text" value="{name}"' in page
            assert len(_views(lead)) == 1


def test_a_view_of_a_thing_that_is_gone_has_no_count_and_harms_no_other(
    lead: Reader, client: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("complaints.console.saved_views._MOST_COUNTED", 1)
    client.post("/v1/users", json={"login": "gone", "name": "Gone"}).raise_for_status()
    _save(lead, "Many")
    _save(lead, "Nothing", "region=R9")
    assert [(name, count) for _, name, count in _views(lead)] == [("Many", "1+"), ("Nothing", "0")]
    monkeypatch.setattr("complaints.use_cases.work.saved_views.MOST_VIEWS", 2)
    assert "You have 2 views" in _save(lead, "Third")[2]
