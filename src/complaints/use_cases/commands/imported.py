"""The content of a row of an import: a complaint to post, and what the other system knows of its work and end."""

from typing import Literal

from complaints.domain.vocabulary import Outcome, Status
from complaints.use_cases.commands.complaints import CreateComplaint
from complaints.use_cases.commands.field_types import Code, Instant, Text


class ImportedComplaint(CreateComplaint):
    """A complaint of another system. With a `status` it has ended there (rule 2.14)."""

    team: Code | None = None
    status: Literal[Status.CLOSED, Status.REJECTED, Status.WITHDRAWN] | None = None
    closed_at: Instant | None = None
    resolved_at: Instant | None = None
    result_told_at: Instant | None = None
    outcome: Outcome | None = None
    resolution: Text | None = None
    root_cause: Text | None = None
