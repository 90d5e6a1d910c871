"""Routes for monitoring: the process is up, the process can work, and its measures. They need no key."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.responses import JSONResponse, Response

import complaints
from complaints.api.feature import FeatureMeasure
from complaints.api.http.metrics import metrics_response
from complaints.api.request import get_service
from complaints.domain.errors import Unavailable
from complaints.domain.json_text import to_json
from complaints.use_cases.service import Service
from complaints.use_cases.upkeep.health import Health, WorkCounts, count_work, examine

router = APIRouter(tags=["health"])
_SHARE = 20  # counting takes at most this part of the time


@router.get("/healthz")
async def is_up() -> dict[str, str]:
    """The process is up."""
    return {"status": "up"}


@router.get("/readyz")
async def is_ready(request: Request) -> Response:
    """The database is reachable, this program runs on its schema, and the deadlines are watched (503 otherwise).

    A process that leaves the deadlines to others is ready without them. The answer is up to a second old.
    """
    state = request.app.state
    response: Response = await state.readiness.get(
        lambda: _readiness(get_service(request), state.wall, state.annexes.measures, sweeps=state.sweeps)
    )
    return response


def _readiness(
    service: Service, wall: Callable[[], datetime], measures: Sequence[FeatureMeasure], *, sweeps: bool
) -> Response:
    health = examine(service, wall)
    ready = health.fits and (health.sweeping or not sweeps)
    last = health.beats[0] if health.beats else None
    shown: dict[str, Any] = {
        "status": "ready" if ready else "not ready",
        "database": "reachable",
        "schema": str(health.schema),
        "sweep": {
            "alive": health.sweeping,
            "last_tick_at": to_json(last.ticked_at) if last else None,
            "lag_seconds": max((beat.lag_seconds for beat in health.beats), default=None),
        },
        "parked": health.parked,
        **(_count_all(service, measures) if health.fits else {}),
    }
    return JSONResponse(shown, 200 if ready else 503)


def _count_all(service: Service, measures: Sequence[FeatureMeasure]) -> dict[str, int]:
    """The measures of the annexes, by name."""
    if not measures:
        return {}
    return service.read(lambda tx: {measure.name: measure.count(tx) for measure in measures})


@router.get("/metrics", response_class=Response)
async def show_metrics(request: Request) -> Response:
    """Measures in Prometheus' text format, of all processes behind this port. The answer is up to a second old."""
    state = request.app.state
    response: Response = await state.shown_measures.get(lambda: metrics_response(state.metrics))
    return response


class InstallationMeasures(Collector):
    """The measures that the database knows: heartbeats, parked, open and overdue complaints; and the program.

    Without the database, only `complaints_database_up` says so. Open and overdue complaints are counted at most every
    second, and less often if counting takes long.
    """

    def __init__(
        self,
        service: Callable[[], Service],
        wall: Callable[[], datetime],
        measures: Sequence[FeatureMeasure] = (),
    ) -> None:
        self._service = service
        self._wall = wall
        self._measures = measures
        self._counts: WorkCounts | None = None
        self._until = float("-inf")

    def collect(self) -> Iterator[Metric]:
        """Look at the database and yield the measures."""
        yield _gauge("complaints_build_info", "The running program.", {complaints.__version__: 1}, "version")
        try:
            health, counts = examine(self._service(), self._wall), self._count()
            of_annexes = _count_all(self._service(), self._measures)
        except Unavailable:
            yield GaugeMetricFamily("complaints_database_up", "1 if the database answers.", 0)
            return
        yield GaugeMetricFamily("complaints_database_up", "1 if the database answers.", 1)
        yield from _health_measures(health)
        yield _gauge("complaints_open", "Complaints that have not ended.", counts.open_by_team, "team")
        yield _gauge("complaints_overdue", "Overdue complaints.", counts.overdue_by_team, "team")
        for measure in self._measures:
            yield GaugeMetricFamily(f"complaints_{measure.name}", measure.text, of_annexes[measure.name])

    def _count(self) -> WorkCounts:
        begun = time.monotonic()
        if self._counts is None or begun >= self._until:
            self._counts = count_work(self._service())
            ended = time.monotonic()
            self._until = ended + max(1.0, (ended - begun) * _SHARE)
        return self._counts


def _health_measures(health: Health) -> Iterator[Metric]:
    yield _gauge(
        "complaints_sweep_last_tick_timestamp_seconds",
        "The time of the last heartbeat of each process that sweeps.",
        {beat.node: beat.ticked_at.timestamp() for beat in health.beats},
        "node",
    )
    yield _gauge(
        "complaints_sweep_node_lag_seconds",
        "How late the latest escalation step of each process was taken.",
        {beat.node: beat.lag_seconds for beat in health.beats},
        "node",
    )
    yield GaugeMetricFamily(
        "complaints_sweep_alive", "1 if some process watches the deadlines.", health.sweeping
    )
    yield GaugeMetricFamily(
        "complaints_parked",
        "Complaints set aside because their deadlines cannot be caught up.",
        health.parked,
    )


def _gauge(name: str, text: str, values: Mapping[str, float], label: str) -> Metric:
    family = GaugeMetricFamily(name, text, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family
