"""The forms of actions in a real browser: typed text survives every failure, and two people meet at one complaint."""

import re
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.console import PASSWORD, answer_once, end_session_with, make_user, sign_in_at
from tests.browser.tabs import DESKTOP, PHONES, Tab
from tests.conftest import DATABASE_KINDS
from tests.fork_client import ForkServer
from tests.journeys.running_server import RunningServer, launching
from tests.support import ADMIN_SECRET

TEXT = "我们正在查找原因。\nWe call you at 5."
PROXY_PAGE = "<html><body><h1>502 Bad Gateway</h1></body></html>"
SENDS = "Control+Enter"


def _post(server: RunningServer, **members: Any) -> dict[str, Any]:
    with server.client(ADMIN_SECRET) as api:
        posted = {"channel": "phone", "subject": "No signal", **members}
        found: dict[str, Any] = api.post("/v1/complaints", json=posted).raise_for_status().json()
        return found


def _act(server: RunningServer, complaint: dict[str, Any], action: str, **members: Any) -> None:
    with server.client(ADMIN_SECRET) as api:
        path = f"/v1/complaints/{complaint['id']}/transitions"
        api.post(path, json={"action": action, **members}).raise_for_status()


def _answers(server: RunningServer, complaint: dict[str, Any]) -> int:
    """How often the complaint was responded to."""
    with server.client(ADMIN_SECRET) as api:
        events = api.get(f"/v1/complaints/{complaint['id']}/timeline").json()["items"]
    return [one["type"] for one in events].count("complaint.responded")


def _open(page: Page, server: RunningServer, complaint: dict[str, Any], action: str = "respond") -> None:
    page.goto(f"{server.url}/console/complaints/{complaint['number']}/actions")
    if action in ("edit", "promise"):
        page.locator("#actions .more summary").click()
    page.locator(f"#actions a[href$='/actions/{action}']").click()
    expect(page.locator("#act")).to_be_visible()


def _fill_in(page: Page) -> None:
    page.fill("#act textarea", TEXT)
    page.select_option("#act [name=contact_channel]", "phone")
    page.focus("#act textarea")


def _fulfil_once(page: Page, **answer: Any) -> None:
    """Answer the next form in place of the server."""
    answer_once(page, "**/actions/respond", lambda route: route.fulfill(**answer))


