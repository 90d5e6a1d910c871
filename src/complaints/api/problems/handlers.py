"""The exception handlers: they turn exceptions into problems, so no endpoint needs to know HTTP errors."""

import http
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Match

from complaints.api.problems.catalogue import (
    PROBLEMS,
    Problem,
    faults_as_errors,
    problem_for,
    problem_response,
)
from complaints.api.problems.refusals import HttpRefusal, RefusalCarrier
from complaints.domain.errors import ComplaintError, clip
from complaints.use_cases.commands.messages import as_errors

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_BY_STATUS = {
    400: "bad-request",
    401: "unauthenticated",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    408: "request-timeout",
    409: "conflict",
    412: "stale-version",
    413: "payload-too-large",
    415: "unsupported-media-type",
    422: "invalid-content",
    503: "service-unavailable",
}


def install_problem_handlers(app: FastAPI) -> None:
    """Answer every refusal, validation failure and HTTP error of `app` with `application/problem+json`."""
    app.add_exception_handler(ComplaintError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _raise_again)


async def _raise_again(_request: Request, error: Exception) -> Response:
    """Leave an unexpected failure to `RequestIds`. Starlette would answer it with a plain text."""
    raise error


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, ComplaintError)
    return refusal_response(request, error)


def refusal_response(request: Request, refusal: ComplaintError) -> Response:
    """The answer to a refusal. Middleware calls it too, because exception handlers do not cover middleware."""
    problem = _noted(request, problem_for(refusal, request.app.state.problems))
    return problem_response(
        problem,
        detail=refusal.detail,
        scope=request.scope,
        errors=faults_as_errors(refusal.faults),
        allowed=refusal.allowed,
        headers=refusal.headers if isinstance(refusal, HttpRefusal) else None,
    )


def _noted(request: Request, problem: Problem) -> Problem:
    request.scope.setdefault("state", {})["problem"] = problem.code
    return problem


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found = error.errors()
    code, detail = _judge(found)
    problem = _noted(request, PROBLEMS[code])
    shapes = _shapes(request)
    errors = as_errors(found, body=error.body, **shapes) if code in ("invalid-content", "bad-request") else []
    return problem_response(
        problem,
        detail=detail or "; ".join(fault["message"].removesuffix(".") for fault in errors[:3]),
        scope=request.scope,
        errors=errors,
    )


def _shapes(request: Request) -> dict[str, Any]:
    """The types of the body and of the query of the route that the request reached."""
    route = request.scope.get("route")
    if not isinstance(route, APIRoute):
        return {}
    queries = [one.field_info.annotation for one in route.dependant.query_params]
    return {
        "shape": route.body_field.field_info.annotation if route.body_field else None,
        "query": queries[0] if queries else None,
    }


def _judge(found: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """The code of the problem for a validation failure, and its detail. The detail is "" if the faults say it."""
    if any(one["type"] == "json_invalid" for one in found):
        return "malformed-json", "The body is not valid JSON."
    if any(one["loc"][0] == "path" for one in found):
        return "not-found", "There is nothing at this address: its path holds something that is not an id."
    if any(one["type"] == "extra_forbidden" and one["loc"][0] == "query" for one in found):
        return "bad-request", ""
    return "invalid-content", ""


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if isinstance(error, RefusalCarrier):
        return refusal_response(request, error.refusal)
    if isinstance(error.__cause__, ClientDisconnect):
        # FastAPI reports an unreadable body, but the client has left: there is nobody to answer.
        raise error.__cause__
    if error.status_code < 400:
        return Response(status_code=error.status_code, headers=error.headers)
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = ", ".join(_allowed_methods(request))
    return problem_response(
        _noted(request, _problem_by_status(error.status_code)),
        detail=_detail(error, request),
        scope=request.scope,
        headers=headers,
    )


def _problem_by_status(status: int) -> Problem:
    if status in _BY_STATUS:
        return PROBLEMS[_BY_STATUS[status]]
    nearest = PROBLEMS["bad-request" if status < 500 else "internal-error"]
    return replace(nearest, status=status, title_en=_phrase(status), headers={})


def _phrase(status: int) -> str:
    return http.HTTPStatus(status).phrase if status in set(http.HTTPStatus) else "Refused"


def _detail(error: HTTPException, request: Request) -> str:
    said = str(error.detail)
    if said != _phrase(error.status_code):
        return said
    if error.status_code == 404:
        return "There is nothing at this address."
    if error.status_code == 405:
        return f"{clip(request.method, 20)} is not allowed here; see the Allow header."
    return said


def _allowed_methods(request: Request) -> list[str]:
    """The methods of all routes at this path. Starlette would list the methods of one route only.

    A path without ids, such as `/policies/validate`, has the methods of its own routes. Routes that would read its
    last word as an id do not count.
    """
    routes = request.app.router.routes
    own = [one.methods or () for one in iter_route_contexts(routes) if one.path_format == request.url.path]
    known = {method for methods in own for method in methods} or {
        method
        for method in _METHODS
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in routes)
    }
    if "GET" in known:
        known.add("HEAD")  # `RequestIds` answers it as GET
    return [method for method in _METHODS if method in known]
