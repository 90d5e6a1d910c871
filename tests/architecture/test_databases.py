"""The databases that tests get: new for each, alike on both engines, and gone when the tests are."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest

from tests.conftest import DATABASE_KINDS
from tests.postgres_server import serving

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("kind", DATABASE_KINDS)
def test_each_database_is_a_new_one(empty_database_url: Callable[[str], str], kind: str) -> None:
    assert empty_database_url(kind) != empty_database_url(kind)


def test_a_new_database_is_empty_and_knows_chinese(empty_database_url: Callable[[str], str]) -> None:
    with psycopg.connect(empty_database_url("postgresql")) as connection:
        tables = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
        assert tables == (0,)
        assert connection.execute("SHOW server_encoding").fetchone() == ("UTF8",)
        assert connection.execute("SELECT to_tsvector('simple', '漏水') @@ '漏水'").fetchone() == (True,)


def test_a_durable_server_waits_for_the_disk_and_leaves_nothing() -> None:
    with serving(durable=True) as url:
        home = Path(parse_qs(urlsplit(url).query)["host"][0])
        assert home.is_dir()
        with psycopg.connect(url) as connection:
            assert connection.execute("SHOW fsync").fetchone() == ("on",)
    assert not home.exists()


def test_a_killed_owner_leaves_no_server() -> None:
    program = (
        "import sys\n"
        "from tests.postgres_server import serving\n"
        "with serving() as url:\n"
        "    print(url, flush=True)\n"
        "    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as owner:
        assert owner.stdout is not None
        home = Path(parse_qs(urlsplit(owner.stdout.readline().strip()).query)["host"][0])
        os.kill(owner.pid, signal.SIGKILL)
    give_up_at = time.monotonic() + 30
    while home.exists() and time.monotonic() < give_up_at:
        time.sleep(0.05)
    assert not home.exists()
