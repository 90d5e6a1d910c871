"""The overdue page in a real browser: ticks, one verb on many complaints, its undo, and saved views."""

from collections.abc import Callable, Iterator

import httpx2
import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.console import PASSWORD, answer_once, end_session_with, sign_in_at
from tests.browser.tabs import DESKTOP, PHONES, Tab
from tests.conftest import DATABASE_KINDS
from tests.journeys.running_server import RunningServer
from tests.support import ADMIN_SECRET

COUNT = 64
SCRIPT = {"content_type": "text/javascript"}
SUBJECTS = ("No signal in the whole building since Monday", "被收取未订购的增值业务费，要求退款并说明原因")


@pytest.fixture
def api(server: RunningServer) -> Iterator[httpx2.Client]:
    """A client of a server with 64 overdue complaints that nobody has, and a user chen.jie."""
    with server.client(ADMIN_SECRET) as client:
        if client.get("/v1/users/chen.jie").status_code == 404:
            client.post("/v1/users", json={"login": "chen.jie", "name": "Chen Jie"}).raise_for_status()
            client.patch("/v1/users/chen.jie", json={"teams": ["operations"]}).raise_for_status()
            for n in range(COUNT):
                body = {
                    "channel": "phone",
                    "subject": SUBJECTS[n % 2],
                    "category": "network.slow",
                    "region": "R",
                }
                client.post("/v1/complaints", json=body).raise_for_status()
            client.post("/v1/sandbox/clock/advance", json={"by": "P4D"}).raise_for_status()
        yield client


def _count_of(api: httpx2.Client, assignee: str) -> int:
    query = {"assignee": assignee, "overdue": "true", "count": "true", "region": "R", "limit": "1"}
    found: int = api.get("/v1/complaints", params=query).raise_for_status().json()["count"]
    return found


def _tick(page: Page, first: int, last: int) -> None:
    """Tick the rows from `first` to `last` of the page, the last one with Shift."""
    boxes = page.locator("#rows input[name=id]")
    boxes.nth(first).click()
    boxes.nth(last).click(modifiers=["Shift"])


@pytest.mark.parametrize("server", DATABASE_KINDS, indirect=True)
def test_thirty_are_ticked_over_two_pages_assigned_and_given_back(
    open_tab: Callable[..., Tab], server: RunningServer, api: httpx2.Client
) -> None:
    tab = open_tab(viewport={"width": DESKTOP, "height": 900})
    page = tab.page
    sign_in_at(server, tab, "lead.a", "manager")
    page.goto(f"{server.url}/console/overdue?region=R&assignee=none")
    nobodys = page.locator("#strip .fig b").last  # other tests leave complaints of other regions
    before = int(nobodys.inner_text())
    _tick(page, 30, 49)
    page.get_by_role("link", name="Next page").click()
    _tick(page, 0, 9)
    expect(page.locator("#bulk b")).to_have_text("30 ticked")
    hold = page.locator("#bulk button[value=hold]")
    expect(hold).to_have_attribute("aria-disabled", "true")
    expect(hold).to_have_attribute("title", "30 of 30 cannot: Received")

    page.click("#bulk button[value=assign]")
    page.select_option("#bulk-assignee", "chen.jie")
    tab.check("console-bulk-assign")
    page.click("#bulk-form button.primary")
    expect(page.locator("#bulk-dialog")).to_be_visible()  # the question is not answered yet
    page.check("[name=confirmed]")
    page.click("#bulk-form button.primary")
    expect(page.locator("#flash p")).to_have_text("30 assigned")
    expect(page.locator("#bulk")).to_be_hidden()
    expect(page.locator("#rows tr.gone")).to_have_count(10)
    assert _count_of(api, "chen.jie") == 30
    expect(nobodys).to_have_text(str(before - 30))

    other = page.locator("#rows tr.gone").first.get_attribute("data-id")
    moved = {"action": "assign", "team": "management", "assignee": "lead.a"}
    api.post(f"/v1/complaints/{other}/transitions", json=moved).raise_for_status()
    page.click("#flash .undo button")
    expect(page.locator("#flash p")).to_have_text("29 assigned as before")
    expect(page.locator("#bulk-dialog li")).to_have_count(1)
    tab.check("console-bulk-refused")
    page.get_by_role("button", name="Close").click()
    expect(page.locator("#rows tr.gone")).to_have_count(1)
    assert _count_of(api, "chen.jie") == 0
    back = {"action": "assign", "team": "operations", "assignee": None}
    api.post(f"/v1/complaints/{other}/transitions", json=back).raise_for_status()


