"""Categories: what complaints are about, in two levels."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Body
from starlette.responses import Response

from complaints.api.configuration.schemas import CATEGORY_EXAMPLE, CategoryShown, Page
from complaints.api.http.strict_route import StrictRoute
from complaints.api.pages import PageParameters, make_page
from complaints.api.problems.schemas import refusals
from complaints.api.request import CurrentRequest, Reply, require_right
from complaints.domain.json_text import plain
from complaints.domain.policy.categories import Category
from complaints.use_cases.access import Right
from complaints.use_cases.commands.configuration import CreateCategory, PatchCategory
from complaints.use_cases.configuration import categories
from complaints.use_cases.service import Transaction

router = APIRouter(prefix="/categories", tags=["reference data"], route_class=StrictRoute)
_SHOWN = {"model": CategoryShown}


def category_json(category: Category) -> dict[str, Any]:
    """A category as the API shows it."""
    return {name: plain(value) for name, value in asdict(category).items()}


@router.get("", dependencies=[require_right(Right.READ_OWN)], responses={200: {"model": Page[CategoryShown]}})
def list_categories(request: CurrentRequest, query: PageParameters) -> Response:
    """Every category, by code."""

    def work(tx: Transaction) -> Reply:
        found = request.service.cache.current(tx, certain=True).categories.values()
        shown = [category_json(category) for category in found]
        return make_page(shown, query, kind="categories", order=["code"], shape=CategoryShown)

    return request.read(work)


@router.get(
    "/{code}",
    dependencies=[require_right(Right.READ_OWN)],
    responses={200: _SHOWN, **refusals(not_found="There is no such category.")},
)
def get_category(request: CurrentRequest, code: str) -> Response:
    """One category."""

    def work(tx: Transaction) -> Reply:
        configuration = request.service.cache.current(tx, certain=True)
        return 200, category_json(categories.load_category(configuration, code)), {}

    return request.read(work)


@router.post(
    "",
    status_code=201,
    dependencies=[require_right(Right.CONFIGURE)],
    responses={201: _SHOWN, **refusals(conflict="The code is taken.")},
)
def create_category(
    request: CurrentRequest, command: Annotated[CreateCategory, Body(examples=[CATEGORY_EXAMPLE])]
) -> Response:
    """Make a category. One below another has a cause and a nature; without a team the policy routes."""

    def work(tx: Transaction) -> Reply:
        made = categories.create_category(request.service, tx, request.caller, command)
        return 201, category_json(made), {"Location": f"/v1/categories/{made.code}"}

    return request.configure(work)


@router.patch(
    "/{code}",
    dependencies=[require_right(Right.CONFIGURE)],
    responses={200: _SHOWN, **refusals(not_found="There is no such category.")},
)
def change_category(
    request: CurrentRequest, code: str, command: Annotated[PatchCategory, Body(examples=[{"active": False}])]
) -> Response:
    """Change a category. There is no deleting: one that is not `active` is refused for new complaints, and
    those that have it keep it. `team: ""` leaves routing to the policy again.
    """

    def work(tx: Transaction) -> Reply:
        return (
            200,
            category_json(categories.change_category(request.service, tx, request.caller, code, command)),
            {},
        )

    return request.configure(work)
