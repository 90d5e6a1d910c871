"""The route class of endpoints with JSON bodies: it demands the Content-Type and reads with `strict_json`."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import params
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from complaints.api.http import strict_json
from complaints.api.http.content_types import JSON, read_content_type
from complaints.api.http.csv_lists import ListRoute
from complaints.api.problems.refusals import BadRequest, RefusalCarrier, UnsupportedMediaType
from complaints.domain.errors import ComplaintError, clip

_MERGE_PATCH = "application/merge-patch+json"
_PLAIN = [JSON.encode("ascii")]


class StrictRoute(ListRoute):
    """A route that reads its JSON body strictly. Forms, files and other types are read as FastAPI does.

    A list is also answered as CSV.

    Use it as `APIRouter(route_class=StrictRoute)`.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler of FastAPI. It gets a StrictRequest if the route has a JSON body.

        A query is refused if the route has no parameters. Routes with parameters refuse unknown ones on their own.
        """
        handle = super().get_route_handler()
        takes_json, takes_query = self._takes_json(), bool(self.dependant.query_params)

        async def handle_strictly(request: Request) -> Response:
            if request.scope["query_string"] and not takes_query:
                _refuse_query(request)
            if not takes_json:
                return await handle(request)
            return await handle(StrictRequest(request.scope, request.receive, request._send))

        return handle_strictly

    def _takes_json(self) -> bool:
        if self.body_field is None:
            return False
        field = self.body_field.field_info
        return (
            isinstance(field, params.Body) and not isinstance(field, params.Form) and field.media_type == JSON
        )


def _refuse_query(request: Request) -> None:
    """Raise RefusalCarrier for the first parameter of the query."""
    name = clip(next(iter(request.query_params), ""), 100)
    message = f"{name or 'the query'} is unknown here; check its spelling, or leave it out."
    raise RefusalCarrier(BadRequest.in_query(name, message))


class StrictRequest(Request):
    """A request with strict JSON as its body. Other media types are a 415; faults are a 400 or 422."""

    async def body(self) -> bytes:
        """The bytes of the body. Raises RefusalCarrier for a body with a wrong Content-Type."""
        body = await super().body()
        if body:
            self._check_content_type()
        return body

    async def json(self) -> Any:
        """The JSON value of the body. Raises RefusalCarrier if it is not strict JSON."""
        try:
            return strict_json.loads(await self.body())
        except ComplaintError as refusal:
            raise RefusalCarrier(refusal) from refusal

    def _check_content_type(self) -> None:
        if has_plain_json_type(self.scope):
            return
        sent = _sent_types(self.scope)
        taken = (JSON, _MERGE_PATCH) if self.method == "PATCH" else (JSON,)
        found = read_content_type(sent[0].decode("latin-1")) if len(sent) == 1 else None
        if found is None or found.media_type not in taken or not found.is_utf8:
            detail = f"Send the body as Content-Type: {' or '.join(taken)}, in UTF-8."
            raise RefusalCarrier(UnsupportedMediaType(detail))


def has_plain_json_type(scope: Scope) -> bool:
    """True if the request has one Content-Type, which is `application/json` without parameters."""
    return _sent_types(scope) == _PLAIN


def _sent_types(scope: Scope) -> list[bytes]:
    return [value for name, value in scope["headers"] if name == b"content-type"]
