"""Measures of HTTP requests, and the answer of `GET /metrics` with all measures."""

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Histogram, generate_latest
from starlette.responses import Response

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class RequestMetrics:
    """Seconds per answer by method, route template and status. `RequestIds` calls `observe`.

    No label has a text that a client can choose: an unknown path is route "", an unknown method is "other".
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._seconds = Histogram(
            "complaints_http_request_seconds",
            "Seconds from the head of a request to the end of its answer.",
            ("method", "route", "status"),
            registry=registry,
            buckets=_BUCKETS,
        )
        self._known: dict[tuple[str, str, int], Histogram] = {}

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answer. Status 0 means that the request ended before its answer began."""
        key = (method if method in _METHODS else "other", route, status)
        child = self._known.get(key)
        if child is None:
            child = self._known[key] = self._seconds.labels(key[0], route, str(status))
        child.observe(seconds)


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def metrics_response(registry: CollectorRegistry) -> Response:
    """All measures of `registry` in the text format of Prometheus."""
    return Response(generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})
