"""OpenAPI Generator makes clients in Python and Java. The first works on a real server, the second compiles.

The generator is a program in Java. A package of the index brings it, another package its Java. `dev.py contract` runs
this.
"""

import importlib
import shutil
import subprocess
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import openapi_generator_cli
import pytest

from tests.contract.tmf621_files import V5, official_file
from tests.generate import ROOT
from tests.journeys.running_server import Launcher
from tests.support import ADMIN_SECRET

PACKAGE = "openapi_client_of_complaints"
JAR = resources.files("openapi_generator_cli") / "openapi-generator.jar"
# The only class that the Java client needs besides the libraries inside the generator.
GENERATED = (
    'package javax.annotation; public @interface Generated { String[] value(); String date() default ""; \
String comments() default ""; }'
)


DOCUMENT = ROOT / "openapi/complaints.json"


def generate(language: str, directory: Path, document: Path = DOCUMENT, /, **properties: str) -> Path:
    """The directory with the generated client."""
    options = ",".join(f"{name}={value}" for name, value in properties.items())
    arguments = ["generate", "-i", str(document), "-g", language, "-o", str(directory)]
    done = openapi_generator_cli.run([*arguments, f"--additional-properties={options}"])
    assert done.returncode == 0
    return directory


def test_the_python_client_makes_lists_and_changes_complaints(
    launcher: Launcher,
    migrated_database_url: Callable[[str], str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(generate("python", tmp_path / "python", packageName=PACKAGE))
    made: Any = importlib.import_module(PACKAGE)
    server = launcher.serve(migrated_database_url("sqlite"), sandbox=1)
    with made.ApiClient(made.Configuration(host=server.url, access_token=ADMIN_SECRET)) as client:
        api = made.ComplaintsApi(client)
        body = made.CreateComplaint(channel="phone", subject="No signal", external_id="CALL-1")
        first, again = (api.create_complaint(body, idempotency_key="call-1") for _ in range(2))
        assert first.id == again.id
        answer = made.Respond(action="respond", message="A technician comes.", contact_channel="phone")
        acted = api.take_action(first.number, made.Transition(answer), if_match='"1"')
        assert acted.status == "investigating"
        assert [one.number for one in api.list_complaints(status=["investigating"]).items] == [first.number]
        with pytest.raises(made.ApiException) as refused:
            api.take_action(
                first.number, made.Transition(made.Resume(action="resume")), accept_language="zh-CN"
            )
        assert refused.value.status == 409


def test_the_python_client_of_the_official_file_of_tmf621_changes_a_ticket(
    launcher: Launcher,
    migrated_database_url: Callable[[str], str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    official = official_file(V5)
    package = "openapi_client_of_tmf621"
    monkeypatch.syspath_prepend(generate("python", tmp_path / "python", official, packageName=package))
    made: Any = importlib.import_module(package)
    server = launcher.serve(migrated_database_url("sqlite"), sandbox=1)
    configuration = made.Configuration(host=f"{server.url}/tmf-api/troubleTicket/v5")
    with made.ApiClient(configuration, "Authorization", f"Bearer {ADMIN_SECRET}") as client:
        api = made.TroubleTicketApi(client)
        wanted = {
            "@type": "TroubleTicket",
            "description": "No signal",
            "severity": "Major",
            "ticketType": "x",
        }
        ticket = api.create_trouble_ticket(made.TroubleTicketFVO.from_dict(wanted))
        change = {"@type": "TroubleTicket", "status": "inProgress", "statusChangeReason": "We look into it."}
        changed = api.patch_trouble_ticket(ticket.id, made.TroubleTicketMVO.from_dict(change))
        assert (changed.id, changed.status) == (ticket.id, "inProgress")
        assert [one.id for one in api.list_trouble_ticket(limit=5)] == [ticket.id]
        with pytest.raises(made.ApiException) as refused:
            api.patch_trouble_ticket(
                ticket.id, made.TroubleTicketMVO.from_dict({**change, "status": "closed"})
            )
        assert (refused.value.status, refused.value.data.status) == (409, "409")
        api.delete_trouble_ticket(ticket.id)
        with pytest.raises(made.exceptions.NotFoundException):
            api.retrieve_trouble_ticket(ticket.id)


def test_the_java_client_compiles(tmp_path: Path) -> None:
    packages = {"invokerPackage": "client", "apiPackage": "client.api", "modelPackage": "client.model"}
    made = generate("java", tmp_path / "java", library="native", openApiNullable="false", **packages)
    assert (made / "src/main/java/client/model/CreateComplaint.java").exists()
    compiler = shutil.which("javac")
    if compiler is None:
        pytest.skip("the client was generated, but not compiled: there is no javac")
    annotation = made / "src/main/java/javax/annotation/Generated.java"
    annotation.parent.mkdir(parents=True)
    annotation.write_text(GENERATED, encoding="utf-8")
    sources = [str(path) for path in (made / "src/main/java").rglob("*.java")]
    options = ("-nowarn", "-d", str(tmp_path / "classes"), "-classpath", str(JAR))
    done = subprocess.run([compiler, *options, *sources], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
