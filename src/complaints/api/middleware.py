"""The edge of the API in one call: limits, request ids, problems, and the pages about them."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI

from complaints.api.http.authentication import describe_keys
from complaints.api.http.body_limits import BodyLimits, EdgeLimits
from complaints.api.http.request_ids import Observe, RequestIds
from complaints.api.openapi import docs_page
from complaints.api.openapi.nulls import restore_nulls
from complaints.api.openapi.queries import describe_queries
from complaints.api.problems import pages
from complaints.api.problems.catalogue import PROBLEMS, Problem
from complaints.api.problems.handlers import install_problem_handlers
from complaints.api.problems.schemas import describe_problems

__all__ = ["EdgeLimits", "install"]


def install(
    app: FastAPI,
    *,
    limits: EdgeLimits,
    observe: Observe | None = None,
    access_log: bool = True,
    problems: Mapping[str, Problem] = PROBLEMS,
) -> None:
    """Put the edge around `app`, which was made with `docs_url=None, redoc_url=None`.

    Adds `GET /problems`, `GET /problems/{code}` and `GET /docs`; every error becomes a problem, and is
    described so in the OpenAPI document. Middleware added to `app` afterwards would stand outside of it.
    `problems` is the catalogue of problems, by code.
    """
    if app.docs_url or app.redoc_url:
        raise ValueError(
            "make the app with docs_url=None and redoc_url=None: those pages load scripts from outside"
        )
    # A redirect to another spelling of a path would be built from the Host header, which anyone may set.
    app.router.redirect_slashes = False
    app.state.problems = problems
    install_problem_handlers(app)
    app.include_router(pages.router)
    app.include_router(docs_page.router)
    _describe(app)
    app.add_middleware(BodyLimits, limits=limits)
    app.add_middleware(RequestIds, observe=observe, access_log=access_log)


def _describe(app: FastAPI) -> None:
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = generate()
            describe_keys(document)
            describe_problems(document)
            describe_queries(document)
            restore_nulls(document)
        return generate()

    app.openapi = openapi  # type: ignore[method-assign]
