"""One use case on many items, in transactions of 50. A repeated request goes on after the last finished transaction."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from pydantic_core import from_json

from complaints.domain.errors import ComplaintError, Conflict, InvalidContent, Unavailable
from complaints.domain.json_text import encode
from complaints.storage.database.transactions import Transaction
from complaints.use_cases.once import Answer, Attempt, answer_once
from complaints.use_cases.service import Service

MOST_ITEMS = 500
_PART = 50


@dataclass(frozen=True, slots=True)
class BulkItem:
    """One item, as the caller named it, and its refusal; None if the use case succeeded."""

    reference: str
    refusal: ComplaintError | None


ShowItem = Callable[[BulkItem], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class BulkWork:
    """A use case on many items.

    `find` gives the items, in one transaction before the others. `act` is the use case on one item. `show` gives an
    item as JSON. `prepare` gets the items of each transaction at its start.
    """

    find: Callable[[Transaction], Sequence[str]]
    act: Callable[[Transaction, str], None]
    show: ShowItem
    prepare: Callable[[Transaction, Sequence[str]], None] = lambda tx, items: None


def answer_in_parts(service: Service, attempt: Attempt | None, work: BulkWork) -> Answer:
    """The results of all items, in their order. A refused item does not affect the others.

    With `attempt`, each transaction keeps its results under its own name, `<key>/<number>`; number 0 is the list of
    items. So a repetition acts on the same items, and on each of them once. Raises the refusals of `find`, and
    Unavailable: the transactions before stay done.
    """
    answers = [_answer_part(service, attempt, 0, lambda tx: [*work.find(tx)])]
    items: list[str] = from_json(answers[0].body)
    for number, start in enumerate(range(0, len(items), _PART), start=1):
        part = partial(_act, work, items[start : start + _PART])
        answers.append(_answer_part(service, attempt, number, part))
    shown = [item for answer in answers[1:] for item in from_json(answer.body)]
    return Answer(200, encode({"items": shown}), replayed=all(answer.replayed for answer in answers))


def _answer_part(
    service: Service, attempt: Attempt | None, number: int, work: Callable[[Transaction], Any]
) -> Answer:
    named = attempt.part(number) if attempt else None
    return answer_once(service.write, named, lambda tx: Answer(200, encode(work(tx))))


def _act(work: BulkWork, items: Sequence[str], tx: Transaction) -> list[dict[str, Any]]:
    work.prepare(tx, items)
    return [work.show(BulkItem(item, _try(tx, work, item))) for item in items]


def _try(tx: Transaction, work: BulkWork, item: str) -> ComplaintError | None:
    """Act on one item. Returns its refusal; then nothing of it is done."""
    try:
        with tx.isolated():
            work.act(tx, item)
    except Unavailable:
        raise
    except ComplaintError as refusal:
        return refusal
    return None


# The choice of items: by a list, or by a filter and the expected number ---------------------------------------------


def check_choice(member: str, named: object, asked: object, expected: int | None) -> None:
    """Raise InvalidContent unless there is either a list or a filter, and `expected_count` with the filter."""
    if (named is None) == (asked is None):
        raise InvalidContent.at(f"/{member}", f"Give either {member} or filter.")
    if (asked is None) != (expected is None):
        raise InvalidContent.at("/expected_count", "A filter needs expected_count, and only a filter does.")


def check_count(count: int, expected: int | None) -> None:
    """Raise InvalidContent if more items fit a filter than one call may take, and Conflict for another number."""
    if count > MOST_ITEMS:
        raise InvalidContent.at("/filter", f"More than {MOST_ITEMS} fit: choose fewer.")
    check_as_expected(count, expected)


def check_as_expected(count: int, expected: int | None) -> None:
    """Raise Conflict if another number of items fits a filter than the caller saw."""
    if count != expected:
        raise Conflict(f"{count} fit the filter, not {expected}. Nothing was done: look at the list again.")


def check_named_once(names: Sequence[object], member: str) -> None:
    """Raise InvalidContent if an item is named twice."""
    first: dict[object, int] = {}
    for place, name in enumerate(names):
        if first.setdefault(name, place) != place:
            raise InvalidContent.at(f"/{member}/{place}", f"This is the same as /{member}/{first[name]}.")
