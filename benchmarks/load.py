"""Load on servers of this machine, by a generator in a process of its own."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from benchmarks.data import samples
from benchmarks.errors import CannotMeasure
from benchmarks.load_generator import MARK

_FOREVER = 1 << 62
BodyOf = Callable[[dict[str, Any]], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Load:
    """What came of a load. `cpu_seconds` are the generator's; `refusal` is the first answer other than 2xx."""

    seconds: float
    statuses: dict[str, int]
    p50_ms: float
    p95_ms: float
    p99_ms: float
    cpu_seconds: float
    refusal: str

    @property
    def accepted(self) -> int:
        """How many requests were answered with 2xx."""
        return sum(count for status, count in self.statuses.items() if status.startswith("2"))

    @property
    def failed(self) -> int:
        """How many were answered otherwise, or not at all."""
        return sum(self.statuses.values()) - self.accepted


def put_load(
    ports: Sequence[int],
    templates: Sequence[bytes],
    *,
    connections: int,
    seconds: float = 600.0,
    requests: int = _FOREVER,
    rate: float = 0.0,
    first_number: int = 0,
) -> Load:
    """Send the templates in turn over `connections`, spread evenly over `ports`, each waiting for its answer.

    It ends after `seconds`, or `requests` in all; `rate` holds it to that many a second (0: as fast as
    answers come). Requests are numbered from `first_number`. Raises CannotMeasure where nothing was accepted.
    """
    plan = {
        "ports": list(ports),
        "templates": [template.decode("latin-1") for template in templates],
        "connections": connections,
        "seconds": seconds,
        "requests": requests,
        "rate": rate,
        "first_number": first_number,
    }
    command = [sys.executable, "-m", "benchmarks.load_generator"]
    done = subprocess.run(command, input=json.dumps(plan), capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotMeasure(f"The load generator failed: {done.stderr.strip()}")
    load = Load(**json.loads(done.stdout))
    if not load.accepted:
        raise CannotMeasure(f"No request was accepted: {load.statuses} {load.refusal}")
    return load


def posts(
    path: str, *, mark: str, secret: str, count: int = 200, body_of: BodyOf = lambda body: body
) -> list[bytes]:
    """Templates of POSTs of complaints: every one sent has an external id and an idempotency key of its own.

    `mark` keeps those of one load apart from those of another. `body_of` writes a complaint in another form.
    """
    bodies = map(body_of, samples.complaints(mark=f"{mark}-{MARK.decode()}"))
    return [post(path, body, secret=secret, key=f"{mark}-{MARK.decode()}") for body in islice(bodies, count)]


def post(path: str, body: dict[str, Any], *, secret: str, key: str) -> bytes:
    """A POST as it goes over the wire."""
    content = json.dumps(body, ensure_ascii=False).encode()
    lines = [
        *_head("POST", path, secret),
        "Content-Type: application/json",
        f"Idempotency-Key: {key}",
        f"Content-Length: {len(content)}",
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


def get(path: str, *, secret: str) -> bytes:
    """A GET as it goes over the wire."""
    return "\r\n".join(_head("GET", path, secret)).encode() + b"\r\n\r\n"


def _head(method: str, path: str, secret: str) -> Iterator[str]:
    yield f"{method} {path} HTTP/1.1"
    yield "Host: 127.0.0.1"
    yield "User-Agent: complaints-bench"
    yield "Accept: application/json"
    yield f"Authorization: Bearer {secret}"
