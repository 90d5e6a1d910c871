"""Every row of the speed table. A new one is a `Row` in a module of its own, and a line here."""

from complaints.bench.row import Row

_ALL: tuple[Row, ...] = ()

ROWS = {row.name: row for row in _ALL}
