"""Runs of the fuzzer against the face of TMF621, and their findings."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.contract.tmf621_rules import FAILURES
from tests.examples import examples
from tests.generate import ROOT
from tests.support import ADMIN_SECRET

CONFIG = "tests/contract/tmf621.toml"
RULES = "tests.contract.tmf621_rules"
PHASES = ("examples", "coverage", "fuzzing", "stateful")
SEED = 20260621


@dataclass(frozen=True, slots=True)
class Fuzzed:
    """The findings of a run. Each failure has an operation, a check, and the words of the check or of the answer."""

    output: str
    report: Mapping[str, Any]
    failures: frozenset[tuple[str, str, str]]

    @property
    def untouched(self) -> list[str]:
        """The operations that accepted no request at all."""
        return [
            operation
            for operation, phases in self.report["valid_rates"].items()
            if not sum(phase["accepted"] for phase in phases.values())
        ]

    @property
    def links(self) -> int:
        """The number of links between operations that the stateful phase followed."""
        line = next(line for line in self.output.splitlines() if "API Links:" in line)
        return int(line.split(":")[1].split()[0])


def with_key(document: Path, directory: Path) -> Path:
    """A copy of a description of OpenAPI 3, outside the repository, in which every operation needs a key.

    The official files say nothing of keys, so that the fuzzer would never try a request without one.
    """
    text = document.read_text(encoding="utf-8")
    place = "\ncomponents:\n"
    assert text.count(place) == 1
    scheme = "  securitySchemes:\n    key: {type: http, scheme: bearer}\n"
    copy = directory / document.name
    copy.write_text(f"{text.replace(place, place + scheme)}\nsecurity:\n  - key: []\n", encoding="utf-8")
    return copy


def fuzz(document: Path, url: str, directory: Path, *, few: int, arguments: tuple[str, ...] = ()) -> Fuzzed:
    """Run all phases with all checks against a server. Files of the run go to `directory`.

    `few` is the number of examples for an operation in the phases that make examples up.
    """
    failures, report = directory / "failures.jsonl", directory / "report.json"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", CONFIG, "run", str(document)),
            *(f"--url={url}", "-H", f"Authorization: Bearer {ADMIN_SECRET}", "--no-color"),
            *(f"--phases={','.join(PHASES)}", f"--max-examples={examples(few)}", f"--seed={SEED}"),
            *("--generation-database=none", "--report=json", f"--report-json-path={report}", *arguments),
        ],
        cwd=ROOT,
        env={**os.environ, "SCHEMATHESIS_HOOKS": RULES, "PYTHONPATH": str(ROOT), FAILURES: str(failures)},
        capture_output=True,
        text=True,
        check=False,
    )
    output = done.stdout + done.stderr
    assert report.is_file(), output
    found = json.loads(report.read_text(encoding="utf-8"))
    assert [found["errors"], found["complete"], found["stop_reason"]] == [[], True, "completed"], output
    assert {name for name, phase in found["phases"].items() if phase["skip_reason"] is None} == set(PHASES)
    return Fuzzed(output, found, _read_failures(failures))


def _read_failures(path: Path) -> frozenset[tuple[str, str, str]]:
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    found = [json.loads(line) for line in lines]
    return frozenset((one["operation"], one["failure"], one["reason"]) for one in found)
