"""The context in which a policy document is read."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from complaints.domain.time.calendars import WorkCalendar


@dataclass(slots=True)
class ReadingContext:
    """The names that a document may use, and members of the document that later members need.

    None for `teams`, `categories` or `users` accepts every name. `effective_at` and `calendars` are None until they
    were read without a fault.
    """

    stored_calendars: Mapping[str, WorkCalendar]
    teams: Collection[str] | None
    categories: Collection[str] | None
    users: Collection[str] | None = None
    timezone: str = "UTC"
    effective_at: datetime | None = None
    calendars: Collection[str] | None = None
