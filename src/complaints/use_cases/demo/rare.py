"""What happens seldom in the demo, by the use cases of single calls: merges, corrections, further calls, links.

Each makes the course write all that is pending, so these things happen together, at the end of a working day.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from complaints.domain.vocabulary import Action, LinkType, Severity, Status
from complaints.storage.database.transactions import Transaction
from complaints.use_cases.commands.complaints import AddLink, Merge, PatchComplaint, Unmerge
from complaints.use_cases.complaints import edit
from complaints.use_cases.complaints.actions import transition
from complaints.use_cases.complaints.intake import register
from complaints.use_cases.complaints.intake_checks import IntakeRequest
from complaints.use_cases.complaints.notes_and_links import add_link
from complaints.use_cases.demo.arrivals import LOCAL, Arrival
from complaints.use_cases.demo.course import LiveComplaint, Work
from complaints.use_cases.demo.lives import Life, Turn, Turns
from complaints.use_cases.demo.scene import Scene

_TAKES_MERGES = (Status.RECEIVED, Status.INVESTIGATING, Status.ON_HOLD)
_CORRECTED, _CALLED_AGAIN, _LINKED, _UNMERGED = 0.012, 0.03, 0.006, 0.1
_COORDINATOR = "luo.xi"  # a manager: the scope is every complaint


def merge_turns(scene: Scene, life: Life, live: LiveComplaint, first: LiveComplaint, at: datetime) -> Turns:
    """The life of a duplicate: it is merged at `at`, unless the first complaint has a result."""
    caller = scene.staff.caller(_COORDINATOR)

    def take(tx: Transaction, command: Merge | Unmerge) -> None:
        reference = str(live.complaint.id)
        scene.course.change_stored(
            tx, live, first, by=lambda tx: transition(scene.service, tx, caller, reference, command, None)
        )

    def merge(tx: Transaction) -> None:
        if first.complaint.status in _TAKES_MERGES and live.complaint.status in _TAKES_MERGES:
            take(tx, Merge(action=Action.MERGE, into=str(first.complaint.id)))

    def unmerge(tx: Transaction) -> None:
        take(tx, Unmerge(action=Action.UNMERGE, reason=scene.wording.choose("zh", "unmerges")))

    yield Turn(at, merge)
    if live.complaint.status is Status.MERGED and scene.chance(_UNMERGED):
        yield Turn(at + timedelta(minutes=20), unmerge, after_end=True)
    if live.complaint.status is not Status.MERGED:
        yield from life.turns()


def plan_rare_turns(
    scene: Scene,
    live: LiveComplaint,
    arrival: Arrival,
    request: IntakeRequest,
    before: LiveComplaint | None,
) -> None:
    """Let what happens seldom happen to some complaints, as long as they are open. `before` came before this one."""
    if scene.chance(_CORRECTED):
        _schedule(scene, live, arrival, lambda tx: _correct(scene, tx, live))
    if request.command.external_id and scene.chance(_CALLED_AGAIN):
        _schedule(scene, live, arrival, lambda tx: _call_again(scene, tx, arrival, request))
    if before is not None and scene.chance(_LINKED):
        other = str(before.complaint.id)
        _schedule(scene, live, arrival, lambda tx: _link(scene, tx, live, other))


def _schedule(scene: Scene, live: LiveComplaint, arrival: Arrival, call: Work) -> None:
    def work(tx: Transaction) -> None:
        if live.complaint.open:
            scene.course.change_stored(tx, live, by=call)

    scene.course.schedule(end_of_day(scene, arrival.at), work)


def _correct(scene: Scene, tx: Transaction, live: LiveComplaint) -> None:
    """The severity was higher than it seemed: the deadlines follow the priority (rule 2.8)."""
    command = PatchComplaint(severity=Severity.HIGH)
    edit.patch(scene.service, tx, scene.staff.caller(_COORDINATOR), str(live.complaint.id), command, None)


def _call_again(scene: Scene, tx: Transaction, arrival: Arrival, request: IntakeRequest) -> None:
    """The complainant writes again, under the external id of the complaint (rule 1.12)."""
    words = scene.wording.choose(arrival.language, "again")
    command = request.command.model_copy(update={"description": words, "received_at": tx.now})
    register(scene.service, tx, [replace(request, command=command)])


def _link(scene: Scene, tx: Transaction, live: LiveComplaint, other: str) -> None:
    command = AddLink(type=LinkType.RELATED, complaint_id=other)
    add_link(scene.service, tx, scene.staff.caller(_COORDINATOR), str(live.complaint.id), command)


def end_of_day(scene: Scene, at: datetime) -> datetime:
    """A moment shortly before the end of the working day."""
    local = (at + timedelta(minutes=20)).astimezone(LOCAL)
    evening = local.replace(hour=17, minute=30, second=0, microsecond=0)
    if local > evening:
        evening += timedelta(days=1)
    return evening.astimezone(at.tzinfo) + timedelta(seconds=scene.random.randrange(60))
