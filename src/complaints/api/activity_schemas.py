"""What may be asked of, and what is answered by, the routes beside the complaint itself."""

import re
from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from complaints.api import activity_examples as examples
from complaints.api.calendar_schemas import calendar_schema
from complaints.api.complaint_schemas import PersonShown
from complaints.api.pages import PageQuery
from complaints.domain.complaint.numbers import sequence_of
from complaints.domain.time.preview import DURATION, DURATION_LENGTH
from complaints.domain.vocabulary import (
    Action,
    DeadlineKind,
    DeadlineStatus,
    EventType,
    LinkType,
    Priority,
    RecipientRole,
    Status,
)
from complaints.handling.values import Content, Instant


def example(shown: dict[str, Any]) -> ConfigDict:
    """A model without other members, with an example."""
    return ConfigDict(extra="forbid", json_schema_extra={"examples": [shown]})


_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

# Query parameters ----------------------------------------------------------------------------------------


def _plain_text(text: str) -> str:
    if "\0" in text:
        raise ValueError("must have no NUL character")
    return text


def _reference(text: str) -> UUID | int:
    sequence = sequence_of(text)
    try:
        return UUID(text) if sequence is None else sequence
    except ValueError:
        raise ValueError("must be the id or the number of a complaint") from None


def _flag(value: object) -> object:
    if value not in (True, False, "true", "false"):
        raise ValueError("must be true or false")
    return value


def _day(value: object) -> date:
    """Strictly: the validation library takes seconds since 1970 for a date too."""
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise ValueError("must be a date, as YYYY-MM-DD")
    try:
        day = date.fromisoformat(value)
    except ValueError:
        raise ValueError("names a day that does not exist") from None
    if not 1900 <= day.year < 3000:
        raise ValueError("must lie between the years 1900 and 2999")
    return day


FilterText = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_plain_text)]
Flag = Annotated[bool, BeforeValidator(_flag), WithJsonSchema({"type": "boolean"})]
Reference = Annotated[
    Any, BeforeValidator(_reference), WithJsonSchema({"type": "string", "examples": ["C000000427"]})
]


class EscalationQuery(PageQuery):
    """Which escalations."""

    complaint: Annotated[Reference | None, Field(description="Id or number of the complaint.")] = None
    kind: Annotated[DeadlineKind | None, Field(description="The kind of its deadline.")] = None
    acknowledged: Flag | None = None
    superseded: Flag | None = None
    level_min: Annotated[int, Field(ge=0, le=100)] | None = None
    team: FilterText | None = None
    recipient: Annotated[FilterText | None, Field(description="Login of one who heard of it.")] = None


class FollowUpQuery(PageQuery):
    """Which contacts. `due_to` is excluded."""

    due_from: Instant | None = None
    due_to: Instant | None = None
    day: Annotated[
        Annotated[date, BeforeValidator(_day)] | None,
        Field(description="The local day, in the zone of the policy.", examples=["2026-02-05"]),
    ] = None
    owner: Annotated[FilterText | None, Field(description="The assignee; without one, the first owner.")] = (
        None
    )
    team: FilterText | None = None
    overdue: Flag | None = None


class TimelineQuery(PageQuery):
    """Which part of a history."""


class ChangesQuery(BaseModel):
    """Where to go on in the feed."""

    model_config = ConfigDict(extra="forbid")

    after: Annotated[
        str, Field(description="`next_cursor` of the answer before; empty or absent: from the beginning.")
    ] = ""
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    fields: Annotated[str | None, Field(description="The members to show, with commas between.")] = None


class LinkQuery(BaseModel):
    """Which link: its type, and the id or number of the other complaint."""

    model_config = ConfigDict(extra="forbid")

    type: LinkType
    complaint_id: FilterText


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
Calendar = Annotated[dict[str, Any], WithJsonSchema(calendar_schema(examples.CALENDAR))]


class PreviewDeadline(Content):
    """A target to be computed; nothing is stored."""

    model_config = example(examples.PREVIEW)

    calendar: Calendar | None = None
    start: Instant
    target: Annotated[Duration, Field(examples=["PT4H"])]
    pauses: tuple[_PauseBounds, ...] | None = None


class PreviewElapsed(Content):
    """A stretch of time to be measured; nothing is stored."""

    model_config = example(examples.ELAPSED)

    calendar: Calendar | None = None
    start: Instant
    end: Instant
    pauses: tuple[_PauseBounds, ...] | None = None


class SetClock(Content):
    """Where the test clock is to stand."""

    now: Instant


class AdvanceClock(Content):
    """How far the test clock is to go."""

    by: Annotated[Duration, Field(examples=["PT25H", "P1M"])]


# Answers -------------------------------------------------------------------------------------------------


class _Shown(BaseModel):
    model_config = ConfigDict(extra="forbid")


def _in_list(shown: dict[str, Any]) -> ConfigDict:
    """What a list shows of its items: all members, or those that `fields` names."""

    def adapt(schema: dict[str, Any]) -> None:
        schema.pop("required")
        schema["examples"] = [shown]

    return ConfigDict(json_schema_extra=adapt)


