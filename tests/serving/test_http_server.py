"""The main loop of the server ticks once a second, and a signal ends it at once."""

import asyncio
import signal
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
