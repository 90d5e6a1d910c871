"""Schemas of the answers about complaints, for the OpenAPI document. Every member is always present, or null."""

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from complaints.api.complaints.history_schemas import SubjectOut
from complaints.api.openapi.example_files import read_examples
from complaints.api.openapi.models import Id, PersonShown
from complaints.domain.vocabulary import (
    Action,
    Cause,
    Channel,
    ContactOutcome,
    DeadlineStatus,
    LinkType,
    Nature,
    Outcome,
    Priority,
    PriorityReason,
    Severity,
    Status,
)
from complaints.use_cases.commands.field_types import KINDS_OF_DEADLINES

_EXAMPLES = read_examples("complaints.api.complaints")


def _example(example: dict[str, Any]) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [example]})


# A complaint ----------------------------------------------------------------------------------------------


class ServiceShown(BaseModel):
    """The service complained of."""

    type: Annotated[str | None, Field(description="The kind of service, such as `mobile`.")]
    id: Annotated[str | None, Field(description="The name of the service, such as its phone number.")]


class PolicyRef(BaseModel):
    """A version of a policy."""

    code: str
    version: int


PolicyChosenBy = Annotated[
    dict[str, str],
    Field(
        description="The rule that chose its policy: the values of `applies_to` that fit, by member. Empty if the "
        "policy fits every complaint; `replanned_by` with an actor if a user chose it."
    ),
]


class DeadlineShown(BaseModel):
    """One clock of a complaint. `breached` is past due and still unmet; `level` the highest step taken."""

    model_config = _example(_EXAMPLES["deadline"])

    id: Id
    policy: PolicyRef
    kind: Annotated[str, Field(description=KINDS_OF_DEADLINES)]
    cycle: int
    sequence: int
    attempt: int
    status: DeadlineStatus
    started_at: AwareDatetime
    due_at: AwareDatetime
    met_at: AwareDatetime | None
    breached_at: AwareDatetime | None
    paused_seconds: int
    level: Annotated[int, Field(description="The highest level of the steps taken so far; 0: none above it.")]


class LinkShown(BaseModel):
    """A link to another complaint."""

    type: LinkType
    subject: SubjectOut
    complaint_id: Annotated[Id, Field(description="The id of the other complaint.")]
    number: Annotated[str, Field(description="The number of the other complaint.")]


class CompensationShown(BaseModel):
    """Money granted; the amount is exact, as text."""

    amount: str
    currency: str


class ResultShown(BaseModel):
    """Decision and solution; `told_at` is when the complainant was told."""

    resolution: str | None
    outcome: Outcome | None
    outcome_assumed: bool
    cause: Cause | None
    root_cause: str | None
    compensation: CompensationShown | None
    resolved_at: AwareDatetime
    told_at: AwareDatetime | None


class SatisfactionShown(BaseModel):
    """What the last answered contact brought. The scores stay until the next one, also in a new cycle."""

    outcome: Annotated[
        ContactOutcome | None,
        Field(description="How the contact ended. Null in a cycle that has no answered contact yet."),
    ]
    csat: Annotated[int, Field(ge=1, le=5)] | None
    nps: Annotated[int, Field(ge=0, le=10)] | None


class ComplaintShown(BaseModel):
    """A complaint with its clocks, as they stand now. `number` is what people read aloud."""

    model_config = _example(_EXAMPLES["complaint"])

    id: Id
    number: Annotated[str, Field(max_length=20)]
    status: Status
    cycle: Annotated[int, Field(ge=1, description="Counts its rounds: 1, and 1 more at each reopening.")]
    channel: Channel
    subject: str
    description: str | None
    source: str
    external_id: Annotated[str | None, Field(description="Its name in the system `source`.")]
    external_ids: Annotated[dict[str, str], Field(description="Its names in all systems, by system.")]
    received_at: AwareDatetime
    severity: Severity
    category: str | None
    cause: Cause | None
    nature: Nature | None
    priority: Priority
    priority_reasons: Annotated[
        list[PriorityReason],
        Field(description="Given, or from the severity; each other reason raised it by a level."),
    ]
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
    policy_chosen_by: PolicyChosenBy
    overdue: Annotated[bool, Field(description="Whether some deadline is past due and still unmet.")]
    overdue_seconds: Annotated[
        int | None, Field(description="Since the earliest due time that was missed; null if not overdue.")
    ]
    deadlines: list[DeadlineShown]
    allowed_actions: Annotated[list[Action], Field(description="What the caller may do to it now.")]
    links: list[LinkShown]
    result: ResultShown | None
    satisfaction: SatisfactionShown | None


