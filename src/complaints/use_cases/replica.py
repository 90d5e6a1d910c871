"""Reading from a replica, for callers who cannot write. A caller who writes could miss its own last write there."""

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
N = TypeVar("N")
# A reveal writes to the access log, which is always read on the primary.
READS_ONLY = frozenset(
    {
        Right.READ_OWN,
        Right.READ,
        Right.SEE_PERSONS,
        Right.SEE_INTERNAL,
        Right.AUDIT,
        Right.REVEAL,
        Right.READ_REPORTS,
    }
)
_AVOIDED_SECONDS = 5.0  # after a failure, so that requests do not wait again and again for a lost host
log = logging.getLogger(__name__)


class _Outage:
    """The fact that the replica failed a moment ago."""

    def __init__(self) -> None:
        self._until = float("-inf")

    def is_set(self) -> bool:
        """True while the replica is still to be avoided."""
        return time.monotonic() < self._until

    def set(self) -> None:
        """Avoid the replica for a while."""
        self._until = time.monotonic() + _AVOIDED_SECONDS


@dataclass(frozen=True, slots=True)
class Replica(Service):
    """A service that reads from a replica of the database of `primary`, and from the primary while it cannot.

    It has its own configuration. What a replica knows of the configuration must not decide a write on the primary.
    """

    primary: Service = field(kw_only=True)
    _outage: _Outage = field(default_factory=_Outage, init=False)

    def read(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` on one snapshot of the replica, or of the primary if the replica fails. Raises Unavailable."""
        if not self._outage.is_set():
            try:
                with self.database.read() as tx:
                    return work(tx)
            except (Unavailable, RaceLost) as failure:  # RaceLost: replay had to end the query
                log.warning("the replica cannot be read: the primary is", exc_info=failure)
                self._outage.set()
        return self.primary.read(work)

    def read_newest(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` on one snapshot of the primary."""
        return self.primary.read(work)

    def read_with_newest(self, find: Callable[[Transaction], N], work: Callable[[Transaction, N], T]) -> T:
        """As `read`, and `work` also gets what `find` has read on the primary before."""
        found = self.primary.read(find)
        return self.read(lambda tx: work(tx, found))

    def write(self, work: Callable[[Transaction], T], *, late: bool = False) -> T:
        """Run `work` on the primary."""
        return self.primary.write(work, late=late)

    def close(self) -> None:
        """Close the connections to the replica. The primary closes its own."""
        self.database.close()


def service_for(service: Service, replica: Service | None, caller: Caller) -> Service:
    """The service for `caller`: the replica only if none of its rights allows a write."""
    return replica if replica is not None and caller.rights <= READS_ONLY else service
