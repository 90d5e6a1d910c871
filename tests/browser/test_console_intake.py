"""New complaints, follow-ups and search in a real browser: a call with a duplicate, and an outcome in two clicks."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from playwright.sync_api import expect

from tests.browser.tabs import DESKTOP, PHONES, Tab
from tests.conftest import DATABASE_KINDS
from tests.journeys.running_server import RunningServer
from tests.support import ADMIN_SECRET

PASSWORD = "four words are long"


def _sign_in(server: RunningServer, tab: Tab, page: str) -> str:
    """Sign in as a new agent who sees every complaint, and open a page of the console. Returns the login."""
    login = f"agent.{uuid4().hex[:8]}"
    with server.client(ADMIN_SECRET) as api:
        given = {"login": login, "name": "Chen Jie", "roles": ["agent"], "scope": "all"}
        api.post("/v1/users", json=given).raise_for_status()
        token = api.post(f"/v1/users/{login}/password-link").raise_for_status().json()["token"]
    with server.client() as browser:
        sent = {"token": token, "password": PASSWORD}
        same_site = {"Sec-Fetch-Site": "same-origin"}
        browser.post("/v1/password-links", json=sent, headers=same_site).raise_for_status()
    tab.page.goto(f"{server.url}/console/sign-in?next={page}")
    tab.page.fill("#field-login", login)
    tab.page.fill("#field-password", PASSWORD)
    tab.page.keyboard.press("Enter")
    tab.page.wait_for_url(f"**{page}")
    return login


def _look(tab: Tab, name: str) -> None:
    """Check a page on a phone and on a desktop, in both themes."""
    for width, scheme in ((PHONES[0], "dark"), (DESKTOP, "dark"), (PHONES[0], "light"), (DESKTOP, "light")):
        tab.page.set_viewport_size({"width": width, "height": 900})
        tab.page.emulate_media(color_scheme=scheme)
        tab.check(f"{name}-{scheme}-{width}")


def _post(api: httpx2.Client, **members: Any) -> dict[str, Any]:
    found: dict[str, Any] = api.post("/v1/complaints", json=members).raise_for_status().json()
    return found


@pytest.mark.parametrize("server", DATABASE_KINDS, indirect=True)
def test_a_call_centre_takes_a_call_with_a_duplicate(
    open_tab: Callable[..., Tab], server: RunningServer
) -> None:
    phone = f"138{uuid4().int % 10**8:08}"
    with server.client(ADMIN_SECRET) as api:
        person = {"name": "Wang Min", "phone": phone}
        known = _post(api, channel="web", subject="Dead since Friday", complainant=person)
    tab = open_tab(
        reduced_motion="reduce",
        locale="en-GB",
        timezone_id="Asia/Shanghai",
        viewport={"width": DESKTOP, "height": 900},
    )
    _sign_in(server, tab, "/console/new")
    page, advice = tab.page, tab.page.locator("#advice")
    expect(page.get_by_role("textbox", name="Phone", exact=True)).to_be_focused()
    page.keyboard.type(phone)
    expect(advice).to_contain_text("Earlier complaints: 1")
    expect(advice).to_contain_text(f"{known['number']} · Received")
    expect(advice).to_contain_text("Due: response")
    page.get_by_label("Subject").fill("An outage in the whole building")
    page.get_by_role("button", name="Network › Outage").click()
    expect(advice).to_contain_text("Goes toOperations")
    _look(tab, "console-new-complaint")

    page.reload()
    expect(page.get_by_label("Subject")).to_have_value("An outage in the whole building")
    expect(advice).to_contain_text("Earlier complaints: 1")
    tab.expected.add(422)
    page.get_by_role("textbox", name="E-mail").fill("no address")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#note-complainant\\.email")).to_have_text("must be one e-mail address.")
    expect(page.get_by_label("Subject")).to_have_value("An outage in the whole building")
    expect(advice).to_contain_text("Earlier complaints: 1")
    page.get_by_role("textbox", name="E-mail").fill("")
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/console/new/C*")
    expect(page.locator("h1.num")).to_have_text(page.url.rpartition("/")[2])
    expect(page.locator("blockquote")).to_contain_text(page.locator("h1.num").inner_text())
    _look(tab, "console-saved-complaint")

    page.keyboard.press("Enter")
    page.wait_for_url("**/console/new")
    expect(page.get_by_label("Subject")).to_have_value("")
    page.keyboard.type(phone)
    page.get_by_label("Subject").fill("Still dead")
    earlier = advice.locator("li", has_text=known["number"])
    earlier.get_by_role("button", name="Add this call to it").click()
    expect(page.locator("h1.num")).to_have_text(known["number"])
    expect(page.locator("main")).to_contain_text("The call is added")


@pytest.mark.parametrize("server", DATABASE_KINDS, indirect=True)
def test_an_outcome_with_a_score_takes_two_clicks_on_a_phone(
    open_tab: Callable[..., Tab], server: RunningServer
) -> None:
    tab = open_tab(
        reduced_motion="reduce",
        locale="zh-CN",
        color_scheme="dark",
        viewport={"width": PHONES[0], "height": 700},
    )
    login = _sign_in(server, tab, "/console/follow-ups")
    expect(tab.page.locator("main")).to_contain_text("这几天没有需要您做的回访")
    with server.client(ADMIN_SECRET) as api:
        person = {"name": "王敏", "phone": "13800000001", "preferred_contact": "phone", "vulnerable": True}
        made = _post(api, channel="phone", subject="没有信号", first_owner=login, complainant=person)
        for action in (
            {"action": "respond", "message": "x", "contact_channel": "phone"},
            {"action": "resolve", "resolution": "换了线路", "outcome": "not_upheld", "cause": "technical"},
            {"action": "notify_result", "message": "换了线路", "contact_channel": "phone"},
        ):
            api.post(f"/v1/complaints/{made['id']}/transitions", json=action).raise_for_status()
        api.post("/v1/sandbox/clock/advance", json={"by": "P29D"}).raise_for_status()
    page = tab.page
    page.reload()
    tab.expected = {422}
    page.evaluate("document.querySelector('form.outcome').submit()")  # as without scripts
    expect(page.locator("form.outcome > .fault")).to_be_visible()
    tab.check("console-follow-up-refused-320")
    page.get_by_role("link", name="返回列表").click()
    row = page.locator(f"#row-{made['id']}")
    row.get_by_text("通话资料").click()
    expect(row.locator(".sheet")).to_contain_text("换了线路")
    tab.check("console-follow-ups-320")
    buttons, about = row.locator("form .buttons").bounding_box(), row.locator(".about").bounding_box()
    assert buttons
    assert about
    assert buttons["y"] < about["y"]
    row.get_by_text("5", exact=True).first.click()
    row.get_by_role("button", name="已解决", exact=True).click()
    expect(row.locator(".made")).to_contain_text("满意度 5")
    expect(row.locator(".made")).to_contain_text("下一次回访")
    _look(tab, "console-follow-up-made")
    with server.client(ADMIN_SECRET) as api:
        assert api.get(f"/v1/complaints/{made['id']}").json()["satisfaction"]["csat"] == 5


def test_a_search_from_the_bar_finds_words_and_keeps_them(
    open_tab: Callable[..., Tab], server: RunningServer
) -> None:
    word = f"w{uuid4().hex[:8]}"
    with server.client(ADMIN_SECRET) as api:
        _post(api, channel="phone", subject=f"A noise {word}")
    tab = open_tab(reduced_motion="reduce", locale="en-GB", viewport={"width": PHONES[1], "height": 800})
    _sign_in(server, tab, "/console/search")
    box = tab.page.get_by_role("search").get_by_role("searchbox")
    box.fill(word)
    box.press("Enter")
    expect(tab.page.locator("#rows")).to_contain_text(f"A noise {word}")
    expect(tab.page.get_by_label("Words or number")).to_have_value(word)
    tab.page.get_by_text("More filters").click()
    _look(tab, "console-search")
