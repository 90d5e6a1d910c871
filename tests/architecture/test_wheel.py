"""A wheel holds all that the installed program needs, and the checkout is not needed any more."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOT_CODE = (".pyc", ".pyo")


@pytest.fixture(scope="module")
def in_wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names of the files in a wheel built from the checkout."""
    target = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = target.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def files(directory: Path) -> set[Path]:
    """The committed files under `directory`, relative to it."""
    found = (path for path in directory.rglob("*") if path.is_file() and path.suffix not in NOT_CODE)
    return {path.relative_to(directory) for path in found}


def test_the_wheel_holds_the_package_with_its_data(in_wheel: set[str]) -> None:
    assert {f"complaints/{path.as_posix()}" for path in files(ROOT / "src/complaints")} <= in_wheel


def test_the_wheel_holds_the_migrations(in_wheel: set[str]) -> None:
    migrations = files(ROOT / "migrations")
    assert Path("env.py") in migrations
    assert {f"complaints/_migrations/{path.as_posix()}" for path in migrations} <= in_wheel


def test_the_wheel_holds_the_licence(in_wheel: set[str]) -> None:
    for name in ("LICENSE", "NOTICE"):
        assert any(path.endswith(f".dist-info/licenses/{name}") for path in in_wheel)


def test_the_wheel_holds_no_tests_and_no_benchmarks(in_wheel: set[str]) -> None:
    assert not {path for path in in_wheel if {"tests", "benchmarks"} & set(Path(path).parts)}
