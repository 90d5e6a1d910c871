"""A file that keeps the cursor of the feed."""

import os
from pathlib import Path


class CursorFile:
    """A cursor in a file. The file holds the former cursor or the new one, also after a power cut.

    If your own rows stand in a database, keep the cursor there instead, and write both in one transaction.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)

    def load(self) -> str:
        """The cursor; empty if there is none yet, which means the beginning of the feed."""
        try:
            return self._path.read_text(encoding="ascii")
        except FileNotFoundError:
            return ""

    def save(self, cursor: str) -> None:
        """Keep the cursor: on disk before the call returns."""
        new = self._path.with_name(f"{self._path.name}.new")
        with new.open("w", encoding="ascii") as file:
            file.write(cursor)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._path)
        if os.name == "posix":
            self._sync_directory()

    def _sync_directory(self) -> None:
        directory = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