def test_what_is_typed_survives_every_failure(
    open_tab: Callable[..., Tab],
    tmp_path: Path,
    migrated_database_url: Callable[[str], str],
    fork_server: ForkServer,
) -> None:
    tab = open_tab(viewport={"width": DESKTOP, "height": 900}, timezone_id="Asia/Shanghai")
    page = tab.page
    with launching(tmp_path, fork_server) as launcher:
        url = migrated_database_url("sqlite")
        server = launcher.serve(url, sandbox=1)
        port = int(server.url.rpartition(":")[2])
        sign_in_at(server, tab, "li.wei", "supervisor", scope="all")
        complaint = _post(server)
        _open(page, server, complaint)
        _fill_in(page)
        tab.expected = {401, 409, 412, 422, 500, 502}

        # A proxy answers for the server, then the server fails.
        _fulfil_once(page, status=502, content_type="text/html", body=PROXY_PAGE)
        page.keyboard.press(SENDS)
        expect(page.locator("#flash")).to_contain_text("status 502")
        ours = {"Vary": "HX-Request", "HX-Retarget": "#flash", "HX-Reswap": "innerHTML"}
        _fulfil_once(page, status=500, headers=ours, content_type="text/html", body="<p>Internal error</p>")
        page.keyboard.press(SENDS)
        expect(page.locator("#flash")).to_have_text("Internal error")
        expect(page.locator("#act textarea")).to_have_value(TEXT)

        # The server stops in the middle of typing. The page is loaded again after it is back.
        server.process.send_signal(signal.SIGTERM)
        server.wait()
        page.focus("#act textarea")
        page.keyboard.press("End")
        page.keyboard.type("!")
        page.keyboard.press(SENDS)
        expect(page.locator("#flash")).to_contain_text("cannot be reached")
        server = launcher.serve(url, sandbox=1, port=port)
        tab.faults[:] = [
            one for one in tab.faults if not re.search("CONNECTION_REFUSED|Failed to fetch", one)
        ]
        _open(page, server, complaint)
        expect(page.locator("#act textarea")).to_have_value(TEXT + "!")
        expect(page.locator("[data-draft-note]")).to_contain_text("Draft of")
        assert page.input_value("#act [name=contact_channel]") == "phone"

        # The session ends. The same form goes out once more after the sign-in, and does its work once.
        end_session_with(page, "**/actions/respond")
        page.focus("#act textarea")
        page.keyboard.press(SENDS)
        dialog = page.locator("dialog#sign-in")
        expect(dialog).to_be_visible()
        dialog.locator("[name=password]").fill("wrong words are long")
        dialog.locator("button.primary").click()
        expect(dialog.locator(".fault")).to_be_visible()
        dialog.locator("[name=password]").fill(PASSWORD)
        dialog.locator("button.primary").click()
        expect(page.locator("#flash")).to_have_text("The answer is on record.")
        assert _answers(server, complaint) == 1
        assert page.evaluate("Object.keys(localStorage)") == []
        _open(page, server, complaint)
        expect(page.locator("#act textarea")).to_have_value("")

        # An action that is no longer possible.
        page.fill("#act textarea", TEXT)
        page.keyboard.press(SENDS)
        expect(page.locator("#note-contact_channel")).to_have_text("Fill this in.")
        expect(page.locator("#act textarea")).to_have_value(TEXT)
        _act(server, complaint, "withdraw", reason="Taken back")
        _fill_in(page)
        page.keyboard.press(SENDS)
        expect(page.locator("#action-notice")).to_contain_text("It cannot be sent any more")
        expect(page.locator("#act textarea")).to_have_value(TEXT)
        page.keyboard.press(SENDS)
        expect(page.locator("#action-notice")).to_contain_text("It cannot be sent any more")
        assert _answers(server, complaint) == 1

        # A conflict leaves the form as it is.
        ended = _post(server)
        _open(page, server, ended, "promise")
        page.fill("#act textarea", TEXT)
        page.fill("#act [name=due_at]", "2030-01-06T09:00")
        _act(server, ended, "withdraw", reason="Taken back")
        page.focus("#act textarea")
        page.keyboard.press(SENDS)
        expect(page.locator("#flash")).to_contain_text("takes no promise")
        expect(page.locator("#act textarea")).to_have_value(TEXT)

        # Another user who signs in sends nothing of what this one typed, and does not see it.
        make_user(server, "wang.min", "supervisor", scope="all")
        third = _post(server)
        _open(page, server, third)
        _fill_in(page)
        end_session_with(page, "**/actions/respond")
        page.keyboard.press(SENDS)
        dialog.locator("[name=login]").fill("wang.min")
        dialog.locator("[name=password]").fill(PASSWORD)
        dialog.locator("button.primary").click()
        expect(page.locator("body")).to_have_attribute("data-login", "wang.min")
        _open(page, server, third)
        expect(page.locator("#act textarea")).to_have_value("")
        assert _answers(server, third) == 0
        sign_in_at(server, tab, "li.wei")
        _open(page, server, third)
        expect(page.locator("#act textarea")).to_have_value(TEXT)
        page.close()
    tab.faults[:] = [one for one in tab.faults if not re.search("CONNECTION_REFUSED|Failed to fetch", one)]


