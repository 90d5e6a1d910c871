"""Everything a developer does in this checkout, on a bare machine with Python 3.11.2 or newer and pip.

    python3 dev.py run      the server, at the address it prints
    python3 dev.py test     the tests, against SQLite and a real PostgreSQL
    python3 dev.py --help   the rest

It uses the standard library only. The first command makes `.venv` from the hash-locked `requirements/`; a
stamp in it makes every later start instant.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tomllib
import venv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
STAMP = VENV / "complaints-stamp"
RUN, TEST, BROWSER, CONTRACT = "run", "test", "browser", "contract"
# The locked files that each level installs. A level holds the levels before it.
LEVELS = {
    RUN: ("run.txt",),
    TEST: ("test.txt",),
    BROWSER: ("test.txt", "browser.txt"),
    CONTRACT: ("test.txt", "browser.txt", "contract.txt"),
}
PARALLEL = ("-n", "3", "--dist", "worksteal")
# Where what a run of the fault tests found is written.
FAULT_REPORT = ("--faults-report", "build/faults.json")
SHORT_FAULTS = ("tests/faults", "-n", "2", "--dist", "worksteal", "--faults", "short", *FAULT_REPORT)
# One after the other, telling how far it is; that a test takes minutes is no reason to dump its threads.
LONG_FAULTS = ("tests/faults", "-v", "-s", "--faults", "long", "-o", "faulthandler_timeout=0", *FAULT_REPORT)
CONTAINER = ("-m", "pytest", "tests/container")
IN_BROWSER = ("-m", "pytest", "tests/browser")
# Steps that read the sources: the name of each, and the arguments of Python.
SOURCES = (
    ("lint", ("-m", "ruff", "check", ".")),
    ("format", ("-m", "ruff", "format", "--check", ".")),
    ("types", ("-m", "mypy")),
    ("imports", ("-c", "from importlinter.cli import lint_imports_command as lint; lint()")),
    ("architecture", ("-m", "pytest", "tests/architecture", *PARALLEL)),
)


@dataclass(frozen=True, slots=True)
class Command:
    """A subcommand: `work` gets the arguments that follow its name and returns the exit status."""

    work: Callable[[Sequence[str]], int]
    help: str
    takes_arguments: bool = False


def main(arguments: Sequence[str]) -> int:
    """Run the subcommand that `arguments` names and return its exit status."""
    if sys.version_info < (3, 11, 2):
        return complain(f"Python 3.11.2 or newer is needed; this is {sys.version.split()[0]}.")
    parser = argparse.ArgumentParser(
        prog="dev.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    for name, command in COMMANDS.items():
        commands.add_parser(name, help=command.help, description=command.help)
    # Where it is set, as in many containers, each process would compile the whole checkout once more.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    chosen, rest = parser.parse_known_args(arguments)
    command = COMMANDS[chosen.command]
    if rest and not command.takes_arguments:
        parser.error(f"{chosen.command} takes no arguments; got {' '.join(rest)}")
    try:
        return command.work(rest)
    except SetUpFailed as failure:
        return complain(str(failure))
    except KeyboardInterrupt:
        return 130


def setup(_: Sequence[str] = ()) -> int:
    """Bring `.venv` up to date with everything, tests and linters included."""
    prepare(TEST)
    return 0


def run(arguments: Sequence[str]) -> int:
    """Replace this process with the server; `arguments` go to `complaints serve`."""
    prepare(RUN)
    return become("-m", "complaints", "serve", *arguments)


def test(arguments: Sequence[str]) -> int:
    """Run pytest with `arguments` as given; without any, all tests on every processor."""
    prepare(TEST)
    return call("-m", "pytest", *(arguments or PARALLEL))


def bench(arguments: Sequence[str]) -> int:
    """Run the benchmarks with `arguments` against a durable PostgreSQL started for them."""
    prepare(TEST)
    return call("-m", "benchmarks.run", *arguments)


def faults(arguments: Sequence[str]) -> int:
    """Kill, stop and starve real processes, and check that nothing was lost or doubled; `--short` in 2 minutes."""
    if set(arguments) - {"--short"}:
        return complain(f"faults takes --short and nothing else; got {' '.join(arguments)}")
    prepare(TEST)
    return call("-m", "pytest", *(SHORT_FAULTS if arguments else LONG_FAULTS))


def container(_: Sequence[str] = ()) -> int:
    """Run the steps of the Containerfile in an empty directory, as an ordinary user, without a container engine."""
    prepare(TEST)
    return call(*CONTAINER)


def browser(arguments: Sequence[str]) -> int:
    """Run the tests in a real Chromium; `arguments` go to pytest."""
    prepare(browser_level())
    return call(*IN_BROWSER, *arguments)


def browser_level() -> str:
    """The level for the tests in a browser: they need an npm, and many machines have one."""
    return TEST if shutil.which("npm") else BROWSER


def lint(_: Sequence[str] = ()) -> int:
    """Check the sources and the documents, to the end even after a failure."""
    prepare(TEST)
    return int(bool(run_steps(*SOURCES)))


def run_steps(*steps: tuple[str, tuple[str, ...]]) -> list[str]:
    """Run each step, and return the names of those that failed."""
    failed = []
    for name, command in steps:
        print(f"== {name}", flush=True)
        if call(*command):
            failed.append(name)
    return failed


def check(_: Sequence[str] = ()) -> int:
    """Run all that CI runs, to the end even after a failure; the tests' summary closes the output."""
    prepare(browser_level())
    failed = run_steps(
        *SOURCES,
        ("benchmarks", ("-m", "pytest", "tests/bench", *PARALLEL)),
        ("description", ("-m", "pytest", "tests/description", *PARALLEL)),
        ("faults", ("-m", "pytest", *SHORT_FAULTS)),
        ("container", CONTAINER),
        ("browser", IN_BROWSER),
    )
    if failed:
        print(f"== failed before the tests: {', '.join(failed)}", flush=True)
    print("== tests", flush=True)
    return test(()) or int(bool(failed))


