"""The complainant's page in a real browser: on phones and desktops, light and dark, by mouse and by keyboard."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Page, expect

from tests.browser.tabs import DESKTOP, PHONES, Tab
from tests.conftest import DATABASE_KINDS
from tests.journeys.running_server import RunningServer
from tests.support import ADMIN_SECRET

TOLD = {
    "message": "We replaced the antenna at Century Park on Sunday. Please switch your phone off and on once.",
    "contact_channel": "phone",
}
RESOLVE = {
    "resolution": "The antenna was replaced.",
    "cause": "technical",
    "outcome": "partly_upheld",
    "compensation": {"amount": "50.00", "currency": "CNY"},
}
SENT = {"en": "Send the message", "zh": "发送留言"}
THANKS = {"en": "Thank you. We have your message.", "zh": "谢谢，您的留言已收到。"}


class House:
    """What the staff do, by the API. Each complaint has the address of its page."""

    def __init__(self, server: RunningServer, api: httpx2.Client) -> None:
        self._server = server
        self._api = api

    def post(self, *actions: dict[str, Any]) -> str:
        """A new complaint after these actions: the address of its page."""
        complaint = self._call("/v1/complaints", {"channel": "phone", "subject": "No signal"})
        for action in actions:
            self._call(f"/v1/complaints/{complaint['id']}/transitions", action)
        link = self._api.get(f"/v1/complaints/{complaint['id']}/page-link")
        return f"{self._server.url}{link.json()['path']}"

    def post_with_result(self) -> str:
        """A complaint whose result was told."""
        return self.post({"action": "resolve", **RESOLVE}, {"action": "notify_result", **TOLD})

    def _call(self, path: str, body: dict[str, Any]) -> Any:
        answer = self._api.post(path, json=body)
        assert answer.is_success, answer.text
        return answer.json()


@pytest.fixture
def house(server: RunningServer) -> Iterator[House]:
    """The staff of the server."""
    with server.client(ADMIN_SECRET) as api:
        yield House(server, api)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_word_is_seen_on_phones_and_desktops(
    open_tab: Callable[..., Tab], house: House, language: str, scheme: str
) -> None:
    tab = open_tab(color_scheme=scheme, locale=language)
    for state, address in {"received": house.post(), "result": house.post_with_result()}.items():
        tab.page.goto(address)
        expect(tab.page.locator("html")).to_have_attribute("lang", "zh-CN" if language == "zh" else "en")
        assert tab.find_violations() == []
        for width in (*PHONES, DESKTOP):
            tab.page.set_viewport_size({"width": width, "height": 800})
            tab.check_layout(f"complainant-page-{state}-{language}-{scheme}-{width}")


@pytest.mark.parametrize("server", DATABASE_KINDS, indirect=True)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_message_is_added_by_clicking_once(
    open_tab: Callable[..., Tab], house: House, language: str
) -> None:
    """Also without a pause between two clicks, after a reload, and after going back."""
    page = open_tab(viewport={"width": 360, "height": 800}, locale=language).page
    page.goto(house.post())
    page.get_by_role("textbox").fill("It rained in.\nPlease come.")
    page.get_by_role("button", name=SENT[language]).dblclick()
    expect(page.get_by_role("status")).to_have_text(THANKS[language])
    page.reload()
    expect(page.get_by_role("status")).to_have_text(THANKS[language])
    expect(page.get_by_role("textbox")).to_have_value("")


def test_the_page_works_by_keyboard_alone(open_tab: Callable[..., Tab], house: House) -> None:
    """In the order of reading, with a visible focus; the language stays as it was chosen."""
    tab = open_tab(viewport={"width": 320, "height": 700}, locale="en")
    page = tab.page
    page.goto(house.post())
    page.keyboard.press("Tab")
    assert _focused(page) == ("A", "中文")
    page.keyboard.press("Enter")
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    for expected in ("A", "TEXTAREA"):
        page.keyboard.press("Tab")
        assert _focused(page)[0] == expected
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.type("请尽快处理")
    page.keyboard.press("Tab")
    assert _focused(page) == ("BUTTON", SENT["zh"])
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text(THANKS["zh"])
    tab.check("complainant-page-thanks-zh-light-320")


def _focused(page: Page) -> tuple[str, str]:
    found = page.evaluate("[document.activeElement.tagName, document.activeElement.textContent.trim()]")
    return found[0], found[1]


def test_a_refused_message_says_why_and_keeps_its_words(open_tab: Callable[..., Tab], house: House) -> None:
    tab = open_tab(viewport={"width": 320, "height": 700}, locale="en", color_scheme="dark")
    tab.expected = {422}
    tab.page.goto(house.post())
    tab.page.get_by_role("textbox").evaluate("field => field.required = false")
    tab.page.get_by_role("textbox").fill("   ")
    tab.page.get_by_role("button").click()
    expect(tab.page.get_by_role("alert")).to_have_text("Please write a message first.")
    expect(tab.page.get_by_role("textbox")).to_be_focused()
    tab.check("complainant-page-refused-en-dark-320")


def test_text_of_double_size_still_fits(open_tab: Callable[..., Tab], house: House) -> None:
    """Text alone at 200 % on a phone, and the whole page at 200 % on a small desktop (WCAG 1.4.4 and 1.4.10)."""
    address = house.post_with_result()
    for width, scale, percent in ((360, 1, 200), (DESKTOP // 2, 2, 100)):
        for language in ("en", "zh"):
            tab = open_tab(
                viewport={"width": width, "height": 700}, device_scale_factor=scale, locale=language
            )
            tab.page.goto(address)
            tab.enlarge_text(percent)
            tab.check(f"complainant-page-enlarged-{language}-light-{width}")


def test_a_wrong_link_gets_a_page(open_tab: Callable[..., Tab], server: RunningServer) -> None:
    for language, title in (("en", "Page not found"), ("zh", "找不到页面")):
        tab = open_tab(viewport={"width": 320, "height": 500}, locale=language)
        tab.expected = {404}
        tab.page.goto(f"{server.url}/c/wrong")
        expect(tab.page.get_by_role("heading", level=1)).to_have_text(title)
        tab.check(f"complainant-page-missing-{language}-light-320")


def test_a_printed_page_has_the_facts_and_no_form(open_tab: Callable[..., Tab], house: House) -> None:
    tab = open_tab(viewport={"width": 794, "height": 1123}, locale="en", color_scheme="dark")
    tab.page.goto(house.post_with_result())
    tab.page.emulate_media(media="print", color_scheme="dark")
    expect(tab.page.get_by_role("button")).to_be_hidden()
    expect(tab.page.get_by_text("Your complaint is justified in part.")).to_be_visible()
    tab.check("complainant-page-printed-en")
