"""Specifications against the official file: its examples are taken, and every answer fits its schemas.

The files are not part of the project. Without them the tests are skipped.
"""

import json
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from tests.api_client import ApiClient
from tests.examples import examples
from tests.generate import ROOT
from tests.tmf621.specifications import CHARACTERISTICS, SPECIFICATIONS, new_specification

OVERLAY = ROOT.parent / "shared" / "tmf621" / "TMF621-v5.0.1.anyof-overlay.oas.yaml"
Members = dict[str, Any]

_ONE_FIXTURE = settings(
    max_examples=examples(25), suppress_health_check=[HealthCheck.function_scoped_fixture]
)
_WORDS = st.sampled_from(
    ["a", "", "5", "retired", "\u200b", "2026-01-05T09:00:00Z", "x" * 300, "/a", "\U0001f600"]
)
_NAMES = st.sampled_from(
    [*new_specification(), *CHARACTERISTICS[0], "validFor", "lifecycleStatus", "version", "value"]
)
_LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-3, 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _WORDS
)
_VALUES = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=4)
)
_PATHS = st.sampled_from(
    [
        "", "/name", "/specCharacteristic", "/specCharacteristic/0", "/specCharacteristic/-", "/validFor",
        "/relatedParty/0/role", "/specCharacteristic?id=5", "/relatedParty?id=1", "/id", "/no/where", "name", "/a~2",
    ]
)  # fmt: skip
_OPERATIONS = st.fixed_dictionaries(
    {"op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test"]), "path": _PATHS},
    optional={"value": _VALUES, "from": _PATHS},
)


@pytest.fixture(scope="module")
def official() -> Members:
    """The official file with its contradictions resolved."""
    if not OVERLAY.exists():
        pytest.skip("the official files of TMF621 are not beside the project, in ../shared/tmf621")
    loaded: Members = yaml.load(OVERLAY.read_text(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return loaded


def example(official: Members, name: str) -> Any:
    return official["components"]["examples"][f"TroubleTicketSpecification_{name}_request"]["value"]


def check(official: Members, name: str, value: Any) -> None:
    registry: Any = Registry().with_resource("urn:tmf", Resource(official, DRAFT202012))
    schema = {"$ref": f"urn:tmf#/components/schemas/{name}"}
    Draft202012Validator(schema, registry=registry, format_checker=FormatChecker()).validate(value)


def patch(client: ApiClient, content: Any, kind: str) -> Any:
    headers = {"Content-Type": f"application/{kind}"}
    return client.patch(f"{SPECIFICATIONS}/bill_dispute", content=json.dumps(content), headers=headers)


@pytest.mark.usefixtures("everything_holds")
def test_the_official_examples_are_taken(client: ApiClient, official: Members) -> None:
    sent = example(official, "create_example")
    made = client.post(SPECIFICATIONS, json=sent)
    assert made.status_code == 201, made.text
    assert sent.items() <= made.json().items()
    check(official, "TroubleTicketSpecification_RES", made.json())
    for name, kind in (
        ("application_json", "json"),
        ("application_merge_json", "merge-patch+json"),
        ("application_json_patch", "json-patch+json"),
        ("application_json_patch_query", "json-patch-query+json"),
    ):
        changed = patch(client, example(official, f"partialupdate_{name}"), kind)
        assert changed.status_code == 200, changed.text
        check(official, "TroubleTicketSpecification_RES", changed.json())
    assert changed.json()["specCharacteristic"][4]["configurable"] is False
    assert changed.json()["name"] == "Bill Dispute Specification"
    for shown in client.get(SPECIFICATIONS, params={"limit": 100}).json():
        check(official, "TroubleTicketSpecification_RES", shown)


def test_a_changed_party_without_an_id_fits_when_it_is_shown(client: ApiClient, official: Members) -> None:
    client.post(SPECIFICATIONS, json=new_specification()).raise_for_status()
    party = {"@type": "a", "partyOrPartyRole": {"@type": "PartyRef", "name": "Sara Smith"}}
    sent = {"@type": "TroubleTicketSpecification", "relatedParty": [party]}
    check(official, "TroubleTicketSpecification_MVO", sent)
    shown = patch(client, sent, "merge-patch+json").json()
    check(official, "TroubleTicketSpecification_RES", shown)
    assert shown["relatedParty"][0]["partyOrPartyRole"]["name"] == "Sara Smith"
    assert patch(client, shown, "merge-patch+json").json() == shown


def test_a_refusal_is_an_error_of_the_official_file(client: ApiClient, official: Members) -> None:
    for refused in (
        client.post(SPECIFICATIONS, json={}),
        client.get(f"{SPECIFICATIONS}/nope"),
        patch(client, [{"op": "remove", "path": "/id"}], "json-patch+json"),
    ):
        check(official, "Error", refused.json())


@_ONE_FIXTURE
@given(changes=st.dictionaries(_NAMES, _VALUES, max_size=3))
def test_any_body_is_kept_or_refused(client: ApiClient, changes: Members) -> None:
    answer = client.post(SPECIFICATIONS, json=new_specification(**changes))
    assert answer.status_code in (201, 400), answer.text
    if answer.status_code == 201:
        assert client.get(answer.json()["href"]).json() == answer.json()


@_ONE_FIXTURE
@given(
    content=st.dictionaries(_NAMES, _VALUES, max_size=4).map(lambda one: {"@type": "a", **one})
    | st.lists(_OPERATIONS, max_size=4)
    | _VALUES,
    kind=st.sampled_from(["json", "merge-patch+json", "json-patch+json", "json-patch-query+json"]),
)
def test_any_patch_is_kept_or_refused(client: ApiClient, content: Any, kind: str) -> None:
    client.post(SPECIFICATIONS, json=new_specification())
    answer = patch(client, content, kind)
    assert answer.status_code in (200, 400, 409), answer.text
    if answer.status_code == 200:
        assert client.get(f"{SPECIFICATIONS}/bill_dispute").json() == answer.json()
