"""`--help` of every command answers quickly: it loads no web framework, no database library and no scheduler."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest
import typer
from typer.main import get_command

from complaints.cli import app

SLOW = (
    "alembic", "apscheduler", "complaints.wiring", "fastapi", "prometheus_client", "sqlalchemy", "structlog", "uvicorn",
)  # fmt: skip
# One program asks for the help of every command, each in a fork. It asks for one before, so that typer is loaded.
PROGRAM = """
import contextlib, io, json, os, sys
from complaints import cli

commands = json.loads(sys.argv[1])

def ask(words):
    sys.argv = ["complaints", *words, "--help"]
    try:
        cli.main()
    except SystemExit as end:
        assert not end.code, end.code

with contextlib.redirect_stdout(io.StringIO()):
    ask(["serve"])
for words in commands:
    if not (child := os.fork()):
        ask(words)
        print()
        print(json.dumps({"words": words, "loaded": sorted(sys.modules)}), flush=True)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0, words
"""


def test_an_installation_loads_no_library_that_only_others_need() -> None:
    """It has no OpenID provider, no PostgreSQL, no S3, dials nobody, and has not made its first workbook yet."""
    program = "import sys, complaints.wiring, complaints.api.app; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert {"boto3", "httpcore2", "httpx2", "joserfc", "psycopg", "xlsxwriter"}.isdisjoint(
        done.stdout.split()
    )


def paths(command: typer.main.TyperGroup, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command as words, groups and the program itself too."""
    yield above
    for name, child in getattr(command, "commands", {}).items():
        yield from paths(child, (*above, name))


def test_help_loads_none_of_the_product(subtests: pytest.Subtests) -> None:
    commands = [*paths(get_command(app))]
    assert len(commands) > 40
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(commands)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    answers = re.split(r"^(\{.*\})\n", done.stdout, flags=re.MULTILINE)
    for words, text, answer in zip(commands, answers[::2], answers[1::2], strict=False):
        with subtests.test(" ".join(words)):
            said = json.loads(answer)
            assert said["words"] == [*words]
            assert text.startswith(f"Usage: {' '.join(['complaints', *words])} ")
            assert "typer" in said["loaded"]
            assert set(said["loaded"]).isdisjoint(SLOW), sorted(set(said["loaded"]).intersection(SLOW))
    assert len(answers) == 2 * len(commands) + 1
