"""The end of a complaint in another system, as a file of history tells it (rule 2.14)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from complaints.domain.errors import InvalidContent
from complaints.domain.vocabulary import Outcome, Status

_TIMES = ("resolved_at", "result_told_at", "closed_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """The end of a complaint: its status and what the other system knows of it. All instants are in UTC."""

    status: Status
    closed_at: datetime | None = None
    resolved_at: datetime | None = None
    result_told_at: datetime | None = None
    outcome: Outcome | None = None
    resolution: str | None = None
    root_cause: str | None = None

    def check(self, received_at: datetime, now: datetime) -> None:
        """Raise InvalidContent if a time lies before the time that it follows, or in the future."""
        before, earlier = "received_at", received_at
        for name in _TIMES:
            at = getattr(self, name)
            if at is None:
                continue
            if at < earlier:
                raise InvalidContent.at(f"/{name}", f"{name} lies before {before}.")
            if at > now:
                raise InvalidContent.at(f"/{name}", f"{name} lies in the future.")
            before, earlier = name, at

    def members(self, received_at: datetime) -> dict[str, Any]:
        """The members of the ended complaint.

        Without a closing time it ended at the latest time that is known. A result without a time was decided when it
        was told, or at the end.
        """
        ended_at = self.closed_at or self.result_told_at or self.resolved_at or received_at
        has_result = any((self.outcome, self.resolution, self.root_cause, self.result_told_at))
        decided_at = (self.result_told_at or ended_at) if has_result else None
        return {
            "status": self.status,
            "ended_at": ended_at,
            "resolved_at": self.resolved_at or decided_at,
            "result_told_at": self.result_told_at,
            "outcome": self.outcome,
            "resolution": self.resolution,
            "root_cause": self.root_cause,
        }
