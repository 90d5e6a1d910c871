"""Idempotency: a request that is repeated gets its first answer again."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

from complaints.domain.errors import ComplaintError, Conflict, InvalidContent
from complaints.storage.database.look_ups import LookUp, look_up
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows import idempotency
from complaints.use_cases.access import Caller


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that is ready to be sent: HTTP status, headers and body."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Attempt:
    """A request that may be a repetition: its idempotency key, its caller and path, and a digest of its content."""

    key: str
    scope: str
    digest: bytes

    @classmethod
    def of(cls, caller: Caller, path: str, key: str, content: bytes) -> "Attempt":
        """The attempt of a request with an `Idempotency-Key`. Keys are scoped to caller and path."""
        scope = hashlib.sha256(f"{caller.name}\n{path}".encode()).hexdigest()
        return cls(key, scope, hashlib.sha256(content).digest())

    @property
    def name(self) -> idempotency.Name:
        """The scope and the key."""
        return self.scope, self.key

    def part(self, number: int) -> "Attempt":
        """The attempt of one transaction of a request that takes several: `<key>/<number>`, in a scope of its own."""
        return replace(
            self,
            key=f"{self.key}/{number}",
            scope=hashlib.sha256(f"{self.scope}\nparts".encode()).hexdigest(),
        )


class KeyReused(InvalidContent):
    """The idempotency key was used for other content."""

    code: ClassVar[str] = "idempotency-key-reused"


class KeyInUse(Conflict):
    """A request with the same idempotency key is still running."""

    code: ClassVar[str] = "idempotency-in-progress"


Outcome = Answer | ComplaintError
Write = Callable[[Callable[[Transaction], Answer]], Answer]


def answer_once(write: Write, attempt: Attempt | None, work: Callable[[Transaction], Answer]) -> Answer:
    """The answer of `work`. A repeated attempt gets the first answer again, byte for byte.

    `write` does work in one transaction: `Service.write`, or `Service.configure` for the configuration.
    The answer is kept in the transaction of the work, so a crash keeps both or neither. A refusal is not kept.
    """
    if attempt is None:
        return write(work)

    def answered(tx: Transaction) -> Answer:
        [outcome] = answer_each(tx, [attempt], lambda _: [work(tx)])
        if isinstance(outcome, ComplaintError):
            raise outcome
        return outcome

    return write(answered)


def answer_each(
    tx: Transaction,
    attempts: Sequence[Attempt | None],
    work: Callable[[Sequence[int]], Sequence[Outcome]],
) -> list[Outcome]:
    """The answers to several requests. `work` gets the positions of the requests that have no answer yet.

    No two attempts may have the same key and scope.
    """
    return answer_claimed(tx, attempts, look_up(tx, ask_for_keys(attempts)), work)


def ask_for_keys(attempts: Sequence[Attempt | None]) -> LookUp[idempotency.ClaimResult]:
    """Claim the keys of attempts, and find the answers that they got before."""
    return idempotency.ask_for_claims([attempt.name for attempt in attempts if attempt])


def answer_claimed(
    tx: Transaction,
    attempts: Sequence[Attempt | None],
    claims: idempotency.ClaimResult,
    work: Callable[[Sequence[int]], Sequence[Outcome]],
) -> list[Outcome]:
    """As `answer_each`, but the keys are claimed already."""
    found: dict[int, Outcome] = {}
    for n, attempt in enumerate(attempts):
        if attempt is None:
            continue
        if attempt.name not in claims.ours:
            found[n] = KeyInUse("A request with this Idempotency-Key is still running: try again shortly.")
        elif attempt.name in claims.kept:
            found[n] = _answer_again(claims.kept[attempt.name], attempt)
    new = [n for n in range(len(attempts)) if n not in found]
    made = dict(zip(new, work(new), strict=True)) if new else {}
    _keep(tx, [(attempts[n], outcome) for n, outcome in made.items()])
    found |= made
    return [found[n] for n in range(len(attempts))]


def _answer_again(kept: idempotency.KeptAnswer, attempt: Attempt) -> Outcome:
    if kept.request_digest != attempt.digest:
        return KeyReused("This Idempotency-Key was used for other content: take a new key for a new request.")
    return Answer(kept.status, kept.body, kept.headers, replayed=True)


def _keep(tx: Transaction, made: Sequence[tuple[Attempt | None, Outcome]]) -> None:
    idempotency.keep_answers(
        tx,
        {
            attempt.name: idempotency.KeptAnswer(attempt.digest, answer.status, answer.headers, answer.body)
            for attempt, answer in made
            if attempt and isinstance(answer, Answer)
        },
    )
