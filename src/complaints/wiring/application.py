"""The application over a service, and the process tuned to serve it."""

import gc
import json
import sys
from datetime import timedelta

from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from complaints.api.app import create_app
from complaints.api.feature import Annexes
from complaints.settings import Settings
from complaints.storage.database.connections import open_engine
from complaints.storage.database.transactions import Database
from complaints.use_cases.accounts.sessions import SessionLimits
from complaints.use_cases.importing.quotas import ImportQuota
from complaints.use_cases.service import Service
from complaints.wiring import clocks
from complaints.wiring.annexes import declared_annexes
from complaints.wiring.faces import open_faces
from complaints.wiring.openid import open_openid_sign_in
from complaints.wiring.service import new_id


def build_app(
    service: Service,
    settings: Settings,
    registry: CollectorRegistry,
    annexes: Annexes,
    *,
    shown: CollectorRegistry | None = None,
    replica: Service | None = None,
) -> FastAPI:
    """The application over `service` and `annexes`; its arguments are those of `create_app`."""
    return create_app(
        service,
        wall=clocks.wall_now,
        registry=registry,
        shown=shown,
        sweeps=settings.scheduler,
        replica=replica,
        annexes=annexes,
        calls_per_minute=settings.calls_per_minute,
        import_quota=ImportQuota(settings.running_imports, settings.stored_import_bytes),
        session_limits=_session_limits(settings),
        openid=open_openid_sign_in(settings),
        faces=open_faces(),
    )


def _session_limits(settings: Settings) -> SessionLimits:
    idle, absolute = settings.session_idle_seconds, settings.session_seconds
    return SessionLimits(timedelta(seconds=idle), timedelta(seconds=absolute))


def openapi_document() -> str:
    """The OpenAPI document of the API, as checked in."""
    unused = Service(Database(open_engine("sqlite:///unused.db"), clocks.wall_clock), new_id)
    document = create_app(unused, wall=clocks.wall_now, annexes=declared_annexes()).openapi()
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def settle(service: Service) -> None:
    """Tune the interpreter for serving, once everything is loaded.

    The garbage collector ignores the objects that exist now, and runs less often: a batch of complaints makes tens
    of thousands of objects, and hardly any of them are in cycles. Threads switch more often: a thread that returns
    from the database would otherwise wait 5 ms for each of its statements while requests are read.
    """
    service.read(service.configuration)  # otherwise every first request would load the configuration
    sys.setswitchinterval(0.0005)
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
