"""The page of one complaint in a real browser: bars, explanations, the time line, files, masks, paper, and changes."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.tabs import DESKTOP, PHONES, Tab
from tests.conftest import DATABASE_KINDS
from tests.journeys.running_server import RunningServer
from tests.support import ADMIN_SECRET

PASSWORD = "four words are long"
LONG = "中国电信股份有限公司宁夏回族自治区分公司固原市泾源县" * 3
COMPLAINT = {
    "channel": "phone",
    "subject": f"No signal {LONG}",
    "description": f"Since Monday. {'w' * 120}",
    "category": "network.outage",
    "complainant": {"name": "Zhang Wei", "phone": "+8613800000000", "email": f"{'a' * 50}@example.com"},
    "attributes": {"cell": "SH-0423" * 20},
}
ANSWER = {"message": "We look at it.", "contact_channel": "phone"}
RESULT = {"resolution": "Mended", "outcome": "upheld", "cause": "technical", "root_cause": "Wind"}


class Desk:
    """Users with a password, and a complaint late in its second cycle. `path` is that of its page."""

    def __init__(self, server: RunningServer) -> None:
        self.server = server
        self.api = server.client(ADMIN_SECRET)
        for login, role in (("lin.yue", "manager"), ("he.shan", "auditor")):
            if self.api.get(f"/v1/users/{login}").status_code == 404:
                self.call("users", {"login": login, "name": login.title(), "roles": [role]})
            token = self.call(f"users/{login}/password-link", {})["token"]
            sent = {"token": token, "password": PASSWORD}
            with server.client() as anybody:
                headers = {"Sec-Fetch-Site": "same-origin"}
                anybody.post("/v1/password-links", json=sent, headers=headers).raise_for_status()
        made = self.call("complaints", COMPLAINT)
        self.id, self.path = made["id"], f"{server.url}/console/complaints/{made['number']}"
        self.advance("PT30H")
        self.act("respond", **ANSWER)
        self.act("resolve", **RESULT)
        self.act("notify_result", **ANSWER)
        self.act("reopen", reason="It is dead again.")
        self.advance("P3D")

    def call(self, path: str, body: dict[str, Any]) -> Any:
        answer = self.api.post(f"/v1/{path}", json=body)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def act(self, action: str, **members: Any) -> None:
        self.call(f"complaints/{self.id}/transitions", {"action": action, **members})

    def advance(self, by: str) -> None:
        self.call("sandbox/clock/advance", {"by": by})

    def open(self, tab: Tab, login: str) -> Page:
        """Sign in, and open the page of the complaint."""
        page = tab.page
        page.goto(f"{self.server.url}/console/sign-in")
        page.fill("input[name=login]", login)
        page.fill("input[name=password]", PASSWORD)
        page.click("button.primary")
        page.wait_for_selector("#main")
        page.goto(self.path)
        return page


@pytest.fixture
def desk(server: RunningServer) -> Iterator[Desk]:
    """The desk of the server."""
    opened = Desk(server)
    yield opened
    opened.api.close()


@pytest.mark.parametrize(("language", "scheme"), [("en", "light"), ("zh", "dark")])
def test_everything_is_seen_on_phones_desktops_and_paper(
    open_tab: Callable[..., Tab], desk: Desk, language: str, scheme: str
) -> None:
    tab = open_tab(color_scheme=scheme, locale=language, timezone_id="Asia/Shanghai")
    page = desk.open(tab, "lin.yue")
    page.locator("#clocks > .bars .why a").nth(1).click()
    expect(page.locator("details.explained[open]")).to_be_visible()
    page.locator(".ladder summary").nth(1).click()
    page.locator(".former summary").first.click()
    page.locator(".fold summary").first.click()
    assert tab.find_violations() == []
    for width in (*PHONES, DESKTOP):
        page.set_viewport_size({"width": width, "height": 800})
        tab.check_layout(f"complaint-{language}-{scheme}-{width}")
    page.set_viewport_size({"width": PHONES[0], "height": 800})
    boxes = [page.locator(one).bounding_box() for one in ("#actions", "#clocks", "#persons")]
    tops = [box["y"] for box in boxes if box]
    assert tops == sorted(tops)
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 720, "height": 1000})
    for hidden in (".top", "#actions", ".chip", "#upload", ".why > a", ".for-complainant"):
        assert page.locator(hidden).locator("visible=true").count() == 0, hidden
    paper = page.locator("#clocks").evaluate("one => getComputedStyle(one).backgroundColor")
    assert paper == "rgb(255, 255, 255)"


@pytest.mark.parametrize("server", DATABASE_KINDS, indirect=True)
def test_a_page_stays_as_its_reader_left_it_while_the_complaint_changes(
    open_tab: Callable[..., Tab], desk: Desk
) -> None:
    tab = open_tab(locale="en", timezone_id="Asia/Shanghai")
    page = desk.open(tab, "lin.yue")
    page.locator("#clocks > .bars .why a").first.click()
    expect(page.locator("details.explained[open]")).to_have_count(1)
    expect(page.locator("details.explained summary")).to_be_focused()
    page.locator("#clocks .ladder summary").first.click()
    page.locator(".chip", has_text="Contacts").click()
    expect(page.locator(".chip[aria-current]")).to_have_text("Contacts")
    expect(page.locator("#timeline")).not_to_contain_text("Reminder")

    page.set_input_files(
        "#upload-file", {"name": "bill (July) 账单.png", "mimeType": "image/png", "buffer": b"png"}
    )
    desk.act("respond", message="A colleague answers.", contact_channel="phone")
    page.locator("#upload button").click()
    expect(page.locator("#attachments li a")).to_have_text("bill (July) 账单.png")
    expect(page.locator("#timeline")).to_contain_text("A colleague answers.")
    expect(page.locator(".chip[aria-current]")).to_have_text("Contacts")
    expect(page.locator("details.explained[open]")).to_have_count(1)
    expect(page.locator(".ladder[open]")).to_have_count(1)
    expect(page.locator("#clocks .clock").first).to_contain_text("met")
    with page.expect_download() as download:
        page.locator("#attachments li a").click()
    assert download.value.path().read_bytes() == b"png"

    other = open_tab(locale="en")
    page = desk.open(other, "he.shan")
    expect(page.locator("#persons")).not_to_contain_text("Zhang Wei")
    page.locator(".reveal summary").click()
    page.fill("#field-reveal_reason", "A call back")
    page.locator(".reveal button").click()
    expect(page.locator("#persons")).to_contain_text("Zhang Wei")
    assert other.find_violations() == []


def test_a_file_is_not_sent_under_the_name_of_another_user(open_tab: Callable[..., Tab], desk: Desk) -> None:
    """A colleague has signed in in another tab of the same browser."""
    tab = open_tab(locale="zh-CN")
    tab.expected = {401}
    page = desk.open(tab, "lin.yue")
    desk.open(tab.open_another(), "he.shan")
    page.set_input_files("#upload-file", {"name": "bill.png", "mimeType": "image/png", "buffer": b"png"})
    page.locator("#upload button").click()
    expect(page.locator("#upload .fault")).to_contain_text("此浏览器中已有其他用户登录")
