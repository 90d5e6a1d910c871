"""Examples of the requests and answers about deadlines, for the OpenAPI document."""

from typing import Any

from complaints.api.openapi.example_values import COMPLAINT_ID, DEADLINE_ID, NUMBER

REPLAN = {"policy": {"code": "telecom-handbook", "version": 2}}
ACKNOWLEDGE = {"note": "I call them today."}
SET_CLOCK = {"now": "2026-11-23T09:00:00Z"}
ADVANCE_CLOCK = {"by": "PT25H"}

ESCALATION: dict[str, Any] = {
    "id": "019b8bc5-1a40-7000-9d3c-6f1f2a0b7e21",
    "complaint_id": COMPLAINT_ID,
    "number": NUMBER,
    "deadline_id": DEADLINE_ID,
    "kind": "resolution",
    "step": "100%",
    "level": 1,
    "roles": ["team_lead"],
    "recipients": ["li.wei"],
    "planned_at": "2026-11-24T01:15:00Z",
    "taken_at": "2026-11-24T01:15:00.000001Z",
    "superseded": False,
    "reason": None,
    "acknowledged_at": "2026-11-24T01:20:41Z",
    "acknowledged_by": "user:li.wei",
    "acknowledged_note": "I call them today.",
}
FOLLOW_UP: dict[str, Any] = {
    "deadline_id": "019b8bc5-1a40-7000-9d3c-6f1f2a0b7e51",
    "complaint_id": COMPLAINT_ID,
    "number": NUMBER,
    "subject": "No signal since Monday",
    "priority": "high",
    "sequence": 1,
    "attempt": 1,
    "due_at": "2026-12-24T03:00:00Z",
    "day": "2026-12-24",
    "overdue": False,
    "owner": "li.wei",
    "team": "operations",
    "complainant": {
        "name": "王芳",
        "phone": "+8613800000000",
        "email": None,
        "account_no": "A-20417",
        "preferred_contact": "phone",
        "language": "zh-CN",
        "vulnerable": False,
    },
}
_SEGMENTS = [
    {"from": "2026-11-22T09:00:00Z", "to": "2026-11-23T08:00:00Z", "counted": False, "reason": "closed"},
    {"from": "2026-11-23T08:00:00Z", "to": "2026-11-23T12:00:00Z", "counted": True, "reason": "open"},
]
EXPLANATION: dict[str, Any] = {
    "due_at": "2026-11-24T01:15:00Z",
    "segments": [
        {"from": "2026-11-22T01:15:00Z", "to": "2026-11-24T01:15:00Z", "counted": True, "reason": "elapsed"}
    ],
    "steps": [
        {
            "step": "50%",
            "level": 0,
            "notify": ["assignee"],
            "planned_at": "2026-11-23T01:15:00Z",
            "taken_at": "2026-11-23T01:15:00Z",
            "superseded": False,
        },
        {
            "step": "80%",
            "level": 0,
            "notify": ["assignee", "team_lead"],
            "planned_at": "2026-11-23T15:39:00Z",
            "taken_at": None,
            "superseded": False,
        },
    ],
}
LIFECYCLE: dict[str, Any] = {
    "states": ["received", "investigating"],
    "transitions": [{"action": "respond", "from": "received", "to": "investigating"}],
    "mermaid": "stateDiagram-v2\n    [*] --> received\n    received --> investigating: respond\n",
}
CALENDAR: dict[str, Any] = {
    "timezone": "Europe/Berlin",
    "hours": {"mon": [["09:00", "18:00"]], "tue": [["09:00", "12:00"], ["13:00", "24:00"]]},
    "holidays": ["2026-12-25"],
    "overrides": {"2026-12-24": [["09:00", "12:00"]]},
}
PREVIEW: dict[str, Any] = {
    "calendar": CALENDAR,
    "start": "2026-11-22T09:00:00Z",
    "target": "PT4H",
    "pauses": [["2026-11-22T10:00:00Z", "2026-11-22T11:00:00Z"]],
}
PREVIEWED: dict[str, Any] = {"due_at": "2026-11-23T12:00:00Z", "status": "running", "segments": _SEGMENTS}
ELAPSED: dict[str, Any] = {
    "calendar": CALENDAR,
    "start": "2026-11-23T08:00:00Z",
    "end": "2026-11-23T12:00:00Z",
    "pauses": [],
}
MEASURED: dict[str, Any] = {"elapsed_seconds": 14400}
CLOCK: dict[str, Any] = {"now": "2026-11-23T09:00:00Z"}
MOVED: dict[str, Any] = {"now": "2026-11-24T10:00:00Z", "escalations": 1, "resumed": 0, "reminders": 3}
