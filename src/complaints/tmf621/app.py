"""The application of the face: the routes of both editions. `wiring` mounts it at `/tmf-api`."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, FastAPI

from complaints.api.faces import Face
from complaints.api.http.prefixed_router import PrefixedRouter
from complaints.api.problems.handlers import install_problem_handlers
from complaints.domain.errors import InvalidContent, NotFound
from complaints.tmf621.editions import Edition, Members
from complaints.tmf621.errors import write_error
from complaints.tmf621.hub import routes as hub
from complaints.tmf621.hub.message_forms import form_name, make_form
from complaints.tmf621.requests import FACE as PREFIX
from complaints.tmf621.specifications import routes as specifications
from complaints.tmf621.tickets import routes as tickets
from complaints.tmf621.tickets.intake import TYPE
from complaints.tmf621.v4 import translation

_JSON = "application/json"


def _as_it_is(content: Any) -> Members:
    members: Members = content
    return members


def _fit_as_it_is(change: Mapping[str, Any], _ticket: Mapping[str, Any], _source: str) -> Members:
    return dict(change)


def _show_v5(ticket: Mapping[str, Any], _source: str | None = None) -> Members:
    """The ticket with the only type that version 5 knows, whatever type its maker sent."""
    return {**ticket, "@type": TYPE}


def _with_type(content: Any) -> Members:
    """A change of version 5, which names its type. Raises InvalidContent for a change without."""
    if isinstance(content, dict) and "@type" not in content:
        raise InvalidContent.at("/@type", "@type is required.")
    return _as_it_is(content)


V5 = Edition(
    "v5",
    _JSON,
    (
        _JSON,
        "application/merge-patch+json",
        "application/json-patch+json",
        "application/json-patch-query+json",
    ),
    read_new=_as_it_is,
    read_change=_with_type,
    fit_change=_fit_as_it_is,
    show=_show_v5,
)
V4 = Edition(
    "v4",
    f"{_JSON};charset=utf-8",
    (_JSON,),
    read_new=translation.read_new,
    read_change=translation.read_change,
    fit_change=translation.fit_change,
    show=translation.show,
)
EDITIONS = (V5, V4)
MESSAGE_FORMS = {form_name(edition): make_form(edition) for edition in EDITIONS}
"""The forms of the messages of hubs, by name."""


def _listener_router(edition: Edition) -> APIRouter:
    """The addresses that the official files give to listeners. They are those of clients, and nothing is there."""
    router = PrefixedRouter(prefix=f"{edition.path}/listener")

    @router.post("/{event}", include_in_schema=False)
    async def refuse(event: str) -> None:
        raise NotFound(
            f"Events go to the callback of a hub: this server has no listener for {event[:100]!r}."
        )

    return router


def create_face() -> Face:
    """The face. Its callers have keys, and its refusals are errors of TMF621."""
    app = FastAPI(
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.router.redirect_slashes = False
    install_problem_handlers(app)
    for edition in EDITIONS:
        app.include_router(_listener_router(edition))
        app.include_router(tickets.make_router(edition))
        app.include_router(hub.make_router(edition))
    app.include_router(specifications.make_router(V5))
    return Face(app, needs_key=True, refusal_form=write_error)


__all__ = ["EDITIONS", "MESSAGE_FORMS", "PREFIX", "V4", "V5", "create_face"]
