"""The tables of docs/performance.md have what the results have, judged by the rows of today."""

import json
from pathlib import Path
from typing import Any

from benchmarks.performance_page import render_tables

MACHINE = {
    "date": "2026-01-02T03:04:05Z",
    "cpus": 2,
    "cpu": "Some CPU",
    "memory_gb": 8.0,
    "os": "Linux 6",
    "python": "CPython 3",
    "sqlite": "3.40",
    "postgresql": {"server_version": "18.1", "fsync": "on"},
}


def keep(results: Path, row: str, options: dict[str, int], *runs: dict[str, Any]) -> None:
    found = {"options": options, "limit": None, "product": 4.5, "runs": runs, "machine": MACHINE}
    (results / f"{row}.json").write_text(json.dumps(found), encoding="utf-8")


def timing(milliseconds: float) -> dict[str, float]:
    return dict.fromkeys(("p50_ms", "p95_ms", "sql_p95_ms", "server_cpu_ms"), milliseconds)


def test_the_tables_have_rows_questions_and_the_comparison(tmp_path: Path) -> None:
    posts = [{"cpu_ms_per_request": cpu, "database_cpu_ms_per_request": 0.25} for cpu in (0.25, 0.5, 0.25)]
    keep(
        tmp_path,
        "intake",
        {"seconds": 10},
        *({"ratio": 0.25, "details": {"product": post}} for post in posts),
    )
    pages = [{"neither": timing(one), "neither, ANALYZE 1": timing(7.0)} for one in (4.0, 4.5, 9.0)]
    keep(tmp_path, "overdue-page", {}, *({"product": 7.0, "details": page} for page in pages))
    head_by_base = {"product": 2.0, "ratio": None, "cost": 0.5}
    row = {"row": "storm", "options": {"workers": 2}, "runs": [{"head_by_base": head_by_base}] * 2}
    compared = {"rows": [row], "base": "aaa", "head": "bbb", "machine": MACHINE}
    (tmp_path / "comparison.json").write_text(json.dumps(compared), encoding="utf-8")

    lines = render_tables(tmp_path).splitlines()

    assert lines[0].startswith("Measured on 2 processors (Some CPU), 8 GB, Linux 6,")
    cost = "`intake`: processor time of a post, servers and database"
    assert {
        "| `intake` | seconds 10 | – | 4.5 POST/s | 0.25 (0.25; 0.25; 0.25) | 0.24 | 0.33 | floor met | 2026-01-02 |",
        f"| {cost} | – | – | 0.5 ms | 0.5 (0.5; 0.75; 0.5) | 0.6 | 0.48 | floor met | 2026-01-02 |",
        "| `overdue-page` | – | – | 4.5 ms | 7 (7; 7; 7) | 6 | 4 | **not met** | 2026-01-02 |",
        "| `start` | – | – | – | – | 2 | 1 | not measured | – |",
        "| `overdue-page`, neither | 4.5; 7 | 4.5; 7 | 4.5; 7 | 4.5; 7 |",
        "| `storm` | workers 2 | 2 (2; 2) | – | 0.5 (0.5; 0.5) |",
    } <= set(lines)
