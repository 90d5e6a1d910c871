"""Fixtures of the tests in a real browser: Chromium, tabs that notice every fault, and a server."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.chromium import VARIABLE, ChromiumUnavailable, find_chromium, variables_for
from tests.browser.npm_packages import ROOT, NpmPackage, PackageUnavailable
from tests.browser.tabs import Tab
from tests.conftest import Databases
from tests.fork_client import ForkServer
from tests.journeys.running_server import RunningServer, launching

SCREENSHOTS = ROOT / "build" / "screenshots"
AXE = NpmPackage("axe-core", "4.14.1", "e6b0ce02b84d892e2e33e403485e7f3d6c29e2be6df65daf44d89ba564139745")


def _skip(reason: str) -> None:
    """Skip the test, or fail if CI is set."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, for the whole run."""
    try:
        program = find_chromium()
    except ChromiumUnavailable as failure:
        _skip(f"no Chromium: {failure}; {VARIABLE} can name one")
    # A container has no user namespaces for the sandbox of Chromium. The tests open their own pages only.
    arguments = ["--no-sandbox", "--font-render-hinting=none"]
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=program, args=arguments, env=variables_for(program)
        )
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core, which finds faults of accessibility."""
    try:
        return (AXE.fetch() / "axe.min.js").read_text(encoding="utf-8")
    except PackageUnavailable as failure:
        _skip(f"no axe-core: {failure}")
        raise


@pytest.fixture
def open_tab(browser: Browser, axe: str, request: pytest.FixtureRequest) -> Iterator[Callable[..., Tab]]:
    """Opens tabs, with options of `Browser.new_context`. At the end, each tab must have met no fault."""
    with ExitStack() as stack:
        tabs: list[Tab] = []

        def open_tab(**options: Any) -> Tab:
            context = stack.enter_context(browser.new_context(**options))
            tabs.append(Tab(context.new_page(), axe, SCREENSHOTS))
            return tabs[-1]

        yield open_tab
        faults = [fault for tab in tabs for fault in tab.faults]
    assert faults == []


@pytest.fixture(scope="session")
def server(
    request: pytest.FixtureRequest,
    pytestconfig: pytest.Config,
    tmp_path_factory: pytest.TempPathFactory,
    migrated_template: Callable[[str], str],
    fork_server: ForkServer,
) -> Iterator[RunningServer]:
    """A real server with a test clock, which tests share: on SQLite, or on the engine that a test asks for.

    Ask by `@pytest.mark.parametrize("server", DATABASE_KINDS, indirect=True)`.
    """
    engine: str = getattr(request, "param", "sqlite")
    directory: Path = tmp_path_factory.mktemp(f"server_{engine}")
    databases = Databases(directory, pytestconfig)
    url = databases.make(engine, template=migrated_template(engine))
    with launching(directory, fork_server) as launcher:
        yield launcher.serve(url, sandbox=1, webhook_allow="127.0.0.1")
    databases.drop_all()
