"""A call centre and a CRM around a server: both examples as real processes, agents on both sides, and kills."""

import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

from complaints.domain.vocabulary import AccessRole
from complaints.use_cases.access import SYSTEM
from complaints.use_cases.configuration import keys
from complaints.use_cases.service import Service
from complaints_client import Client, Complaint, Event
from examples import call_centre, crm_mirror
from tests.journeys.running_server import Running
from tests.support import ADMIN_SECRET

ROOT = Path(__file__).resolve().parents[2]
VICTIMS = ("server", "call_centre", "crm_mirror")
PATIENCE_SECONDS = 60.0
MOST_WAITING = 10  # then the agents pause, so that a slow machine is not flooded
CRM_ACTOR = "key:crm"
CONTACT = "complaint.contact_repeated"
SEVERITIES = ("low", "normal", "high", "critical")
RESPONSE = {"message": "We are on it.", "contact_channel": "phone"}


class CrmScene:
    """The call centre with its spool, the CRM, and agents who work on both sides by chance."""

    def __init__(self, directory: Path, url: str, kill_server: Callable[[], None], *, seed: int) -> None:
        self._directory, self._url = directory, url
        self._dice, self._numbers = random.Random(seed), count(1)
        self._kill_server = kill_server
        self._programs: dict[str, Running] = {}
        self._spool = call_centre.open_spool(directory / "spool.sqlite3")
        self._crm = crm_mirror.open_crm(directory / "crm.sqlite3")
        self.client = Client(url, ADMIN_SECRET)
        self.counts: Counter[str] = Counter()

    def close(self) -> None:
        """Kill the programs that run."""
        for program in self._programs.values():
            program.kill()
        self._spool.close()
        self._crm.close()
        self.client.close()

    def start(self) -> None:
        """Start both programs."""
        for name, *arguments in (
            ("call_centre", "--spool", "spool.sqlite3", "send", "--key-file", "intake-key"),
            ("crm_mirror", "--crm", "crm.sqlite3", "run", "--key-file", "crm-key", "--wait", "1"),
        ):
            program = str(ROOT / f"examples/{name}.py")
            self._start(name, [sys.executable, program, *arguments, "--url", self._url])

    def kill_all_in_turn(self) -> None:
        """`kill -9` the server and both programs, one after the other, in the middle of their work."""
        for victim in self._dice.sample(VICTIMS, len(VICTIMS)):
            self._work_until_both_go_on()
            time.sleep(self._dice.uniform(0, 0.1))
            self._kill(victim)

    def _work_until_both_go_on(self) -> None:
        """Agents work until calls were posted and cases were copied since the last kill."""
        before, deadline = self._progress(), time.monotonic() + PATIENCE_SECONDS
        while any(now == then for now, then in zip(self._progress(), before, strict=True)):
            assert time.monotonic() < deadline, [
                program.output[-2000:] for program in self._programs.values()
            ]
            if self._count_waiting() < MOST_WAITING:
                self.work()
            time.sleep(self._dice.uniform(0, 0.1))

    def _count_waiting(self) -> int:
        """Calls and changes that no program has sent yet."""
        [calls] = self._spool.execute("SELECT count(*) FROM call WHERE number IS NULL").fetchone()
        [changes] = self._crm.execute("SELECT count(*) FROM crm_journal WHERE state = 'waiting'").fetchone()
        return int(calls + changes)

    def _progress(self) -> tuple[int, str]:
        [posted] = self._spool.execute("SELECT count(number) FROM call").fetchone()
        [cursor] = self._crm.execute("SELECT max(cursor) FROM crm_cursor").fetchone()
        return posted, cursor

    def _kill(self, victim: str) -> None:
        self.counts[f"kills of {victim}"] += 1
        if victim == "server":
            self._kill_server()
            return
        program = self._programs[victim]
        assert program.process.poll() is None, program.output
        program.kill()
        self._start(victim, program.process.args)  # type: ignore[attr-defined]

    def work(self) -> None:
        """New calls, and a change by an agent on each side, at the same moment as far as anybody can tell."""
        self.counts["calls"] += call_centre.take(self._spool, [self._call() for _ in range(2)])
        cases = self._crm.execute("SELECT number, status FROM crm_case").fetchall()
        if not cases:
            return
        number, status = self._dice.choice(cases)
        self._dice.choice([self._note, self._change, self._respond])(number)
        for _ in range(2):
            number, status = self._dice.choice(cases)
            self._dice.choice([self._note_in_crm, self._change_in_crm, self._respond_in_crm])(number, status)

    def settle(self) -> None:
        """Stop both programs, and run each until it has nothing left to do."""
        for name, program in self._programs.items():
            program.kill()
            command = [*program.process.args, "--once"]  # type: ignore[attr-defined]
            done = subprocess.run(
                command, cwd=self._directory, env=_environment(), capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, f"{name}: {done.stderr}"
        self._programs.clear()

    def breaches(self) -> list[str]:
        """Everything that differs between calls, complaints and cases, and every change that came twice."""
        complaints = {complaint["number"]: complaint for complaint in self.client.complaints()}
        events = {number: list(self.client.timeline(number)) for number in complaints}
        return [
            *self._wrong_calls({c["external_id"]: number for number, c in complaints.items()}),
            *self._wrong_cases(complaints),
            *self._wrong_notes(events),
            *self._wrong_events([event for found in events.values() for event in found]),
        ]

    def _wrong_calls(self, complaints: dict[str | None, str]) -> list[str]:
        calls = dict(self._spool.execute("SELECT call_id, number FROM call").fetchall())
        return [
            f"{of} is {here} in the spool, and {there}" for of, here, there in _different(calls, complaints)
        ]

    def _wrong_cases(self, complaints: dict[str, Complaint]) -> list[str]:
        cases = {row["number"]: dict(row) for row in self._crm.execute("SELECT * FROM crm_case")}
        expected = {
            number: {name: value for name, value in complaint.items() if name in crm_mirror.COPIED}
            | {"number": number, "status": crm_mirror.CASE_STATUS[complaint["status"]]}
            for number, complaint in complaints.items()
        }
        return [f"{of} is {here} in the CRM, and {there}" for of, here, there in _different(cases, expected)]

    def _wrong_notes(self, events: dict[str, list[Event]]) -> list[str]:
        notes = Counter(
            (number, event["data"]["text"])
            for number, found in events.items()
            for event in found
            if event["type"] == crm_mirror.NOTE_ADDED
        )
        copied = Counter(map(tuple, self._crm.execute("SELECT number, text FROM crm_note").fetchall()))
        return [
            *(f"the note {note} is only on the server" for note in notes - copied),
            *(f"the note {note} is only in the CRM" for note in copied - notes),
            *(f"the note {note} came {times} times" for note, times in notes.items() if times > 1),
        ]

    def _wrong_events(self, events: list[Event]) -> list[str]:
        """Calls that were doubled, and events of the CRM's key beyond those of the journal.

        A field that had its value already has no event.
        """
        sent = Counter(k for (k,) in self._crm.execute("SELECT kind FROM crm_journal WHERE state = 'sent'"))
        self.counts.update({f"{kind} changes of the CRM": times for kind, times in sent.items()})
        written = Counter(event["type"] for event in events if event["actor"] == CRM_ACTOR)
        kinds = {"note": crm_mirror.NOTE_ADDED, "status": "complaint.responded", "field": "complaint.updated"}
        return [
            *(f"{event['complaint_id']} was posted twice" for event in events if event["type"] == CONTACT),
            *(
                f"the CRM sent {sent[kind]} changes of {kind}, and the history has {written[of]}"
                for kind, of in kinds.items()
                if written[of] > sent[kind] or (written[of] < sent[kind] and kind != "field")
            ),
        ]

    # Agents on the server

    def _note(self, number: str) -> None:
        self.client.add_note(number, f"Note {next(self._numbers)} of the server")

    def _change(self, number: str) -> None:
        self.client.change(number, {"severity": self._dice.choice(SEVERITIES)})
        self.client.change(number, {"subject": f"Subject {next(self._numbers)} of the server"})

    def _respond(self, number: str) -> None:
        self.client.act(number, "respond", RESPONSE)

    # Agents in the CRM

    def _note_in_crm(self, number: str, _: str) -> None:
        crm_mirror.add_note(self._crm, number, f"Note {next(self._numbers)} of the CRM")

    def _change_in_crm(self, number: str, _: str) -> None:
        crm_mirror.set_field(self._crm, number, "severity", self._dice.choice(SEVERITIES))
        crm_mirror.set_field(self._crm, number, "subject", f"Subject {next(self._numbers)} of the CRM")

    def _respond_in_crm(self, number: str, status: str) -> None:
        if status == "New":
            with suppress(crm_mirror.NoMapping):  # the mirror moved the case in between
                crm_mirror.set_status(self._crm, number, "Working", RESPONSE)

    def _call(self) -> str:
        call_id = f"CALL-{next(self._numbers)}"
        return json.dumps({"call_id": call_id, "subject": f"Subject of {call_id}"})

    def _start(self, name: str, command: Sequence[str]) -> None:
        log = self._directory / f"{name}.log"
        with log.open("ab") as output:
            process = subprocess.Popen(
                command, stdout=output, stderr=output, cwd=self._directory, env=_environment()
            )
        self._programs[name] = Running(process, log)


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT / "client/src"), "PYTHONUNBUFFERED": "1"}


def _different(first: dict[Any, Any], second: dict[Any, Any]) -> list[tuple[Any, Any, Any]]:
    """The names with different values, with both values."""
    names = first.keys() | second.keys()
    return [(n, first.get(n), second.get(n)) for n in names if first.get(n) != second.get(n)]


@contextmanager
def crm_scene(
    service: Service, directory: Path, url: str, kill_server: Callable[[], None], *, seed: int
) -> Iterator[CrmScene]:
    """A scene with keys for both programs. They are killed at the end of the block."""
    for name, role in (("intake", AccessRole.INTAKE), ("crm", AccessRole.AGENT)):
        _, secret = service.write(
            lambda tx, name=name, role=role: keys.create_key(  # type: ignore[misc]
                service, tx, SYSTEM, name=name, roles=[role], source=name
            )
        )
        (directory / f"{name}-key").write_text(secret + "\n", encoding="ascii")
    with closing(CrmScene(directory, url, kill_server, seed=seed)) as scene:
        yield scene
