"""The own queue, the queue of a team, and the inbox, as pages."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest

from complaints.domain.complaint.facts import Complaint
from complaints.domain.complaint.numbers import number_of
from complaints.domain.vocabulary import AccessRole
from tests.api_client import ApiClient
from tests.console.conftest import Reader
from tests.support import START, Scenario

pytestmark = pytest.mark.usefixtures("everything_holds")
CARE = "customer_service"
QUEUE = f"/teams/{CARE}/queue"


@pytest.fixture
def an(sign_in: Callable[..., Reader]) -> Reader:
    """An agent of the team."""
    return sign_in("an", AccessRole.AGENT, teams=[CARE])


def numbers(text: str) -> list[str]:
    """The numbers of the rows of a page, in order."""
    return re.findall(r'class="num">(C\d+)', text)


def number(complaint: Complaint) -> str:
    return number_of(complaint.sequence)


def attempt(text: str) -> str:
    found = re.search(r'name="attempt" value="([^"]+)"', text)
    assert found
    return found[1]


def test_the_own_queue_has_what_is_due_next_on_top_and_what_is_on_hold_apart(
    an: Reader, sign_in: Callable[..., Reader], client: ApiClient, scenario: Scenario
) -> None:
    sign_in("bo", AccessRole.AGENT, teams=[CARE], deputy="an")
    later, first, held, of_bo, _ = (
        scenario.post(received_at=START - timedelta(hours=hour)) for hour in (0, 9, 5, 4, 3)
    )
    for complaint, who in ((later, "an"), (first, "an"), (held, "an"), (of_bo, "bo")):
        scenario.act(complaint, "assign", assignee=who)
    scenario.act(held, "respond", message="We look into it.", contact_channel="phone")
    scenario.act(held, "hold", reason="outage", until="2026-01-06T09:00:00Z")
    own, on_hold = an.get("/work").text.split('<h2 class="apart">')
    assert (numbers(own), numbers(on_hold)) == ([number(first), number(later)], [number(held)])
    assert "3 open · 0 overdue" in own
    assert numbers(an.get("/work", held=True).text) == [number(held)]

    client.patch("/v1/users/bo", json={"absent_from": "2026-01-05T00:00:00Z"}).raise_for_status()
    client.patch(
        "/v1/users/an", json={"teams": ["operations"]}
    ).raise_for_status()  # outside the own scope too
    with_bo = an.get("/work", language="zh").text
    assert "包括您代行的 Bo 的投诉" in with_bo
    assert numbers(with_bo.split('<h2 class="apart">')[0]) == [number(first), number(of_bo), number(later)]


def test_the_own_queue_goes_on_where_a_page_ended(
    an: Reader, scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("complaints.console.pages.my_work._PAGE", 1)
    assert "Nothing waits for you." in an.get("/work").text
    for hour in (2, 1):
        scenario.act(scenario.post(received_at=START - timedelta(hours=hour)), "assign", assignee="an")
    page = an.get("/work").text
    [after] = re.findall(r'href="/console/work\?after=([^"]+)"', page)
    following = an.get("/work", after=after).text
    assert len({*numbers(page), *numbers(following)}) == 2
    assert 'href="/console/work?after=' not in following
    assert an.get("/work", after="x").status_code == 400


def test_taking_the_next_the_ticked_and_what_another_has(
    an: Reader, sign_in: Callable[..., Reader], scenario: Scenario
) -> None:
    bo = sign_in("bo", AccessRole.SUPERVISOR, teams=[CARE])
    first, second, third = (scenario.post(received_at=START - timedelta(hours=hour)) for hour in (9, 5, 1))
    page = an.get(QUEUE).text
    assert numbers(page) == [number(first), number(second), number(third)]

    taken = an.post(f"{QUEUE}/next", {"attempt": attempt(page)})
    assert (taken.status_code, taken.headers["location"]) == (303, f"/console/complaints/{number(first)}")
    again = an.post(f"{QUEUE}/next", {"attempt": attempt(page)}, partial=True)
    assert (again.status_code, again.headers["hx-redirect"]) == (204, taken.headers["location"])

    scenario.act(second, "assign", assignee="bo")
    ticked = {"id": [str(second.id), str(third.id)], "attempt": attempt(page)}
    answers = [an.post(f"{QUEUE}/take", ticked, partial=True, language=tag) for tag in ("en", "en")]
    for answer in answers:  # sent again, it is done once and tells the same
        assert "Taken: 1." in answer.text
        assert "Not taken: 1. User &#39;bo&#39; has this complaint already." in answer.text
        assert "<html" not in answer.text
    assert [scenario.load(one).assignee for one in (first, second, third)] == ["an", "bo", "an"]
    assert "Tick the complaints" in an.post(f"{QUEUE}/take", {}).text
    assert "No complaint waits" in an.post(f"{QUEUE}/next", {}).text

    loads = bo.get(QUEUE).text
    assert "Load of the team" in loads
    assert re.search(r'An</a>.*?class="n">2<', loads, re.DOTALL)
    assert "Load of the team" not in page
    assert an.get("/teams/moon/queue").status_code == 404


def test_an_empty_queue_does_not_hide_that_the_reader_sees_no_other_team(
    sign_in: Callable[..., Reader], scenario: Scenario
) -> None:
    scenario.post()
    stranger = sign_in("xu", AccessRole.AGENT, teams=["management"])
    assert "The queue is empty." in stranger.get("/teams/management/queue").text
    assert "Nothing waits here that you may see." in stranger.get(QUEUE).text


def test_an_auditor_reads_a_queue_and_takes_nothing(
    sign_in: Callable[..., Reader], scenario: Scenario
) -> None:
    auditor = sign_in("lei", AccessRole.AUDITOR)
    waiting = scenario.post()
    page = auditor.get(QUEUE).text
    assert numbers(page) == [number(waiting)]
    assert "Take the next" not in page
    assert auditor.get("/work").status_code == 403
    assert "for the roles Agent, Supervisor, Manager, Administrator." in auditor.get("/work").text
    assert "仅限以下角色：处理员、主管、经理、管理员。" in auditor.get("/work", language="zh").text
    for way in (f"{QUEUE}/next", f"{QUEUE}/take", "/inbox/acknowledge"):
        assert auditor.post(way, {"id": str(waiting.id)}).status_code == 403
        assert auditor.post(way).status_code == 403


def test_the_inbox_has_a_line_for_each_complaint_and_acknowledges_what_was_seen(
    sign_in: Callable[..., Reader], scenario: Scenario
) -> None:
    lead, other = sign_in("admin"), sign_in("bo", AccessRole.SUPERVISOR, teams=[CARE])
    late = scenario.post()
    scenario.advance(hours=40)
    fresh = scenario.post()
    scenario.advance(hours=25)
    page = lead.get("/inbox").text
    assert numbers(page) == [number(late), number(fresh)]
    assert "response 24 h after it was due" in page
    assert page.index("Level 3") < page.index("Level 1")
    assert "escalations wait" in page
    counts = lead.get("/counts", partial=True).text
    assert 'class="count late" id="count-overdue">2<' in counts
    assert 'class="count" id="count-inbox">2<' in counts
    form = dict(re.findall(r'name="(attempt|seen_at|whose)" value="([^"]+)"', page))

    refused = other.post("/inbox/acknowledge", {**form, "whose": "all", "only": str(late.id)}).text
    assert "Not acknowledged" in refused
    assert "Only a recipient, the deputy of an absent recipient" in refused
    assert "No escalation waits for you" in other.get("/inbox").text
    shown = other.get("/inbox", whose="all").text
    assert numbers(shown) == [number(late), number(fresh)]
    assert 'name="only"' not in shown  # others are the recipients
    assert lead.get("/inbox", whose="all").text.count('name="only"') == 2

    for wrong in (
        {**form, "id": "x"},
        {"id": str(late.id)},
        {**form, "id": str(late.id), "note": "x" * 10_001},
    ):
        refusal = lead.post("/inbox/acknowledge", wrong, partial=True, language="zh")
        assert (refusal.status_code, refusal.headers["hx-retarget"]) == (422, "#flash")
    assert "Tick what you want" in lead.post("/inbox/acknowledge", {**form, "note": "kept"}).text

    scenario.advance(hours=25)  # more is escalated, which the page has not shown
    done = lead.post("/inbox/acknowledge", {**form, "id": [str(late.id)], "note": "I call today"}).text
    assert re.search(r"Acknowledged: \d\.", done)
    assert number(late) in numbers(done)  # what came later waits
    assert "result 24 h after it was due" in done
    listed = lead.get("/inbox", whose="all", language="zh").text
    assert number(fresh) in numbers(listed)
    assert "级" in listed


def test_rows_of_the_own_queue_are_rendered_again_by_the_address_of_their_list(
    an: Reader, scenario: Scenario
) -> None:
    complaint = scenario.act(scenario.post(), "assign", assignee="an")
    found = re.search(r'<tbody id="rows" data-rows="/console(/rows\?[^"]+)"', an.get("/work").text)
    assert found
    rows = an.get(f"{found[1]}&ids={complaint.id}", partial=True)
    assert rows.status_code == 200
    assert numbers(rows.text) == [number(complaint)]
    assert 'class="gone"' not in rows.text
