"""Facts of the machine a benchmark ran on, without which its numbers say nothing."""

import os
import platform
import sqlite3
from pathlib import Path
from typing import Any

import complaints
from benchmarks.databases import server_settings
from complaints import wiring


def machine_facts(postgres: str | None) -> dict[str, Any]:
    """The machine, the programs and the date; with the server's settings where there is one."""
    facts: dict[str, Any] = {
        "date": wiring.wall_now().isoformat(timespec="seconds"),
        "complaints": complaints.__version__,
        "cpus": os.cpu_count(),
        "cpu": _field("/proc/cpuinfo", "model name") or platform.processor() or platform.machine(),
        "memory_gb": round(_memory_bytes() / 2**30, 1),
        "os": f"{platform.system()} {platform.release()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "sqlite": sqlite3.sqlite_version,
    }
    if postgres is not None:
        facts["postgresql"] = server_settings(postgres)
    return facts


def _field(file: str, name: str) -> str | None:
    path = Path(file)
    if not path.is_file():
        return None
    lines = path.read_text(encoding="utf-8").splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), None)


def _memory_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
