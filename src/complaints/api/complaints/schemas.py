"""Schemas of the answers about complaints, for the OpenAPI document. Every member is always present, or null."""

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from complaints.api.openapi.example_values import COMPLAINT_ID, DEADLINE_ID
from complaints.api.openapi.models import Id, PersonShown
from complaints.domain.vocabulary import (
    Action,
    Cause,
    Channel,
    ContactOutcome,
    DeadlineKind,
    DeadlineStatus,
    LinkType,
    Nature,
    Outcome,
    Priority,
    Severity,
    Status,
)

DEADLINE: dict[str, Any] = {
    "id": DEADLINE_ID,
    "policy": {"code": "telecom-handbook", "version": 1},
    "kind": "resolution",
    "cycle": 1,
    "sequence": 1,
    "attempt": 1,
    "status": "running",
    "started_at": "2026-11-22T01:15:00Z",
    "due_at": "2026-11-24T01:15:00Z",
    "met_at": None,
    "breached_at": None,
    "paused_seconds": 0,
    "level": 0,
}
COMPLAINT: dict[str, Any] = {
    "id": COMPLAINT_ID,
    "number": "C000000427",
    "status": "investigating",
    "cycle": 1,
    "channel": "phone",
    "subject": "No signal since Monday",
    "description": "No bars at home and in the whole street.",
    "source": "cc-north",
    "external_id": "CALL-88123",
    "received_at": "2026-11-22T01:15:00Z",
    "severity": "high",
    "category": "network.outage",
    "cause": "technical",
    "nature": "technical",
    "priority": "high",
    "region": "CN-31",
    "team": "operations",
    "first_owner": "li.wei",
    "assignee": None,
    "tags": ["vip"],
    "attributes": {"cell": "SH-0423"},
    "created_at": "2026-11-22T01:15:02.118204Z",
    "updated_at": "2026-11-22T02:40:11.520931Z",
    "version": 2,
    "next_due_at": "2026-11-24T01:15:00Z",
    "complainant": {
        "name": "王芳",
        "phone": "+8613800000000",
        "email": None,
        "account_no": "A-20417",
        "preferred_contact": "phone",
        "language": "zh-CN",
        "vulnerable": False,
    },
    "reporter": None,
    "service": {"type": "mobile", "id": "M-7741"},
    "policy": {"code": "telecom-handbook", "version": 1},
    "overdue": False,
    "deadlines": [
        {
            **DEADLINE,
            "id": "019b8bc5-1a40-7000-9d3c-6f1f2a0b7e13",
            "kind": "first_response",
            "status": "met",
            "due_at": "2026-11-23T01:15:00Z",
            "met_at": "2026-11-22T02:40:11.520931Z",
        },
        DEADLINE,
    ],
    "allowed_actions": ["assign", "respond", "hold", "resolve", "escalate", "reject", "withdraw", "merge"],
    "links": [],
    "result": None,
    "satisfaction": None,
}
SUMMARY: dict[str, Any] = {
    "now": "2026-11-22T03:00:00Z",
    "soon_until": "2026-11-23T03:00:00Z",
    "overdue": {
        "total": 3,
        "by_team": [{"team": "operations", "count": 2}, {"team": "customer_service", "count": 1}],
        "by_priority": [
            {"priority": "urgent", "count": 1},
            {"priority": "high", "count": 0},
            {"priority": "normal", "count": 2},
            {"priority": "low", "count": 0},
        ],
        "by_kind": [
            {"kind": "first_response", "count": 1},
            {"kind": "resolution", "count": 3},
            {"kind": "follow_up", "count": 0},
            {"kind": "closure", "count": 0},
            {"kind": "promise", "count": 0},
        ],
        "by_age": [
            {"age": "0-4h", "from_hours": 0, "to_hours": 4, "count": 2},
            {"age": "4-24h", "from_hours": 4, "to_hours": 24, "count": 1},
            {"age": "1-3d", "from_hours": 24, "to_hours": 72, "count": 0},
            {"age": "3-7d", "from_hours": 72, "to_hours": 168, "count": 0},
            {"age": "7d+", "from_hours": 168, "to_hours": None, "count": 0},
        ],
    },
    "soon_due": {
        "total": 1,
        "by_team": [{"team": "management", "count": 1}],
        "by_priority": [
            {"priority": "urgent", "count": 0},
            {"priority": "high", "count": 0},
            {"priority": "normal", "count": 1},
            {"priority": "low", "count": 0},
        ],
        "by_kind": [
            {"kind": "first_response", "count": 1},
            {"kind": "resolution", "count": 0},
            {"kind": "follow_up", "count": 0},
            {"kind": "closure", "count": 0},
            {"kind": "promise", "count": 0},
        ],
    },
}
TRANSITION: dict[str, Any] = {
    "action": "respond",
    "allowed": True,
    "refused_because": None,
    "requires": [
        {
            "name": "message",
            "required": True,
            "schema": {"type": "string", "minLength": 1, "maxLength": 10000},
        },
        {
            "name": "contact_channel",
            "required": True,
            "schema": {
                "type": "string",
                "enum": ["phone", "web", "app", "email", "sms", "social", "on_site", "letter"],
            },
        },
    ],
    "any_of": [],
    "to": "investigating",
    "to_if_not_solved": None,
}
REFUSED_TRANSITION: dict[str, Any] = {
    "action": "resume",
    "allowed": False,
    "refused_because": "not possible while the complaint is investigating",
    "requires": [],
    "any_of": [],
    "to": None,
    "to_if_not_solved": None,
}
TRANSITIONS = {
    "id": COMPLAINT_ID,
    "status": "investigating",
    "version": 2,
    "items": [TRANSITION, REFUSED_TRANSITION],
}


