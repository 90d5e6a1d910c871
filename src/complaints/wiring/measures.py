"""The measures of a process: what it counts, and the port at which a worker shows them."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, start_http_server

from complaints.api.health import InstallationMeasures
from complaints.serving.measures import WorkMeasures
from complaints.settings import Settings
from complaints.storage.database.connections import watch_pool
from complaints.use_cases.service import Service
from complaints.wiring import clocks
from complaints.wiring.annexes import declared_annexes
from complaints.wiring.listening import taken_address


def measure_work(service: Service, registry: CollectorRegistry) -> None:
    """Count what the transactions of `service` commit, and the connections that they use."""
    measures = WorkMeasures(registry)
    service.database.count = measures.count
    watch_pool(service.database.engine, measures.note_pool)


def serve_measures(service: Service, settings: Settings, shown: CollectorRegistry) -> Callable[[], None]:
    """Answer `GET /metrics` of a worker at COMPLAINTS_METRICS_PORT, if it is set. Returns a function that ends it.

    Raises NotReady for a taken port.
    """
    if settings.metrics_port is None:
        return lambda: None
    shown.register(InstallationMeasures(lambda: service, clocks.wall_now, declared_annexes().measures))
    try:
        server, thread = start_http_server(settings.metrics_port, settings.host, registry=shown)
    except OSError as error:
        raise taken_address(settings.host, settings.metrics_port, error, "COMPLAINTS_METRICS_PORT") from error

    def end() -> None:
        server.shutdown()
        thread.join()
        server.server_close()

    return end
