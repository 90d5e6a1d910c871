"""Posted complaints: those that arrive together share one transaction. Each request gets its own answer."""

from collections.abc import Callable, Sequence

from complaints.domain.errors import ComplaintError
from complaints.storage.database.transactions import Transaction
from complaints.use_cases.complaints.intake import IntakeRequest, IntakeResult, register
from complaints.use_cases.once import Answer, Outcome, answer_each
from complaints.use_cases.service import Contended, Service

Show = Callable[[Transaction, IntakeRequest, IntakeResult], Answer]


def answer_requests(
    service: Service, requests: Sequence[IntakeRequest], show: Show
) -> list[Answer | Exception]:
    """The answer to each request, after everything in the answers is committed.

    A request that is refused, or that repeats an earlier one, does not affect the others. If the content of one
    request makes the whole transaction fail, each request is tried alone, so that only this one fails. No two
    requests may have the same idempotency key and scope.
    """
    try:
        return [*service.write(lambda tx: _answer_together(service, tx, requests, show))]
    except Exception as failure:
        if len(requests) == 1 or (isinstance(failure, ComplaintError) and not isinstance(failure, Contended)):
            return [failure] * len(requests)
        return [answer for request in requests for answer in answer_requests(service, [request], show)]


def _answer_together(
    service: Service, tx: Transaction, requests: Sequence[IntakeRequest], show: Show
) -> list[Outcome]:
    def work(places: Sequence[int]) -> list[Outcome]:
        unanswered = [requests[n] for n in places]
        outcomes = register(service, tx, unanswered)
        return [
            outcome if isinstance(outcome, ComplaintError) else show(tx, request, outcome)
            for request, outcome in zip(unanswered, outcomes, strict=True)
        ]

    return answer_each(tx, [request.attempt for request in requests], work)
