"""Examples of request bodies about complaints, for the OpenAPI document. The API accepts each of them."""

from typing import Any

from complaints.api.openapi.example_values import COMPLAINT_ID, CURSOR, NUMBER

Examples = dict[str, dict[str, Any]]


def _named(**examples: Any) -> Examples:
    return {name: {"summary": summary, "value": value} for name, (summary, value) in examples.items()}


CREATE = _named(
    least=("The required members", {"channel": "phone", "subject": "No signal since Monday"}),
    full=(
        "All members",
        {
            "channel": "phone",
            "subject": "No signal since Monday",
            "description": "No bars at home and in the whole street.",
            "source": "cc-north",
            "external_id": "CALL-88123",
            "received_at": "2026-01-05T00:15:00Z",
            "severity": "high",
            "category": "network.outage",
            "priority": None,
            "region": "CN-31",
            "complainant": {
                "name": "王芳",
                "phone": "+8613800000000",
                "email": "wang.fang@example.com",
                "account_no": "A-20417",
                "preferred_contact": "phone",
                "language": "zh-CN",
                "vulnerable": False,
            },
            "reporter": {"name": "王明", "phone": "13900000000"},
            "service": {"type": "mobile", "id": "M-7741"},
            "first_owner": "admin",
            "tags": ["vip"],
            "attributes": {"cell": "SH-0423"},
        },
    ),
    chinese=("In Chinese", {"channel": "app", "subject": "家里宽带断网两天了", "category": "network.outage"}),
)
PATCH = _named(
    priority=("Raise the priority; running deadlines follow", {"priority": "urgent"}),
    complainant=("Add what is now known of the complainant", {"complainant": {"account_no": "A-20417"}}),
)
_SAID = {"message": "A technician will look at the cell today.", "contact_channel": "phone"}
TRANSITION = _named(
    assign=(
        "Give it to a team and a person",
        {"action": "assign", "team": "operations", "assignee": "admin"},
    ),
    respond=("The first human contact", {"action": "respond", **_SAID}),
    hold=(
        "Wait for the complainant",
        {"action": "hold", "reason": "awaiting_complainant", "until": "2026-01-07T01:00:00Z"},
    ),
    resume=("Go on", {"action": "resume"}),
    resolve=(
        "Decide and solve",
        {
            "action": "resolve",
            "resolution": "The cell was repaired; one month's fee is refunded.",
            "outcome": "upheld",
            "cause": "technical",
            "root_cause": "Damaged fibre",
            "compensation": {"amount": "50.00", "currency": "CNY"},
        },
    ),
    notify_result=(
        "Feed the result back",
        {"action": "notify_result", "message": "It works again.", "contact_channel": "sms"},
    ),
    record_contact=("A follow-up contact", {"action": "record_contact", "outcome": "solved", "csat": 5}),
    reopen=("Take it up again", {"action": "reopen", "reason": "The signal is gone again."}),
    close=("End it", {"action": "close", "root_cause": "Damaged fibre"}),
    escalate=(
        "Call on the team's lead",
        {"action": "escalate", "reason": "The complainant asks for it.", "role": "team_lead"},
    ),
    reject=("Refuse it", {"action": "reject", "reason": "not_our_service", **_SAID}),
    withdraw=("The complainant takes it back", {"action": "withdraw", "reason": "It works again."}),
    merge=("The same matter as another complaint", {"action": "merge", "into": "C000000427"}),
)


LINK = {"type": "related", "complaint_id": NUMBER}


NOTE = {"text": "Called the field team; they are on site.", "visibility": "internal"}


MAKE_PROMISE = {"text": "A technician comes on Friday.", "due_at": "2026-11-27T10:00:00Z"}


EVENT: dict[str, Any] = {
    "id": "019b8bc5-1a40-7000-9d3c-6f1f2a0b7e31",
    "sequence": 1042,
    "type": "complaint.note_added",
    "complaint_id": COMPLAINT_ID,
    "version": 2,
    "at": "2026-11-22T02:41:00Z",
    "actor": "user:li.wei",
    "data": NOTE,
}


PROMISE: dict[str, Any] = {
    "id": "019b8bc5-1a40-7000-9d3c-6f1f2a0b7e41",
    **MAKE_PROMISE,
    "made_by": "user:li.wei",
    "status": "running",
    "met_at": None,
}


NEWS: dict[str, Any] = {"items": [EVENT], "next_cursor": CURSOR}
