"""The measures of a process. Processes behind one port write them to files, so that each shows the sum of all."""

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, values
from prometheus_client.metrics_core import Metric
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from complaints.use_cases.upkeep.sweep import SweepResult

_READS = 5


@dataclass(frozen=True, slots=True)
class Registries:
    """`own`: where the measures of this process register. `shown`: what `GET /metrics` answers."""

    own: CollectorRegistry
    shown: CollectorRegistry


def open_registries(directory: Path | None) -> Registries:
    """The registries of a process. With `directory`, it shares its measures with all processes that have the same.

    Call it before any measure is made.
    """
    own = CollectorRegistry()
    if directory is None:
        return Registries(own, own)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(directory)
    values.ValueClass = values.MultiProcessValue()
    shown = CollectorRegistry()
    _SharedMeasures(shown, str(directory))  # type: ignore[no-untyped-call]
    return Registries(own, shown)


class _SharedMeasures(MultiProcessCollector):
    """Reads the files again if one of them was merged meanwhile (see `merge_ended`)."""

    def collect(self) -> Iterable[Metric]:
        for _ in range(_READS):
            try:
                return super().collect()  # type: ignore[no-any-return, no-untyped-call]
            except FileNotFoundError:
                continue
        return super().collect()  # type: ignore[no-any-return, no-untyped-call]


def merge_ended(directory: Path, pid: int) -> None:
    """Add the counts of an ended process to those of the processes before it, and delete its files."""
    mark_process_dead(pid, str(directory))
    for kind in ("counter", "histogram"):
        ended = directory / f"{kind}_{pid}.db"
        if ended.exists():
            _add_file(ended, directory / f"{kind}_ended.db")


def _add_file(source: Path, target: Path) -> None:
    changed = target.with_suffix(".new")
    if target.exists():
        shutil.copyfile(target, changed)
    sums = MmapedDict(str(changed))
    for key, value, _, _ in MmapedDict.read_all_values_from_file(str(source)):
        sums.write_value(key, sums.read_value(key)[0] + value, 0.0)
    sums.close()
    changed.replace(target)
    source.unlink()


class SweepMeasures:
    """The measures of sweeps: how late steps are taken, and how many (rule 3.7)."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._lag = Histogram(
            "complaints_step_lag_seconds",
            "Seconds from when an escalation step should have been taken to when it was.",
            buckets=(0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5, 30, 300, 3600),
            registry=registry,
        )
        self._steps = Counter("complaints_steps", "Escalation steps taken.", ("kind",), registry=registry)

    def observe(self, swept: SweepResult) -> None:
        """Count one sweep."""
        for lag in swept.lags_seconds:
            self._lag.observe(lag)
        self._steps.labels("escalation").inc(swept.escalations)
        self._steps.labels("reminder").inc(swept.reminders)


class WorkMeasures:
    """The counts of committed work, and the connections in use."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._counters = {
            "registered": Counter(
                "complaints_registered", "New complaints.", ("channel",), registry=registry
            ),
            "import_rows": Counter(
                "complaints_import_rows",
                "Rows of imports that were worked on.",
                ("result",),
                registry=registry,
            ),
            "imports": Counter("complaints_imports", "Imports that ended.", ("kind",), registry=registry),
        }
        self._pool = Gauge(
            "complaints_pool_connections_in_use",
            "Connections to the database that requests and loops use now.",
            registry=registry,
            multiprocess_mode="livesum",
        )

    def count(self, name: str, label: str, amount: int) -> None:
        """Count committed work. `name` is the name of a counter of `Transaction.count`."""
        self._counters[name].labels(label).inc(amount)

    def note_pool(self, in_use: int) -> None:
        """Note how many connections are in use now."""
        self._pool.set(in_use)
