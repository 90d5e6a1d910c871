"""Routes to sign in at an OpenID provider: the way there, and the way back."""

import json
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

from fastapi import Query, Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from starlette.responses import RedirectResponse, Response

from complaints.api.accounts.sessions import visitor_of
from complaints.api.http.prefixed_router import PrefixedRouter
from complaints.api.http.session_cookies import make_cookie, read_cookie, read_session_token, session_cookie
from complaints.api.http.strict_route import StrictRoute
from complaints.api.problems.handlers import refusal_response
from complaints.api.problems.html_pages import Pages, prefers_html
from complaints.api.problems.schemas import refusals
from complaints.api.request import get_service
from complaints.domain.errors import ComplaintError, NotFound
from complaints.use_cases.accounts.sessions import SessionLimits

if TYPE_CHECKING:  # to load the libraries takes 0.2 s, and many installations have no provider
    from complaints.api.accounts.openid_sign_in import OpenIdSignIn

ATTEMPT_COOKIE = "complaints-openid"
AFTER_SIGN_IN = "/v1/me"
_OWN_PATH = re.compile(
    r"/(?![/\\])[!-\[\]-~]{0,999}"
)  # no second slash, no backslash: browsers take it for one
_PAGES = Pages(
    {
        "refused": """{% extends "layout" %}{% block title %}{{ p.title }}{% endblock %}{% block main %}
<h1 lang="{{ language }}">{{ p.title }}</h1>
<p lang="{{ language }}">{{ p.detail }}</p>
<p><a href="/v1/session/openid">Sign in again · 重新登录</a> · <a href="{{ p.type }}">Explanation · 说明</a></p>
{% endblock %}"""
    }
)
router = PrefixedRouter(prefix="/session/openid", tags=["accounts"], route_class=StrictRoute)


def _check_own_path(path: str) -> str:
    if not _OWN_PATH.fullmatch(path):
        raise ValueError("must be a path of this site, such as /v1/me")
    return path


class OpenIdBegin(BaseModel):
    """The query of a sign-in that begins."""

    model_config = ConfigDict(extra="forbid")

    next: Annotated[
        str,
        AfterValidator(_check_own_path),
        Field(description="The path of this site to go to after the sign-in."),
    ] = AFTER_SIGN_IN


class OpenIdReturn(BaseModel):
    """The query with which the provider sends the browser back. Providers may add parameters of their own."""

    code: Annotated[str | None, Field(description="The code that proves the sign-in.")] = None
    state: Annotated[str, Field(description="The state of the attempt to which the answer belongs.")] = ""
    error: Annotated[str | None, Field(description="The error, if nobody was signed in.")] = None
    iss: Annotated[str | None, Field(description="The issuer that answers (RFC 9207).")] = None


@router.get(
    "",
    status_code=302,
    response_class=RedirectResponse,
    responses={
        302: {"description": "The way to the provider"},
        **refusals(
            bad_request="Unknown parameter.",
            not_found="No provider is configured.",
            service_unavailable="The provider does not answer.",
        ),
    },
)
def begin_openid_sign_in(request: Request, query: Annotated[OpenIdBegin, Query()]) -> Response:
    """Begin to sign in at the OpenID provider: the answer sends the browser there.

    A cookie ties the attempt to this browser for ten minutes.
    """
    from complaints.use_cases.accounts import openid_attempts

    sign_in = _sign_in_of(request)
    attempt = openid_attempts.begin_attempt(query.next, request.app.state.wall())
    sealed = openid_attempts.seal_attempt(attempt, _secret_of(request))
    answer = RedirectResponse(sign_in.address_for(attempt), 302)
    answer.headers["Set-Cookie"] = _attempt_cookie(request, sealed, openid_attempts.ATTEMPT_LIFETIME)
    return answer


@router.get(
    "/callback",
    status_code=302,
    response_class=RedirectResponse,
    responses={
        302: {"description": "The way to the path that was asked for; the cookie has the session"},
        **refusals(
            openid_refused="The answer of the provider proves nothing to this browser.",
            sign_in_refused="The user is not active.",
            identity_not_linked="The user of the provider is linked to no user here.",
            forbidden="The user has no role.",
            not_found="No provider is configured.",
            service_unavailable="The provider does not answer.",
        ),
    },
)
def finish_openid_sign_in(request: Request, query: Annotated[OpenIdReturn, Query()]) -> Response:
    """Come back from the OpenID provider with a session in a cookie.

    The answer goes on to the path that was asked for. Each attempt works once, in the browser that began it. A
    browser gets refusals as a page.
    """
    try:
        answer = _finish(request, query)
    except ComplaintError as refusal:
        answer = _refused(request, refusal)
    answer.headers.append("Set-Cookie", _attempt_cookie(request, "", timedelta(0)))
    return answer


def _finish(request: Request, query: OpenIdReturn) -> Response:
    """Verify outside any transaction, and then open the session in one of its own."""
    from complaints.api.accounts.openid_sign_in import ProviderAnswer
    from complaints.use_cases.accounts import openid_attempts, provider_identities

    sign_in, service, state = _sign_in_of(request), get_service(request), request.app.state
    now = state.wall()
    sealed = read_cookie(request.scope, ATTEMPT_COOKIE)
    attempt = openid_attempts.unseal_attempt(sealed, _secret_of(request), state=query.state, now=now)
    service.write(lambda tx: openid_attempts.claim_attempt(tx, attempt, now))
    proven = sign_in.prove(attempt, ProviderAnswer(query.code, query.error, query.iss), now)
    _, token = provider_identities.sign_in_by(
        service,
        proven,
        links_by_email=sign_in.links_by_email,
        visitor=visitor_of(request),
        replaced=read_session_token(request.scope),
        now=now,
        limits=state.session_limits,
    )
    limits: SessionLimits = state.session_limits
    answer = RedirectResponse(attempt.next_path, 302)
    seconds = int(limits.absolute.total_seconds())
    answer.headers["Set-Cookie"] = session_cookie(request.scope, token, seconds=seconds)
    return answer


def _refused(request: Request, refusal: ComplaintError) -> Response:
    """The refusal as a problem, or as a page for a browser."""
    problem = refusal_response(request, refusal)
    if not prefers_html(request.headers.get("accept", "")):
        return problem
    page = _PAGES.page(
        "refused", p=json.loads(bytes(problem.body)), language=problem.headers["Content-Language"]
    )
    page.status_code = problem.status_code
    for name in ("WWW-Authenticate", "Retry-After"):
        if name in problem.headers:
            page.headers[name] = problem.headers[name]
    return page


def _sign_in_of(request: Request) -> "OpenIdSignIn":
    """The provider of this installation. Raises NotFound without one."""
    found: OpenIdSignIn | None = request.app.state.openid
    if found is None:
        raise NotFound("No OpenID provider is configured here: sign in by password.")
    return found


def _secret_of(request: Request) -> bytes:
    service = get_service(request)
    return service.read(service.configuration).secret


def _attempt_cookie(request: Request, sealed: str, lifetime: timedelta) -> str:
    return make_cookie(request.scope, ATTEMPT_COOKIE, sealed, seconds=int(lifetime.total_seconds()))