def contract(arguments: Sequence[str]) -> int:
    """Fuzz the API by its description, and use clients generated from it; `arguments` go to pytest."""
    prepare(CONTRACT)
    return call("-m", "pytest", "tests/description", "tests/contract", *arguments)


def fmt(_: Sequence[str] = ()) -> int:
    """Format the code and repair what the linter can repair."""
    prepare(TEST)
    return call("-m", "ruff", "check", "--fix", ".") | call("-m", "ruff", "format", ".")


def lock(arguments: Sequence[str]) -> int:
    """Make `requirements/*.txt` again from pyproject.toml, with uv; `--upgrade` takes newer versions."""
    uv = shutil.which("uv")
    if uv is None:
        raise SetUpFailed(
            "`lock` needs uv, the package installer: install it (`pip install uv`) and try again."
        )
    compile_ = (
        uv,
        "--no-config",
        "pip",
        "compile",
        "--quiet",
        "--universal",
        "--generate-hashes",
        "--no-header",
        "--override",
        "requirements/overrides.txt",
    )
    python = ("--python-version", "3.11", *arguments)
    target = (*python, "pyproject.toml", "--group", "build")
    run_txt, test_txt = "requirements/run.txt", "requirements/test.txt"
    environment = {**os.environ, "UV_PYTHON_DOWNLOADS": "never"}
    for what in (
        (*target, "-o", run_txt),
        (*target, "--group", "test", "-c", run_txt, "-o", test_txt),
        (*python, "--group", "pyproject.toml:browser", "-c", test_txt, "-o", "requirements/browser.txt"),
        (*python, "--group", "pyproject.toml:contract", "-c", test_txt, "-o", "requirements/contract.txt"),
    ):
        subprocess.run([*compile_, *what], cwd=ROOT, env=environment, check=True)
    return 0


COMMANDS = {
    "setup": Command(setup, "make or update .venv, with all that tests and linters need"),
    "run": Command(
        run, "start the server; further arguments go to `complaints serve`: --port 9000", takes_arguments=True
    ),
    "test": Command(
        test, "run the tests; further arguments go to pytest: tests/domain -k pause", takes_arguments=True
    ),
    "bench": Command(
        bench,
        "measure speed on a durable PostgreSQL; without arguments list the rows",
        takes_arguments=True,
    ),
    "faults": Command(
        faults,
        "kill, stop and starve real processes for an hour; --short for 3 minutes",
        takes_arguments=True,
    ),
    "contract": Command(
        contract,
        "fuzz the API, generate clients in Python and Java, use them; downloads 140 MB once",
        takes_arguments=True,
    ),
    "browser": Command(
        browser,
        "look at the pages in a real Chromium; fetches one if the machine has none",
        takes_arguments=True,
    ),
    "container": Command(container, "run the steps of the Containerfile without a container engine"),
    "check": Command(
        check,
        "run all that CI runs: the sources, benchmarks, fuzzing, faults, container, browser, tests",
    ),
    "lint": Command(
        lint, "check the sources and documents: lint, format, types, imports, words, rule book, files"
    ),
    "fmt": Command(fmt, "format the code and repair what the linter can"),
    "lock": Command(
        lock, "make requirements/ again; further arguments go to uv (--upgrade)", takes_arguments=True
    ),
}


