"""The page of a published report in a real browser: on phones, on a desktop, and on paper."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest
from playwright.sync_api import expect

from tests.browser.tabs import DESKTOP, PHONES, Tab
from tests.journeys.running_server import RunningServer
from tests.support import ADMIN_SECRET

# A letter that stands out of the drawing is cut.
FIND_CUT_LETTERS = """() => [...document.querySelectorAll("svg text")].filter(text => {
  const box = text.getBoundingClientRect(), whole = text.ownerSVGElement.getBoundingClientRect();
  return box.left < whole.left - 1 || box.right > whole.right + 1 || box.top < whole.top - 1
    || box.bottom > whole.bottom + 1;
}).map(text => text.textContent)"""
REPORTS = "/v1/published-reports"
AUTHORIZED = {"Authorization": f"Bearer {ADMIN_SECRET}"}
JANUARY = {"from": "2026-01-01", "to": "2026-02-01"}
LONG = "中国电信股份有限公司宁夏回族自治区分公司固原市泾源县服务质量监督与投诉处理中心第一受理小组"


@pytest.fixture(scope="module")
def report(server: RunningServer) -> Iterator[str]:
    """The address of a restated report over a month with complaints of a team with a long name."""
    with server.client(ADMIN_SECRET) as api:

        def call(method: str, path: str, **body: Any) -> Any:
            answer = api.request(method, path, json=body)
            assert answer.is_success, answer.text
            return answer.json()

        call("PATCH", "/v1/teams/operations", names={"en": "Operations", "zh": LONG})
        now = call("GET", "/v1/sandbox/clock")["now"]
        for category in ("network.outage", "network.slow", "billing.refund", "service.attitude"):
            call("POST", "/v1/complaints", channel="phone", subject="x", category=category)
        call("POST", "/v1/sandbox/clock/advance", by="P40D")
        period = now[:7]
        _await_facts(api)
        call("POST", REPORTS, period=period)
        call("POST", "/v1/complaints", channel="letter", subject="x", received_at=now)
        _await_facts(api)
        made = call("POST", REPORTS, period=period, reason="A letter was recorded late.")
        yield f"{server.url}{REPORTS}/{made['id']}?format=html"


def _await_facts(api: httpx2.Client) -> None:
    """Wait until the figures have followed the feed to its end."""
    end = time.monotonic() + 30
    last = api.get("/v1/changes", params={"after": "now"}).json()["next_cursor"]
    while api.get("/v1/reports/inflow", params=JANUARY).json()["as_of"] != last:
        assert time.monotonic() < end, "the figures do not follow the feed"
        time.sleep(0.1)


@pytest.mark.parametrize(("language", "scheme"), [("en", "light"), ("zh", "dark")])
def test_every_word_and_number_of_a_report_is_seen(
    open_tab: Callable[..., Tab], report: str, language: str, scheme: str
) -> None:
    tab = open_tab(color_scheme=scheme, extra_http_headers=AUTHORIZED)
    tab.page.goto(f"{report}&language={language}")
    expect(tab.page.locator("html")).to_have_attribute("lang", "zh-CN" if language == "zh" else "en")
    assert tab.page.locator("svg[role=img]").count() > 5
    assert tab.find_violations() == []
    for width in (*PHONES, DESKTOP):
        tab.page.set_viewport_size({"width": width, "height": 800})
        tab.check_layout(f"report-{language}-{scheme}-{width}")
        assert tab.page.evaluate(FIND_CUT_LETTERS) == []


def test_a_printed_report_has_everything_but_the_links(open_tab: Callable[..., Tab], report: str) -> None:
    tab = open_tab(viewport={"width": 700, "height": 1000}, extra_http_headers=AUTHORIZED)
    tab.page.goto(f"{report}&language=en")
    tab.page.emulate_media(media="print")
    expect(tab.page.get_by_text("Workbook (XLSX)")).to_be_hidden()
    expect(tab.page.get_by_role("heading", name="This is a restatement")).to_be_visible()
    tab.check("report-printed-en")
    assert tab.page.evaluate(FIND_CUT_LETTERS) == []
