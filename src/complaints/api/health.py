"""Routes for monitoring: the process is up, the process can work, and its measures. They need no key."""

from typing import Any

from fastapi import APIRouter, Request
from prometheus_client import CollectorRegistry, Gauge
from starlette.responses import JSONResponse, Response

from complaints.api.http.metrics import metrics_response
from complaints.api.request import get_service
from complaints.domain.json_text import to_json
from complaints.use_cases.upkeep.health import Health, examine

router = APIRouter(tags=["health"])


@router.get("/healthz")
async def is_up() -> dict[str, str]:
    """The process is up."""
    return {"status": "up"}


@router.get("/readyz")
def is_ready(request: Request) -> Response:
    """The database is reachable, the schema current, and the deadlines are watched (503 otherwise)."""
    health = examine(get_service(request), request.app.state.wall)
    ready = health.schema_current and (health.sweeping or not request.app.state.sweeps)
    last = health.beats[0] if health.beats else None
    shown: dict[str, Any] = {
        "status": "ready" if ready else "not ready",
        "database": "reachable",
        "schema": "current" if health.schema_current else "older or newer than this program",
        "sweep": {
            "alive": health.sweeping,
            "last_tick_at": to_json(last.ticked_at) if last else None,
            "lag_seconds": max((beat.lag_seconds for beat in health.beats), default=None),
        },
        "parked": health.parked,
    }
    return JSONResponse(shown, 200 if ready else 503)


@router.get("/metrics", response_class=Response)
def show_metrics(request: Request) -> Response:
    """Measures in Prometheus' text format."""
    gauges: SweepGauges = request.app.state.sweep_gauges
    gauges.show(examine(get_service(request), request.app.state.wall))
    return metrics_response(request.app.state.metrics)


class SweepGauges:
    """The gauges of the processes that sweep: their last heartbeat and their lag, one value for each process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._beaten_at = Gauge(
            "complaints_sweep_last_tick_timestamp_seconds",
            "The time of the last heartbeat of each process that sweeps.",
            ("node",),
            registry=registry,
        )
        self._lag = Gauge(
            "complaints_sweep_node_lag_seconds",
            "How late the latest escalation step of each process was taken.",
            ("node",),
            registry=registry,
        )
        self._parked = Gauge(
            "complaints_parked",
            "Complaints set aside because their deadlines cannot be caught up.",
            registry=registry,
        )

    def show(self, health: Health) -> None:
        """Set the gauges to the values in `health`."""
        self._beaten_at.clear()
        self._lag.clear()
        for beat in health.beats:
            self._beaten_at.labels(beat.node).set(beat.ticked_at.timestamp())
            self._lag.labels(beat.node).set(beat.lag_seconds)
        self._parked.set(health.parked)
