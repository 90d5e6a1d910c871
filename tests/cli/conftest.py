"""Runs the command line inside the process of the test: a new interpreter for each command would take a second."""

import io
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from complaints import cli
from tests.kept_logging import kept_logging


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended: its exit status, and what it wrote to standard output and to standard error."""

    status: int
    out: str
    err: str

    @property
    def refusal(self) -> str:
        """The only line of a refused command."""
        assert self.status != 0, self
        assert self.out == "", self
        [line] = self.err.splitlines()
        return line


Command = Callable[..., Ended]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """The empty directory in which commands run."""
    made = tmp_path / "somewhere"
    made.mkdir()
    return made


@pytest.fixture
def command(directory: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Command]:
    """Runs `complaints` with these words and settings, in an empty directory."""
    for name in [name for name in os.environ if name.startswith("COMPLAINTS_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(directory)

    def run(*words: str, **settings: Any) -> Ended:
        with monkeypatch.context() as patch:
            for name, value in settings.items():
                patch.setenv(f"COMPLAINTS_{name.upper()}", str(value))
            patch.setattr(sys, "argv", ["complaints", *words])
            out, err = io.TextIOWrapper(io.BytesIO(), "utf-8", newline=""), io.StringIO()
            patch.setattr(sys, "stdout", out)
            patch.setattr(sys, "stderr", err)
            try:
                cli.main()
                status: Any = 0
            except SystemExit as end:
                status = end.code or 0
            out.flush()
            return Ended(status, out.buffer.getvalue().decode(), err.getvalue())  # type: ignore[attr-defined]

    with kept_logging():
        yield run


@pytest.fixture(scope="session")
def migrations_before(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Ended]]:
    """The directory with the files that `migrate` made in this process, and how it ended, by its settings."""
    return tmp_path_factory.mktemp("migrations"), {}


@pytest.fixture
def migrate_once(
    command: Command, directory: Path, migrations_before: tuple[Path, dict[str, Ended]]
) -> Command:
    """Runs `complaints migrate` with these settings. The second time, it copies the files that the first time made.

    To make a database takes longer than most tests of commands.
    """
    kept, ended = migrations_before

    def run(**settings: Any) -> Ended:
        asked = "-".join(f"{name}-{value}" for name, value in sorted(settings.items()))
        if asked not in ended:
            ended[asked] = command("migrate", **settings)
            shutil.copytree(directory, kept / asked)
        else:
            shutil.copytree(kept / asked, directory, dirs_exist_ok=True)
        return ended[asked]

    return run
