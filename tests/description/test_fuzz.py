"""A fuzzer that knows the description of the API meets a real server: every answer is as described."""

import os
import subprocess
import sys

from tests.examples import examples
from tests.generate import ROOT
from tests.journeys.running_server import Launcher
from tests.support import ADMIN_SECRET, check_all, opened_service

# The same requests every time, a few to an operation.
SHORT = ("--phases=examples,fuzzing", f"--max-examples={examples(1)}", "--seed=20260105")
# A clock moved to the year 2999 would leave nothing of the complaints but their escalations.
KEPT_OUT = (
    "--exclude-path=/v1/sandbox/clock/advance",
    "--exclude-operation-id=setClock",
    "--exclude-path=/v1/keys/{key_id}/rotate",  # it would take the key of the fuzzer away
)


def test_every_answer_is_as_described(launcher: Launcher, database_url: str) -> None:
    server = launcher.serve(database_url, sandbox=1)
    with server.client(ADMIN_SECRET) as http:
        for subject in ("No signal", "Too slow"):  # the complaints that schemathesis.toml names
            assert (
                http.post("/v1/complaints", json={"channel": "phone", "subject": subject}).status_code == 201
            )
    fuzzed = subprocess.run(
        [
            *(
                sys.executable,
                "-m",
                "schemathesis.cli",
                "--config-file",
                "tests/description/schemathesis.toml",
            ),
            *("run", "openapi/complaints.json", f"--url={server.url}"),
            *("-H", f"Authorization: Bearer {ADMIN_SECRET}", "--no-color", "--generation-database=none"),
            *(*SHORT, *KEPT_OUT),
        ],
        cwd=ROOT,
        env={**os.environ, "SCHEMATHESIS_HOOKS": "tests.description.fuzz_rules", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert fuzzed.returncode == 0, fuzzed.stdout + fuzzed.stderr
    with server.client(ADMIN_SECRET) as http:
        assert http.get("/v1/me").status_code == 200, "the fuzzer lost its key, so it met refusals alone"
    assert "Traceback" not in server.output
    with opened_service(database_url) as service:
        assert list(check_all(service)) == []
