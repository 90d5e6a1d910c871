"""The frame of every change of a complaint: load with a lock, catch up, plan, save."""

from collections.abc import Callable
from datetime import datetime

from complaints.domain.complaint.change import AnyChange, Change
from complaints.domain.complaint.facts import AnySubject, Complaint
from complaints.domain.errors import StaleVersion
from complaints.domain.instants import MOMENT
from complaints.domain.policy.policy import Policy
from complaints.domain.rules import passing_time
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows.complaint import ComplaintRecord
from complaints.storage.save import ChangeToSave, save
from complaints.use_cases.access import Caller, Right
from complaints.use_cases.complaints.assigning import assign_by_policy
from complaints.use_cases.complaints.known import load_known_complaint
from complaints.use_cases.service import Service

Versions = frozenset[int] | None  # the versions that `If-Match` names; None: any version


def open_change(
    service: Service, tx: Transaction, caller: Caller, loaded: ComplaintRecord
) -> tuple[Change, Policy]:
    """A change of the complaint, caught up to now, and the policy of the complaint."""
    change = Change(loaded.complaint, actor=caller.actor, new_id=service.new_id)
    return change, catch_up(service, tx, change)


def catch_up(service: Service, tx: Transaction, change: AnyChange) -> Policy:
    """Apply everything that time alone does to the complaint or other subject up to now. Returns its policy."""
    configuration = service.configuration(tx)
    policy = configuration.policy_of(change.subject)
    passing_time.catch_up(change, policy, configuration.directory, tx.now)
    return policy


def change_complaint(
    service: Service,
    tx: Transaction,
    caller: Caller,
    reference: str,
    step: Callable[[Transaction, Change, Policy], None],
    *,
    versions: Versions = None,
    right: Right = Right.WORK,
) -> Complaint:
    """Load a complaint, let `step` plan on its change, and save it. Returns the complaint after the change.

    A caller who waited for the row lock acts at or after the last change, even if its transaction began earlier.
    Raises Forbidden without `right`, NotFound outside the scope of the caller, and StaleVersion if the complaint has
    none of `versions`.
    """
    caller.require(right)
    loaded = load_known_complaint(tx, caller, reference, right=right, lock=True)
    _check_version(loaded.complaint, versions)
    tx = tx.not_before(last_changed_at(loaded.complaint))
    change = plan_change(service, tx, caller, loaded.complaint, step)
    save(tx, [ChangeToSave(change, loaded.history_end)], service.new_id)
    return change.complaint


def plan_change(
    service: Service,
    tx: Transaction,
    caller: Caller,
    complaint: Complaint,
    step: Callable[[Transaction, Change, Policy], None],
) -> Change:
    """The change that `step` plans on a complaint, with everything that time alone does to it. The caller saves it."""
    change = Change(complaint, actor=caller.actor, new_id=service.new_id)
    step(tx, change, catch_up(service, tx, change))
    catch_up(service, tx, change)  # a moved deadline may be past due
    assign_by_policy(service, tx, [change])
    return change


def last_changed_at(subject: AnySubject) -> datetime:
    """The instant of the last change by a user, or of the last breach that was recorded, if that is later."""
    passed = [d.breached_at + MOMENT for d in subject.deadlines if d.breached_at]
    return max([subject.updated_at, *passed])


def _check_version(complaint: Complaint, versions: Versions) -> None:
    if versions is not None and complaint.version not in versions:
        raise StaleVersion(
            f"The complaint is now at version {complaint.version}: read it again before changing it."
        )
