"""The steps of the Containerfile, run in an empty directory as an ordinary user, without a container engine.

The test asks the package index. `dev.py container` runs it; `dev.py test` does not.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest

from tests.container.steps import ROOT, Stage, read_copy, read_stages

NOBODY = 65534
SECRET = "a-key-that-the-environment-gives"
_ABSOLUTE = re.compile(r"(?<![\w.])/(?=(?:opt|build|var)\b)")


@pytest.fixture
def root() -> Iterator[Path]:
    """The root directory of the image. An ordinary user may enter it, unlike the directories of pytest."""
    made = Path(mkdtemp(prefix="complaints-image-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.fixture
def account(root: Path) -> dict[str, Any]:
    """How subprocess runs a step: as an ordinary user, with a Python that this user may start."""
    own: dict[str, Any] = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.getuid() == 0 else {}
    programs = root / "programs"
    programs.mkdir()
    for found in (sys._base_executable, "/usr/bin/python3"):  # type: ignore[attr-defined]
        try:
            asked = [found, "-I", "-m", "pip", "--version"]
            subprocess.run(asked, check=True, capture_output=True, cwd=root, **own)
        except (OSError, subprocess.CalledProcessError):
            continue
        (programs / "python").symlink_to(found)
        break
    else:
        pytest.skip("no Python with pip that an ordinary user may start")
    kept = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_", "LANG"))}
    own["env"] = {**kept, "PATH": f"{programs}:/usr/bin:/bin", "HOME": str(root / "home")}
    return own


def inside(root: Path, text: str) -> str:
    """The text of a step, with its directories below `root`."""
    return _ABSOLUTE.sub(f"{root}/", text)


def copy(root: Path, directory: Path, text: str) -> None:
    """Do a COPY step, from the checkout or from another stage: all stages are in one root directory."""
    step = read_copy(text)
    for source in step.sources:
        there = Path(inside(root, source)) if step.stage else ROOT / source
        target = Path(inside(root, step.target)) if step.target.startswith("/") else directory / step.target
        if there == target:
            continue
        if there.is_dir():
            shutil.copytree(there, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(there, target)


def build(root: Path, stage: Stage, account: dict[str, Any]) -> Path:
    """Do the steps of a stage, and return its last working directory."""
    directory = root
    for instruction, text in stage.steps:
        if instruction == "WORKDIR":
            directory = Path(inside(root, text))
            directory.mkdir(parents=True, exist_ok=True)
        elif instruction == "COPY":
            copy(root, directory, text)
        elif instruction == "RUN":
            done = subprocess.run(
                ["/bin/sh", "-c", inside(root, text)],
                cwd=directory,
                capture_output=True,
                text=True,
                check=False,
                **account,
            )
            assert done.returncode == 0, done.stdout + done.stderr
        if "user" in account:
            subprocess.run(["chown", "-R", f"{account['user']}:{account['group']}", str(root)], check=True)
    return directory


def answer(address: str) -> int:
    """The status of an answer; 0 if nobody listens."""
    try:
        with urllib.request.urlopen(address, timeout=5) as answered:
            return int(answered.status)
    except urllib.error.HTTPError as refusal:
        return refusal.code
    except OSError:
        return 0


def test_the_steps_make_a_program_that_serves(root: Path, account: dict[str, Any]) -> None:
    first, last = read_stages()
    (root / "opt").mkdir()
    (root / "home").mkdir()
    if "user" in account:
        subprocess.run(["chown", "-R", f"{account['user']}:{account['group']}", str(root)], check=True)
    build(root, first, account)
    directory = build(root, last, account)

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    variables = {name: inside(root, value) for name, value in last.variables.items()}
    variables["PATH"] = variables["PATH"].replace("$PATH", account["env"]["PATH"])
    given = {
        "COMPLAINTS_PORT": str(port),
        "COMPLAINTS_HOST": "127.0.0.1",
        "COMPLAINTS_BOOTSTRAP_API_KEY": SECRET,
    }
    account["env"] = {**account["env"], **variables, **given}
    program = shutil.which(last.command[0], path=variables["PATH"])
    assert program == f"{root}/opt/complaints/bin/complaints"
    with subprocess.Popen([program, *last.command[1:]], cwd=directory, **account) as server:
        deadline = time.monotonic() + 60
        while (status := answer(f"http://127.0.0.1:{port}/readyz")) != 200:
            assert server.poll() is None
            assert time.monotonic() < deadline, status
            time.sleep(0.2)
        assert answer(f"http://127.0.0.1:{port}/v1/complaints") == 401
        server.terminate()
        assert server.wait(60) == 0
    assert (directory / "complaints.db").exists()
