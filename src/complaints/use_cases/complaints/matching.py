"""All complaints that fit a filter, each with its name and the actions that a caller may take on it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from complaints.domain.complaint.numbers import number_of
from complaints.domain.errors import InvalidContent
from complaints.domain.rules.lifecycle import legal_actions
from complaints.domain.vocabulary import Action, Status
from complaints.storage.database.transactions import Transaction
from complaints.storage.queries.complaint_lists import find_names
from complaints.use_cases.access import Caller, Right
from complaints.use_cases.bulk import check_as_expected
from complaints.use_cases.complaints.filters import ComplaintFilter, filters_of
from complaints.use_cases.complaints.views import permit_actions
from complaints.use_cases.service import Service

MOST_MATCHING = 5_000


@dataclass(frozen=True, slots=True)
class MatchingComplaint:
    """A complaint that fits. `actions` are those that its status and the rights of the caller allow."""

    id: UUID
    number: str
    status: Status
    actions: tuple[Action, ...]


def find_matching(
    service: Service, tx: Transaction, caller: Caller, asked: ComplaintFilter, expected: int
) -> Sequence[MatchingComplaint]:
    """All complaints that fit, oldest receipt first.

    Raises Conflict if their number is not `expected`, InvalidContent if more than `MOST_MATCHING` fit, Forbidden
    without the right to work, and the refusals of `filters_of`.
    """
    caller.require(Right.WORK)
    if expected > MOST_MATCHING:
        raise InvalidContent.in_query("expected", f"More than {MOST_MATCHING} fit: choose fewer.")
    rows = find_names(tx, filters_of(service, tx, caller, asked), most=MOST_MATCHING + 1)
    check_as_expected(len(rows), expected)
    return [
        MatchingComplaint(
            row.id,
            number_of(row.sequence),
            row.status,
            permit_actions(caller, row, partial(_by_status, row.status)),
        )
        for row in rows
    ]


def _by_status(status: Status) -> tuple[Action, ...]:
    return tuple(legal_actions(status))