class SetUpFailed(Exception):
    """The environment cannot be made; the message says why and what to do."""


def prepare(level: str) -> None:
    """Make `.venv` hold what `level` needs: a key of `LEVELS`. Instant if it already does."""
    interpreter = venv_interpreter()
    stamps = set(STAMP.read_text(encoding="utf-8").split()) if interpreter and STAMP.is_file() else set()
    levels = list(LEVELS)
    if stamps & {fingerprint(enough, interpreter) for enough in levels[levels.index(level) :]}:
        return
    print(f"Preparing {VENV.name} for `{level}`; this happens once.", file=sys.stderr, flush=True)
    if not interpreter or (stamps and place(interpreter) not in stamps):
        venv.create(VENV, clear=True, with_pip=False, symlinks=os.name != "nt")
        interpreter = venv_interpreter()
    # Until all is installed, the stamp says only where: after an interruption the next start goes on in place.
    STAMP.write_text(f"{place(interpreter)}\n", encoding="utf-8")
    for name in LEVELS[level]:
        install("--no-deps", "--require-hashes", "--requirement", str(ROOT / "requirements" / name))
    install("--no-deps", "--no-build-isolation", "--editable", str(ROOT))
    call("-m", "compileall", "-q", "-j", "0", *(str(path) for path in VENV.glob("[Ll]ib*/**/site-packages")))
    STAMP.write_text(f"{place(interpreter)}\n{fingerprint(level, interpreter)}\n", encoding="utf-8")


def venv_interpreter() -> str:
    """What the Python in `.venv` says of itself; "" if there is none, or it no longer starts."""
    if not PYTHON.exists():
        return ""
    asked = [str(PYTHON), "-I", "-S", "-c", "import sys; print(sys.version)"]
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()


def fingerprint(level: str, interpreter: str) -> str:
    """A digest of all that decides what `.venv` holds at `level`."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    installed = repr(
        [project.get(table) for table in ("build-system", "project")] + [project["tool"]["hatch"]]
    )
    locked = [(ROOT / "requirements" / name).read_text(encoding="utf-8") for name in LEVELS[level]]
    return digest(level, place(interpreter), installed, *locked)


def place(interpreter: str) -> str:
    """A digest of the Python and the directory: a virtual environment outlives a change of neither."""
    return digest(interpreter, str(ROOT))


def digest(*parts: str) -> str:
    """A short SHA-256 of `parts`."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def install(*arguments: str) -> None:
    """`pip install` into `.venv` with the pip of the Python that runs this: Debian's venv may bring none.

    The files are compiled afterwards, on every processor: pip would do it on one.
    """
    command = [sys.executable, "-m", "pip", "--python", str(PYTHON), "install", "--quiet", "--no-compile"]
    defaults = {"PIP_DEFAULT_TIMEOUT": "60", "PIP_RETRIES": "5", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    forced = {"PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0", "PIP_NO_INPUT": "1"}
    environment = {**defaults, **os.environ, **forced}
    if subprocess.run([*command, *arguments], cwd=ROOT, env=environment, check=False).returncode:
        raise SetUpFailed(
            "pip could not install what is needed; its message stands above. Check that "
            f"`{sys.executable} -m pip --version` answers 22.3 or newer (Debian: apt install python3-pip) "
            "and that the package index can be reached, then run the same command again."
        )


def call(*arguments: str) -> int:
    """Run `.venv`'s Python in the checkout and return its exit status."""
    return subprocess.run([str(PYTHON), *arguments], cwd=ROOT, check=False).returncode


def become(*arguments: str) -> int:
    """As `call`, but in this very process where the system can, so that signals reach the server itself."""
    if os.name != "nt":
        sys.stdout.flush()
        os.execv(PYTHON, [str(PYTHON), *arguments])  # noqa: S606 - our own interpreter, no shell
    return call(*arguments)


def complain(message: str) -> int:
    """Print `message` on standard error and return the exit status of a failure."""
    print(f"dev.py: {message}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