def _example(example: dict[str, Any]) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [example]})


# A complaint ----------------------------------------------------------------------------------------------


class ServiceShown(BaseModel):
    """The service complained of."""

    type: str | None
    id: str | None


class PolicyRef(BaseModel):
    """A version of a policy."""

    code: str
    version: int


class DeadlineShown(BaseModel):
    """One clock of a complaint. `breached` is past due and still unmet; `level` the highest step taken."""

    model_config = _example(DEADLINE)

    id: Id
    policy: PolicyRef
    kind: DeadlineKind
    cycle: int
    sequence: int
    attempt: int
    status: DeadlineStatus
    started_at: AwareDatetime
    due_at: AwareDatetime
    met_at: AwareDatetime | None
    breached_at: AwareDatetime | None
    paused_seconds: int
    level: int


class LinkShown(BaseModel):
    """A link to another complaint."""

    type: LinkType
    complaint_id: Id
    number: str


class CompensationShown(BaseModel):
    """Money granted; the amount is exact, as text."""

    amount: str
    currency: str


class ResultShown(BaseModel):
    """Decision and solution; `told_at` is when the complainant was told."""

    resolution: str | None
    outcome: Outcome | None
    cause: Cause | None
    root_cause: str | None
    compensation: CompensationShown | None
    resolved_at: AwareDatetime
    told_at: AwareDatetime | None


class SatisfactionShown(BaseModel):
    """What the last answered contact brought."""

    outcome: ContactOutcome | None
    csat: Annotated[int, Field(ge=1, le=5)] | None
    nps: Annotated[int, Field(ge=0, le=10)] | None


