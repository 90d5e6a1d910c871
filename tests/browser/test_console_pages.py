"""Every page of the console with a demo quarter: seen whole, easy to read, in both languages and both themes."""

import os
import re
from collections.abc import Callable, Iterator
from typing import Literal
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Request, expect

from complaints.console.app import create_console
from tests.browser.console import set_password, sign_in_at
from tests.browser.tabs import DESKTOP, PHONES, Tab
from tests.conftest import Databases
from tests.fork_client import ForkServer
from tests.journeys.running_server import RunningServer, launching
from tests.support import ADMIN_SECRET

KEEPS_SCREENSHOTS = "COMPLAINTS_TEST_SCREENSHOTS" in os.environ
COMPLAINTS = 1500
READER = "alex.sample"
ROLES = ["agent", "supervisor", "manager", "admin"]
STATUSES = ("investigating", "on_hold", "following_up", "closed")
Scheme = Literal["light", "dark"]
CONTRAST = ("color-contrast",)
"""What axe looks at where the colours change."""
FIRST_LOAD = 60_000
FIRST = (
    "overdue",
    "work",
    "follow-ups?whose=all",
    "inbox?whose=all",
    "dashboard",
    "new",
    "search?q=signal",
    "palette?q=s",
    "help",
    "preferences",
    "nothing",
)
PAGES = [path for path, methods in create_console().openapi()["paths"].items() if "get" in methods]
OWN_TESTS = ("/settings/", "/complaints/{reference}/actions/")
"""Pages with tests of their own: the walk leaves them out, unless it keeps screenshots."""
_LINKS = "() => [...document.querySelectorAll('a[href]:not([download])')].map(one => one.href)"


@pytest.fixture(scope="module")
def demo(
    pytestconfig: pytest.Config,
    tmp_path_factory: pytest.TempPathFactory,
    migrated_template: Callable[[str], str],
    fork_server: ForkServer,
) -> Iterator[RunningServer]:
    """A server with a made-up quarter. One of its agents has every role and a password."""
    directory = tmp_path_factory.mktemp("demo")
    databases = Databases(directory, pytestconfig)
    url = databases.make("sqlite", template=migrated_template("sqlite"))
    with launching(directory, fork_server) as launcher:
        filling = launcher.run("demo", "--complaints", str(COMPLAINTS), url=url, sandbox=1)
        assert filling.wait(300) == 0, filling.output
        server = launcher.serve(url, sandbox=1)
        with server.client(ADMIN_SECRET) as api:
            api.patch(f"/v1/users/{READER}", json={"roles": ROLES}).raise_for_status()
        set_password(server, READER)
        yield server
    databases.drop_all()


def _kind(address: str) -> str | None:
    """The page of an address, without the values in it. Each action on a complaint has a page of its own."""
    parts = urlsplit(address)
    if not parts.path.startswith("/console/"):
        return None
    path = parts.path.removeprefix("/console")
    for page in sorted(PAGES, key=lambda one: one.count("{")):
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", page), path):
            return str(page).replace("{action}", path.rpartition("/")[2])
    return path


def _first_addresses(server: RunningServer) -> list[str]:
    """The pages of the menu, and a complaint of each kind."""
    with server.client(ADMIN_SECRET) as api:
        by_status = (
            api.get("/v1/complaints", params={"status": one, "limit": 1}).json()["items"] for one in STATUSES
        )
        numbers = [found[0]["number"] for found in by_status]
    return [f"{server.url}/console/{path}" for path in (*FIRST, *(f"complaints/{one}" for one in numbers))]


def _walk(page: Page, first: list[str]) -> Iterator[str]:
    """Open these addresses, then one address of each page to which a page links. The names of the pages."""
    seen: set[str] = set()
    waiting = [(address, True) for address in first]
    while waiting:
        address, is_first = waiting.pop(0)
        kind = _kind(address)
        if kind is None or (kind in seen and not is_first):
            continue
        if kind.startswith(OWN_TESTS) and not KEEPS_SCREENSHOTS:
            continue
        seen.add(kind)
        page.goto(address)
        expect(page.locator(".htmx-request")).to_have_count(0)
        waiting += [(one, False) for one in page.evaluate(_LINKS)]
        status = page.locator("#head .status")
        suffix = status.inner_text() if status.count() else ""
        yield re.sub(r"\W+", "-", f"{kind} {suffix}").strip("-")


@pytest.mark.parametrize(("language", "scheme", "other"), [("en", "light", "dark"), ("zh", "dark", "light")])
def test_every_page_is_seen_whole_and_can_be_read(
    open_tab: Callable[..., Tab], demo: RunningServer, language: str, scheme: Scheme, other: Scheme
) -> None:
    locale = {"en": "en-GB", "zh": "zh-CN"}[language]
    tab = open_tab(
        locale=locale,
        color_scheme=scheme,
        reduced_motion="reduce",
        timezone_id="Asia/Shanghai",
        viewport={"width": DESKTOP, "height": 900},
    )
    tab.expected = {404}
    sign_in_at(demo, tab, READER)
    seen, faults = [], []
    for name in _walk(tab.page, _first_addresses(demo)):
        seen.append(name)
        faults += [
            f"{name}: {fault}" for fault in _find_faults(tab, f"console-{name}-{language}", scheme, other)
        ]
    assert faults == []
    assert len(seen) > len(FIRST) + len(STATUSES) + 3, seen


def _find_faults(tab: Tab, name: str, scheme: Scheme, other: Scheme) -> Iterator[str]:
    """The faults of the page in the window. It keeps screenshots, in both schemes."""
    for violation in tab.find_violations():
        yield str(violation)
    for width in (*PHONES, DESKTOP):
        tab.page.set_viewport_size({"width": width, "height": 900})
        for fault in (*tab.find_cut(), *tab.find_small_targets()):
            yield f"{width}: {fault}"
        if KEEPS_SCREENSHOTS and width != PHONES[0]:
            tab.keep_screenshot(f"{name}-{scheme}-{width}")
    tab.page.emulate_media(color_scheme=other)
    for violation in tab.find_violations(CONTRAST):
        yield f"{other}: {violation}"
    if KEEPS_SCREENSHOTS:
        tab.keep_screenshot(f"{name}-{other}-{DESKTOP}")
    tab.page.emulate_media(color_scheme=scheme)


def test_the_first_load_of_the_overdue_page_is_small(
    open_tab: Callable[..., Tab], demo: RunningServer
) -> None:
    """The page with all its files, as the network carries them, without heads."""
    tab = open_tab(viewport={"width": DESKTOP, "height": 900})
    sign_in_at(demo, tab, READER)
    wire = tab.page.context.new_cdp_session(tab.page)
    wire.send("Network.enable")
    wire.send("Network.clearBrowserCache")
    loaded: list[Request] = []
    tab.page.on("requestfinished", lambda one: loaded.append(one))
    tab.page.goto(f"{demo.url}/console/overdue")
    expect(tab.page.locator("#count-overdue")).not_to_be_empty()
    # Rows that change meanwhile are asked for again. They belong to no first load.
    first = [one for one in loaded if "/static/" in one.url or one.is_navigation_request()]
    sizes = {one.url.removeprefix(demo.url): one.sizes()["responseBodySize"] for one in first}
    assert len(sizes) > 10
    assert sum(sizes.values()) <= FIRST_LOAD, sizes
