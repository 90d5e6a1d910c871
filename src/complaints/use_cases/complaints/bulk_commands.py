"""Request bodies that name many complaints or escalations: by a list, or by a filter and the expected number."""

from typing import TYPE_CHECKING, Annotated, Any, Union

from pydantic import BeforeValidator, Field, WithJsonSchema, create_model

from complaints.domain.complaint.numbers import parse_reference
from complaints.domain.vocabulary import Action
from complaints.use_cases.bulk import MOST_ITEMS
from complaints.use_cases.commands.complaints import TRANSITIONS, Acknowledge, AddNote, Transition
from complaints.use_cases.commands.field_types import KINDS_OF_DEADLINES, WHOLE, Code, Content, FilterText
from complaints.use_cases.complaints.filters import ComplaintFilter

Reference = Annotated[
    Any,
    BeforeValidator(lambda value: parse_reference(str(value))),
    WithJsonSchema({"type": "string", "examples": ["C000000427"]}),
]
ExpectedCount = Annotated[
    int, Field(ge=0, le=MOST_ITEMS, description="The number that must fit `filter`."), WHOLE
]


class ComplaintSelection(Content):
    """Which complaints: a list of ids and numbers, or a filter with the number of complaints that must fit it."""

    complaints: Annotated[tuple[Code, ...], Field(min_length=1, max_length=MOST_ITEMS)] | None = None
    filter: ComplaintFilter | None = None
    expected_count: ExpectedCount | None = None


class BulkNotes(ComplaintSelection, AddNote):
    """A note on many complaints."""


class _BulkTransition(ComplaintSelection):
    action: Action

    def transition(self) -> Transition:
        """The action without the selection."""
        model: Any = TRANSITIONS[self.action]
        made: Transition = model.model_construct(**{name: getattr(self, name) for name in model.model_fields})
        return made


if TYPE_CHECKING:
    BulkTransition = _BulkTransition
else:
    # For each action its body with the selection: an action gains no second list of its members.
    _BODIES = [
        create_model(f"Bulk{model.__name__}", __base__=(model, _BulkTransition), __doc__=model.__doc__)
        for model in TRANSITIONS.values()
    ]
    BulkTransition = Annotated[
        Union[tuple(_BODIES)],  # noqa: UP007
        Field(discriminator="action", title="BulkTransition", description="An action on many complaints."),
    ]


class WaitingFilter(Content):
    """Which of the escalations that still wait. An absent member asks nothing; all given members must fit."""

    complaint: Annotated[Reference | None, Field(description="Id or number of the complaint.")] = None
    kind: Annotated[FilterText | None, Field(description=KINDS_OF_DEADLINES)] = None
    level_min: Annotated[int, Field(ge=0, le=100), WHOLE] | None = None
    team: FilterText | None = None
    recipient: Annotated[FilterText | None, Field(description="A login, `me` or `none`.")] = None


class BulkAcknowledge(Acknowledge):
    """Many escalations that a user takes care of."""

    escalations: Annotated[tuple[Code, ...], Field(min_length=1, max_length=MOST_ITEMS)] | None = None
    filter: WaitingFilter | None = None
    expected_count: ExpectedCount | None = None
