"""The load generator tells what happened, errors included, and keeps within its bounds."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from benchmarks.errors import CannotMeasure
from benchmarks.load import get, posts, put_load

CREATED = b"HTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\n{}"
UNAVAILABLE = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nbusy"
GET = get("/v1/complaints", secret="s")


@contextmanager
def answering(*answers: bytes) -> Iterator[tuple[int, list[bytes]]]:
    """A port whose connections answer their requests with these in turn (b"": hang up), and what came in."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_accept, args=(listener, answers, heard), daemon=True).start()
        yield listener.getsockname()[1], heard
        listener.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, answers: tuple[bytes, ...], heard: list[bytes]) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            while request := connection.recv(1 << 16):
                answer = answers[len(heard) % len(answers)]
                heard.append(request)
                if not answer:
                    break
                connection.sendall(answer[:20])
                connection.sendall(answer[20:])


def test_answers_are_counted_by_status_and_hang_ups_too() -> None:
    with answering(CREATED, UNAVAILABLE, b"") as (port, heard):
        load = put_load([port], [GET], connections=1, requests=9)

    assert load.statuses == {"201": 3, "503": 3, "trouble": 3}
    assert (load.accepted, load.failed, len(heard)) == (3, 6, 9)
    assert "busy" in load.refusal


def test_a_load_of_which_nothing_was_accepted_is_no_measurement() -> None:
    with answering(UNAVAILABLE) as (port, _), pytest.raises(CannotMeasure, match="503"):
        put_load([port], [GET], connections=1, requests=3)


def test_connections_are_spread_evenly() -> None:
    with answering(CREATED) as (one, heard), answering(CREATED) as (other, heard_too):
        put_load([one, other], [GET], connections=2, requests=40, rate=400)

    assert heard
    assert heard_too
    assert len(heard) + len(heard_too) == 40


def test_the_rate_is_kept() -> None:
    with answering(CREATED) as (port, heard):
        load = put_load([port], [GET], connections=1, seconds=0.5, rate=40)

    assert 1 <= len(heard) <= 21
    assert load.seconds < 5


def test_every_request_has_a_number_of_its_own() -> None:
    with answering(CREATED) as (port, heard):
        put_load([port], posts("/", mark="m", secret="s"), connections=1, requests=3, first_number=7)

    assert [f"Idempotency-Key: m-{n:08d}".encode() in heard[n - 7] for n in (7, 8, 9)] == [True] * 3
    assert [f'"external_id": "CRM-m-{n:08d}"'.encode() in heard[n - 7] for n in (7, 8, 9)] == [True] * 3
