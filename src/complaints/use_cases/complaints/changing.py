"""The frame of every change of a complaint: load locked, catch up, plan, save."""

from collections.abc import Callable
from datetime import datetime

from complaints.domain.complaint.change import Draft
from complaints.domain.complaint.facts import Complaint
from complaints.domain.errors import StaleVersion
from complaints.domain.policy.policy import Policy
from complaints.domain.rules import deadlines
from complaints.domain.rules.passing_time import advance
from complaints.storage import load
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows.complaint import Loaded
from complaints.storage.save import Planned, apply
from complaints.use_cases.access import Caller, Right
from complaints.use_cases.service import Engine

Versions = frozenset[int] | None  # those `If-Match` names; None: any


def open_draft(engine: Engine, tx: Transaction, caller: Caller, loaded: Loaded) -> tuple[Draft, Policy]:
    """A draft of the complaint brought up to now, and the policy it goes by."""
    draft = Draft(loaded.complaint, actor=caller.actor, new_id=engine.new_id)
    return draft, bring_up_to_date(engine, tx, draft)


def bring_up_to_date(engine: Engine, tx: Transaction, draft: Draft) -> Policy:
    """Let happen what time alone brings, up to now; the policy the complaint goes by."""
    catalogue = engine.catalogue(tx)
    policy = catalogue.policy(draft.complaint.policy_code, draft.complaint.policy_version)
    advance(draft, policy, catalogue.directory, tx.now)
    return policy


def change_complaint(
    engine: Engine,
    tx: Transaction,
    caller: Caller,
    reference: str,
    step: Callable[[Transaction, Draft, Policy], None],
    *,
    versions: Versions = None,
    right: Right = Right.WORK,
) -> Complaint:
    """Load the complaint, let `step` change its draft, and apply it; the complaint as it then is.

    Who had to wait for the complaint acts after the one who had it, even where their instants say otherwise.
    """
    caller.require(right)
    loaded = load.load_complaint(tx, reference, only_source=caller.only_source, lock=True)
    _check_version(loaded.complaint, versions)
    tx = tx.not_before(_last_changed_at(loaded.complaint))
    draft, policy = open_draft(engine, tx, caller, loaded)
    step(tx, draft, policy)
    bring_up_to_date(engine, tx, draft)  # a re-planned clock may be past due
    apply(tx, [Planned(draft, loaded.tip)], engine.new_id)
    return draft.complaint


def _last_changed_at(complaint: Complaint) -> datetime:
    """When people last changed it, or the engine last saw a deadline pass, whichever is later."""
    passed = [d.breached_at + deadlines.MOMENT for d in complaint.deadlines if d.breached_at]
    return max([complaint.updated_at, *passed])


def _check_version(complaint: Complaint, versions: Versions) -> None:
    if versions is not None and complaint.version not in versions:
        raise StaleVersion(
            f"The complaint is now at version {complaint.version}: read it again before changing it."
        )
