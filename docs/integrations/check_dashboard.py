"""Check that `/metrics` of a server has every measure that the Grafana dashboard shows.

    COMPLAINTS_URL=… python check_dashboard.py grafana-dashboard.json

A measure that the server lacks is named, and the exit code is 2.
"""

import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2

_MEASURE = re.compile(r"\bcomplaints_[a-z_]+")
_LINE = re.compile(r"^(complaints_[a-z_]+)[ {]", re.MULTILINE)


def read_queries(value: Any) -> Iterator[str]:
    """All queries in a dashboard."""
    if isinstance(value, dict):
        if isinstance(value.get("expr"), str):
            yield value["expr"]
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from read_queries(item)


def find_missing(dashboard: Any, metrics: str) -> list[str]:
    """The measures of the dashboard that a text of `/metrics` has no line or no type for."""
    types = re.findall(r"^# TYPE (\S+) (\S+)", metrics, re.MULTILINE)
    known = set(_LINE.findall(metrics)) | {name for name, _ in types}
    known |= {
        f"{name}_{part}" for name, kind in types if kind == "histogram" for part in ("bucket", "sum", "count")
    }
    asked = {name for query in read_queries(dashboard) for name in _MEASURE.findall(query)}
    return sorted(asked - known)


def main(arguments: list[str]) -> int:
    """Run the script; its exit code."""
    dashboard = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
    metrics = httpx2.get(f"{os.environ['COMPLAINTS_URL']}/metrics").raise_for_status().text
    if missing := find_missing(dashboard, metrics):
        print(f"The server has no {', '.join(missing)}.", file=sys.stderr)
        return 2
    print(f"{len(list(read_queries(dashboard)))} queries, every measure is there")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
