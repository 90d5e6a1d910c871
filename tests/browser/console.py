"""Readers of the console in a real browser: users with a session, made by the API."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import BrowserContext, Page, Route

from tests.browser.tabs import Tab
from tests.journeys.running_server import RunningServer
from tests.support import ADMIN_SECRET

PASSWORD = "four words are long"


def make_user(server: RunningServer, login: str, *roles: str, **members: Any) -> None:
    """Make a user with a password, or do nothing if there is one with the login."""
    with server.client(ADMIN_SECRET) as api:
        if api.get(f"/v1/users/{login}").status_code == 200:
            return
        name = login.replace(".", " ").title()
        given = {"login": login, "name": name, "roles": [*(roles or ("supervisor",))], **members}
        api.post("/v1/users", json=given).raise_for_status()
    set_password(server, login)


def set_password(server: RunningServer, login: str) -> None:
    """Give the user the password of the tests."""
    with server.client(ADMIN_SECRET) as api:
        token = api.post(f"/v1/users/{login}/password-link").raise_for_status().json()["token"]
    with server.client() as anybody:
        sent = {"token": token, "password": PASSWORD}
        same_site = {"Sec-Fetch-Site": "same-origin"}
        anybody.post("/v1/password-links", json=sent, headers=same_site).raise_for_status()


def sign_in_at(server: RunningServer, tab: Tab, login: str, *roles: str, **members: Any) -> None:
    """Make the user if there is none, and sign in. The tab then shows the first page."""
    make_user(server, login, *roles, **members)
    tab.page.goto(f"{server.url}/console/sign-in")
    tab.page.fill("#field-login", login)
    tab.page.fill("#field-password", PASSWORD)
    tab.page.click("main button.primary")
    tab.page.wait_for_selector("#main")


def answer_once(where: Page | BrowserContext, address: str, answer: Callable[[Route], None]) -> None:
    """Let `answer` handle the next request to `address`. The server answers the later requests.

    The route stays. Playwright ends a route with `times` while later requests are under way: such a request may pass
    the next route, or the browser aborts it.
    """
    answers = [answer]

    def handle(route: Route) -> None:
        (answers.pop() if answers else Route.fallback)(route)

    where.route(address, handle)


def end_session_with(page: Page, address: str) -> None:
    """End the session of `page` when its next request to `address` leaves.

    A page refreshes itself too. Such a request must not find the ended session before the test sends its own.
    """

    def end_session(route: Route) -> None:
        page.context.clear_cookies()
        route.fallback()

    answer_once(page, address, end_session)
