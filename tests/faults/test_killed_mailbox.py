"""Two processes read one mailbox and are killed again and again: each mail is one complaint with all its files."""

import os
import random
import time
from pathlib import Path

import pytest
from sqlalchemy import text

from complaints.features.notifications.mailbox import taking
from complaints.use_cases.service import Service
from tests.faults.conftest import ScenarioReport, Size, opened
from tests.fork_client import ForkedProcess, ForkServer
from tests.imap_server import ImapServer, imap_server
from tests.support import check_all

ROOT = Path(__file__).resolve().parents[2]
FILES = 2


@pytest.mark.parametrize("database_kind", ["postgresql", "sqlite"])
def test_a_killed_mailbox(
    database_kind: str,
    request: pytest.FixtureRequest,
    fork_server: ForkServer,
    tmp_path: Path,
    size: Size,
    report: ScenarioReport,
) -> None:
    report.fault = f"Processes killed while they take mails ({database_kind})"
    url = request.getfixturevalue("postgres_url" if database_kind == "postgresql" else "sqlite_url")
    mails, dice, kills, half_way = size.pick(40, 400), random.Random(7), 0, 0
    with imap_server() as imap, opened(url) as service:
        _fill(imap, mails)

        def begin() -> ForkedProcess:
            return fork_server.start(
                "tests.faults.mailbox_process",
                [url, imap.url, str(tmp_path / "attachments")],
                environment=dict(os.environ),
                directory=ROOT,
                log=tmp_path / "log",
            )

        alive = [begin(), begin()]
        deadline = time.monotonic() + 240
        while _count(service, "attachment") < FILES * mails:
            assert time.monotonic() < deadline, (tmp_path / "log").read_text(encoding="utf-8")[-2000:]
            time.sleep(dice.uniform(0.1, 0.6))
            killed = alive.pop(dice.randrange(2))
            killed.kill()
            killed.wait()
            alive.append(begin())
            kills += 1
            half_way += 0 < _count(service, "received_mail") < mails
        for process in alive:
            process.kill()
            process.wait()
        assert half_way
        assert _count(service, "received_mail WHERE files_kept = files") == mails
        assert _count(service, "complaint") == mails
        assert _count(service, "attachment") == FILES * mails
        assert list(check_all(service)) == []
    report.count(kills=kills, kills_half_way=half_way, mails=mails)


def _fill(imap: ImapServer, count: int) -> None:
    file = (
        "--b\r\nContent-Type: image/png\r\nContent-Disposition: attachment; filename={0}.png\r\n\r\n{0}\r\n"
    )
    for n in range(count):
        # Each has a sender of its own: the house stops one who fills the mailbox.
        head = f"From: a{n}@example.com\r\nMessage-ID: <{n}@mx>\r\nSubject: No. {n}\r\n"
        parts = "".join(file.format(name) for name in range(FILES))
        body = f"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nDead\r\n{parts}--b--\r\n"
        imap.put((head + body).encode())
    assert count > taking.MOST_AT_ONCE  # so that several batches are taken


def _count(service: Service, rows: str) -> int:
    statement = text(f"SELECT count(*) FROM {rows}")
    return int(service.read(lambda tx: tx.connection.execute(statement).scalar_one()))
