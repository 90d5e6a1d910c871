"""Webhooks: how fast one worker delivers, and whether intake is as fast with ten of them as without."""

import http.client
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

from benchmarks.context import BenchContext
from benchmarks.errors import CannotMeasure
from benchmarks.load import posts, put_load
from benchmarks.measures.intake import IntakeSide, verify_stored
from benchmarks.measures.measure import Measurement, Row
from benchmarks.processes import SECRET, Process, product_environment, running, serving

_ALLOW = {"COMPLAINTS_WEBHOOK_ALLOW": "127.0.0.1"}
_PATIENCE_SECONDS = 300.0
_ROUNDS = 2


@contextmanager
def _receiving(directory: Path) -> Iterator[int]:
    """A receiver; its port."""
    with running(["benchmarks.webhook_receiver"], directory) as receiver:
        yield receiver.port()


def _ask(port: int, path: str) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", path)
    found = json.loads(connection.getresponse().read())
    connection.close()
    return found


def _await_count(port: int, count: int) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while _ask(port, "/count") < count:
        if time.monotonic() > deadline:
            raise CannotMeasure(f"{_ask(port, '/count')} of {count} messages were delivered.")
        time.sleep(0.01)


def _subscribe(server: Process, receiver: int, event_types: list[str]) -> str:
    body = {"url": f"http://127.0.0.1:{receiver}/", "event_types": event_types, "exclude_actors": []}
    headers = {"Authorization": f"Bearer {SECRET}"}
    made = httpx2.post(f"http://127.0.0.1:{server.port()}/v1/webhooks", json=body, headers=headers)
    if made.status_code != http.HTTPStatus.CREATED:
        raise CannotMeasure(f"A webhook was refused: {made.text}")
    return str(made.json()["id"])


def measure_deliveries(context: BenchContext) -> Measurement:
    """Messages of one subscription a second, while they wait for a worker that starts."""
    messages, directory = context.options["messages"], context.new_directory()
    with context.own_database() as url, _receiving(directory) as receiver:
        with serving(1, directory, url, extra=_ALLOW) as [server]:
            _subscribe(server, receiver, ["complaint.created"])
            templates = posts("/v1/complaints", mark="webhooks", secret=SECRET)
            load = put_load([server.port()], templates, connections=8, requests=messages)
            if load.failed:
                raise CannotMeasure(f"{load.failed} posts were refused: {load.refusal}")
        environment = product_environment(directory, url, scheduler=True) | _ALLOW
        with running(["complaints", "worker"], directory, environment) as worker:
            first = max(1, messages // 10)
            _await_count(receiver, first)
            began, before = time.perf_counter(), _ask(receiver, "/count")
            cpu = worker.cpu_seconds
            _await_count(receiver, messages)
            seconds, cpu = time.perf_counter() - began, worker.cpu_seconds - cpu
        product = (messages - before) / seconds if before < messages else messages / seconds
        bodies = [body.encode() for body in _ask(receiver, "/bodies")]
        limit = _bare_per_second(receiver, bodies, messages)
    details = {"messages": messages, "worker_cpu_ms_per_message": round(1000 * cpu / messages, 3)}
    return Measurement(product, limit, details)


def _bare_per_second(receiver: int, bodies: list[bytes], messages: int) -> float:
    """A loop with one kept-alive connection, and nothing around it."""
    headers = {"content-type": "application/json"}
    with httpx2.Client() as client:
        client.post(f"http://127.0.0.1:{receiver}/", content=bodies[0], headers=headers)
        began = time.perf_counter()
        for number in range(messages):
            body = bodies[number % len(bodies)]
            client.post(f"http://127.0.0.1:{receiver}/", content=body, headers=headers)
        return messages / (time.perf_counter() - began)


def measure_intake_with_webhooks(context: BenchContext) -> Measurement:
    """POST/s with subscriptions and without, on two databases, in slices that take turns.

    The worker that delivers runs only while the processors are idle: it stands for a machine of its own.
    """
    options, directory = context.options, context.new_directory()
    seconds, count = options["seconds"], options["processes"]
    with (
        context.own_database() as url,
        context.own_database() as plain_url,
        _receiving(directory) as receiver,
    ):
        with (
            serving(count, directory, plain_url) as plain_servers,
            serving(count, directory, url, extra=_ALLOW) as servers,
            _working(directory, url) as worker,
        ):
            for _ in range(options["webhooks"]):
                _subscribe(servers[0], receiver, ["*"])
            plain = IntakeSide(plain_servers, connections=options["concurrency"], url=plain_url)
            product = IntakeSide(servers, connections=options["concurrency"], url=url)
            for side in (plain, product):
                side.warm_up(seconds=0.2 * seconds)
            for _ in range(_ROUNDS):
                plain.take(seconds=seconds / _ROUNDS)
                product.take(seconds=seconds / _ROUNDS)
            details = {"limit": plain.details(), "product": product.details()}
            details["worker"] = {"cpu_seconds": round(worker.cpu_seconds, 2)}
            details["delivered"] = {"messages": _ask(receiver, "/count")}
        verify_stored(product, url, directory)
    return Measurement(product.per_second, plain.per_second, details)


@contextmanager
def _working(directory: Path, url: str) -> Iterator[Process]:
    environment = product_environment(directory, url, scheduler=True) | _ALLOW
    with running(["complaints", "worker"], directory, environment) as worker:
        _give_way(worker.popen.pid)
        yield worker


def _give_way(pid: int) -> None:
    """Let all threads of a process run only when nobody else wants the processors."""
    for thread in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setscheduler(int(thread.name), os.SCHED_IDLE, os.sched_param(0))


WEBHOOKS = Row(
    name="webhooks",
    measures="messages one worker delivers to a fast receiver, beside a bare loop of httpx2 with the same bodies",
    unit="messages/s",
    floor=0.5,
    aim=0.8,
    measure=measure_deliveries,
    options={"messages": 5000},
)
INTAKE_WEBHOOKS = Row(
    name="intake-webhooks",
    measures="POST /v1/complaints with ten webhooks, beside the same without a webhook",
    unit="POST/s",
    floor=0.95,
    aim=0.99,
    measure=measure_intake_with_webhooks,
    options={"seconds": 10, "concurrency": 64, "processes": 2, "webhooks": 10},
)
