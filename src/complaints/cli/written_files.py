"""Files that commands write."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import typer

_STDOUT = "-"


@contextmanager
def opened_for_writing(file: str, *, hint: str = "FILE") -> Iterator[BinaryIO]:
    """The file to write. It gets its name at the end, so a command that failed leaves the former file as it was."""
    if file == _STDOUT:
        yield sys.stdout.buffer
        sys.stdout.flush()
        return
    part = Path(f"{file}.part")
    try:
        with part.open("wb") as opened:
            yield opened
            opened.flush()
            os.fsync(opened.fileno())
        part.replace(file)
    except OSError as error:
        raise typer.BadParameter(f"{error.filename or file}: {error.strerror}", param_hint=hint) from error
    finally:
        part.unlink(missing_ok=True)
