"""What people do about escalations: most are acknowledged within hours."""

from complaints.domain.complaint.change import Change
from complaints.domain.complaint.facts import Escalation
from complaints.domain.policy.policy import Policy
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows.escalation import Acknowledgement
from complaints.use_cases.commands.complaints import Acknowledge
from complaints.use_cases.complaints.escalations import record_acknowledgement
from complaints.use_cases.demo.course import LiveComplaint
from complaints.use_cases.demo.scene import Scene

_ACKNOWLEDGED = 0.72


def acknowledge_later(scene: Scene, live: LiveComplaint, taken: Escalation) -> None:
    """Let the first recipient of a step take care of it at work, if it still waits then."""
    if taken.level == 0 or not taken.recipients or not scene.chance(_ACKNOWLEDGED):
        return
    at = scene.at_work(taken.taken_at + scene.hours(0.1, 5))
    note = scene.wording.choose("zh", "acknowledgements") if scene.chance(0.6) else None
    caller = scene.staff.caller(taken.recipients[0])
    found = {"id": taken.id, "deadline_id": taken.deadline_id, "step": taken.step}

    def step(tx: Transaction, change: Change, policy: Policy) -> None:
        record_acknowledgement(change, policy, found, Acknowledge(note=note), tx.now)

    def work(tx: Transaction) -> None:
        if (waiting := live.unsettled.get(taken.id)) is not None:
            scene.course.acknowledge(Acknowledgement(waiting, tx.now, caller.actor, note))
            scene.course.change(tx, live, caller, step)

    scene.course.schedule(at, work)