class ComplaintShown(BaseModel):
    """A complaint with its clocks, as they stand now. `number` is what people read aloud."""

    model_config = _example(COMPLAINT)

    id: Id
    number: Annotated[str, Field(max_length=20)]
    status: Status
    cycle: Annotated[int, Field(ge=1, description="Counts its rounds: 1, and 1 more at each reopening.")]
    channel: Channel
    subject: str
    description: str | None
    source: str
    external_id: str | None
    received_at: AwareDatetime
    severity: Severity
    category: str | None
    cause: Cause | None
    nature: Nature | None
    priority: Priority
    region: str | None
    team: str
    first_owner: str
    assignee: str | None
    tags: list[str]
    attributes: dict[str, Any]
    created_at: AwareDatetime
    updated_at: AwareDatetime
    version: Annotated[int, Field(ge=1, description="The number in its ETag.")]
    next_due_at: Annotated[
        AwareDatetime | None, Field(description="The earliest due time of its running or breached deadlines.")
    ]
    complainant: PersonShown | None
    reporter: PersonShown | None
    service: ServiceShown | None
    policy: PolicyRef
    overdue: Annotated[bool, Field(description="Whether some deadline is past due and still unmet.")]
    deadlines: list[DeadlineShown]
    allowed_actions: Annotated[list[Action], Field(description="What the caller may do to it now.")]
    links: list[LinkShown]
    result: ResultShown | None
    satisfaction: SatisfactionShown | None


def _nothing_required(schema: dict[str, Any]) -> None:
    schema.pop("required")
    schema["examples"] = [COMPLAINT]


class ComplaintPicked(ComplaintShown):
    """A complaint in a list: all members, or those that `fields` names."""

    model_config = ConfigDict(json_schema_extra=_nothing_required)


class ComplaintPage(BaseModel):
    """Part of a list; `next_cursor` asks for what follows, null at its end."""

    model_config = _example({"items": [COMPLAINT], "next_cursor": None})

    items: list[ComplaintPicked]
    next_cursor: str | None


# Actions -------------------------------------------------------------------------------------------------


class RequirementShown(BaseModel):
    """A member that an action carries; `schema` is the JSON Schema of its values."""

    model_config = ConfigDict(protected_namespaces=())

    name: str
    required: bool
    values: Annotated[dict[str, Any], Field(alias="schema")]


class TransitionShown(BaseModel):
    """An action. `to` is the state it leads to; `to_if_not_solved` where a contact finds it not solved.

    Of `any_of` at least one member must be there.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [TRANSITION, REFUSED_TRANSITION]})

    action: Action
    allowed: bool
    refused_because: str | None
    requires: list[RequirementShown]
    any_of: list[str]
    to: Status | None
    to_if_not_solved: Status | None


class TransitionList(BaseModel):
    """Every action on a complaint, allowed now or not."""

    model_config = _example(TRANSITIONS)

    id: Id
    status: Status
    version: int
    items: list[TransitionShown]


# Counts of overdue complaints -----------------------------------------------------------------------------------------


class TeamCount(BaseModel):
    """Complaints of a team."""

    team: str
    count: int


class PriorityCount(BaseModel):
    """Complaints of a priority."""

    priority: Priority
    count: int


class KindCount(BaseModel):
    """Complaints with such a deadline of a kind; one with several kinds counts in each."""

    kind: DeadlineKind
    count: int


class AgeCount(BaseModel):
    """Complaints overdue for this long: `from_hours` included, `to_hours` not; null is without end."""

    age: Literal["0-4h", "4-24h", "1-3d", "3-7d", "7d+"]
    from_hours: int
    to_hours: int | None
    count: int


class SoonDueCounts(BaseModel):
    """Complaints counted. Teams without any are left out; most first."""

    total: int
    by_team: list[TeamCount]
    by_priority: list[PriorityCount]
    by_kind: list[KindCount]


class OverdueCounts(SoonDueCounts):
    """Complaints counted, also by how long they have been overdue."""

    by_age: list[AgeCount]


class DueSummaryShown(BaseModel):
    """What is overdue now, and what is not but will be before `soon_until`."""

    model_config = _example(SUMMARY)

    now: AwareDatetime
    soon_until: AwareDatetime
    overdue: OverdueCounts
    soon_due: SoonDueCounts
