"""The route for the link to a complainant's page."""

from typing import Annotated, Any

from pydantic import BaseModel, Field
from starlette.responses import Response

from complaints.api.http.prefixed_router import PrefixedRouter
from complaints.api.http.strict_route import StrictRoute
from complaints.api.problems.schemas import refusals
from complaints.api.request import CurrentRequest, Reply, require_right
from complaints.features.complainant_page import use_cases
from complaints.use_cases.access import Right
from complaints.use_cases.service import Transaction

router = PrefixedRouter(prefix="/complaints", tags=["complainant page"], route_class=StrictRoute)
_PATH = "/c/AZqf0qWsftSNGk8Mj08qEXpS1jB0mJ7xk2YH5dWcV9Q"


class PageLinkShown(BaseModel):
    """The link to the complainant's page of a complaint."""

    path: Annotated[str, Field(description="The path of the page on this service.", examples=[_PATH])]
    url: Annotated[
        str | None,
        Field(
            description="The whole address. Null if `COMPLAINTS_PUBLIC_URL` is not set.",
            examples=["https://complaints.example.com" + _PATH],
        ),
    ]


_SHOWN: dict[int | str, dict[str, Any]] = {200: {"model": PageLinkShown}}


@router.get(
    "/{reference}/page-link",
    dependencies=[require_right(Right.CONTRIBUTE)],
    responses={
        **_SHOWN,
        **refusals(
            forbidden="The key may not add contacts to complaints.",
            not_found="There is no such complaint, or the key may not know of it.",
        ),
    },
)
def get_page_link(request: CurrentRequest, reference: str) -> Response:
    """The link to the page that the complainant of a complaint may read and write on.

    Whoever has the link can do both. So give it to the complainant alone.
    """

    def work(tx: Transaction) -> Reply:
        link = use_cases.find_link(request.service, tx, request.caller, reference)
        return 200, {"path": link.path, "url": link.url}, {}

    return request.read(work)
