"""Benchmarks of the tests measure forks: to load the product anew for each of their processes takes seconds."""

import os
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any

import pytest

from benchmarks import processes
from tests.journeys.running_server import Nursery, Process


@pytest.fixture
def forked(monkeypatch: pytest.MonkeyPatch, process_nursery: Nursery) -> None:
    """Processes under measurement begin in the nursery, not as new interpreters."""

    def begin(command: list[str], *, stdout: IO[bytes], env: dict[str, str] | None, **_: Any) -> Process:
        _python, _m, module, *arguments = command
        return process_nursery.begin(
            module=module,
            arguments=arguments,
            environment=dict(os.environ) if env is None else env,
            directory=Path.cwd(),
            log=stdout.name,
        )

    names = ("DEVNULL", "STDOUT", "TimeoutExpired")
    kept = {name: getattr(subprocess, name) for name in names}
    monkeypatch.setattr(processes, "subprocess", SimpleNamespace(Popen=begin, **kept))
