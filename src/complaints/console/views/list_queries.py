"""What the address of a list of due complaints asks: filters, order, columns, and the place in the list."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from complaints.console.views.addresses import ListAddress
from complaints.console.views.clock_badges import SOON
from complaints.use_cases.commands.messages import read_command
from complaints.use_cases.complaints.filters import ComplaintFilter


class Show(StrEnum):
    """Which complaints a list has: those overdue, those that fall due soon, or any."""

    OVERDUE = "overdue"
    SOON = "soon"
    ANY = "any"


class DueListQuery(ComplaintFilter):
    """The parameters of the page. The filters are those of the API."""

    show: Show = Show.OVERDUE
    sort: Annotated[str, Field(max_length=40)] = "next_due_at"
    columns: Annotated[str, Field(max_length=200)] = ""
    cursor: str | None = None

    def asked(self, now: datetime) -> ComplaintFilter:
        """The filter at `now`, with what `show` adds to the filters of the address."""
        if self.show is Show.OVERDUE:
            return self.model_copy(update={"overdue": True})
        if self.show is Show.ANY:
            return self
        end = now + SOON
        return self.model_copy(update={"overdue": False, "due_before": min(self.due_before or end, end)})

    @property
    def bound(self) -> Mapping[str, Any]:
        """The values to which a cursor of this list belongs."""
        return {"kind": "due-list", "sort": self.sort, "show": self.show.value, "filters": self.digest()}


def read_list_query(address: ListAddress) -> DueListQuery:
    """What an address asks. Raises InvalidContent for a parameter or a value that it may not have."""
    members: dict[str, str | list[str]] = {name: address.value(name) for name, _ in address.pairs}
    if statuses := address.values("status"):
        members |= {"status": statuses}
    return read_command(DueListQuery, members)
