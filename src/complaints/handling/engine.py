"""What every use case works with, and how a request becomes one transaction."""

import hashlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, TypeVar
from uuid import UUID

from complaints.domain.complaint.facts import Complaint
from complaints.domain.errors import ComplaintError, Conflict, InvalidContent, Unavailable
from complaints.domain.rules.actions import Context
from complaints.handling.access import Caller
from complaints.storage.configuration import Catalogue, CatalogueCache
from complaints.storage.database.transactions import Database, RaceLost, Transaction
from complaints.storage.rows import idempotency


class Contended(Unavailable):
    """Others won every race for the same keys."""


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


Outcome = Answer | ComplaintError


def answer_once(engine: Engine, attempt: Attempt | None, work: Callable[[Transaction], Answer]) -> Answer:
    """`work`'s answer; for an attempt made before, the first answer again, byte for byte.

    The answer is kept in the transaction that made it, so a crash keeps both or neither; a refusal is not kept.
    """
    if attempt is None:
        return engine.write(work)

    def answered(tx: Transaction) -> Answer:
        [outcome] = answer_each(tx, [attempt], lambda _: [work(tx)])
        if isinstance(outcome, ComplaintError):
            raise outcome
        return outcome

    return engine.write(answered)


def answer_each(
    tx: Transaction,
    attempts: Sequence[Attempt | None],
    work: Callable[[Sequence[int]], Sequence[Outcome]],
) -> list[Outcome]:
    """The answers to requests; `work` answers those, by place, that were not answered before.

    No two of the attempts may have the same key and scope.
    """
    named = {n: (attempt.scope, attempt.key) for n, attempt in enumerate(attempts) if attempt}
    claims = idempotency.claim(tx, named.values())
    found: dict[int, Outcome] = {}
    for n, name in named.items():
        if name not in claims.ours:
            found[n] = KeyInUse("A request with this Idempotency-Key is still running: try again shortly.")
        elif name in claims.kept:
            found[n] = _answer_again(claims.kept[name], attempts[n])
    new = [n for n in range(len(attempts)) if n not in found]
    made = dict(zip(new, work(new), strict=True)) if new else {}
    _keep(tx, [(attempts[n], outcome) for n, outcome in made.items()])
    found |= made
    return [found[n] for n in range(len(attempts))]


def _answer_again(kept: idempotency.KeptAnswer, attempt: Attempt | None) -> Outcome:
    if attempt is None or kept.request_digest != attempt.digest:
        return KeyReused("This Idempotency-Key was used for other content: take a new key for a new request.")
    return Answer(kept.status, kept.body, kept.headers, replayed=True)


def _keep(tx: Transaction, made: Sequence[tuple[Attempt | None, Outcome]]) -> None:
    idempotency.keep_answers(
        tx,
        {
            (attempt.scope, attempt.key): idempotency.KeptAnswer(
                attempt.digest, answer.status, answer.headers, answer.body
            )
            for attempt, answer in made
            if attempt and isinstance(answer, Answer)
        },
    )
