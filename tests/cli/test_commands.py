"""What commands say of their work: the database, how much was proved, what was migrated; and the rule of names."""

import csv
import json
import sqlite3
from contextlib import closing
from importlib.resources import files
from pathlib import Path

import pytest

import complaints
from complaints.settings import Settings
from complaints.storage.database import migrate
from complaints.storage.database.connections import open_engine
from complaints.storage.database.transactions import Database
from complaints.storage.queries import audit
from complaints.use_cases.access import SYSTEM
from complaints.use_cases.attachments.adding import NewAttachment
from complaints.use_cases.service import Service
from complaints.use_cases.upkeep import checks, parallel_checks
from complaints.wiring import new_id, opened, wall_clock
from tests.cli.conftest import Command
from tests.support import add_attachment, count_statements

KEY = "a-first-key-of-this-database"


@pytest.fixture
def made(migrate_once: Command, directory: Path) -> str:
    """The path of an embedded database that `migrate` made."""
    ended = migrate_once(policy="working-hours", bootstrap_api_key=KEY)
    assert ended.out.endswith(f"/var/complaints.db was migrated from schema none to {migrate.head()}.\n")
    return f"{directory}/var/complaints.db"


def test_every_command_names_its_database(command: Command, directory: Path, made: str) -> None:
    (directory / "rows.csv").write_text("s\nNo signal\n")
    assert command("migrate").out == f"{made} is at schema {migrate.head()} already: nothing was migrated.\n"
    imported = command("import", "rows.csv", "--map", "subject=s", "--set", "channel=phone")
    assert (imported.status, imported.out) == (0, "1 rows: 1 accepted, 0 known already, 0 failed.\n")
    checked = command("check")
    assert f"Checked: 1 complaints, 1 events, 2 deadlines, 0 escalations in {made}." in checked.out
    created = command("key", "create", "one", "--role", "intake")
    assert created.out.startswith("cmp_")
    assert "working-hours" in command("policy", "show").out
    for ended in (imported, checked, created):
        assert ended.err.startswith(f"Database: {made}\n")


def test_a_policy_is_tried_before_it_is_applied(command: Command, directory: Path, made: str) -> None:
    # rules 4.18 and 4.19
    assert "uk-ofcom" in command("policy", "pack").out
    assert "There is no pack 'uk'" in command("policy", "pack", "uk").refusal
    assert "MIIT order 35" in command("policy", "pack", "china-miit-35").out
    assert command("policy", "pack", "uk-ofcom", "--into", "packs").out.count("is written.") == 2
    again = command("policy", "pack", "uk-ofcom", "--into", "packs")
    assert (again.status, again.out) == (2, "")
    assert "is there already" in again.err
    assert "File exists" in command("policy", "pack", "uk-ofcom", "--into", "packs/1-eight-weeks.yaml").err
    document = directory / "packs" / "2-six-weeks.yaml"
    document.write_text(
        document.read_text("utf-8").replace("timezone:", "applies_to: {region: GB}\ntimezone:", 1)
    )
    words = ("policy", "try", str(document), "--at", "2026-04-08T09:00:00+01:00")
    tried = command(*words, "--region", "GB", "--json")
    rows = [(row["deadline"], row["due"]) for row in json.loads(tried.out)]
    assert rows == [
        ("first_response", "2026-04-10T09:00:00+01:00"),
        ("resolution", "2026-05-20T09:00:00+01:00"),
        ("follow_up", "2026-06-20T09:00:00+01:00"),
        ("closure", "2026-06-27T09:00:00+01:00"),
    ]
    assert "is an example" in tried.err
    assert "does not fit" not in tried.err
    assert "does not fit" in command(*words, "--region", "FR").err
    for bad in ("2026-04-08", "0001-01-01T00:00:00+08:00"):
        assert "--at" in command(*words[:-1], bad).refusal

    applied = command("policy", "apply", str(document))
    assert applied.out == "uk-ofcom version 1 is in force from 2026-04-07T23:00:00+00:00.\n"
    assert "region GB" in command("policy", "show").out
    fresh = command("migrate", policy=str(document), data_dir=f"{directory}/new")
    assert "without a policy" in fresh.refusal


def test_a_policy_that_is_applied_after_a_later_one_is_not_said_to_be_in_force(
    command: Command, made: str
) -> None:
    command("policy", "pack", "uk-ofcom", "--into", "packs")
    command("policy", "apply", "packs/2-six-weeks.yaml")
    for _ in range(2):  # the second time no version is added
        applied = command("policy", "apply", "packs/1-eight-weeks.yaml")
        assert applied.out == (
            "uk-ofcom version 2 is applied, but it is not in force now. "
            "Its effective_at is 2018-09-30T23:00:00+00:00.\n"
        )
        assert "complaints received now follow 'uk-ofcom' version 1" in applied.err


