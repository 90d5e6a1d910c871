"""The application: the routers of the API, with the edge around them."""

from collections.abc import Callable
from datetime import datetime

from fastapi import FastAPI
from prometheus_client import CollectorRegistry

import complaints
from complaints.api import (
    calendar_routes,
    category_routes,
    change_routes,
    complaint_list_routes,
    complaint_routes,
    deadline_routes,
    department_routes,
    escalation_routes,
    follow_up_routes,
    health_routes,
    import_routes,
    key_routes,
    link_routes,
    policy_routes,
    promise_routes,
    sandbox_routes,
    team_routes,
    timeline_routes,
    tool_routes,
    user_routes,
)
from complaints.api.edge import authentication
from complaints.api.edge.install import EdgeLimits, install
from complaints.api.edge.measures import RequestMetrics
from complaints.handling.engine import Engine


def create_app(
    engine: Engine,
    *,
    wall: Callable[[], datetime],
    registry: CollectorRegistry | None = None,
    sweeps: bool = False,
    limits: EdgeLimits | None = None,
    replica: Engine | None = None,
) -> FastAPI:
    """The API over `engine`. `wall` is the wall clock; `sweeps` says that this process runs the loops too.

    Callers who cannot write read from `replica`, if there is one.
    """
    app = FastAPI(
        title="Complaints",
        version=complaints.__version__,
        docs_url=None,
        redoc_url=None,
        summary="Complaint ticketing and closed-loop workflow",
    )
    app.state.engine = engine
    app.state.intake = complaint_routes.group_intake(engine)
    app.state.replica = replica
    app.state.wall = wall
    app.state.sweeps = sweeps
    app.state.metrics = registry = registry or CollectorRegistry()
    app.state.sweep_gauges = health_routes.SweepGauges(registry)
    for routes in (
        complaint_routes,
        complaint_list_routes,
        import_routes,
        calendar_routes,
        category_routes,
        change_routes,
        deadline_routes,
        department_routes,
        escalation_routes,
        follow_up_routes,
        key_routes,
        link_routes,
        policy_routes,
        promise_routes,
        sandbox_routes,
        team_routes,
        timeline_routes,
        tool_routes,
        user_routes,
    ):
        app.include_router(routes.router, prefix="/v1")
    app.include_router(health_routes.router)
    app.add_middleware(authentication.Authentication)
    install(
        app,
        limits=limits or EdgeLimits(body_bytes_for=import_routes.bytes_for),
        observe=RequestMetrics(registry).observe,
    )
    return app
