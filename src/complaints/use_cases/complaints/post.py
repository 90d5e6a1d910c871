"""Posted complaints: those that arrive together share one transaction. Each request gets its own answer."""

from collections.abc import Callable, Sequence

from complaints.domain.errors import ComplaintError
from complaints.storage.database.transactions import Transaction
from complaints.use_cases.complaints.intake import IntakeResult, look_up_checked, register_checked
from complaints.use_cases.complaints.intake_checks import IntakeRequest, check_requests
from complaints.use_cases.once import Answer, Outcome, answer_claimed, ask_for_keys
from complaints.use_cases.service import Contended, Service

Show = Callable[[Transaction, IntakeRequest, IntakeResult], Outcome]


def answer_requests(
    service: Service, requests: Sequence[IntakeRequest], show: Show
) -> list[Answer | Exception]:
    """The answer to each request, after everything in the answers is committed.

    A request that is refused, or that repeats an earlier one, does not affect the others. If the content of one
    request makes the whole transaction fail, each request is tried alone, so that only this one fails. No two
    requests may have the same idempotency key and scope.
    """
    try:
        return [*service.write(lambda tx: _answer_together(service, tx, requests, show), late=True)]
    except Exception as failure:
        if len(requests) == 1 or (isinstance(failure, ComplaintError) and not isinstance(failure, Contended)):
            return [failure] * len(requests)
        return [answer for request in requests for answer in answer_requests(service, [request], show)]


def _answer_together(
    service: Service, tx: Transaction, requests: Sequence[IntakeRequest], show: Show
) -> list[Outcome]:
    attempts = [request.attempt for request in requests]
    checked = check_requests(service, tx, requests)
    known, claims = look_up_checked(tx, requests, checked, ask_for_keys(attempts))

    def work(places: Sequence[int]) -> list[Outcome]:
        outcomes = register_checked(service, tx, requests, {n: checked[n] for n in places}, known)
        return [
            outcome if isinstance(outcome, ComplaintError) else show(tx, requests[n], outcome)
            for n, outcome in zip(places, outcomes, strict=True)
        ]

    return answer_claimed(tx, attempts, claims, work)
