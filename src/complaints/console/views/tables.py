"""What a page of settings shows: facts, tables and buttons."""

from collections.abc import Sequence
from dataclasses import dataclass

from complaints.console.views.clock_badges import Tone


@dataclass(frozen=True, slots=True)
class Cell:
    """A value in a table or in a list of facts.

    `link` makes it a link. `note` is a second, smaller line. A `tone` makes it a badge with an icon. `code` is text
    for programs, such as an id.
    """

    text: str
    link: str = ""
    note: str = ""
    tone: Tone | None = None
    code: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells below their heads. `empty` says what to do while there is no row. `more` leads to older rows."""

    heads: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    title: str = ""
    empty: str = ""
    note: str = ""
    more: str = ""


@dataclass(frozen=True, slots=True)
class TableFact:
    """A named value."""

    name: str
    cell: Cell


@dataclass(frozen=True, slots=True)
class Button:
    """A link to a form. `why` says why the reader may not use it; "" for a reader who may."""

    label: str
    address: str
    why: str = ""
    danger: bool = False
