"""A small "CRM" in an SQLite file that mirrors complaints, both ways. Kill it or the server at any moment.

    python examples/crm_mirror.py run --url http://127.0.0.1:8000 --key-file crm-key

This follows the feed, copies each complaint that changed, and sends the changes of the CRM to the server. The key needs
the role `agent`, and no other program may use it. An agent works in the CRM with `list`, `set`, `note` and `status`:

    python examples/crm_mirror.py status C000000013 Working message="A technician comes." contact_channel=phone

Such a command changes the case, and puts the change into a journal in the same transaction.

Why nothing is lost or doubled, and why no change comes back as an echo:

- The cursor of the feed is written in the transaction of the rows that follow from it.
- Only an agent writes to the journal, never the mirror. A copy from the server is therefore never sent back.
- Events are compared by the version of the complaint, never by time. Two changes in one second are two versions.
- A change keeps its idempotency key until its answer is on record. A field has no such key: it is sent with the version
  that the CRM knows, and after a crash the history says if it arrived.
- The server knows an idempotency key for at least 24 hours. So start a mirror that died within that time.
- The history names who did it. Notes of the own key are in the CRM already, and are not copied.
"""

import argparse
import json
import os
import sqlite3
import sys
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from complaints_client import Batch, Client, Complaint, FeedSetBack, NoAnswer, Patience, Refusal, StaleVersion

# The status of a case for each status of a complaint. Any other status stops the mirror.
CASE_STATUS = {
    "received": "New",
    "investigating": "Working",
    "on_hold": "Waiting",
    "resolved": "Solved",
    "following_up": "Monitoring",
    "closed": "Closed",
    "rejected": "Closed: refused",
    "withdrawn": "Closed: withdrawn",
    "merged": "Closed: duplicate",
}
OPEN = ("New", "Working", "Waiting")
ENDED = ("Closed", "Closed: refused", "Closed: withdrawn")
# The action that leads from one status of a case to another. Any other move is refused.
ACTIONS = {
    ("New", "Working"): "respond",
    ("Working", "Waiting"): "hold",
    ("Waiting", "Working"): "resume",
    ("Solved", "Monitoring"): "notify_result",
    ("Monitoring", "Closed"): "close",
    **{(before, "Solved"): "resolve" for before in OPEN},
    **{(before, "Working"): "reopen" for before in ("Solved", "Monitoring", *ENDED)},
    **{(before, "Closed: refused"): "reject" for before in OPEN},
    **{(before, "Closed: withdrawn"): "withdraw" for before in (*OPEN, "Solved", "Monitoring")},
}
FIELDS = ("subject", "severity", "category")  # an agent may change these in the CRM
COPIED = (*FIELDS, "priority", "team", "assignee", "version")
NOTE_ADDED = "complaint.note_added"
NoteRow = tuple[str, str, str]  # number, text, id of the event
SCHEMA = f"""
CREATE TABLE IF NOT EXISTS crm_case (number TEXT PRIMARY KEY, status TEXT NOT NULL, {", ".join(COPIED)});
CREATE TABLE IF NOT EXISTS crm_note (
    id INTEGER PRIMARY KEY, number TEXT NOT NULL REFERENCES crm_case, text TEXT NOT NULL,
    event_id TEXT UNIQUE  -- null until the server knows the note
);
CREATE TABLE IF NOT EXISTS crm_journal (
    id INTEGER PRIMARY KEY AUTOINCREMENT, number TEXT NOT NULL REFERENCES crm_case,
    key TEXT UNIQUE NOT NULL DEFAULT (lower(hex(randomblob(16)))),  -- for idempotency
    kind TEXT NOT NULL CHECK (kind IN ('status', 'field', 'note')), content TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'refused')), problem TEXT
);
CREATE TABLE IF NOT EXISTS crm_cursor (id INTEGER PRIMARY KEY CHECK (id = 1), cursor TEXT NOT NULL);
"""


class NoMapping(Exception):
    """A status has no counterpart. Complete `CASE_STATUS` or `ACTIONS`."""


# What agents do in the CRM ----------------------------------------------------------------------------------------


