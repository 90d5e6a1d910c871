"""The application of the API: all routers, with the middleware around them. `wiring` makes it."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING

from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

import complaints
from complaints.api import health, imports, test_clock
from complaints.api.accounts import me, passwords, provider_identities, sessions
from complaints.api.accounts import openid as openid_routes
from complaints.api.accounts.hashing_turns import HashingTurns
from complaints.api.complaints import attachments, bulk, changes, links, lists, promises, revealing, timeline
from complaints.api.complaints import routes as complaint_routes
from complaints.api.complaints.direct_posting import DirectPosting
from complaints.api.complaints.feed_reader import FeedReaders
from complaints.api.complaints.feed_watch import FeedWatch
from complaints.api.complaints.file_threads import FileThreads
from complaints.api.configuration import (
    audit,
    calendars,
    categories,
    departments,
    keys,
    policies,
    teams,
    users,
)
from complaints.api.deadlines import calculator, escalations, follow_ups, inbox
from complaints.api.deadlines import routes as deadline_routes
from complaints.api.faces import Face
from complaints.api.feature import NO_ANNEXES, Annexes
from complaints.api.http.authentication import Authentication
from complaints.api.http.metrics import RequestMetrics
from complaints.api.http.shared_answer import SharedAnswer
from complaints.api.http.turns import Turns
from complaints.api.middleware import Layer, RequestLimits, install_middleware
from complaints.api.openapi.operations import make_operation_id
from complaints.api.openapi.texts import document_settings
from complaints.api.work import teams as work_of_teams
from complaints.api.work import users as work_of_users
from complaints.use_cases.accounts.sessions import SessionLimits
from complaints.use_cases.importing.quotas import UNLIMITED, ImportQuota
from complaints.use_cases.service import Service

if TYPE_CHECKING:
    from complaints.api.accounts.openid_sign_in import OpenIdSignIn

_ROUTES = (
    attachments,
    bulk,
    complaint_routes,
    lists,
    imports,
    audit,
    calendars,
    categories,
    changes,
    deadline_routes,
    departments,
    escalations,
    follow_ups,
    inbox,
    keys,
    links,
    me,
    openid_routes,
    passwords,
    policies,
    promises,
    provider_identities,
    revealing,
    sessions,
    test_clock,
    teams,
    timeline,
    calculator,
    users,
    work_of_teams,
    work_of_users,
)
_IN_TURN = (
    "/docs",
    "/openapi.json",
    "/problems",
    "/healthz",
    "/readyz",
    "/metrics",
    "/v1/deadlines/preview",
    "/v1/deadlines/elapsed",
    "/v1/policies",
    "/v1/policies/validate",
)
"""Pages without a key, each with a line of its own, and calls that compute much. See `http.turns`."""

NO_FACES: Mapping[str, Face] = MappingProxyType({})


def create_app(
    service: Service,
    *,
    wall: Callable[[], datetime],
    registry: CollectorRegistry | None = None,
    shown: CollectorRegistry | None = None,
    sweeps: bool = False,
    limits: RequestLimits | None = None,
    replica: Service | None = None,
    annexes: Annexes = NO_ANNEXES,
    calls_per_minute: int = 0,
    import_quota: ImportQuota = UNLIMITED,
    session_limits: SessionLimits = SessionLimits(),  # noqa: B008 - a value that nothing changes
    openid: "OpenIdSignIn | None" = None,
    faces: Mapping[str, Face] = NO_FACES,
) -> FastAPI:
    """The API over `service`. `wall` is the wall clock.

    `sweeps` is True if this process also runs the loops. `registry` collects the measures, and `shown` has those
    that `GET /metrics` answers, if they are not the same. Callers without any right to write read from `replica`,
    if there is one. The routes and problems of `annexes` are added. A key may make `calls_per_minute` calls to this
    process (0: any number), and has `import_quota`. Sessions end by `session_limits`. Users sign in
    at the provider of `openid`, if there is one. `faces` are applications for other readers, by the path under which
    they stand: a slash and one name.
    """
    app = FastAPI(
        **document_settings(),
        version=complaints.__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        generate_unique_id_function=make_operation_id,
        # FastAPI would look into the environment for exporters at every request. We measure requests ourselves.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    registry = registry or CollectorRegistry()
    shown = shown or registry
    shown.register(health.InstallationMeasures(lambda: app.state.service, wall, annexes.measures))
    app.state.service, app.state.replica = service, replica
    app.state.annexes, app.state.page_prefixes = annexes, annexes.page_prefixes
    app.state.intake = complaint_routes.group_intake(service)
    app.state.import_quota = import_quota
    app.state.feed_watch = FeedWatch()
    app.state.file_threads = FileThreads()
    app.state.feed_readers = FeedReaders(app.state.feed_watch, registry)
    app.state.wall, app.state.sweeps = wall, sweeps
    app.state.session_limits, app.state.hashing_turns = session_limits, HashingTurns()
    app.state.openid = openid
    app.state.metrics = shown
    app.state.readiness, app.state.shown_measures = SharedAnswer(), SharedAnswer()
    app.state.refusal_forms = {path: face.refusal_form for path, face in faces.items() if face.refusal_form}
    # Faces come before the routers: a request to a face would be compared with every route of the API first.
    for path, face in faces.items():
        face.app.state = app.state
        app.mount(path, face.app)
        if not face.needs_key:
            app.router.add_route(path, partial(_enter, f"{path}/"), include_in_schema=False)
    _include_routers(app, annexes)
    install_middleware(
        app,
        limits=limits or RequestLimits(body_bytes_for=partial(_bytes_for, service)),
        observe=RequestMetrics(registry).observe,
        problems=annexes.problems,
        inner=_inner_layers(calls_per_minute, annexes, faces),
    )
    return app


async def _enter(address: str, _request: Request) -> Response:
    """Lead a browser to the first page of a face, whose address people type without the slash at its end."""
    return RedirectResponse(address, status_code=307)


def _bytes_for(service: Service, method: str, path: str) -> int | None:
    """The largest body of the calls that take a file, in bytes; None for other calls."""
    if path.endswith("/attachments") and service.attachment_store is not None:
        return attachments.bytes_for(method, path, most=service.attachment_store.limits.most_bytes)
    return imports.bytes_for(method, path)


def _include_routers(app: FastAPI, annexes: Annexes) -> None:
    for routes in _ROUTES:
        app.include_router(routes.router, prefix="/v1")
    for feature in annexes.features:
        if feature.router is not None:
            app.include_router(feature.router, prefix="/v1")
        if feature.pages is not None:
            app.include_router(feature.pages)
    app.include_router(health.router)


def _inner_layers(calls_per_minute: int, annexes: Annexes, faces: Mapping[str, Face]) -> Iterator[Layer]:
    """The layers behind ids and body limits, outermost first. The pages of an annex have lines of their own.

    Faces have no line: people who are signed in wait for nobody.
    """
    yield partial(Authentication, faces=[path for path, face in faces.items() if face.needs_key])
    if calls_per_minute:
        # Loading the library takes 0.1 s, and most processes have no such limit.
        from complaints.api.http.rate_limits import CallLimits

        yield partial(CallLimits, calls_per_minute=calls_per_minute)
    yield partial(Turns, lines=(*_IN_TURN, *sorted(annexes.page_prefixes)), without=frozenset(faces))
    yield DirectPosting
