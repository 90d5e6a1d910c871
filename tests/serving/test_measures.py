"""Processes behind one port share their measures in files; a worker answers /metrics at a port of its own."""

import socket
from pathlib import Path

import httpx2
import pytest
from prometheus_client import CollectorRegistry, generate_latest, values

from complaints.domain.errors import InvalidContent
from complaints.domain.importing.import_file import CSV
from complaints.serving.measures import Registries, WorkMeasures, merge_ended, open_registries
from complaints.settings import Settings
from complaints.storage.database.transactions import Transaction
from complaints.use_cases.access import SYSTEM
from complaints.use_cases.importing import uploads
from complaints.wiring import NotReady, measure_work, open_import_worker, serve_measures
from tests.support import Scenario


def run_process(directory: Path, pid: int, registered: int, monkeypatch: pytest.MonkeyPatch) -> Registries:
    """The measures of a process that registered so many complaints and has two connections in use."""
    monkeypatch.setattr(values.MultiProcessValue, "__defaults__", (lambda: pid,))
    registries = open_registries(directory)
    measures = WorkMeasures(registries.own)
    measures.count("registered", "phone", registered)
    measures.note_pool(2)
    return registries


def shown(registry: CollectorRegistry, name: str) -> float:
    [line] = [line for line in generate_latest(registry).decode().splitlines() if line.startswith(name)]
    return float(line.rpartition(" ")[2])


def test_processes_share_their_measures_also_after_their_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(values, "ValueClass", values.ValueClass)
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", "")
    registries = [run_process(tmp_path, pid, pid, monkeypatch) for pid in (1, 2, 3)]
    for one in registries:
        assert shown(one.shown, "complaints_registered_total") == 6
        assert shown(one.shown, "complaints_pool_connections_in_use") == 6
    for pid, left in ((1, 4), (2, 2)):
        merge_ended(tmp_path, pid)
        assert shown(registries[2].shown, "complaints_registered_total") == 6
        assert shown(registries[2].shown, "complaints_pool_connections_in_use") == left
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["counter_3.db", "counter_ended.db", "gauge_livesum_3.db"]
    for cleanup in values._multi_process_cleanups:
        cleanup()


def test_a_worker_shows_what_it_did(scenario: Scenario) -> None:
    registry, service = CollectorRegistry(), scenario.service
    measure_work(service, registry)
    with socket.create_server(("127.0.0.1", 0)) as free:
        settings = Settings(metrics_port=free.getsockname()[1])
        with pytest.raises(NotReady, match="COMPLAINTS_METRICS_PORT"):
            serve_measures(service, settings, CollectorRegistry())
    end = serve_measures(service, settings, registry)
    scenario.post()
    with pytest.raises(InvalidContent):
        scenario.post(category="nowhere")
    for dry_run in (True, False, False):
        import_rows(scenario, b"s\nA\n\xe7\xbd\x91\n", dry_run=dry_run)
    text = httpx2.get(f"http://127.0.0.1:{settings.metrics_port}/metrics").text
    end()
    assert 'complaints_registered_total{channel="phone"} 1.0' in text
    assert 'complaints_registered_total{channel="web"} 2.0' in text  # a dry run registers nothing
    assert 'complaints_import_rows_total{result="duplicate"} 2.0' in text
    assert 'complaints_imports_total{kind="import"} 2.0' in text
    assert 'complaints_open{team="customer_service"} 3.0' in text
    assert "complaints_database_up 1.0" in text


def import_rows(scenario: Scenario, content: bytes, *, dry_run: bool) -> None:
    options = (("map.subject", "s"), ("set.channel", "web"))
    request = uploads.ImportRequest(content, CSV, None, options, dry_run)
    checked = uploads.check_file(SYSTEM, request)
    job = scenario.service.write(lambda tx: uploads.start_import(scenario.service, tx, SYSTEM, checked))
    assert open_import_worker(scenario.service).work_on(job.id)


def test_a_transaction_that_fails_counts_nothing(scenario: Scenario) -> None:
    counted: list[tuple[str, str, int]] = []
    scenario.service.database.count = lambda *one: counted.append(one)

    def fail(tx: Transaction) -> None:
        tx.count("registered", "phone")
        raise RuntimeError("taken back")

    with pytest.raises(RuntimeError):
        scenario.service.write(fail)
    assert counted == []
