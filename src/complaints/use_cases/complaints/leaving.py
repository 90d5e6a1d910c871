"""A user who leaves hands open complaints and other subjects over, to a successor or to their teams (rule 1.7)."""

from collections.abc import Collection
from dataclasses import replace
from uuid import UUID

from complaints.domain.complaint.change import Change, SubjectChange
from complaints.domain.errors import Conflict, InvalidContent
from complaints.domain.rules.ownership import hand_over, hand_over_subject
from complaints.domain.staff import Directory, User
from complaints.storage import load
from complaints.storage.database.transactions import Transaction
from complaints.storage.queries import usage
from complaints.storage.rows import configuration as configuration_rows
from complaints.storage.save import ChangeToSave, save
from complaints.storage.subjects import SubjectToSave, lock_subjects
from complaints.use_cases.access import Caller, Right
from complaints.use_cases.commands.configuration import PatchUser
from complaints.use_cases.complaints.changing import last_changed_at
from complaints.use_cases.configuration import staff
from complaints.use_cases.configuration.changing import check_user, claim_to_change
from complaints.use_cases.service import Configuration, Service

BATCH = 500


def hand_over_before(service: Service, caller: Caller, login: str, command: PatchUser) -> None:
    """If `command` deactivates the user, hand over open complaints, in transactions of up to 500.

    After it few are left for `change_user`. If this ends early, the user is still active, and every complaint has
    an owner. Raises the refusals of `change_user` before anything is handed over.
    """
    if command.active is not False:
        return
    caller.require(Right.CONFIGURE)
    service.read(lambda tx: _plan(service, tx, login, command))
    while service.write(lambda tx: _hand_over_batch(service, tx, caller, login, command)) == BATCH:
        pass


def change_user(service: Service, tx: Transaction, caller: Caller, login: str, command: PatchUser) -> User:
    """Change a user. One who is deactivated has no open complaint afterwards, and leads nobody.

    Raises Conflict if the last active user, a lead or a head without a successor is to be deactivated. Raises
    NotFound, and InvalidContent.
    """
    configuration = claim_to_change(service, tx, caller)
    if command.active is False:
        configuration_rows.lock_user(tx, login)
        check_leaving(configuration, login, command)
        owned = usage.find_owned(tx, login), usage.find_owned_subjects(tx, login)
        _hand_over(service, tx, caller, configuration.directory, login, command.successor, *owned)
        if command.successor is not None:
            staff.pass_on_roles(tx, caller, configuration.directory, login, command.successor)
    elif command.successor is not None:
        raise InvalidContent.at("/successor", "A successor is for a user who leaves: set active to false.")
    return staff.USERS.change(service, tx, caller, login, command)


def _plan(service: Service, tx: Transaction, login: str, command: PatchUser) -> None:
    configuration = service.cache.current(tx, certain=True)
    check_leaving(configuration, login, command)
    staff.USERS.plan_change(tx, configuration, staff.USERS.load(configuration, login), command)


def check_leaving(configuration: Configuration, login: str, command: PatchUser) -> None:
    """Raises the refusals of `change_user` about a leaver and the successor."""
    staff.USERS.load(configuration, login)
    if command.successor is not None:
        if command.successor == login:
            raise InvalidContent.at("/successor", "A successor is somebody else.")
        check_user(configuration, command.successor, "/successor")
    elif led := staff.list_led_by(configuration.directory, login):
        raise Conflict(f"{login} leads {', '.join(led)}: name a successor, or give them to others first.")


def _hand_over_batch(
    service: Service, tx: Transaction, caller: Caller, login: str, command: PatchUser
) -> int:
    """Hand up to 500 complaints, and as many other subjects, over. Returns the number of the ones or of the others."""
    if command.successor is not None:
        configuration_rows.claim_active_user(tx, command.successor)
    configuration = service.cache.current(tx, certain=True)
    check_leaving(configuration, login, command)
    found = usage.find_owned(tx, login, limit=BATCH), usage.find_owned_subjects(tx, login, limit=BATCH)
    _hand_over(service, tx, caller, configuration.directory, login, command.successor, *found)
    return max(map(len, found))


def _hand_over(
    service: Service,
    tx: Transaction,
    caller: Caller,
    directory: Directory,
    leaver: str,
    successor: str | None,
    complaint_ids: Collection[UUID],
    subject_ids: Collection[UUID],
) -> None:
    """Time is not applied to the complaints first, so one that cannot be caught up stops nobody from leaving."""
    loaded = load.load_complaints(tx, complaint_ids, lock=True) if complaint_ids else []
    directory = _without(directory, leaver)
    changes = []
    for record in loaded:
        now = tx.not_before(last_changed_at(record.complaint)).now
        change = Change(record.complaint, actor=caller.actor, new_id=service.new_id)
        if hand_over(change, directory, now, leaver=leaver, successor=successor):
            changes.append(ChangeToSave(change, record.history_end))
    others = []
    for of_subject in lock_subjects(tx, subject_ids):
        own = SubjectChange(of_subject.subject, actor=caller.actor, new_id=service.new_id)
        now = tx.not_before(last_changed_at(of_subject.subject)).now
        if hand_over_subject(own, directory, now, successor=successor):
            others.append(SubjectToSave(own, of_subject.history_end))
    save(tx, changes, service.new_id, subjects=others)


def _without(directory: Directory, login: str) -> Directory:
    """The directory in which the user has left."""
    left = replace(directory.users[login], active=False)
    return replace(directory, users={**directory.users, login: left})
