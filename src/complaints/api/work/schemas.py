"""Query parameters, bodies and answers of the routes of work and people."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from complaints.api.openapi.example_files import read_examples
from complaints.api.openapi.models import AnswerModel, Id, example
from complaints.api.pages import CursorQuery
from complaints.use_cases.commands.field_types import Instant

_EXAMPLES = read_examples("complaints.api.work")


class RehearsalQuery(CursorQuery):
    """The absence to rehearse. Without `absent_from` it begins now."""

    absent_from: Annotated[Instant | None, Field(description="The begin of the absence; absent: now.")] = None
    absent_until: Annotated[Instant, Field(description="The first instant after the absence.")]


class ShiftShown(AnswerModel):
    """A time in which a user is on duty for a team."""

    login: str
    on_duty_from: datetime
    on_duty_until: datetime


class DutyRotaShown(AnswerModel):
    """The duty rota of a team. The shifts are in order of their begin."""

    model_config = example(_EXAMPLES["rota"])

    team: str
    shifts: list[ShiftShown]


class LoadShown(AnswerModel):
    """The open complaints on which a user works, as far as the caller may know of them."""

    model_config = example(_EXAMPLES["load"])

    login: str
    name: str
    available: bool
    on_duty: bool
    open: int
    overdue: Annotated[int, Field(description="How many of them are past a due time.")]
    due_today: int


class TeamLoadShown(AnswerModel):
    """The loads of the active members of a team, by login."""

    model_config = example(_EXAMPLES["team_load"])

    team: str
    items: list[LoadShown]


class InheritedTaskShown(AnswerModel):
    """Something that falls due for the absent user: a deadline, or a step of its ladder."""

    at: Annotated[datetime, Field(description="When it falls due.")]
    kind: Annotated[str, Field(description="The kind of the deadline.")]
    step: Annotated[
        str | None, Field(description="The step of the ladder; null: the deadline itself is due.")
    ]
    level: Annotated[
        int, Field(description="The rank of the step; 0 for a reminder and for the deadline itself.")
    ]
    heirs: list[str]
    gap: bool


class InheritedComplaintShown(AnswerModel):
    """A complaint of which something falls due during the absence. The tasks are in order of time."""

    complaint_id: Id
    number: str
    subject: str
    team: str
    assignee: str | None
    tasks: list[InheritedTaskShown]


class RehearsalPage(AnswerModel):
    """Complaints of which something falls due during the absence. A page may be empty before the end."""

    model_config = example(_EXAMPLES["rehearsal"])

    items: list[InheritedComplaintShown]
    next_cursor: str | None
