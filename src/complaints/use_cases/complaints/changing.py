"""The frame of every change of a complaint: load locked, catch up, plan, save."""

from collections.abc import Callable
from datetime import datetime

from complaints.domain.complaint.change import Change
from complaints.domain.complaint.facts import Complaint
from complaints.domain.errors import StaleVersion
from complaints.domain.policy.policy import Policy
from complaints.domain.rules import deadlines, passing_time
from complaints.storage import load
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows.complaint import ComplaintRecord
from complaints.storage.save import ChangeToSave, save
from complaints.use_cases.access import Caller, Right
from complaints.use_cases.service import Service

Versions = frozenset[int] | None  # those `If-Match` names; None: any


def open_change(
    service: Service, tx: Transaction, caller: Caller, loaded: ComplaintRecord
) -> tuple[Change, Policy]:
    """A draft of the complaint brought up to now, and the policy it goes by."""
    change = Change(loaded.complaint, actor=caller.actor, new_id=service.new_id)
    return change, catch_up(service, tx, change)


def catch_up(service: Service, tx: Transaction, change: Change) -> Policy:
    """Let happen what time alone brings, up to now; the policy the complaint goes by."""
    configuration = service.configuration(tx)
    policy = configuration.policy(change.complaint.policy_code, change.complaint.policy_version)
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
    """Load the complaint, let `step` change its draft, and apply it; the complaint as it then is.

    Who had to wait for the complaint acts after the one who had it, even where their instants say otherwise.
    """
    caller.require(right)
    loaded = load.load_complaint(tx, reference, scope=caller.scope, lock=True)
    _check_version(loaded.complaint, versions)
    tx = tx.not_before(_last_changed_at(loaded.complaint))
    change, policy = open_change(service, tx, caller, loaded)
    step(tx, change, policy)
    catch_up(service, tx, change)  # a re-planned clock may be past due
    save(tx, [ChangeToSave(change, loaded.tip)], service.new_id)
    return change.complaint


def _last_changed_at(complaint: Complaint) -> datetime:
    """When people last changed it, or the engine last saw a deadline pass, whichever is later."""
    passed = [d.breached_at + deadlines.MOMENT for d in complaint.deadlines if d.breached_at]
    return max([complaint.updated_at, *passed])


def _check_version(complaint: Complaint, versions: Versions) -> None:
    if versions is not None and complaint.version not in versions:
        raise StaleVersion(
            f"The complaint is now at version {complaint.version}: read it again before changing it."
        )
