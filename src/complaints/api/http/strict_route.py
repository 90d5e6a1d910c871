"""Endpoints that take JSON take it strictly: the right Content-Type, and a body read by `strict_json`."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import params
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from complaints.api.http import strict_json
from complaints.api.http.content_types import JSON, read_content_type
from complaints.api.problems.refusals import CarriedRefusal, UnsupportedMediaType
from complaints.domain.errors import ComplaintError

_MERGE_PATCH = "application/merge-patch+json"
_USUAL = JSON.encode("ascii")


class StrictRoute(APIRoute):
    """A route whose JSON body is read strictly; routes that take forms, files or other types are left alone.

    Use it as `APIRouter(route_class=StrictRoute)`.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler FastAPI calls, given a request that reads its body strictly."""
        handle = super().get_route_handler()
        if not self._takes_json():
            return handle

        async def handle_strictly(request: Request) -> Response:
            return await handle(StrictRequest(request.scope, request.receive, request._send))

        return handle_strictly

    def _takes_json(self) -> bool:
        if self.body_field is None:
            return False
        field = self.body_field.field_info
        return (
            isinstance(field, params.Body) and not isinstance(field, params.Form) and field.media_type == JSON
        )


class StrictRequest(Request):
    """A request whose body, if there is one, must be `application/json` (415) and strict JSON (400, 422)."""

    async def body(self) -> bytes:
        """The body as sent; refused when it is there without the right Content-Type."""
        body = await super().body()
        if body:
            self._check_content_type()
        return body

    async def json(self) -> Any:
        """The body's JSON value, strictly read."""
        try:
            return strict_json.loads(await self.body())
        except ComplaintError as refusal:
            raise CarriedRefusal(refusal) from refusal

    def _check_content_type(self) -> None:
        sent = [value for name, value in self.scope["headers"] if name == b"content-type"]
        if sent == [_USUAL]:
            return
        taken = (JSON, _MERGE_PATCH) if self.method == "PATCH" else (JSON,)
        found = read_content_type(sent[0].decode("latin-1")) if len(sent) == 1 else None
        if found is None or found.media_type not in taken or not found.is_utf8:
            detail = f"Send the body as Content-Type: {' or '.join(taken)}, in UTF-8."
            raise CarriedRefusal(UnsupportedMediaType(detail))
