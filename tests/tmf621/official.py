"""The official description of TMF621 v5, read from the files beside the project. Tests skip where they are absent."""

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from jsonschema.validators import validator_for

OVERLAY = Path(__file__).parents[2].parent / "shared" / "tmf621" / "TMF621-v5.0.1.anyof-overlay.oas.yaml"
_CHARACTERISTICS = "troubleTicketCharacteristic"


@cache
def _document() -> dict[str, Any]:
    if not OVERLAY.exists():
        pytest.skip(f"the official files are not here: {OVERLAY}")
    document: dict[str, Any] = yaml.load(OVERLAY.read_bytes(), yaml.CSafeLoader)
    return document


def official_example(name: str) -> Any:
    """The value of an example of the official file."""
    return _document()["components"]["examples"][name]["value"]


@cache
def validator_of(name: str) -> Draft202012Validator:
    """The validator of a schema of the official file, with its formats."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": _document()["components"]}
    return Draft202012Validator(schema, format_checker=validator_for({}).FORMAT_CHECKER)


def find_ticket_faults(ticket: dict[str, Any]) -> list[str]:
    """The faults of a shown ticket. Each characteristic is also checked against the schema that its type names."""
    mapping = _document()["components"]["schemas"]["Characteristic"]["discriminator"]["mapping"]
    faults = [str(fault.message) for fault in validator_of("TroubleTicket").iter_errors(ticket)]
    for one in ticket.get(_CHARACTERISTICS, ()):
        if one["@type"] in mapping:
            faults += [fault.message for fault in validator_of(one["@type"]).iter_errors(one)]
    return faults


def check_ticket(ticket: dict[str, Any]) -> None:
    """Fail for a ticket that the official schema does not allow, or that lacks what every ticket has."""
    assert find_ticket_faults(ticket) == []
    assert ticket["id"]
    assert ticket["href"].endswith(ticket["id"])
    assert ticket["@type"]