def test_all_that_match_go_out_in_parts_and_a_lost_answer_or_session_does_nothing_twice(
    open_tab: Callable[..., Tab], server: RunningServer, api: httpx2.Client
) -> None:
    tab = open_tab(viewport={"width": DESKTOP, "height": 900})
    tab.expected |= {401, 503}
    page, sent = tab.page, list[str]()

    def lose_the_second_answer(route: Route) -> None:
        answer = route.fetch()
        sent.append(route.request.post_data or "")
        if len(sent) == 2:
            route.fulfill(status=503, body="The server is busy.")
        else:
            route.fulfill(response=answer)

    page.route(
        "**/bulk.js", lambda route: route.fulfill(body=route.fetch().text().replace("500", "30"), **SCRIPT)
    )
    page.route("**/console/bulk/note", lose_the_second_answer)
    start = api.get("/v1/changes", params={"after": "now"}).json()["next_cursor"]
    sign_in_at(server, tab, "lead.b", "manager")
    page.goto(f"{server.url}/console/overdue?region=R")
    page.click("#tick-all")
    page.click("#tick-matching")
    expect(page.locator("#bulk b")).to_have_text(f"{COUNT} ticked")
    page.click("#bulk button[value=note]")
    page.fill("#bulk-text", "Looked at.")
    page.check("[name=confirmed]")
    page.click("#bulk-form button.primary")
    expect(page.locator("#bulk-fault")).to_have_text("The server is busy.")
    expect(page.locator("#bulk b")).to_have_text(f"{COUNT - 30} ticked")
    end_session_with(page, "**/console/bulk/note")
    page.click("#bulk-form button.primary")
    page.fill("#sign-in [name=password]", PASSWORD)
    page.click("#sign-in button.primary")
    expect(page.locator("#flash p")).to_have_text(f"{COUNT} notes added")
    expect(page.locator("#bulk")).to_be_hidden()
    found = api.get("/v1/changes", params={"after": start, "limit": 200}).json()["items"]
    noted = [one["complaint_id"] for one in found if one["type"] == "complaint.note_added"]
    assert len(noted) == len({*noted}) == COUNT


def test_a_form_that_failed_is_sent_as_it_was_or_given_up(
    open_tab: Callable[..., Tab], server: RunningServer, api: httpx2.Client
) -> None:
    """Sent again, it has the same content. After Cancel, its complaints are never sent with those of the next form."""
    tab = open_tab(viewport={"width": DESKTOP, "height": 900})
    tab.expected = {503}
    page = tab.page
    sign_in_at(server, tab, "lead.c", "manager", teams=["operations"])
    page.goto(f"{server.url}/console/overdue?region=R&assignee=none")

    def fail_to_assign() -> None:
        answer_once(page, "**/console/bulk/assign", lambda route: route.fulfill(status=503, body="Busy."))
        page.click("#bulk button[value=assign]")
        page.select_option("#bulk-assignee", "chen.jie")
        page.click("#bulk-form button.primary")
        expect(page.locator("#bulk-fault")).to_have_text("Busy.")

    _tick(page, 0, 2)
    fail_to_assign()
    page.click("#bulk-cancel")
    page.click("#untick")
    _tick(page, 3, 4)
    page.click("#bulk button[value=assign]")
    expect(page.locator("#bulk-title")).to_contain_text("2")
    expect(page.locator("#bulk-assignee")).to_have_value("")
    page.select_option("#bulk-assignee", "lead.c")
    page.click("#bulk-form button.primary")
    expect(page.locator("#flash p")).to_have_text("2 assigned")
    assert (_count_of(api, "chen.jie"), _count_of(api, "lead.c")) == (0, 2)
    page.click("#flash .undo button")
    expect(page.locator("#flash p")).to_have_text("2 assigned as before")

    page.reload()
    page.locator("#rows input[name=id]").first.click()
    fail_to_assign()
    expect(page.locator("#bulk-assignee")).to_be_disabled()
    expect(page.locator("#bulk-form button.primary")).to_be_focused()
    tab.check("console-bulk-failed")
    page.keyboard.press("Enter")
    expect(page.locator("#flash p")).to_have_text("1 assigned")
    assert _count_of(api, "chen.jie") == 1
    page.click("#flash .undo button")
    expect(page.locator("#flash p")).to_have_text("1 assigned as before")


