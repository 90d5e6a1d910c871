"""The report of a run of the fault tests: written as JSON, shown as a table, put into docs/reliability.md.

    python -m tests.faults.report build/faults.json [later.json ...]

puts the table of that report in its place in the page. A scenario of a later report replaces the one of before.
"""

import json
import sys
from collections.abc import Sequence
from functools import reduce
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- report: begin -->", "<!-- report: end -->"


def write_report(path: Path, scenarios: Sequence[dict[str, Any]], *, about: dict[str, Any]) -> None:
    """Keep what was found. A scenario has fault, outcome, seconds, counts and, if skipped or failed, a reason."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({**about, "scenarios": list(scenarios)}, ensure_ascii=False, indent=2)
    path.write_text(text + "\n", encoding="utf-8")


def render(report: dict[str, Any]) -> str:
    """The report as Markdown."""
    about = f"The {report['form']} form, {report['date']}, {report['processors']} processors, "
    about += f"Python {report['python']}: {report['seconds']:.0f} s in all."
    if again := report.get("run_again"):
        about += f" After a change, {again} of these tests were run again."
    lines = [about, "", "| fault | what was done and counted | seconds | result |", "|---|---|---|---|"]
    for one in report["scenarios"]:
        counts = ", ".join(f"{name} {value:,}" for name, value in one["counts"].items())
        lines.append(f"| {one['fault']} | {counts or '—'} | {one['seconds']:.0f} | {one['outcome']} |")
    return "\n".join(lines)


def put_in_page(page: str, report: dict[str, Any]) -> str:
    """The page with the report's table in the marked place."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    assert rest, f"the page has no {BEGIN}"
    return f"{before}{BEGIN}\n\n{render(report)}\n\n{END}{after}"


def with_later(report: dict[str, Any], later: dict[str, Any]) -> dict[str, Any]:
    """The report, with the scenarios of a later run in the places of those of before."""
    again = {one["fault"]: one for one in later["scenarios"]}
    scenarios = [again.get(one["fault"], one) for one in report["scenarios"]]
    count = report.get("run_again", 0) + len(again)
    return {**report, "date": later["date"], "run_again": count, "scenarios": scenarios}


def main(arguments: Sequence[str]) -> None:
    """Put the table of a report into the page."""
    report, *others = (json.loads(Path(one).read_text(encoding="utf-8")) for one in arguments)
    report = reduce(with_later, others, report)
    PAGE.write_text(put_in_page(PAGE.read_text(encoding="utf-8"), report), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
