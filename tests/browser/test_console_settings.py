"""The settings in a real browser: every page is whole, and policies, webhooks and people are changed by clicking."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from complaints.use_cases.upkeep.seeding import shipped_policy
from tests.browser.console import sign_in_at
from tests.browser.tabs import DESKTOP, PHONES, Tab
from tests.conftest import DATABASE_KINDS
from tests.http_receiver import http_receiver
from tests.journeys.running_server import RunningServer
from tests.support import ADMIN_SECRET

OpenTab = Callable[..., Tab]
TRIED = "policies/what-if?received_at=2026-01-05T09:00&policy=telecom-handbook&priority=urgent"
PAGES = [
    "",
    "policies",
    "policies/working-hours/1?priority=urgent",
    TRIED,
    "policies/document?code=working-hours&version=1",
    "policies/working-hours/1/calendars/office?month=2026-02",
    "calendars",
    "calendars/new",
    "departments",
    "teams/operations",
    "teams/operations/rota",
    "people",
    "people/fang.lin",
    "people/fang.lin/change",
    "people/fang.lin/leave",
    "categories",
    "categories/new",
    "keys",
    "keys/new",
    "webhooks",
    "webhooks/new",
    "notifications",
    "notifications/change",
    "robots/new",
    "deliveries",
    "audit",
    "imports",
]


def _limited(name: str, region: str) -> str:
    """A shipped policy for complaints of one region: other tests on this server keep theirs."""
    return f"applies_to: {{region: [{region}]}}\n{shipped_policy(name)}"


@pytest.mark.parametrize(("language", "scheme"), [("en", "light"), ("zh", "dark")])
def test_every_page_of_the_settings_is_seen_whole(
    open_tab: OpenTab, server: RunningServer, language: str, scheme: str
) -> None:
    tab = open_tab(color_scheme=scheme, locale=language, timezone_id="Asia/Shanghai")
    sign_in_at(server, tab, "fang.lin", "admin")
    with server.client(ADMIN_SECRET) as api:
        yaml = {"Content-Type": "application/yaml"}
        api.post("/v1/policies", content=_limited("working-hours", "mars"), headers=yaml).raise_for_status()
    for path in PAGES:
        name = "settings-" + (path.partition("?")[0].replace("/", "-") or "overview")
        tab.page.set_viewport_size({"width": DESKTOP, "height": 800})
        tab.page.goto(f"{server.url}/console/settings/{path}".rstrip("/"))
        tab.check(f"{name}-{language}-{scheme}-{DESKTOP}")
        tab.page.set_viewport_size({"width": min(PHONES), "height": 800})
        tab.check_layout(f"{name}-{language}-{scheme}-{min(PHONES)}")


def test_a_policy_is_checked_applied_and_tried(open_tab: OpenTab, server: RunningServer) -> None:
    """With faults beside the text, holds in the calculator, and the steps of a ladder opened."""
    tab = open_tab(locale="en", timezone_id="UTC")
    page, tab.expected = tab.page, {422}
    sign_in_at(server, tab, "fang.lin", "admin")
    page.get_by_role("link", name="Settings").click()
    page.get_by_role("navigation", name="Settings").get_by_role("link", name="Policies").click()
    page.get_by_role("link", name="New policy").click()
    document = _limited("telecom-handbook", "moon").replace("code: telecom-handbook", "code: by-clicking")
    field = page.get_by_label("Policy document")
    field.fill(document.replace("24 elapsed hours", "24 hours"))
    page.get_by_role("button", name="Check").click()
    expect(page.locator(".fault").nth(1)).to_contain_text("line 27: '24 hours' is not a target")
    expect(field).to_have_value(document.replace("24 elapsed hours", "24 hours"))
    field.fill(document)
    page.get_by_label("In force from").fill("2025-12-01T00:00")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Telecom service-quality handbook")
    expect(page.get_by_text("Saved.")).to_be_visible()
    page.locator("summary").first.click()
    expect(page.locator(".steps li").nth(3)).to_contain_text("head of department")
    page.get_by_role("link", name="What if?").click()
    page.get_by_label("Received at").fill("2026-01-05T09:00")
    page.get_by_label("Policy").select_option(label="as the complaint says")
    page.get_by_label("Region").fill("moon")
    page.get_by_label("Hold 1").select_option("awaiting_complainant")
    page.get_by_label("Hold begins 1").fill("2026-01-05T10:00")
    page.get_by_label("Hold ends 1").fill("2026-01-06T10:00")
    page.get_by_role("button", name="Calculate").click()
    expect(page.locator(".deadline").nth(1)).to_contain_text("due Thu 8 Jan 2026 09:00")
    expect(page.locator(".deadline").nth(1)).to_contain_text("counted 2 d · on hold 1 d")
    expect(page.locator(".facts")).to_contain_text("by-clicking · 1")
    expect(page.locator(".facts")).to_contain_text("Region moon")
    expect(page.locator("rect.paused").first).to_be_visible()


@pytest.mark.parametrize("server", DATABASE_KINDS, indirect=True)
def test_a_webhook_is_made_delivers_and_sends_again(open_tab: OpenTab, server: RunningServer) -> None:
    """The secret is shown once, a test arrives, an event is delivered, and a click sends it again."""
    tab = open_tab(locale="en", timezone_id="UTC")
    page = tab.page
    sign_in_at(server, tab, "fang.lin", "admin")
    with http_receiver() as receiver:
        page.goto(f"{server.url}/console/settings/webhooks/new")
        page.get_by_label("Address").fill(receiver.url)
        page.get_by_label("Types of events").fill("complaint.created")
        page.get_by_role("button", name="Make the webhook").click()
        expect(page.locator(".secret code")).to_contain_text("whsec_")
        page.get_by_role("link", name="I have copied it").click()
        page.get_by_role("link", name="Send a test").click()
        page.get_by_role("button", name="Send the test").click()
        expect(page.get_by_text("The receiver took the test message.")).to_be_visible()
        page.get_by_role("link", name="Back").click()
        with server.client(ADMIN_SECRET) as api:
            posted = {"channel": "phone", "subject": "No signal"}
            api.post("/v1/complaints", json=posted).raise_for_status()
        receiver.wait_for(2)
        row = page.locator("table.list tbody tr")
        _reload_until(tab, "200")
        expect(row.first).to_contain_text(" ms")
        row.first.get_by_role("link", name="Send again").click()
        page.get_by_role("button", name="Send again").click()
        expect(page.get_by_text("The events are sent again, in order.")).to_be_visible()
        receiver.wait_for(3)
        _reload_until(tab, "replay 1")
        page.get_by_role("link", name="Delete", exact=True).click()
        page.get_by_role("button", name="Delete").click()
        expect(page.get_by_text("There is no webhook yet")).to_be_visible()


def _reload_until(tab: Tab, text: str) -> None:
    """Reload the page until its delivery log has a text."""
    for _ in range(40):
        if any(text in found for found in tab.page.locator("table.list").all_inner_texts()):
            return
        tab.page.wait_for_timeout(250)
        tab.page.reload()
    raise AssertionError(f"{text!r} is not in the delivery log")
