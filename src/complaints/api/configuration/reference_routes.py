"""The routes that categories, departments, teams and users have in common: list, get, create, change."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from inspect import cleandoc
from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel
from starlette.responses import Response

from complaints.api.http.prefixed_router import PrefixedRouter
from complaints.api.http.strict_route import StrictRoute
from complaints.api.pages import PageParameters, make_page
from complaints.api.problems.schemas import refusals
from complaints.api.request import ApiRequest, CurrentRequest, Reply, require_right
from complaints.domain.json_text import to_json
from complaints.use_cases.access import Right
from complaints.use_cases.configuration.reference_data import ReferenceKind
from complaints.use_cases.service import Configuration, Transaction

Kind = ReferenceKind[Any, Any, Any]
ChangeItem = Callable[[ApiRequest, str, Any], Response]  # the key and the command of the change


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteRoute:
    """A route that creates or changes an item.

    `body` is the type of the JSON body with its examples. `description` and `conflict` are texts for the
    OpenAPI document; `conflict` says when the route answers 409. The type of the body is known only at run
    time, so mypy cannot check the routes that take it.
    """

    body: Any
    description: str
    conflict: str | None = None

    @property
    def responses(self) -> dict[int | str, dict[str, Any]]:
        """The answer 409 for the OpenAPI document, if there is one."""
        return refusals(conflict=self.conflict) if self.conflict else {}


def make_reference_router(
    kind: Kind,
    *,
    schema: type[BaseModel],
    page_schema: type[BaseModel],
    create: WriteRoute,
    change: WriteRoute,
    read_right: Right = Right.READ_OWN,
    change_item: ChangeItem | None = None,
) -> APIRouter:
    """Make the router of one kind. `schema` describes an item in answers, `page_schema` a page of items.

    `change_item` changes an item, if its kind alone does not do it.
    """
    router = PrefixedRouter(prefix=f"/{kind.plural}", tags=["reference data"], route_class=StrictRoute)
    _add_read_routes(router, kind, schema, page_schema, read_right)
    _add_write_routes(router, kind, schema, create, change, change_item or _change_item_of(kind))
    return router


def _add_read_routes(
    router: APIRouter, kind: Kind, schema: type[BaseModel], page_schema: type[BaseModel], read_right: Right
) -> None:
    @router.get(
        "",
        name=f"list_{kind.plural}",
        description=f"Every {kind.noun}, by {kind.key}.",
        dependencies=[require_right(read_right)],
        responses={200: {"model": page_schema}},
    )
    def list_items(request: CurrentRequest, query: PageParameters) -> Response:
        def work(tx: Transaction) -> Reply:
            items = [item_json(item) for item in kind.items(_configuration(request, tx)).values()]
            return make_page(items, query, kind=kind.plural, order=[kind.key], shape=schema)

        return request.read(work)

    @router.get(
        f"/{{{kind.key}}}",
        name=f"get_{kind.noun}",
        description=f"One {kind.noun}.",
        dependencies=[require_right(read_right)],
        responses={200: {"model": schema}, **_not_found(kind)},
    )
    def get_item(request: CurrentRequest, key: Annotated[str, Path(alias=kind.key)]) -> Response:
        return request.read(lambda tx: (200, item_json(kind.load(_configuration(request, tx), key)), {}))


def _add_write_routes(
    router: APIRouter,
    kind: Kind,
    schema: type[BaseModel],
    create: WriteRoute,
    change: WriteRoute,
    change_item: ChangeItem,
) -> None:
    @router.post(
        "",
        name=f"create_{kind.noun}",
        description=cleandoc(create.description),
        status_code=201,
        dependencies=[require_right(Right.CONFIGURE)],
        responses={201: {"model": schema}, **refusals(conflict=f"The {kind.key} is taken.")},
    )
    def create_item(request: CurrentRequest, command: create.body) -> Response:  # type: ignore[name-defined]
        def work(tx: Transaction) -> Reply:
            item = item_json(kind.create(request.service, tx, request.caller, command))
            return 201, item, {"Location": f"/v1/{kind.plural}/{item[kind.key]}"}

        return request.configure(work)

    @router.patch(
        f"/{{{kind.key}}}",
        name=f"change_{kind.noun}",
        description=cleandoc(change.description),
        dependencies=[require_right(Right.CONFIGURE)],
        responses={200: {"model": schema}, **_not_found(kind), **change.responses},
    )
    def answer_change(
        request: CurrentRequest,
        key: Annotated[str, Path(alias=kind.key)],
        command: change.body,  # type: ignore[name-defined]
    ) -> Response:
        return change_item(request, key, command)


def _change_item_of(kind: Kind) -> ChangeItem:
    def change_item(request: ApiRequest, key: str, command: Any) -> Response:
        def work(tx: Transaction) -> Reply:
            return 200, item_json(kind.change(request.service, tx, request.caller, key, command)), {}

        return request.configure(work)

    return change_item


def _not_found(kind: Kind) -> dict[int | str, dict[str, Any]]:
    return refusals(not_found=f"There is no such {kind.noun}.")


def item_json(item: Any) -> dict[str, Any]:
    """An item as the API shows it."""
    return {name: to_json(value) for name, value in asdict(item).items()}


def _configuration(request: ApiRequest, tx: Transaction) -> Configuration:
    return request.service.cache.current(tx, certain=True)
