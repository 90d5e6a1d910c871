"""The address of a list: its filters, order and columns. Each link of a page is the address with a change."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote, urlencode

_PLACE = "cursor"
_MANY = "columns"


@dataclass(frozen=True, slots=True)
class ListAddress:
    """A path with its parameters, in their order, without empty ones."""

    path: str
    pairs: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, path: str, sent: Iterable[tuple[str, str]]) -> "ListAddress":
        """The address of a request. Columns that were sent apart become one parameter with commas."""
        given = [(name, value.strip()) for name, value in sent if value.strip()]
        columns = [value for name, value in given if name == _MANY]
        pairs = [pair for pair in given if pair[0] != _MANY]
        if columns:
            pairs.append((_MANY, ",".join(columns)))
        return cls(path, tuple(pairs))

    def value(self, name: str) -> str:
        """The first value of a parameter; "" if it has none."""
        return next((value for given, value in self.pairs if given == name), "")

    def values(self, name: str) -> list[str]:
        """Every value of a parameter."""
        return [value for given, value in self.pairs if given == name]

    @property
    def query(self) -> str:
        """The parameters as a query string, without the place in the list."""
        return _written(pair for pair in self.pairs if pair[0] != _PLACE)

    def __str__(self) -> str:
        return _joined(self.path, _written(self.pairs))

    def link(self, **changes: str) -> str:
        """The address with other values, at the beginning of the list. "" takes a parameter away."""
        kept = [pair for pair in self.pairs if pair[0] not in changes and pair[0] != _PLACE]
        return _joined(
            self.path, _written([*kept, *((name, value) for name, value in changes.items() if value)])
        )

    def clean(self, *kept: str) -> str:
        """The address with these parameters only."""
        return _joined(self.path, _written(pair for pair in self.pairs if pair[0] in kept))

    def others(self, *left_out: str) -> list[tuple[str, str]]:
        """The parameters for the hidden fields of a form that sends those `left_out`."""
        return [pair for pair in self.pairs if pair[0] not in (*left_out, _PLACE)]


def _written(pairs: Iterable[tuple[str, str]]) -> str:
    return urlencode(list(pairs), safe=",:", quote_via=quote)


def _joined(path: str, query: str) -> str:
    return f"{path}?{query}" if query else path