def set_status(crm: sqlite3.Connection, number: str, status: str, facts: dict[str, str]) -> None:
    """Move a case. `facts` are the members of the action, such as `message`. Raises NoMapping."""
    with crm:
        crm.execute("BEGIN IMMEDIATE")  # the mirror must not move the case between the two steps
        before = find_case(crm, number)["status"]
        choose_action(before, status)
        crm.execute("UPDATE crm_case SET status = ? WHERE number = ?", (status, number))
        write_journal(crm, number, "status", {"before": before, "after": status, "facts": facts})


def set_field(crm: sqlite3.Connection, number: str, name: str, value: str) -> None:
    """Change a field of a case."""
    if name not in FIELDS:
        raise NoMapping(f"An agent may change {', '.join(FIELDS)}; not {name}.")
    with crm:
        find_case(crm, number)
        crm.execute(f"UPDATE crm_case SET {name} = ? WHERE number = ?", (value, number))  # noqa: S608 - of FIELDS
        write_journal(crm, number, "field", {"name": name, "value": value})


def add_note(crm: sqlite3.Connection, number: str, text: str) -> None:
    """Add a note to a case."""
    with crm:
        find_case(crm, number)
        note = crm.execute("INSERT INTO crm_note (number, text) VALUES (?, ?)", (number, text))
        write_journal(crm, number, "note", {"note_id": note.lastrowid, "text": text})


def write_journal(crm: sqlite3.Connection, number: str, kind: str, content: dict[str, Any]) -> None:
    """Put a change into the journal."""
    row = (number, kind, json.dumps(content, ensure_ascii=False))
    crm.execute("INSERT INTO crm_journal (number, kind, content) VALUES (?, ?, ?)", row)


def choose_action(before: str, after: str) -> str:
    """The action that moves a case. Raises NoMapping."""
    if (before, after) not in ACTIONS:
        known = sorted(to for of, to in ACTIONS if of == before)
        raise NoMapping(
            f"No action leads from {before!r} to {after!r}. Possible: {', '.join(known) or 'none'}."
        )
    return ACTIONS[before, after]


def find_case(crm: sqlite3.Connection, number: str) -> sqlite3.Row:
    """The case with this number. Raises NoMapping if there is none."""
    found: sqlite3.Row | None = crm.execute("SELECT * FROM crm_case WHERE number = ?", (number,)).fetchone()
    if found is None:
        raise NoMapping(f"The CRM has no case {number}.")
    return found


# The mirror -------------------------------------------------------------------------------------------------------


