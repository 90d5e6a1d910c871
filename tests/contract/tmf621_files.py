"""The official files of TMF621. They lie beside the repository, and no part of them is copied into it."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.generate import ROOT

V5 = "TMF621-Trouble_Ticket-v5.0.1.oas.yaml"
V5_OVERLAY = "TMF621-v5.0.1.anyof-overlay.oas.yaml"
V4 = "TMF621-TroubleTicket-v4.0.0.swagger.json"
DIRECTORY = ROOT.parent / "shared" / "tmf621"
LISTENERS = "notification listener"
"""The tag of the operations that a subscriber offers. They are no part of the server."""


def official_file(name: str) -> Path:
    """The path of an official file. Skips the test if the file is absent."""
    path = DIRECTORY / name
    if not path.is_file():
        pytest.skip(f"the official file of TMF621 is absent: {path}")
    return path


def read_document(name: str) -> dict[str, Any]:
    """The content of an official file. Skips the test if the file is absent."""
    document: dict[str, Any] = yaml.load(
        official_file(name).read_text(encoding="utf-8"), Loader=yaml.CSafeLoader
    )
    return document
