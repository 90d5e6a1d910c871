"""What a message is about: the complaint or other subject, as the staff may read of it anywhere."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from complaints.domain.vocabulary import Priority
from complaints.features.notifications.hearing import Owners


class About(Protocol):
    """An event or a delivery: it is about a complaint, another subject, or neither."""

    @property
    def complaint_id(self) -> UUID | None:
        """The complaint."""

    @property
    def subject_id(self) -> UUID | None:
        """The other subject."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A complaint or other subject, without texts and persons. Only complaints have the last three members."""

    number: str
    owners: Owners
    priority: Priority | None = None
    category: str | None = None
    next_due_at: datetime | None = None


def find_topic(topics: Mapping[UUID, Topic], one: About) -> Topic | None:
    """What an event or a delivery is about."""
    owner = one.complaint_id or one.subject_id
    return topics.get(owner) if owner else None
