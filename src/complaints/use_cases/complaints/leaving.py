"""A user who leaves hands open complaints and other subjects over, to a successor or to their teams (rule 1.7)."""

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from complaints.domain.complaint.change import Change, SubjectChange
from complaints.domain.errors import Conflict, InvalidContent, NotFound
from complaints.domain.rules.ownership import hand_over, hand_over_subject
from complaints.domain.staff import Directory, User
from complaints.storage import load
from complaints.storage.database.transactions import Transaction
from complaints.storage.queries import usage
from complaints.storage.rows import configuration as configuration_rows
from complaints.storage.rows import leaving as leaving_rows
from complaints.storage.rows.leaving import Leaving
from complaints.storage.save import ChangeToSave, save
from complaints.storage.subjects import SubjectToSave, lock_subjects
from complaints.use_cases.access import Caller
from complaints.use_cases.commands.configuration import PatchUser
from complaints.use_cases.complaints.changing import last_changed_at
from complaints.use_cases.configuration import staff
from complaints.use_cases.configuration.changing import check_user, claim_to_change
from complaints.use_cases.service import Configuration, Service

BATCH = 500
_LATE = timedelta(minutes=1)
"""A transaction may still use the configuration of before. So a leaver may get work a moment after the last batch."""


def change_user(service: Service, tx: Transaction, caller: Caller, login: str, command: PatchUser) -> User:
    """Change a user. One who is deactivated begins to leave; `hand_over_all` hands over what the user owns.

    From the commit on nobody can give the leaver work. The leaver leads nobody, and the successor, if there is one,
    stands in for the leaver. Raises Conflict if the last active user, a lead or a head without a successor is to be
    deactivated. Raises NotFound, and InvalidContent.
    """
    configuration = claim_to_change(service, tx, caller)
    if command.active is False:
        configuration_rows.lock_user(tx, login)
        check_leaving(configuration, login, command)
        _begin_leaving(tx, caller, login, command.successor)
        if command.successor is not None:
            staff.pass_on_roles(tx, caller, configuration.directory, login, command.successor)
            command = command.model_copy(update={"deputy": command.successor})
    elif command.successor is not None:
        raise InvalidContent.at("/successor", "A successor is for a user who leaves: set active to false.")
    elif command.active is True:
        leaving_rows.end_leaving(tx, login)
    return staff.USERS.change(service, tx, caller, login, command)


def hand_over_all(service: Service, login: str, *, is_stopping: Callable[[], bool] = lambda: False) -> None:
    """Hand over all that a leaver owns, in transactions of up to 500 complaints and as many other subjects.

    If this ends early, another call goes on where it ended, and so does `finish_leavings`.
    """
    while not is_stopping() and service.write(lambda tx: _hand_over_batch(service, tx, login)):
        pass


def finish_leavings(service: Service, is_stopping: Callable[[], bool] = lambda: False) -> None:
    """Go on with each leaving that was cut off, and hand over what a leaver got a moment after the end."""
    for login in service.read(lambda tx: leaving_rows.find_to_go_on(tx, finished_after=tx.now - _LATE)):
        hand_over_all(service, login, is_stopping=is_stopping)


def load_leaving(tx: Transaction, login: str) -> Leaving:
    """The progress of a user who leaves or has left. Raises NotFound."""
    found = leaving_rows.find_leaving(tx, login)
    if found is None:
        raise NotFound(f"No user {login!r} is leaving or has left.")
    return found


def check_leaving(configuration: Configuration, login: str, command: PatchUser) -> None:
    """Raises the refusals of `change_user` about a leaver and the successor."""
    staff.USERS.load(configuration, login)
    if command.successor is not None:
        if command.successor == login:
            raise InvalidContent.at("/successor", "A successor is somebody else.")
        check_user(configuration, command.successor, "/successor")
    elif led := staff.list_led_by(configuration.directory, login):
        raise Conflict(f"{login} leads {', '.join(led)}: name a successor, or give them to others first.")


def _begin_leaving(tx: Transaction, caller: Caller, login: str, successor: str | None) -> None:
    """Write the row of the leaving. One that is not finished goes on, with the successor that is named now."""
    found = leaving_rows.find_leaving(tx, login, lock=True)
    if found is not None and found.finished_at is None:
        leaving_rows.write_leaving(tx, replace(found, successor=successor or found.successor))
        return
    total = usage.count_owned(tx, login)
    if found is None or total:
        leaving_rows.write_leaving(tx, Leaving(login, successor, tx.now, caller.actor, total))


def _hand_over_batch(service: Service, tx: Transaction, login: str) -> bool:
    """Hand over some of what the leaver owns. Returns False if nothing is left, or the user is active again."""
    leaving = leaving_rows.find_leaving(tx, login, lock=True)
    directory = service.cache.current(tx, certain=True).directory
    if leaving is None or directory.users[login].active:
        return False
    owned = usage.find_owned(tx, login, limit=BATCH), usage.find_owned_subjects(tx, login, limit=BATCH)
    count = sum(map(len, owned))
    if not count and leaving.finished_at is not None:
        return False
    _hand_over(service, tx, replace(leaving, successor=_claim_successor(tx, leaving)), directory, *owned)
    done = leaving.done + count
    counted = replace(leaving, done=done, total=max(leaving.total, done))
    leaving_rows.write_leaving(tx, replace(counted, finished_at=None if count else tx.now))
    return count > 0


def _claim_successor(tx: Transaction, leaving: Leaving) -> str | None:
    """The successor, who cannot leave until this transaction ends. None without one, or if the successor has left."""
    login = leaving.successor
    return login if login is not None and configuration_rows.claim_active_user(tx, login) else None


def _hand_over(
    service: Service,
    tx: Transaction,
    leaving: Leaving,
    directory: Directory,
    complaint_ids: Collection[UUID],
    subject_ids: Collection[UUID],
) -> None:
    """Time is not applied to the complaints first, so one that cannot be caught up stops nobody from leaving."""
    loaded = load.load_complaints(tx, complaint_ids, lock=True) if complaint_ids else []
    changes = []
    for record in loaded:
        now = tx.not_before(last_changed_at(record.complaint)).now
        change = Change(record.complaint, actor=leaving.started_by, new_id=service.new_id)
        if hand_over(change, directory, now, leaver=leaving.login, successor=leaving.successor):
            changes.append(ChangeToSave(change, record.history_end))
    others = []
    for of_subject in lock_subjects(tx, subject_ids):
        own = SubjectChange(of_subject.subject, actor=leaving.started_by, new_id=service.new_id)
        now = tx.not_before(last_changed_at(of_subject.subject)).now
        if hand_over_subject(own, directory, now, successor=leaving.successor):
            others.append(SubjectToSave(own, of_subject.history_end))
    save(tx, changes, service.new_id, subjects=others)
