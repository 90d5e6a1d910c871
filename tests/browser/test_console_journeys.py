"""Days at the console in a real browser: a supervisor's morning, a whole life by clicking, an agent without a mouse."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from playwright.sync_api import Page, expect

from complaints.api.problems.languages import Language
from complaints.console.locale import Locale
from tests.browser.console import make_user, sign_in_at
from tests.browser.tabs import DESKTOP, Tab
from tests.conftest import DATABASE_KINDS
from tests.journeys.running_server import RunningServer
from tests.support import ADMIN_SECRET

OpenTab = Callable[..., Tab]
TEAM = "customer_service"
OVERDUE, WORST, TO_TELL, TO_ASSIGN = 300, 3, 12, 30
DESK = {"timezone_id": "Asia/Shanghai", "viewport": {"width": DESKTOP, "height": 900}}
ANSWER = {"message": "We look into it.", "contact_channel": "phone"}
RESULT = {"resolution": "The line was replaced.", "outcome": "upheld", "cause": "technical"}


@pytest.fixture
def api(server: RunningServer) -> Iterator[httpx2.Client]:
    """A client of the server with every right."""
    with server.client(ADMIN_SECRET) as client:
        yield client


def _post(api: httpx2.Client, **members: Any) -> dict[str, Any]:
    given = {"channel": "phone", "category": "service.attitude", "subject": "No signal", **members}
    made: dict[str, Any] = api.post("/v1/complaints", json=given).raise_for_status().json()
    return made


def _act(api: httpx2.Client, complaint: dict[str, Any], action: str, **members: Any) -> None:
    path = f"/v1/complaints/{complaint['id']}/transitions"
    api.post(path, json={"action": action, **members}).raise_for_status()


def _advance(api: httpx2.Client, by: str) -> None:
    api.post("/v1/sandbox/clock/advance", json={"by": by}).raise_for_status()


# A supervisor's morning -----------------------------------------------------------------------------------------------


def _make_a_bad_night(api: httpx2.Client, region: str) -> list[str]:
    """Make 300 overdue complaints: some are worse than the others, and some only wait until their result is told.

    Returns the numbers of the worst, the first one first.
    """
    worst = []
    for _ in range(WORST):
        worst.append(_post(api, region=region, severity="high")["number"])
        _advance(api, "PT1H")
    waiting = [_post(api, region=region) for _ in range(TO_TELL)]
    for one in waiting:
        _act(api, one, "respond", **ANSWER)
        _act(api, one, "resolve", **RESULT)
    for _ in range(OVERDUE - WORST - TO_TELL):
        _post(api, region=region)
    _advance(api, "P3D")
    return worst


@pytest.mark.parametrize("server", DATABASE_KINDS, indirect=True)
def test_a_supervisors_morning(open_tab: OpenTab, server: RunningServer, api: httpx2.Client) -> None:
    """Find the worst, assign thirty, undo, tell twelve results, acknowledge escalations."""
    region = f"N{uuid4().hex[:6]}"
    lead, agent = f"lead.{region.lower()}", f"an.{region.lower()}"
    make_user(server, lead, "supervisor", scope="all")
    make_user(server, agent, "agent", teams=[TEAM])
    api.patch(f"/v1/teams/{TEAM}", json={"lead": lead}).raise_for_status()
    worst = _make_a_bad_night(api, region)
    tab = open_tab(**DESK, locale="en-GB")
    page, press = tab.page, tab.page.keyboard.press
    sign_in_at(server, tab, lead)

    page.get_by_text("Filters ▾").click()
    page.get_by_label("Region").fill(region)
    press("Enter")
    page.wait_for_url(f"**region={region}*")
    expect(page.locator(".pages")).to_contain_text(f"{OVERDUE} complaints")
    assert page.locator("#rows .num").all_inner_texts()[:WORST] == worst
    expect(page.locator("#rows .clock").first).to_contain_text("late")

    _tick(page, 0, TO_ASSIGN - 1)
    expect(page.locator("#bulk b")).to_have_text(f"{TO_ASSIGN} ticked")
    press("a")
    page.select_option("#bulk-assignee", agent)
    page.check("[name=confirmed]")
    page.click("#bulk-form button.primary")
    expect(page.locator("#flash p")).to_have_text(f"{TO_ASSIGN} assigned")
    assert _count(api, region, assignee=agent) == TO_ASSIGN
    press("u")
    expect(page.locator("#flash p")).to_have_text(f"{TO_ASSIGN} assigned as before")
    assert _count(api, region, assignee=agent) == 0

    page.goto(f"{server.url}/console/overdue?region={region}&status=resolved")
    expect(page.locator("#rows tr")).to_have_count(TO_TELL)
    page.click("#tick-all")
    press("t")
    page.fill("#bulk-message", "We replaced the line.")
    page.select_option("#bulk-contact_channel", "phone")
    press("Control+Enter")
    expect(page.locator("#flash p")).to_have_text(f"{TO_TELL} told the result")
    expect(page.locator("#rows tr.gone")).to_have_count(TO_TELL)
    assert _count(api, region) == OVERDUE - TO_TELL

    press("g")
    press("i")
    page.wait_for_url("**/console/inbox")
    first = page.locator("#rows tr").first.get_attribute("data-id") or ""
    _tick(page, 0, 1)
    page.get_by_label("Note").fill("We call them all today.")
    page.get_by_role("button", name="Acknowledge the ticked").click()
    expect(page.locator("#inbox .flash.good")).to_contain_text("Acknowledged: ")
    expect(page.locator(f"#row-{first}")).to_have_count(0)


def _tick(page: Page, first: int, last: int) -> None:
    """Tick the rows of a list from `first` to `last`."""
    boxes = page.locator("#rows input[name=id]")
    boxes.nth(first).click()
    if "overdue" in page.url:
        boxes.nth(last).click(modifiers=["Shift"])
        return
    for place in range(first + 1, last + 1):
        boxes.nth(place).click()


def _count(api: httpx2.Client, region: str, **filters: str) -> int:
    query = {"region": region, "overdue": "true", "count": "true", "limit": "1", **filters}
    found: int = api.get("/v1/complaints", params=query).raise_for_status().json()["count"]
    return found


# A whole life by clicking ---------------------------------------------------------------------------------------------


class Clicks:
    """What a person does on the page of one complaint, by mouse, in one language."""

    def __init__(self, page: Page, locale: Locale) -> None:
        self.page = page
        self.locale = locale

    def take(self, action: str, **fields: str) -> None:
        """Take an action, by its form if it has fields, and see that it is done."""
        address = f"$='/actions/{action}'"
        self.page.locator(f"#actions [href{address}], #actions form.direct[action{address}] button").click()
        form = self.page.locator("#act")
        for name, value in fields.items():
            control = form.locator(f"[name='{name}']")
            if control.evaluate("one => one.tagName") == "SELECT":
                control.select_option(value)
            else:
                control.fill(value)
        if fields:
            form.locator(".buttons button").first.click()
        self.expect_done(action)

    def expect_done(self, action: str) -> None:
        """See that the action is done."""
        expect(self.page.locator("#flash")).to_have_text(self.locale.texts.actions.done[action])
        expect(self.page.locator(".htmx-request")).to_have_count(0)

    def expect_status(self, status: str) -> None:
        """See the status in the head of the page."""
        expect(self.page.locator("#head .status")).to_have_text(self.locale.word("status", status))


@pytest.mark.parametrize("server", DATABASE_KINDS, indirect=True)
@pytest.mark.parametrize("language", list(Language))
def test_a_whole_life_by_clicking(
    open_tab: OpenTab, server: RunningServer, api: httpx2.Client, language: Language
) -> None:
    """From a call to the end, with a hold, a reopening and the contacts between."""
    locale = Locale(language, "Asia/Shanghai")
    tab = open_tab(**DESK, locale=language.value, color_scheme="dark" if language == "zh" else "light")
    page, texts, clicks = tab.page, locale.texts, Clicks(tab.page, locale)
    sign_in_at(server, tab, f"life.{uuid4().hex[:8]}", "supervisor", scope="all")
    page.click("header .new-one")
    for name, words in {"complainant.phone": "13800001234", "complainant.name": "王芳"}.items():
        page.locator(f"[name='{name}']").fill(words)
    page.locator("[name=subject]").fill("宽带断网 No internet since Monday")
    page.locator("[name=description]").fill("The lamp of the modem is red.")
    expect(page.locator("#outlook")).to_contain_text(locale.word("deadline_kind", "resolution"))
    page.get_by_role("button", name=texts.new_complaint.save).click()
    page.get_by_role("link", name=texts.new_complaint.open).click()
    clicks.expect_status("received")

    clicks.take("respond", message="我们正在查找原因。", contact_channel="phone")
    clicks.expect_status("investigating")
    clicks.take("hold", reason="awaiting_complainant", until=_tomorrow(api))
    clicks.expect_status("on_hold")
    expect(page.locator("#clocks .clock.pause").first).to_be_visible()
    clicks.take("resume")
    clicks.take("resolve", **RESULT)
    clicks.expect_status("resolved")
    clicks.take("notify_result", message="线路已更换。", contact_channel="phone")
    clicks.expect_status("following_up")
    clicks.take("record_contact", outcome="not_solved")
    expect(page.locator("#head")).to_contain_text(texts.complaint.cycle.format(number=2))
    clicks.expect_status("investigating")

    clicks.take("resolve", **RESULT)
    clicks.take("notify_result", message="已再次更换。", contact_channel="phone")
    open_contacts = page.locator("#clocks .clock[data-kind=follow_up]")
    expect(open_contacts).not_to_have_count(0)
    while planned := open_contacts.count():
        _advance(api, "P29D")
        page.reload()
        clicks.take("record_contact", outcome="solved", csat="5")
        expect(open_contacts).to_have_count(planned - 1)
    tab.check(f"journey-life-{language}")
    _advance(api, "P3D")
    page.reload()
    clicks.take("close", message="问题已解决。", contact_channel="phone", root_cause="An old line.")
    clicks.expect_status("closed")
    expect(page.locator("#timeline")).to_contain_text(texts.events.type["complaint.closed"])
    tab.check(f"journey-life-closed-{language}")


def _tomorrow(api: httpx2.Client) -> str:
    """The local time in a day, for a field."""
    now = datetime.fromisoformat(api.get("/v1/sandbox/clock").raise_for_status().json()["now"])
    return f"{now + timedelta(days=1, hours=8):%Y-%m-%dT%H:%M}"


# An agent's day without a mouse ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("server", DATABASE_KINDS, indirect=True)
def test_an_agents_day_by_keyboard_alone(
    open_tab: OpenTab, server: RunningServer, api: httpx2.Client
) -> None:
    """From the list through two complaints to their results; a draft waits while another thing is done."""
    tab = open_tab(**DESK, locale="en-GB")
    page, press, write = tab.page, tab.page.keyboard.press, tab.page.keyboard.type
    login = f"an.{uuid4().hex[:8]}"
    sign_in_at(server, tab, login, "agent", teams=[TEAM])
    first, second = (
        _post(api, subject=f"Rude {n}", severity=s) for n, s in enumerate(("critical", "normal"))
    )
    for one in (first, second):
        _act(api, one, "assign", team=TEAM, assignee=login)
    press("g")
    press("m")
    page.wait_for_url("**/console/work")
    expect(page.locator("#rows tr")).to_have_count(2)
    press("j")
    press("o")
    page.wait_for_url("**/console/complaints/*")
    opened = page.url.rpartition("/")[2]

    press("r")
    expect(page.locator("#act textarea")).to_be_focused()
    write("We are sorry. We ask our shop")
    press("Escape")
    expect(page.locator("#act")).to_have_count(0)
    press("w")
    expect(page.locator("details.explained[open]")).to_be_visible()
    press("n")
    expect(page.locator("#act [name=text]")).to_be_focused()
    write("Called the shop.")
    press("Control+Enter")
    _await_done(page, "The note is on record.")
    press("r")
    expect(page.locator("#act textarea")).to_have_value("We are sorry. We ask our shop")
    expect(page.locator("#act textarea")).to_be_focused()
    press("End")
    write(".")
    press("Tab")
    write("Phone")
    press("Control+Shift+Enter")
    page.wait_for_url(lambda url: "/complaints/" in url and not url.endswith(opened))
    expect(page.locator("#head")).to_be_visible()

    answered, told = "The answer is on record.", "The result is told. The follow-ups are planned."
    for key, words, done in (("r", "We look at it.", answered), ("t", "We trained the shop.", told)):
        if key == "t":
            press("e")
            expect(page.locator("#act [name=resolution]")).to_be_focused()
            write("The shop was trained.")
            _choose(page, "outcome", "Upheld")
            _choose(page, "cause", "Service")
            press("Control+Enter")
            _await_done(page, "Resolved. Tell the complainant the result next.")
        press(key)
        expect(page.locator("#act textarea").first).to_be_focused()
        write(words)
        _choose(page, "contact_channel", "Phone")
        press("Control+Enter")
        _await_done(page, done)
    expect(page.locator("#head .status")).to_have_text("Following up")
    press("g")
    press("m")
    page.wait_for_url("**/console/work")
    statuses = {api.get(f"/v1/complaints/{one['id']}").json()["status"] for one in (first, second)}
    assert statuses == {"investigating", "following_up"}


def _await_done(page: Page, text: str) -> None:
    """Wait until an action is done, and the page is at rest."""
    expect(page.locator("#flash")).to_have_text(text)
    expect(page.locator("#act")).to_have_count(0)
    expect(page.locator(".htmx-request")).to_have_count(0)


def _choose(page: Page, name: str, words: str) -> None:
    """Go to a list by Tab, and choose by its first letters."""
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.name") == name:
            page.keyboard.type(words)
            return
    raise AssertionError(f"no field {name!r} after the others")
