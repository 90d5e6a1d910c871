"""A client that a program generates from the OpenAPI document makes, lists and changes complaints on a real server."""

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openapi_python_client import generate
from openapi_python_client.config import Config, ConfigFile, MetaType

from tests.generate import ROOT
from tests.journeys.running_server import Launcher
from tests.support import ADMIN_SECRET

PACKAGE = "generated_complaints"
# This generator knows JSON alone. What else a client sends is a file, and needs no classes.
FILES = {
    "parsing POST /v1/imports within imports. Endpoint will not be generated.",
    "parsing POST /v1/policies within policies.",
    "parsing POST /v1/policies/validate within policies.",
}


@pytest.fixture
def part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """Imports a part of a freshly generated client by its name, such as `models`."""
    config = Config.from_sources(
        ConfigFile(post_hooks=[]),
        MetaType.NONE,
        document_source=ROOT / "openapi/complaints.json",
        file_encoding="utf-8",
        overwrite=False,
        output_path=tmp_path / PACKAGE,
    )
    assert {warning.header.removeprefix("WARNING ") for warning in generate(config=config)} == FILES
    monkeypatch.syspath_prepend(tmp_path)
    return lambda name: importlib.import_module(f"{PACKAGE}.{name}")


def test_a_generated_client_makes_lists_and_changes_complaints(
    part: Callable[[str], Any], launcher: Launcher, migrated_database_url: Callable[[str], str]
) -> None:
    server = launcher.serve(migrated_database_url("sqlite"), sandbox=1)
    models, complaints = part("models"), "api.complaints"
    with part("client").AuthenticatedClient(base_url=server.url, token=ADMIN_SECRET) as client:

        def call(name: str, *path: str, **arguments: Any) -> Any:
            return part(f"{complaints}.{name}").sync_detailed(*path, client=client, **arguments)

        # Without `Idempotency-Key` as an argument, a client could not repeat a request after a timeout.
        body = models.CreateComplaint(channel=models.Channel.PHONE, subject="No signal")
        first, again = (call("create_complaint", body=body, idempotency_key="call-1") for _ in range(2))
        assert (first.status_code, again.headers["idempotency-replayed"]) == (201, "true")
        assert again.parsed == first.parsed
        number = first.parsed.number

        # The class says which action it is. `If-Match` is an argument too.
        answer = models.Respond(message="A technician comes.", contact_channel=models.ContactChannel.PHONE)
        acted = call("take_action", number, body=answer, if_match=first.headers["etag"])
        assert acted.parsed.status is models.Status.INVESTIGATING
        stale = call("take_action", number, body=models.Assign(team="operations"), if_match='"1"')
        assert (stale.status_code, stale.parsed.type_) == (412, "/problems/stale-version")

        listed = call("list_complaints", status=[models.Status.INVESTIGATING], accept_language="zh-CN")
        assert [item.number for item in listed.parsed.items] == [number]
        assert call("get_complaint", number).parsed.to_dict() == acted.parsed.to_dict()