class Mirror:
    """Keeps the CRM and the server alike."""

    def __init__(self, crm: sqlite3.Connection, client: Client) -> None:
        self._crm = crm
        self._client = client
        self._actor = client.actor()

    def run(self, *, wait: int, once: bool) -> None:
        """Take turns for ever; with `once`, until nothing is new on either side."""
        while True:
            try:
                if self._take_turn(wait) and once:
                    return
            except FeedSetBack as refusal:
                report(
                    f"The database of the server was restored, so all complaints are copied again: {refusal}"
                )
                with self._crm:
                    self._crm.execute("DELETE FROM crm_cursor")
            except NoAnswer as failure:
                report(f"The server does not answer: {failure}")

    def _take_turn(self, wait: int) -> bool:
        """Send what agents did, then copy what is new; True if nothing was.

        The journal comes first: the version of a case must not move while a change of it is under way.
        """
        for change in self._find_waiting():
            try:
                self._send(change)
            except (Refusal, NoMapping) as refusal:
                self._give_back(change, refusal)
        cursor = self._crm.execute("SELECT cursor FROM crm_cursor").fetchone()
        if cursor is None:
            self._copy_all()
            return False
        batch = self._client.changes(cursor[0], wait=wait)
        self._copy(batch)
        return not batch.events and not self._find_waiting()

    def _find_waiting(self) -> list[sqlite3.Row]:
        return self._crm.execute("SELECT * FROM crm_journal WHERE state = 'waiting' ORDER BY id").fetchall()

    # From the CRM to the server

    def _send(self, change: sqlite3.Row) -> None:
        """Send a change, and put its answer on record. A repetition has the same idempotency key."""
        content, number = json.loads(change["content"]), change["number"]
        row: Sequence[Any]
        if change["kind"] == "note":
            event = self._client.add_note(number, content["text"], key=change["key"])
            statement, row = (
                "UPDATE crm_note SET event_id = ? WHERE id = ?",
                (event["id"], content["note_id"]),
            )
        elif change["kind"] == "status":
            action = choose_action(content["before"], content["after"])
            statement, row = upsert(self._client.act(number, action, content["facts"], key=change["key"]))
        else:
            statement, row = upsert(self._send_field(number, content["name"], content["value"]))
        with self._crm:
            self._crm.execute(statement, row)
            self._crm.execute("UPDATE crm_journal SET state = 'sent' WHERE id = ?", (change["id"],))

    def _send_field(self, number: str, name: str, value: str) -> Complaint:
        """Change a member. If somebody else changed the complaint first, the agent of the CRM is the later one."""
        version = find_case(self._crm, number)["version"]
        while True:
            try:
                return self._client.change(number, {name: value}, if_match=version)
            except StaleVersion:
                since = [event for event in self._client.timeline(number) if event["version"] > version]
                complaint = self._client.complaint(number)
                if any(e["actor"] == self._actor and name in e["data"].get("changes", {}) for e in since):
                    return complaint  # the change arrived before a crash
                version = complaint["version"]

    def _give_back(self, change: sqlite3.Row, refusal: Exception) -> None:
        """Report a refused change, and show the case as the server has it."""
        complaint = self._client.complaint(change["number"])  # raises if the key is at fault, not the change
        report(f"{change['number']}: {change['content']} was refused: {refusal}")
        with self._crm:
            self._crm.execute(*upsert(complaint))
            row = (str(refusal), change["id"])
            self._crm.execute("UPDATE crm_journal SET state = 'refused', problem = ? WHERE id = ?", row)

    # From the server to the CRM

    def _copy(self, batch: Batch) -> None:
        """Copy the complaints that changed beyond their version here, and the notes of others."""
        known = dict(self._crm.execute("SELECT number, version FROM crm_case").fetchall())
        events = [event for event in batch.events if event["subject"]["kind"] == "complaint"]
        changed = {e["number"] for e in events if e["version"] > known.get(e["number"], 0)}
        noted = {e["number"] for e in events if e["type"] == NOTE_ADDED and e["actor"] != self._actor}
        complaints = [self._client.complaint(number) for number in sorted(changed)]
        notes = [note for number in sorted(noted) for note in self._read_notes(number)]
        with self._crm:
            self._write(complaints, notes)
            self._write_cursor(batch.cursor)

    def _copy_all(self) -> None:
        """Copy every complaint. The feed goes on at an instant before the first one was read."""
        cursor = self._client.changes("now").cursor
        missing = {number for (number,) in self._crm.execute("SELECT number FROM crm_case")}
        for complaint in self._client.complaints():
            missing.discard(complaint["number"])
            notes = self._read_notes(complaint["number"])
            with self._crm:
                self._write([complaint], notes)
        for number in sorted(missing):
            report(f"{number} is not on the server any more. Post it again, or delete the case.")
        with self._crm:
            self._write_cursor(cursor)

    def _read_notes(self, number: str) -> list[NoteRow]:
        notes = [event for event in self._client.timeline(number) if event["type"] == NOTE_ADDED]
        return [(number, note["data"]["text"], note["id"]) for note in notes]

    def _write(self, complaints: Iterable[Complaint], notes: Iterable[NoteRow]) -> None:
        for complaint in complaints:
            self._crm.execute(*upsert(complaint))
        self._crm.executemany(
            "INSERT OR IGNORE INTO crm_note (number, text, event_id) VALUES (?, ?, ?)", notes
        )

    def _write_cursor(self, cursor: str) -> None:
        self._crm.execute("INSERT OR REPLACE INTO crm_cursor (id, cursor) VALUES (1, ?)", (cursor,))


def upsert(complaint: Complaint) -> tuple[str, Sequence[Any]]:
    """The statement that makes the case like the complaint, and its row. Raises NoMapping."""
    if complaint["status"] not in CASE_STATUS:
        raise NoMapping(f"{complaint['number']}: the CRM has no status for {complaint['status']!r}.")
    row: dict[str, object] = {"number": complaint["number"], "status": CASE_STATUS[complaint["status"]]}
    row |= {name: value for name, value in complaint.items() if name in COPIED}
    places = ", ".join("?" * len(row))
    changes = ", ".join(f"{name} = excluded.{name}" for name in row)
    statement = (
        f"INSERT INTO crm_case ({', '.join(row)}) VALUES ({places}) ON CONFLICT DO UPDATE SET {changes}"  # noqa: S608
    )
    return statement, list(row.values())


