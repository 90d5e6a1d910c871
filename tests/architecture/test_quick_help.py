"""`--help` of every command answers quickly: it loads no web framework, no database library and no scheduler."""

import json
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
PROGRAM = """
import json, sys
from complaints import cli
sys.argv = ["complaints", *json.loads(sys.argv[1])]
try:
    cli.main()
except SystemExit as end:
    assert not end.code, end.code
print(json.dumps(sorted(sys.modules)), file=sys.stderr)
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


@pytest.mark.parametrize("words", [*paths(get_command(app))], ids=" ".join)
def test_help_loads_none_of_the_product(words: tuple[str, ...]) -> None:
    arguments = json.dumps([*words, "--help"])
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Usage:" in done.stdout
    loaded = set(json.loads(done.stderr.splitlines()[-1]))
    assert "typer" in loaded
    assert loaded.isdisjoint(SLOW), sorted(loaded.intersection(SLOW))
