"""How a result is shown, and kept as JSON."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.measures.measure import Measurement, Result, Row


def as_json(result: Result, machine: Mapping[str, Any]) -> dict[str, Any]:
    """Everything about a result."""
    row = result.row
    return {
        "row": row.name,
        "measures": row.measures,
        "unit": row.unit,
        "judged": row.judged,
        "floor": row.floor,
        "aim": row.aim,
        "limit": result.limit,
        "product": result.product,
        "ratio": result.ratio,
        "meets_floor": result.meets_floor,
        "meets_aim": result.meets_aim,
        "options": dict(result.options),
        "runs": [_run_json(run) for run in result.runs],
        "machine": dict(machine),
    }


def _run_json(run: Measurement) -> dict[str, Any]:
    return {"limit": run.limit, "product": run.product, "ratio": run.ratio, "details": dict(run.details)}


def write_json(result: Result, machine: Mapping[str, Any], path: Path) -> None:
    """Write the result to `path`."""
    text = json.dumps(as_json(result, machine), indent=2, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


def show(out: Console, result: Result) -> None:
    """Every run, their median, and whether floor and aim are met."""
    row = result.row
    table = Table("", f"Limit ({row.unit})", f"Product ({row.unit})", "Ratio", box=None)
    for n, run in enumerate(result.runs, start=1):
        table.add_row(f"run {n}", *map(_number, (run.limit, run.product, run.ratio)))
    table.add_row("median", *map(_number, (result.limit, result.product, result.ratio)))
    out.print(f"{row.name}: {row.measures}", markup=False)
    out.print(table)
    out.print(_verdict(row, result), markup=False)
    out.print("")


def _verdict(row: Row, result: Result) -> str:
    met = {True: "met", False: "NOT met"}
    value = _number(result.judged)
    floor = f"floor {_number(row.floor)} {met[result.meets_floor]}"
    return f"{row.judged} {value}: {floor}, aim {_number(row.aim)} {met[result.meets_aim]}"


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
