"""One complaint or other subject that the caller may know of: by scope, or because it is the caller's own."""

from collections.abc import Callable
from functools import partial
from typing import Protocol, TypeVar
from uuid import UUID

from complaints.domain.errors import NotFound
from complaints.domain.scope import ALL_COMPLAINTS, Scope
from complaints.storage import load, subjects
from complaints.storage.database.transactions import Transaction
from complaints.storage.load import HistoryExtent, Reference
from complaints.storage.queries import owners
from complaints.storage.queries.owners import PresentOwners
from complaints.storage.rows.complaint import ComplaintRecord
from complaints.storage.rows.subject import SubjectRecord
from complaints.use_cases.access import Caller, Right

T = TypeVar("T", covariant=True)


class _Load(Protocol[T]):
    def __call__(self, *, scope: Scope) -> T:
        """What is within the scope. Raises NotFound."""


def load_known_complaint(
    tx: Transaction,
    caller: Caller,
    reference: Reference,
    *,
    right: Right = Right.READ_OWN,
    lock: bool = False,
) -> ComplaintRecord:
    """The complaint with this id or number, if the caller has `right` on it (rule 7.4). Raises NotFound.

    `lock` keeps other transactions from changing it until this one ends.
    """
    return _load(tx, caller, reference, partial(load.load_complaint, tx, reference, lock=lock), right)


def load_known_id(
    tx: Transaction, caller: Caller, reference: Reference, right: Right = Right.READ_OWN
) -> UUID:
    """The id of the complaint, as `load_known_complaint` finds it."""
    return _load(tx, caller, reference, partial(load.load_id, tx, reference), right)


def load_known_history(tx: Transaction, caller: Caller, reference: str) -> HistoryExtent:
    """The extent of the history of the complaint, as `load_known_complaint` finds it."""
    return _load(tx, caller, reference, partial(load.load_history_extent, tx, reference))


def is_known(tx: Transaction, caller: Caller, reference: Reference, right: Right = Right.READ_OWN) -> bool:
    """True if there is such a complaint, and the caller has `right` on it."""
    return _is_found(partial(load_known_id, tx, caller, reference, right))


def is_known_subject(tx: Transaction, caller: Caller, subject_id: UUID) -> bool:
    """True if there is such a subject, and the caller may know of it."""
    return _is_found(partial(load_known_subject, tx, caller, None, subject_id))


def _is_found(find: Callable[[], object]) -> bool:
    try:
        find()
    except NotFound:
        return False
    return True


def load_known_subject(
    tx: Transaction,
    caller: Caller,
    kind: str | None,
    reference: str | UUID,
    *,
    right: Right = Right.READ_OWN,
    lock: bool = False,
) -> SubjectRecord:
    """The subject of a kind, as `load_known_complaint` finds a complaint. None: of any kind. Raises NotFound."""
    return _find(
        tx,
        caller,
        right,
        partial(subjects.load_subject, tx, kind, reference, lock=lock),
        partial(owners.find_subject_owners, tx, kind, reference),
    )


def _load(
    tx: Transaction,
    caller: Caller,
    reference: Reference,
    find: _Load[T],
    right: Right = Right.READ_OWN,
) -> T:
    return _find(tx, caller, right, find, partial(owners.find_complaint_owners, tx, reference))


def _find(
    tx: Transaction,
    caller: Caller,
    right: Right,
    find: _Load[T],
    find_owners: Callable[[], PresentOwners],
) -> T:
    """Only a caller whom the scope refuses costs a look at the owners and the history."""
    try:
        return find(scope=caller.scope_for(right))
    except NotFound:
        if not caller.may_have_part(right) or not _has_part(tx, caller, find_owners()):
            raise
    return find(scope=ALL_COMPLAINTS)


def _has_part(tx: Transaction, caller: Caller, found: PresentOwners) -> bool:
    """True if the user is or was owner or recipient, or stands in for a user who is (rules 7.4 and 7.5)."""
    if caller.login is None:
        return False
    present = (caller.login, *caller.represented(tx.now))
    return (
        not found.logins.isdisjoint(present)
        or owners.was_notified(tx, found, present)
        or owners.was_owner(tx, found, caller.login)
    )
