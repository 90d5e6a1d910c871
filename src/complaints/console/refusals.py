"""Refusals as pages, or as parts of a page.

A script of a page puts a part into `#flash`, so a refusal never replaces what a reader typed. A script opens the
dialog to sign in for a 401, and sends the same form again afterwards.
"""

from urllib.parse import urlencode

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from complaints.api.problems.catalogue import PROBLEMS, Problem, problem_for
from complaints.api.problems.languages import Language
from complaints.api.problems.refusals import BadRequest, RefusalCarrier
from complaints.console.locale import Locale
from complaints.console.page_request import is_partial, locale_of, theme_of
from complaints.console.rendering import html_response, render
from complaints.domain.errors import ComplaintError, NotFound
from complaints.use_cases.access import LacksRight, Right, roles_with

_INTO_FLASH = {"HX-Retarget": "#flash", "HX-Reswap": "innerHTML"}


def install_refusals(console: FastAPI) -> None:
    """Answer every refusal and failure of the console with a page, or with a part for `#flash`."""
    console.add_exception_handler(ComplaintError, _refused)
    console.add_exception_handler(RequestValidationError, _unreadable)
    console.add_exception_handler(HTTPException, _http_error)
    console.add_exception_handler(Exception, _failed)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, ComplaintError)
    problem = problem_for(error, request.app.state.problems)
    request.scope["state"]["problem"] = problem.code
    if problem.status == 401 and not is_partial(request):
        return _to_sign_in(request)
    if isinstance(error, LacksRight):
        return _shown(request, problem, _say_roles(locale_of(request), error.right))
    locale = locale_of(request)
    return _shown(request, problem, locale.refusal(error.detail))


def _say_roles(locale: Locale, right: Right) -> str:
    """The roles that may do it. The refusal of the API speaks of keys, and a reader has none."""
    words = locale.texts.settings
    names = [locale.word("role", role) for role in roles_with(right)]
    return str(locale.texts.common.needs_role).format(roles=str(words.list_comma).join(names))


def _to_sign_in(request: Request) -> Response:
    asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    where = urlencode({"next": asked}) if request.method == "GET" else ""
    return RedirectResponse("/console/sign-in" + (f"?{where}" if where else ""), 303)


def _shown(request: Request, problem: Problem, detail: str) -> Response:
    locale = locale_of(request)
    chinese = locale.language is Language.CHINESE
    values = {
        "theme": theme_of(request),
        "status": problem.status,
        "title": problem.title_zh if chinese else problem.title_en,
        "detail": detail,
        "request_id": request.scope["state"].get("request_id", ""),
    }
    if is_partial(request):
        content = render("fragments/flash.html", locale=locale, **values)
        return html_response(content, status=problem.status, headers={**_INTO_FLASH, **problem.headers})
    content = render("pages/refused.html", locale=locale, **values)
    return html_response(content, status=problem.status, headers=dict(problem.headers))


async def _unreadable(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    names = ", ".join(sorted({str(fault["loc"][-1]) for fault in error.errors()}))
    return await _refused(request, BadRequest(f"The address has a value that cannot be read: {names[:100]}."))


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if isinstance(error, RefusalCarrier):
        return await _refused(request, error.refusal)
    if error.status_code == 404:
        return await _refused(request, NotFound("There is nothing at this address."))
    if error.status_code == 405:
        return _shown(request, PROBLEMS["method-not-allowed"], "")
    raise error


async def _failed(request: Request, _error: Exception) -> Response:
    """The page for an unexpected failure. Starlette raises the failure again, so the log has it."""
    return _shown(request, PROBLEMS["internal-error"], "")
