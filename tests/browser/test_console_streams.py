"""Live pages in a real browser: one stream for all tabs, changes within a second, and typed text that stays."""

import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from playwright.sync_api import Route, expect

from complaints.wiring import wall_now
from tests.browser.console import PASSWORD, answer_once, sign_in_at
from tests.browser.tabs import DESKTOP, Tab
from tests.conftest import DATABASE_KINDS
from tests.journeys.running_server import RunningServer
from tests.support import ADMIN_SECRET

OpenTab = Callable[..., Tab]
DESK = {"locale": "en-GB", "timezone_id": "Asia/Shanghai", "viewport": {"width": DESKTOP, "height": 900}}
TABS = 8
TRIES = 3
_STREAM = "/console/changes"
_NOTE_WHEN_SHOWN = """text => {
  const row = document.querySelector("#rows tr");
  window.shown = new Promise(resolve => {
    new MutationObserver(() => { if (row.textContent.includes(text)) resolve(Date.now()) })
      .observe(row, {childList: true, subtree: true, characterData: true});
    setTimeout(resolve, 10_000, Infinity);
  });
}"""
_LEADS = "document.documentElement.dataset.stream === 'leads'"


@pytest.fixture
def api(server: RunningServer) -> Iterator[httpx2.Client]:
    """A client of the server with every right."""
    with server.client(ADMIN_SECRET) as client:
        yield client


def _post_overdue(api: httpx2.Client, region: str) -> dict[str, Any]:
    given = {"channel": "phone", "subject": "No signal", "region": region}
    made: dict[str, Any] = api.post("/v1/complaints", json=given).raise_for_status().json()
    api.post("/v1/sandbox/clock/advance", json={"by": "P3D"}).raise_for_status()
    return made


def _assign(api: httpx2.Client, complaint: dict[str, Any], assignee: str) -> float:
    """Give it to somebody. Returns the time of the commit, in milliseconds of the epoch."""
    path = f"/v1/complaints/{complaint['id']}/transitions"
    api.post(path, json={"action": "assign", "assignee": assignee}).raise_for_status()
    return wall_now().timestamp() * 1000


@pytest.mark.parametrize("server", DATABASE_KINDS, indirect=True)
def test_eight_tabs_share_one_stream(open_tab: OpenTab, server: RunningServer, api: httpx2.Client) -> None:
    """A change is in every tab within a second of its commit. If the tab that listens closes, another listens."""
    region = f"S{uuid4().hex[:6]}"
    names = [f"{name}.{region.lower()}" for name in ("ann", "bob", "eve")]
    for name in names:
        api.post("/v1/users", json={"login": name, "name": name, "roles": ["agent"]}).raise_for_status()
    complaint = _post_overdue(api, region)
    first = open_tab(**DESK)
    streams: list[str] = []
    first.page.context.on(
        "request", lambda asked: streams.append(asked.url) if _STREAM in asked.url else None
    )
    sign_in_at(server, first, f"lead.{region.lower()}", "supervisor", scope="all")
    tabs = [first, *(first.open_another() for _ in range(TABS - 1))]
    for tab in tabs:
        tab.page.goto(f"{server.url}/console/overdue?region={region}")
        expect(tab.page.locator("#rows tr")).to_have_count(1)
    _await_leader(tabs)
    assert sum(tab.page.evaluate(_LEADS) for tab in tabs) == 1

    waits = []
    for name in names[:TRIES]:
        for tab in tabs:
            tab.page.evaluate(_NOTE_WHEN_SHOWN, name)
        committed = _assign(api, complaint, name)
        waits.append(max(tab.page.evaluate("window.shown") for tab in tabs) - committed)
    assert min(waits) <= 1000, waits

    # A new one does not push the list: a bar offers it.
    _post_overdue(api, region)
    expect(tabs[3].page.locator(".new")).to_contain_text("1 new")
    expect(tabs[3].page.locator("#rows tr")).to_have_count(1)
    tabs[3].check("overdue-new")
    tabs[3].page.keyboard.press(".")
    expect(tabs[3].page.locator("#rows tr")).to_have_count(2)

    # What changes before the next tab listens is shown too.
    def assign_meanwhile(route: Route) -> None:
        _assign(api, complaint, names[0])
        route.continue_()

    leader = next(tab for tab in tabs if tab.page.evaluate(_LEADS))
    before = len(streams)
    answer_once(first.page.context, f"**{_STREAM}", assign_meanwhile)
    leader.page.close()
    tabs.remove(leader)
    for tab in tabs:
        expect(tab.page.locator("#rows")).to_contain_text(names[0])
    assert len(streams) == before + 1


