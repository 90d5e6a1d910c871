"""A trial of a post foretells the complaint that the post then makes, and saves nothing."""

from typing import Any

import pytest

from complaints.domain.complaint.facts import Complaint
from complaints.domain.errors import InvalidContent
from complaints.use_cases.access import SYSTEM
from complaints.use_cases.commands.complaints import CreateComplaint
from complaints.use_cases.complaints.intake_trial import try_intake
from complaints.use_cases.service import Service
from tests.support import START, Scenario, count_statements

pytestmark = pytest.mark.usefixtures("everything_holds")
PERSON = {"phone": "13800000001"}
PLANNED = (
    "priority", "priority_raised_by", "team", "first_owner", "category", "cause", "policy_code", "policy_version",
    "policy_chosen_by", "received_at",
)  # fmt: skip


def _plan_of(complaint: Complaint) -> dict[str, Any]:
    """The members that intake plans, and the due times of the deadlines by kind."""
    due = {one.kind: (one.status, one.due_at) for one in complaint.deadlines}
    return {name: getattr(complaint, name) for name in PLANNED} | {"due": due}


def _command(**members: Any) -> CreateComplaint:
    return CreateComplaint.model_validate({"channel": "phone", "subject": "No signal", **members})


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"category": "network.outage", "complainant": PERSON},  # a repeat
        {"channel": "regulator", "severity": "critical", "region": "CN-31"},
        {"category": "billing.refund", "complainant": {"vulnerable": True}, "priority": "low"},
        {"received_at": "2026-01-01T00:00:00Z"},  # its response is overdue already
    ],
)
def test_a_trial_tells_what_the_post_then_makes(
    service: Service, scenario: Scenario, members: dict[str, Any]
) -> None:
    """Rules 2.2, 4.14, 5.4 and 5.5."""
    scenario.post(category="network.outage", complainant=PERSON)
    with count_statements(service) as statements:
        tried = service.read(lambda tx: try_intake(service, tx, SYSTEM, _command(**members)))
    assert not [text for text, _ in statements if text.lstrip().upper().startswith(("INSERT", "UPDATE"))]
    assert _plan_of(tried) == _plan_of(scenario.post(**members))


def test_a_post_that_would_be_refused_is_refused_as_a_trial(service: Service) -> None:
    late = _command(received_at=START.replace(year=2027))
    with pytest.raises(InvalidContent, match="lies in the future"):
        service.read(lambda tx: try_intake(service, tx, SYSTEM, late))
