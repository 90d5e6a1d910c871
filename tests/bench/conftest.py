"""Benchmarks in the tests measure forks: to load the product again for each of their processes takes seconds."""

import os
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any

import pytest

from benchmarks import processes
from tests.fork_client import ForkedProcess, ForkServer


@pytest.fixture
def forked(monkeypatch: pytest.MonkeyPatch, fork_server: ForkServer) -> None:
    """Processes under measurement are forks of the fork server, not new interpreters."""

    def start(
        command: list[str], *, stdout: IO[bytes], env: dict[str, str] | None, **_: Any
    ) -> ForkedProcess:
        _python, _m, module, *arguments = command
        return fork_server.start(
            module,
            arguments,
            environment=os.environ if env is None else env,
            directory=Path.cwd(),
            log=Path(stdout.name),
        )

    names = ("DEVNULL", "STDOUT", "TimeoutExpired")
    kept = {name: getattr(subprocess, name) for name in names}
    monkeypatch.setattr(processes, "subprocess", SimpleNamespace(Popen=start, **kept))
