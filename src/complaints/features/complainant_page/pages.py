"""`GET /c/{token}` and `POST /c/{token}`: the complainant's page, and its form for a message."""

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from importlib import resources
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlencode

from fastapi import Depends, Request
from starlette.responses import RedirectResponse, Response

from complaints.api.http.content_types import read_content_type
from complaints.api.http.prefixed_router import PrefixedRouter
from complaints.api.http.request_heads import address_of, find_header, refuse_other_sites
from complaints.api.problems.html_pages import Pages
from complaints.api.problems.languages import Language, choose_language, language_headers
from complaints.api.problems.refusals import RefusalCarrier, UnsupportedMediaType
from complaints.api.problems.written_times import name_zone, write_time
from complaints.api.request import get_service
from complaints.domain.errors import NotFound
from complaints.domain.visibility import has_visible_character
from complaints.features.complainant_page import use_cases
from complaints.features.complainant_page.use_cases import LoadedPage
from complaints.features.complainant_page.wording import TEXTS
from complaints.use_cases.access import complainant_of
from complaints.use_cases.accounts.throttle import TooManyFailures
from complaints.use_cases.once import Answer, Attempt, answer_once
from complaints.use_cases.service import Service, Transaction

MOST_CHARACTERS = 10_000
_FORM = "application/x-www-form-urlencoded"
_MOST_FIELDS = 10
_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,64}")
_HEADERS = {
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
    "Cache-Control": "no-store",
}
_FILES = resources.files("complaints.features.complainant_page")
_NAMES = ("layout.html", "page.html", "missing.html")
_PAGES = Pages(
    {name: _FILES.joinpath(f"templates/{name}").read_text(encoding="utf-8") for name in _NAMES},
    style=_FILES.joinpath("style.css").read_text(encoding="utf-8").strip(),
    form_target="'self'",
)
router = PrefixedRouter(prefix=use_cases.PATH, include_in_schema=False)


@dataclass(frozen=True, slots=True)
class _Fault:
    """Why a message was not added: the key of the text, its parts, and the status of the answer."""

    key: str
    status: int = 422
    parts: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class _Form:
    """The form as it was sent. `page_token` is that of the page on which it stood."""

    text: str
    page_token: str
    is_readable: bool

    def find_fault(self) -> _Fault | None:
        """The first fault of the message."""
        if not self.is_readable or "\0" in self.text:
            return _Fault("unreadable")
        if not has_visible_character(self.text):
            return _Fault("empty")
        if len(self.text) > MOST_CHARACTERS:
            return _Fault("too_long", parts={"count": len(self.text), "most": MOST_CHARACTERS})
        return None if _TOKEN.fullmatch(self.page_token) else _Fault("stale")

    def attempt(self, token: str) -> Attempt:
        """The attempt to add this message: the same words from the same page are the same attempt."""
        key = hashlib.sha256(f"{self.page_token}\n{self.text}".encode()).hexdigest()
        return Attempt.of(complainant_of(""), f"{use_cases.PATH}/{token}", key, self.text.encode())


async def _read_form(request: Request) -> _Form:
    """The form. Raises RefusalCarrier for another media type."""
    if read_content_type(request.headers.get("content-type", "")).media_type != _FORM:
        raise RefusalCarrier(UnsupportedMediaType(f"Send the form as Content-Type: {_FORM}."))
    body = await request.body()
    try:
        fields = dict(
            parse_qsl(
                body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS
            )
        )
    except ValueError:
        return _Form("", "", is_readable=False)
    return _Form(fields.get("text", "").replace("\r\n", "\n"), fields.get("page_token", ""), is_readable=True)


@router.get("/{token}")
def show_page(request: Request, token: str) -> Response:
    """The page of a token. After a message the primary is read, so that the page has what was just written."""
    service = get_service(request)
    notice = request.query_params.get("done", "")
    notice = notice if notice in TEXTS[Language.ENGLISH]["notices"] else ""
    reader: Service = service if notice else request.app.state.replica or service
    try:
        loaded = reader.read(lambda tx: use_cases.load_page(reader, tx, token))
    except NotFound:
        return _missing(request)
    return _shown(request, loaded, notice=notice)


