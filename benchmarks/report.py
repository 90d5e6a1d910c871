"""How a result is shown, and kept as JSON."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.comparison import RATIOS, Comparison
from benchmarks.measures.measure import Cost, Measurement, Result, Row


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
        "cost": _cost_json(row.cost, result.cost),
        "runs": [_run_json(row, run) for run in result.runs],
        "machine": dict(machine),
    }


def _cost_json(cost: Cost | None, value: float | None) -> dict[str, Any] | None:
    if cost is None:
        return None
    asked = {"floor": cost.floor, "aim": cost.aim} if cost.is_judged else {}
    return {"measures": cost.measures, "unit": cost.unit, "value": value, **asked}


def _run_json(row: Row, run: Measurement) -> dict[str, Any]:
    cost = row.cost.read(run.details) if row.cost else None
    numbers = {"limit": run.limit, "product": run.product, "ratio": run.ratio, "cost": cost}
    return {**numbers, "details": dict(run.details)}


def write_json(found: Mapping[str, Any], path: Path) -> None:
    """Write what was found to `path`."""
    text = json.dumps(found, indent=2, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


def show(out: Console, result: Result) -> None:
    """Every run, their median, and whether floor and aim are met."""
    row = result.row
    table = Table("", f"Limit ({row.unit})", f"Product ({row.unit})", "Ratio", box=None)
    for n, run in enumerate(result.runs, start=1):
        table.add_row(f"run {n}", *map(number, (run.limit, run.product, run.ratio)))
    table.add_row("median", *map(number, (result.limit, result.product, result.ratio)))
    out.print(f"{row.name}: {row.measures}", markup=False)
    out.print(table)
    out.print(_verdict(row, result), markup=False)
    out.print("")


def show_comparison(out: Console, found: Comparison) -> None:
    """Both trees' numbers of every run, and the medians of their ratios."""
    row = found.row
    table = Table("", f"Base ({row.unit})", f"Head ({row.unit})", *RATIOS, box=None)
    for n, pair in enumerate(found.pairs, start=1):
        ratios = [pair.ratio(name) for name in RATIOS]
        table.add_row(f"run {n}", *map(number, (pair.base["product"], pair.head["product"], *ratios)))
    table.add_row("median", "", "", *(number(found.ratio(name)) for name in RATIOS))
    out.print(f"{row.name}: head divided by base", markup=False)
    out.print(table)
    out.print("")


def _verdict(row: Row, result: Result) -> str:
    met = {True: "met", False: "NOT met"}
    asked = (
        f"floor {number(row.floor)} {met[result.meets_floor]}, aim {number(row.aim)} {met[result.meets_aim]}"
    )
    verdict = f"{row.judged} {number(result.judged)}: {asked}"
    if row.cost is None:
        return verdict
    bounds = f" (floor {number(row.cost.floor)}, aim {number(row.cost.aim)})" if row.cost.is_judged else ""
    return f"{verdict}\n{row.cost.measures}: {number(result.cost)} {row.cost.unit}{bounds}"


def number(value: float | None) -> str:
    """A number as people read it, with three digits that count."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
