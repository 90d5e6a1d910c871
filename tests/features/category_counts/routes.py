"""The routes of the annex."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from complaints.api.feature import settings_of
from complaints.api.http.strict_route import StrictRoute
from complaints.api.problems.catalogue import Problem
from complaints.api.problems.schemas import refusals
from complaints.api.request import CurrentRequest, Reply, require_right
from complaints.use_cases.access import Right
from complaints.use_cases.service import Transaction
from tests.features.category_counts import tables, use_cases
from tests.features.category_counts.settings import CountSettings

COUNTS_FROZEN = Problem(
    "counts-frozen",
    409,
    "The counts are frozen",
    "计数已冻结",
    "The counts cannot be reset while COMPLAINTS_CATEGORY_COUNTS_FROZEN is set. Unset it first.",
    "设置了 COMPLAINTS_CATEGORY_COUNTS_FROZEN 时不能重置计数,请先取消该设置。",
)
router = APIRouter(prefix="/category-counts", tags=["category counts"], route_class=StrictRoute)
_SHOWN: dict[str, Any] = {"content": {"application/json": {"example": {"counts": {"network.outage": 3}}}}}


@router.get("", dependencies=[require_right(Right.READ)], responses={200: _SHOWN})
def list_counts(request: CurrentRequest) -> Response:
    """How many complaints came in, by category."""
    return request.read(lambda tx: (200, {"counts": tables.find_counts(tx)}, {}))


@router.post(
    "/reset",
    status_code=204,
    dependencies=[require_right(Right.CONFIGURE)],
    responses=refusals(COUNTS_FROZEN),
)
def reset_counts(request: CurrentRequest, http_request: Request) -> Response:
    """Forget the counts."""
    frozen = settings_of(http_request, CountSettings).frozen

    def work(tx: Transaction) -> Reply:
        use_cases.reset_counts(tx, request.caller, frozen=frozen)
        return 204, None, {}

    return request.write(work)
