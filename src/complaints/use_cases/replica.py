"""Reading from a replica, for callers who cannot write: they have no write of their own to miss."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from complaints.domain.errors import Unavailable
from complaints.storage.database.transactions import RaceLost, Transaction
from complaints.use_cases.access import Caller, Right
from complaints.use_cases.service import Service

T = TypeVar("T")
READS_ONLY = frozenset({Right.READ_OWN, Right.READ, Right.SEE_PERSONS})
_AVOIDED_SECONDS = 5.0  # after a failure: nobody waits again and again for a host that is away
log = logging.getLogger(__name__)


class _Away:
    """That the replica failed a moment ago."""

    def __init__(self) -> None:
        self._until = float("-inf")

    def is_set(self) -> bool:
        """Whether it is still to be left alone."""
        return time.monotonic() < self._until

    def set(self) -> None:
        """Leave it alone for a while."""
        self._until = time.monotonic() + _AVOIDED_SECONDS


@dataclass(frozen=True, slots=True)
class Replica(Service):
    """An engine that reads from a replica of `primary`'s database, and from the primary while it cannot.

    Its reference data is its own: what a replica knows of it must not decide a write on the primary.
    """

    primary: Service = field(kw_only=True)
    _away: _Away = field(default_factory=_Away, init=False)

    def read(self, work: Callable[[Transaction], T]) -> T:
        """`work` on one snapshot of the replica, else of the primary. Raises Unavailable."""
        if not self._away.is_set():
            try:
                with self.database.read() as tx:
                    return work(tx)
            except (Unavailable, RaceLost) as failure:  # the latter: replay had to end what was being read
                log.warning("the replica cannot be read: the primary is", exc_info=failure)
                self._away.set()
        return self.primary.read(work)

    def write(self, work: Callable[[Transaction], T]) -> T:
        """`work` on the primary."""
        return self.primary.write(work)

    def close(self) -> None:
        """Close the replica's connections; the primary's are its own."""
        self.database.close()


def service_for(service: Service, replica: Service | None, caller: Caller) -> Service:
    """Where `caller` works: on the replica only if nothing they may do writes."""
    return replica if replica is not None and caller.rights <= READS_ONLY else service
