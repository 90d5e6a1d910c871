"""Every command refuses in one clear line: without a database, with wrong settings, with wrong files."""

from pathlib import Path

import pytest

from tests.cli.conftest import Command

ON_A_DATABASE = {
    "check": ["check"],
    "import": ["import", "rows.csv", "--map", "subject=s", "--set", "channel=phone"],
    "key create": ["key", "create", "one", "--role", "intake"],
    "key list": ["key", "list"],
    "key revoke": ["key", "revoke", "one"],
    "policy apply": ["policy", "apply", "policy.yaml"],
    "policy show": ["policy", "show"],
    "policy simulate": ["policy", "simulate", "policy.yaml", "--from", "2026-01-01", "--to", "2026-02-01"],
    "worker": ["worker"],
}
MAKING_ONE = {"serve": ["serve", "--port", "0"], "migrate": ["migrate"]}
EVERY = {**ON_A_DATABASE, **MAKING_ONE}


@pytest.fixture(autouse=True)
def files(directory: Path) -> None:
    """The files that the commands read."""
    (directory / "rows.csv").write_text("s\nNo signal\n")
    (directory / "policy.yaml").write_text("code: x\n")


def listed(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


@pytest.mark.parametrize("words", ON_A_DATABASE.values(), ids=ON_A_DATABASE)
def test_no_command_makes_a_database(command: Command, directory: Path, words: list[str]) -> None:
    said = command(*words).refusal
    assert f"There is no database at {directory}/var/complaints.db" in said
    assert "complaints migrate" in said
    elsewhere = command(*words, database_url=f"sqlite:///{directory}/other/x.db").refusal
    assert f"There is no database at {directory}/other/x.db" in elsewhere
    assert listed(directory) == ["policy.yaml", "rows.csv"]


@pytest.mark.parametrize("words", EVERY.values(), ids=EVERY)
def test_a_database_out_of_reach_is_one_line(command: Command, words: list[str]) -> None:
    said = command(*words, database_url="postgresql://me:hidden@127.0.0.1:1/nothing").refusal
    assert "The database cannot be reached" in said
    assert "postgresql://me@127.0.0.1:1/nothing" in said
    assert "hidden" not in said


@pytest.mark.parametrize("words", EVERY.values(), ids=EVERY)
def test_an_empty_database_is_no_database(command: Command, directory: Path, words: list[str]) -> None:
    """An empty file, and a file that another program wrote."""
    (directory / "empty.db").touch()
    (directory / "other.db").write_bytes(b"PNG" * 1000)
    said = command(*words, database_url="sqlite:///other.db").refusal
    assert "not a database" in said
    assert str(directory / "other.db") in said
    if words[0] not in MAKING_ONE:
        said = command(*words, database_url="sqlite:///empty.db").refusal
        assert "at schema none" in said
        assert "complaints migrate" in said


WRONG = {
    "another engine": ({"database_url": "mysql://u:hidden@h/d"}, "postgresql:// or sqlite:///, not with mysql"),
    "a driver of another kind": ({"database_url": "postgresql+asyncpg://h/d"}, "not with postgresql+asyncpg"),
    "an old name": ({"database_url": "postgres://u:hidden@h/d"}, "not with postgres://"),
    "no URL": ({"database_url": "var/complaints.db"}, "COMPLAINTS_DATABASE_URL is not a URL"),
    "a port in words": ({"database_url": "postgresql://u:hidden@h:five/d"}, "COMPLAINTS_DATABASE_URL is not a URL"),
    "memory": ({"database_url": "sqlite://"}, "must name a file"),
    "an unknown option": ({"database_url": "postgresql://127.0.0.1:1/d?colour=red"}, "colour"),
    "no such directory": ({"database_url": "sqlite:////nowhere/at/all.db"}, "/nowhere/at/all.db"),
    "a file for a directory": ({"data_dir": "rows.csv"}, "rows.csv"),
    "no policy": ({"policy": "nowhere.yaml"}, "a file, or one of telecom-handbook, working-hours"),
    "a policy in Latin-1": ({"policy": "latin.yaml"}, "latin.yaml is not text in UTF-8: byte 8 does not belong there"),
    "a directory for a policy": ({"policy": "."}, "Cannot read"),
    "a level": ({"log_level": "loud"}, "COMPLAINTS_LOG_LEVEL"),
    "a replica": ({"read_database_url": "oracle://u:hidden@h/d"}, "COMPLAINTS_READ_DATABASE_URL must begin with"),
}  # fmt: skip


@pytest.mark.parametrize(("settings", "told"), WRONG.values(), ids=WRONG)
def test_a_wrong_setting_is_one_line(
    command: Command, directory: Path, settings: dict[str, str], told: str
) -> None:
    (directory / "latin.yaml").write_bytes(b"name: B\xfcro\n")
    for words in MAKING_ONE.values():
        said = command(*words, **settings).refusal
        assert told in said
        assert "hidden" not in said
    assert listed(directory) == ["latin.yaml", "policy.yaml", "rows.csv"]


@pytest.mark.parametrize("words", [["serve"], ["worker"]], ids=" ".join)
def test_a_misspelt_setting_is_named(command: Command, words: list[str]) -> None:
    """The program starts all the same: another program may share the environment."""
    unreachable = {"database_url": "postgresql://127.0.0.1:1/nothing"}
    ended = command(*words, prot=8001, test_postgres_url="-", zzzzzzz=1, **unreachable)
    assert ended.err.splitlines()[:2] == [
        "COMPLAINTS_PROT is not a setting; did you mean COMPLAINTS_PORT?",
        "COMPLAINTS_ZZZZZZZ is not a setting.",
    ]
    assert "The database cannot be reached" in ended.err
    supervised = command(*words, prot=8001, listen_fd=99, **unreachable)
    assert "COMPLAINTS_PROT" not in supervised.err
