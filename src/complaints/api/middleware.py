"""Puts limits, request ids, problems and documentation around an application. `api.app` calls it."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from fastapi import FastAPI
from starlette.types import ASGIApp

from complaints.api.http.authentication import describe_keys
from complaints.api.http.body_limits import BodyLimits, RequestLimits
from complaints.api.http.csv_lists import describe_csv
from complaints.api.http.request_ids import Observer, RequestIds
from complaints.api.openapi import docs_page
from complaints.api.openapi.component_names import shorten_names
from complaints.api.openapi.nulls import restore_nulls
from complaints.api.openapi.operations import describe_operations
from complaints.api.openapi.queries import describe_queries
from complaints.api.openapi.schemas import adapt_schemas
from complaints.api.openapi.texts import describe_members
from complaints.api.problems import pages
from complaints.api.problems.catalogue import PROBLEMS, Problem
from complaints.api.problems.handlers import install_problem_handlers
from complaints.api.problems.schemas import describe_problems

__all__ = ["Layer", "RequestLimits", "install_middleware"]

Layer = Callable[[ASGIApp], ASGIApp]
"""Takes an application and returns it with a layer of plain ASGI around it."""


def install_middleware(
    app: FastAPI,
    *,
    limits: RequestLimits,
    observe: Observer | None = None,
    access_log: bool = True,
    problems: Mapping[str, Problem] = PROBLEMS,
    inner: Iterable[Layer] = (),
) -> None:
    """Put the edge around `app`, and add `GET /problems`, `GET /problems/{code}`, `GET /docs`, `GET /openapi.json`.

    Every error becomes a problem, in the answers and in the OpenAPI document. `observe` is called after each
    answer. `problems` is the catalogue of problems, by code. `inner` are the layers behind ids and limits, outermost
    first. Call this last: Starlette raises RuntimeError for middleware that is added later. Raises ValueError unless
    `app` was made with `docs_url=None, redoc_url=None, openapi_url=None`.
    """
    if app.docs_url or app.redoc_url or app.openapi_url:
        raise ValueError(
            "make the app with docs_url=None, redoc_url=None and openapi_url=None: ours replace them"
        )
    # A redirect from "/x/" to "/x" would contain the Host header, and any client can set that header.
    app.router.redirect_slashes = False
    app.state.problems = problems
    install_problem_handlers(app)
    app.include_router(pages.router)
    app.include_router(docs_page.router)
    _describe(app)
    app.middleware_stack = _compose(
        app.build_middleware_stack(),
        partial(RequestIds, observe=observe, access_log=access_log),
        partial(BodyLimits, limits=limits),
        *inner,
    )


def _compose(app: ASGIApp, *layers: Layer) -> ASGIApp:
    """The layers around `app`, outermost first. A layer that answers in place of `app` saves all of its work."""
    for layer in reversed(layers):
        app = layer(app)
    return app


def _describe(app: FastAPI) -> None:
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = generate()
            describe_keys(document)
            describe_problems(document)
            describe_queries(document)
            describe_csv(document)
            describe_operations(document)
            restore_nulls(document)
            shorten_names(document)
            adapt_schemas(document)
            describe_members(document)
        return generate()

    app.openapi = openapi  # type: ignore[method-assign]
