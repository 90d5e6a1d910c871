"""The application of the console: its pages and its files. `wiring` mounts it at `/console`."""

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware

from complaints.console import drafts, saved_views, static_files
from complaints.console.pages import (
    actions,
    bulk,
    changes,
    complaint,
    counts,
    dashboard,
    follow_ups,
    help_page,
    inbox,
    look,
    my_work,
    new_complaint,
    overdue,
    palette,
    password,
    preferences,
    reports,
    rows,
    search,
    settings,
    sign_in,
    team_queue,
)
from complaints.console.refusals import install_refusals

PREFIX = "/console"
_LEAST_COMPRESSED = 1000  # bytes; the files of pages are compressed before
_PAGES = (
    sign_in,
    overdue,
    rows,
    changes,
    bulk,
    saved_views,
    my_work,
    team_queue,
    new_complaint,
    complaint,
    actions,
    drafts,
    follow_ups,
    inbox,
    search,
    palette,
    password,
    counts,
    dashboard,
    reports,
    help_page,
    preferences,
    look,
)


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
    console.add_middleware(GZipMiddleware, minimum_size=_LEAST_COMPRESSED, compresslevel=5)
    console.include_router(static_files.router)
    for page in _PAGES:
        console.include_router(page.router)
    for page in settings.PAGES:
        console.include_router(page.router, prefix="/settings")
    return console
