"""Query parameters, bodies and answers of the routes about deadlines and of the test clock."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field, WithJsonSchema

from complaints.api.complaints.history_schemas import SubjectOut
from complaints.api.complaints.schemas import PolicyRef
from complaints.api.openapi.calendar_schemas import calendar_schema
from complaints.api.openapi.example_files import read_examples
from complaints.api.openapi.models import AnswerModel, PersonShown, example, example_in_list
from complaints.api.pages import PageQuery
from complaints.api.query_types import Day, FilterText, Flag, Reference
from complaints.domain.time.preview import DURATION, DURATION_LENGTH
from complaints.domain.vocabulary import (
    Action,
    Channel,
    Priority,
    RecipientRole,
    Status,
)
from complaints.use_cases.commands.field_types import KINDS_OF_DEADLINES, WHOLE, Code, Content, Instant

_EXAMPLES = read_examples("complaints.api.deadlines")

_RECIPIENT = (
    "Login of a user who was notified. `me`: the user of the key, and absent users for whom that user stands in. "
    "`none`: nobody was notified, because nobody holds the roles."
)

_NOTIFIED = (
    f"Recipient roles ({', '.join(RecipientRole)}), and named recipients such as `user:zhang.wei` and "
    "`team:quality_office`."
)

# Query parameters ----------------------------------------------------------------------------------------


class EscalationQuery(PageQuery):
    """Which escalations."""

    complaint: Annotated[Reference | None, Field(description="Id or number of the complaint.")] = None
    kind: Annotated[
        FilterText | None, Field(description=f"The kind of its deadline. {KINDS_OF_DEADLINES}")
    ] = None
    acknowledged: Flag | None = None
    superseded: Flag | None = None
    settled: Annotated[
        Flag | None,
        Field(description="True if its deadline need not be met any more, or its complaint has ended."),
    ] = None
    level_min: Annotated[int, Field(ge=0, le=100)] | None = None
    team: FilterText | None = None
    recipient: Annotated[FilterText | None, Field(description=_RECIPIENT)] = None


class InboxQuery(PageQuery):
    """Whose inbox."""

    recipient: Annotated[FilterText | None, Field(description=_RECIPIENT)] = None
    team: Annotated[FilterText | None, Field(description="The team of the complaint now.")] = None
    level_min: Annotated[int, Field(ge=0, le=100)] | None = None


class FollowUpQuery(PageQuery):
    """Which contacts. `due_to` is excluded."""

    due_from: Instant | None = None
    due_to: Instant | None = None
    day: Annotated[
        Day | None,
        Field(description="The local day, in the zone of the policy.", examples=["2026-02-05"]),
    ] = None
    owner: Annotated[
        FilterText | None,
        Field(description="Login of the assignee; if there is none, of the first owner. Or `me`."),
    ] = None
    team: FilterText | None = None
    overdue: Flag | None = None


# Bodies --------------------------------------------------------------------------------------------------

_PauseBounds = Annotated[
    tuple[Instant, Instant | None], Field(description="Start and end; null: no end yet.")
]
Duration = Annotated[
    str,
    Field(
        description="ISO 8601 duration.",
        json_schema_extra={"pattern": f"^{DURATION}$", "maxLength": DURATION_LENGTH},
    ),
]
Calendar = Annotated[dict[str, Any], WithJsonSchema(calendar_schema(_EXAMPLES["calendar"]))]


_PreviewTarget = Annotated[
    str,
    Field(
        min_length=1,
        max_length=DURATION_LENGTH,
        description="An ISO 8601 duration, or a target as policies write it.",
        examples=["PT4H", "2 working days"],
    ),
]


class PreviewDeadline(Content):
    """What to compute: a target by a calendar, or a kind of deadline by a policy. Nothing is stored.

    Without `policy`, the members of a complaint choose it: region, source, channel and category.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                _EXAMPLES["preview_due_time"],
                _EXAMPLES["preview_policy"],
                _EXAMPLES["preview_chosen"],
            ],
        }
    )

    start: Instant
    pauses: tuple[_PauseBounds, ...] | None = None
    target: _PreviewTarget | None = None
    calendar: Annotated[
        Calendar | None, Field(description="Of `target`; without it every second counts.")
    ] = None
    policy: Annotated[
        Code | None,
        Field(description="Its version in force at `start` counts.", examples=["telecom-handbook"]),
    ] = None
    kind: Annotated[Code | None, Field(description=KINDS_OF_DEADLINES)] = None
    priority: Annotated[Priority | None, Field(description="With a policy; `normal` if absent.")] = None
    category: Annotated[Code | None, Field(description="With a kind. It also chooses the policy.")] = None
    region: Annotated[Code | None, Field(description="With a kind. It chooses the policy.")] = None
    source: Annotated[Code | None, Field(description="With a kind. It chooses the policy.")] = None
    channel: Annotated[Channel | None, Field(description="With a kind. It chooses the policy.")] = None
    sequence: (
        Annotated[
            int,
            Field(ge=1, le=12, description="With a policy: the number of the follow-up; 1 if absent."),
            WHOLE,
        ]
        | None
    ) = None


