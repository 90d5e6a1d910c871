"""A call centre that posts its calls as complaints. Kill it or the server at any moment: nothing is lost or doubled.

    python examples/call_centre.py --spool calls.sqlite3 take calls.ndjson
    python examples/call_centre.py --spool calls.sqlite3 send --url http://127.0.0.1:8000 --key-file var/first-key

`take` puts calls into the spool, an SQLite file. Each line of its input is a JSON object with `call_id` and the members
of a complaint, such as {"call_id": "CALL-7", "subject": "No signal", "complainant": {"phone": "+8613800000000"}}.
`send` posts them in their order, and goes on for ever; with `--once` it ends when the spool is empty.

Why it is safe: a call is in the spool before it is posted, and its number is written there after the answer. The call
id is the external id and the idempotency key of the post. A post that is made again finds the first complaint.
"""

import argparse
import json
import os
import sqlite3
import sys
import time
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

from complaints_client import Client, NoAnswer, Patience, Refusal

SCHEMA = """
CREATE TABLE IF NOT EXISTS call (
    call_id TEXT PRIMARY KEY,
    members TEXT NOT NULL,  -- of the complaint, as JSON
    taken_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),  -- the deadlines start here
    number TEXT,            -- of the complaint that the call became
    problem TEXT            -- why the server refused the call
)"""


def main() -> int:
    """Run the command; the exit status is 1 if calls were refused, 2 if the key was or is not there."""
    arguments = parse_arguments()
    with closing(open_spool(arguments.spool)) as spool:
        if arguments.command == "take":
            with arguments.calls as lines:
                print(f"{take(spool, lines)} new calls are in the spool.")
            return 0
        try:
            key = arguments.key_file.read_text(encoding="ascii")
            with Client(arguments.url, key, patience=Patience(seconds=10)) as client:
                send(spool, client, once=arguments.once)
        except (Refusal, OSError) as fault:
            print(fault, file=sys.stderr)
            return 2
        except KeyboardInterrupt:
            return 130
        return int(spool.execute("SELECT count(*) FROM call WHERE problem IS NOT NULL").fetchone()[0] > 0)


def open_spool(path: Path) -> sqlite3.Connection:
    """The spool. Every statement is a transaction of its own, on disk before it returns."""
    spool = sqlite3.connect(path, timeout=30, isolation_level=None)
    spool.execute("PRAGMA journal_mode = WAL")
    spool.execute("PRAGMA synchronous = FULL")
    spool.execute(SCHEMA)
    return spool


def take(spool: sqlite3.Connection, lines: Iterable[str]) -> int:
    """Put calls into the spool, and count the new ones. A call id that is there already is left out."""
    count = 0
    for position, line in enumerate(lines, start=1):
        try:
            members = json.loads(line)
            row = (members.pop("call_id"), json.dumps(members))
        except (ValueError, KeyError, AttributeError, TypeError):
            raise SystemExit(
                f"Line {position} is no JSON object with a call_id; {count} calls were taken."
            ) from None
        count += spool.execute("INSERT OR IGNORE INTO call (call_id, members) VALUES (?, ?)", row).rowcount
    return count


def send(spool: sqlite3.Connection, client: Client, *, once: bool) -> None:
    """Post the calls that wait, the oldest first, for ever; with `once`, until none waits."""
    while True:
        calls = spool.execute(
            "SELECT call_id, members, taken_at FROM call WHERE number IS NULL AND problem IS NULL"
            " ORDER BY rowid LIMIT 100"
        ).fetchall()
        for call_id, members, taken_at in calls:
            send_one(
                spool, client, call_id, {"channel": "phone", "received_at": taken_at, **json.loads(members)}
            )
        if not calls and once:
            return
        if not calls:
            time.sleep(0.5)


def send_one(spool: sqlite3.Connection, client: Client, call_id: str, members: dict[str, Any]) -> None:
    """Post one call, and write down its number, or why it was refused. Without an answer it goes on waiting.

    The refusal of a key (401, 403) is raised: it says nothing about the call.
    """
    try:
        posted = client.create({**members, "external_id": call_id}, key=call_id)
    except NoAnswer as failure:
        print(f"{call_id} waits: {failure}", file=sys.stderr)
        return
    except Refusal as refusal:
        if refusal.status in (401, 403):
            raise
        spool.execute("UPDATE call SET problem = ? WHERE call_id = ?", (str(refusal), call_id))
        print(f"{call_id} was refused: {refusal}", file=sys.stderr)
        return
    number = posted.complaint["number"]
    spool.execute("UPDATE call SET number = ? WHERE call_id = ?", (number, call_id))
    print(f"{call_id} is {number}" + ("" if posted.is_new else ", known before"), flush=True)


def parse_arguments() -> argparse.Namespace:
    """The arguments of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--spool", type=Path, default="calls.sqlite3", help="the SQLite file of the calls")
    commands = parser.add_subparsers(dest="command", required=True)
    taking = commands.add_parser("take", help="put calls into the spool")
    taking.add_argument(
        "calls",
        type=argparse.FileType(encoding="utf-8"),
        help="a file with a call on each line; -: standard input",
    )
    sending = commands.add_parser("send", help="post the calls of the spool")
    sending.add_argument(
        "--url",
        default=os.environ.get("COMPLAINTS_URL", "http://127.0.0.1:8000"),
        help="the address of the server; else COMPLAINTS_URL says it, else http://127.0.0.1:8000",
    )
    sending.add_argument("--key-file", type=Path, required=True, help="a file with a key of the role intake")
    sending.add_argument("--once", action="store_true", help="end when no call waits")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
