"""Two checkouts compared: each run of a row is made in the base and then here, by the benchmarks that each has."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.errors import CannotMeasure
from benchmarks.measures.measure import Row

HEAD = Path(__file__).resolve().parents[1]
RATIOS = ("product", "ratio", "cost")
"""The numbers of a run of which ratios are shown: its own, the one beside its limit, and its cost."""


@dataclass(frozen=True, slots=True)
class Pair:
    """What one run gave in the base and in the head, by the names of `RATIOS`."""

    base: Mapping[str, float | None]
    head: Mapping[str, float | None]

    def ratio(self, name: str) -> float | None:
        """The head's number divided by the base's, where both have one."""
        base, head = self.base[name], self.head[name]
        return head / base if base and head else None


@dataclass(frozen=True, slots=True)
class Comparison:
    """All runs of a row in both trees."""

    row: Row
    options: Mapping[str, int]
    pairs: Sequence[Pair]

    def ratio(self, name: str) -> float | None:
        """The median of the runs' ratios."""
        known = [ratio for pair in self.pairs if (ratio := pair.ratio(name)) is not None]
        return median(known) if known else None

    def as_json(self) -> dict[str, Any]:
        """Everything about it."""
        row = self.row
        runs = [
            {
                "base": dict(one.base),
                "head": dict(one.head),
                "head_by_base": {name: one.ratio(name) for name in RATIOS},
            }
            for one in self.pairs
        ]
        return {
            "row": row.name,
            "unit": row.unit,
            "cost": f"{row.cost.measures} ({row.cost.unit})" if row.cost else None,
            "options": dict(self.options),
            "head_by_base": {name: self.ratio(name) for name in RATIOS},
            "runs": runs,
        }


def compare(
    row: Row,
    base: Path,
    options: Mapping[str, int],
    *,
    runs: int,
    postgres: str | None,
    tell: Callable[[str], None],
) -> Comparison:
    """Run the row in both trees in turn. Raises CannotMeasure where one of them fails."""
    pairs = []
    for n in range(1, runs + 1):
        found = []
        for name, tree in (("base", base.resolve()), ("head", HEAD)):
            tell(f"{row.name}: run {n} of {runs}, {name}")
            found.append(_run_in(tree, row, options, postgres))
        pairs.append(Pair(*found))
    return Comparison(row, options, pairs)


def _run_in(
    tree: Path, row: Row, options: Mapping[str, int], postgres: str | None
) -> dict[str, float | None]:
    """One run by the benchmarks of a tree, in its own environment where it has one."""
    own = tree / ".venv" / "bin" / "python"
    with tempfile.TemporaryDirectory(prefix="complaints-bench-") as directory:
        file = Path(directory) / "result.json"
        command = [str(own) if own.exists() else sys.executable, "-m", "benchmarks.run", row.name]
        settings = [f"--set={name}={value}" for name, value in options.items()]
        done = subprocess.run(
            [*command, "--runs=1", f"--json={file}", *settings],
            cwd=tree,
            env=_environment(tree, postgres),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise CannotMeasure(f"{row.name} failed in {tree}:\n{done.stdout}{done.stderr}")
        [run] = json.loads(file.read_text(encoding="utf-8"))["runs"]
    cost = row.cost.read(run["details"]) if row.cost else None
    beside_limit = run["ratio"] if row.judged == "ratio" else None  # else its limit is a part of the product
    return {"product": run["product"], "ratio": beside_limit, "cost": cost}


def _environment(tree: Path, postgres: str | None) -> dict[str, str]:
    named = {"COMPLAINTS_BENCH_POSTGRES_URL": postgres} if postgres else {}
    return {**os.environ, "PYTHONPATH": f"{tree / 'src'}{os.pathsep}{tree}", **named}


def commit_of(tree: Path) -> str | None:
    """The commit that a tree has checked out, if it is a checkout and git is there."""
    command = ["git", "-C", str(tree), "rev-parse", "--short", "HEAD"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return done.stdout.strip() or None
