"""The route that says who is calling."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from complaints.api.accounts.schemas import MeShown
from complaints.api.http.strict_route import StrictRoute
from complaints.api.request import CurrentRequest, Reply, get_service
from complaints.domain.vocabulary import AccessRole
from complaints.use_cases.access import Right
from complaints.use_cases.service import Transaction

router = APIRouter(tags=["accounts"], route_class=StrictRoute)


@router.get("/me", responses={200: {"model": MeShown}})
def show_caller(request: CurrentRequest, http_request: Request) -> Response:
    """Who is calling: the user of the session, or the key, with its roles, its rights and its scope."""
    caller, service = request.caller, get_service(http_request)
    has_session = "session" in http_request.scope["state"]

    def work(tx: Transaction) -> Reply:
        users = service.configuration(tx).directory.users
        name = users[caller.login].name if has_session and caller.login else caller.name
        content = {
            "name": name,
            "login": caller.login,
            "roles": [role for role in AccessRole if role in caller.roles],
            "rights": [right for right in Right if right in caller.rights],
            "scope": {"kind": caller.scope.kind, "names": sorted(caller.scope.names)},
            "source": caller.source,
        }
        return 200, content, {}

    return request.answer(service.read(work))
