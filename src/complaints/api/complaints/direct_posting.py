"""The short way of a post: a post in order goes to the group commit without FastAPI, which costs more than the rest.

Any other request goes on to the route with its body, and the route answers or refuses it. So the description of the
API and the refusals stand in one place.
"""

from fastapi import Request
from pydantic import ValidationError
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from complaints.api.complaints.routes import answer_post
from complaints.api.http import strict_json
from complaints.api.http.strict_route import has_plain_json_type
from complaints.api.http.whole_body import WholeBody
from complaints.api.problems.handlers import refusal_response
from complaints.api.request import make_attempt, read_idempotency_key
from complaints.domain.errors import ComplaintError
from complaints.use_cases.access import Caller, Right
from complaints.use_cases.commands.complaints import CreateComplaint
from complaints.use_cases.complaints.intake_checks import IntakeRequest

_PATH = "/v1/complaints"


class DirectPosting:
    """Answers a post of a complaint that is in order. It stands behind keys and limits. Pure ASGI."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or pass it on with its body."""
        if scope["type"] != "http" or not _may_be_in_order(scope):
            await self._app(scope, receive, send)
            return
        scope["state"]["route"] = _PATH
        body = await WholeBody.read(scope, receive, send)
        if body is None:
            return
        post = None if body.content is None else _read_post(scope, body.content)
        if post is None:
            await self._app(scope, body.receive, send)
            return
        response = await _answer(scope, post)
        await response(scope, receive, send)


async def _answer(scope: Scope, post: IntakeRequest) -> Response:
    try:
        return await answer_post(scope, post)
    except ComplaintError as refusal:  # exception handlers do not cover middleware
        return refusal_response(Request(scope), refusal)


def _may_be_in_order(scope: Scope) -> bool:
    """True for a post of a complaint whose head the route would not refuse."""
    return (
        scope["path"] == _PATH
        and scope["method"] == "POST"
        and not scope["query_string"]
        and has_plain_json_type(scope)
        and Right.CREATE in scope["state"]["caller"].rights
    )


def _read_post(scope: Scope, body: bytes) -> IntakeRequest | None:
    """The post with this body; None if the route would refuse it."""
    caller: Caller = scope["state"]["caller"]
    try:
        key = read_idempotency_key(scope)
        command = CreateComplaint.model_validate(strict_json.loads(body))
    except (ComplaintError, ValidationError):
        return None
    return IntakeRequest(caller, command, None if key is None else make_attempt(scope, key, body))
