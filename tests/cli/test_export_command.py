"""`complaints export`: to a file or to standard output, with the filters of the API."""

import csv
import json
from functools import partial
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from complaints.domain.errors import Unavailable
from complaints.features.exports import use_cases
from tests.cli.conftest import Command
from tests.support import Scenario

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def export(command: Command, scenario: Scenario, database_url: str) -> Command:
    """Runs `complaints export` on a database with three complaints."""
    for subject in ("No signal", "No signal", "Slow"):
        scenario.post(subject=subject, complainant={"name": "Zhuge"})
    return partial(command, "export", database_url=database_url, sandbox=1)


def test_the_ending_of_a_file_names_its_format(export: Command, directory: Path) -> None:
    ended = export("all.csv", "q=slow", "--full", "--reason", "A test.")
    assert (ended.status, ended.out) == (0, "")
    assert "Feed cursor: " in ended.err
    with (directory / "all.csv").open(encoding="utf-8", newline="") as file:
        [row] = csv.DictReader(file)
    assert (row["subject"], row["complainant.name"]) == ("Slow", "Zhuge")
    assert export("all.xlsx", "--timezone", "Asia/Shanghai").status == 0
    sheet = openpyxl.load_workbook(directory / "all.xlsx").worksheets[0]
    assert (sheet.max_row, sheet["B1"].value) == (4, "number 投诉编号")
    assert export("all.json", "status=received", "status=closed", "--fields", "id").status == 0
    assert len((directory / "all.json").read_text().splitlines()) == 3
    assert sorted(path.name for path in directory.glob("all.*")) == ["all.csv", "all.json", "all.xlsx"]


def test_standard_output_has_nothing_but_the_export(export: Command, directory: Path) -> None:
    ended = export("-", "--fields", "number,status")
    assert ended.status == 0
    assert [json.loads(line)["status"] for line in ended.out.splitlines()] == ["received"] * 3


def test_a_misspelt_filter_is_named_with_the_words_of_the_api(export: Command) -> None:
    ended = export("-", "statu=closed", "priority=hi")
    assert (ended.status, ended.out) == (1, "")
    assert "statu is unknown here; did you mean 'status'?" in ended.err
    assert "priority should be 'urgent', 'high', 'normal' or 'low'." in ended.err
    assert "COMPLAINTS_" not in ended.err  # a filter is no setting


def test_a_filter_that_takes_one_value_is_refused_if_it_is_given_twice(export: Command) -> None:
    ended = export("-", "team=operations", "team=management")
    assert (ended.status, ended.out) == (1, "")
    assert "team must be sent once only." in ended.err
    ended = export("-", "attributes.a=1", "attributes.a=2")
    assert (ended.status, ended.out) == (1, "")
    assert "must have one value" in ended.err


def test_a_format_among_the_filters_counts_before_the_ending_of_the_file(
    export: Command, directory: Path
) -> None:
    assert export("all.csv", "format=ndjson", "--fields", "id").status == 0
    assert (directory / "all.csv").read_text().startswith('{"id":')


def test_an_export_that_fails_leaves_the_former_file(
    export: Command, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (directory / "all.csv").write_text("as before")
    for words in (
        ["colour=red"],
        ["status"],
        ["--full", "--fields", "id"],
        ["team=nobody"],
        ["--language", "fr"],
    ):
        ended = export("all.csv", *words)
        assert ended.status != 0
        assert "Traceback" not in ended.err
    read, pages = use_cases.read_page, list[None]()

    def fail_later(*given: Any, **named: Any) -> Any:
        pages.append(None)
        if len(pages) > 1:
            raise Unavailable("The database is gone.")
        return read(*given, **named)

    monkeypatch.setattr(use_cases, "PAGE", 1)
    monkeypatch.setattr(use_cases, "read_page", fail_later)
    ended = export("all.csv")
    assert (ended.status, ended.err.splitlines()[-1]) == (1, "The database is gone.")
    assert (directory / "all.csv").read_text() == "as before"
    assert not list(directory.glob("*.part"))
    assert export("nowhere/all.csv").status != 0
