"""A fuzzer with the official description of TMF621 v4.0.0 meets a real server: every answer is as described."""

from pathlib import Path

from tests.contract.tmf621_files import V4, official_file
from tests.contract.tmf621_fuzzing import fuzz
from tests.journeys.running_server import Launcher
from tests.support import ADMIN_SECRET, check_all, opened_service

PATH = "/tmf-api/troubleTicket/v4"
LISTENERS = "notification listeners (client side)"
# The description has no links between its operations. The fuzzer finds them in schemas and `Location` headers.
FEWEST_LINKS = 10
# The file calls both any integer, and means counts. Version 5 with its corrections has the minimum of 0.
WITHOUT_MINIMUM = {
    ("GET /troubleTicket", "RejectedPositiveData", f"{name} must be a whole number from 0.")
    for name in ("limit", "offset")
}


def test_every_answer_is_as_the_official_file_describes(
    launcher: Launcher, database_url: str, tmp_path: Path
) -> None:
    document = official_file(V4)
    server = launcher.serve(database_url, sandbox=1)
    found = fuzz(document, f"{server.url}{PATH}", tmp_path, few=30, arguments=("--exclude-tag", LISTENERS))
    assert found.failures <= WITHOUT_MINIMUM, found.output
    assert found.untouched == []
    assert found.links >= FEWEST_LINKS
    with server.client(ADMIN_SECRET) as http:
        assert http.get("/v1/me").status_code == 200, "the fuzzer lost its key, so it met refusals alone"
    assert "Traceback" not in server.output
    with opened_service(database_url) as service:
        assert list(check_all(service)) == []
