"""Plain members: each place that names one agrees with the others, and its value goes all the way."""

from dataclasses import fields
from typing import Any

import pytest

from complaints.api.complaints.schemas import ComplaintShown
from complaints.api.openapi.example_files import read_examples
from complaints.domain.complaint.facts import PlainMembers
from complaints.domain.complaint.members import GROUPS, PLAIN_MEMBERS, PLAIN_NAMES, PlainKind, PlainMember
from complaints.domain.importing.options import find_member
from complaints.use_cases.commands.complaints import CreateComplaint, PatchComplaint
from complaints.use_cases.complaints.filters import ComplaintFilter
from tests.api_client import ApiClient

COMPLAINT = read_examples("complaints.api.complaints")["complaint"]
LEAST = {"channel": "web", "subject": "Something else"}

of_each_member = pytest.mark.parametrize("member", PLAIN_MEMBERS, ids=lambda member: str(member.path))


def _body(member: PlainMember) -> dict[str, Any]:
    """The member with the value of the example, as a request body has it."""
    top = member.group or member.name
    return {top: {member.key: COMPLAINT[top][member.key]} if member.group else COMPLAINT[top]}


def _values(shown: dict[str, Any], member: PlainMember) -> Any:
    return shown[member.group][member.key] if member.group else shown[member.name]


def test_the_table_has_every_plain_member_once() -> None:
    assert sorted(PLAIN_NAMES) == sorted(field.name for field in fields(PlainMembers))


@of_each_member
def test_every_kind_fits_the_type_of_the_fact(member: PlainMember) -> None:
    assert (member.choices is not None) == (member.kind is PlainKind.CHOICE)


@of_each_member
def test_request_answer_and_import_know_the_member(member: PlainMember) -> None:
    for model in (CreateComplaint, ComplaintShown):
        assert (member.group or member.name) in model.model_fields
    assert find_member(member.path) is not None
    for group, names in GROUPS.items():
        assert names.keys() == COMPLAINT[group].keys()


@of_each_member
def test_a_posted_value_is_shown_recorded_and_found(client: ApiClient, member: PlainMember) -> None:
    sent = _body(member)
    client.post("/v1/complaints", json=LEAST)
    posted = client.post("/v1/complaints", json=LEAST | sent).json()
    value = _values(posted, member)
    assert value == _values(sent, member)
    assert client.get(f"/v1/complaints/{posted['id']}").json().items() <= posted.items()

    [created, *_] = client.get(f"/v1/complaints/{posted['id']}/timeline").json()["items"]
    assert created["data"]["changes"][member.name] == value
    asked = [{member.name: value}] if member.name in ComplaintFilter.model_fields else []
    asked += [{"q": value}] if member.searched else []
    for query in asked:
        found = client.get("/v1/complaints", params=query).json()["items"]
        assert [one["id"] for one in found] == [posted["id"]]


CHANGEABLE = [name for name in PLAIN_NAMES if name in PatchComplaint.model_fields]


def test_a_value_may_change_if_the_body_of_a_change_has_it(
    client: ApiClient, subtests: pytest.Subtests
) -> None:
    for name in CHANGEABLE:
        with subtests.test(name):
            posted = client.post("/v1/complaints", json=LEAST).json()
            changed = client.patch(f"/v1/complaints/{posted['id']}", json={name: COMPLAINT[name]}).json()
            assert changed[name] == COMPLAINT[name] != posted[name]

            [*_, event] = client.get(f"/v1/complaints/{posted['id']}/timeline").json()["items"]
            assert event["data"]["changes"][name] == COMPLAINT[name]
