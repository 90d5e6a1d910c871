"""Every row of the speed table. A new one is a `Row` in a module of its own, and a line here."""

from benchmarks.measures.check import CHECK, CHECK_SQLITE
from benchmarks.measures.console import CONSOLE, CONSOLE_SQLITE
from benchmarks.measures.exports import EXPORTS
from benchmarks.measures.figures import FIGURES
from benchmarks.measures.imports import IMPORT
from benchmarks.measures.intake import INTAKE, INTAKE_128, INTAKE_ONE, INTAKE_SQLITE
from benchmarks.measures.lag import LAG
from benchmarks.measures.measure import Row
from benchmarks.measures.overdue_scoped import OVERDUE_SCOPED, OVERDUE_SCOPED_SQLITE
from benchmarks.measures.processes import IDLE, MEMORY, START
from benchmarks.measures.queries import QUERIES
from benchmarks.measures.simulate import SIMULATE, SIMULATE_SQLITE
from benchmarks.measures.storm import STORM
from benchmarks.measures.tmf621 import TMF621_CREATE, TMF621_LIST
from benchmarks.measures.webhooks import INTAKE_WEBHOOKS, WEBHOOKS

_ALL: tuple[Row, ...] = (
    INTAKE,
    INTAKE_128,
    INTAKE_ONE,
    INTAKE_SQLITE,
    IMPORT,
    STORM,
    LAG,
    MEMORY,
    START,
    IDLE,
    *QUERIES,
    CHECK,
    CHECK_SQLITE,
    SIMULATE,
    SIMULATE_SQLITE,
    *EXPORTS,
    *FIGURES,
    OVERDUE_SCOPED,
    OVERDUE_SCOPED_SQLITE,
    CONSOLE,
    CONSOLE_SQLITE,
    WEBHOOKS,
    INTAKE_WEBHOOKS,
    TMF621_LIST,
    TMF621_CREATE,
)

ROWS = {row.name: row for row in _ALL}
