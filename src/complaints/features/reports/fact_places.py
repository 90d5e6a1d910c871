"""The cursors of lists of facts: a list goes on after the last fact that was shown."""

from datetime import date
from typing import Any

from complaints.api import cursors
from complaints.domain.figures.days import day_number
from complaints.domain.figures.facts import FactKind
from complaints.storage.queries.figures import FactPlace
from complaints.use_cases.figures.fact_rows import FigureFactRow

_ROWS = "figure rows"
_FIRST_DAY, _LAST_DAY = day_number(date.min), day_number(date.max)


def content_of_cursor(last: FigureFactRow) -> dict[str, Any]:
    """The content of the cursor after a fact."""
    day, complaint_id, kind, place = last.place
    return {"kind": _ROWS, "day": day, "id": str(complaint_id), "fact": kind, "place": place}


def place_in(cursor: str | None) -> FactPlace | None:
    """The place in a cursor. Raises BadRequest for a cursor of another list."""
    if cursor is None:
        return None
    position = cursors.decode(cursor, _ROWS)
    day, fact = position.get("day"), str(position.get("fact"))
    if type(day) is not int or not _FIRST_DAY <= day <= _LAST_DAY or fact not in [*FactKind]:
        raise cursors.bad_cursor()
    return day, cursors.id_in(position, "id"), FactKind(fact), cursors.integer_in(position, "place")
