"""Every row of the speed table. A new one is a `Row` in a module of its own, and a line here."""

from complaints.bench.import_row import IMPORT
from complaints.bench.intake_rows import INTAKE, INTAKE_ONE, INTAKE_SQLITE
from complaints.bench.lag_row import LAG
from complaints.bench.process_rows import MEMORY, START
from complaints.bench.query_rows import QUERIES
from complaints.bench.row import Row
from complaints.bench.storm_row import STORM

_ALL: tuple[Row, ...] = (
    INTAKE,
    INTAKE_ONE,
    INTAKE_SQLITE,
    IMPORT,
    STORM,
    LAG,
    MEMORY,
    START,
    *QUERIES,
)

ROWS = {row.name: row for row in _ALL}
