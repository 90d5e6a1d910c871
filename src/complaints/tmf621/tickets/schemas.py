"""The shapes of trouble tickets that callers send, in the words of version 5. Each member is as TMF621 types it."""

from typing import Annotated, Any

from pydantic import Field, Strict

from complaints.tmf621.shapes import DateTime, Many, NullFreeObject, TmfContent, TypedObject
from complaints.tmf621.tickets.statuses import TicketStatus


class _Reference(TypedObject):
    id: str
    href: str | None = None
    name: str | None = None
    referred_type: Annotated[str | None, Field(alias="@referredType")] = None


class GivenQuantity(NullFreeObject):
    """An amount with its unit."""

    amount: int | float | None = None
    units: str | None = None


class GivenPeriod(NullFreeObject):
    """A span of time."""

    start_date_time: DateTime | None = None
    end_date_time: DateTime | None = None


class GivenAttachment(TypedObject):
    """An attachment by its address, or with its content in Base64."""

    attachment_type: str
    mime_type: str
    id: str | None = None
    href: str | None = None
    name: str | None = None
    description: str | None = None
    url: str | None = None
    content: str | None = None
    size: GivenQuantity | None = None
    valid_for: GivenPeriod | None = None
    referred_type: Annotated[str | None, Field(alias="@referredType")] = None


class GivenAttachmentReference(_Reference):
    """An attachment that another system keeps."""

    description: str | None = None
    url: str | None = None


class GivenChannel(_Reference):
    """The channel by which the customer came."""


class GivenExternalIdentifier(TypedObject):
    """The name of the ticket in another system: `owner` is the system."""

    id: str
    owner: str | None = None
    external_identifier_type: str | None = None


class GivenNote(TypedObject):
    """A note. Author and date are on record as the product knows them."""

    id: str | None = None
    author: str | None = None
    date: DateTime | None = None
    text: str | None = None


class GivenEntityReference(_Reference):
    """The entity of a related entity."""


class GivenRelatedEntity(TypedObject):
    """An entity that the ticket is about, such as a bill or an order."""

    role: str
    entity: GivenEntityReference


class GivenParty(_Reference):
    """A party or a role of a party."""

    party_id: str | None = None
    party_name: str | None = None


class GivenRelatedParty(TypedObject):
    """A party with its role: `customer` is the complainant, and `reporter` speaks for the complainant."""

    role: str
    party_or_party_role: GivenParty | None = None


class GivenRelationship(_Reference):
    """A relation to another ticket."""

    relationship_type: str


class GivenSpecification(_Reference):
    """The specification of the ticket: its category."""

    version: str | None = None


class GivenCharacteristicRelationship(TypedObject):
    """A relation between characteristics."""

    id: str
    relationship_type: str


class GivenCharacteristic(TypedObject):
    """A characteristic: an attribute of the complaint, or what an action carries. `value` None clears it."""

    name: str
    id: str | None = None
    value_type: str | None = None
    value: Any = None
    characteristic_relationship: Many[GivenCharacteristicRelationship] | None = None


class _TicketMembers(TmfContent):
    """What a new ticket and a change have in common. `None`: the member is absent, or a change clears it by null."""

    type_: Annotated[str, Field(alias="@type")]
    base_type: Annotated[str | None, Field(alias="@baseType")] = None
    schema_location: Annotated[str | None, Field(alias="@schemaLocation")] = None
    id: str | None = None
    href: str | None = None
    name: str | None = None
    description: str | None = None
    severity: str | None = None
    ticket_type: str | None = None
    priority: str | None = None
    status: Annotated[TicketStatus, Strict(False)] | None = None
    status_change_reason: str | None = None
    requested_resolution_date: DateTime | None = None
    expected_resolution_date: DateTime | None = None
    resolution_date: DateTime | None = None
    channel: GivenChannel | None = None
    attachment: Many[GivenAttachment | GivenAttachmentReference] | None = None
    external_identifier: Many[GivenExternalIdentifier] | None = None
    note: Many[GivenNote] | None = None
    related_entity: Many[GivenRelatedEntity] | None = None
    related_party: Many[GivenRelatedParty] | None = None
    relationship: Annotated[Many[GivenRelationship] | None, Field(alias="troubleTicketRelationship")] = None
    specification: Annotated[GivenSpecification | None, Field(alias="troubleTicketSpecification")] = None
    characteristic: Annotated[
        Many[GivenCharacteristic] | None, Field(alias="troubleTicketCharacteristic")
    ] = None


class NewTicket(_TicketMembers, NullFreeObject):
    """A ticket to create."""

    description: str
    severity: str
    ticket_type: str
    status_change_date: DateTime | None = None


class GivenStatusChange(TypedObject):
    """A change of the status in the past. The product knows the history better."""

    status: Annotated[TicketStatus, Strict(False)] | None = None
    status_change_date: DateTime | None = None
    status_change_reason: str | None = None


class TicketChange(_TicketMembers):
    """Members of a ticket to change, in the way of RFC 7396."""

    status_change_history: Many[GivenStatusChange] | None = None
