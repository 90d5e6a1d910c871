"""Lists as CSV: a route that answers with a page of items answers `Accept: text/csv` with the same page as rows.

The columns follow from the schema of an item, so no endpoint knows of CSV.
"""

import json
from collections.abc import Callable, Coroutine
from typing import Any, get_args
from urllib.parse import parse_qsl, urlencode

from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from complaints.api.http.content_types import JSON
from complaints.api.http.query_route import QueryRoute
from complaints.api.openapi.queries import resolve_schema
from complaints.api.problems.media_ranges import accepts_rather
from complaints.use_cases.table_files.cells import Column, columns_of, text_of
from complaints.use_cases.table_files.csv_text import CSV_TYPE, write_lines

ITEMS, _NEXT = "items", "next_cursor"
_CURSORS = ("cursor", "after")
"""The parameters that take the cursor of a page. A list has one of them, or none."""

_CSV_PAGE = {
    "title": "CsvPage",
    "description": "A page as CSV (RFC 4180): a header with the names of the members, and a row for each item.",
    "type": "string",
}


class ListRoute(QueryRoute):
    """A route that answers a list as CSV if the caller asks for it. For other routes it is as `QueryRoute`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler of FastAPI. The answer becomes CSV after it."""
        handle, columns = super().get_route_handler(), _find_columns(self)
        if not columns:
            return handle

        async def handle_list(request: Request) -> Response:
            answer = await handle(request)
            return (
                await run_in_threadpool(_as_csv, request, answer, columns) if _wants_csv(request) else answer
            )

        return handle_list


def _find_columns(route: APIRoute) -> tuple[Column, ...]:
    """The columns of the list that the route answers. Empty: it answers no list."""
    page = route.responses.get(200, {}).get("model") or route.response_model
    if route.methods != {"GET"} or ITEMS not in getattr(page, "model_fields", ()):
        return ()
    shapes = [kind for kind in get_args(page.model_fields[ITEMS].annotation) if isinstance(kind, type)]
    return columns_of(shapes[0]) if shapes and issubclass(shapes[0], BaseModel) else ()


def _wants_csv(request: Request) -> bool:
    """True if the caller would rather have CSV than JSON."""
    return accepts_rather(request.headers.get("accept", ""), CSV_TYPE, than=JSON)


def _as_csv(request: Request, response: Response, columns: tuple[Column, ...]) -> Response:
    """The page as CSV, with the address of the next page in a `Link` header. Any other answer stays as it is."""
    if response.status_code != 200 or response.headers.get("content-type") != JSON:
        return response
    page = json.loads(bytes(response.body))
    shown = _picked(columns, request.query_params.get("fields"))
    rows = ([text_of(column.find_value(item)) for column in shown] for item in page[ITEMS])
    text = write_lines([[column.name for column in shown], *rows])
    made = Response(text, media_type=CSV_TYPE, headers={"Vary": "Accept"})
    made.headers["Content-Type"] = f"{CSV_TYPE}; charset=utf-8; header=present"
    if address := _find_next(request, page.get(_NEXT)):
        made.headers["Link"] = f'<{address}>; rel="next"'
    for name, value in response.headers.items():
        made.headers.setdefault(name, value)
    return made


def _picked(columns: tuple[Column, ...], fields: str | None) -> tuple[Column, ...]:
    """The columns of the members that `fields` names; None: all."""
    if fields is None:
        return columns
    names = set(fields.split(","))
    return tuple(column for column in columns if column.path[0] in names)


def _find_next(request: Request, cursor: str | None) -> str | None:
    """The address of the next page. None: there is no next page."""
    names = [name for name in _CURSORS if name in _parameters(request.scope["route"])]
    if cursor is None or not names:
        return None
    asked = parse_qsl(request.url.query, keep_blank_values=True)
    query = [*(pair for pair in asked if pair[0] != names[0]), (names[0], cursor)]
    return f"{request.url.path}?{urlencode(query)}"


def _parameters(route: APIRoute) -> set[str]:
    """The names of the parameters in the query of a route."""
    found: set[str] = set()
    for one in route.dependant.query_params:
        kind: Any = one.field_info.annotation
        is_model = isinstance(kind, type) and issubclass(kind, BaseModel)
        found |= set(kind.model_fields) if is_model else {one.alias}
    return found


def describe_csv(document: dict[str, Any]) -> None:
    """Add CSV to the answers of lists in an OpenAPI document, in place."""
    for operations in document.get("paths", {}).values():
        answer = operations.get("get", {}).get("responses", {}).get("200", {})
        shape = resolve_schema(answer.get("content", {}).get(JSON, {}).get("schema", {}), document)
        if ITEMS in shape.get("properties", {}):
            answer["content"][CSV_TYPE] = {"schema": {"$ref": "#/components/schemas/CsvPage"}}
            document["components"]["schemas"]["CsvPage"] = dict(_CSV_PAGE)
            answer.setdefault("headers", {})["Link"] = {
                "description": 'With `Accept: text/csv`: the address of the next page, with `rel="next"`.',
                "schema": {"type": "string"},
            }
