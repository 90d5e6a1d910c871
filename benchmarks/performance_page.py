"""Writes the tables of docs/performance.md from the results that are kept. `tests.generate` calls it."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.measures.all import ROWS
from benchmarks.measures.measure import Cost, Row
from benchmarks.report import number

_ROOT = Path(__file__).resolve().parents[1]
PAGE = _ROOT / "docs" / "performance.md"
RESULTS = _ROOT / "benchmarks" / "results"
START = (
    "<!-- The tables up to the end mark are made of benchmarks/results/ by `python -m tests.generate`. -->"
)
END = "<!-- The end of the tables. -->"
_MORE = ", ANALYZE "
Found = Mapping[str, Any]
Verdicts = {(True, True): "aim met", (True, False): "floor met", (False, False): "**not met**"}


def render_page() -> str:
    """The page with its tables of today. What stands around them stays."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(START)
    _, _, after = rest.partition(END)
    return f"{before}{START}\n\n{render_tables(RESULTS)}\n{END}{after}"


def render_tables(results: Path) -> str:
    """What the rows gave, question by question, and how it compares with another tree."""
    found = {name: _read(results / f"{name}.json") for name in ROWS if (results / f"{name}.json").is_file()}
    parts = [*_machines(found.values()), _rows_table(found)]
    if questions := list(_question_lines(found)):
        parts.append(_table(_QUESTION_HEADS, questions))
    if (results / "comparison.json").is_file():
        parts.append(_comparison_table(_read(results / "comparison.json")))
    return "\n".join(parts)


def _read(path: Path) -> Found:
    found: Found = json.loads(path.read_text(encoding="utf-8"))
    return found


def _table(heads: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    rule = ["---"] * len(heads)
    return "".join(f"| {' | '.join(line)} |\n" for line in (heads, rule, *lines))


# The machine ---------------------------------------------------------------------------------------------------------


def _machines(found: Iterable[Found]) -> Iterator[str]:
    """The machines of the results, each once."""
    yield from (f"Measured on {text}.\n" for text in dict.fromkeys(_machine(one["machine"]) for one in found))


def _machine(facts: Found) -> str:
    parts = [
        f"{facts['cpus']} processors ({facts['cpu']})",
        f"{facts['memory_gb']:g} GB",
        facts["os"],
        facts["python"],
        f"SQLite {facts['sqlite']}",
    ]
    if server := facts.get("postgresql"):
        durable = ", ".join(
            f"{name} {server[name]}" for name in ("fsync", "synchronous_commit") if name in server
        )
        parts.append(f"PostgreSQL {server['server_version']} ({durable})")
    return ", ".join(parts)


# The rows ------------------------------------------------------------------------------------------------------------


def _rows_table(found: Mapping[str, Found]) -> str:
    heads = ("row", "size", "limit", "product", "judged (each run)", "floor", "aim", "", "date")
    return _table(heads, [line for row in ROWS.values() for line in _lines(row, found.get(row.name))])


def _lines(row: Row, found: Found | None) -> Iterator[Sequence[str]]:
    """The line of a row, and one more for a cost of which something is asked."""
    asked = (number(row.floor), number(row.aim))
    if found is None:
        yield (f"`{row.name}`", *["–"] * 4, *asked, "not measured", "–")
        return
    size = ", ".join(f"{name.replace('_', ' ')} {value:,}" for name, value in found["options"].items()) or "–"
    date = found["machine"]["date"][:10]
    judged = [run[row.judged] for run in found["runs"]]
    numbers = (_or_dash(found["limit"]), f"{number(found['product'])} {row.unit}")
    verdict = _verdict(row.meets, row, median(judged))
    yield (f"`{row.name}`", size, *numbers, _with_runs(judged), *asked, verdict, date)
    if row.cost is not None:
        yield _cost_line(row.name, row.cost, [row.cost.read(run["details"]) for run in found["runs"]], date)


def _cost_line(name: str, cost: Cost, values: Sequence[float], date: str) -> Sequence[str]:
    value = median(values)
    asked = (number(cost.floor), number(cost.aim)) if cost.is_judged else ("–", "–")
    verdict = _verdict(lambda bound, found: found <= bound, cost, value) if cost.is_judged else "–"
    return (
        f"`{name}`: {cost.measures}",
        "–",
        "–",
        f"{number(value)} {cost.unit}",
        _with_runs(values),
        *asked,
        verdict,
        date,
    )


def _verdict(meets: Any, asked: Row | Cost, value: float) -> str:
    return Verdicts[meets(asked.floor, value), meets(asked.aim, value)]


def _with_runs(values: Sequence[float]) -> str:
    return f"{number(median(values))} ({'; '.join(map(number, values))})"


def _or_dash(value: float | None) -> str:
    return "–" if value is None else number(value)


# The questions -------------------------------------------------------------------------------------------------------


_QUESTION_HEADS = (
    "question",
    "p50, ms",
    "p95, ms",
    "its SQL alone, p95, ms",
    "processor time of the server, ms",
)


def _question_lines(found: Mapping[str, Found]) -> Iterator[Sequence[str]]:
    """The medians of the runs for each question; those after an ANALYZE stand behind those of before."""
    for name in (name for name, one in found.items() if "sql_p95_ms" in _any_timing(one)):
        timings = [run["details"] for run in found[name]["runs"]]
        for question in (one for one in timings[0] if _MORE not in one):
            asked = [one for one in timings[0] if one == question or one.startswith(question + _MORE)]
            columns = [
                "; ".join(number(median(run[one][column] for run in timings)) for one in asked)
                for column in ("p50_ms", "p95_ms", "sql_p95_ms", "server_cpu_ms")
            ]
            yield (f"`{name}`, {question}", *columns)


def _any_timing(found: Found) -> Found:
    """The first of what a row of questions keeps for each question; nothing for any other row."""
    timings = [one for one in found["runs"][0]["details"].values() if isinstance(one, dict)]
    return timings[0] if timings else {}


# Another tree --------------------------------------------------------------------------------------------------------


def _comparison_table(found: Found) -> str:
    """Each run's number of this tree divided by the same of the base."""
    heads = ("row", "size", "product: median (each run)", "the same beside the limit", "cost")
    lines = []
    for row in found["rows"]:
        size = ", ".join(f"{name.replace('_', ' ')} {value:,}" for name, value in row["options"].items())
        ratios = [
            [run["head_by_base"][name] for run in row["runs"] if run["head_by_base"][name] is not None]
            for name in ("product", "ratio", "cost")
        ]
        lines.append((f"`{row['row']}`", size, *(_with_runs(values) if values else "–" for values in ratios)))
    machine = found["machine"]
    title = (
        f"Commit {found['head']} beside commit {found['base']}, one run of each in turn: numbers of this tree divided "
        f"by those of the base. On {_machine(machine)}, {machine['date'][:10]}:\n"
    )
    return f"{title}\n{_table(heads, lines)}"
