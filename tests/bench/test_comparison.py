"""Two trees are compared run by run, each by its own benchmarks; here they only say what they were asked."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from benchmarks import comparison
from benchmarks import run as run_module

URL = "postgresql://nobody@127.0.0.1:1/none"
PROGRAM = """
import json, os, sys
from pathlib import Path
[row, runs, file, *settings] = sys.argv[1:]
Path("asked").open("a").write(f"{row} {runs} {' '.join(settings)} {os.environ['COMPLAINTS_BENCH_POSTGRES_URL']}\\n")
product = PRODUCTS[len(Path("asked").read_text().splitlines()) - 1]
details = {"worker_cpu_ms_per_step": product / 1000, "database_cpu_ms_per_step": 0}
run = {"product": product, "ratio": product / 10, "details": details}
Path(file.removeprefix("--json=")).write_text(json.dumps({"runs": [run]}))
"""


def make_tree(path: Path, program: str) -> Path:
    (path / "benchmarks").mkdir(parents=True)
    (path / "benchmarks" / "run.py").write_text(program, encoding="utf-8")
    return path


def compare(base: Path, *arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(run_module.app, ["storm", "--base", str(base), "--postgres", URL, *arguments])
    return done.exit_code, done.output


@pytest.fixture(autouse=True)
def _without_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.session.refuse_used", lambda _: None)
    monkeypatch.setattr("benchmarks.session.machine_facts", lambda _: {"cpus": 2})


def test_runs_take_turns_and_their_ratios_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base = make_tree(tmp_path / "base", PROGRAM.replace("PRODUCTS", "[10, 10, 20]"))
    head = make_tree(tmp_path / "head", PROGRAM.replace("PRODUCTS", "[20, 50, 60]"))
    monkeypatch.setattr(comparison, "HEAD", head)
    kept = tmp_path / "kept.json"

    status, output = compare(base, "--runs=3", "--set=deadlines=7", f"--json={kept}")

    assert status == 0, output
    asked = f"storm --runs=1 --set=deadlines=7 --set=workers=2 {URL}\n"
    assert [(tree / "asked").read_text(encoding="utf-8") for tree in (base, head)] == [asked * 3] * 2
    [row] = json.loads(kept.read_text(encoding="utf-8"))["rows"]
    assert [run["head_by_base"]["product"] for run in row["runs"]] == [2, 5, 3]
    assert row["head_by_base"] == {"product": 3, "ratio": 3, "cost": 3}


def test_a_tree_that_cannot_measure_is_named_with_its_reason(tmp_path: Path) -> None:
    base = make_tree(tmp_path / "base", "raise SystemExit('no such row')")

    status, output = compare(base)

    assert status == 1
    assert "base" in output
    assert "no such row" in output
