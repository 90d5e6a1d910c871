"""What the query rows ask of the API, and the same work without it, for the SQL that it comes down to."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import event

from benchmarks.data.sample_complaints import team_code
from benchmarks.data.texts import WORDS
from complaints.domain.vocabulary import Priority
from complaints.storage.database.transactions import Transaction
from complaints.storage.queries.complaint_filters import Order, SortKey
from complaints.use_cases.access import SYSTEM
from complaints.use_cases.complaints import history, lists
from complaints.use_cases.complaints.filters import ComplaintFilter
from complaints.use_cases.service import Service

PAGE = 50
_OVERDUE = Order(SortKey.NEXT_DUE_AT)
_NEWEST = Order(SortKey.RECEIVED_AT, descending=True)
Executed = tuple[str, Any]


@dataclass(frozen=True, slots=True)
class Question:
    """A request by GET, and what the product does for it in a transaction."""

    name: str
    path: str
    work: Callable[[Service, Transaction], object]


def overdue_pages() -> list[Question]:
    """The first page of what is overdue: by team, by priority, by both and by neither."""
    team, priority = {"team": team_code(0)}, {"priority": Priority.URGENT.value}
    asked = {"neither": {}, "team": team, "priority": priority, "both": {**team, **priority}}
    return [_page(name, {"overdue": "true", **members}, _OVERDUE) for name, members in asked.items()]


def searches() -> list[Question]:
    """Words that many complaints have and words that few have, in Chinese and in English."""
    return [_page(name, {"q": word}, _NEWEST) for name, word in WORDS.items()]


def _page(name: str, asked: dict[str, str], order: Order) -> Question:
    wanted = ComplaintFilter.model_validate(asked)
    return Question(
        name,
        f"/v1/complaints?{urlencode(asked)}",
        lambda service, tx: lists.list_complaints(service, tx, SYSTEM, wanted, order, after=None, limit=PAGE),
    )


def summary() -> list[Question]:
    """How much is overdue, and how much soon."""
    soon = timedelta(hours=24)
    return [
        Question(
            "summary",
            "/v1/overdue/summary",
            lambda service, tx: lists.summarise_due(service, tx, SYSTEM, soon),
        )
    ]


def histories(complaint_id: str, cursor: str, after: int) -> list[Question]:
    """The history of one complaint, and a page of the feed that follows `after`, whose cursor is given."""
    return [
        Question(
            "timeline",
            f"/v1/complaints/{complaint_id}/timeline",
            lambda _, tx: history.timeline(tx, SYSTEM, complaint_id, after=0, limit=PAGE),
        ),
        Question(
            "changes",
            f"/v1/changes?limit={PAGE}&after={cursor}",
            lambda _, tx: history.changes(tx, SYSTEM, after=after, limit=PAGE),
        ),
    ]


def statements_of(service: Service, question: Question) -> Sequence[Executed]:
    """The statements a question comes down to, with what is bound to them, as the driver gets them."""
    service.read(service.configuration)  # reference data is read once and kept
    executed: list[Executed] = []

    def note(_connection: Any, _cursor: Any, statement: str, bound: Any, *_: Any) -> None:
        if not statement.startswith("BEGIN"):
            executed.append((statement, bound))

    event.listen(service.database.engine, "before_cursor_execute", note)
    try:
        service.read(lambda tx: question.work(service, tx))
    finally:
        event.remove(service.database.engine, "before_cursor_execute", note)
    return executed
