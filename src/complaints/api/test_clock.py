"""Routes for the test clock. If the database is no sandbox, these addresses do not exist."""

from typing import Annotated, Any

from fastapi import Body
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import Scope

from complaints.api.deadlines.schemas import AdvanceClock, ClockOut, MovedOut, SetClock
from complaints.api.http.prefixed_router import PrefixedRouter
from complaints.api.http.strict_route import StrictRoute
from complaints.api.openapi.example_files import read_examples
from complaints.api.problems.schemas import refusals
from complaints.api.request import CurrentRequest, Reply, require_right
from complaints.domain.json_text import to_json
from complaints.use_cases.access import Right
from complaints.use_cases.service import Transaction
from complaints.use_cases.upkeep import test_clock
from complaints.use_cases.upkeep.test_clock import ClockResult

_EXAMPLES = read_examples("complaints.api.deadlines")


class SandboxRoute(StrictRoute):
    """A route that exists only if the database has a test clock."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """No match on a database without a test clock: the address is unknown there for every method."""
        match, child = super().matches(scope)
        if match is not Match.NONE and not _is_sandbox(scope):
            return Match.NONE, {}
        return match, child


def _is_sandbox(scope: Scope) -> bool:
    state = scope["app"].state
    # Looked up once: a database never becomes a sandbox, and never stops being a sandbox.
    if not hasattr(state, "is_sandbox"):
        state.is_sandbox = test_clock.is_sandbox(state.service)
    found: bool = state.is_sandbox
    return found


router = PrefixedRouter(prefix="/sandbox", tags=["sandbox"], route_class=SandboxRoute)
_NOT_HERE = "The database is no sandbox: it has no test clock."
_MOVED: dict[int | str, dict[str, Any]] = {
    200: {"model": MovedOut, "description": "Its new time, and what happened on the way"},
    **refusals(
        forbidden="The key may not work on complaints.",
        not_found=_NOT_HERE,
        conflict="The test clock only moves forwards.",
    ),
}


def _shown(moved: ClockResult) -> Reply:
    counts = {name: getattr(moved, name) for name in ("escalations", "resumed", "reminders")}
    return 200, {"now": to_json(moved.now), **counts}, {}


@router.get(
    "/clock",
    responses={200: {"model": ClockOut, "description": "The test clock"}, **refusals(not_found=_NOT_HERE)},
)
def get_clock(request: CurrentRequest) -> Response:
    """The time of the test clock. It stands still until it is moved."""
    return request.read(lambda tx: (200, {"now": to_json(tx.now)}, {}))


@router.put("/clock", dependencies=[require_right(Right.WORK)], responses=_MOVED)
def set_clock(
    request: CurrentRequest, command: Annotated[SetClock, Body(examples=[_EXAMPLES["set_clock"]])]
) -> Response:
    """Move the test clock forwards to an instant. Before the answer, everything that is due on the way happens,
    each thing at its own time.
    """
    return request.write(
        lambda tx: _shown(test_clock.set_clock(request.service, tx, request.caller, command.now))
    )


@router.post("/clock/advance", dependencies=[require_right(Right.WORK)], responses=_MOVED)
def advance_clock(
    request: CurrentRequest, command: Annotated[AdvanceClock, Body(examples=[_EXAMPLES["advance_clock"]])]
) -> Response:
    """Move the test clock forwards by a duration. Before the answer, everything that is due on the way happens,
    each thing at its own time. Days and months are days and months in UTC.
    """

    def work(tx: Transaction) -> Reply:
        return _shown(test_clock.advance_clock(request.service, tx, request.caller, command.by))

    return request.write(work)
