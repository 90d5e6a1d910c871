"""Query parameters that take one value: a route refuses one that is sent twice."""

from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Iterator
from typing import Any, get_args, get_origin

from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from complaints.api.problems.refusals import BadRequest, RefusalCarrier
from complaints.domain.errors import Fault


class QueryRoute(APIRoute):
    """A route that refuses a parameter that is sent twice but takes one value. FastAPI would take the last value."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler of FastAPI. It gets requests without such a parameter only."""
        handle, single = super().get_route_handler(), frozenset(_find_single(self))
        if not single:
            return handle

        async def handle_query(request: Request) -> Response:
            if request.scope["query_string"]:
                sent = (name for name, _ in request.query_params.multi_items())
                if faults := find_repeated(sent, single):
                    detail = "; ".join(fault.message.removesuffix(".") for fault in faults[:3])
                    raise RefusalCarrier(BadRequest(detail, faults=faults))
            return await handle(request)

        return handle_query


def find_repeated(sent: Iterable[str], single: frozenset[str]) -> list[Fault]:
    """The faults of the names that were sent twice, of those that take a `single` value."""
    return [
        Fault("", f"{name} must be sent once only.", name)
        for name, times in Counter(sent).items()
        if times > 1 and name in single
    ]


def single_parameters(query: type[BaseModel]) -> frozenset[str]:
    """The names of the parameters of a query that take one value."""
    return frozenset(
        info.alias or name for name, info in query.model_fields.items() if not _takes_list(info.annotation)
    )


def _find_single(route: APIRoute) -> Iterator[str]:
    for one in route.dependant.query_params:
        kind: Any = one.field_info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from single_parameters(kind)
        elif not _takes_list(kind):
            yield one.alias


def _takes_list(annotation: Any) -> bool:
    """True if a parameter of this type takes several values, such as `list[Status] | None`."""
    return get_origin(annotation) is list or any(map(_takes_list, get_args(annotation)))
