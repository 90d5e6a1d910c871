"""A trial of a post: the complaint that it would make now. Nothing is saved, and no number is taken."""

from complaints.domain.complaint.facts import Complaint
from complaints.domain.errors import ComplaintError
from complaints.domain.rules.intake import plan_intake
from complaints.storage.database.look_ups import look_up
from complaints.storage.database.transactions import Transaction
from complaints.use_cases.access import Caller
from complaints.use_cases.commands.complaints import CreateComplaint
from complaints.use_cases.complaints.intake_checks import IntakeRequest, check_requests
from complaints.use_cases.complaints.repeats import EarlierComplaints, ask_for_earlier
from complaints.use_cases.service import Service

_NO_NUMBER = 0


def try_intake(service: Service, tx: Transaction, caller: Caller, command: CreateComplaint) -> Complaint:
    """The complaint that a post would make now: its policy, priority, team and deadlines (rules 2.2, 4.14 and 5.4).

    It has no number, and no assignee by policy. A known external id changes nothing here. Raises the refusals of the
    check of a post.
    """
    [new] = check_requests(service, tx, [IntakeRequest(caller, command)]).values()
    if isinstance(new, ComplaintError):
        raise new
    found = look_up(tx, ask_for_earlier([new]))
    change = plan_intake(
        new,
        repeat=EarlierComplaints(found).is_repeat(new),
        directory=service.configuration(tx).directory,
        now=tx.now,
        sequence=_NO_NUMBER,
        new_id=service.new_id,
    )
    return change.complaint