@router.post("/{token}")
def add_message(request: Request, token: str, form: Annotated[_Form, Depends(_read_form)]) -> Response:
    """Add the message as a contact on the complaint, and go back to the page: a reload sends nothing again."""
    _refuse_other_sites(request)
    service = get_service(request)
    try:
        loaded = service.read(lambda tx: use_cases.load_page(service, tx, token))
    except NotFound:
        return _missing(request)
    fault = form.find_fault()
    if fault is None:
        try:
            answer = answer_once(
                service.write, form.attempt(token), lambda tx: _write(request, tx, token, form.text)
            )
            return _sent_on(request, answer)
        except TooManyFailures as refusal:
            fault = _Fault("too_often", 429, {"seconds": refusal.seconds})
    return _shown(request, loaded, fault=fault, written=form.text)


def _write(request: Request, tx: Transaction, token: str, text: str) -> Answer:
    """Add a message. The answer names the page to go to: that of the new complaint, if the message began one."""
    service, now = get_service(request), request.app.state.wall()
    added = use_cases.add_message(service, tx, token, text, address=address_of(request), now=now)
    if added.recurrence_of is None:
        address = f"{use_cases.PATH}/{token}?done=added"
    else:
        address = use_cases.link_of(service, tx, added.complaint.id).path + "?done=added_new"
    return Answer(303, b"", {"Location": address})


def _sent_on(request: Request, answer: Answer) -> Response:
    chosen = request.query_params.get("lang")
    language = "&" + urlencode({"lang": chosen}) if chosen in list(Language) else ""
    return RedirectResponse(answer.headers["Location"] + language, 303, _HEADERS)


def _refuse_other_sites(request: Request) -> None:
    """Refuse a form of another site. Raises CrossSiteRequest.

    The page asks for no referrer, so a browser without `Sec-Fetch-Site` sends `Origin: null` with the form. Then the
    token in the address decides alone: nobody else knows it.
    """
    scope = request.scope
    if find_header(scope, b"sec-fetch-site") or find_header(scope, b"origin") != "null":
        refuse_other_sites(scope, silent_too=False)


def _missing(request: Request) -> Response:
    return _answer(request, "missing.html", _language_for(request, None), status=404)


def _shown(
    request: Request, loaded: LoadedPage, *, notice: str = "", fault: _Fault | None = None, written: str = ""
) -> Response:
    language = _language_for(request, loaded.language)
    said = TEXTS[language]["faults"][fault.key].format(**(fault.parts or {})) if fault else ""
    answer = _answer(
        request,
        "page.html",
        language,
        status=fault.status if fault else 200,
        page=loaded.content,
        notice=notice,
        fault=said,
        written=written,
        most=MOST_CHARACTERS,
        page_token=secrets.token_urlsafe(16),
        write_time=partial(write_time, language=language),
        name_zone=partial(name_zone, language=language),
    )
    if fault and fault.parts and "seconds" in fault.parts:
        answer.headers["Retry-After"] = str(fault.parts["seconds"])
    return answer


def _answer(request: Request, template: str, language: Language, *, status: int, **values: Any) -> Response:
    other = Language.ENGLISH if language is Language.CHINESE else Language.CHINESE
    named = {"tag": other, "code": TEXTS[other]["code"], "name": TEXTS[other]["name"]}
    answer = _PAGES.page(template, status=status, t=TEXTS[language], tag=language, other=named, **values)
    answer.headers.update(_HEADERS | language_headers(language))
    return answer


def _language_for(request: Request, spoken: str | None) -> Language:
    """The language that the reader chose, else that of the complainant, else one that the browser prefers."""
    chosen = request.query_params.get("lang")
    if chosen in list(Language):
        return Language(chosen)
    primary = re.split("[-_]", spoken or "")[0].lower()
    if primary in list(Language):
        return Language(primary)
    return choose_language(",".join(request.headers.getlist("accept-language")))