# The program ------------------------------------------------------------------------------------------------------


def main() -> int:
    """Run the command; the exit status is 2 if a status or a field has no counterpart, or the key is refused."""
    arguments = parse_arguments()
    with closing(open_crm(arguments.crm)) as crm:
        try:
            arguments.run(crm, arguments)
        except (NoMapping, Refusal, OSError) as fault:
            report(str(fault))
            return 2
        except KeyboardInterrupt:
            return 130
    return 0


def report(line: str) -> None:
    """Print a line that somebody must see."""
    print(line, file=sys.stderr, flush=True)


def open_crm(path: Path) -> sqlite3.Connection:
    """The CRM. `with crm:` is a transaction, on disk when the block ends."""
    crm = sqlite3.connect(path, timeout=30)
    crm.row_factory = sqlite3.Row
    crm.execute("PRAGMA journal_mode = WAL")
    crm.execute("PRAGMA synchronous = FULL")
    crm.execute("PRAGMA foreign_keys = ON")
    crm.executescript(SCHEMA)
    return crm


def run_mirror(crm: sqlite3.Connection, arguments: argparse.Namespace) -> None:
    """Run the mirror until it is stopped."""
    key = arguments.key_file.read_text(encoding="ascii")
    with Client(arguments.url, key, patience=Patience(seconds=10)) as client:
        Mirror(crm, client).run(wait=arguments.wait, once=arguments.once)


def print_cases(crm: sqlite3.Connection, _: argparse.Namespace) -> None:
    """Print each case with its notes, and the changes that wait or were refused."""
    for case in crm.execute("SELECT * FROM crm_case ORDER BY number").fetchall():
        print(f"{case['number']}  {case['status']:<18} {case['severity']:<9} {case['subject']}")
        for (text,) in crm.execute(
            "SELECT text FROM crm_note WHERE number = ? ORDER BY id", (case["number"],)
        ):
            print(f"            note: {text}")
    for change in crm.execute("SELECT * FROM crm_journal WHERE state <> 'sent' ORDER BY id"):
        print(f"{change['number']}  {change['state']}: {change['content']} {change['problem'] or ''}")


def parse_arguments() -> argparse.Namespace:
    """The arguments of the command line; `run` is the function of the command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--crm", type=Path, default="crm.sqlite3", help="the SQLite file of the CRM")
    commands = parser.add_subparsers(dest="command", required=True)
    running = commands.add_parser("run", help="mirror until stopped")
    running.add_argument(
        "--url",
        default=os.environ.get("COMPLAINTS_URL", "http://127.0.0.1:8000"),
        help="the address of the server; else COMPLAINTS_URL says it, else http://127.0.0.1:8000",
    )
    running.add_argument("--key-file", type=Path, required=True, help="a file with a key of the role agent")
    running.add_argument(
        "--wait", type=int, default=2, help="seconds to wait for news; default 2, at most 30"
    )
    running.add_argument("--once", action="store_true", help="end when nothing is new on either side")
    running.set_defaults(run=run_mirror)
    commands.add_parser("list", help="print the cases").set_defaults(run=print_cases)
    moving = commands.add_parser("status", help="move a case, as an agent does")
    moving.add_argument("number")
    moving.add_argument("status", help=f"one of: {', '.join(CASE_STATUS.values())}")
    moving.add_argument("facts", nargs="*", help="members of the action: message=… contact_channel=phone")
    moving.set_defaults(
        run=lambda crm, a: set_status(crm, a.number, a.status, dict(f.split("=", 1) for f in a.facts))
    )
    setting = commands.add_parser("set", help="change a field of a case, as an agent does")
    setting.add_argument("number")
    setting.add_argument("name", choices=FIELDS)
    setting.add_argument("value")
    setting.set_defaults(run=lambda crm, a: set_field(crm, a.number, a.name, a.value))
    noting = commands.add_parser("note", help="add a note to a case, as an agent does")
    noting.add_argument("number")
    noting.add_argument("text")
    noting.set_defaults(run=lambda crm, a: add_note(crm, a.number, a.text))
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
