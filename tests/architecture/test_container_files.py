"""The Containerfile and the compose file fit the product. `dev.py container` runs the steps themselves."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from complaints.cli import app
from complaints.settings import Settings
from complaints.storage.database.connections import parse_url
from tests.container.steps import read_copy, read_stages

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]
SECRETS = ("POSTGRES_PASSWORD", "COMPLAINTS_BOOTSTRAP_API_KEY")


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    """The services of the compose file."""
    found: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]
    return found


def check_settings(variables: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The settings that these variables give. Fails for one that does not exist."""
    for name, value in variables.items():
        assert name.removeprefix("COMPLAINTS_").lower() in Settings.model_fields, name
        monkeypatch.setenv(name, value)
    return Settings()


def test_the_image_runs_as_an_ordinary_user(monkeypatch: pytest.MonkeyPatch) -> None:
    _, last = read_stages()
    user, group = map(int, last.texts("USER")[-1].split(":"))
    assert (user > 0, group > 0) == (True, True)
    [owner] = {read_copy(text).owner for text in last.texts("COPY")} - {None}
    assert owner == f"{user}:{group}"
    assert last.texts("RUN") == []  # what needs rights would stand here
    variables = {name: value for name, value in last.variables.items() if name != "PATH"}
    settings = check_settings(variables, monkeypatch)
    assert (str(settings.data_dir), settings.host) == (last.texts("VOLUME")[-1], "0.0.0.0")
    assert last.texts("EXPOSE") == [str(settings.port)]
    assert last.command[0] == "complaints"
    assert last.command[1] in COMMANDS


def test_what_is_copied_is_there_and_not_ignored() -> None:
    build, _ = read_stages()
    copied = [source for text in build.texts("COPY") for source in read_copy(text).sources]
    ignored = (ROOT / ".containerignore").read_text(encoding="utf-8")
    assert (ROOT / ".dockerignore").read_text(encoding="utf-8") == ignored
    assert {line[1:] for line in ignored.splitlines() if line.startswith("!")} == set(copied)
    for source in copied:
        assert (ROOT / source).exists(), source
        assert subprocess.run(["git", "check-ignore", "-q", source], cwd=ROOT, check=False).returncode


def test_the_compose_file_names_commands_and_settings_that_exist(
    services: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("migrate", "api", "worker"):
        program, command = services[name]["command"]
        assert (program, command in COMMANDS) == ("complaints", True)
        variables = dict(services[name]["environment"])
        for variable, value in variables.items():
            for secret in SECRETS:
                value = value.replace(f"${{{secret}:?is missing in .env}}", "secret" * 5)
            assert "$" not in value
            variables[variable] = value
        url = parse_url(str(check_settings(variables, monkeypatch).database_url))
        assert (url.host, url.username) == ("database", services["database"]["environment"]["POSTGRES_USER"])
    assert services["api"]["ports"] == ["127.0.0.1:8000:8000"]
    assert "/readyz" in services["api"]["healthcheck"]["test"][-1]
