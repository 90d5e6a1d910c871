"""What a row works with: its options, a directory, databases of its own, and things kept between runs."""

import tempfile
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from benchmarks.databases import own_database
from benchmarks.errors import CannotMeasure

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class BenchContext:
    """One invocation of the benchmarks; `directory` is empty at first and goes with all in it at the end."""

    directory: Path
    postgres: str | None = None
    options: Mapping[str, int] = field(default_factory=dict)
    tell: Callable[[str], None] = lambda text: None
    _kept: dict[str, Any] = field(default_factory=dict)
    _open: ExitStack = field(default_factory=ExitStack)

    def with_options(self, options: Mapping[str, int]) -> "BenchContext":
        """The same for a row with these options; what is kept is shared."""
        return replace(self, options=options)

    def own_database(self, template: str | None = None) -> AbstractContextManager[str]:
        """The URL of a new PostgreSQL database, dropped when the block ends. Raises CannotMeasure.

        It is empty, or a copy of the one at the URL `template`, to which nobody may be connected.
        """
        return own_database(self.require_postgres(), template)

    def require_postgres(self) -> str:
        """The URL of the database named for the benchmarks. Raises CannotMeasure where none is."""
        if self.postgres is None:
            raise CannotMeasure(
                "This needs PostgreSQL: name an empty database by --postgres or COMPLAINTS_BENCH_POSTGRES_URL."
            )
        return self.postgres

    def new_directory(self) -> Path:
        """A new, empty directory of the row's own."""
        return Path(tempfile.mkdtemp(dir=self.directory))

    def keep(self, name: str, make: Callable[[], AbstractContextManager[T]]) -> T:
        """What `make` opens, made once and closed at the end of the invocation: data that runs and rows share."""
        if name not in self._kept:
            self._kept[name] = self._open.enter_context(make())
        kept: T = self._kept[name]
        return kept

    def close(self) -> None:
        """Close what was kept, the last first."""
        self._kept.clear()
        self._open.close()
