"""Schemas of promises."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from complaints.api.complaints import examples
from complaints.api.openapi import example_values
from complaints.api.openapi.models import AnswerModel, example
from complaints.domain.vocabulary import DeadlineStatus


class PromiseOut(AnswerModel):
    """A promise to the complainant with its clock."""

    model_config = example(examples.PROMISE)

    id: UUID
    text: Annotated[str, Field(examples=["A technician comes on Friday."])]
    made_by: Annotated[str, Field(examples=["user:li.wei"])]
    due_at: datetime
    status: DeadlineStatus
    met_at: datetime | None


class PromiseList(AnswerModel):
    """Every promise of a complaint, in the order they were made."""

    model_config = example(example_values.page(examples.PROMISE))

    items: list[PromiseOut]
    next_cursor: None