class RelatedShown(BaseModel):
    """An earlier complaint of the same complainant."""

    id: Id
    number: str
    status: Status
    received_at: AwareDatetime


class CreatedComplaintShown(ComplaintShown):
    """A new complaint. `related` has at most 10 earlier complaints of the complainant, latest first."""

    model_config = _example(_EXAMPLES["created_complaint"])

    related: list[RelatedShown]
    acknowledgement: Annotated[
        str, Field(description="The text for the complainant, in the complainant's language if there is one.")
    ]


def _nothing_required(schema: dict[str, Any]) -> None:
    schema.pop("required")
    schema["examples"] = [_EXAMPLES["complaint"]]


class ComplaintPicked(ComplaintShown):
    """A complaint in a list: all members, or those that `fields` names."""

    model_config = ConfigDict(json_schema_extra=_nothing_required)


class ComplaintPage(BaseModel):
    """Part of a list; `next_cursor` asks for what follows, null at its end.

    `count` and `count_is_minimum` are there with `count=true`: at most 10,000 are counted, and then more may fit.
    """

    model_config = _example(_EXAMPLES["complaint_page"])

    items: list[ComplaintPicked]
    next_cursor: str | None
    count: Annotated[int, Field(ge=0, le=10_000)] | None = None
    count_is_minimum: bool | None = None


# Actions -------------------------------------------------------------------------------------------------


class RequirementShown(BaseModel):
    """A member that an action carries; `schema` is the JSON Schema of its values."""

    model_config = ConfigDict(protected_namespaces=())

    name: Annotated[str, Field(description="The name of the member.")]
    required: bool
    values: Annotated[dict[str, Any], Field(alias="schema", description="The JSON Schema of its values.")]


class TransitionShown(BaseModel):
    """An action. `to` is the state it leads to; `to_if_not_solved` where a contact finds it not solved.

    Of `any_of` at least one member must be there.
    """

    model_config = ConfigDict(
        json_schema_extra={"examples": [_EXAMPLES["transition"], _EXAMPLES["refused_transition"]]}
    )

    action: Annotated[Action, Field(description="The action.")]
    allowed: bool
    refused_because: str | None
    requires: list[RequirementShown]
    any_of: list[str]
    to: Annotated[Status | None, Field(description="The status that it leads to; null: it is refused now.")]
    to_if_not_solved: Status | None


class TransitionList(BaseModel):
    """Every action on a complaint, allowed now or not."""

    model_config = _example(_EXAMPLES["transitions"])

    id: Id
    status: Status
    version: int
    items: list[TransitionShown]


# Counts of overdue complaints -----------------------------------------------------------------------------------------


class TeamCount(BaseModel):
    """Complaints of a team."""

    team: str
    count: int


class AssigneeCount(BaseModel):
    """Complaints of an assignee; null: of nobody."""

    assignee: str | None
    count: int


class CategoryCount(BaseModel):
    """Complaints of a category; null: without one."""

    category: str | None
    count: int


class PriorityCount(BaseModel):
    """Complaints of a priority."""

    priority: Priority
    count: int


class KindCount(BaseModel):
    """Complaints with such a deadline of a kind; one with several kinds counts in each."""

    kind: Annotated[str, Field(description=KINDS_OF_DEADLINES)]
    count: int


class AgeCount(BaseModel):
    """Complaints overdue for this long: `from_hours` included, `to_hours` not; null is without end."""

    age: Literal["0-4h", "4-24h", "1-3d", "3-7d", "7d+"]
    from_hours: int
    to_hours: int | None
    count: int


class SoonDueCounts(BaseModel):
    """Complaints counted. Teams, assignees and categories without any are left out; most first."""

    total: int
    by_team: list[TeamCount]
    by_assignee: list[AssigneeCount]
    by_category: list[CategoryCount]
    by_priority: list[PriorityCount]
    by_kind: list[KindCount]


class OverdueCounts(SoonDueCounts):
    """Complaints counted, also by how long they have been overdue."""

    by_age: list[AgeCount]


class DueSummaryShown(BaseModel):
    """What is overdue now, and what is not but will be before `soon_until`."""

    model_config = _example(_EXAMPLES["due_summary"])

    now: AwareDatetime
    soon_until: AwareDatetime
    overdue: Annotated[OverdueCounts, Field(description="The complaints that are overdue now.")]
    soon_due: SoonDueCounts
