"""Real complaints imported by the command line, by options alone; skipped where the files are not at hand."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.journeys.running_server import Launcher

DATA = Path(__file__).parents[3] / "shared" / "data"
CARRIER = [
    "--map", "subject=Customer Complaint", "--map", "external_id=Ticket #", "--map", "received_at=Date+Time",
    "--set", "channel=phone", "--date-format", "%d-%m-%y %I:%M:%S %p", "--timezone", "America/New_York",
    "--unmapped", "attributes", "--expect", r"external_id=\d+",
]  # fmt: skip
HELPDESK = [
    "--map", "subject=turns.0.text", "--map", "description=turns.0.text", "--map", "external_id=id",
    "--map", "received_at=created_at_derived", "--set", "channel=social", "--unmapped", "attributes",
]  # fmt: skip


def data(name: str) -> str:
    """The file, or a skip."""
    if not (DATA / name).exists():
        pytest.skip(f"{name} is not at hand: it is not part of the project")
    return str(DATA / name)


def test_a_carriers_complaints(launcher: Launcher) -> None:
    file = data("comcast_fcc_complaints_2015.csv")
    assert launcher.run("migrate").wait() == 0

    refused = launcher.run("import", file, *CARRIER)
    assert refused.wait(120) == 1
    assert "609 of 2,224 dates can be read both ways" in refused.output
    assert "--dates swap_ambiguous" in refused.output

    taken = launcher.run("import", file, *CARRIER, "--dates", "swap_ambiguous")
    assert taken.wait(180) == 1, taken.output
    assert "2224 rows: 2223 accepted, 0 known already, 1 failed." in taken.output
    assert "row 1035: /external_id: external_id is 'comcas'" in taken.output

    again = launcher.run("import", file, *CARRIER, "--dates", "swap_ambiguous")
    assert again.wait(180) == 1
    assert "2224 rows: 0 accepted, 2223 known already, 1 failed." in again.output


def test_a_helpdesks_dialogues(
    launcher: Launcher, empty_database_url: Callable[[str], str], tmp_path: Path
) -> None:
    lines = Path(data("zh_telecom_helpdesk_weibo.jsonl")).read_text(encoding="utf-8").splitlines()
    undated = next(line for line in lines if json.loads(line)["created_at_derived"] is None)
    some = [undated, *(line for line in lines[::5] if line != undated)]  # all of them pass in tests/domain
    file, url = tmp_path / "dialogues.jsonl", empty_database_url("postgresql")
    file.write_text("\n".join(some), encoding="utf-8")
    assert launcher.run("migrate", url=url).wait(60) == 0

    taken = launcher.run("import", str(file), *HELPDESK, url=url)
    assert taken.wait(180) == 1, taken.output
    assert f"{len(some)} rows: {len(some) - 1} accepted, 0 known already, 1 failed." in taken.output
    assert "received_at is mapped but empty" in taken.output


def test_an_import_that_a_server_finishes_first_ends_too(launcher: Launcher, tmp_path: Path) -> None:
    file = tmp_path / "calls.jsonl"
    file.write_text('{"channel": "phone", "subject": "One call"}\n')
    launcher.serve()
    for attempt in range(5):
        taken = launcher.run("import", str(file), "--source", f"cc-{attempt}")
        assert taken.wait(60) == 0, taken.output
        assert "1 rows: 1 accepted" in taken.output


def test_the_status_of_an_import_says_whether_every_row_was_taken(launcher: Launcher, tmp_path: Path) -> None:
    file = tmp_path / "calls.tsv"
    file.write_text("Subject\tHow\nNo signal\tPHONE\nSlow\tpigeon\n")
    options = ["--map", "subject=Subject", "--map", "channel=How"]
    assert launcher.run("migrate").wait() == 0

    failed = launcher.run("import", str(file), *options)
    assert failed.wait(60) == 1
    assert "2 rows: 1 accepted, 0 known already, 1 failed." in failed.output
    assert "row 2: /channel: " in failed.output

    nameless = launcher.run("import", str(file), *options, "--source", " ")
    assert nameless.wait(60) == 2
    assert "--source" in nameless.output

    refused = launcher.run("import", str(file), "--map", "subjet=Subject")
    assert refused.wait(60) == 1
    assert "--map subjet: a complaint has no member" in refused.output
    assert "/map.subjet" not in refused.output
