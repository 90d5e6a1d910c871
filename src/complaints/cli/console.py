"""The parts that commands share: the console, settings with options, and the service of a command."""

import logging
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from complaints.domain.errors import Fault

if TYPE_CHECKING:
    from complaints.settings import Settings
    from complaints.use_cases.service import Service
    from complaints.wiring import FirstKey

# Names and messages are printed as they are: nothing in them is markup or an emoji.
out = Console(soft_wrap=True, highlight=False, markup=False, emoji=False)
err = Console(stderr=True, soft_wrap=True, highlight=False, markup=False, emoji=False)
LogLevel = Annotated[
    str | None,
    typer.Option("--log-level", help="debug, info, warning or error; else COMPLAINTS_LOG_LEVEL, else info."),
]


def read_settings(*, default_level: str = "info", **given: object) -> "Settings":
    """The settings, with options of the command in place of variables; the log is written as they say.

    `default_level` is the level of the log if nobody names one.
    """
    from complaints.logs import configure_logging
    from complaints.settings import Settings

    settings = Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    configure_logging(level=getattr(logging, (settings.log_level or default_level).upper()))
    return settings


AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of a table.")]


def print_rows(rows: Sequence[Mapping[str, object]], *, as_json: bool) -> None:
    """Print rows with the same members: as a JSON array, or as a table for people."""
    if as_json:
        from complaints.domain.json_text import encode

        named = [{name.replace(" ", "_"): value for name, value in row.items()} for row in rows]
        sys.stdout.write(encode(named).decode() + "\n")
        return
    names = [name.capitalize() for name in rows[0]] if rows else []
    print_aligned([names, *([_spoken(value) for value in row.values()] for row in rows)])


def print_aligned(lines: Sequence[Sequence[str]]) -> None:
    """Print lines of cells in columns. A line is never cut or folded, so that programs can search the output."""
    from rich.cells import cell_len

    widths = [max(map(cell_len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = (cell + " " * (width - cell_len(cell)) for cell, width in zip(line, widths, strict=True))
        out.print("  ".join(cells).rstrip())


def _spoken(value: object) -> str:
    """A value in a cell of a table."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return value.isoformat() if isinstance(value, datetime) else str(value)


@contextmanager
def open_service() -> Iterator["Service"]:
    """The service of a command, on the database that the settings name. It must exist. Its name is printed."""
    from complaints import wiring

    with wiring.opened(read_settings(default_level="error")) as service:
        err.print(f"Database: {wiring.name_of(service.database)}")
        yield service


def describe_first_key(first_key: "FirstKey") -> list[str]:
    """The lines about a new key. A terminal also gets its secret; other output is often kept as a log."""
    if not sys.stdout.isatty():
        return [f"Your first key is in {first_key.path}."]
    return [f"Your first key, kept in {first_key.path}:", f"    {first_key.secret}"]


def describe_fault(fault: Fault) -> str:
    """The line about a fault."""
    return f"{fault.pointer}: {fault.message}" if fault.pointer else fault.message
