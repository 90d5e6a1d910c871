"""The queue of the user: own complaints, and those of people for whom the user stands in, by next due."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from complaints.api.work.teams import cursor_of, position_of
from complaints.console.page_request import PageRequest, SignedIn
from complaints.console.pages.rows import make_rows
from complaints.console.views.bulk_forms import KEYS, VERBS
from complaints.console.views.rows import ListRow
from complaints.domain.scope import ScopeKind
from complaints.domain.staff import Directory, Team
from complaints.use_cases.access import Right
from complaints.use_cases.service import Transaction
from complaints.use_cases.work import loads, own_queue

router = APIRouter()
_PAGE, _MOST_TEAMS = 50, 12
_OPEN, _HELD = "own", "held"


@router.get("/work")
def show_work(request: SignedIn, after: str | None = None, held: bool = False) -> Response:
    """The own queue, and below it what is on hold. `held` shows only that, and `after` is the place to go on from."""
    request.caller.require(Right.WORK)
    return request.page("pages/my_work.html", **request.read(lambda tx: _find(request, tx, after, held)))


def _find(request: PageRequest, tx: Transaction, after: str | None, held: bool) -> dict[str, Any]:
    service, caller = request.service, request.caller
    rows, more = _list(request, tx, after, held=held)
    is_first = after is None and not held
    on_hold, more_held = _list(request, tx, None, held=True) if is_first else ([], None)
    directory = service.configuration(tx).directory
    return {
        "rows": rows,
        "more": more,
        "held": held,
        "on_hold": on_hold,
        "more_held": more_held,
        "is_first": is_first,
        "load": loads.find_load(service, tx, caller, caller.login).count if caller.login else None,
        "stands_in_for": [directory.users[login].name for login in caller.represented(tx.now)],
        "teams": _teams(request, directory),
        "verbs": VERBS,
        "keys_of_verbs": KEYS,
    }


def _list(
    request: PageRequest, tx: Transaction, after: str | None, *, held: bool
) -> tuple[list[ListRow], str | None]:
    name = _HELD if held else _OPEN
    found, end = own_queue.list_own_queue(
        request.service,
        tx,
        request.caller,
        held=held,
        after=None if after is None else position_of(after, name),
        limit=_PAGE,
    )
    return make_rows(request, tx, found), cursor_of(end, name)


def _teams(request: PageRequest, directory: Directory) -> list[Team]:
    """The teams whose queues matter to the user: the own ones, else those in the scope of the user, by name."""
    user, scope = request.viewer.user, directory.resolve(request.caller.scope)
    active = [team for team in directory.teams.values() if team.active]
    own = [t for t in active if t.code in user.teams or user.login in (t.lead, t.deputy)]
    seen = [t for t in active if scope.kind is not ScopeKind.TEAMS or t.code in scope.names]
    return sorted(own or seen, key=lambda team: request.locale.name(team.names, team.code))[:_MOST_TEAMS]
