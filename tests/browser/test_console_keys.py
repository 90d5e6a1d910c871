"""Work at the console without a mouse: an agent's day, an input method, keys switched off; and how the pages look."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from tests.browser.console import sign_in_at
from tests.browser.tabs import DESKTOP, PHONES, Tab
from tests.conftest import DATABASE_KINDS
from tests.journeys.running_server import RunningServer
from tests.support import ADMIN_SECRET

CARE = "customer_service"
TYPE = """key => document.activeElement.dispatchEvent(
  new KeyboardEvent("keydown", {...key, bubbles: true, cancelable: true}))"""
DESK: dict[str, Any] = {
    "locale": "en-GB",
    "timezone_id": "Asia/Shanghai",
    "viewport": {"width": DESKTOP, "height": 900},
}


def _post(server: RunningServer, count: int) -> list[str]:
    """Post complaints that wait in the queue of the team, and return their numbers."""
    given = {"channel": "phone", "category": "service.attitude", "description": "x"}
    with server.client(ADMIN_SECRET) as api:
        return [
            api.post("/v1/complaints", json=given | {"subject": f"Rude {uuid4()}"})
            .raise_for_status()
            .json()["number"]
            for _ in range(count)
        ]


def _agent(server: RunningServer, tab: Tab) -> str:
    login = f"an.{uuid4().hex[:8]}"
    sign_in_at(server, tab, login, "agent", teams=[CARE])
    return login


def _open_switches(page: Page) -> None:
    """Open the menu of the user, if the switches stand there."""
    if not page.locator(".look").is_visible():
        page.locator("button.who").click()


def _numbers(page: Page, body: str = "#rows") -> list[str]:
    return page.locator(f"{body} .num").all_inner_texts()


@pytest.mark.parametrize("server", DATABASE_KINDS, indirect=True)
def test_an_agent_takes_and_finds_work_without_a_mouse(
    open_tab: Callable[..., Tab], server: RunningServer
) -> None:
    posted = _post(server, 3)
    tab = open_tab(**DESK)
    _agent(server, tab)
    page, press = tab.page, tab.page.keyboard.press
    press("g")
    press("m")
    page.wait_for_url("**/console/work")
    expect(page.locator("main")).to_contain_text("Nothing waits for you.")

    press("Control+k")
    expect(page.locator("#hits")).to_contain_text("My work")
    page.keyboard.type("customer_s")
    expect(page.locator("#hits [href]")).to_have_count(1)
    expect(page.locator("#hits a")).to_have_attribute("href", f"/console/teams/{CARE}/queue")
    tab.check("palette")
    press("Enter")
    page.wait_for_url("**/queue")
    first, second = _numbers(page)[:2]
    press("j")
    press("j")
    press("k")
    expect(page.locator("tr.at")).to_have_attribute("aria-current", "true")
    expect(page.locator("tr.at .num")).to_have_text(first)
    press("x")
    press("j")
    press("x")
    press("a")  # takes the ticked ones
    expect(page.locator("#team-queue .flash.good")).to_have_text("Taken: 2.")
    press("j")
    press("a")  # takes the row
    expect(page.locator("#team-queue .flash.good")).to_have_text("Taken: 1.")
    tab.check("team-queue")

    press("g")
    press("m")
    page.wait_for_url("**/console/work")
    assert {first, second} < {*_numbers(page)}
    assert len(_numbers(page)) == len(posted)
    press("?")
    expect(page.locator("#help-content")).to_contain_text("Next row")
    tab.check("keys")
    press("j")  # the dialog is open: nothing moves behind it
    press("Escape")
    expect(page.locator("tr.at")).to_have_count(0)
    press("j")
    opened = page.locator("tr.at .num").inner_text()
    tab.expected.add(404)
    press("o")
    page.wait_for_url(f"**/console/complaints/{opened}*")


def test_keys_arrive_through_an_input_method_and_can_be_switched_off(
    open_tab: Callable[..., Tab], server: RunningServer
) -> None:
    _post(server, 2)
    tab = open_tab(**DESK)
    _agent(server, tab)
    page, press = tab.page, tab.page.keyboard.press
    queue, row = f"{server.url}/console/teams/{CARE}/queue", tab.page.locator("tr.at")
    page.goto(queue)
    through_input_method = {"key": "Process", "code": "KeyJ", "keyCode": 229}
    for silent in (
        {**through_input_method, "isComposing": True},
        {**through_input_method, "ctrlKey": True},
        {"key": "j", "code": "KeyJ", "altKey": True},
        {"key": "J", "code": "KeyJ", "shiftKey": True},
    ):
        page.evaluate(TYPE, silent)
    expect(row).to_have_count(0)
    for heard in (through_input_method, {"key": "о", "code": "KeyJ"}):  # a Cyrillic o on the key of j
        page.evaluate(TYPE, heard)
    expect(row).to_have_attribute("id", page.locator("#rows tr").nth(1).get_attribute("id") or "")
    page.evaluate(TYPE, {"key": "Process", "code": "Slash", "shiftKey": True, "keyCode": 229})
    expect(page.locator("#help")).to_be_visible()
    press("Escape")

    press("Control+k")
    page.keyboard.type("jk")
    expect(page.locator("#hits-q")).to_have_value("jk")
    press("Escape")
    page.goto(f"{server.url}/console/preferences")
    page.get_by_label("Single keys").uncheck()
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".flash.good")).to_contain_text("saved")
    page.goto(queue)
    press("j")
    press("?")
    expect(row).to_have_count(0)
    expect(page.locator("#help")).to_be_hidden()
    press("Control+k")
    expect(page.locator("#palette")).to_be_visible()


@pytest.mark.parametrize(("language", "scheme"), [("en", "light"), ("zh", "dark")])
def test_pages_of_work_fit_and_can_be_read(
    open_tab: Callable[..., Tab], server: RunningServer, language: str, scheme: str
) -> None:
    _post(server, 2)
    locale = {"en": "en-GB", "zh": "zh-CN"}[language]
    tab = open_tab(**{**DESK, "locale": locale, "color_scheme": scheme})
    login = f"lead.{uuid4().hex[:8]}"
    sign_in_at(server, tab, login, "supervisor", teams=[CARE])
    page = tab.page
    for name, path in {
        "work": "work",
        "queue": f"teams/{CARE}/queue",
        "inbox": "inbox?whose=all",
        "preferences": "preferences",
        "help": "help",
        "go": "palette?q=s",
    }.items():
        page.goto(f"{server.url}/console/{path}")
        tab.check(f"{name}-{language}-{scheme}")
        for width in PHONES:
            page.set_viewport_size({"width": width, "height": 900})
            tab.check_layout(f"{name}-{language}-{scheme}-{width}")
        page.set_viewport_size(DESK["viewport"])
    page.set_viewport_size({"width": PHONES[0], "height": 900})
    page.get_by_role("button", name={"en": "Menu", "zh": "菜单"}[language]).click()
    tab.check(f"menu-{language}-{scheme}")
    page.keyboard.press("Escape")

    page.set_viewport_size(DESK["viewport"])
    _open_switches(page)
    page.get_by_role("button", name={"en": "中文", "zh": "English"}[language]).click()
    expect(page.locator("html")).to_have_attribute("lang", {"en": "zh-CN", "zh": "en"}[language])
    _open_switches(page)
    page.locator(".look .btn[name=theme]:visible").click()
    expect(page.locator("html")).to_have_attribute("data-theme", {"light": "dark", "dark": "light"}[scheme])
    page.goto("about:blank")  # no page is open that would ask for its stream without a session
    page.context.clear_cookies(name="complaints-session")
    page.goto(f"{server.url}/console/sign-in")
    expect(page.locator("html")).to_have_attribute("data-theme", {"light": "dark", "dark": "light"}[scheme])
    tab.check(f"sign-in-{language}-{scheme}")