def test_a_request_is_given_up_with_the_dialog_to_sign_in(
    open_tab: Callable[..., Tab], server: RunningServer, api: httpx2.Client
) -> None:
    """A later sign-in, for something else, does not send it."""
    tab = open_tab(viewport={"width": DESKTOP, "height": 900})
    tab.expected = {401}
    page, sent = tab.page, list[str]()
    page.on("request", lambda asked: sent.append(asked.url) if asked.method == "POST" else None)
    sign_in_at(server, tab, "lead.f", "manager")
    page.goto(f"{server.url}/console/overdue?region=R&assignee=none")
    page.locator("#rows input[name=id]").first.click()
    page.click("#bulk button[value=assign]")
    page.select_option("#bulk-assignee", "chen.jie")
    end_session_with(page, "**/console/bulk/assign")
    page.click("#bulk-form button.primary")
    expect(page.locator("dialog#sign-in")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("dialog#sign-in")).to_be_hidden()
    expect(page.locator("#bulk-dialog")).to_be_visible()
    expect(page.locator("#bulk-fault")).to_be_empty()

    page.evaluate("document.body.dispatchEvent(new CustomEvent('console:acted'))")  # it asks for the counts
    sent.clear()
    page.fill("#sign-in [name=password]", PASSWORD)
    page.click("#sign-in button.primary")
    expect(page.locator("dialog#sign-in")).to_be_hidden()
    page.wait_for_timeout(500)
    assert sent == [f"{server.url}/console/sign-in"]
    assert _count_of(api, "chen.jie") == 0
    page.click("#bulk-form button.primary")
    expect(page.locator("#flash p")).to_have_text("1 assigned")
    assert _count_of(api, "chen.jie") == 1
    page.click("#flash .undo button")
    expect(page.locator("#flash p")).to_have_text("1 assigned as before")


def test_an_open_page_does_nothing_under_the_name_of_another_user(
    open_tab: Callable[..., Tab], server: RunningServer, api: httpx2.Client
) -> None:
    """A colleague signs in in another tab of the same browser. This page then asks for its own user again."""
    tab = open_tab(viewport={"width": DESKTOP, "height": 900})
    tab.expected = {401}
    page = tab.page
    sign_in_at(server, tab, "lead.d", "manager")
    page.goto(f"{server.url}/console/overdue?region=R&assignee=none")
    page.locator("#rows input[name=id]").first.click()
    page.click("#bulk button[value=assign]")
    page.select_option("#bulk-assignee", "chen.jie")
    sign_in_at(server, tab.open_another(), "lead.e", "manager")
    page.click("#bulk-form button.primary")
    expect(page.locator("dialog#sign-in")).to_be_visible()
    assert _count_of(api, "chen.jie") == 0
    page.fill("#sign-in [name=password]", PASSWORD)
    page.click("#sign-in button.primary")
    expect(page.locator("#flash p")).to_have_text("1 assigned")
    [given] = api.get("/v1/complaints", params={"assignee": "chen.jie", "region": "R"}).json()["items"]
    timeline = api.get(f"/v1/complaints/{given['id']}/timeline").json()["items"]
    assert timeline[-1]["actor"] == "user:lead.d"
    page.click("#flash .undo button")
    expect(page.locator("#flash p")).to_have_text("1 assigned as before")


@pytest.mark.parametrize(("language", "scheme"), [("en-GB", "light"), ("zh-CN", "dark")])
def test_a_view_is_saved_and_every_word_is_seen(
    open_tab: Callable[..., Tab], server: RunningServer, api: httpx2.Client, language: str, scheme: str
) -> None:
    tab = open_tab(viewport={"width": DESKTOP, "height": 900}, locale=language, color_scheme=scheme)
    page = tab.page
    sign_in_at(server, tab, f"lead.{language.lower()}", "supervisor", teams=["operations"])
    page.goto(f"{server.url}/console/overdue?region=R&columns=priority,status,team,clock")
    page.click("details.to-left > summary")
    page.fill("#field-name", "R / 东区")
    page.check("[name=is_home]")
    page.click(".to-left button.primary")
    expect(page.locator(".saved .count")).to_have_text(str(COUNT))
    page.locator("#rows input[name=id]").first.click()
    for width in (*PHONES, DESKTOP):
        page.set_viewport_size({"width": width, "height": 800})
        tab.check(f"console-overdue-{language}-{scheme}-{width}")
    page.locator(".filters summary").first.click()
    tab.check(f"console-filters-{language}-{scheme}")
    page.goto(f"{server.url}/console/")
    expect(page).to_have_url(f"{server.url}/console/overdue?region=R&columns=priority,status,team,clock")
    page.goto(f"{server.url}/console/views")
    tab.check(f"console-views-{language}-{scheme}")
