"""The application of the console: its pages and its files. `wiring` mounts it at `/console`."""

from fastapi import FastAPI
from starlette.responses import RedirectResponse, Response

from complaints.console import static_files
from complaints.console.pages import overdue, password, settings, sign_in
from complaints.console.refusals import install_refusals

PREFIX = "/console"
_PAGES = (sign_in, overdue, password, settings)


def create_console() -> FastAPI:
    """The console. It uses the state of the application in which it is mounted."""
    console = FastAPI(
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    console.router.redirect_slashes = False
    install_refusals(console)
    console.include_router(static_files.router)
    for page in _PAGES:
        console.include_router(page.router)
    console.add_api_route("/", _go_home)
    return console


async def _go_home() -> Response:
    """The first page of a user."""
    return RedirectResponse("/console/overdue", 303)
