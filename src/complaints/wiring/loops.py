"""The loops of a process: its own, and those of its annexes."""

import os
import socket
import threading
from collections.abc import Callable
from functools import partial

from prometheus_client import CollectorRegistry

from complaints.api.feature import Annexes
from complaints.serving.measures import SweepMeasures
from complaints.serving.scheduler import Loop, Loops
from complaints.settings import Settings
from complaints.storage.database.loop_names import (
    ATTACHMENT_LOOP,
    IMPORT_LOOP,
    LONGEST_SLEEP_SECONDS,
    SCAN_LOOP,
    SWEEP_LOOP,
)
from complaints.use_cases.attachments.scanning import ScanWorker
from complaints.use_cases.attachments.sweeping import empty_erased, sweep_orphans
from complaints.use_cases.complaints.leaving import finish_leavings
from complaints.use_cases.configuration.key_uses import LEAST_SECONDS, save_key_uses
from complaints.use_cases.importing.worker import ImportWorker
from complaints.use_cases.service import Service
from complaints.use_cases.upkeep.loops import Sweeper, beat_without_sweep, do_chores, end_heartbeat
from complaints.use_cases.upkeep.reindexing import reindex
from complaints.wiring import clocks
from complaints.wiring.annex_loops import annex_loops
from complaints.wiring.attachments import open_scanner

IMPORT_SECONDS = 5.0  # an import that another process took; a process begins its own imports at once
HEARTBEAT_LOOP = "heartbeat"
HEARTBEAT_SECONDS = 10.0
REINDEXING_SECONDS = 60.0
LEAVING_SECONDS = 15.0  # a leaving that was cut off goes on within this time

EMPTYING_SECONDS = 60.0  # a process that erases deletes the bytes at once
SCAN_SECONDS = 5.0  # a process that takes an attachment scans it at once
ORPHANS_AT = "41 3 * * *"


def node_name() -> str:
    """The name of this process in the heartbeats."""
    return f"{socket.gethostname()}:{os.getpid()}"


def open_import_worker(service: Service, stopping: Callable[[], bool] = lambda: False) -> ImportWorker:
    """The worker of this process for imports."""
    return ImportWorker(service, node_name(), clocks.wall_now, stopping)


def build_loops(service: Service, registry: CollectorRegistry, settings: Settings, annexes: Annexes) -> Loops:
    """The loops of a process that sweeps, with the loops of the annexes. Commits of this process hasten them."""
    stopping = threading.Event()
    sweeper = Sweeper(service, node_name(), clocks.wall_now, SweepMeasures(registry).observe, stopping.is_set)
    keep = partial(do_chores, service, clocks.wall_now, history_months=settings.history_months)
    own: tuple[Loop, ...] = (
        Loop(SWEEP_LOOP, sweeper.sweep_due, seconds=LONGEST_SLEEP_SECONDS),
        Loop(IMPORT_LOOP, open_import_worker(service, stopping.is_set).work_on_all, seconds=IMPORT_SECONDS),
        Loop("leaving", lambda: finish_leavings(service, stopping.is_set), seconds=LEAVING_SECONDS),
        Loop(ATTACHMENT_LOOP, lambda: empty_erased(service), seconds=EMPTYING_SECONDS),
        Loop("attachment orphans", lambda: sweep_orphans(service), cron=ORPHANS_AT),
        Loop("reindexing", lambda: reindex(service, stopping.is_set), seconds=REINDEXING_SECONDS),
        Loop("housekeeping", keep, cron="17 * * * *"),
        _key_uses_loop(service),
    )
    if (scanner := open_scanner(settings)) is not None:
        scans = ScanWorker(service, scanner, stopping.is_set)
        own = (*own, Loop(SCAN_LOOP, scans.scan_waiting, seconds=SCAN_SECONDS))
    built = Loops((*own, *annex_loops(service, annexes, stopping.is_set)), clocks.wall_now, stopping)
    service.database.hasten = built.hasten
    return built


def build_heartbeat(service: Service) -> Loops:
    """The loops of a process that leaves the deadlines to others: it writes a heartbeat, and when keys were used."""
    beat = partial(beat_without_sweep, service, node_name(), clocks.wall_now)
    return Loops(
        (Loop(HEARTBEAT_LOOP, beat, seconds=HEARTBEAT_SECONDS), _key_uses_loop(service)), clocks.wall_now
    )


def _key_uses_loop(service: Service) -> Loop:
    return Loop("key uses", partial(save_key_uses, service), seconds=LEAST_SECONDS)


def start_loops(loops: Loops) -> None:
    """Start the loops. The sweep, or the heartbeat of a process that leaves the deadlines to others, runs at once."""
    loops.start()
    for name in (SWEEP_LOOP, HEARTBEAT_LOOP):
        loops.hasten(name, 0)


def end_loops(service: Service, loops: Loops) -> None:
    """Finish the running work of the loops, write the last uses of keys, and delete the heartbeat of this process."""
    loops.stop()
    save_key_uses(service)
    end_heartbeat(service, node_name())
