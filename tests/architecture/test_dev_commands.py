"""`dev.py`: its help sets nothing up, and a set-up that was interrupted goes on with the same `.venv`."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def dev(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """`dev.py` with a `.venv` of its own, into which nothing is installed."""
    spec = importlib.util.spec_from_file_location("dev_of_test", ROOT / "dev.py")
    assert spec is not None
    assert spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    module.VENV = tmp_path / ".venv"
    module.PYTHON = module.VENV / "bin/python"
    module.STAMP = module.VENV / "complaints-stamp"
    module.call = lambda *_: 0
    return module


def interrupt(*_: str) -> None:
    raise KeyboardInterrupt


def test_help_sets_nothing_up(dev: Any, capsys: pytest.CaptureFixture[str]) -> None:
    dev.prepare = interrupt
    for name in dev.COMMANDS:
        with pytest.raises(SystemExit) as ended:
            dev.main([name, "--help"])
        assert ended.value.code == 0
        assert dev.COMMANDS[name].help.split()[0] in capsys.readouterr().out


def test_an_interrupted_set_up_goes_on_with_what_is_there(dev: Any) -> None:
    dev.install = interrupt
    assert dev.main(["setup"]) == 130
    kept = dev.VENV / "kept"
    kept.touch()
    assert dev.main(["setup"]) == 130
    assert kept.exists()
    installed: list[tuple[str, ...]] = []
    dev.install = lambda *arguments: installed.append(arguments)
    for _ in range(2):
        assert dev.main(["setup"]) == 0
    assert (kept.exists(), len(installed)) == (True, 2)


@pytest.mark.parametrize(("npm", "level"), [("found", "test"), (None, "browser")])
def test_the_tests_in_a_browser_get_an_npm_where_there_is_none(
    dev: Any, monkeypatch: pytest.MonkeyPatch, npm: str | None, level: str
) -> None:
    prepared: list[str] = []
    called: list[tuple[str, ...]] = []
    monkeypatch.setattr(dev.shutil, "which", lambda _: npm)
    dev.prepare = prepared.append
    dev.call = lambda *arguments: called.append(arguments) or 0
    assert dev.main(["browser", "-k", "keyboard"]) == 0
    assert prepared == [level]
    assert called == [("-m", "pytest", "tests/browser", "-k", "keyboard")]
    dev.main(["check"])
    assert ("-m", "pytest", "tests/browser") in called
    assert {name for names in dev.LEVELS.values() for name in names} == {
        path.name for path in (ROOT / "requirements").glob("*.txt") if path.name != "overrides.txt"
    }


def test_the_makefile_passes_arguments_to_the_server() -> None:
    [said] = [line for line in (ROOT / "Makefile").read_text().splitlines() if line.startswith("run:")]
    assert 'ARGS="--port 9000"' in said
    assert "$(PYTHON) dev.py run $(ARGS)" in (ROOT / "Makefile").read_text()