def test_a_command_on_a_current_schema_writes_nothing_and_counts_no_rows(command: Command, made: str) -> None:
    service = Service(Database(open_engine(f"sqlite:///{made}"), wall_clock), new_id)
    with count_statements(service) as executed:
        migrate.upgrade(service.database.engine)
    service.close()
    said = [statement for statement, _ in executed if "table_info" not in statement]
    assert {one.split("\n")[0] for one in said} == {"BEGIN", "SELECT alembic_version.version_num "}


def test_an_orphan_is_a_finding(command: Command, directory: Path, made: str) -> None:
    (directory / "rows.csv").write_text("s\nNo signal\n")
    command("import", "rows.csv", "--map", "subject=s", "--set", "channel=phone")
    with closing(sqlite3.connect(made)) as connection:  # which does not enforce foreign keys
        connection.execute("DELETE FROM deadline WHERE kind = 'resolution'")
        connection.execute("UPDATE deadline SET complaint_id = zeroblob(16)")
        connection.commit()
    checked = command("check")
    assert checked.status == 1
    assert "references hold 1 rows of deadline refer to" in " ".join(checked.out.split())


def test_a_failure_of_the_database_says_why(command: Command, made: str) -> None:
    with closing(sqlite3.connect(made)) as connection:
        connection.execute("DROP TABLE escalation")
    checked = command("check")
    assert checked.status == 1
    assert "The database says: no such table: escalation" in " ".join(checked.err.split())


def test_bytes_of_attachments_are_read_on_demand(command: Command, directory: Path, made: str) -> None:
    (directory / "rows.csv").write_text("s\nNo signal\n")
    command("import", "rows.csv", "--map", "subject=s", "--set", "channel=phone")
    with opened(Settings(data_dir=directory / "var")) as service:
        found = service.read(lambda tx: audit.find_batch(tx, audit.IdRange(), 1)).stored
        number = str(found[0].loaded.complaint.id)
        add_attachment(service, SYSTEM, number, NewAttachment("a", "text/plain"), [b"abc"])
    [file] = (one for one in (directory / "var" / "attachments").rglob("*") if one.is_file())
    file.write_bytes(b"abd")
    assert command("check").status == 0
    checked = command("check", "--attachment-bytes")
    assert checked.status == 1
    assert f"attachment {file.name} has other bytes" in " ".join(checked.out.split())
    file.unlink()
    assert command("check").status == 1


