"""The rehearsal of an absence: the complaints of which something falls due, and who inherits it (rule 3.12)."""

from dataclasses import dataclass
from datetime import datetime

from complaints.domain.complaint.facts import Complaint
from complaints.domain.errors import InvalidContent
from complaints.domain.rules.recipients import find_represented_users, list_teams_under
from complaints.domain.rules.rehearsal import Absence, InheritedTask, rehearse
from complaints.domain.staff import Directory
from complaints.storage import load
from complaints.storage.database.transactions import Transaction
from complaints.storage.queries.absences import WakePosition as WakePosition
from complaints.storage.queries.absences import list_waking
from complaints.use_cases.access import Caller
from complaints.use_cases.configuration.staff import USERS
from complaints.use_cases.service import Service


@dataclass(frozen=True, slots=True)
class InheritedComplaint:
    """A complaint with the tasks that fall due for the absent user, by time."""

    complaint: Complaint
    tasks: tuple[InheritedTask, ...]


def rehearse_absence(
    service: Service,
    tx: Transaction,
    caller: Caller,
    login: str,
    since: datetime | None,
    until: datetime,
    *,
    after: WakePosition | None,
    limit: int,
) -> tuple[list[InheritedComplaint], WakePosition | None]:
    """What falls due for a user from `since` (None: now) until before `until`, within the scope of the caller.

    It looks at up to `limit` complaints, and leaves out those without a task. Returns the position to continue from,
    if there are more. Nothing changes. Raises NotFound for an unknown user, and InvalidContent for an absence that
    does not end after it begins, or has ended.
    """
    configuration = service.configuration(tx)
    USERS.load(configuration, login)
    absence = Absence(login, max(since or tx.now, tx.now), until)
    if absence.until <= absence.since:
        raise InvalidContent.in_query("absent_until", "An absence ends after it begins, and in the future.")
    directory = configuration.directory
    logins = {login, *find_represented_users(login, directory, absence.since)}
    teams = {*list_teams_under(logins, directory), *_teams_on_duty(logins, directory)}
    found = list_waking(tx, logins, teams, absence.until, scope=caller.scope, after=after, limit=limit + 1)
    ids = [position.complaint_id for position in found[:limit]]
    records = {record.complaint.id: record.complaint for record in load.load_complaints(tx, ids)}
    inherited = []
    for complaint_id in ids:
        complaint = records[complaint_id]
        tasks = rehearse(complaint, configuration.policy_of(complaint), directory, absence)
        if tasks:
            inherited.append(InheritedComplaint(complaint, tuple(tasks)))
    return inherited, found[limit - 1] if len(found) > limit else None


def _teams_on_duty(logins: set[str], directory: Directory) -> list[str]:
    """The codes of the teams that have one of these users in their rota."""
    return [team for team, shifts in directory.duty.items() if any(shift.login in logins for shift in shifts)]
