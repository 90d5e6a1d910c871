"""Test messages: one signed message of type `webhook.test`, sent at once. It is not in the log."""

from threading import BoundedSemaphore
from uuid import UUID

from complaints.api.feature import Annexes
from complaints.api.problems.refusals import TooManyRequests
from complaints.features.webhooks import messages, use_cases
from complaints.features.webhooks.attempt import SendResult, open_client, send_message
from complaints.use_cases.access import Caller
from complaints.use_cases.service import Service

_TESTS_AT_ONCE = 4
"""The test messages that a process sends at a time. Each may hold a thread for 15 seconds."""

_BUSY = "Other test messages wait for their answers just now: try again shortly."

_test_places = BoundedSemaphore(_TESTS_AT_ONCE)


def send_test(
    service: Service, caller: Caller, webhook_id: UUID, *, seconds: float, annexes: Annexes
) -> SendResult:
    """Send a test message, and say what became of it. `seconds`: how long the receiver may take.

    Raises NotFound, and TooManyRequests while others test.
    """
    found = service.read_newest(lambda tx: use_cases.load_webhook(tx, caller, webhook_id))
    form = messages.forms_of(annexes)[found.format]
    message = messages.build_test(service, form, service.new_id(), service.wall())
    client = open_client(service.webhook_allow, seconds)
    if not _test_places.acquire(blocking=False):
        raise TooManyRequests(_BUSY, headers={"Retry-After": "15"})
    try:
        return send_message(client, found, message, form.content_type, service.wall)
    finally:
        _test_places.release()
