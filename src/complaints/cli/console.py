"""The parts that commands share: the console, settings with options, and the service of a command."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
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
