"""The facts that figures count: rows that follow from the history of a complaint."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

AMOUNT_UNIT = Decimal("0.0001")
"""The smallest amount of money. Facts count amounts in this unit."""


class FactKind(StrEnum):
    """The happenings that figures count.

    `received`: the complaint came in. `reopened`: it was open again after its end. `result`: the complainant was told a
    result. `closed`: it was closed. `contact`: a contact after the result reached the complainant. `follow_up`: a
    planned contact was due. `escalation`: a step was taken. `transfer`: it went to another team or assignee. `handled`:
    a cycle ended with a result. `breach`: a holder has a share in a breach. `time_share`: in that cycle a holder had it
    for a time.
    """

    RECEIVED = "received"
    REOPENED = "reopened"
    RESULT = "result"
    CLOSED = "closed"
    CONTACT = "contact"
    FOLLOW_UP = "follow_up"
    ESCALATION = "escalation"
    TRANSFER = "transfer"
    HANDLED = "handled"
    BREACH = "breach"
    TIME_SHARE = "time_share"


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureFact:
    """One fact of a complaint. `place` tells facts of one kind apart. `day` and `month` are those of `at`, local.

    Days are counted from 1970-01-01, and a month is 202610 for October 2026. A deadline of the fact has `due_at` and
    `in_time`; without `due_at` it was cancelled in time, or there is none. `until_day` is the day on which a complaint
    that was received or reopened ended; `is_omitted`: it is open without an unmet deadline. `microseconds` is the time
    from the receipt to the first result, or the time of a holder: `holder` is its kind, `holder_team` and
    `holder_person` the staff. Of a breach it is the share of the holder, in millionths. `is_good` depends on the kind:
    the first owner gave the result without a transfer, the loop is closed, or there is a first-responsibility breach.
    `is_assumed`: nobody named the outcome of the result (rule 1.20).
    """

    kind: FactKind
    place: int
    at: datetime
    day: int
    month: int
    until_day: int | None = None
    response_due_at: datetime | None = None
    response_in_time: bool | None = None
    due_at: datetime | None = None
    in_time: bool | None = None
    is_first: bool | None = None
    is_good: bool | None = None
    is_reopened: bool | None = None
    is_handed_over: bool | None = None
    is_omitted: bool | None = None
    microseconds: int | None = None
    outcome: str | None = None
    is_assumed: bool | None = None
    amount: int | None = None
    currency: str | None = None
    csat: int | None = None
    nps: int | None = None
    level: int | None = None
    holder: str | None = None
    holder_team: str | None = None
    holder_person: str | None = None


@dataclass(frozen=True, slots=True)
class ComplaintFacts:
    """The facts of a complaint, and the members that all of them share, as they are at the end of its history."""

    complaint_id: UUID
    members: Mapping[str, Any]
    facts: tuple[FigureFact, ...]


SHARED_MEMBERS = (
    "sequence", "source", "team", "assignee", "first_owner", "category", "cause", "nature", "channel", "region",
    "priority",
)  # fmt: skip