def _await_leader(tabs: list[Tab]) -> None:
    deadline = time.monotonic() + 20
    while not any(tab.page.evaluate(_LEADS) for tab in tabs):
        assert time.monotonic() < deadline, "no tab listens"
        tabs[0].page.wait_for_timeout(50)


@pytest.mark.parametrize("server", DATABASE_KINDS, indirect=True)
def test_a_page_that_somebody_types_in_stays_while_a_colleague_works(
    open_tab: OpenTab, server: RunningServer, api: httpx2.Client
) -> None:
    """Two browsers on the page of one complaint: the head changes at once, the text and the cursor stay."""
    region = f"T{uuid4().hex[:6]}"
    complaint = _post_overdue(api, region)
    mine, other = open_tab(**DESK), open_tab(**DESK)
    mine.expected = {412}
    for tab, login in ((mine, "wu.lin"), (other, "he.yan")):
        sign_in_at(server, tab, login, "supervisor", scope="all")
        tab.page.goto(f"{server.url}/console/complaints/{complaint['number']}")
    for tab, words in ((mine, "The line "), (other, "We look into it.")):
        tab.page.locator("#actions a[href$='/respond']").click()
        tab.page.locator("#act textarea").press_sequentially(words)
        tab.page.select_option("#act [name=contact_channel]", "phone")
        tab.page.focus("#act textarea")
    other.page.keyboard.press("Control+Enter")
    expect(other.page.locator("#flash")).to_have_text("The answer is on record.")
    expect(mine.page.locator("#head .status")).to_have_text("Investigating")
    expect(mine.page.locator("#timeline")).to_contain_text("We look into it.")
    expect(mine.page.locator("#act textarea")).to_be_focused()
    mine.page.keyboard.type("is replaced.")
    expect(mine.page.locator("#act textarea")).to_have_value("The line is replaced.")
    mine.page.keyboard.press("Control+Enter")
    expect(mine.page.locator("#action-notice")).to_contain_text("He Yan responded")
    expect(mine.page.locator("#act textarea")).to_have_value("The line is replaced.")
    mine.page.get_by_role("button", name="Send anyway").click()
    expect(mine.page.locator("#flash")).to_have_text("The answer is on record.")
    expect(other.page.locator("#timeline")).to_contain_text("The line is replaced.")


def test_a_page_is_live_again_after_a_failure_and_after_a_sign_in(
    open_tab: OpenTab, server: RunningServer, api: httpx2.Client
) -> None:
    """A proxy answers for the server, then the session ends. What changed meanwhile is shown too."""
    region = f"U{uuid4().hex[:6]}"
    names = [f"{name}.{region.lower()}" for name in ("ann", "bob", "eve")]
    for name in names:
        api.post("/v1/users", json={"login": name, "name": name, "roles": ["agent"]}).raise_for_status()
    complaint = _post_overdue(api, region)
    tab, login = open_tab(**DESK), f"lead.{region.lower()}"
    tab.expected = {401, 502}
    page, rows = tab.page, tab.page.locator("#rows")
    sign_in_at(server, tab, login, "supervisor", scope="all")
    answer_once(page, f"**{_STREAM}", lambda route: route.fulfill(status=502, body="Bad gateway"))
    with page.expect_response(lambda answer: _STREAM in answer.url and answer.status == 502):
        page.goto(f"{server.url}/console/overdue?region={region}")
    _assign(api, complaint, names[0])
    expect(rows).to_contain_text(names[0], timeout=15_000)

    [session] = api.get("/v1/sessions", params={"login": login}).json()["items"]
    with page.expect_response(lambda answer: _STREAM in answer.url and answer.status == 303):
        api.delete(f"/v1/sessions/{session['id']}").raise_for_status()
    _assign(api, complaint, names[1])
    page.evaluate("document.body.dispatchEvent(new CustomEvent('console:acted'))")  # it asks for the counts
    page.fill("#sign-in [name=password]", PASSWORD)
    page.click("#sign-in button.primary")
    expect(rows).to_contain_text(names[1])
    _assign(api, complaint, names[2])
    expect(rows).to_contain_text(names[2])
    tab.faults[:] = [one for one in tab.faults if "EventSource's response" not in one]
