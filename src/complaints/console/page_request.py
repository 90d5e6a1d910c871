"""One request to the console: who reads, in which language and zone, and the ways to read, write and answer."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from complaints.api.http.authentication import find_caller
from complaints.api.problems.languages import Language, language_of
from complaints.api.problems.refusals import Unauthenticated
from complaints.console.locale import Locale
from complaints.console.rendering import html_response, render
from complaints.console.views.clock_badges import clock_words
from complaints.domain.errors import InvalidContent
from complaints.domain.staff import User
from complaints.domain.time.zones import zone_of
from complaints.use_cases.access import Caller, Right
from complaints.use_cases.bulk import BulkWork, answer_in_parts
from complaints.use_cases.once import Answer, Attempt, answer_once
from complaints.use_cases.replica import service_for
from complaints.use_cases.service import Service, Transaction
from complaints.use_cases.work.preferences import UserPreference, load_preference

LANGUAGE_COOKIE, ZONE_COOKIE, THEME_COOKIE = "console-language", "console-zone", "console-theme"
"""Cookies of the browser. They hold until the user has a preference, and on the page to sign in."""

MENU = {
    "overdue": Right.READ,
    "work": Right.WORK,
    "follow-ups": Right.READ,
    "inbox": Right.READ_OWN,
    "dashboard": Right.READ,
    "settings": Right.READ,
}
"""The pages of the main menu in their order, each with the right that it needs."""

GO_KEYS = {"overdue": "o", "work": "m", "follow-ups": "f", "dashboard": "d", "inbox": "i"}
"""The keys that open a page of the main menu, after `g`."""

HOME = "/console/"

_UTC = "UTC"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Viewer:
    """The user who reads. `theme` is `light` or `dark`; None: as the browser prefers."""

    caller: Caller
    user: User
    locale: Locale
    theme: str | None
    single_keys: bool

    @property
    def pages(self) -> list[str]:
        """The names of the pages in the main menu that the user may open."""
        return [name for name, right in MENU.items() if right in self.caller.rights]

    @property
    def go_keys(self) -> dict[str, str]:
        """The keys after `g`, by the names of the pages that the user may open."""
        return {name: key for name, key in GO_KEYS.items() if name in self.pages}


@dataclass(frozen=True, slots=True)
class PageRequest:
    """A request of a user who is signed in. `service` reads and writes as the user may.

    `now` is the time of its begin by the clock of complaints, in UTC.
    """

    http: Request
    service: Service
    viewer: Viewer
    now: datetime

    @property
    def caller(self) -> Caller:
        """The user as a caller of use cases."""
        return self.viewer.caller

    @property
    def locale(self) -> Locale:
        """The language and the zone of the user."""
        return self.viewer.locale

    @property
    def is_partial(self) -> bool:
        """True if a script of the page asks for a part of it."""
        return is_partial(self.http)

    def read(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` on one snapshot of the database."""
        return self.service.read(work)

    def submit(self, key: str, content: bytes, work: Callable[[Transaction], Answer]) -> Answer:
        """Do what a form asks in one transaction. The same form sent again gets the first answer.

        `key` is the `attempt` of the form, and `content` its values. Raises the refusals of `work`.
        """
        attempt = Attempt.of(self.caller, self.http.scope["path"], key, content)
        return answer_once(self.service.write, attempt, work)

    def submit_in_parts(self, key: str, content: bytes, work: BulkWork) -> Answer:
        """As `submit`, for work on many items in several transactions. A refused item stops no other."""
        attempt = Attempt.of(self.caller, self.http.scope["path"], key, content)
        return answer_in_parts(self.service, attempt, work)

    def configure(self, key: str, content: bytes, work: Callable[[Transaction], Answer]) -> Answer:
        """As `submit`, for a form that changes the configuration: this process uses the change at once."""
        attempt = Attempt.of(self.caller, self.http.scope["path"], key, content)
        return answer_once(self.service.configure, attempt, work)

    def page(self, template: str, *, status: int = 200, **values: Any) -> Response:
        """The answer with a page or a fragment. Templates also get `viewer`, `now`, `path`, and `here` with the query.

        A script of the page hears of the answer to a form by `console:acted`, and asks for the counts again.
        """
        path, query = self.http.url.path, self.http.url.query
        here = (f"{path}?{query}" if query else path) if self.http.method == "GET" else HOME
        fixed = {"viewer": self.viewer, "path": path, "here": here, "now": self.now}
        words = {"clock_words": clock_words(self.locale)}
        content = render(template, locale=self.locale, **{**fixed, **words, **values})
        headers = {} if self.http.method == "GET" else {"HX-Trigger": "console:acted"}
        return html_response(content, status=status, headers=headers)


def own_page(address: str) -> str:
    """The address if it is a page of the console, else the first page: a link must not lead to another site."""
    is_own = (
        address.startswith(HOME)
        and not any(part in address for part in ("\\", ".."))
        and address.isprintable()
    )
    return address if is_own else HOME


def is_partial(request: Request) -> bool:
    """True if a script of a page sent the request: it puts the answer into the page."""
    return request.headers.get("hx-request") == "true"


async def read_page_request(request: Request) -> PageRequest:
    """The request of a user. Raises Unauthenticated without a session: a key is no user."""
    caller = await find_caller(request.scope)
    if not caller.has_session or caller.login is None:
        raise Unauthenticated("The console needs a session: sign in.")
    request.scope["state"]["caller"] = caller
    primary, login = request.app.state.service, caller.login
    user, preference, now = await run_in_threadpool(primary.read, lambda tx: _find_user(primary, tx, login))
    service = service_for(primary, request.app.state.replica, caller)
    locale = locale_of(request, preference)
    theme = preference.theme or theme_of(request)
    return PageRequest(request, service, Viewer(caller, user, locale, theme, preference.single_keys), now)


def _find_user(primary: Service, tx: Transaction, login: str) -> tuple[User, UserPreference, datetime]:
    """The user on the primary: an auditor reads from a replica, and has chosen a preference a moment ago.

    Raises Unauthenticated for an unknown login.
    """
    user = primary.configuration(tx).directory.users.get(login)
    if user is None:
        raise Unauthenticated("The session has ended: sign in again.")
    return user, load_preference(tx, login), tx.now


def locale_of(request: Request, preference: UserPreference = UserPreference()) -> Locale:  # noqa: B008 - a value
    """The language and zone of a reader: the preference of the user, else the cookies, else the browser's language."""
    language = preference.language or request.cookies.get(LANGUAGE_COOKIE)
    zone = preference.zone or request.cookies.get(ZONE_COOKIE, _UTC)
    chosen = Language(language) if language in list(Language) else language_of(request.scope)
    return Locale(chosen, zone if _is_zone(zone) else _UTC)


def _is_zone(zone: str) -> bool:
    try:
        zone_of(zone)
    except (InvalidContent, ValueError):
        return False
    return True


def theme_of(request: Request) -> str | None:
    """The theme in the cookie of the browser, for a page that nobody is signed in to read. None: as it prefers."""
    theme = request.cookies.get(THEME_COOKIE)
    return theme if theme in ("light", "dark") else None


SignedIn = Annotated[PageRequest, Depends(read_page_request)]
"""The request of a user who is signed in."""
