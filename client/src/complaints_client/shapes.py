"""The types of the answers. They are plain dictionaries; instants are texts as the server sends them, in UTC with `Z`.

A list with `fields` has fewer members. A newer server may send further members: leave out the ones you do not know.
"""

from typing import Any, Literal, NotRequired, TypedDict

Status = Literal[
    "received",
    "investigating",
    "on_hold",
    "resolved",
    "following_up",
    "closed",
    "rejected",
    "withdrawn",
    "merged",
]
Priority = Literal["urgent", "high", "normal", "low"]
Severity = Literal["critical", "high", "normal", "low"]
DeadlineStatus = Literal["running", "paused", "met", "breached", "met_late", "cancelled"]


class Subject(TypedDict):
    """A complaint, or another thing with a history: its kind, its id and its number."""

    kind: str
    id: str
    number: str


class PolicyVersion(TypedDict):
    """A version of a policy."""

    code: str
    version: int


class Person(TypedDict):
    """A person. Keys without the right to see persons get masks, such as `138****0000`."""

    name: str | None
    phone: str | None
    email: str | None
    account_no: str | None
    preferred_contact: str | None
    language: str | None
    vulnerable: bool


class ServiceObject(TypedDict):
    """The service that the complaint is about."""

    type: str | None
    id: str | None


class Deadline(TypedDict):
    """A deadline of a complaint. `breached`: past its due time and not met; `level`: of its highest step."""

    id: str
    policy: PolicyVersion
    kind: str
    cycle: int
    sequence: int
    attempt: int
    status: DeadlineStatus
    started_at: str
    due_at: str
    met_at: str | None
    breached_at: str | None
    paused_seconds: int
    level: int


class Link(TypedDict):
    """A link to another complaint."""

    type: str
    subject: Subject
    complaint_id: str
    number: str


class Compensation(TypedDict):
    """Money that the result grants; the amount is exact, as text."""

    amount: str
    currency: str


class Result(TypedDict):
    """The decision and the solution; `told_at`: when the complainant was told."""

    resolution: str | None
    outcome: str | None
    outcome_assumed: bool
    cause: str | None
    root_cause: str | None
    compensation: Compensation | None
    resolved_at: str
    told_at: str | None


class Satisfaction(TypedDict):
    """The answers of the last follow-up contact."""

    outcome: str | None
    csat: int | None
    nps: int | None


class Complaint(TypedDict):
    """A complaint with its deadlines. `version` counts its changes and is the value for `if_match`."""

    id: str
    number: str
    status: Status
    cycle: int
    channel: str
    subject: str
    description: str | None
    source: str
    external_id: str | None
    external_ids: dict[str, str]
    received_at: str
    severity: Severity
    category: str | None
    cause: str | None
    nature: str | None
    priority: Priority
    priority_reasons: list[str]
    region: str | None
    team: str
    first_owner: str
    assignee: str | None
    tags: list[str]
    attributes: dict[str, Any]
    created_at: str
    updated_at: str
    version: int
    next_due_at: str | None
    complainant: Person | None
    reporter: Person | None
    service: ServiceObject | None
    policy: PolicyVersion
    policy_chosen_by: dict[str, str]
    overdue: bool
    overdue_seconds: int | None
    deadlines: list[Deadline]
    allowed_actions: list[str]
    links: list[Link]
    result: Result | None
    satisfaction: Satisfaction | None


class RelatedComplaint(TypedDict):
    """An earlier complaint of the same complainant."""

    id: str
    number: str
    status: Status
    received_at: str


class CreatedComplaint(Complaint):
    """The answer to a post. A new complaint has both further members; a contact or a retry has none of them."""

    related: NotRequired[list[RelatedComplaint]]
    acknowledgement: NotRequired[str]


class Event(TypedDict):
    """An event in the timeline of a complaint. `version`: of the complaint after the event."""

    id: str
    sequence: int
    type: str
    complaint_id: str
    version: int
    at: str
    actor: str
    data: dict[str, Any]


class FeedEvent(TypedDict):
    """An event of the feed, with `***` in `data` for each text. `status`: the new one, if the event changed it.

    `complaint_id`, `source` and `external_id` are None for a subject that is no complaint.
    """

    id: str
    sequence: int
    type: str
    complaint_id: str | None
    version: int
    at: str
    actor: str
    data: dict[str, Any]
    subject: Subject
    number: str
    source: str | None
    external_id: str | None
    status: str | None


# `in` is a word of Python.
ProblemError = TypedDict(
    "ProblemError",
    {
        "pointer": str,
        "in": NotRequired[Literal["query", "header", "cookie"]],
        "parameter": NotRequired[str],
        "message": str,
    },
)


class Problem(TypedDict):
    """The answer to a refused request (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    errors: NotRequired[list[ProblemError]]
    allowed: NotRequired[list[str]]
    request_id: NotRequired[str]
