"""The service: what every use case works with, and how a use case becomes one transaction."""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from complaints.domain.complaint.attachments import AttachmentLimits
from complaints.domain.complaint.facts import Complaint
from complaints.domain.errors import Unavailable
from complaints.domain.policy.subject_kinds import KindsByName
from complaints.domain.rules.actions import ActionContext
from complaints.storage.blobs.store import BlobStore, StoreUnavailable
from complaints.storage.configuration import Configuration as Configuration
from complaints.storage.configuration import ConfigurationCache
from complaints.storage.database.transactions import Database, RaceLost
from complaints.storage.database.transactions import Transaction as Transaction
from complaints.storage.rows.key_use import KeyUses
from complaints.use_cases.access import Caller
from complaints.use_cases.mail_account import MailAccount
from complaints.use_cases.policy_document.document import from_document


class Contended(Unavailable):
    """The transaction lost every race for a unique key."""


def keep_configuration(kinds: KindsByName | None = None) -> ConfigurationCache:
    """The configuration of a process. `kinds` are the kinds of subjects that its annexes declare."""
    return ConfigurationCache(from_document, kinds)


T = TypeVar("T")
N = TypeVar("N")
_TRIES = 3
log = logging.getLogger(__name__)


def _try(begin: Callable[[], AbstractContextManager[Transaction]], work: Callable[[Transaction], T]) -> T:
    """Do `work` in a transaction that `begin` makes, and again if it lost a race. Raises Contended."""
    for _ in range(_TRIES):
        try:
            with begin() as tx:
                return work(tx)
        except RaceLost as lost:
            log.info("lost a race, trying again", extra={"constraint": str(lost)})
    raise Contended("Others change the same things at the same time: try again shortly.")


def no_wall_clock() -> datetime:
    """Stands for the wall clock where nothing is sent to other systems. Raises RuntimeError."""
    raise RuntimeError("this service has no wall clock")


@dataclass(frozen=True, slots=True)
class AttachmentStore:
    """The bytes of attachments, and the limits on new ones. `is_scanned`: a scanner must find each clean first."""

    blobs: BlobStore
    limits: AttachmentLimits = field(default_factory=AttachmentLimits)
    is_scanned: bool = False


@dataclass(frozen=True, slots=True)
class Service:
    """The database with its clock, the configuration, the maker of identifiers, and the uses of keys.

    `wall` is the wall clock, in UTC. The clock of a sandbox stands still, so attempts to send, their retries and
    their leases are timed by `wall`. `public_url` is the address under which people reach this service, without a
    slash at its end; None: it is not known. `webhook_allow` lists hosts and networks that are not public and may be
    reached (`outbound.allow_list` reads it). `mail` is the account that mails are sent by; None: no mail is sent.
    `attachment_store` is None where no attachment is written or read.
    """

    database: Database
    new_id: Callable[[], UUID]
    cache: ConfigurationCache = field(default_factory=keep_configuration)
    key_uses: KeyUses = field(default_factory=KeyUses)
    wall: Callable[[], datetime] = no_wall_clock
    public_url: str | None = None
    webhook_allow: str = ""
    mail: MailAccount | None = None
    attachment_store: AttachmentStore | None = None

    @property
    def attachments(self) -> AttachmentStore:
        """The store of attachments. Raises StoreUnavailable if this service has none."""
        if self.attachment_store is None:
            raise StoreUnavailable("This process has no store of attachments.")
        return self.attachment_store

    def configuration(self, tx: Transaction) -> Configuration:
        """The configuration. It may be half a second old."""
        return self.cache.current(tx)

    def context(self, tx: Transaction, complaint: Complaint, caller: Caller) -> ActionContext:
        """The facts that decide whether `caller` may take an action on `complaint` now."""
        configuration = self.configuration(tx)
        policy = configuration.policy(complaint.policy_code, complaint.policy_version)
        return ActionContext(tx.now, policy, configuration.directory, caller.roles, configuration.categories)

    def write(self, work: Callable[[Transaction], T], *, late: bool = False) -> T:
        """Do `work` in one transaction and return its result. After a lost race for a unique key, try again.

        The second try finds the row of the winner. Raises Contended after three lost races. `late` as in
        `Database.begin`.
        """
        return _try(lambda: self.database.begin(late=late), work)

    def configure(self, work: Callable[[Transaction], T]) -> T:
        """As `write`, for work that changes the configuration. This process uses the new one at once."""
        done = self.write(work)
        self.cache.expire()
        return done

    def read(self, work: Callable[[Transaction], T]) -> T:
        """Do `work` on one snapshot of the database and return its result.

        PostgreSQL ends a transaction that waits for a change of the schema which waits for it. The second try finds
        the change done. Raises Contended as `write` does.
        """
        return _try(self.database.read, work)

    def read_newest(self, work: Callable[[Transaction], T]) -> T:
        """As `read`, but where the newest data is: a replica asks its primary."""
        return self.read(work)

    def read_with_newest(self, find: Callable[[Transaction], N], work: Callable[[Transaction, N], T]) -> T:
        """As `read`, and `work` also gets what `find` reads where the newest data is: here on the same snapshot."""
        return self.read(lambda tx: work(tx, find(tx)))

    def close(self) -> None:
        """Close the connections to the database."""
        self.database.close()
