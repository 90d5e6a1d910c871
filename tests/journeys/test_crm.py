"""A call centre and a CRM work with the server, all are killed at random, and nothing is lost, doubled or echoed."""

import socket
from collections.abc import Callable
from pathlib import Path

from tests.journeys.crm_scene import crm_scene
from tests.journeys.running_server import Launcher
from tests.journeys.storm import house_in_operation
from tests.support import check_all


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


def test_calls_and_cases_survive_kills_on_every_side(
    migrated_database_url: Callable[[str], str], launcher: Launcher, tmp_path: Path
) -> None:
    url, port = migrated_database_url("sqlite"), free_port()
    service = house_in_operation(url)
    servers = [launcher.serve(url, port=port)]

    def kill_server() -> None:
        servers.pop().kill()
        servers.append(launcher.serve(url, port=port, ready=False))

    with crm_scene(service, tmp_path, f"http://127.0.0.1:{port}", kill_server, seed=11) as scene:
        scene.start()
        for _ in range(2):
            scene.kill_all_in_turn()
        scene.settle()
        assert scene.breaches() == []
        assert all(scene.counts[f"{kind} changes of the CRM"] for kind in ("note", "field", "status"))
    assert list(check_all(service)) == []
    service.database.engine.dispose()
