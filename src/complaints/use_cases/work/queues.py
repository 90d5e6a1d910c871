"""The queue of a team: its open complaints without assignee, the most urgent first (rule 1.18)."""

from complaints.storage.database.transactions import Transaction
from complaints.storage.queries.complaint_lists import find_page_rows
from complaints.storage.queries.list_order import ListPosition as ListPosition
from complaints.storage.queries.work_queue import BY_DUE_TIME, queue_of
from complaints.use_cases.access import Caller
from complaints.use_cases.complaints.listed import show_rows
from complaints.use_cases.complaints.views import ComplaintParts
from complaints.use_cases.configuration.staff import TEAMS
from complaints.use_cases.service import Service


def list_queue(
    service: Service, tx: Transaction, caller: Caller, team: str, *, after: ListPosition | None, limit: int
) -> tuple[list[ComplaintParts], ListPosition | None]:
    """The complaints that wait for somebody to take them, and the position to continue from. Raises NotFound."""
    check_team(service, tx, team)
    rows, end = find_page_rows(tx, queue_of(team, caller.scope), BY_DUE_TIME, after=after, limit=limit)
    return show_rows(service, tx, caller, rows), end


def check_team(service: Service, tx: Transaction, team: str) -> None:
    """Raise NotFound for a team that does not exist."""
    TEAMS.load(service.configuration(tx), team)
