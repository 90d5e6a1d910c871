"""Reading the complaints of an export: a place in the feed first, then page by page, each in its own transaction.

The pages are ordered by values that never change: the receipt, then the id. So no complaint is left out or comes
twice, however much is changed meanwhile. A change that a page does not show comes after the place in the feed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from complaints.domain.errors import Unavailable
from complaints.use_cases.access import Caller, Right
from complaints.use_cases.complaints import history, lists
from complaints.use_cases.complaints.filters import ComplaintFilter
from complaints.use_cases.complaints.lists import ListPosition, Order, SortKey
from complaints.use_cases.complaints.revealing import note_export
from complaints.use_cases.complaints.views import ComplaintParts
from complaints.use_cases.service import Configuration, Service, Transaction

PAGE = 500
MOST_COUNTED = 10_000_000
_OLDEST_FIRST = Order(SortKey.RECEIVED_AT)


class ReplicaBehind(Unavailable):
    """The database that was asked does not have the events of the export's place in the feed yet."""


@dataclass(frozen=True, slots=True)
class ExportStart:
    """The place in the feed before the first row: the number and the id of the last event. `count` if it was asked.

    `kinds` are the kinds of deadlines that a complaint may have, each with the Chinese name of an own kind.
    """

    number: int
    mark: UUID | None
    count: int | None
    kinds: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ExportPage:
    """Complaints of an export, as the caller sees them, and the place from which the next page goes on, if any."""

    complaints: Sequence[ComplaintParts]
    end: ListPosition | None


def start_export(service: Service, caller: Caller, asked: ComplaintFilter, *, count: bool) -> ExportStart:
    """Check the filter and find the place in the feed. With `count`, count the complaints.

    Raises Forbidden and InvalidContent for filters like `filters_of`.
    """

    def work(tx: Transaction) -> ExportStart:
        number = history.find_end(tx)
        lists.list_complaints(service, tx, caller, asked, _OLDEST_FIRST, after=None, limit=1)
        found = lists.count_views(service, tx, caller, asked, most=MOST_COUNTED).count if count else None
        kinds = _name_kinds(service.configuration(tx))
        return ExportStart(number, history.find_mark(tx, number), found, kinds)

    return service.read(work)


def _name_kinds(configuration: Configuration) -> dict[str, str]:
    titles = configuration.kind_titles
    return {kind: titles[kind]["zh"] if kind in titles else kind for kind in configuration.deadline_kinds}


def log_persons(service: Service, caller: Caller, reason: str) -> None:
    """Write a row of the access log, unless the caller sees no person in clear (rule 9.3)."""
    if Right.SEE_PERSONS in caller.rights:
        service.write(lambda tx: note_export(service, tx, caller, reason))


def read_page(
    service: Service,
    caller: Caller,
    asked: ComplaintFilter,
    *,
    start: ExportStart,
    after: ListPosition | None,
) -> ExportPage:
    """The next page, at least as new as the place in the feed. Raises Unavailable, and Forbidden like `filters_of`."""

    def work(tx: Transaction) -> ExportPage:
        if history.find_end(tx) < start.number:
            raise ReplicaBehind("The database lost events since the export began: begin it again.")
        return ExportPage(
            *lists.list_complaints(service, tx, caller, asked, _OLDEST_FIRST, after=after, limit=PAGE)
        )

    try:
        return service.read(work)
    except ReplicaBehind:
        return service.read_newest(work)


def read_pages(
    service: Service, caller: Caller, asked: ComplaintFilter, start: ExportStart
) -> Iterator[Sequence[ComplaintParts]]:
    """All pages, one after the other. Raises like `read_page`."""
    after: ListPosition | None = None
    while True:
        page = read_page(service, caller, asked, start=start, after=after)
        yield page.complaints
        if page.end is None:
            return
        after = page.end
