"""The shapes of webhooks: what callers send, and what they get."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal, get_args
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from complaints.api.openapi.example_files import read_examples
from complaints.api.openapi.models import AnswerModel, example
from complaints.api.pages import CursorQuery
from complaints.domain.json_text import to_json
from complaints.domain.time.preview import DURATION, DURATION_LENGTH
from complaints.domain.vocabulary import Priority
from complaints.features.webhooks.rules import DisabledReason, WebhookStatus
from complaints.features.webhooks.tables.subscriptions import Webhook
from complaints.use_cases.commands.field_types import WHOLE, Code, Content

_EXAMPLES = read_examples("complaints.features.webhooks")
_LARGEST = 10**15

Url = Annotated[
    str,
    Field(
        min_length=1,
        max_length=2000,
        examples=["https://crm.example.com/hooks/complaints"],
    ),
]
EventTypes = Annotated[
    tuple[Code, ...],
    Field(
        min_length=1,
        max_length=100,
        examples=[["complaint.created", "complaint.resolved"]],
    ),
]
Payload = Literal["thin", "full"]
Format = Literal["standard", "cloudevents"]
ShownFormat = Literal[Format, "tmf621.v4", "tmf621.v5"]
OWN_FORMATS: tuple[str, ...] = get_args(Format)
"""The forms in which a subscription is made here. The others are made at the hubs of TMF621."""

ALL_FORMATS: tuple[str, ...] = get_args(ShownFormat)
Actors = Annotated[
    tuple[Code, ...],
    Field(max_length=100, examples=[["key:crm"]]),
]


class WebhookFilter(Content):
    """The facts that the complaint of an event must have when the event is read. A category includes those below it."""

    team: Code | None = None
    category: Code | None = None
    priority: Priority | None = None
    source: Code | None = None


class CreateWebhook(Content):
    """A subscription. Without `exclude_actors`, the changes of the caller are not sent."""

    url: Url
    event_types: EventTypes = ("*",)
    payload: Payload = "thin"
    format: Format = "standard"
    filter: WebhookFilter = WebhookFilter()
    exclude_actors: Actors | None = None


class PatchWebhook(Content):
    """Members to change. `status: active` begins again after a stop, with the events from now on."""

    url: Url | None = None
    event_types: EventTypes | None = None
    payload: Payload | None = None
    format: Format | None = None
    filter: WebhookFilter | None = None
    exclude_actors: Actors | None = None
    status: Annotated[WebhookStatus | None, Field(description="Disabled: nothing is sent.")] = None


class RotateWebhookSecret(Content):
    """How long the present secret signs beside the new one: an ISO 8601 duration of at most 30 days."""

    overlap: Annotated[
        str, Field(json_schema_extra={"pattern": f"^{DURATION}$", "maxLength": DURATION_LENGTH})
    ] = "PT24H"


class ReplayWebhook(Content):
    """The events to send again, by `sequence`, both ends included: at most 10,000 numbers."""

    from_sequence: Annotated[int, Field(ge=1, le=_LARGEST), WHOLE]
    to_sequence: Annotated[int, Field(ge=1, le=_LARGEST), WHOLE]


class WebhookShown(BaseModel):
    """A subscription. Its secret is shown only by the answer that made it."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLES["webhook"]]})

    id: UUID
    url: Url
    event_types: EventTypes
    payload: Payload
    format: Annotated[
        ShownFormat,
        Field(description="The form of the messages. A hub of TMF621 made the subscriptions in its forms."),
    ]
    query: Annotated[
        str | None, Field(description="The query of a hub of TMF621 as it was sent.", max_length=2000)
    ]
    filter: WebhookFilter
    exclude_actors: Actors
    status: WebhookStatus
    disabled_reason: Annotated[DisabledReason | None, Field(description="Why nothing is sent.")]
    disabled_at: datetime | None
    failing_since: Annotated[
        datetime | None, Field(description="The first failure after the last delivery that succeeded.")
    ]
    previous_secret_until: Annotated[
        datetime | None, Field(description="Until then the former secret signs too.")
    ]
    created_at: datetime
    created_by: Annotated[str, Field(examples=["key:crm"])]


class NewWebhookShown(WebhookShown):
    """A subscription with its secret, which no later answer shows."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLES["new_webhook"]]})

    secret: Annotated[str, Field(description="The secret that signs: `whsec_` and base64.")]


class WebhookTestShown(AnswerModel):
    """What became of a test message. Without an answer `status_code` is null and `failure` says why."""

    model_config = example(_EXAMPLES["webhook_test"])

    status_code: int | None
    failure: Annotated[str | None, Field(description="Why no answer came.", examples=["timeout"])]
    duration_ms: int


class WebhookReplayShown(AnswerModel):
    """How many deliveries a replay planned."""

    model_config = example(_EXAMPLES["webhook_replay"])

    deliveries: Annotated[int, Field(description="The deliveries that were planned.")]


class WebhookDeliveryQuery(CursorQuery):
    """Which part of the delivery log."""


class DeliveryAttemptShown(AnswerModel):
    """One attempt to deliver an event. `replay` is 0 for the first delivery of the event."""

    model_config = example(_EXAMPLES["webhook_attempt"])

    event_id: Annotated[UUID, Field(description="The id of the event, and of the message.")]
    sequence: Annotated[int, Field(description="The number of the event.")]
    replay: Annotated[int, Field(description="Which replay planned it; 0: none.")]
    attempt: Annotated[int, Field(description="The number of the attempt, from 1.")]
    at: datetime
    status_code: int | None
    failure: Annotated[str | None, Field(description="Why no answer came.", examples=["timeout"])]
    duration_ms: int
    next_attempt_at: datetime | None


class DeliveryAttemptPage(AnswerModel):
    """Attempts, latest first."""

    model_config = example(_EXAMPLES["webhook_attempts"])

    items: list[DeliveryAttemptShown]
    next_cursor: str | None


def webhook_json(found: Webhook, now: datetime) -> dict[str, Any]:
    """A subscription as the API shows it. Nothing in it comes from the secrets."""
    until = found.previous_until
    members = asdict(found) | {"previous_secret_until": until if until is not None and until > now else None}
    return {name: to_json(members[name]) for name in WebhookShown.model_fields}