def test_an_interrupted_check_is_resumed_and_keeps_its_findings(
    command: Command, directory: Path, made: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (directory / "rows.csv").write_text("s\n" + "No signal\n" * 4)
    command("import", "rows.csv", "--map", "subject=s", "--set", "channel=phone")
    with closing(sqlite3.connect(made)) as connection:
        connection.execute("UPDATE complaint SET escalation_level = 7")
        connection.commit()
    monkeypatch.setattr(checks, "BATCH", 1)
    assert command("check", "--resume", processes=8).err.endswith(
        "There is no check to resume: a new one begins.\n\n"
    )
    whole = command("check", "--processes", "1").out
    real, left = parallel_checks.check_range, [2]

    def check_two(service: Service, within: checks.IdRange) -> checks.CheckedRange:
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        return real(service, within)

    with monkeypatch.context() as patch:
        patch.setattr(parallel_checks, "check_range", check_two)
        stopped = command("check", "--processes", "1")
    assert (stopped.status, stopped.out) == (130, "")
    assert "Interrupted after 2 complaints, 2 events" in stopped.err
    [record] = (directory / "var").glob("check-*.jsonl")
    with record.open("a") as file:
        file.write('{"up_to": "cut off by a kill')
    resumed = command("check", "--resume")
    assert (resumed.status, resumed.out) == (1, whole)
    assert " checked 2 complaints, 2 events" in resumed.err.splitlines()[1]
    assert not record.exists()


@pytest.mark.parametrize(
    ("name", "told"),
    [("", "/name"), (" ", "/name"), ("x" * 5000, "/name")],
    ids=["empty", "blank", "long"],
)
def test_a_key_is_named_by_the_rule_of_the_api(command: Command, made: str, name: str, told: str) -> None:
    refused = command("key", "create", name, "--role", "intake").refusal
    assert refused.startswith(told)
    refused = command("key", "create", "good", "--role", "intake", "--source", "x" * 5000).refusal
    assert refused.startswith("/source")


def test_a_source_is_printed_as_it_is(command: Command, made: str) -> None:
    source = "[bold]x[/bold] :bell:"
    assert command("key", "create", "cc", "--role", "intake", "--source", source).status == 0
    assert source in command("key", "list").out
    assert command("key", "revoke", "cc").out == "cc is revoked.\n"


def test_a_key_is_rotated_and_listed_with_its_overlap(command: Command, made: str) -> None:
    secret = command("key", "create", "cc", "--role", "intake").out
    rotated = command("key", "rotate", "cc", "--overlap", "P7D")
    assert rotated.out.startswith("cmp_")
    assert rotated.out != secret
    assert "The former secret of cc works until 20" in rotated.err
    [_, listed] = json.loads(command("key", "list", "--json").out)
    assert (listed["name"], listed["last_used"]) == ("cc", None)
    assert listed["former_secret_until"] in rotated.err.replace("+00:00", "Z")
    for words, told in (
        (("nobody",), "There is no key 'nobody'."),
        (("cc", "--overlap", "P31D"), "/overlap: An overlap lasts at most 30 days"),
        (("cc", "--overlap", "soon"), "/overlap: Must be an ISO 8601 duration"),
    ):
        refused = command("key", "rotate", *words)
        assert (refused.status, refused.out) == (1, "")
        assert refused.err.splitlines()[-1].startswith(told)


def test_the_list_of_keys_shows_the_last_use_to_the_minute(command: Command, made: str) -> None:
    with closing(sqlite3.connect("var/complaints.db")) as database, database:
        database.execute(
            "INSERT INTO key_use (key_id, last_used_at) SELECT id, '2027-05-10 02:59:33.207323' FROM api_key"
        )
    [line] = command("key", "list").out.splitlines()[1:]
    assert line.endswith("  2027-05-10T02:59+00:00")
    [listed] = json.loads(command("key", "list", "--json").out)
    assert listed["last_used"] == "2027-05-10T02:59:33.207323Z"


def test_the_version_needs_no_database(command: Command, directory: Path) -> None:
    assert command("--version").out == f"{complaints.__version__}\n"
    assert list(directory.iterdir()) == []


def test_a_key_may_have_an_end(command: Command, made: str) -> None:
    assert command("key", "create", "cc", "--role", "intake", "--expires", "2099-01-31T00:00:00Z").status == 0
    assert "2099-01-31" in command("key", "list").out
    for wrong in ("2020-01-31T00:00:00Z", "2099-01-31", "tomorrow"):
        refused = command("key", "create", "two", "--role", "intake", "--expires", wrong)
        line = refused.err.splitlines()[-1]
        assert (refused.status, line.startswith(("/expires_at", "A key expires in the future"))) == (
            1,
            True,
        ), line


def test_a_simulation_prints_tables_json_and_csv_with_the_facts(
    command: Command, directory: Path, made: str
) -> None:
    """Rule 4.21."""
    shipped = files("complaints").joinpath("policies", "working-hours.yaml").read_text(encoding="utf-8")
    (directory / "stricter.yaml").write_text(
        shipped.replace("{target: 8 working hours}", "{target: 1 working hour}")
    )
    (directory / "rows.csv").write_text("s,at\nNo signal,2026-01-05T01:00:00Z\nSlow,2025-12-31T15:59:59Z\n")
    command("import", "rows.csv", "--map", "subject=s", "--map", "received_at=at", "--set", "channel=phone")
    period = [
        "policy",
        "simulate",
        "stricter.yaml",
        "--from",
        "2026-01-01",
        "--to",
        "2026-02-01",
        "--processes",
        "1",
    ]
    tables = command(*period, "--rows", "facts.ndjson")
    lines = [line.split() for line in tables.out.splitlines()]
    assert ["all", "1", "0"] in lines
    assert ["first_response", "1", "1", "0", "0", "0"] in lines
    assert ["first_response", "1", "0", "0", "0", "0", "-23h", "30min"] in lines
    assert "are not known: escalations of that time go to the staff" in tables.err
    assert "\nwarning: line " in tables.err
    facts = [json.loads(line) for line in (directory / "facts.ndjson").read_text().splitlines()]
    assert [one["due"] for one in facts if one["fact"] == "deadline" and one["kind"] == "first_response"] == [
        "earlier"
    ]
    as_json = json.loads(command(*period, "--json").out)
    assert as_json["breaches"]["first_response"]["simulated"] == 1
    assert as_json["received_from"] == "2025-12-31T16:00:00Z"
    assert "Give --json or --csv, not both." in command(*period, "--json", "--csv").err
    table = list(csv.reader(command(*period, "--csv").out.splitlines()))
    assert table[0] == ["figure", "name", "member", "value"]
    assert ["due_times", "first_response", "median_shift_seconds", "-84600.0"] in table
    elsewhere = shipped.replace("code: working-hours", "code: elsewhere\napplies_to: {region: GB}", 1)
    (directory / "stricter.yaml").write_text(elsewhere)
    remarks = command(*period).err.splitlines()
    kept = "Complaints that keep their policy, because this one would not be chosen for them: 1."
    assert [line for line in remarks if kept in line], remarks


def test_a_simulation_names_the_line_of_a_fault(command: Command, directory: Path, made: str) -> None:
    (directory / "broken.yaml").write_text("code: x\ntitle: 1\n")
    ended = command("policy", "simulate", "broken.yaml", "--from", "2026-01-01", "--to", "2026-02-01")
    assert (ended.status, ended.out) == (1, "")
    assert "line 2" in ended.err
