"""Types of query parameters that several lists share."""

from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from complaints.domain.complaint.numbers import parse_reference
from complaints.use_cases.commands.field_types import Day as Day
from complaints.use_cases.commands.field_types import FilterText as FilterText
from complaints.use_cases.commands.field_types import Flag as Flag

Reference = Annotated[
    Any, BeforeValidator(parse_reference), WithJsonSchema({"type": "string", "examples": ["C000000427"]})
]
