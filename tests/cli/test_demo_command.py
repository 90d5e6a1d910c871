"""`complaints demo`: a new database with a quarter, its mark in the log of the server, and its refusals."""

from pathlib import Path

import pytest

from tests.cli.conftest import Command

SMALL = ("demo", "--complaints", "50", "--seed", "3")


def test_a_demo_makes_a_database_that_says_so(command: Command, directory: Path) -> None:
    """The quarter ends now, everything due is done, and the database is marked for good."""
    made = command(*SMALL)
    assert made.status == 0, made.err
    assert "50 complaints of the seed 3, received from" in made.out
    assert "Your first key is in var/first-key." in made.out
    assert made.err.startswith(f"Database: {directory}/var/complaints.db\n")
    assert "Every invariant holds. Checked: 50 complaints" in " ".join(command("check").out.split())
    assert "a demo needs an empty one" in command(*SMALL).err
    logged = command("key", "list", log_level="warning")
    assert "the complaints of this database are made up: it is a demo" in logged.out + logged.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--complaints", "3"), "/complaints: A demo has 50 to 200000 complaints."),
        (("--until", "2190-01-01"), "/until: The quarter cannot end in the future."),
        (("--until", "9999-12-31"), "/until: A demo ends on a day from 1971-01-01 to 2199-12-31."),
        (("--until", "0001-01-01"), "/until: A demo ends on a day from 1971-01-01 to 2199-12-31."),
        (("--seed", "9223372036854775808"), "/seed: A seed is at most 9223372036854775807."),
    ],
)
def test_a_wish_that_cannot_be_is_refused_and_leaves_nothing(
    command: Command, directory: Path, words: tuple[str, ...], said: str
) -> None:
    assert command("demo", *words).refusal == said
    assert list(directory.iterdir()) == []
