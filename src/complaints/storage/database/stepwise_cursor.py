"""The cursor of every connection to PostgreSQL."""

from typing import Any

import psycopg


class StepwiseCursor(psycopg.Cursor[Any]):
    """Runs `executemany` statement by statement.

    psycopg uses a pipeline, in which the server waits for messages without a timeout. If the process froze, the
    server would keep its locks for ever.
    """

    _total: int | None = None

    def executemany(self, query: Any, params_seq: Any, *, returning: bool = False) -> None:
        """Run `query` once for each member of `params_seq`. Results are not kept: no caller asks for them."""
        if returning:
            raise psycopg.NotSupportedError("rows of many statements are not kept")
        self._total = 0
        for parameters in params_seq:
            self.execute(query, parameters, prepare=True)
            self._total += max(0, super().rowcount)

    @property
    def rowcount(self) -> int:
        """The number of rows that the statement touched, or that `executemany` touched in all."""
        return super().rowcount if self._total is None else self._total
