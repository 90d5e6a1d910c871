"""The queue of a user: the open complaints of the user, and of the users for whom the user stands in (rule 3.10)."""

from complaints.domain.vocabulary import OPEN_STATUSES, Status
from complaints.storage.database.transactions import Transaction
from complaints.storage.queries.complaint_lists import find_page_rows
from complaints.storage.queries.list_order import ListPosition as ListPosition
from complaints.storage.queries.work_queue import BY_DUE_TIME, queue_of_users
from complaints.use_cases.access import Caller, Right
from complaints.use_cases.complaints.listed import show_rows
from complaints.use_cases.complaints.views import ComplaintParts
from complaints.use_cases.service import Service

_HELD = (Status.ON_HOLD,)
_AT_WORK = tuple(sorted(OPEN_STATUSES - {*_HELD}))


def list_own_queue(
    service: Service, tx: Transaction, caller: Caller, *, held: bool, after: ListPosition | None, limit: int
) -> tuple[list[ComplaintParts], ListPosition | None]:
    """The complaints that are due next first, and the position to continue from, if more follow.

    `held` asks for those on hold, and for no others. A caller without a user has none.
    """
    if caller.login is None:
        return [], None
    logins = (caller.login, *caller.represented(tx.now))
    scope = caller.scope_with(Right.READ_OWN, tx.now, logins)
    wanted = queue_of_users(logins, _HELD if held else _AT_WORK, scope)
    rows, end = find_page_rows(tx, wanted, BY_DUE_TIME, after=after, limit=limit)
    return show_rows(service, tx, caller, rows), end
