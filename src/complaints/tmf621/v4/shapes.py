"""The shapes of trouble tickets that callers of version 4 send. Each member is as the official file types it.

No member may be null, but those of a change itself: null clears them there.
"""

from typing import Annotated, Any, Literal

from pydantic import Field

from complaints.tmf621.shapes import DateTime, NullFreeObject, TmfContent, Uri


class _Types(TmfContent):
    type_: Annotated[str | None, Field(alias="@type")] = None
    base_type: Annotated[str | None, Field(alias="@baseType")] = None
    schema_location: Annotated[Uri | None, Field(alias="@schemaLocation")] = None


class _TypedV4(_Types, NullFreeObject):
    """A part of a ticket. It may name its type."""


class QuantityV4(NullFreeObject):
    """An amount with its unit."""

    amount: int | float | None = None
    units: str | None = None


class PeriodV4(NullFreeObject):
    """A span of time."""

    start_date_time: DateTime | None = None
    end_date_time: DateTime | None = None


class AttachmentV4(_TypedV4):
    """An attachment by its address or with its content, or a reference to one. Nothing of it is mandatory."""

    id: str | None = None
    href: str | None = None
    name: str | None = None
    description: str | None = None
    url: str | None = None
    attachment_type: str | None = None
    mime_type: str | None = None
    content: str | None = None
    size: QuantityV4 | None = None
    valid_for: PeriodV4 | None = None
    referred_type: Annotated[str | None, Field(alias="@referredType")] = None


class ChannelV4(_TypedV4):
    """The channel by which the customer came."""

    id: str
    href: str | None = None
    name: str | None = None
    referred_type: Annotated[str | None, Field(alias="@referredType")] = None


class NoteV4(_TypedV4):
    """A note."""

    id: str | None = None
    author: str | None = None
    date: DateTime | None = None
    text: str | None = None


class _RelatedV4(_TypedV4):
    id: str
    href: str | None = None
    name: str | None = None
    referred_type: Annotated[str, Field(alias="@referredType")]


class RelatedEntityV4(_RelatedV4):
    """An entity that the ticket is about. Reference and role stand side by side."""

    role: str


class RelatedPartyV4(_RelatedV4):
    """A party. Reference and role stand side by side."""

    role: str | None = None


class RelationshipV4(_TypedV4):
    """A relation to another ticket."""

    id: str | None = None
    href: str | None = None
    name: str | None = None
    relationship_type: str | None = None


class StatusChangeV4(_TypedV4):
    """A change of the status. The product writes its own history, so the product only checks the member."""

    change_date: DateTime | None = None
    change_reason: str | None = None
    status: str | None = None


class CharacteristicV4(_TypedV4):
    """A characteristic of version 5 in a ticket of version 4, which has none of its own."""

    name: str
    id: str | None = None
    value_type: str | None = None
    value: Any = None


class SpecificationV4(_TypedV4):
    """The specification of version 5 in a ticket of version 4, which has none of its own."""

    id: str
    name: str | None = None
    version: str | None = None


class TicketChangeV4(_Types):
    """Members of a ticket to change. The last members are extensions: the official file has none of them."""

    description: str | None = None
    expected_resolution_date: DateTime | None = None
    external_id: str | None = None
    name: str | None = None
    priority: str | None = None
    requested_resolution_date: DateTime | None = None
    resolution_date: DateTime | None = None
    severity: str | None = None
    status_change_reason: str | None = None
    ticket_type: str | None = None
    attachment: list[AttachmentV4] | None = None
    channel: ChannelV4 | None = None
    note: list[NoteV4] | None = None
    related_entity: list[RelatedEntityV4] | None = None
    related_party: list[RelatedPartyV4] | None = None
    status: (
        Literal[
            "acknowledged", "rejected", "pending", "held", "inProgress", "cancelled", "closed", "resolved"
        ]
        | None
    ) = None
    trouble_ticket_relationship: list[RelationshipV4] | None = None
    trouble_ticket_characteristic: list[CharacteristicV4] | None = None
    trouble_ticket_specification: SpecificationV4 | None = None
    outcome: str | None = None
    root_cause: Annotated[str | None, Field(alias="root_cause")] = None
    contact_channel: Annotated[str | None, Field(alias="contact_channel")] = None
    hold_until: Annotated[str | None, Field(alias="hold_until")] = None
    reject_reason: Annotated[str | None, Field(alias="reject_reason")] = None


class NewTicketV4(TicketChangeV4, NullFreeObject):
    """A ticket to create."""

    description: str
    severity: str
    ticket_type: str
    creation_date: DateTime | None = None
    last_update: DateTime | None = None
    status_change_date: DateTime | None = None
    status_change: list[StatusChangeV4] | None = None
