"""The programs of the client's README run, one after the other, against the real API."""

import re
from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import complaints_client
from complaints_client import Batch, Client
from tests.api_client import ApiClient
from tests.support import ADMIN_SECRET

README = (Path(__file__).resolve().parents[2] / "client/README.md").read_text(encoding="utf-8")
PROGRAMS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def test_the_programs_of_the_readme_run(
    client: ApiClient,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    follow = Client.follow

    def follow_two_batches(self: Client, after: str, **options: Any) -> Iterator[Batch]:
        return islice(follow(self, after, **{**options, "wait": 0}), 2)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(complaints_client, "Client", partial(Client, transport=client._transport))
    monkeypatch.setattr(Client, "follow", follow_two_batches)
    server = SimpleNamespace(serve_forever=lambda: None)
    monkeypatch.setattr("http.server.ThreadingHTTPServer", lambda *_: server)
    for name, value in {
        "COMPLAINTS_URL": "http://testserver",
        "COMPLAINTS_KEY": ADMIN_SECRET,
        "WEBHOOK_SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    }.items():
        monkeypatch.setenv(name, value)

    names: dict[str, Any] = {}
    for program in PROGRAMS:
        exec(program, names)
    names["mine"].close()
    said = capsys.readouterr().out
    assert "C000000013 received new" in said
    assert "C000000013 complaint.created" in said
    assert "['admin']" in said
