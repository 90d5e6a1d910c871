"""Schemas of promises."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from complaints.api.openapi.example_files import read_examples
from complaints.api.openapi.models import AnswerModel, example
from complaints.domain.vocabulary import DeadlineStatus

_EXAMPLES = read_examples("complaints.api.complaints")


class PromiseOut(AnswerModel):
    """A promise to the complainant with its clock."""

    model_config = example(_EXAMPLES["promise"])

    id: UUID
    text: Annotated[str, Field(description="What was promised.", examples=["A technician comes on Friday."])]
    made_by: Annotated[str, Field(examples=["user:li.wei"])]
    due_at: datetime
    status: DeadlineStatus
    met_at: datetime | None


class PromiseList(AnswerModel):
    """Every promise of a complaint, in the order they were made."""

    model_config = example(_EXAMPLES["promises"])

    items: list[PromiseOut]
    next_cursor: Annotated[str | None, Field(description="Always null: the list is shown whole.")]
