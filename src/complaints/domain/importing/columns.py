"""The names of the columns of a CSV file: repeated and missing names get numbers."""

from collections.abc import Iterable, Sequence

from complaints.domain.importing.plain_text import fold_spaces


class ColumnNames:
    """The names of columns, with their places in a row.

    A second column `Label` is `Label 2`. The third column is `column 3` if it has no name; `unnamed` has such
    names. A name that other columns have already gets the next free number.
    """

    def __init__(self, cells: Sequence[str]) -> None:
        self.places: dict[str, int] = {}
        self.unnamed: set[str] = set()
        taken = set(cells)
        for index, cell in enumerate(cells):
            name = cell or f"column {index + 1}"
            if name in self.places or (not cell and name in taken):
                name = _number(name, taken)
            if not cell:
                self.unnamed.add(name)
            taken.add(name)
            self.places[name] = index

    @property
    def named(self) -> list[str]:
        """The names without `unnamed`, in the order of the file."""
        return [name for name in self.places if name not in self.unnamed]


def _number(name: str, taken: Iterable[str]) -> str:
    number = 2
    while f"{name} {number}" in taken:
        number += 1
    return f"{name} {number}"


class NameFinder:
    """Finds names although white space, width or invisible marks differ."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(names)
        self._by_plain: dict[str, str] = {}
        for name in names:
            self._by_plain.setdefault(fold_spaces(name), name)

    def find(self, name: str) -> str | None:
        """The name itself if it is known, otherwise one that reads the same. None if there is none."""
        return name if name in self._names else self._by_plain.get(fold_spaces(name))
