"""Schemas of the timeline, the feed of changes and links."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from complaints.api.openapi.example_files import read_examples
from complaints.api.openapi.models import AnswerModel, example, example_in_list
from complaints.api.pages import PageQuery
from complaints.api.query_types import FilterText
from complaints.domain.vocabulary import EventType, LinkType

_EXAMPLES = read_examples("complaints.api.complaints")


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


class EventOut(AnswerModel):
    """An event of a history. `sequence` numbers the events of all complaints in commit order."""

    model_config = example(_EXAMPLES["event"])

    id: UUID
    sequence: Annotated[
        int, Field(description="Its number among the events of all complaints.", examples=[1042])
    ]
    type: Annotated[EventType, Field(description="What happened.")]
    complaint_id: UUID
    version: Annotated[int, Field(description="The version of the complaint after it.")]
    at: datetime
    actor: Annotated[str, Field(examples=["user:li.wei"])]
    data: dict[str, Any]


class EventPicked(EventOut):
    """An event in a list: all members, or those that `fields` names."""

    model_config = example_in_list(_EXAMPLES["event"])


class EventPage(AnswerModel):
    """A history, oldest first."""

    model_config = example(_EXAMPLES["event_page"])

    items: list[EventPicked]
    next_cursor: str | None


class ChangesPage(AnswerModel):
    """Events in commit order. `next_cursor` is there also when nothing is new: ask again with it."""

    model_config = example(_EXAMPLES["changes"])

    items: list[EventPicked]
    next_cursor: Annotated[
        str, Field(description="Send it as `after` next time, also if nothing is new now.")
    ]