class EscalationOut(_Shown):
    """A step taken, or an escalation a person asked for (`deadline_id` null, `step` "manual")."""

    model_config = example(examples.ESCALATION)

    id: UUID
    complaint_id: UUID
    number: Annotated[str, Field(max_length=20)]
    deadline_id: UUID | None
    kind: DeadlineKind | None
    step: Annotated[str, Field(examples=["100%"])]
    level: Annotated[int, Field(examples=[1])]
    roles: Annotated[list[RecipientRole], Field(examples=[["team_lead"]])]
    recipients: Annotated[list[str], Field(examples=[["li.wei"]])]
    planned_at: datetime
    taken_at: datetime
    superseded: bool
    reason: str | None
    acknowledged_at: datetime | None
    acknowledged_by: Annotated[str | None, Field(examples=["user:li.wei"])]
    acknowledged_note: str | None


class EscalationPicked(EscalationOut):
    """An escalation in a list: all members, or those that `fields` names."""

    model_config = _in_list(examples.ESCALATION)


class EscalationPage(_Shown):
    """Escalations, latest first."""

    model_config = example(examples.page(examples.ESCALATION))

    items: list[EscalationPicked]
    next_cursor: str | None


class EventOut(_Shown):
    """An event of a history. `sequence` numbers the events of all complaints in commit order."""

    model_config = example(examples.EVENT)

    id: UUID
    sequence: Annotated[int, Field(examples=[1042])]
    type: EventType
    complaint_id: UUID
    version: int
    at: datetime
    actor: Annotated[str, Field(examples=["user:li.wei"])]
    data: dict[str, Any]


class EventPicked(EventOut):
    """An event in a list: all members, or those that `fields` names."""

    model_config = _in_list(examples.EVENT)


class EventPage(_Shown):
    """A history, oldest first."""

    model_config = example(examples.page(examples.EVENT))

    items: list[EventPicked]
    next_cursor: str | None


class ChangesPage(_Shown):
    """Events in commit order. `next_cursor` is there also when nothing is new: ask again with it."""

    model_config = example(examples.NEWS)

    items: list[EventPicked]
    next_cursor: str


class PromiseOut(_Shown):
    """A promise to the complainant with its clock."""

    model_config = example(examples.PROMISE)

    id: UUID
    text: Annotated[str, Field(examples=["A technician comes on Friday."])]
    made_by: Annotated[str, Field(examples=["user:li.wei"])]
    due_at: datetime
    status: DeadlineStatus
    met_at: datetime | None


class PromiseList(_Shown):
    """Every promise of a complaint, in the order they were made."""

    model_config = example(examples.page(examples.PROMISE))

    items: list[PromiseOut]
    next_cursor: None


class SegmentOut(_Shown):
    """A stretch of time; `to` is null for a pause without an end."""

    from_: Annotated[datetime, Field(alias="from")]
    to: datetime | None
    counted: bool
    reason: Annotated[str, Field(examples=["open"])]


class StepOut(_Shown):
    """A step of the ladder; `taken_at` is null while it is planned."""

    step: Annotated[str, Field(examples=["80%"])]
    level: int
    notify: list[RecipientRole]
    planned_at: datetime
    taken_at: datetime | None
    superseded: bool


class ExplanationOut(_Shown):
    """The arithmetic of a due time, and the steps of its ladder, planned and taken."""

    model_config = example(examples.EXPLANATION)

    due_at: datetime
    segments: list[SegmentOut]
    steps: list[StepOut]


class FollowUpOut(_Shown):
    """A contact to be made. `day` is the local date of `due_at` in the zone of the policy."""

    model_config = example(examples.FOLLOW_UP)

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

    model_config = _in_list(examples.FOLLOW_UP)


class FollowUpPage(_Shown):
    """Contacts to be made, earliest due first."""

    model_config = example(examples.page(examples.FOLLOW_UP))

    items: list[FollowUpPicked]
    next_cursor: str | None


class MoveOut(_Shown):
    """What an action makes of a state."""

    action: Action
    from_: Annotated[Status, Field(alias="from")]
    to: Status


class LifecycleOut(_Shown):
    """The lifecycle's table, and its diagram."""

    model_config = example(examples.LIFECYCLE)

    states: list[Status]
    transitions: list[MoveOut]
    mermaid: str


class PreviewOut(_Shown):
    """When it is due; null, with status `paused`, while a pause without an end holds it."""

    model_config = example(examples.PREVIEWED)

    due_at: datetime | None
    status: Literal["running", "paused"]
    segments: list[SegmentOut]


class ElapsedOut(_Shown):
    """Open, unpaused time; 0 where the end is not after the start."""

    model_config = example(examples.MEASURED)

    elapsed_seconds: Annotated[float, Field(ge=0, examples=[14400])]


class ClockOut(_Shown):
    """Where the test clock stands."""

    model_config = example(examples.CLOCK)

    now: datetime


class MovedOut(_Shown):
    """Where the test clock stands, and what happened on the way: steps of level 1 and more, holds that ended,
    steps of level 0.
    """

    model_config = example(examples.MOVED)

    now: datetime
    escalations: int
    resumed: int
    reminders: int
