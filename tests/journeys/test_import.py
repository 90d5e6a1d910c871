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


def test_a_carriers_complaints(
    launcher: Launcher, operating_url: Callable[[str], str], tmp_path: Path
) -> None:
    """Half of them; all of them pass in `tests/domain/test_import_real_files.py`."""
    lines = Path(data("comcast_fcc_complaints_2015.csv")).read_bytes().splitlines(keepends=True)
    half, url = tmp_path / "complaints.csv", operating_url("sqlite")
    half.write_bytes(b"".join(lines[:1113]))
    file = str(half)

    refused = launcher.run("import", file, *CARRIER, url=url)
    assert refused.wait(120) == 1
    assert "279 of 1,112 dates can be read both ways" in refused.output
    assert "--dates swap_ambiguous" in refused.output

    taken = launcher.run("import", file, *CARRIER, "--dates", "swap_ambiguous", url=url)
    assert taken.wait(180) == 1, taken.output
    assert "1112 rows: 1111 accepted, 0 known already, 1 failed." in taken.output
    assert "row 1035: /external_id: external_id is 'comcas'" in taken.output

    again = launcher.run("import", file, *CARRIER, "--dates", "swap_ambiguous", url=url)
    assert again.wait(180) == 1
    assert "1112 rows: 0 accepted, 1111 known already, 1 failed." in again.output


def test_a_helpdesks_dialogues(
    launcher: Launcher, operating_url: Callable[[str], str], tmp_path: Path
) -> None:
    lines = Path(data("zh_telecom_helpdesk_weibo.jsonl")).read_text(encoding="utf-8").splitlines()
    undated = next(line for line in lines if json.loads(line)["created_at_derived"] is None)
    some = [undated, *(line for line in lines[::5] if line != undated)]  # all of them pass in tests/domain
    file, url = tmp_path / "dialogues.jsonl", operating_url("postgresql")
    file.write_text("\n".join(some), encoding="utf-8")

    taken = launcher.run("import", str(file), *HELPDESK, url=url)
    assert taken.wait(180) == 1, taken.output
    assert f"{len(some)} rows: {len(some) - 1} accepted, 0 known already, 1 failed." in taken.output
    assert "received_at is mapped but empty" in taken.output


def test_an_import_that_a_server_finishes_first_ends_too(
    launcher: Launcher, operating_url: Callable[[str], str], tmp_path: Path
) -> None:
    file, url = tmp_path / "calls.jsonl", operating_url("sqlite")
    file.write_text('{"channel": "phone", "subject": "One call"}\n')
    launcher.serve(url)
    for attempt in range(5):
        taken = launcher.run("import", str(file), "--source", f"cc-{attempt}", url=url)
        assert taken.wait(60) == 0, taken.output
        assert "1 rows: 1 accepted" in taken.output


def test_the_status_of_an_import_says_whether_every_row_was_taken(
    launcher: Launcher, operating_url: Callable[[str], str], tmp_path: Path
) -> None:
    file, url = tmp_path / "calls.tsv", operating_url("sqlite")
    file.write_text("Subject\tHow\nNo signal\tPHONE\nSlow\tpigeon\n")
    options = ["--map", "subject=Subject", "--map", "channel=How"]

    failed = launcher.run("import", str(file), *options, url=url)
    assert failed.wait(60) == 1
    assert "2 rows: 1 accepted, 0 known already, 1 failed." in failed.output
    assert "row 2: /channel: " in failed.output

    nameless = launcher.run("import", str(file), *options, "--source", " ", url=url)
    assert nameless.wait(60) == 2
    assert "--source" in nameless.output

    refused = launcher.run("import", str(file), "--map", "subjet=Subject", url=url)
    assert refused.wait(60) == 1
    assert "--map subjet: a complaint has no member" in refused.output
    assert "/map.subjet" not in refused.output