class PreviewElapsed(Content):
    """A stretch of time to be measured; nothing is stored."""

    model_config = example(_EXAMPLES["measure_elapsed"])

    calendar: Calendar | None = None
    start: Instant
    end: Instant
    pauses: tuple[_PauseBounds, ...] | None = None


class SetClock(Content):
    """The new time of the test clock."""

    now: Instant


class AdvanceClock(Content):
    """The duration by which the test clock moves."""

    by: Annotated[Duration, Field(examples=["PT25H", "P1M"])]


# Answers -------------------------------------------------------------------------------------------------


class EscalationOut(AnswerModel):
    """A step that was taken, or an escalation that a user asked for (`deadline_id` null, `step` "manual")."""

    model_config = example(_EXAMPLES["escalation"])

    id: UUID
    subject: SubjectOut
    complaint_id: Annotated[UUID | None, Field(description="Null: of another subject.")]
    number: Annotated[str, Field(max_length=20)]
    deadline_id: UUID | None
    kind: Annotated[
        str | None,
        Field(description=f"The kind of its deadline; null: a user asked for it. {KINDS_OF_DEADLINES}"),
    ]
    step: Annotated[str, Field(examples=["100%"])]
    level: Annotated[int, Field(examples=[1])]
    roles: Annotated[list[str], Field(description=_NOTIFIED, examples=[["team_lead"]])]
    recipients: Annotated[list[str], Field(examples=[["li.wei"]])]
    planned_at: datetime
    taken_at: datetime
    superseded: bool
    reason: Annotated[str | None, Field(description="Why a user asked for it; null: a step of a ladder.")]
    acknowledged_at: datetime | None
    acknowledged_by: Annotated[str | None, Field(examples=["user:li.wei"])]
    acknowledged_note: str | None
    settled_at: Annotated[
        datetime | None,
        Field(description="Since then nobody has to act: the deadline was met, or the complaint has ended."),
    ]


class EscalationPicked(EscalationOut):
    """An escalation in a list: all members, or those that `fields` names."""

    model_config = example_in_list(_EXAMPLES["escalation"])


class EscalationPage(AnswerModel):
    """Escalations, latest first."""

    model_config = example(_EXAMPLES["escalation_page"])

    items: list[EscalationPicked]
    next_cursor: str | None


class InboxItem(AnswerModel):
    """What waits for somebody, with its worst escalation that is neither acknowledged nor settled.

    It is a complaint, or another subject: then `complaint_id`, `subject`, `priority` and `next_due_at` are null.
    """

    model_config = example(_EXAMPLES["inbox_item"])

    complaint_id: UUID | None
    number: Annotated[str, Field(max_length=20)]
    subject: str | None
    status: Status | str
    priority: Priority | None
    team: Annotated[str, Field(examples=["operations"])]
    assignee: str | None
    first_owner: Annotated[str, Field(examples=["li.wei"])]
    next_due_at: datetime | None
    waiting: Annotated[int, Field(description="Its escalations that wait and fit.", examples=[2])]
    due_at: Annotated[
        datetime | None,
        Field(description="Of the deadline of `worst`; null if a user asked for the escalation."),
    ]
    worst: EscalationOut


class InboxItemPicked(InboxItem):
    """A complaint in an inbox: all members, or those that `fields` names."""

    model_config = example_in_list(_EXAMPLES["inbox_item"])


class InboxPage(AnswerModel):
    """Complaints that wait for somebody, worst first."""

    model_config = example(_EXAMPLES["inbox_page"])

    items: list[InboxItemPicked]
    next_cursor: str | None


