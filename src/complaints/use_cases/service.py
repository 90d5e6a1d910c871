"""What every use case works with, and how a request becomes one transaction."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar
from uuid import UUID

from complaints.domain.complaint.facts import Complaint
from complaints.domain.errors import Unavailable
from complaints.domain.rules.actions import Context
from complaints.storage.configuration import Configuration, ConfigurationCache
from complaints.storage.database.transactions import Database, RaceLost
from complaints.storage.database.transactions import Transaction as Transaction
from complaints.use_cases.access import Caller
from complaints.use_cases.configuration.policy_document import from_document


class Contended(Unavailable):
    """Others won every race for the same keys."""


T = TypeVar("T")
_TRIES = 3
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Service:
    """The database with its clock, the reference data, the maker of identifiers."""

    database: Database
    new_id: Callable[[], UUID]
    cache: ConfigurationCache = field(default_factory=partial(ConfigurationCache, from_document))

    def configuration(self, tx: Transaction) -> Configuration:
        """The reference data."""
        return self.cache.current(tx)

    def context(self, tx: Transaction, complaint: Complaint, caller: Caller) -> Context:
        """What an action of `caller` on `complaint` is judged by."""
        configuration = self.configuration(tx)
        policy = configuration.policy(complaint.policy_code, complaint.policy_version)
        return Context(tx.now, policy, configuration.directory, caller.roles)

    def write(self, work: Callable[[Transaction], T]) -> T:
        """`work` in one transaction. Where it lost a race for a unique key, once more: it then finds the winner's.

        Raises Contended where it loses again and again.
        """
        for _ in range(_TRIES):
            try:
                with self.database.begin() as tx:
                    return work(tx)
            except RaceLost as lost:
                log.info("lost a race, trying again", extra={"constraint": str(lost)})
        raise Contended("Others change the same things at the same time: try again shortly.")

    def configure(self, work: Callable[[Transaction], T]) -> T:
        """`work`, which changes reference data, in one transaction; this process goes by the new ones at once."""
        done = self.write(work)
        self.cache.expire()
        return done

    def read(self, work: Callable[[Transaction], T]) -> T:
        """`work` on one snapshot."""
        with self.database.read() as tx:
            return work(tx)

    def close(self) -> None:
        """Close the connections."""
        self.database.close()
