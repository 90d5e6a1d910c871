"""The application of the API: all routers, with the middleware around them. `wiring` makes it."""

from collections.abc import Callable
from datetime import datetime

from fastapi import FastAPI
from prometheus_client import CollectorRegistry

import complaints
from complaints.api import health, imports, test_clock
from complaints.api.complaints import changes, links, lists, promises, timeline
from complaints.api.complaints import routes as complaint_routes
from complaints.api.configuration import calendars, categories, departments, keys, policies, teams, users
from complaints.api.deadlines import calculator, escalations, follow_ups
from complaints.api.deadlines import routes as deadline_routes
from complaints.api.feature import NO_ANNEXES, Annexes
from complaints.api.http import authentication
from complaints.api.http.metrics import RequestMetrics
from complaints.api.middleware import RequestLimits, install_middleware
from complaints.api.openapi.operations import make_operation_id
from complaints.api.openapi.texts import document_settings
from complaints.use_cases.service import Service


def create_app(
    service: Service,
    *,
    wall: Callable[[], datetime],
    registry: CollectorRegistry | None = None,
    sweeps: bool = False,
    limits: RequestLimits | None = None,
    replica: Service | None = None,
    annexes: Annexes = NO_ANNEXES,
) -> FastAPI:
    """The API over `service`. `wall` is the wall clock.

    `sweeps` is True if this process also runs the loops. `registry` collects the measures. Callers without any
    right to write read from `replica`, if there is one. The routes and problems of `annexes` are added.
    """
    app = FastAPI(
        **document_settings(),
        version=complaints.__version__,
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=make_operation_id,
    )
    app.state.service = service
    app.state.annexes = annexes
    app.state.intake = complaint_routes.group_intake(service)
    app.state.replica = replica
    app.state.wall = wall
    app.state.sweeps = sweeps
    app.state.metrics = registry = registry or CollectorRegistry()
    app.state.sweep_gauges = health.SweepGauges(registry)
    for routes in (
        complaint_routes,
        lists,
        imports,
        calendars,
        categories,
        changes,
        deadline_routes,
        departments,
        escalations,
        follow_ups,
        keys,
        links,
        policies,
        promises,
        test_clock,
        teams,
        timeline,
        calculator,
        users,
    ):
        app.include_router(routes.router, prefix="/v1")
    for feature in annexes.features:
        if feature.router is not None:
            app.include_router(feature.router, prefix="/v1")
    app.include_router(health.router)
    app.add_middleware(authentication.Authentication)
    install_middleware(
        app,
        limits=limits or RequestLimits(body_bytes_for=imports.bytes_for),
        observe=RequestMetrics(registry).observe,
        problems=annexes.problems,
    )
    return app