@pytest.mark.parametrize("server", DATABASE_KINDS, indirect=True)
def test_two_browsers_on_one_complaint(open_tab: Callable[..., Tab], server: RunningServer) -> None:
    first, second = (open_tab(viewport={"width": DESKTOP, "height": 900}) for _ in range(2))
    sign_in_at(server, first, "li.wei", "supervisor", scope="all")
    sign_in_at(server, second, "wang.min", "supervisor", scope="all")
    first.expected = {412}
    complaint = _post(server)
    _open(first.page, server, complaint)
    _fill_in(first.page)
    _open(second.page, server, complaint, "assign")
    second.page.select_option("#act [name=assignee]", "wang.min")
    second.page.click("#act .btn.primary")
    expect(second.page.locator("#flash")).to_have_text("Assigned.")

    first.page.keyboard.press(SENDS)
    notice = first.page.locator("#action-notice")
    expect(notice).to_contain_text("Wang Min assigned it")
    expect(notice).to_contain_text("Assignee is Wang Min")
    expect(first.page.locator("#actions a[href$='/hold']")).to_have_count(0)
    _act(server, complaint, "respond", message="First", contact_channel="web")
    first.page.evaluate("document.body.dispatchEvent(new CustomEvent('console:complaint-changed'))")
    expect(
        first.page.locator("#actions a[href$='/hold']")
    ).to_be_visible()  # the panel follows, the form stays
    first.page.keyboard.press(SENDS)
    expect(notice).to_contain_text("responded")
    expect(first.page.locator("#act textarea")).to_have_value(TEXT)
    first.check("actions-stale-en-light-1280")
    notice.locator(".btn.primary").click()
    expect(first.page.locator("#flash")).to_have_text("The answer is on record.")
    assert _answers(server, complaint) == 2

    # A draft is on the server 5 s after the last key, so it is found at another machine. It can be discarded there.
    _open(first.page, server, complaint, "resolve")
    first.page.fill("#act [name=resolution]", TEXT)
    expect(first.page.locator("[data-draft-note]")).to_contain_text("Draft kept", timeout=15_000)
    other = open_tab(viewport={"width": PHONES[0], "height": 800})
    sign_in_at(server, other, "li.wei")
    _open(other.page, server, complaint, "resolve")
    expect(other.page.locator("#act [name=resolution]")).to_have_value(TEXT)
    other.check("actions-draft-en-light-320")
    other.page.click("[data-draft-note] button")
    expect(other.page.locator("#act [name=resolution]")).to_have_value("")
    other.page.reload()
    _open(other.page, server, complaint, "resolve")
    expect(other.page.locator("#act [name=resolution]")).to_have_value("")


@pytest.mark.parametrize(("language", "scheme"), [("en-GB", "light"), ("zh-CN", "dark")])
def test_forms_by_keyboard_in_both_languages(
    open_tab: Callable[..., Tab], server: RunningServer, language: str, scheme: str
) -> None:
    tab = open_tab(viewport={"width": DESKTOP, "height": 900}, locale=language, color_scheme=scheme)
    page = tab.page
    sign_in_at(server, tab, "li.wei", "supervisor", scope="all")
    complaint, following = _post(server), _post(server, subject="Slow")
    list_of_two = [f"/console/complaints/{one['number']}" for one in (complaint, following)]
    _open(page, server, complaint)
    expect(page.locator("#act textarea")).to_be_focused()
    page.evaluate("list => sessionStorage.setItem('console-list', JSON.stringify(list))", list_of_two)
    page.locator(".templates summary").click()
    page.locator(".templates a").first.click()
    expect(page.locator("#act textarea")).not_to_have_value("")
    filled = page.input_value("#act textarea")
    assert complaint["number"] in filled
    for width in (*PHONES, DESKTOP):
        page.set_viewport_size({"width": width, "height": 900})
        tab.check(f"actions-respond-{language}-{scheme}-{width}")
    page.keyboard.press("Escape")
    expect(page.locator("#act")).to_have_count(0)
    expect(page.locator("#actions a[href$='/respond']")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#act textarea")).to_have_value(filled)
    page.select_option("#act [name=contact_channel]", "phone")
    tab.expected = {404}  # the page of the complaint that comes next
    page.focus("#act textarea")
    page.keyboard.press("Control+Shift+Enter")
    page.wait_for_url(f"**/console/complaints/{following['number']}")
    assert _answers(server, complaint) == 1
    _open(page, server, following, "edit")
    for width in (*PHONES, DESKTOP):
        page.set_viewport_size({"width": width, "height": 900})
        tab.check(f"actions-edit-{language}-{scheme}-{width}")