class SegmentOut(AnswerModel):
    """A stretch of time; `to` is null for a pause without an end."""

    from_: Annotated[datetime, Field(alias="from", description="Its begin.")]
    to: Annotated[datetime | None, Field(description="Its end; null: no end yet.")]
    counted: bool
    reason: Annotated[str, Field(description="Why its time counts or not.", examples=["open"])]


class StepOut(AnswerModel):
    """A step of the ladder; `taken_at` is null while it is planned."""

    step: Annotated[str, Field(examples=["80%"])]
    level: int
    notify: Annotated[list[str], Field(description=_NOTIFIED)]
    planned_at: datetime
    taken_at: datetime | None
    superseded: bool
    repeat: Annotated[
        str | None,
        Field(description="A planned step that is taken again after each such time.", examples=["24h"]),
    ]


class ExplanationOut(AnswerModel):
    """The arithmetic of a due time, and the steps of its ladder, planned and taken."""

    model_config = example(_EXAMPLES["explanation"])

    due_at: datetime
    segments: list[SegmentOut]
    steps: list[StepOut]
    policy: PolicyRef
    policy_chosen_by: Annotated[
        dict[str, str] | None,
        Field(description="As in the complaint; null if the policy is not its own any more."),
    ]
    other_policy: Annotated[
        PolicyRef | None,
        Field(description="The policy that the members of the complaint choose now; null if it is its own."),
    ]


class FollowUpOut(AnswerModel):
    """A contact to be made. `day` is the local date of `due_at` in the zone of the policy."""

    model_config = example(_EXAMPLES["follow_up"])

    deadline_id: UUID
    complaint_id: UUID
    number: Annotated[str, Field(max_length=20)]
    subject: str
    priority: Priority
    sequence: int
    attempt: int
    due_at: datetime
    day: date
    overdue: bool
    owner: Annotated[str, Field(examples=["li.wei"])]
    team: Annotated[str, Field(examples=["operations"])]
    complainant: PersonShown | None


class FollowUpPicked(FollowUpOut):
    """A contact in a list: all members, or those that `fields` names."""

    model_config = example_in_list(_EXAMPLES["follow_up"])


class FollowUpPage(AnswerModel):
    """Contacts to be made, earliest due first."""

    model_config = example(_EXAMPLES["follow_up_page"])

    items: list[FollowUpPicked]
    next_cursor: str | None


class MoveOut(AnswerModel):
    """The status that an action leads to."""

    action: Annotated[Action, Field(description="The action.")]
    from_: Annotated[Status, Field(alias="from", description="The status before it.")]
    to: Annotated[Status, Field(description="The status after it.")]


class LifecycleOut(AnswerModel):
    """The lifecycle's table, and its diagram."""

    model_config = example(_EXAMPLES["lifecycle"])

    states: list[Status]
    transitions: list[MoveOut]
    mermaid: str


class PreviewOut(AnswerModel):
    """The due time. It is null, with status `paused`, if a pause without an end holds it.

    With a policy, its version and the steps of the ladder come too, up to the first repetition.
    """

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [_EXAMPLES["due_time"], _EXAMPLES["policy_due_time"]]}
    )

    due_at: datetime | None
    status: Annotated[
        Literal["running", "paused"], Field(description="`paused` if a pause without an end holds it.")
    ]
    segments: list[SegmentOut]
    policy: PolicyRef | None = None
    policy_chosen_by: Annotated[
        dict[str, str] | None,
        Field(description="The rule by which the members chose the policy; null if the call named one."),
    ] = None
    steps: list[StepOut] = Field(default=[])


class ElapsedOut(AnswerModel):
    """Open, unpaused time; 0 if the end is not after the start."""

    model_config = example(_EXAMPLES["elapsed"])

    elapsed_seconds: Annotated[float, Field(ge=0, examples=[14400])]


class ClockOut(AnswerModel):
    """The time of the test clock."""

    model_config = example(_EXAMPLES["clock"])

    now: datetime


class MovedOut(AnswerModel):
    """The time of the test clock, and the number of things that happened on the way: steps of level 1 and more,
    holds that ended, steps of level 0.
    """

    model_config = example(_EXAMPLES["moved_clock"])

    now: datetime
    escalations: int
    resumed: int
    reminders: int
