"""The command `export`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from complaints.cli.console import err, open_service
from complaints.cli.written_files import opened_for_writing


def export(
    file: Annotated[str, typer.Argument(help="The file to write; - for standard output.")],
    filters: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME=VALUE]...", help="Filters of `GET /v1/complaints`, such as status=closed."
        ),
    ] = None,
    file_format: Annotated[
        str | None,
        typer.Option(
            "--format", help="ndjson, csv or xlsx; else the ending of the file says it, else ndjson."
        ),
    ] = None,
    fields: Annotated[str | None, typer.Option(help="The members to export, with commas between.")] = None,
    full: Annotated[bool, typer.Option("--full", help="Every member, with texts and persons.")] = False,
    language: Annotated[str | None, typer.Option(help="Of the header of a table: en, zh or both.")] = None,
    timezone: Annotated[str | None, typer.Option(help="Of times in a table, such as Asia/Shanghai.")] = None,
    bom: Annotated[bool, typer.Option("--bom", help="Begin CSV with the mark that Excel needs.")] = False,
    reason: Annotated[str | None, typer.Option(help="Why persons are exported, for the access log.")] = None,
) -> None:
    """Export complaints, as `GET /v1/exports` does. The file appears when it is complete.

    The place in the feed before the first complaint is printed to standard error.
    """
    from complaints import wiring

    asked = [_pair(text) for text in filters or ()]
    options = {
        "format": file_format or (None if "format" in dict(asked) else _format_of(file)),
        "fields": fields,
        "full": "true" if full else None,
        "language": language,
        "timezone": timezone,
        "bom": "true" if bom else None,
        "reason": reason,
    }
    asked += [(name, value) for name, value in options.items() if value is not None]
    work = wiring.open_annexes().find_command("export")
    with open_service() as service, opened_for_writing(file) as written, _progress() as progress:
        cursor = work(service, written, asked, progress, at=wiring.wall_now())
    err.print(f"Feed cursor: {cursor}")


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise typer.BadParameter(f"a filter is NAME=VALUE, not {text!r}")
    return name, value


def _format_of(file: str) -> str | None:
    ending = Path(file).suffix.lower().removeprefix(".")
    return ending if ending in ("csv", "xlsx") else None


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """Shows on standard error how many complaints are done."""
    from rich.progress import MofNCompleteColumn
    from rich.progress import Progress as Bar

    with Bar(*Bar.get_default_columns(), MofNCompleteColumn(), console=err) as bar:
        task = bar.add_task("Exporting", total=None)

        def show(done: int, total: int) -> None:
            bar.update(task, completed=done, total=max(done, total))

        yield show
