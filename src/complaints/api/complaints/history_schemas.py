"""Schemas of the timeline, the feed of changes and links."""

import json
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from complaints.api.openapi.example_files import read_examples
from complaints.api.openapi.models import AnswerModel, example, example_in_list
from complaints.api.pages import PageQuery
from complaints.api.query_types import FilterText
from complaints.domain.vocabulary import EventType, LinkType, Status

_EXAMPLES = read_examples("complaints.api.complaints")
STREAM_EXAMPLE = (
    f"id: eyJraW5kIjoiY2hhbmdlcyIsImFmdGVyIjoxMDQyfQ\ndata: {json.dumps(_EXAMPLES['change'])}\n\n"
)
"""One event of the feed as a server-sent event."""


class TimelineQuery(PageQuery):
    """Which part of a history."""


class ChangesQuery(BaseModel):
    """Where to go on in the feed, which events, and how long to wait for them."""

    model_config = ConfigDict(extra="forbid")

    after: Annotated[
        str,
        Field(
            description="`next_cursor` of the answer before; empty or absent: from the beginning; `now`: from the end."
        ),
    ] = ""
    limit: Annotated[int, Field(ge=1, le=1000)] = 50
    wait: Annotated[
        int, Field(ge=0, le=30, description="Seconds to wait for an event, if there is none yet.")
    ] = 0
    type: Annotated[
        list[FilterText] | None,
        Field(
            description="Any of these types of event; repeat it for several.",
            json_schema_extra={"items": {"type": "string", "enum": [*EventType]}},
        ),
    ] = None
    source: Annotated[FilterText | None, Field(description="Of complaints from this source.")] = None
    team: Annotated[FilterText | None, Field(description="Of complaints that this team works on now.")] = None
    fields: Annotated[str | None, Field(description="The members to show, with commas between.")] = None


class LinkQuery(BaseModel):
    """Which link: its type, and the id or number of the other complaint."""

    model_config = ConfigDict(extra="forbid")

    type: LinkType
    complaint_id: FilterText


class SubjectOut(AnswerModel):
    """What a row of several kinds belongs to: a complaint, or a subject of an annex."""

    kind: Annotated[str, Field(description="`complaint`, or a kind of an annex.", examples=["complaint"])]
    id: UUID
    number: Annotated[str, Field(description="The number that users read.", examples=["C000000427"])]


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


class ChangeOut(EventOut):
    """An event of the feed, with what names its complaint or other subject.

    `status`: the new one, if the event changed it. Another subject has neither `complaint_id` nor `source`.
    """

    model_config = example(_EXAMPLES["change"])

    type: Annotated[EventType | str, Field(description="What happened.")]  # type: ignore[assignment]
    complaint_id: Annotated[UUID | None, Field(description="Null: of another subject.")]  # type: ignore[assignment]
    data: Annotated[
        dict[str, Any],
        Field(
            description="What the event says, with `***` in place of each text. The timeline has the texts."
        ),
    ]
    subject: SubjectOut
    number: Annotated[str, Field(examples=["C000000427"])]
    source: str | None
    external_id: str | None
    status: Status | str | None


class ChangePicked(ChangeOut):
    """An event in the feed: all members, or those that `fields` names."""

    model_config = example_in_list(_EXAMPLES["change"])


class EventPage(AnswerModel):
    """A history, oldest first."""

    model_config = example(_EXAMPLES["event_page"])

    items: list[EventPicked]
    next_cursor: str | None


class ChangesPage(AnswerModel):
    """Events in commit order. `next_cursor` is there also when nothing is new: ask again with it."""

    model_config = example(_EXAMPLES["changes"])

    items: list[ChangePicked]
    next_cursor: Annotated[
        str, Field(description="Send it as `after` next time, also if nothing is new now.")
    ]
