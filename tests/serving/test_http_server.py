"""The main loop of the server ticks once a second, and a signal ends it at once."""

import asyncio
import signal
import socket
import threading
import time

import pytest

from complaints.serving.http_server import DrainingServer, server_config


async def _app(scope: object, receive: object, send: object) -> None:
    raise AssertionError("no request is sent")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_main_loop_before_the_next_tick(number: int) -> None:
    server = DrainingServer(server_config(_app), drain_seconds=0)
    server.config.load()
    timer = threading.Timer(0.1, server.handle_exit, (number, None))
    timer.start()
    begun = time.monotonic()
    asyncio.run(server.main_loop())
    assert 0.05 < time.monotonic() - begun < 0.9
    timer.join()


def test_an_idle_server_ticks_once_a_second_and_keeps_the_date(monkeypatch: pytest.MonkeyPatch) -> None:
    server = DrainingServer(server_config(_app), drain_seconds=0)
    server.config.load()
    ticks: list[float] = []
    tick = server.on_tick

    async def count(counter: int) -> bool:
        ticks.append(time.monotonic())
        server.should_exit = len(ticks) == 3
        return await tick(counter)

    monkeypatch.setattr(server, "on_tick", count)
    asyncio.run(server.main_loop())
    assert ticks[-1] - ticks[0] > 1.9
    assert any(name == b"date" for name, _ in server.server_state.default_headers)


def test_a_signal_after_the_end_of_the_loop_is_only_noted() -> None:
    server = DrainingServer(server_config(_app), drain_seconds=0)
    server.config.load()
    server.should_exit = True
    asyncio.run(server.main_loop())
    server.handle_exit(signal.SIGTERM, None)
    assert server.should_exit


@pytest.mark.parametrize("signals", [[signal.SIGTERM], [signal.SIGINT]])
def test_requests_that_wait_are_ended_when_the_server_stops(signals: list[int]) -> None:
    ended: list[bool] = []

    async def run() -> float:
        server = DrainingServer(
            server_config(_app), drain_seconds=30, on_stop=lambda: ended.append(server.started)
        )
        server._captured_signals = signals
        server.config.load()
        server.lifespan = server.config.lifespan_class(server.config)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            await server.startup(sockets=[listener])
            begun = time.monotonic()
            await server.shutdown(sockets=[listener])
        return time.monotonic() - begun

    assert asyncio.run(run()) < 5
    assert ended == [True]
