"""Help: the keys of the console."""

from fastapi import APIRouter
from starlette.responses import Response

from complaints.console.page_request import SignedIn

router = APIRouter()


@router.get("/help")
def show_help(request: SignedIn) -> Response:
    """The list of keys. A script of a page gets it for a dialog."""
    return request.page("fragments/keys.html" if request.is_partial else "pages/help.html")
