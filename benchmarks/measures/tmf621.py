"""The face of TMF621 beside the native API: the same pages and the same posts, in slices that take turns."""

import json
from collections.abc import Mapping
from statistics import fmean
from typing import Any

from benchmarks.context import BenchContext
from benchmarks.data.sample_tickets import ticket_of
from benchmarks.errors import CannotMeasure
from benchmarks.filled_database import FilledDatabase, filled_database
from benchmarks.measures.intake import IntakeSide, verify_stored
from benchmarks.measures.measure import Cost, Measurement, Row
from benchmarks.processes import serving

TICKETS = "/tmf-api/troubleTicket/v5/troubleTicket"
_COMPLAINTS = "/v1/complaints"
_ROUNDS = 2
_WARM_UP = 0.2  # of the measured load, before it
_SLICE = 10  # requests of one side in a row


# Pages ---------------------------------------------------------------------------------------------------------------

_NEWEST = "limit=20&sort=-received_at"
_PAGES = {  # each page of the face, and the native page with the same complaints
    "newest": (f"{TICKETS}?limit=20", f"{_COMPLAINTS}?{_NEWEST}"),
    "in progress": (
        f"{TICKETS}?limit=20&status=inProgress",
        f"{_COMPLAINTS}?{_NEWEST}&status=investigating",
    ),
}


class PageSide:
    """One side of the comparison of a page: its times, and the processor time of the server for it."""

    def __init__(self, filled: FilledDatabase, path: str) -> None:
        self._filled = filled
        self._path = path
        self._samples: list[float] = []
        self._cpu_seconds = 0.0

    def take(self, requests: int) -> None:
        """Read the page so many times in a row."""
        before = self._filled.server.cpu_seconds
        self._samples += [self._filled.time_get(self._path) for _ in range(requests)]
        self._cpu_seconds += self._filled.server.cpu_seconds - before

    def forget(self) -> None:
        """Forget what was taken until now: it was to warm up."""
        self._samples, self._cpu_seconds = [], 0.0

    def timing(self) -> dict[str, float]:
        """The times in milliseconds, and the mean of the processor time."""
        ordered = sorted(self._samples)
        return {
            "p50_ms": ordered[len(ordered) // 2],
            "p95_ms": ordered[int(len(ordered) * 0.95)],
            "server_cpu_ms": self._cpu_seconds * 1000 / len(ordered),
        }


def measure_lists(context: BenchContext) -> Measurement:
    """The worst ratio of the p95 of a page of tickets to that of its native page."""
    filled = filled_database(context, context.options["complaints"], on_sqlite=False)
    timings = {
        name: _in_turn(filled, *paths, requests=context.options["requests"]) for name, paths in _PAGES.items()
    }
    worst = max(timings.values(), key=lambda one: one["face"]["p95_ms"] / one["native"]["p95_ms"])
    return Measurement(worst["face"]["p95_ms"], worst["native"]["p95_ms"], timings)


def _in_turn(
    filled: FilledDatabase, face_path: str, native_path: str, *, requests: int
) -> dict[str, dict[str, float]]:
    _check_same(filled, face_path, native_path)
    sides = {"native": PageSide(filled, native_path), "face": PageSide(filled, face_path)}
    for side in sides.values():
        side.take(_SLICE)
        side.forget()
    for _ in range(max(1, requests // _SLICE)):
        for side in sides.values():
            side.take(_SLICE)
    return {name: side.timing() for name, side in sides.items()}


def _check_same(filled: FilledDatabase, face_path: str, native_path: str) -> None:
    """Raise CannotMeasure unless both pages have the same complaints."""
    native = [one["id"] for one in json.loads(filled.get(native_path))["items"]]
    face = [one["id"] for one in json.loads(filled.get(face_path))]
    if not native or face != native:
        raise CannotMeasure(f"{face_path} and {native_path} have different complaints.")


def _cpu_of_page(details: Mapping[str, Any]) -> float:
    return fmean(float(timing["face"]["server_cpu_ms"]) for timing in details.values())


# Posts ---------------------------------------------------------------------------------------------------------------


def measure_posts(context: BenchContext) -> Measurement:
    """POST/s of tickets and of complaints, by the same servers on the same database."""
    options, directory = context.options, context.new_directory()
    seconds, connections = options["seconds"], options["concurrency"]
    with context.own_database() as url:
        with serving(options["processes"], directory, url) as servers:
            native = IntakeSide(servers, connections=connections, url=url)
            face = IntakeSide(servers, connections=connections, url=url, path=TICKETS, body_of=ticket_of)
            for side in (native, face):
                side.warm_up(seconds=_WARM_UP * seconds)
            for _ in range(_ROUNDS):
                native.take(seconds=seconds / _ROUNDS)
                face.take(seconds=seconds / _ROUNDS)
        for side in (native, face):
            verify_stored(side, url, directory)
            if side.failed:
                raise CannotMeasure(f"{side.failed} posts were refused: {side.loads[0].refusal[:500]}")
    return Measurement(
        face.per_second, native.per_second, {"limit": native.details(), "product": face.details()}
    )


def _cpu_ratio(details: Mapping[str, Any]) -> float:
    face, native = (
        float(side["cpu_ms_per_request"] + side["database_cpu_ms_per_request"])
        for side in (details["product"], details["limit"])
    )
    return face / native


TMF621_LIST = Row(
    name="tmf621-list",
    measures="a page of 20 tickets of TMF621: p95 by that of the native page, the worst of them",
    unit="ms",
    floor=1.5,
    aim=1.2,
    measure=measure_lists,
    options={"complaints": 1_000_000, "requests": 300},
    cost=Cost("processor time of a page of tickets, server without database", "ms", _cpu_of_page),
)
TMF621_CREATE = Row(
    name="tmf621-create",
    measures="POST of a ticket of TMF621 on PostgreSQL, two processes, beside POST /v1/complaints with its content",
    unit="POST/s",
    floor=0.67,
    aim=0.83,
    measure=measure_posts,
    options={"seconds": 10, "concurrency": 64, "processes": 2},
    cost=Cost(
        "processor time of a post of a ticket, by that of a native post",
        "times",
        _cpu_ratio,
        floor=1.5,
        aim=1.2,
    ),
)
