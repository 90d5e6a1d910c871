"""What every use case works with, and how a request becomes one transaction."""

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar, TypeVar
from uuid import UUID

from complaints.domain.actions import Context
from complaints.domain.complaint import Complaint
from complaints.domain.errors import Conflict, InvalidContent, Unavailable
from complaints.handling.access import Caller
from complaints.storage import idempotency
from complaints.storage.catalogue import Catalogue, CatalogueCache
from complaints.storage.unit_of_work import Database, RaceLost, Transaction

T = TypeVar("T")
_TRIES = 3
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Engine:
    """The database with its clock, the reference data, the maker of identifiers."""

    database: Database
    new_id: Callable[[], UUID]
    cache: CatalogueCache = field(default_factory=CatalogueCache)

    def catalogue(self, tx: Transaction) -> Catalogue:
        """The reference data."""
        return self.cache.current(tx)

    def context(self, tx: Transaction, complaint: Complaint, caller: Caller) -> Context:
        """What an action of `caller` on `complaint` is judged by."""
        catalogue = self.catalogue(tx)
        policy = catalogue.policy(complaint.policy_code, complaint.policy_version)
        return Context(tx.now, policy, catalogue.directory, caller.roles)

    def write(self, work: Callable[[Transaction], T]) -> T:
        """`work` in one transaction. Where it lost a race for a unique key, once more: it then finds the winner's.

        Raises Unavailable where it loses again and again.
        """
        for _ in range(_TRIES):
            try:
                with self.database.begin() as tx:
                    return work(tx)
            except RaceLost as lost:
                log.info("lost a race, trying again", extra={"constraint": str(lost)})
        raise Unavailable("Others change the same things at the same time: try again shortly.")

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


@dataclass(frozen=True, slots=True)
class Answer:
    """What a caller is told: an HTTP status, headers and a body, ready to be sent."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Attempt:
    """A request that may be a repetition: its idempotency key, who sent it where, and a digest of its content."""

    key: str
    scope: str
    digest: bytes

    @classmethod
    def of(cls, caller: Caller, path: str, key: str, content: bytes) -> "Attempt":
        """The attempt that a request with an `Idempotency-Key` is. Keys are scoped to caller and path."""
        scope = hashlib.sha256(f"{caller.name}\n{path}".encode()).hexdigest()
        return cls(key, scope, hashlib.sha256(content).digest())


class KeyReused(InvalidContent):
    """The idempotency key was used for other content."""

    code: ClassVar[str] = "idempotency-key-reused"


class KeyInUse(Conflict):
    """A request with the same idempotency key is still running."""

    code: ClassVar[str] = "idempotency-in-progress"


def answer_once(engine: Engine, attempt: Attempt | None, work: Callable[[Transaction], Answer]) -> Answer:
    """`work`'s answer; for an attempt made before, the first answer again, byte for byte.

    The answer is kept in the transaction that made it, so a crash keeps both or neither; a refusal is not kept.
    """
    if attempt is None:
        return engine.write(work)
    return engine.write(lambda tx: _kept_or_new(tx, attempt, work))


def _kept_or_new(tx: Transaction, attempt: Attempt, work: Callable[[Transaction], Answer]) -> Answer:
    if not idempotency.try_claim(tx, attempt.scope, attempt.key):
        raise KeyInUse("A request with this Idempotency-Key is still running: try again shortly.")
    kept = idempotency.find_answer(tx, attempt.scope, attempt.key)
    if kept is None:
        answer = work(tx)
        idempotency.keep_answer(
            tx,
            attempt.scope,
            attempt.key,
            idempotency.KeptAnswer(attempt.digest, answer.status, answer.headers, answer.body),
        )
        return answer
    if kept.request_digest != attempt.digest:
        raise KeyReused("This Idempotency-Key was used for other content: take a new key for a new request.")
    return Answer(kept.status, kept.body, kept.headers, replayed=True)
