"""Posted complaints, as many as come together, in one transaction; each is answered for itself."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from complaints.domain.errors import ComplaintError
from complaints.storage.database.transactions import Transaction
from complaints.use_cases.complaints.intake import IntakeResult, Post, register
from complaints.use_cases.once import Answer, Attempt, Outcome, answer_each
from complaints.use_cases.service import Contended, Service

Show = Callable[[Transaction, Post, IntakeResult], Answer]


@dataclass(frozen=True, slots=True)
class Posting:
    """A request to post a complaint."""

    post: Post
    attempt: Attempt | None


def answer_postings(service: Service, postings: Sequence[Posting], show: Show) -> list[Answer | Exception]:
    """What each of these requests is answered, once everything it tells of is committed.

    One that is refused, or posted before, hinders no other. Where the transaction as a whole fails for what is
    in it, each is tried by itself, so that only the one at fault fails. No two may have the same idempotency
    key and scope.
    """
    try:
        return [*service.write(lambda tx: _answer_together(service, tx, postings, show))]
    except Exception as failure:
        if len(postings) == 1 or (isinstance(failure, ComplaintError) and not isinstance(failure, Contended)):
            return [failure] * len(postings)
        return [answer for posting in postings for answer in answer_postings(service, [posting], show)]


def _answer_together(
    service: Service, tx: Transaction, postings: Sequence[Posting], show: Show
) -> list[Outcome]:
    def work(places: Sequence[int]) -> list[Outcome]:
        posts = [postings[n].post for n in places]
        outcomes = register(service, tx, posts)
        return [
            outcome if isinstance(outcome, ComplaintError) else show(tx, post, outcome)
            for post, outcome in zip(posts, outcomes, strict=True)
        ]

    return answer_each(tx, [posting.attempt for posting in postings], work)
